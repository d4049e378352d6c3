"""The dense form of a HyperLogLog's registers: 16,384 times six bits, one behind the other.

Theory of operation: the registers are one large little-endian number, register 0 in its lowest bits
(https://github.com/redis/redis, src/hyperloglog.c, tells the layout). Read backwards that is big-endian, six bits a
register, which is how base64 cuts bytes; so the C code of `binascii`, with its alphabet translated away, turns them
into one byte a register and back, without a loop.
"""

import binascii
from typing import Final

from mypy_extensions import i64

REGISTERS: Final = 16384
DENSE_BYTES: Final = REGISTERS * 6 // 8

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES: Final = bytes(range(64))
_TO_TEXT: Final = bytes.maketrans(_VALUES, _ALPHABET)
_FROM_TEXT: Final = bytes.maketrans(_ALPHABET, _VALUES)

# The same number in every byte of a large integer: its highest bit, and its lowest.
_HIGH_BITS: Final = int.from_bytes(b"\x80" * REGISTERS, "little")


def unpack(dense: bytes) -> bytes:
    """The registers, a byte each, in `dense` of DENSE_BYTES."""
    return binascii.b2a_base64(dense[::-1], newline=False).translate(_FROM_TEXT)[::-1]


def pack(registers: bytes) -> bytes:
    """The dense form of registers, a byte from 0 to 63 each."""
    return binascii.a2b_base64(registers[::-1].translate(_TO_TEXT))[::-1]


def raise_register(string: bytearray, start: i64, index: i64, value: i64) -> bool:
    """Make register `index` at least `value`; False where it is already. The registers begin at byte `start`."""
    offset: i64 = start + index * 6 // 8
    shift: i64 = index * 6 % 8
    # The register ends in the next byte unless it has all its bits in this one.
    low: i64 = string[offset]
    high: i64 = string[offset + 1] if shift > 2 else 0
    pair: i64 = low | high << 8
    if (pair >> shift & 63) >= value:
        return False
    pair = (pair & ~(63 << shift)) | value << shift
    string[offset] = pair & 255
    if shift > 2:
        string[offset + 1] = pair >> 8
    return True


def larger(a: bytes, b: bytes) -> bytes:
    """The larger of each pair of registers, a byte each; all at once, as bytes of large integers."""
    first = int.from_bytes(a, "little")
    second = int.from_bytes(b, "little")
    # A byte's highest bit survives the subtraction where the first register is not the smaller one.
    kept = ((first | _HIGH_BITS) - second & _HIGH_BITS) >> 7
    mask = (kept << 8) - kept
    return (second ^ (first ^ second) & mask).to_bytes(len(a), "little")


def histogram(registers: bytes) -> list[int]:
    """How many registers hold each value from 0 to 63, of registers that are a byte each."""
    counts = [0] * 64
    left = len(registers)
    value = 0
    # Mostly only some twenty values occur.
    while left:
        counts[value] = registers.count(value)
        left -= counts[value]
        value += 1
    return counts
