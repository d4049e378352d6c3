"""Bitmaps against the oracle where a line does not reach: random sequences, and strings of several slices."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oracle.pair import Pair
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["a", "b", "c"])
TEXTS = st.one_of(
    st.sampled_from([b"", b"123", b"\xff" * 9, bytes(9), bytes(20_000) + b"\x01", b"\xff" * 20_000 + b"\xfe\0"]),
    st.binary(max_size=12),
)
OFFSETS = st.one_of(st.integers(-3, 200), st.integers(159_990, 160_020))
LIMITS = st.one_of(
    st.integers(-40, 200),
    st.integers(159_990, 160_020),
    st.integers(-160_020, -159_990),
    st.sampled_from(["x", "-9223372036854775808", "9223372036854775807"]),
)
UNITS = st.sampled_from([(), ("BIT",), ("BYTE",), ("bit",), ("x",)])
I64 = st.one_of(
    st.integers(-300, 300), st.integers(-(2**63), 2**63 - 1), st.sampled_from([-(2**63), 2**63 - 1, -(2**62), 2**62])
)
TYPES = st.one_of(
    st.integers(1, 64).map(lambda bits: f"i{bits}"),
    st.integers(1, 63).map(lambda bits: f"u{bits}"),
    st.sampled_from(["u64", "i65", "i0", "8", "u08"]),
)
FIELDS = st.one_of(st.integers(-1, 200).map(str), st.integers(-1, 20).map(lambda number: f"#{number}"))
OPERATIONS = st.one_of(
    st.tuples(st.just("GET"), TYPES, FIELDS),
    st.tuples(st.just("SET"), TYPES, FIELDS, I64),
    st.tuples(st.just("INCRBY"), TYPES, FIELDS, I64),
    st.tuples(st.just("OVERFLOW"), st.sampled_from(["WRAP", "SAT", "FAIL", "sat", "x"])),
)


class Bits(CommandMachine):
    """Every command on bits, on few strings."""

    @rule(key=KEYS, text=TEXTS)
    def set(self, key: str, text: bytes) -> None:
        self.send("SET", key, text)

    @rule(key=KEYS, name=st.sampled_from(["GET", "DEL", "BITCOUNT", "INCR", "STRLEN", "BITFIELD"]))
    def one_key(self, key: str, name: str) -> None:
        self.send(name, key)

    @rule(key=KEYS, offset=OFFSETS, bit=st.integers(0, 2))
    def one_bit(self, key: str, offset: int, bit: int) -> None:
        self.send("GETBIT", key, offset)
        self.send("SETBIT", key, offset, bit)
        self.send("GETBIT", key, offset)

    @rule(key=KEYS, start=LIMITS, end=LIMITS, unit=UNITS)
    def count(self, key: str, start: int | str, end: int | str, unit: tuple[str, ...]) -> None:
        self.send("BITCOUNT", key, start, end, *unit)

    @rule(key=KEYS, bit=st.integers(0, 1), start=LIMITS, end=LIMITS, unit=UNITS)
    def find(self, key: str, bit: int, start: int | str, end: int | str, unit: tuple[str, ...]) -> None:
        self.send("BITPOS", key, bit)
        self.send("BITPOS", key, bit, start)
        self.send("BITPOS", key, bit, start, end, *unit)

    @rule(operation=st.sampled_from(["AND", "OR", "XOR", "NOT"]), key=KEYS, sources=st.lists(KEYS, max_size=3))
    def combine(self, operation: str, key: str, sources: list[str]) -> None:
        self.send("BITOP", operation, key, *sources)
        self.send("GET", key)

    @rule(key=KEYS, operations=st.lists(OPERATIONS, max_size=4), name=st.sampled_from(["BITFIELD", "BITFIELD_RO"]))
    def fields(self, key: str, operations: list[tuple[str | int, ...]], name: str) -> None:
        self.send(name, key, *[word for operation in operations for word in operation])
        self.send("GET", key)


def test_sequences_of_all_bit_commands(pair: Pair) -> None:
    run(pair, Bits)


def test_a_bitmap_of_many_megabytes(compare: Callable[..., None]) -> None:
    compare(
        "SETBIT a 100000000 1; SETBIT a 7 1; BITCOUNT a; BITPOS a 1; BITPOS a 1 1; BITPOS a 0; BITCOUNT a 8 -2 BIT",
        "BITOP NOT b a; BITCOUNT b; BITPOS b 0 1; BITPOS b 0 1 12499999; BITCOUNT b 9 99999999 BIT; BITOP OR c a b",
        "BITCOUNT c; BITPOS c 0; BITPOS c 0 0 -1; BITOP XOR c a b; BITCOUNT c; BITOP AND c a b; BITPOS c 1; STRLEN c",
    )
