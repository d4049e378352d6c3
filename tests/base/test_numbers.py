"""Integers and doubles as text: canonical integers, C's doubles, Redis's layout."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base import numbers
from aikv.base.errors import NOT_AN_INTEGER, CommandError
from aikv.base.numbers import I64_MAX, I64_MIN, format_double, parse_double, parse_i64, to_i64
from oracle.process import ServerProcess

number_like = st.text("0123456789.eExXpPaF+-infty _\n\x00", max_size=12).map(str.encode)
number_texts = st.one_of(
    number_like,
    st.floats().map(lambda x: repr(x).encode()),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x.hex().encode()),
    st.builds(lambda digits, power: b"%de%d" % (digits, power), st.integers(), st.integers(-400, 400)),
    st.sampled_from(
        [b"inf", b"-INF", b"+Infinity", b"nan", b"infinit", b"0x", b"0x.8p1", b"1e-400", b"1e400", b"0e999"]
    ),
)


@given(st.integers(I64_MIN, I64_MAX))
def test_every_64_bit_integer_is_read_back(value: int) -> None:
    assert parse_i64(b"%d" % value) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-",
        b"+1",
        b"-0",
        b"00",
        b"01",
        b"-01",
        b" 1",
        b"1 ",
        b"1_0",
        b"1.0",
        b"\xb2",
        b"--1",
        b"1-",
        b"- 1",
        b"%d" % (I64_MAX + 1),
        b"%d" % (I64_MIN - 1),
        b"1" * 21,
        b"9" * 5000,
    ],
)
def test_text_that_the_server_would_not_print_is_no_integer(text: bytes) -> None:
    assert parse_i64(text) is None
    with pytest.raises(CommandError) as refused:
        to_i64(text)
    assert refused.value.text == NOT_AN_INTEGER


@given(st.one_of(st.binary(max_size=24), number_like))
def test_only_canonical_text_is_an_integer(text: bytes) -> None:
    value = parse_i64(text)
    canonical = re.fullmatch(rb"0|-?[1-9][0-9]{0,18}", text) is not None and I64_MIN <= int(text) <= I64_MAX
    assert (value is not None) == canonical
    if value is not None:
        assert b"%d" % value == text
        assert to_i64(text) == value


@given(st.floats(allow_nan=False))
def test_a_printed_double_is_read_back(x: float) -> None:
    assert parse_double(format_double(x)) == x


@given(st.integers(-(10**15), 10**15), st.integers(0, 12))
def test_the_short_way_gives_the_same_layout(digits: int, decimals: int) -> None:
    x = digits / 10**decimals
    if x != int(x):
        assert format_double(x) == numbers._redis_layout(repr(x))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_printed_with_the_fewest_digits(x: float) -> None:
    digits = format_double(x).lower().partition(b"e")[0].replace(b".", b"").strip(b"-0")
    fewest = repr(x).partition("e")[0].replace(".", "").strip("-0").encode()
    assert digits == fewest or (x == int(x) and len(digits) <= 19)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (3.0, b"3"),
        (-3.0, b"-3"),
        (0.0, b"0"),
        (-0.0, b"-0"),
        (0.1, b"0.1"),
        (1 / 3, b"0.3333333333333333"),
        (3.14159265358979, b"3.14159265358979"),
        (1e17, b"100000000000000000"),
        (2.0**62, b"4611686018427387904"),
        (2.0**63, b"9223372036854776000"),
        (1e19, b"1e+19"),
        (1e21, b"1e+21"),
        (-1e100, b"-1e+100"),
        (1.5e300, b"1.5e+300"),
        (5e-324, b"5e-324"),
        (0.000001, b"0.000001"),
        (1e-7, b"1e-7"),
        (0.001234567890123, b"0.001234567890123"),
        (0.0001234567, b"1.234567e-4"),
        (1234.56789012, b"1234.56789012"),
        (12345.67890123, b"1.234567890123e+4"),
        (12345.678901, b"12345.678901"),
        (-123456789012.5, b"-123456789012.5"),
        (math.inf, b"inf"),
        (-math.inf, b"-inf"),
        (math.nan, b"nan"),
    ],
)
def test_doubles_have_the_layout_of_redis_7_2(x: float, text: bytes) -> None:
    assert format_double(x) == text


@pytest.mark.parametrize(
    ("text", "x"),
    [
        (b"1", 1.0),
        (b".5", 0.5),
        (b"5.", 5.0),
        (b"+1e2", 100.0),
        (b"0x10", 16.0),
        (b"-0X1.8P1", -3.0),
        (b"inf", math.inf),
        (b"-Infinity", -math.inf),
        (b"0e99999999999", 0.0),
        (b"5e-324", 5e-324),
    ],
)
def test_every_form_of_strtod_is_a_double(text: bytes, x: float) -> None:
    assert parse_double(text) == x


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" 1",
        b"1 ",
        b"1_0",
        b"1e",
        b"e1",
        b".",
        b"0x",
        b"0x1p",
        b"nan",
        b"NaN(1)",
        b"1e400",
        b"-1e999999999999",
        b"1e-400",
        b"0x1p99999",
        b"0x1p-99999",
        b"infinit",
        b"1\x00",
        b"1\n",
        b"--1",
        b"1d",
        b"\xd9\xa1",
    ],
)
def test_what_strtod_does_not_consume_whole_is_no_double(text: bytes) -> None:
    assert parse_double(text) is None


@given(st.lists(number_texts, min_size=1, max_size=30))
def test_doubles_are_what_redis_takes_as_scores(oracle: ServerProcess, texts: list[bytes]) -> None:
    with oracle.connect() as connection:
        for text in texts:
            connection.command("DEL", "z")
            reply = connection.command("ZADD", "z", text, "m")
            mine = parse_double(text)
            if mine is None:
                assert reply == b"-ERR value is not a valid float\r\n", text
            else:
                assert reply == b":1\r\n", text
                assert float(connection.command("ZSCORE", "z", "m").split(b"\r\n")[1]) == mine


@given(st.lists(number_texts, min_size=1, max_size=30))
def test_integers_are_what_redis_takes(oracle: ServerProcess, texts: list[bytes]) -> None:
    with oracle.connect() as connection:
        for text in texts:
            connection.command("DEL", "k")
            reply = connection.command("INCRBY", "k", text)
            mine = parse_i64(text)
            assert reply == (b"-%b\r\n" % NOT_AN_INTEGER if mine is None else b":%d\r\n" % mine)
