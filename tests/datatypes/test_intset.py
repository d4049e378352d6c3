"""Intsets: every operation against a plain set, and blobs from outside."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aikv.datatypes import intset

EDGES = [sign * (1 << bits) + off for bits in (0, 7, 15, 31, 62) for sign in (1, -1) for off in (-1, 0, 1)]
EDGES += [2**63 - 1, -(2**63)]
numbers = st.one_of(st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1), st.integers(-20, 20))


def built(model: list[int]) -> bytes:
    """The intset after the numbers of `model` were added one by one."""
    pack = intset.EMPTY
    for number in model:
        added = intset.add(pack, number)
        assert (added is pack) == (number in intset.numbers(pack))
        pack = added
    return pack


@given(st.lists(numbers, max_size=30))
@example(EDGES)
@example(EDGES[::-1])
def test_what_is_added_is_there_in_order(model: list[int]) -> None:
    pack = built(model)
    ordered = sorted(set(model))
    assert list(intset.numbers(pack)) == ordered
    assert intset.texts(pack) == [b"%d" % number for number in ordered]
    assert intset.length(pack) == len(ordered)
    assert [intset.at(pack, index) for index in range(len(ordered))] == ordered
    assert intset.validated(pack) is pack
    assert intset.from_numbers(ordered) == pack
    for number in EDGES:
        assert intset.contains(pack, number) == (number in model)


@given(st.lists(numbers, max_size=30), st.data())
def test_what_is_removed_is_gone(model: list[int], data: st.DataObject) -> None:
    pack = built(model)
    number = data.draw(st.sampled_from([*model, 5, 2**40]))
    fewer = intset.remove(pack, number)
    assert list(intset.numbers(fewer)) == sorted({*model} - {number})
    assert (fewer is pack) == (number not in model)
    assert intset.validated(fewer) == fewer
    # The width stays, as in Redis.
    assert fewer[:4] == pack[:4]


@pytest.mark.parametrize(
    "data",
    [
        b"", intset.EMPTY[:7], intset.EMPTY + b"\0", struct.pack("<II", 3, 0), struct.pack("<II", 0, 0),
        struct.pack("<IIh", 2, 2, 1), struct.pack("<IIhh", 2, 2, 1, 1), struct.pack("<IIhh", 2, 2, 1, -1),
        struct.pack("<II", 8, 2**32 - 1), struct.pack("<IIhh", 2, 1, 1, 2),
    ],
)  # fmt: skip
def test_a_blob_that_is_no_intset_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="intset"):
        intset.validated(data)


@given(st.lists(numbers, max_size=6), st.data())
def test_a_damaged_blob_is_refused_or_can_be_read(model: list[int], data: st.DataObject) -> None:
    pack = bytearray(built(model))
    pack[data.draw(st.integers(0, len(pack) - 1))] = data.draw(st.integers(0, 255))
    complaint = "intset"
    read = intset.EMPTY
    try:
        read = intset.validated(bytes(pack))
    except ValueError as error:
        complaint = str(error)
    assert "intset" in complaint
    content = intset.numbers(read)
    assert all(intset.contains(read, number) for number in content)
