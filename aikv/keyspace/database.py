"""One numbered database: keys, values and times to live.

Theory of operation: values and expiry times live in two `Table`s, so a key without a TTL costs nothing for the
feature, and a look-up asks the second table only while it has any entry. A key past its time is never served: `find`
removes it first and tells the `Watcher`, whoever looks; the active cycle (`keyspace.expiry`) removes those that
nobody asks for.

A database knows nothing of clients, journals or events. What must follow from a change is the engine's affair, which is
told of the one change that no command makes, an expiry, through the `Watcher` it passes in.

Times are Unix milliseconds; -1 means no TTL.
"""

from typing import Final

from mypy_extensions import i64, mypyc_attr

from aikv.datatypes.table import Table
from aikv.keyspace.access import AccessTimes
from aikv.keyspace.watch import Watch

NO_EXPIRY: Final = -1


@mypyc_attr(allow_interpreted_subclasses=True)
class Watcher:
    """Told of what happens to keys without a command."""

    def expired(self, database: "Database", key: bytes) -> None:
        """`key` has run out and has just been removed."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Waiter:
    """Somebody who waits for a key; what that means is the engine's affair."""


class Database:
    """The keyspace of one database number."""

    def __init__(self, index: int, watcher: Watcher, now_s: int = 0) -> None:
        self.index = index
        self.table = Table()
        self.expires = Table()
        self.access = AccessTimes(now_s)
        self.watcher = watcher
        # Set while clients are paused: a key past its time is hidden then, not removed.
        self.keep_expired = False
        # Set while a file is loaded: no key runs out then, because what follows in the file may refer to it.
        self.loading = False
        # Where the active expiry cycle goes on.
        self.expire_cursor = 0
        # WATCHed keys: key -> client id -> watch. Kept by the engine; here because it belongs to the keys.
        self.watched: dict[bytes, dict[int, Watch]] = {}
        # Keys that clients wait for: key -> client id -> wait, in the order in which they came. Kept by the engine.
        self.waiting: dict[bytes, dict[int, Waiter]] = {}

    def __len__(self) -> int:
        return self.table.used

    def find(self, key: bytes, now: i64) -> object | None:
        """The value of `key` at time `now` (ms), or None; a key past its time is removed first."""
        value = self.table.get(key)
        if self.expires.used and value is not None:
            when = self.expires.get(key)
            if when is not None and isinstance(when, int) and when <= now and not self.loading:
                if not self.keep_expired:
                    self.expire(key)
                return None
        return value

    def put(self, key: bytes, value: object) -> bool:
        """Store `value`, leaving the TTL as it is; True when the key is new."""
        return self.table.set(key, value)

    def replace(self, key: bytes, value: object) -> bool:
        """Store `value` and drop the TTL; True when the key is new."""
        if self.expires.used:
            self.expires.pop(key)
        return self.table.set(key, value)

    def remove(self, key: bytes) -> object | None:
        """Remove `key` and its TTL; returns its value, or None."""
        value = self.table.pop(key)
        if value is not None:
            if self.expires.used:
                self.expires.pop(key)
            self.access.forget(key)
        return value

    def expire(self, key: bytes) -> None:
        """Remove a key that is past its time, and tell the watcher."""
        self.remove(key)
        self.watcher.expired(self, key)

    def expire_of(self, key: bytes) -> int:
        """Unix ms at which `key` runs out, or -1."""
        when = self.expires.get(key)
        return when if isinstance(when, int) else NO_EXPIRY

    def is_expired(self, key: bytes, now: i64) -> bool:
        """Whether `key` is still in its place but past its time at `now` (ms)."""
        when = self.expires.get(key)
        return isinstance(when, int) and when <= now

    def set_expire(self, key: bytes, when: int) -> None:
        """Let `key`, which exists, run out at Unix ms `when`."""
        self.expires.set(key, when)

    def persist(self, key: bytes) -> bool:
        """Drop the TTL; True when there was one."""
        return self.expires.pop(key) is not None

    def expires_count(self) -> int:
        """Number of keys with a TTL."""
        return self.expires.used

    def buckets(self) -> list[dict[bytes, object]]:
        """The table's buckets, for a writer that walks the whole database."""
        return self.table.buckets

    def clear(self, now_s: int) -> list[dict[bytes, object]]:
        """Remove all keys; returns the old buckets, so that the caller chooses when to pay for freeing them."""
        self.access.clear(now_s)
        self.expire_cursor = 0
        return self.expires.clear() + self.table.clear()

    def swap(self, other: "Database") -> None:
        """Exchange the contents with `other`; the numbers and the WATCHing clients stay."""
        self.table, other.table = other.table, self.table
        self.expires, other.expires = other.expires, self.expires
        self.access, other.access = other.access, self.access
        self.expire_cursor, other.expire_cursor = other.expire_cursor, self.expire_cursor
