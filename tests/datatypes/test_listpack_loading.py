"""What loading a listpack from a file rests on: that its elements are distinct, and those made of rows of texts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from librt.strings import BytesWriter

from aikv.base.pieces import add_piece
from aikv.datatypes import listpack
from aikv.datatypes.listpack_distinct import are_distinct
from aikv.datatypes.listpack_row import from_row, row_size

# Texts that are alike at the beginning, at the end or at both, and numbers of every width.
ALIKE = st.one_of(
    st.text("ab", max_size=3).map(str.encode),
    st.builds(lambda middle: b"a" * 8 + middle + b"z" * 8, st.text("xy", max_size=4).map(str.encode)),
    st.integers(0, 12).map(lambda number: b"member:%06d" % number),
    st.integers(0, 62).map(lambda bits: b"%d" % (1 << bits)),
    st.sampled_from([b"x" * size for size in (5, 6, 7, 63, 64, 126, 127, 5000)]),
)


@given(st.lists(ALIKE, max_size=40), st.integers(1, 3))
def test_elements_are_distinct_when_their_texts_are(firsts: list[bytes], group: int) -> None:
    # What stands between the first elements of groups does not count, though it is always the same.
    texts = [text for first in firsts for text in [first, b"same", b"same"][:group]]
    assert are_distinct(listpack.from_texts(texts), group) == (len(set(firsts)) == len(firsts))


@pytest.mark.parametrize("count", [0, 1, 2, 8, 100, 1000])
def test_many_distinct_elements_are_distinct_and_one_more_is_not(count: int) -> None:
    texts = [b"field:%d" % number for number in range(count)]
    assert are_distinct(listpack.from_texts(texts), 1)
    for twice in texts[:1] + texts[-1:]:
        assert not are_distinct(listpack.from_texts([*texts, twice]), 1)


def row(texts: list[bytes]) -> bytes:
    """`texts` as they stand in a file."""
    return b"".join(bytes((len(text),)) + text for text in texts)


@given(st.lists(st.binary(max_size=63), max_size=20), st.binary(max_size=3), st.integers(0, 64))
@example([b"alpha", b"x" * 63], b"", 64)
@example([b"alpha", b"12"], b"", 64)
@example([b"alpha"] * 3, b"behind", 5)
def test_a_row_of_texts_becomes_their_listpack(texts: list[bytes], behind: bytes, longest: int) -> None:
    data = b"before" + row(texts) + behind
    pack = from_row(data, 6, len(texts), longest)
    plain = all(0 < len(text) <= longest and text[0] > 0x39 for text in texts)
    if pack is None:
        assert not plain
    else:
        assert plain
        assert pack == listpack.from_texts(texts)
        assert row_size(pack, len(texts)) == len(row(texts))


@given(st.lists(st.text("abc", min_size=1, max_size=20).map(str.encode), min_size=1, max_size=9), st.data())
def test_a_row_that_is_cut_becomes_nothing(texts: list[bytes], draw: st.DataObject) -> None:
    whole = row(texts)
    cut = draw.draw(st.integers(0, len(whole) - 1))
    assert from_row(whole[:cut], 0, len(texts), 63) is None


def test_more_texts_than_a_header_counts_become_nothing() -> None:
    assert from_row(row([b"a"] * 0x7FFF), 0, 0x7FFF, 63) is not None
    assert from_row(row([b"a"] * 0x8000), 0, 0x8000, 63) is None


@given(st.binary(max_size=40), st.binary(max_size=5), st.data())
def test_a_piece_is_what_a_slice_would_be(data: bytes, before: bytes, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(data)))
    stop = draw.draw(st.integers(start, len(data)))
    writer = BytesWriter()
    writer.write(before)
    add_piece(writer, data, start, stop)
    assert writer.getvalue() == before + data[start:stop]
