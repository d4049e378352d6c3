"""Rows: what is put between the texts, and that nothing else changes."""

from hypothesis import given
from hypothesis import strategies as st

from aikv.base.row import Row


@given(size=st.integers(0, 20), gap=st.integers(1, 3), data=st.binary(max_size=200), after=st.binary(max_size=3))
def test_each_text_is_framed(size: int, gap: int, data: bytes, after: bytes) -> None:
    stride = size + gap
    count = len(data) // stride
    texts = [data[gap + index * stride : (index + 1) * stride] for index in range(count)]
    row = Row(data, gap, stride, size, count)
    assert row.framed(b"<%d:", after) == b"".join([b"<%d:%b%b" % (size, text, after) for text in texts])
