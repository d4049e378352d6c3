"""Strings against the oracle where a line does not reach: random sequences, random LCS, and the records in the AOF."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from conftest import StartServer
from oracle.effects import check_records
from oracle.language import Step, parse_steps, read_cases
from oracle.pair import Pair, Session
from oracle.process import AIKV, REDIS
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["a", "b"])
TEXTS = st.one_of(
    st.sampled_from(["", "7", "-1", "9223372036854775807", "1.5", "x" * 44, "x" * 45, "text"]),
    st.binary(max_size=5),
)
OFFSETS = st.one_of(st.integers(-6, 60), st.sampled_from(["x", "-9223372036854775808", "9223372036854775807"]))
NUMBERS = st.one_of(
    st.integers(-(2**63) - 1, 2**63),
    st.sampled_from(["0.1", "1e300", "-1.5e-10", "1e4900", "0x1p-3", "inf", ""]),
)
ONE_KEY = ["GET", "GETDEL", "GETEX", "STRLEN", "INCR", "DECR", "EXISTS", "TTL"]
LIFETIMES = [(), ("EX", "1000"), ("PXAT", "1"), ("PERSIST",), ("KEEPTTL",), ("EX", "0")]


class Changes(CommandMachine):
    """Every string command on two keys, so that each meets what the others left."""

    @rule(key=KEYS, name=st.sampled_from(ONE_KEY))
    def one_key(self, key: str, name: str) -> None:
        self.send(name, key)

    @rule(key=KEYS, text=TEXTS, name=st.sampled_from(["APPEND", "GETSET", "SETNX", "MSET"]))
    def with_text(self, key: str, text: str | bytes, name: str) -> None:
        self.send(name, key, text)

    @rule(key=KEYS, number=NUMBERS, name=st.sampled_from(["INCRBY", "DECRBY", "INCRBYFLOAT", "SET"]))
    def with_number(self, key: str, number: int | str, name: str) -> None:
        self.send(name, key, number)

    @rule(key=KEYS, start=OFFSETS, end=OFFSETS, name=st.sampled_from(["GETRANGE", "SUBSTR"]))
    def part(self, key: str, start: int | str, end: int | str, name: str) -> None:
        self.send(name, key, start, end)

    @rule(key=KEYS, offset=OFFSETS, text=TEXTS)
    def overwrite(self, key: str, offset: int | str, text: str | bytes) -> None:
        self.send("SETRANGE", key, offset, text)

    @rule(key=KEYS, text=TEXTS, options=st.lists(st.sampled_from(["NX", "XX", "GET"]), max_size=2))
    def set(self, key: str, text: str | bytes, options: list[str]) -> None:
        self.send("SET", key, text, *options)

    @rule(key=KEYS, lifetime=st.sampled_from(LIFETIMES))
    def lifetime(self, key: str, lifetime: tuple[str, ...]) -> None:
        self.send("GETEX", key, *lifetime)
        self.send("SET", key, "v", *lifetime)

    @rule(first=TEXTS, second=TEXTS, name=st.sampled_from(["MSET", "MSETNX"]))
    def several(self, first: str | bytes, second: str | bytes, name: str) -> None:
        self.send(name, "a", first, "b", second)
        self.send("MGET", "a", "n", "b")

    @rule(words=st.sampled_from([("LEN",), ("IDX", "WITHMATCHLEN"), ()]))
    def common(self, words: tuple[str, ...]) -> None:
        self.send("LCS", "a", "b", *words)


def test_sequences_of_all_string_commands(pair: Pair) -> None:
    run(pair, Changes)


# Few different bytes, so that there are many longest subsequences to choose from.
PAIRS = st.tuples(st.text("ab", max_size=40), st.text("abc", max_size=40))


def test_lcs_is_the_subsequence_that_redis_chooses(pair: Pair) -> None:
    session = Session(pair, 3)

    @settings(max_examples=150)
    @given(PAIRS)
    def same(texts: tuple[str, str]) -> None:
        for line in (
            ("MSET", "a", texts[0], "b", texts[1]),
            ("LCS", "a", "b"),
            ("LCS", "b", "a", "IDX", "WITHMATCHLEN"),
            ("LCS", "a", "b", "IDX", "MINMATCHLEN", "2"),
        ):
            session.step(Step(tuple(word.encode() for word in line)))

    same()
    session.close()


@pytest.mark.slow
def test_the_same_records_go_to_the_aof(start_server: StartServer) -> None:
    servers = [start_server(program, "--appendonly", "yes", name=program[-1]) for program in (REDIS, AIKV)]
    cases = [case for case in read_cases(Path(__file__).parent / "cases") if case.place.startswith("strings")]
    steps = [step for case in cases for step in (*parse_steps("FLUSHALL"), *case.steps)]
    check_records(servers, steps)
