"""Hashes against the oracle where a line does not reach: random sequences, events, and the records in the AOF."""

from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conftest import StartServer
from oracle.effects import announced, check_records
from oracle.language import parse_steps, read_cases
from oracle.pair import PROTOCOLS, Pair, Session
from oracle.process import AIKV, REDIS
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["h", "g"])
FIELDS = st.sampled_from(["a", "b", "c", "", "7", "-1", "007", "f" * 9])
TEXTS = st.one_of(
    st.sampled_from(["", "7", "-1", "9223372036854775807", "1.5", "x" * 8, "x" * 9, " 1"]),
    st.binary(max_size=5),
)
NUMBERS = st.one_of(
    st.integers(-(2**63) - 1, 2**63),
    st.integers(-9, 9),
    st.sampled_from(["0.1", "1e300", "-1.5e-10", "inf", "nan", ""]),
)
# A field given twice counts twice in Redis 7.2 when it chooses the form, and once in the oracle.
PAIRS = st.one_of(
    st.lists(st.tuples(FIELDS, TEXTS), min_size=1, max_size=3),
    st.lists(st.tuples(FIELDS, TEXTS), min_size=1, max_size=6, unique_by=lambda pair: pair[0]),
)
OF_A_KEY = ["HLEN", "HGETALL", "HKEYS", "HVALS", "EXISTS", "TYPE", "TTL"]
OF_A_FIELD = ["HGET", "HEXISTS", "HSTRLEN", "HDEL"]
COUNTS = st.integers(0, 9)


class Changes(CommandMachine):
    """Every hash command on two keys; a hash outgrows its small form after a few fields, and by a text of nine bytes.

    The order in which a large hash gives its fields is nobody's promise, so what all fields are is compared unordered.
    """

    @initialize(
        protocol=st.sampled_from(PROTOCOLS), entries=st.sampled_from([0, 3, 5, 512]), longest=st.sampled_from([8, 64])
    )
    def connect(self, protocol: int, entries: int, longest: int) -> None:
        self.session = Session(self.pair, protocol)
        self.send("CONFIG", "SET", "hash-max-listpack-entries", entries, "hash-max-listpack-value", longest)

    @rule(key=KEYS, pairs=PAIRS, name=st.sampled_from(["HSET", "HMSET"]))
    def set(self, key: str, pairs: list[tuple[str, str | bytes]], name: str) -> None:
        self.send(name, key, *[word for pair in pairs for word in pair])
        self.send("OBJECT", "ENCODING", key)

    @rule(key=KEYS, field=FIELDS, text=TEXTS)
    def set_new(self, key: str, field: str, text: str | bytes) -> None:
        self.send("HSETNX", key, field, text)
        self.send("OBJECT", "ENCODING", key)

    @rule(key=KEYS, name=st.sampled_from(OF_A_KEY))
    def of_a_key(self, key: str, name: str) -> None:
        self.send(name, key, comparison="unordered")

    @rule(key=KEYS, field=FIELDS, name=st.sampled_from(OF_A_FIELD))
    def of_a_field(self, key: str, field: str, name: str) -> None:
        self.send(name, key, field)

    @rule(key=KEYS, fields=st.lists(FIELDS, min_size=1, max_size=8), name=st.sampled_from(["HMGET", "HDEL"]))
    def of_fields(self, key: str, fields: list[str], name: str) -> None:
        self.send(name, key, *fields)

    @rule(key=KEYS, field=FIELDS, number=NUMBERS, name=st.sampled_from(["HINCRBY", "HINCRBYFLOAT"]))
    def add(self, key: str, field: str, number: int | str, name: str) -> None:
        self.send(name, key, field, number)
        self.send("OBJECT", "ENCODING", key)

    @rule(key=KEYS, count=COUNTS, values=st.sampled_from([(), ("WITHVALUES",)]))
    def draw(self, key: str, count: int, values: tuple[str, ...]) -> None:
        self.send("HRANDFIELD", key, count, *values, comparison="shape")
        self.send("HRANDFIELD", key, -count, *values, comparison="shape")

    @rule(key=KEYS, pattern=st.sampled_from(["*", "a", "[ab]", "?"]))
    def scan(self, key: str, pattern: str) -> None:
        self.send("HSCAN", key, 0, "COUNT", 1000, "MATCH", pattern, comparison="shape")

    @rule(source=KEYS, goal=KEYS, name=st.sampled_from(["COPY", "RENAME"]))
    def whole(self, source: str, goal: str, name: str) -> None:
        self.send(name, source, goal)
        self.send("OBJECT", "ENCODING", goal)

    @rule(key=KEYS, words=st.sampled_from([("SET", "x"), ("DEL",), ("EXPIRE", "1000")]))
    def key(self, key: str, words: tuple[str, ...]) -> None:
        self.send(*words[:1], key, *words[1:])

    @rule()
    def digest(self) -> None:
        self.send("DEBUG", "DIGEST")


def test_sequences_of_all_hash_commands(pair: Pair) -> None:
    try:
        run(pair, Changes)
    finally:
        pair.compare("CONFIG SET hash-max-listpack-entries 512 hash-max-listpack-value 64")


def test_a_scan_returns_every_field_once_it_is_large(pair: Pair) -> None:
    fields = {b"field-%d" % number for number in range(3000)}
    with pair.aikv.connect() as connection:
        for field in fields:
            connection.command("HSET", "large", field, b"value of " + field)
        cursor, found = b"0", set()
        while True:
            _, _, cursor, rest = connection.command("HSCAN", "large", cursor, "COUNT", "50").split(b"\r\n", 3)
            words = rest.split(b"\r\n")[2::2]
            assert [b"value of " + field for field in words[::2]] == words[1::2]
            found |= set(words[::2])
            if cursor == b"0":
                break
        connection.command("DEL", "large")
    assert found == fields


def test_the_same_events_are_announced(pair: Pair) -> None:
    lines = [
        "HSET h a 1 b 2; HSET h a 1; HMSET h a 2; HSETNX h a 1; HSETNX h c 1; HINCRBY h a 1; HINCRBYFLOAT h a 1.5",
        "HDEL h n; HDEL h a n; HDEL h b c; HDEL h b; HINCRBY n a 1; HINCRBYFLOAT m a 1; HSETNX l a 1; HINCRBY h a x",
        "HSET h a x; HINCRBY h a 1; HSET h a 1; PEXPIREAT h 1; HGET h a; HSET h a 1; COPY h g; RENAME h i; HDEL i a",
    ]
    steps = [step for line in lines for step in parse_steps(line)]
    assert announced(pair.aikv, steps) == announced(pair.oracle, steps)


@pytest.mark.slow
def test_the_same_records_go_to_the_aof(start_server: StartServer) -> None:
    servers = [start_server(program, "--appendonly", "yes", name=program[-1]) for program in (REDIS, AIKV)]
    cases = [case for case in read_cases(Path(__file__).parent / "cases") if case.place.startswith("hashes")]
    check_records(servers, [step for case in cases for step in (*parse_steps("FLUSHALL"), *case.steps)])
