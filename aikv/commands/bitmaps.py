"""Commands that read and change bits of strings; BITFIELD has a module of its own.

Theory of operation: the work on the bits themselves is in `datatypes.bits`. Here are the arguments, whose checks come
in Redis's order: of a key that does not exist BITCOUNT and BITPOS look at none of them.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64, to_i64
from aikv.commands.bit_strings import bit_offset, readable, writable
from aikv.datatypes.bits import AND, OR, XOR, Bits, bit_at, combine, count_bits, find_bit, invert
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ, READ_UPDATE, at

_BAD_BIT: Final = b"ERR bit is not an integer or out of range"
_NO_BIT: Final = b"ERR The bit argument must be 1 or 0."
_NOT_OF_ONE: Final = b"ERR BITOP NOT must be called with a single source key."

_NOT: Final = 3
_OPERATIONS: Final[dict[bytes, int]] = {b"AND": AND, b"OR": OR, b"XOR": XOR, b"NOT": _NOT}


@command(
    "SETBIT",
    arity=4,
    flags=WRITE | DENYOOM,
    keys=(READ_UPDATE,),
    group="bitmap",
    since="2.2.0",
    complexity="O(1), and O(N) where the string grows by N bytes.",
    summary="Sets or clears a bit of the string value of a key, and returns what it was.",
    syntax="key offset value",
)
def setbit(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    offset = bit_offset(ctx, argv[2])
    on = parse_i64(argv[3])
    if on is None or not 0 <= on <= 1:
        raise CommandError(_BAD_BIT)
    byte = offset >> 3
    string, grown = writable(ctx, key, byte + 1)
    mask = 0x80 >> (offset & 7)
    held = string[byte]
    old = 1 if held & mask else 0
    if old != on:
        string[byte] = held ^ mask
    if grown or old != on:
        ctx.changed(key, events.STR_SETBIT)
    return old


@command(
    "GETBIT",
    arity=3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="bitmap",
    since="2.2.0",
    complexity="O(1)",
    summary="Returns a bit of the string value of a key.",
    syntax="key offset",
)
def getbit(ctx: Context, argv: list[bytes]) -> object:
    offset = bit_offset(ctx, argv[2])
    value = ctx.lookup(argv[1])
    return 0 if value is None else bit_at(readable(value), offset)


@command(
    "BITCOUNT",
    arity=-2,
    flags=READONLY,
    keys=(READ,),
    group="bitmap",
    since="2.6.0",
    complexity="O(N) where N is the number of bytes looked at.",
    summary="Counts the set bits of the string value of a key, or of a part of it.",
    syntax="key [start end [BYTE | BIT]]",
)
def bitcount(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.lookup(argv[1])
    if value is None:
        return 0
    string = readable(value)
    count = len(argv)
    if count == 2:
        return count_bits(string, 0, len(string) * 8 - 1) if string else 0
    if not 4 <= count <= 5:
        raise CommandError(SYNTAX)
    start = to_i64(argv[2])
    end = to_i64(argv[3])
    if start < 0 and end < 0 and start > end:
        return 0
    first, last = _bit_range(string, start, end, count == 5 and _in_bits(argv[4]))
    return count_bits(string, first, last) if first <= last else 0


@command(
    "BITPOS",
    arity=-3,
    flags=READONLY,
    keys=(READ,),
    group="bitmap",
    since="2.8.7",
    complexity="O(N) where N is the number of bytes looked at.",
    summary="Finds the first set or clear bit of the string value of a key, or of a part of it.",
    syntax="key bit [start [end [BYTE | BIT]]]",
)
def bitpos(ctx: Context, argv: list[bytes]) -> object:
    bit = to_i64(argv[2])
    if not 0 <= bit <= 1:
        raise CommandError(_NO_BIT)
    value = ctx.lookup(argv[1])
    if value is None:
        return -1 if bit else 0
    string = readable(value)
    count = len(argv)
    if count > 6:
        raise CommandError(SYNTAX)
    start = to_i64(argv[3]) if count > 3 else 0
    in_bits = count == 6 and _in_bits(argv[5])
    end = to_i64(argv[4]) if count > 4 else -1
    first, last = _bit_range(string, start, end, in_bits)
    if first > last:
        return -1
    found = find_bit(string, first, last, bit)
    # Where no end was given the string goes on for ever with zeros.
    return last + 1 if found < 0 and not bit and count < 5 else found


@command(
    "BITOP",
    arity=-4,
    flags=WRITE | DENYOOM,
    keys=(at(2, "OW update"), at(3, "RO access", last=-1)),
    group="bitmap",
    since="2.6.0",
    complexity="O(N) where N is the length of all strings together.",
    summary="Stores the AND, OR, XOR or NOT of the string values of keys.",
    syntax="<AND | OR | XOR | NOT> destkey key [key ...]",
)
def bitop(ctx: Context, argv: list[bytes]) -> object:
    operation = _OPERATIONS.get(argv[1].upper(), -1)
    if operation < 0:
        raise CommandError(SYNTAX)
    if operation == _NOT and len(argv) != 4:
        raise CommandError(_NOT_OF_ONE)
    sources: list[Bits] = []
    for index in range(3, len(argv)):
        value = ctx.lookup(argv[index])
        sources.append(b"" if value is None else readable(value))
    result = invert(sources[0]) if operation == _NOT else combine(operation, sources)
    target = argv[2]
    if result:
        ctx.replace(target, result)
        ctx.changed(target, events.STR_SET)
    elif ctx.remove(target):
        ctx.changed(target, events.DEL)
    return len(result)


def _in_bits(unit: bytes) -> bool:
    """Whether a range counts bits, not bytes; raises CommandError(SYNTAX) for a unit that is neither."""
    word = unit.upper()
    if word == b"BIT":
        return True
    if word == b"BYTE":
        return False
    raise CommandError(SYNTAX)


def _bit_range(string: Bits, start: int, end: int, in_bits: bool) -> tuple[int, int]:
    """The first and the last bit of a range, whose limits count from the end where negative; empty if first > last."""
    total = len(string) * 8 if in_bits else len(string)
    if start < 0:
        start = max(0, start + total)
    # An end before the beginning is the first byte or bit: Redis's own arithmetic.
    end = max(0, end + total) if end < 0 else end
    end = min(end, total - 1)
    return (start, end) if in_bits or start > end else (start * 8, end * 8 + 7)
