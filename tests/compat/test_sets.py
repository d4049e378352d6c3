"""Sets against the oracle where a line does not reach: random sequences, events, and the records in the AOF."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conftest import StartServer
from oracle.effects import announced, check_records
from oracle.language import Step, parse_steps, read_cases
from oracle.pair import PROTOCOLS, Pair, Session
from oracle.process import AIKV, REDIS
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["r", "s", "t"])
INTEGERS = st.one_of(
    st.integers(0, 9), st.sampled_from([-(2**63), 2**63 - 1, 32767, 32768, -2147483649, 2147483647])
).map(str)
TEXTS = st.one_of(st.sampled_from(["", "a", "b", "007", "-0", "9223372036854775808"]), st.binary(max_size=3))
MEMBERS = st.one_of(INTEGERS, INTEGERS, TEXTS)
MANY = st.one_of(st.lists(INTEGERS, min_size=1, max_size=6), st.lists(MEMBERS, min_size=1, max_size=6))
SEVERAL = st.lists(st.sampled_from(["r", "s", "t", "n"]), min_size=1, max_size=3)
OPERATIONS = ["SINTER", "SUNION", "SDIFF"]
# Redis 7.2 keeps other small sets in a listpack, which the oracle has not.
NO_LISTPACKS = ("CONFIG", "SET", "set-max-listpack-entries")


@pytest.fixture
def without_listpacks(pair: Pair) -> Iterator[Pair]:
    """Let aikv hold sets as the oracle does."""
    with pair.aikv.connect() as connection:
        connection.command(*NO_LISTPACKS, "0")
        yield pair
        connection.command(*NO_LISTPACKS, "128")


class Changes(CommandMachine):
    """Every set command on three keys; an intset is outgrown after a few members."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), entries=st.sampled_from([0, 3, 8, 512]))
    def connect(self, protocol: int, entries: int) -> None:
        self.session = Session(self.pair, protocol)
        self.send("CONFIG", "SET", "set-max-intset-entries", entries)

    @rule(key=KEYS, members=MANY, name=st.sampled_from(["SADD", "SADD", "SREM", "SMISMEMBER"]))
    def several(self, key: str, members: list[str | bytes], name: str) -> None:
        if name == "SADD":
            # Redis 7.2 gives a new set the form for as many members as the command names, be they equal or not.
            members = list({member.encode() if isinstance(member, str) else member: member for member in members})
        self.send(name, key, *members)
        self.send("OBJECT", "ENCODING", key)

    @rule(key=KEYS, member=MEMBERS, name=st.sampled_from(["SISMEMBER", "SREM", "SADD"]))
    def one(self, key: str, member: str | bytes, name: str) -> None:
        self.send(name, key, member)

    @rule(key=KEYS, name=st.sampled_from(["SMEMBERS", "SCARD", "EXISTS", "TYPE", "TTL"]))
    def whole(self, key: str, name: str) -> None:
        self.send(name, key, comparison="unordered")

    @rule(source=KEYS, goal=KEYS, member=MEMBERS)
    def move(self, source: str, goal: str, member: str | bytes) -> None:
        self.send("SMOVE", source, goal, member)
        self.send("OBJECT", "ENCODING", goal)

    @rule(keys=SEVERAL, name=st.sampled_from(OPERATIONS))
    def operation(self, keys: list[str], name: str) -> None:
        self.send(name, *keys, comparison="unordered")

    @rule(goal=KEYS, keys=SEVERAL, name=st.sampled_from(OPERATIONS))
    def stored(self, goal: str, keys: list[str], name: str) -> None:
        self.send(name + "STORE", goal, *keys)
        self.send("OBJECT", "ENCODING", goal)

    @rule(keys=SEVERAL, limit=st.integers(-1, 4))
    def count(self, keys: list[str], limit: int) -> None:
        self.send("SINTERCARD", len(keys), *keys, "LIMIT", limit)

    @rule(key=KEYS, count=st.integers(0, 9))
    def draw(self, key: str, count: int) -> None:
        self.send("SRANDMEMBER", key, count, comparison="shape")
        self.send("SRANDMEMBER", key, -count, comparison="shape")

    @rule(key=KEYS, count=st.integers(9, 99))
    def pop_all(self, key: str, count: int) -> None:
        self.send("SPOP", key, count, comparison="unordered")

    @rule(key=KEYS, count=st.sampled_from([(), (1,), (2,), (5,)]))
    def pop_some(self, key: str, count: tuple[int, ...]) -> None:
        self.send("SPOP", key, *count, comparison="shape")
        self.send("SCARD", key)
        self.send("DEL", key)

    @rule(key=KEYS, pattern=st.sampled_from(["*", "a", "[0-4]", "?"]))
    def scan(self, key: str, pattern: str) -> None:
        self.send("SSCAN", key, 0, "COUNT", 1000, "MATCH", pattern, comparison="shape")

    @rule(source=KEYS, goal=KEYS, name=st.sampled_from(["COPY", "RENAME"]))
    def copy(self, source: str, goal: str, name: str) -> None:
        self.send(name, source, goal)
        self.send("OBJECT", "ENCODING", goal)

    @rule(key=KEYS, words=st.sampled_from([("SET", "x"), ("DEL",), ("EXPIRE", "1000")]))
    def key(self, key: str, words: tuple[str, ...]) -> None:
        self.send(*words[:1], key, *words[1:])

    @rule()
    def digest(self) -> None:
        self.send("DEBUG", "DIGEST")


def test_sequences_of_all_set_commands(without_listpacks: Pair) -> None:
    try:
        run(without_listpacks, Changes)
    finally:
        without_listpacks.compare("CONFIG SET set-max-intset-entries 512")


def test_the_same_events_are_announced(pair: Pair) -> None:
    lines = [
        "SADD s 1 2 3; SADD s 1; SREM s 9; SREM s 1; SREM s 2 3; SADD s 1 2 3 4 5 6; SPOP s; SPOP s 2; SPOP s 0",
        "SPOP s 100; SADD s 1; SPOP s; SADD s 1; SPOP s 1; SPOP s; SPOP s 5",
        "SADD a 1 2 3; SADD b 2 3 4; SMOVE a b 9; SMOVE a b 1; SMOVE a a 2; SMOVE a b 2; SMOVE a b 3; SMOVE b c 4",
        "SUNIONSTORE d a b; SINTERSTORE d b b; SDIFFSTORE d b n; SDIFFSTORE d b b; SDIFFSTORE d b b; SET d x",
        "SINTERSTORE d b n; SUNIONSTORE b b; SET k x; SINTERSTORE d k; SUNIONSTORE d n; SET d x; SUNIONSTORE d b",
        "PEXPIREAT d 1; SADD d 5; SADD d 5; PEXPIREAT d 1; SDIFFSTORE d n; SADD s a; RENAME s t; COPY t u; SREM t a",
    ]
    steps = [step for line in lines for step in parse_steps(line)]
    assert announced(pair.aikv, steps) == announced(pair.oracle, steps)


def of_chance(step: Step) -> bool:
    """Whether a step removes what no two servers agree on."""
    return step.argv[0] == b"SPOP" and step.comparison != "exact"


@pytest.mark.slow
def test_the_same_records_go_to_the_aof(start_server: StartServer) -> None:
    servers = [start_server(program, "--appendonly", "yes", name=program[-1]) for program in (REDIS, AIKV)]
    cases = [case for case in read_cases(Path(__file__).parent / "cases") if case.place.startswith("sets")]
    cases = [case for case in cases if not any(of_chance(step) for step in case.steps)]
    check_records(servers, [step for case in cases for step in (*parse_steps("FLUSHALL"), *case.steps)])


def test_what_is_popped_is_recorded_by_name(start_server: StartServer) -> None:
    for program in (REDIS, AIKV):
        server = start_server(program, "--appendonly", "yes", name=program[-1])
        with server.connect() as connection:
            connection.command("SADD", "s", *[str(number) for number in range(3000)])
            connection.command("SPOP", "s", "2500")
            connection.command("SPOP", "s")
            connection.command("BGREWRITEAOF")
            before = connection.command("DEBUG", "DIGEST")
        server.stop()
        server.start()
        with server.connect() as connection:
            assert connection.command("DEBUG", "DIGEST") == before
            assert connection.command("SCARD", "s") == b":499\r\n"
