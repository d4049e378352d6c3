"""The sparse form of a HyperLogLog's registers: runs of equal values.

Theory of operation: a sequence of opcodes that together tell all registers in order
(https://github.com/redis/redis, src/hyperloglog.c, tells the layout):

    00xxxxxx           ZERO   x + 1 registers that are 0
    01xxxxxx yyyyyyyy  XZERO  x * 256 + y + 1 registers that are 0
    1vvvvvxx           VAL    x + 1 registers that are v + 1

Which opcodes tell given registers depends on the order in which those were set, and DUMP shows it; so a change follows
Redis's steps: find the opcode that holds the register, split it in up to three, then merge equal neighbours within
five opcodes from the one before.

A string of opcodes may come from a client. Everything here stays within its bytes, and says when they do not make
exactly the registers.
"""

from typing import Final

from mypy_extensions import i64

from aikv.datatypes.hyperloglog_dense import REGISTERS

LARGEST_VALUE: Final = 32
UNCHANGED: Final = 0
CHANGED: Final = 1
TOO_LARGE: Final = 2
CORRUPT: Final = 3

_LONGEST_VAL: Final = 4
_LONGEST_ZERO: Final = 64
_MERGE_SCAN: Final = 5

EMPTY: Final = bytes([0x40 | (REGISTERS - 1) >> 8, (REGISTERS - 1) & 255])


def _run_of(opcode: int) -> bytes:
    if opcode >= 0x80:
        return bytes([(opcode >> 2 & 31) + 1]) * ((opcode & 3) + 1)
    return bytes(opcode + 1) if opcode < 0x40 else b""


# The registers that an opcode of one byte tells, and how many these are; of an XZERO, none.
_RUNS: Final = [_run_of(opcode) for opcode in range(256)]
_COUNTS: Final = [len(run) for run in _RUNS]


def _long_count(data: bytes, offset: i64) -> i64:
    """How many registers the XZERO at `offset` tells; the second byte of one cut short counts as 0."""
    high: i64 = data[offset] & 63
    low: i64 = data[offset + 1] if offset + 1 < len(data) else 0
    return (high << 8 | low) + 1


def _count(data: bytes, offset: i64) -> i64:
    """How many registers the opcode at `offset` tells."""
    count: i64 = _COUNTS[data[offset]]
    return count if count else _long_count(data, offset)


def _size(opcode: i64) -> i64:
    """The bytes of an opcode that begins with the byte `opcode`."""
    return 2 if opcode & 0xC0 == 0x40 else 1


def decode(data: bytes, start: i64) -> bytes | None:
    """The registers, a byte each, that the opcodes from `start` on tell; None where these are not exactly all."""
    runs: list[bytes] = []
    total: i64 = 0
    end: i64 = len(data)
    offset: i64 = start
    # No longer than that, since a forged string may tell any number of them.
    while offset < end and total <= REGISTERS:
        run = _RUNS[data[offset]]
        if not run:
            run = bytes(_long_count(data, offset))
            offset += 1
        runs.append(run)
        total += len(run)
        offset += 1
    return b"".join(runs) if total == REGISTERS else None


def histogram(data: bytes, start: i64) -> list[int] | None:
    """How many registers hold each value; None as in `decode`."""
    counts = [0] * 64
    total: i64 = 0
    end: i64 = len(data)
    offset: i64 = start
    while offset < end:
        opcode: i64 = data[offset]
        count: i64 = _COUNTS[opcode]
        if count == 0:
            count = _long_count(data, offset)
            offset += 1
        value: i64 = (opcode >> 2 & 31) + 1 if opcode >= 0x80 else 0
        counts[value] += count
        total += count
        offset += 1
    return counts if total == REGISTERS else None


def describe(data: bytes, start: i64) -> bytes:
    """The opcodes in words: `z:5` for ZERO, `Z:500` for XZERO, `v:3,2` for a VAL of value 3 and two registers."""
    words: list[bytes] = []
    offset: i64 = start
    while offset < len(data):
        opcode: i64 = data[offset]
        count: i64 = _count(data, offset)
        if opcode >= 0x80:
            words.append(b"v:%d,%d" % ((opcode >> 2 & 31) + 1, count))
        else:
            words.append(b"%b:%d" % (b"z" if opcode < 0x40 else b"Z", count))
        offset += _size(opcode)
    return b" ".join(words)


class Walk:
    """Where the search for a register begins: at an opcode, with its first register and the opcode before.

    Whoever sets registers in ascending order keeps one, so that no search begins at the start again.
    """

    def __init__(self, start: i64) -> None:
        self.start: i64 = start
        self.offset: i64 = start
        self.first: i64 = 0
        self.previous: i64 = -1

    def restart(self) -> None:
        """Begin at the start again."""
        self.offset = self.start
        self.first = 0
        self.previous = -1


def raise_register(string: bytearray, index: i64, value: i64, limit: i64, walk: Walk) -> i64:
    """Make register `index` at least `value` in the opcodes of `string`; `walk` begins at none behind it.

    Returns UNCHANGED where it is already, CHANGED, TOO_LARGE where `string` would need more than `limit` bytes or the
    value is larger than LARGEST_VALUE, CORRUPT where no opcode tells the register; only CHANGED has changed anything.
    O(bytes from `walk` on).
    """
    if value > LARGEST_VALUE:
        return TOO_LARGE
    data = bytes(string)
    end: i64 = len(data)
    offset: i64 = walk.offset
    first: i64 = walk.first
    previous: i64 = walk.previous
    before: i64 = previous
    count: i64 = 0
    size: i64 = 1
    while offset < end:
        size = 1
        count = _COUNTS[data[offset]]
        if count == 0:
            count = _long_count(data, offset)
            size = 2
        if index < first + count:
            break
        before = previous
        previous = offset
        offset += size
        first += count
    if offset >= end:
        return CORRUPT
    moved = offset != walk.offset
    if moved:
        # The next search begins one opcode before this one's, because that is where a change begins.
        walk.offset = previous
        walk.first = first - _count(data, previous)
        walk.previous = before
    opcode: i64 = data[offset]
    held: i64 = (opcode >> 2 & 31) + 1 if opcode >= 0x80 else 0
    if held >= value:
        return UNCHANGED
    pieces = b"".join((_run(held, index - first), _run(value, 1), _run(held, first + count - index - 1)))
    growth: i64 = len(pieces) - size
    if growth > 0 and end + growth > limit:
        return TOO_LARGE
    string[offset : offset + size] = pieces
    if not moved:
        # The opcode may become one with that before it.
        walk.restart()
    _merge(string, previous if previous >= 0 else walk.start)
    return CHANGED


def _run(value: i64, count: i64) -> bytes:
    """The opcode for `count` registers of `value`; nothing for none."""
    if count == 0:
        return b""
    if value:
        return bytes([0x80 | (value - 1) << 2 | count - 1])
    if count <= _LONGEST_ZERO:
        return bytes([count - 1])
    return bytes([0x40 | (count - 1) >> 8, (count - 1) & 255])


def _merge(string: bytearray, offset: i64) -> None:
    """Join neighbouring VALs of one value, looking at some opcodes from `offset` on."""
    for _ in range(_MERGE_SCAN):
        if offset + 1 >= len(string):
            return
        one: i64 = string[offset]
        two: i64 = string[offset + 1]
        joined: i64 = (one & 3) + (two & 3) + 2
        if one < 0x80:
            offset += _size(one)
        elif two >= 0x80 and one >> 2 == two >> 2 and joined <= _LONGEST_VAL:
            string[offset : offset + 2] = bytes([(one & 0xFC) | joined - 1])
        else:
            offset += 1
