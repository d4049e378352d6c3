"""Output: what was added comes out, in order, once."""

from hypothesis import given
from hypothesis import strategies as st

from aikv.resp.output import Output

LARGE = st.binary(max_size=3).map(lambda piece: piece * 20_000)
PIECES = st.one_of(st.binary(max_size=40), LARGE)
NUMBERS = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-20, 2000), st.just(1 << 64))


@given(pieces=st.lists(PIECES, max_size=12))
def test_pieces_of_all_sizes_come_out_in_order(pieces: list[bytes]) -> None:
    out = Output()
    for piece in pieces:
        out.append(piece)
    whole = b"".join(pieces)
    assert len(out) == len(whole)
    assert out.waiting() == bool(whole)
    assert out.take() == whole
    assert (len(out), out.waiting(), out.take()) == (0, False, b"")


@given(values=st.lists(PIECES, max_size=6))
def test_bulks_have_a_header_and_an_end(values: list[bytes]) -> None:
    out = Output()
    out.array(len(values))
    for value in values:
        out.bulk(value)
    assert out.take() == b"*%d\r\n" % len(values) + b"".join(b"$%d\r\n%b\r\n" % (len(one), one) for one in values)


@given(numbers=st.lists(NUMBERS, max_size=12))
def test_integers_are_written_in_decimal(numbers: list[int]) -> None:
    out = Output()
    for number in numbers:
        out.integer(number)
    assert out.take() == b"".join(b":%d\r\n" % number for number in numbers)


@given(first=st.lists(PIECES, max_size=4), second=st.lists(PIECES, max_size=4))
def test_what_was_added_after_a_mark_can_be_dropped(first: list[bytes], second: list[bytes]) -> None:
    out = Output()
    for piece in first:
        out.append(piece)
    mark = len(out)
    for piece in second:
        out.append(piece)
    out.drop_after(mark)
    assert out.take() == b"".join(first)


def test_cleared_output_is_empty_and_usable() -> None:
    out = Output()
    out.append(b"x" * 100_000)
    out.append(b"y")
    out.clear()
    assert not out.waiting()
    out.append(b"z")
    assert out.take() == b"z"
