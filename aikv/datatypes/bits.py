"""Strings as arrays of bits: counting, finding and combining them. Bit 0 is the highest bit of the first byte.

Theory of operation: nothing here looks at bits one by one. A string is taken in slices that fit a processor's cache; a
slice becomes one large integer, whose `bit_count`, `&`, `|` and `^` run in C, and slices that are all zeros or all ones
are passed over with one comparison of memory. So a large bitmap costs no large intermediate values, and an empty
stretch of it next to nothing.
"""

from typing import Final

SLICE: Final = 1 << 14
AND: Final = 0
OR: Final = 1
XOR: Final = 2

_ZEROS: Final = bytes(SLICE)
_ONES: Final = b"\xff" * SLICE
_INVERTED: Final = bytes(range(255, -1, -1))
# Where a search for the first different byte begins, and where it is exact.
_STEP: Final = 64

Bits = bytes | bytearray


def bit_at(value: Bits, offset: int) -> int:
    """The bit at `offset`; 0 beyond the end."""
    byte = offset >> 3
    if byte >= len(value):
        return 0
    return value[byte] >> (7 - (offset & 7)) & 1


def count_bits(value: Bits, first: int, last: int) -> int:
    """How many of the bits `first` to `last`, both included and within `value`, are set. O(bytes)."""
    start = first >> 3
    end = (last >> 3) + 1
    total = 0
    for index in range(start, end, SLICE):
        piece = value[index : min(index + SLICE, end)]
        if piece != _ZEROS:
            total += int.from_bytes(piece, "little").bit_count()
    before = value[start] >> (8 - (first & 7))
    after = value[end - 1] & ((1 << (7 - (last & 7))) - 1)
    return total - before.bit_count() - after.bit_count()


def find_bit(value: Bits, first: int, last: int, bit: int) -> int:
    """The first of the bits `first` to `last`, both included and within `value`, that is `bit`; -1 for none."""
    byte = first >> 3
    # The bits before `first` are made such that they are not found.
    mask = 0xFF >> (first & 7)
    head = value[byte] & mask if bit else value[byte] | ~mask & 0xFF
    skipped = 0 if bit else 0xFF
    if head == skipped:
        end = (last >> 3) + 1
        byte = _find_other(value, byte + 1, end, _ZEROS if bit else _ONES)
        if byte == end:
            return -1
        head = value[byte]
    # The highest bit that differs from what was passed over.
    position = byte * 8 + 8 - (head ^ skipped).bit_length()
    return position if position <= last else -1


def _find_other(value: Bits, start: int, end: int, fill: bytes) -> int:
    """The index of the first byte from `start` to before `end` that is not as those of `fill`; `end` for none."""
    step = _STEP
    while start < end:
        stop = min(start + step, end)
        piece = value[start:stop]
        if piece == fill[: stop - start]:
            start = stop
            step = min(step * 2, SLICE)
        elif step > _STEP:
            step //= 2
        else:
            return stop - len(piece.lstrip(fill[:1]))
    return end


def combine(operation: int, values: list[Bits]) -> bytearray:
    """AND, OR or XOR of strings, as long as the longest: the shorter ones end in zeros. O(all bytes)."""
    total = max([len(value) for value in values])
    result = bytearray(total)
    for start in range(0, total, SLICE):
        stop = min(start + SLICE, total)
        number = _combine_slice(operation, values, start, stop)
        if number:
            result[start:stop] = number.to_bytes(stop - start, "little")
    return result


def _combine_slice(operation: int, values: list[Bits], start: int, stop: int) -> int:
    # In little endian a slice that ends early has the zeros that it lacks at the high end already.
    number = -1
    for value in values:
        piece = value[start:stop]
        operand = 0 if not piece or piece == _ZEROS else int.from_bytes(piece, "little")
        if number < 0:
            number = operand
        elif operation == AND:
            number &= operand
        elif operation == OR:
            number |= operand
        else:
            number ^= operand
        if operation == AND and not number:
            return 0
    return number


def invert(value: Bits) -> bytearray:
    """A string with every bit flipped. O(bytes)."""
    if isinstance(value, bytearray):
        return value.translate(_INVERTED)
    return bytearray(value.translate(_INVERTED))
