"""Commands on keys, compared: sequences of them, whole scans, and values carried over by DUMP and RESTORE."""

import hiredis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from oracle.pair import Pair
from oracle.process import ServerProcess
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["a", "b", "c", "d"])
DATABASES = st.sampled_from(["0", "1", "2", "99", "x"])
CONDITIONS = st.lists(st.sampled_from(["NX", "XX", "GT", "LT", "FOO"]), max_size=2)
RELATIVE = st.sampled_from(["5000", "9000", "0", "-1", "x", "9223372036854775807"])
ABSOLUTE = st.sampled_from(["4102444800", "4102448400", "1", "x", "9223372036854775807"])


class Generic(CommandMachine):
    """Commands on keys, in transactions or not, with a second client that interferes."""

    @rule(key=KEYS, value=st.sampled_from(["1", "x", "999999"]), other=st.booleans())
    def set(self, key: str, value: str, other: bool) -> None:
        self.send("SET", key, value, other=other)

    @rule(key=KEYS, lifetime=st.sampled_from(["1000", "2000"]))
    def set_with_lifetime(self, key: str, lifetime: str) -> None:
        self.send("SET", key, "v", "EX", lifetime)

    @rule(key=KEYS, name=st.sampled_from(["DEL", "UNLINK", "PERSIST", "TYPE", "EXISTS", "TOUCH", "GET"]))
    def one_key(self, key: str, name: str) -> None:
        self.send(name, key)

    @rule(key=KEYS, name=st.sampled_from(["ENCODING", "REFCOUNT", "FREQ"]))
    def object(self, key: str, name: str) -> None:
        self.send("OBJECT", name, key)

    # GT and LT only with absolute times: of relative ones it depends on the millisecond which is later.
    @rule(key=KEYS, time=RELATIVE, condition=st.sampled_from([(), (), ("NX",), ("XX",), ("nx", "XX"), ("FOO",)]))
    def expire(self, key: str, time: str, condition: tuple[str, ...]) -> None:
        self.send("EXPIRE", key, time, *condition)

    @rule(key=KEYS, time=ABSOLUTE, conditions=CONDITIONS)
    def expire_at(self, key: str, time: str, conditions: list[str]) -> None:
        self.send("EXPIREAT", key, time, *conditions)

    @rule(key=KEYS, name=st.sampled_from(["TTL", "EXPIRETIME"]))
    def time_left(self, key: str, name: str) -> None:
        self.send(name, key, comparison="near")

    @rule(key=KEYS, newkey=KEYS, name=st.sampled_from(["RENAME", "RENAMENX", "COPY"]), other=st.booleans())
    def two_keys(self, key: str, newkey: str, name: str, other: bool) -> None:
        self.send(name, key, newkey, other=other)

    @rule(key=KEYS, newkey=KEYS, database=DATABASES, replace=st.booleans())
    def copy(self, key: str, newkey: str, database: str, replace: bool) -> None:
        self.send("COPY", key, newkey, "DB", database, *["REPLACE"] * replace)

    @rule(key=KEYS, database=DATABASES)
    def move(self, key: str, database: str) -> None:
        self.send("MOVE", key, database)

    @rule(database=DATABASES, other=st.booleans())
    def select(self, database: str, other: bool) -> None:
        self.send("SELECT", database, other=other)

    @rule(first=DATABASES, second=DATABASES)
    def swap(self, first: str, second: str) -> None:
        self.send("SWAPDB", first, second)

    @rule(name=st.sampled_from(["FLUSHDB", "FLUSHALL", "DBSIZE", "DBSIZE"]), other=st.booleans())
    def whole(self, name: str, other: bool) -> None:
        self.send(name, other=other)

    @rule(keys=st.lists(KEYS, min_size=1, max_size=2))
    def watch(self, keys: list[str]) -> None:
        self.send("WATCH", *keys)

    @rule(name=st.sampled_from(["MULTI", "MULTI", "EXEC", "EXEC", "DISCARD", "UNWATCH", "NOSUCH"]))
    def transaction(self, name: str) -> None:
        self.send(name)


def test_sequences_of_commands_on_keys(pair: Pair) -> None:
    run(pair, Generic)


def filled(pair: Pair, count: int) -> None:
    for server in (pair.oracle, pair.aikv):
        with server.connect() as connection:
            connection.command("FLUSHALL")
            for number in range(count):
                connection.command("SET", f"key:{number}", "v")


def scanned(server: ServerProcess, *options: str) -> list[bytes]:
    with server.connect() as connection:
        found, cursor = [], b"0"
        while True:
            reader = hiredis.Reader()
            reader.feed(connection.command("SCAN", cursor, *options))
            cursor, keys = reader.gets()
            found += keys
            if cursor == b"0":
                return found


@pytest.mark.parametrize("options", [(), ("COUNT", "7"), ("COUNT", "100"), ("MATCH", "key:1*"), ("TYPE", "list")])
def test_a_whole_scan_finds_the_same_keys(pair: Pair, options: tuple[str, ...]) -> None:
    filled(pair, 300)
    assert sorted(scanned(pair.aikv, *options)) == sorted(set(scanned(pair.oracle, *options)))


@pytest.mark.parametrize(
    "value", [b"", b"1", b"-129", b"9223372036854775807", b"text", b"abc" * 1000, bytes(range(256))]
)
@pytest.mark.parametrize("to_aikv", [True, False])
def test_a_value_dumped_by_one_is_restored_by_the_other(pair: Pair, value: bytes, to_aikv: bool) -> None:
    source, target = (pair.oracle, pair.aikv) if to_aikv else (pair.aikv, pair.oracle)
    with source.connect() as connection:
        connection.command("SET", "a", value)
        reader = hiredis.Reader()
        reader.feed(connection.command("DUMP", "a"))
        payload = reader.gets()
    with target.connect() as connection:
        connection.command("FLUSHALL")
        assert connection.command("RESTORE", "a", "0", payload, "REPLACE") == b"+OK\r\n"
        assert connection.command("GET", "a") == b"$%d\r\n%b\r\n" % (len(value), value)
