"""HyperLogLogs against the oracle where a line does not reach: the bytes of the value after every random step."""

from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oracle.pair import Pair, Session
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["a", "b", "c"])
ELEMENTS = st.one_of(st.integers(0, 40).map(str), st.binary(max_size=40))
SPARSE_LIMITS = st.sampled_from([0, 18, 20, 40, 100, 3000])
REGISTERS = 16384
HEADER = b"HYLL\x01" + bytes(10) + b"\x80"


def opcodes(length: int, value: int) -> bytes:
    """Return the opcodes of a run of registers that hold `value`, at most 32."""
    if value == 0:
        if length <= 64:
            return bytes([length - 1])
        return bytes([0x40 | (length - 1) >> 8, (length - 1) & 255])
    full, rest = divmod(length, 4)
    return bytes([0x83 | (value - 1) << 2]) * full + bytes([0x80 | (value - 1) << 2 | rest - 1] * (rest > 0))


def sparse_of(borders: list[int], values: list[int]) -> bytes:
    """Return a sparse value whose registers change at `borders`."""
    edges = [0, *sorted(set(borders)), REGISTERS]
    runs = [(end - start, values[index % len(values)]) for index, (start, end) in enumerate(pairwise(edges))]
    return HEADER + b"".join(opcodes(*run) for run in runs)


SPARSE = st.builds(
    sparse_of,
    st.lists(st.one_of(st.integers(1, 60), st.integers(1, REGISTERS - 1)), max_size=30),
    st.lists(st.sampled_from([0, 0, 1, 2, 32]), min_size=1, max_size=8),
)
# The last byte completes an XZERO, of which Redis would look for the other half behind the string.
FORGED = st.binary(max_size=6).map(lambda opcodes: HEADER + opcodes + b"\0")


class Sketches(CommandMachine):
    """Every HyperLogLog command on a few keys, with the whole value shown after each."""

    @rule(limit=SPARSE_LIMITS)
    def limit_sparse_forms(self, limit: int) -> None:
        self.send("CONFIG", "SET", "hll-sparse-max-bytes", limit)

    def teardown(self) -> None:
        """Leave the servers as they were."""
        if self.session is not None:
            self.limit_sparse_forms(3000)
        super().teardown()

    def shown(self, key: str, *argv: str | bytes | int) -> None:
        """Send a command, then GET of a key."""
        self.send(*argv)
        self.send("GET", key)

    @rule(key=KEYS, elements=st.lists(ELEMENTS, max_size=5))
    def add(self, key: str, elements: list[str | bytes]) -> None:
        self.shown(key, "PFADD", key, *elements)

    @rule(key=KEYS, first=st.integers(0, 10_000), count=st.integers(1, 500))
    def add_many(self, key: str, first: int, count: int) -> None:
        self.shown(key, "PFADD", key, *range(first, first + count))

    @rule(key=KEYS)
    def count(self, key: str) -> None:
        self.shown(key, "PFCOUNT", key)

    @rule(keys=st.lists(KEYS, min_size=2, max_size=3))
    def count_union(self, keys: list[str]) -> None:
        self.send("PFCOUNT", *keys)

    @rule(key=KEYS, sources=st.lists(KEYS, max_size=3))
    def merge(self, key: str, sources: list[str]) -> None:
        self.shown(key, "PFMERGE", key, *sources)

    @rule(key=KEYS, word=st.sampled_from(["DECODE", "ENCODING", "TODENSE"]))
    def look_inside(self, key: str, word: str) -> None:
        self.shown(key, "PFDEBUG", word, key)

    @rule(key=KEYS, value=st.one_of(SPARSE, FORGED))
    def set(self, key: str, value: bytes) -> None:
        self.send("SET", key, value)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.send("DEL", key)

    @rule(key=KEYS)
    def form(self, key: str) -> None:
        self.send("OBJECT", "ENCODING", key)


def test_sequences_of_all_hyperloglog_commands(pair: Pair) -> None:
    run(pair, Sketches)


def test_estimates_and_bytes_are_the_same_from_one_element_to_a_hundred_thousand(pair: Pair) -> None:
    session = Session(pair, 2)
    machine = Sketches()
    machine.session = session
    for number in range(0, 100_000, 500):
        machine.send("PFADD", "a", *range(number, number + 500))
        machine.send("PFCOUNT", "a")
        machine.send("GET", "a")
    # Compressors choose differently; what they are given is the same.
    machine.send("CONFIG", "SET", "rdbcompression", "no")
    machine.send("DUMP", "a")
    machine.send("CONFIG", "SET", "rdbcompression", "yes")
    session.close()
