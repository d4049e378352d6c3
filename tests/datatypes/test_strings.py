"""A string value answers for its length, its number and its encoding in each of its three forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.datatypes.strings import string_encoding, string_integer, string_length

I64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (b"", b"embstr"),
        (b"0", b"int"),
        (b"-1", b"int"),
        (b"01", b"embstr"),
        (b"-0", b"embstr"),
        (b"9223372036854775807", b"int"),
        (b"9223372036854775808", b"embstr"),
        (b"x" * 44, b"embstr"),
        (b"x" * 45, b"raw"),
        (b"1" * 45, b"raw"),
        (7, b"int"),
        (bytearray(b"7"), b"raw"),
        (bytearray(), b"raw"),
    ],
)
def test_encoding_is_the_one_that_redis_would_choose(value: object, encoding: bytes) -> None:
    assert string_encoding(value) == encoding


@given(I64)
def test_the_three_forms_of_an_integer_answer_alike(number: int) -> None:
    text = b"%d" % number
    for value in (number, text, bytearray(text)):
        assert string_length(value) == len(text)
        assert string_integer(value) == number


@given(st.binary(max_size=30))
def test_bytes_and_bytearray_answer_alike(text: bytes) -> None:
    assert string_length(bytearray(text)) == string_length(text) == len(text)
    assert string_integer(bytearray(text)) == string_integer(text)


def test_values_of_other_types_are_refused() -> None:
    for question in (string_length, string_integer):
        with pytest.raises(CommandError) as refused:
            question([b"a"])
        assert refused.value.text == WRONGTYPE
