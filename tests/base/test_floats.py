"""Long doubles: INCRBYFLOAT digit by digit."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aikv.base.errors import NOT_A_FLOAT, CommandError
from aikv.base.floats import NAN_OR_INFINITY, add_long_double, format_long_double, parse_long_double
from oracle.process import ServerProcess


def join(*parts: str) -> bytes:
    return "".join(parts).encode()


signs = st.sampled_from(["", "+", "-"])
digits = st.text("0123456789", max_size=24)
hex_digits = st.text("0123456789abcdefABCDEF", max_size=24)
exponents = st.one_of(st.integers(-40, 40), st.integers(-5000, 5000), st.sampled_from([-4951, -4950, 4931, 4932]))
powers = st.one_of(st.integers(-100, 100), st.integers(-16500, 16500), st.sampled_from([-16445, -16446, 16383, 16384]))
plain = st.builds(join, signs, digits, st.sampled_from(["", "."]), digits)
scientific = st.builds(join, signs, digits, st.just("."), digits, st.sampled_from("eE"), exponents.map(str))
hexadecimal = st.builds(
    join, signs, st.sampled_from(["0x", "0X"]), hex_digits, st.just("."), hex_digits, st.just("p"), powers.map(str)
)
words = st.sampled_from(
    [
        b"inf",
        b"-inf",
        b"+INFINITY",
        b"nan",
        b"nan(1)",
        b"infin",
        b"0x",
        b"0x.p1",
        b"1e",
        b"1e+",
        b" 1",
        b"1 ",
        b"1\x00",
        b"1e999999999999",
        b"1e-999999999999",
        b"0e999999999999",
        b"0x1p999999999999",
        b"1_0",
        b"\xb2",
        b"",
        b".",
    ]
)
# Ties: the 65th bit set and all below it clear.
ties = st.integers(2**64, 2**68).map(lambda n: b"%d" % (n | 1))
texts = st.one_of(plain, scientific, hexadecimal, words, ties, st.floats().map(lambda x: repr(x).encode()))


def expected_reply(current: bytes, increment: bytes) -> bytes:
    try:
        total = add_long_double(current, increment)
    except CommandError as refused:
        return b"-%b\r\n" % refused.text
    return b"$%d\r\n%b\r\n" % (len(total), total)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=25))
@example([(b"9" * 4932, b"1"), (b"0." + b"1" * 5117, b"0"), (b"0." + b"1" * 5118, b"0"), (b"0" * 5119, b"1")])
@example([(b"1" * 4932, b"-1e4932"), (b"0x" + b"f" * 4096, b"1"), (b"0x" + b"f" * 4097, b"1"), (b"1e4932", b"1e4932")])
@example([(b"3.6e-4951", b"3.6e-4951"), (b"1.9e-4951", b"0"), (b"1.8e-4951", b"0"), (b"1e-4951", b"0")])
@example([(b"18446744073709551615", b"0.5"), (b"18446744073709551614", b"0.5"), (b"0.5", b"0.000000000000000005")])
def test_sums_are_those_of_redis(oracle: ServerProcess, pairs: list[tuple[bytes, bytes]]) -> None:
    with oracle.connect() as connection:
        for current, increment in pairs:
            connection.command("SET", "k", current)
            reply = connection.command("INCRBYFLOAT", "k", increment)
            assert reply == expected_reply(current, increment), (current, increment)


@given(texts)
def test_no_double_rounding_a_value_is_within_half_a_unit(text: bytes) -> None:
    x = parse_long_double(text)
    if x is None or x.infinite:
        return
    assert abs(x.mantissa) < 2**64
    exact = exact_value(text)
    assert exact is not None
    assert abs(Fraction(x.mantissa) * Fraction(2) ** x.exponent - exact) <= max(
        abs(exact) / 2**64, Fraction(2) ** -16446
    )


def exact_value(text: bytes) -> Fraction | None:
    word = text.decode("latin-1").lower()
    if "x" not in word:
        mantissa, _, exponent = word.partition("e")
        if mantissa.strip("+-0.") == "":
            return Fraction(0)
        return Fraction(mantissa) * Fraction(10) ** int(exponent or "0")
    sign = -1 if word.startswith("-") else 1
    mantissa, _, power = word.partition("x")[2].partition("p")
    before, _, after = mantissa.partition(".")
    return sign * Fraction(int(before + after, 16)) * Fraction(2) ** (int(power or "0") - 4 * len(after))


@pytest.mark.parametrize(
    ("current", "increment", "total"),
    [
        (b"10.50", b"0.1", b"10.6"),
        (b"5.0e3", b"2.0e2", b"5200"),
        (b"0.1", b"0.2", b"0.3"),
        (b"3.0", b"0x1p-1", b"3.5"),
        (b"1", b"-1", b"0"),
        (b"-1e-30", b"0", b"0"),
        (b"0", b"1e-17", b"0.00000000000000001"),
        (b"1e20", b"1", b"100000000000000000000"),
    ],
)
def test_sums_have_up_to_seventeen_decimals_and_no_exponent(current: bytes, increment: bytes, total: bytes) -> None:
    assert add_long_double(current, increment) == total


@pytest.mark.parametrize("infinite", [b"inf", b"-inf", b"+Infinity"])
def test_infinity_is_a_float_that_no_sum_may_reach(infinite: bytes) -> None:
    assert parse_long_double(infinite) is not None
    with pytest.raises(CommandError) as refused:
        add_long_double(b"1", infinite)
    assert refused.value.text == NAN_OR_INFINITY


def test_a_sum_beyond_the_format_is_refused() -> None:
    with pytest.raises(CommandError) as refused:
        add_long_double(b"1e4932", b"1e4932")
    assert refused.value.text == NAN_OR_INFINITY


@pytest.mark.parametrize("text", [b"", b"nan", b"1e", b" 1", b"1 ", b"0" * 5120, b"1e5000", b"1e-5000", b"abc"])
def test_other_text_is_no_float(text: bytes) -> None:
    assert parse_long_double(text) is None
    with pytest.raises(CommandError) as refused:
        add_long_double(b"1", text)
    assert refused.value.text == NOT_A_FLOAT


@given(st.integers(1, 10**9), st.sampled_from([b"1e%d", b"1e-%d", b"0x1p%d", b"0x1p-%d", b"0.0000001e%d"]))
def test_the_size_of_an_exponent_costs_nothing(size: int, form: bytes) -> None:
    # With a power of the whole exponent in it, one of these would take gigabytes.
    x = parse_long_double(form % (size + 20_000))
    assert x is None


@given(st.integers(-(2**64) + 1, 2**64 - 1))
def test_integers_of_64_bits_are_exact(n: int) -> None:
    x = parse_long_double(b"%d" % n)
    assert x is not None
    assert format_long_double(x) == b"%d" % n
