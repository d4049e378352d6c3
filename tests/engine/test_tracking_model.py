"""A cache that is kept by the messages of CLIENT TRACKING never holds a value that the server no longer has.

Theory of operation: a model of some caching clients, each in another mode. What a client is sent is read in order: a
reply to GET fills its cache, a message empties it; a client in NOLOOP mode forgets by itself what it changes. Whatever
happens in between, once the turn of the event loop is over every cached value is the present one.
"""

import hiredis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aikv.engine.client import Client
from aikv.engine.client_life import disconnect
from aikv.keyspace.expiry import ExpiryCycle
from served import Served

MODES = ("", "NOLOOP", "OPTIN", "OPTOUT", "BCAST", "BCAST NOLOOP PREFIX a PREFIX b", "REDIRECT")
KEYS = ("a", "ab", "b", "c")
keys = st.sampled_from(KEYS)
values = st.integers(0, 99).map(str)


class Cache:
    """One client with a cache; `told` is the client that gets its messages."""

    def __init__(self, served: Served, mode: str) -> None:
        self.served = served
        self.mode = mode
        self.client = self.connect()
        self.told = self.connect() if mode == "REDIRECT" else self.client
        self.values: dict[bytes, bytes | None] = {}
        self.track()

    def connect(self) -> Client:
        """Make a client of RESP3."""
        client = self.served.connect()
        self.served.run("HELLO 3", client=client)
        return client

    def track(self) -> None:
        """Turn tracking on."""
        options = f"REDIRECT {self.told.id}" if self.mode == "REDIRECT" else self.mode
        assert self.served.run(f"CLIENT TRACKING ON {options}", client=self.client) == b"+OK\r\n"

    def run(self, *lines: str) -> list[object]:
        """Send commands at once; returns the replies, and heeds the messages before and between them."""
        self.served.engine.process(self.client, [line.encode().split() for line in lines])
        return self.hear()

    def hear(self) -> list[object]:
        """Read everything that came."""
        replies: list[object] = []
        for client in (self.told, self.client) if self.told is not self.client else (self.client,):
            reader = hiredis.Reader()
            reader.feed(self.served.output(client))
            while (item := reader.gets()) is not False:
                if isinstance(item, hiredis.PushNotification):
                    self.heed(item)
                else:
                    replies.append(item)
        return replies

    def heed(self, message: list[object]) -> None:
        """Forget what `message` says has changed."""
        kind, changed = message
        assert kind == b"invalidate"
        if changed is None:
            self.values.clear()
        else:
            assert isinstance(changed, list)
            for key in changed:
                self.values.pop(key, None)

    def read(self, key: str) -> None:
        """Let the value of `key` be cached as the mode says that it may."""
        lines = [f"GET {key}"]
        if self.mode == "OPTIN":
            lines.insert(0, "CLIENT CACHING YES")
        value = self.run(*lines)[-1]
        if not (self.mode.endswith("PREFIX b") and key == "c"):
            assert value is None or isinstance(value, bytes)
            self.values[key.encode()] = value

    def forget_own(self, *changed: str) -> None:
        """A client that is not told of its own changes knows of them."""
        if "NOLOOP" in self.mode:
            for key in changed:
                self.values.pop(key.encode(), None)


class CacheMachine(RuleBasedStateMachine):
    """Clients that read, change, wait and change their minds."""

    def __init__(self) -> None:
        super().__init__()
        self.served = Served()
        self.expiry = ExpiryCycle(self.served.clock)
        self.caches = [Cache(self.served, mode) for mode in MODES]

    who = st.integers(0, len(MODES) - 1)

    def hear(self) -> None:
        """End the turn of the event loop."""
        self.served.engine.before_sleep()
        for cache in self.caches:
            assert cache.hear() == []

    @rule(number=who, key=keys)
    def read(self, number: int, key: str) -> None:
        self.caches[number].read(key)

    @rule(number=who, key=keys)
    def read_what_may_not_be_cached(self, number: int, key: str) -> None:
        cache = self.caches[number]
        cache.run(*(["CLIENT CACHING NO"] if cache.mode == "OPTOUT" else []), f"GET {key}")

    @rule(number=who, key=keys, value=values)
    def write(self, number: int, key: str, value: str) -> None:
        self.caches[number].run(f"SET {key} {value}")
        self.caches[number].forget_own(key)

    @rule(number=who, key=keys, value=values)
    def write_for_a_while(self, number: int, key: str, value: str) -> None:
        self.caches[number].run(f"SET {key} {value} PX 50")
        self.caches[number].forget_own(key)

    @rule(number=who, key=keys, other=keys)
    def rename(self, number: int, key: str, other: str) -> None:
        self.caches[number].run(f"RENAME {key} {other}")
        self.caches[number].forget_own(key, other)

    @rule(number=who, key=keys, value=values)
    def read_and_write_in_a_transaction(self, number: int, key: str, value: str) -> None:
        cache = self.caches[number]
        cache.run("CLIENT CACHING YES", "MULTI", f"GET {key}", f"SET {key} {value}", f"GET {key}", "EXEC")
        cache.forget_own(key)

    @rule(number=who)
    def flush(self, number: int) -> None:
        self.caches[number].run("FLUSHALL")

    @rule(milliseconds=st.integers(1, 60))
    def wait(self, milliseconds: int) -> None:
        self.served.clock.advance_ms(milliseconds)
        self.expiry.run(self.served.engine.databases, 1_000_000)

    @rule(number=who)
    def change_ones_mind(self, number: int) -> None:
        cache = self.caches[number]
        cache.run("CLIENT TRACKING OFF")
        cache.values.clear()
        cache.track()

    @rule(limit=st.integers(0, 3))
    def limit_the_table(self, limit: int) -> None:
        self.served.config.set_many([(b"tracking-table-max-keys", b"%d" % limit)])

    @precondition(lambda self: self.served.engine.tracking.keys > 0)
    @rule(number=who)
    def come_again(self, number: int) -> None:
        old = self.caches[number]
        disconnect(self.served.engine, old.client)
        self.caches[number] = Cache(self.served, old.mode)

    @invariant()
    def no_cache_holds_what_is_no_longer_so(self) -> None:
        self.hear()
        database = self.served.engine.databases[0]
        for cache in self.caches:
            for key, value in cache.values.items():
                held = database.find(key, self.served.clock.unix_ms())
                present = None if held is None else str(held).encode() if isinstance(held, int) else held
                assert present == value, (cache.mode, key)


TestCaches = CacheMachine.TestCase
TestCaches.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
