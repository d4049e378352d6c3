"""MurmurHash64A, which decides where an element goes in a HyperLogLog.

Theory of operation: Austin Appleby's function (https://github.com/aappleby/smhasher, MurmurHash2.cpp), with the input
read in little endian on every machine. It multiplies unsigned 64-bit numbers and keeps the low half. Compiled, these
are `i64`, which wrap around as wanted; interpreted, they are integers without limit, which `_wrap` brings back to 64
bits. So that both give the same, everything is a signed number here, and a shift to the right masks the sign away.
"""

from typing import Final

from mypy_extensions import i64

# The function's multiplier, 0xC6A4A7935BD1E995, as a signed number.
_M: Final[i64] = -0x395B586CA42E166B
_LOW_63: Final[i64] = 0x7FFFFFFFFFFFFFFF
# What is left of 64 bits after a shift by 47.
_LOW_17: Final[i64] = 0x1FFFF


def murmur64a(data: bytes, seed: i64) -> i64:
    """The hash of `data`, its 64 bits read as a signed number. O(bytes)."""
    size: i64 = len(data)
    h: i64 = seed ^ _wrap(size * _M)
    offset: i64 = 0
    while offset + 8 <= size:
        k: i64 = _wrap(_read(data, offset, offset + 8) * _M)
        k ^= k >> 47 & _LOW_17
        h = _wrap((h ^ _wrap(k * _M)) * _M)
        offset += 8
    if offset < size:
        h = _wrap((h ^ _read(data, offset, size)) * _M)
    h ^= h >> 47 & _LOW_17
    h = _wrap(h * _M)
    return h ^ (h >> 47 & _LOW_17)


def _read(data: bytes, offset: i64, end: i64) -> i64:
    """The number in at most eight bytes of `data`."""
    number: i64 = 0
    shift: i64 = 0
    while offset < end:
        byte: i64 = data[offset]
        number |= byte << shift
        shift += 8
        offset += 1
    return _wrap(number)


def _wrap(number: i64) -> i64:
    """The low 64 bits as a signed number. Compiled, it is `number` itself."""
    one: i64 = 1
    return (number & _LOW_63) - ((number >> 63 & one) << 63)
