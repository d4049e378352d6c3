"""Whole-slice operations on bits, and fields of any width, give what a bit-by-bit model gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.datatypes import bitfields, bits

# Long stretches of one byte reach over several slices; what stands at their edges is random.
STRINGS = st.builds(
    lambda before, fill, length, after: before + fill * length + after,
    st.binary(max_size=5),
    st.sampled_from([b"\0", b"\xff", b"\xa5"]),
    st.one_of(st.integers(0, 200), st.integers(bits.SLICE - 2, bits.SLICE + 2), st.just(3 * bits.SLICE)),
    st.binary(max_size=5),
)
FORMS = st.sampled_from([bytes, bytearray])
OPERATIONS = [(bits.AND, "__and__"), (bits.OR, "__or__"), (bits.XOR, "__xor__")]
WIDTHS = st.integers(1, 64)
MODES = [bitfields.WRAP, bitfields.SAT, bitfields.FAIL]


def bits_of(value: bytes) -> str:
    """Return the bits as a text of 0 and 1."""
    return "".join(f"{byte:08b}" for byte in value)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[bytes, int, int]:
    """Draw a string and a range of bits within it."""
    value = draw(STRINGS.filter(len))
    total = len(value) * 8
    first = draw(st.one_of(st.integers(0, min(40, total - 1)), st.integers(max(0, total - 40), total - 1)))
    last = draw(st.integers(first, total - 1))
    return value, first, last


@given(ranges(), FORMS)
def test_counting_a_range_counts_its_ones(drawn: tuple[bytes, int, int], form: type[bytes | bytearray]) -> None:
    value, first, last = drawn
    assert bits.count_bits(form(value), first, last) == bits_of(value)[first : last + 1].count("1")


@given(ranges(), st.integers(0, 1), FORMS)
def test_finding_a_bit_finds_the_first_in_the_range(
    drawn: tuple[bytes, int, int], bit: int, form: type[bytes | bytearray]
) -> None:
    value, first, last = drawn
    assert bits.find_bit(form(value), first, last, bit) == bits_of(value).find(str(bit), first, last + 1)


@given(st.binary(max_size=4), st.integers(0, 40))
def test_a_bit_beyond_the_end_is_zero(value: bytes, offset: int) -> None:
    assert bits.bit_at(value, offset) == int((bits_of(value) + "0" * 48)[offset])


@pytest.mark.parametrize(("operation", "method"), OPERATIONS)
@given(values=st.lists(STRINGS, min_size=1, max_size=4))
def test_combining_is_the_operation_on_each_byte(operation: int, method: str, values: list[bytes]) -> None:
    total = max(len(value) for value in values)
    expected = int.from_bytes(values[0].ljust(total, b"\0"), "big")
    for value in values[1:]:
        expected = getattr(expected, method)(int.from_bytes(value.ljust(total, b"\0"), "big"))
    found = bits.combine(operation, [*values])
    assert type(found) is bytearray
    assert found == expected.to_bytes(total, "big")


@given(STRINGS, FORMS)
def test_inverting_flips_every_bit(value: bytes, form: type[bytes | bytearray]) -> None:
    found = bits.invert(form(value))
    assert type(found) is bytearray
    assert found == bytes(byte ^ 0xFF for byte in value)


@given(st.binary(min_size=24, max_size=24), st.integers(0, 128), WIDTHS, st.booleans(), st.integers(0, 2**64 - 1))
def test_a_field_holds_what_was_set_and_nothing_else_changes(
    value: bytes, offset: int, width: int, signed: bool, number: int
) -> None:
    string = bytearray(value)
    bitfields.set_field(string, offset, width, number)
    before, after = bits_of(value), bits_of(bytes(string))
    assert after[:offset] + after[offset + width :] == before[:offset] + before[offset + width :]
    stored = number & ((1 << width) - 1)
    expected = stored - (1 << width) if signed and stored >> (width - 1) else stored
    assert bitfields.get_field(string, offset, width, signed) == expected


@given(st.binary(max_size=12), st.integers(0, 120), WIDTHS)
def test_a_field_beyond_the_end_reads_zeros(value: bytes, offset: int, width: int) -> None:
    padded = (bits_of(value) + "0" * 300)[offset : offset + width]
    assert bitfields.get_field(value, offset, width, False) == int(padded, 2)


@pytest.mark.parametrize("mode", MODES)
@given(number=st.integers(-(2**65), 2**65), width=WIDTHS, signed=st.booleans())
def test_what_does_not_fit_wraps_saturates_or_fails(mode: int, number: int, width: int, signed: bool) -> None:
    low, high = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
    found = bitfields.fit(number, width, signed, mode)
    if low <= number <= high:
        assert found == number
    elif mode == bitfields.FAIL:
        assert found is None
    elif mode == bitfields.SAT:
        assert found == (low if number < low else high)
    else:
        assert found is not None
        assert low <= found <= high
        assert (found - number) % (1 << width) == 0


@pytest.mark.parametrize(
    ("number", "width", "signed", "expected"),
    [
        (-1, 8, False, 255),
        (256, 8, False, 255),
        (-129, 8, True, -128),
        (-(2**63) + 128, 8, True, -128),
        (-(2**63) + 127, 8, True, 127),
        (-(2**63), 64, True, -(2**63)),
    ],
)
def test_saturation_of_a_number_that_is_set_is_the_one_of_redis(
    number: int, width: int, signed: bool, expected: int
) -> None:
    assert bitfields.fit_set(number, width, signed, bitfields.SAT) == expected
