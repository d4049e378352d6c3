"""Integers of any width from 1 to 64 bits at any bit of a string: BITFIELD's arithmetic.

Theory of operation: a field lies in at most nine bytes; those are taken as one big-endian integer, in which the field
is a shift and a mask away. What does not fit a field's type wraps around, stops at the nearest limit, or is refused.
"""

from typing import Final

from aikv.base.numbers import I64_MAX

WRAP: Final = 0
SAT: Final = 1
FAIL: Final = 2

_U64_MASK: Final = (1 << 64) - 1


def get_field(string: bytes | bytearray, offset: int, bits: int, signed: bool) -> int:
    """The integer of `bits` bits at bit `offset`; what lies beyond the end of `string` counts as zeros."""
    start = offset >> 3
    end = (offset + bits + 7) >> 3
    piece = string[start:end]
    number = int.from_bytes(piece, "big") << (end - start - len(piece)) * 8
    number = number >> (end * 8 - offset - bits) & ((1 << bits) - 1)
    return number - (1 << bits) if signed and number >> (bits - 1) else number


def set_field(string: bytearray, offset: int, bits: int, number: int) -> None:
    """Write the low `bits` bits of `number` at bit `offset`; the field must lie within `string`."""
    start = offset >> 3
    end = (offset + bits + 7) >> 3
    shift = end * 8 - offset - bits
    mask = (1 << bits) - 1
    rest = int.from_bytes(string[start:end], "big") & ~(mask << shift)
    string[start:end] = (rest | (number & mask) << shift).to_bytes(end - start, "big")


def fit(number: int, bits: int, signed: bool, overflow: int) -> int | None:
    """`number`, or what it becomes where a field of this type cannot hold it; None where that is refused.

    `overflow` is WRAP, SAT or FAIL.
    """
    low = -(1 << (bits - 1)) if signed else 0
    high = low + (1 << bits) - 1
    if low <= number <= high:
        return number
    if overflow == FAIL:
        return None
    if overflow == SAT:
        return low if number < low else high
    number &= (1 << bits) - 1
    return number - (1 << bits) if number > high else number


def fit_set(number: int, bits: int, signed: bool, overflow: int) -> int | None:
    """As `fit`, for a 64-bit `number` that is to be stored as it is, not a sum.

    Redis takes a number for an unsigned field as an unsigned one, and its check of a signed field takes the lowest
    numbers for high ones, because their distance to the upper limit is beyond 64 bits.
    """
    if not signed:
        return fit(number & _U64_MASK, bits, False, overflow)
    high = (1 << (bits - 1)) - 1
    if overflow == SAT and bits < 64 and high - number > I64_MAX:
        return high
    return fit(number, bits, True, overflow)
