"""Lists against the oracle where a line does not reach: random sequences, events, the records in the AOF.

Clients that wait are in `tests/compat/scenes`. The oracle knows no listpacks of lists, so the forms that Redis 7.2
gives are told here by its rules.
"""

from collections.abc import Iterator
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
from oracle.wire import RawConnection

KEYS = st.sampled_from(["l", "m", "n"])
TEXTS = st.one_of(
    st.sampled_from(["", "a", "b", "c", "7", "-1", "300", "007", "9223372036854775807", "x" * 70, "y" * 5000]),
    st.binary(max_size=3),
)
INDEXES = st.one_of(st.integers(-9, 9), st.sampled_from([-(2**63), 2**63 - 1, 100]))
SIDES = st.sampled_from(["LEFT", "RIGHT"])
RANKS = st.integers(-3, 3)
COUNTS = st.integers(0, 4)
NAMES_OF_PUSHES = st.sampled_from(["LPUSH", "RPUSH", "RPUSH", "LPUSHX", "RPUSHX"])
DEFAULT_LIMIT = "CONFIG SET list-max-listpack-size -2"


class Changes(CommandMachine):
    """Every list command on three keys; lists outgrow the small form, and come back to it, after a few elements."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), limit=st.sampled_from([0, 1, 2, 5, 128, -1, -2]))
    def connect(self, protocol: int, limit: int) -> None:
        self.session = Session(self.pair, protocol)
        self.send("CONFIG", "SET", "list-max-listpack-size", limit)

    @rule(key=KEYS, texts=st.lists(TEXTS, min_size=1, max_size=6), name=NAMES_OF_PUSHES)
    def push(self, key: str, texts: list[str | bytes], name: str) -> None:
        self.send(name, key, *texts)

    @rule(key=KEYS, name=st.sampled_from(["LPOP", "RPOP"]), count=st.one_of(st.just(()), st.tuples(COUNTS)))
    def pop(self, key: str, name: str, count: tuple[int, ...]) -> None:
        self.send(name, key, *count)

    @rule(keys=st.lists(KEYS, min_size=1, max_size=2), side=SIDES, count=st.integers(1, 4))
    def pop_any(self, keys: list[str], side: str, count: int) -> None:
        self.send("LMPOP", len(keys), *keys, side, "COUNT", count)

    @rule(source=KEYS, goal=KEYS, sides=st.tuples(SIDES, SIDES))
    def move(self, source: str, goal: str, sides: tuple[str, str]) -> None:
        self.send("LMOVE", source, goal, *sides)
        self.send("RPOPLPUSH", source, goal)

    @rule(key=KEYS, index=INDEXES, text=TEXTS)
    def one(self, key: str, index: int, text: str | bytes) -> None:
        self.send("LINDEX", key, index)
        self.send("LSET", key, index, text)
        self.send("LINDEX", key, index)

    @rule(key=KEYS, pivot=TEXTS, text=TEXTS, where=st.sampled_from(["BEFORE", "AFTER"]))
    def insert(self, key: str, pivot: str | bytes, text: str | bytes, where: str) -> None:
        self.send("LINSERT", key, where, pivot, text)

    @rule(key=KEYS, count=st.integers(-3, 3), text=TEXTS)
    def remove(self, key: str, count: int, text: str | bytes) -> None:
        self.send("LREM", key, count, text)

    @rule(key=KEYS, start=INDEXES, stop=INDEXES)
    def read(self, key: str, start: int, stop: int) -> None:
        self.send("LRANGE", key, start, stop)
        self.send("LLEN", key)

    @rule(key=KEYS, start=INDEXES, stop=INDEXES)
    def trim(self, key: str, start: int, stop: int) -> None:
        self.send("LTRIM", key, start, stop)

    @rule(key=KEYS, text=TEXTS, rank=RANKS, count=COUNTS, most=st.integers(-1, 5))
    def find(self, key: str, text: str | bytes, rank: int, count: int, most: int) -> None:
        self.send("LPOS", key, text, "RANK", rank)
        self.send("LPOS", key, text, "RANK", rank, "COUNT", count, "MAXLEN", most)

    @rule(source=KEYS, goal=KEYS, name=st.sampled_from(["COPY", "RENAME"]))
    def whole(self, source: str, goal: str, name: str) -> None:
        self.send(name, source, goal)

    @rule(key=KEYS, words=st.sampled_from([("SET", "x"), ("DEL",), ("EXPIRE", "1000"), ("TYPE",), ("TTL",)]))
    def key(self, key: str, words: tuple[str, ...]) -> None:
        self.send(*words[:1], key, *words[1:])

    # Where nobody has to wait: the oracle takes a tenth of a second to see that a time is over.
    @rule(
        keys=st.lists(KEYS, min_size=1, max_size=3), goal=KEYS, sides=st.tuples(SIDES, SIDES), count=st.integers(1, 4)
    )
    def in_a_transaction(self, keys: list[str], goal: str, sides: tuple[str, str], count: int) -> None:
        self.send("MULTI")
        self.send("BLPOP", *keys, 0)
        self.send("BRPOP", *keys, goal, 0)
        self.send("BLMOVE", keys[0], goal, *sides, 0)
        self.send("BRPOPLPUSH", keys[0], goal, 0)
        self.send("BLMPOP", 0, len(keys), *keys, sides[0], "COUNT", count)
        self.send("EXEC")

    @rule()
    def digest(self) -> None:
        self.send("DEBUG", "DIGEST")


def test_sequences_of_all_list_commands(pair: Pair) -> None:
    try:
        run(pair, Changes)
    finally:
        pair.compare(DEFAULT_LIMIT)


def test_the_same_events_are_announced(pair: Pair) -> None:
    lines = [
        "RPUSH l a b c; LPUSH l z; LPUSHX l y; RPUSHX l d; LPUSHX n a; RPUSHX n a; LPOP l; RPOP l; LPOP l 2; RPOP l 9",
        "LPOP l; LPOP l 0; RPUSH l a; LPOP l; RPUSH l a b; LPOP l 0; RPOP l 0; LSET l 0 a; LSET l 9 a; LSET n 0 a",
        "LINSERT l BEFORE b x; LINSERT l AFTER n x; LINSERT n AFTER a b; LREM l 0 n; LREM l 1 x; LREM l 0 a",
        "LREM l 0 b; RPUSH l a b c d e; LTRIM l 0 -1; LTRIM l 1 -2; LTRIM l 5 9; LTRIM n 0 1; RPUSH l a b c",
        "LMOVE l m LEFT RIGHT; LMOVE l l LEFT RIGHT; RPOPLPUSH l m; RPOPLPUSH l m; RPOPLPUSH l m; LMOVE n m LEFT LEFT",
        "LMOVE m m LEFT LEFT; LMPOP 2 n m LEFT; LMPOP 1 m RIGHT COUNT 9; LMPOP 1 m RIGHT; RPUSH l a b c d e f",
        "BLPOP n l 0; BRPOP l 0; BLMOVE l m RIGHT LEFT 0; BRPOPLPUSH l m 0; BLMPOP 0 2 n m LEFT COUNT 2",
        "BLPOP n 0.01; BLMOVE n m LEFT LEFT 0.01; SET s x; RPUSH s a; LPOP s; BLPOP s 0; LMOVE l s LEFT LEFT",
        "LRANGE n 0 -1; LINDEX n 0; LLEN n; LPOS n a; LPOP n; PEXPIREAT l 1; RPUSH l a; LPUSH l b; RPOPLPUSH l l",
    ]
    steps = [step for line in lines for step in parse_steps(line)]
    assert announced(pair.aikv, steps) == announced(pair.oracle, steps)


@pytest.mark.slow
def test_the_same_records_go_to_the_aof(start_server: StartServer) -> None:
    servers = [start_server(program, "--appendonly", "yes", name=program[-1]) for program in (REDIS, AIKV)]
    cases = [case for case in read_cases(Path(__file__).parent / "cases") if case.place.startswith("lists")]
    check_records(servers, [step for case in cases for step in (*parse_steps("FLUSHALL"), *case.steps)])


# The largest listpack of a class, and texts that fill it: a listpack has 7 bytes besides its entries, and what is to
# come is counted by its bare length.
CLASSES = [(-1, 4096), (-2, 8192), (-3, 16384), (-4, 32768), (-5, 65536)]


@pytest.fixture
def alone(pair: Pair) -> Iterator[RawConnection]:
    """Connect to aikv, whose limit of listpacks is then put back."""
    with pair.aikv.connect() as connection:
        connection.command("FLUSHALL")
        yield connection
    pair.compare(DEFAULT_LIMIT)


def form(connection: RawConnection, limit: int, *elements: bytes) -> bytes:
    """Push elements, one after another, under a limit; returns the form of the list."""
    connection.command("CONFIG", "SET", "list-max-listpack-size", str(limit))
    connection.command("DEL", "l")
    for element in elements:
        connection.command("RPUSH", "l", element)
    return encoding(connection)


def encoding(connection: RawConnection) -> bytes:
    """Return the form of the list."""
    return connection.command("OBJECT", "ENCODING", "l").split(b"\r\n")[1]


@pytest.mark.parametrize(("limit", "largest"), CLASSES)
def test_the_form_at_the_border_of_a_class_of_bytes(alone: RawConnection, limit: int, largest: int) -> None:
    assert form(alone, limit, b"x" * (largest - 7)) == b"listpack"
    assert form(alone, limit, b"x" * (largest - 6)) == b"quicklist"
    assert form(alone, limit, *[b"x"] * 1000) == b"listpack"
    # Once it is there, an element of 60 bytes takes 62.
    fitting = (largest - 7 - 60) // 62 + 1
    assert form(alone, limit, *[b"x" * 60] * fitting) == b"listpack"
    assert alone.command("RPUSH", "l", b"x" * 60) == b":%d\r\n" % (fitting + 1)
    assert encoding(alone) == b"quicklist"
    # Half of it, in one chunk, is small again.
    alone.command("LTRIM", "l", "0", str((largest // 2 - 7) // 62))
    assert encoding(alone) == b"quicklist"
    alone.command("RPOP", "l")
    assert encoding(alone) == b"listpack"


@pytest.mark.parametrize("limit", [0, 1, 2, 5, 128])
def test_the_form_at_the_border_of_a_number(alone: RawConnection, limit: int) -> None:
    largest = max(limit, 1)
    elements = [b"%d" % number for number in range(largest)]
    assert form(alone, limit, *elements) == b"listpack"
    assert form(alone, limit, *elements, b"x") == b"quicklist"
    assert form(alone, limit, b"x" * 8185) == b"listpack"
    assert form(alone, limit, b"x" * 8186) == b"quicklist"
    form(alone, limit, *elements, b"x")
    while encoding(alone) == b"quicklist":
        alone.command("RPOP", "l")
    assert alone.command("LLEN", "l") == b":%d\r\n" % (largest // 2)
