"""Random sequences of commands leave aikv and redis-server in agreement, reply by reply."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oracle.pair import Pair
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.one_of(
    st.integers(-(2**63) - 1, 2**63).map(str),
    st.sampled_from(["", "0", "-0", "01", " 1", "1.5", "1e3", "inf", "nan", "text"]),
    st.binary(max_size=8),
)
LIFETIMES = st.sampled_from(["1000000", "0", "-1", "x", "9223372036854775807"])


class Strings(CommandMachine):
    """SET and its relatives on a few keys."""

    @rule(key=KEYS, value=VALUES, options=st.lists(st.sampled_from(["NX", "XX", "GET", "KEEPTTL"]), max_size=2))
    def set(self, key: str, value: str | bytes, options: list[str]) -> None:
        self.send("SET", key, value, *options)

    @rule(key=KEYS, value=VALUES, unit=st.sampled_from(["EX", "PX", "EXAT", "PXAT"]), lifetime=LIFETIMES)
    def set_with_lifetime(self, key: str, value: str | bytes, unit: str, lifetime: str) -> None:
        self.send("SET", key, value, unit, lifetime)

    @rule(key=KEYS, name=st.sampled_from(["GET", "DEL", "PERSIST", "EXISTS", "TYPE", "STRLEN", "INCR", "DECR"]))
    def one_key(self, key: str, name: str) -> None:
        self.send(name, key)

    @rule(key=KEYS, value=VALUES, name=st.sampled_from(["APPEND", "GETSET", "SETNX", "INCRBY", "DECRBY"]))
    def key_and_value(self, key: str, value: str | bytes, name: str) -> None:
        self.send(name, key, value)

    @rule(key=KEYS, lifetime=LIFETIMES, option=st.sampled_from([(), ("NX",), ("XX",), ("GT",), ("LT",)]))
    def expire(self, key: str, lifetime: str, option: tuple[str, ...]) -> None:
        self.send("EXPIRE", key, lifetime, *option)

    @rule(key=KEYS)
    def time_left(self, key: str) -> None:
        self.send("PTTL", key, comparison="near")

    @rule()
    def what_is_there(self) -> None:
        self.send("KEYS", "*", comparison="unordered")


def test_sequences_of_string_commands(pair: Pair) -> None:
    run(pair, Strings)
