"""A HyperLogLog's two forms hold the same registers, its estimates are good, and forged bytes are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.random import Random
from aikv.datatypes import hyperloglog as hll
from aikv.datatypes import hyperloglog_dense as dense
from aikv.datatypes import hyperloglog_sparse as sparse
from aikv.datatypes.hyperloglog_check import failure
from aikv.datatypes.murmur import murmur64a

ELEMENTS = st.lists(st.one_of(st.integers(0, 1000).map(lambda number: b"%d" % number), st.binary(max_size=20)))
REGISTERS = st.builds(
    lambda seed, largest: bytes(byte % (largest + 1) for byte in Random(seed).bytes(dense.REGISTERS)),
    st.integers(0, 2**32),
    st.integers(0, 63),
)
# Some registers near each other, so that runs split and merge.
CHANGES = st.lists(st.tuples(st.one_of(st.integers(0, 70), st.integers(0, 16383)), st.integers(1, 32)), max_size=60)
U64 = 2**64 - 1
M = 0xC6A4A7935BD1E995


def reference(data: bytes, seed: int) -> int:
    """Return MurmurHash64A, in integers without limit."""
    h = seed ^ (len(data) * M & U64)
    whole = len(data) // 8 * 8
    for offset in range(0, whole, 8):
        k = int.from_bytes(data[offset : offset + 8], "little") * M & U64
        h = (h ^ ((k ^ k >> 47) * M & U64)) * M & U64
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], "little")) * M & U64
    h = (h ^ h >> 47) * M & U64
    return h ^ h >> 47


@given(st.binary(max_size=40), st.integers(0, 2**32))
def test_the_hash_is_murmur(data: bytes, seed: int) -> None:
    assert murmur64a(data, seed) & U64 == reference(data, seed)


@given(st.binary(max_size=40))
def test_an_elements_place_comes_from_its_hash(element: bytes) -> None:
    bits = reference(element, 0xADC83B19)
    zeros = f"{bits >> 14 | 1 << 50:b}"[::-1].index("1")
    assert hll.place(element) == (bits & 16383, zeros + 1)


@given(REGISTERS)
def test_dense_registers_are_six_bits_each_from_the_lowest_on(registers: bytes) -> None:
    packed = dense.pack(registers)
    number = int.from_bytes(packed, "little")
    assert len(packed) == dense.DENSE_BYTES
    assert dense.unpack(packed) == registers
    for index in (0, 1, 2, 3, 4, 8190, 16382, 16383):
        assert number >> 6 * index & 63 == registers[index]


@given(REGISTERS, st.lists(st.tuples(st.integers(0, 16383), st.integers(0, 63)), max_size=20))
def test_raising_a_dense_register_leaves_the_others(registers: bytes, changes: list[tuple[int, int]]) -> None:
    expected = bytearray(registers)
    string = bytearray(b"head" + dense.pack(registers))
    for index, value in changes:
        assert dense.raise_register(string, 4, index, value) == (value > expected[index])
        expected[index] = max(expected[index], value)
    assert string[:4] == b"head"
    assert dense.unpack(bytes(string[4:])) == expected


@given(REGISTERS, REGISTERS)
def test_the_larger_register_wins(a: bytes, b: bytes) -> None:
    assert dense.larger(a, b) == bytes(map(max, a, b))


@given(REGISTERS)
def test_the_histogram_counts_every_register(registers: bytes) -> None:
    assert dense.histogram(registers) == [registers.count(value) for value in range(64)]


@given(CHANGES)
def test_sparse_registers_are_those_that_were_set_in_any_order(changes: list[tuple[int, int]]) -> None:
    expected = bytearray(dense.REGISTERS)
    string = hll.new()
    for index, value in changes:
        outcome = sparse.raise_register(string, index, value, 1 << 20, sparse.Walk(hll.HEADER))
        assert outcome == (sparse.CHANGED if value > expected[index] else sparse.UNCHANGED)
        expected[index] = max(expected[index], value)
        assert sparse.decode(bytes(string), hll.HEADER) == bytes(expected)
    assert sparse.histogram(bytes(string), hll.HEADER) == dense.histogram(bytes(expected))


@given(CHANGES, CHANGES)
def test_a_walk_over_ascending_registers_makes_the_bytes_that_separate_searches_make(
    before: list[tuple[int, int]], changes: list[tuple[int, int]]
) -> None:
    string = hll.new()
    for index, value in before:
        sparse.raise_register(string, index, value, 1 << 20, sparse.Walk(hll.HEADER))
    walked, searched = bytearray(string), bytearray(string)
    walk = sparse.Walk(hll.HEADER)
    for index, value in sorted(dict(changes).items()):
        one = sparse.raise_register(walked, index, value, 1 << 20, walk)
        two = sparse.raise_register(searched, index, value, 1 << 20, sparse.Walk(hll.HEADER))
        assert (one, walked) == (two, searched)


@given(ELEMENTS, ELEMENTS, st.sampled_from([0, 30, 3000]))
def test_a_merge_is_what_adding_everything_to_one_gives(first: list[bytes], second: list[bytes], limit: int) -> None:
    one, two, both = hll.new(), hll.new(), hll.new()
    for element in first:
        hll.add(one, element, 3000)
        hll.add(both, element, 3000)
    for element in second:
        hll.add(two, element, limit)
        hll.add(both, element, 3000)
    merged = dense.larger(hll.registers(one), hll.registers(two))
    hll.merge_into(one, merged, not hll.is_sparse(two), limit)
    assert hll.registers(one) == hll.registers(both) == merged
    assert hll.cardinality(one) == hll.cardinality(both) == hll.cardinality_of(merged)
    assert hll.cached(one) is None


def test_the_dense_form_begins_where_the_limit_is_reached() -> None:
    string = hll.new()
    number = 0
    while hll.is_sparse(string):
        assert len(string) <= 200
        hll.add(string, b"%d" % number, 200)
        number += 1
    assert hll.is_hyperloglog(string)
    assert len(string) == 12304


def test_a_new_one_is_empty_and_knows_it() -> None:
    string = hll.new()
    assert hll.is_hyperloglog(string)
    assert hll.cached(string) == hll.cardinality(string) == 0


def test_the_estimate_is_kept_until_it_is_out_of_date() -> None:
    string = hll.new()
    hll.cache(string, 123_456_789_012)
    assert hll.cached(string) == 123_456_789_012
    hll.invalidate(string)
    assert hll.cached(string) is None


@pytest.mark.parametrize(
    "value",
    [b"", b"HYLL", b"HYLL\x01" + bytes(10), b"hyll\x01" + bytes(11), b"HYLL\x02" + bytes(11), b"HYLL" + bytes(12299)],
)
def test_other_strings_are_no_hyperloglogs(value: bytes) -> None:
    assert not hll.is_hyperloglog(value)


@given(st.binary(max_size=20))
def test_forged_opcodes_are_refused_or_tell_all_registers(opcodes: bytes) -> None:
    string = bytearray(b"HYLL\x01" + bytes(11) + opcodes)
    try:
        registers = hll.registers(string)
    except hll.Corrupt:
        with pytest.raises(hll.Corrupt):
            hll.cardinality(string)
        with pytest.raises(hll.Corrupt):
            hll.make_dense(string)
    else:
        assert len(registers) == dense.REGISTERS


def test_opcodes_that_tell_billions_of_registers_cost_no_memory() -> None:
    with pytest.raises(hll.Corrupt):
        hll.registers(b"HYLL\x01" + bytes(11) + b"\x7f\xff" * 1_000_000)


def test_the_self_test_finds_nothing() -> None:
    assert failure(Random(1)) is None
