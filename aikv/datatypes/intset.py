"""Intset: a sorted sequence of distinct integers in one `bytes`, as a small set of integers is held.

Theory of operation: eight bytes of header (bytes per integer: 2, 4 or 8, and the number of integers, both u32), then
the integers in ascending order, all little endian. A number that does not fit makes all of them wider; they never
become narrower again. Source: intset.c of Redis.

The functions take the whole `bytes` and a change makes a new one, for the same reasons as in `listpack`.
"""

import struct
from typing import Final

from mypy_extensions import i64

HEADER_BYTES: Final = 8
EMPTY: Final = b"\x02\0\0\0\0\0\0\0"
# The letters of `struct` for an integer of 2, 4 and 8 bytes.
_LETTERS: Final = {2: "h", 4: "i", 8: "q"}


def length(pack: bytes) -> i64:
    """The number of integers. O(1)."""
    return (len(pack) - HEADER_BYTES) // pack[0]


def at(pack: bytes, index: i64) -> i64:
    """The integer at `index`, counted from 0 in ascending order. O(1)."""
    width: i64 = pack[0]
    place: i64 = HEADER_BYTES + index * width
    # A loop per byte would be shorter; this is the inner step of every look-up.
    value: i64 = pack[place]
    high: i64
    if width == 2:
        high = pack[place + 1]
        value |= high << 8
        return value - 0x10000 if high & 0x80 else value
    value |= pack[place + 1] << 8 | pack[place + 2] << 16
    high = pack[place + 3]
    value |= high << 24
    if width == 4:
        return value - 0x100000000 if high & 0x80 else value
    value |= pack[place + 4] << 32 | pack[place + 5] << 40 | pack[place + 6] << 48
    high = pack[place + 7]
    # Taken as a signed byte, so that no step leaves 64 bits.
    return value + (high - 0x100 if high & 0x80 else high) * 0x100000000000000


def search(pack: bytes, number: i64) -> i64:
    """The index at which `number` stands or, if it is not there, at which it would be put. O(log n)."""
    low: i64 = 0
    high: i64 = length(pack)
    while low < high:
        middle: i64 = (low + high) >> 1
        if at(pack, middle) < number:
            low = middle + 1
        else:
            high = middle
    return low


def contains(pack: bytes, number: i64) -> bool:
    """Whether `number` is there. O(log n)."""
    index: i64 = search(pack, number)
    return index < length(pack) and at(pack, index) == number


def add(pack: bytes, number: i64) -> bytes:
    """`pack` with `number`; `pack` itself where that is there. O(n)."""
    count: i64 = length(pack)
    width: i64 = pack[0]
    needed: i64 = _width(number)
    if needed > width:
        wider = list(numbers(pack))
        # It is beyond all others, on the one side or the other.
        wider.insert(0 if number < 0 else len(wider), number)
        return _packed(wider, needed)
    index: i64 = search(pack, number)
    if index < count and at(pack, index) == number:
        return pack
    place: i64 = HEADER_BYTES + index * width
    return b"".join((_header(width, count + 1), pack[HEADER_BYTES:place], _encoded(number, width), pack[place:]))


def remove(pack: bytes, number: i64) -> bytes:
    """`pack` without `number`; `pack` itself where that is not there. O(n)."""
    index: i64 = search(pack, number)
    if index >= length(pack) or at(pack, index) != number:
        return pack
    return remove_at(pack, index)


def remove_at(pack: bytes, index: i64) -> bytes:
    """`pack` without the integer at `index`. O(n)."""
    width: i64 = pack[0]
    place: i64 = HEADER_BYTES + index * width
    return b"".join((_header(width, length(pack) - 1), pack[HEADER_BYTES:place], pack[place + width :]))


def numbers(pack: bytes) -> tuple[int, ...]:
    """All integers in ascending order. O(n)."""
    return struct.unpack_from(f"<{length(pack)}{_LETTERS[pack[0]]}", pack, HEADER_BYTES)


def texts(pack: bytes) -> list[bytes]:
    """The decimal texts of all integers, in ascending order of the numbers. O(n)."""
    return [b"%d" % number for number in numbers(pack)]


def from_numbers(ascending: list[int]) -> bytes:
    """The intset of distinct integers in ascending order. O(n)."""
    if not ascending:
        return EMPTY
    return _packed(ascending, max(_width(ascending[0]), _width(ascending[-1])))


def validated(data: bytes) -> bytes:
    """`data`, which is not trusted. Raises ValueError, with what is wrong, unless it is one whole intset. O(n)."""
    if len(data) < HEADER_BYTES:
        raise ValueError("an intset without a header")
    width, count = struct.unpack_from("<II", data)
    if width not in _LETTERS:
        raise ValueError(f"an intset of integers of {width} bytes")
    if len(data) != HEADER_BYTES + width * count:
        raise ValueError(f"an intset of {len(data)} bytes that says {count} integers of {width}")
    content = numbers(data)
    for index in range(1, len(content)):
        if content[index - 1] >= content[index]:
            raise ValueError("an intset that is not in ascending order")
    return data


def _width(number: i64) -> i64:
    if -0x8000 <= number < 0x8000:
        return 2
    return 4 if -0x80000000 <= number < 0x80000000 else 8


def _packed(ascending: list[int], width: int) -> bytes:
    return _header(width, len(ascending)) + struct.pack(f"<{len(ascending)}{_LETTERS[width]}", *ascending)


def _header(width: int, count: int) -> bytes:
    return (width | count << 32).to_bytes(HEADER_BYTES, "little")


def _encoded(number: int, width: int) -> bytes:
    return number.to_bytes(width, "little", signed=True)
