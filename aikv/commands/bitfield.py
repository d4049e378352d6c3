"""BITFIELD and BITFIELD_RO: integers of any width, read, set and added to inside a string.

Theory of operation: all operations are parsed before the first is run, so that a wrong one leaves everything as it is.
If any of them writes, the string is first made long enough for the farthest field. OVERFLOW holds for the operations
behind it, up to the next OVERFLOW.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64, to_i64
from aikv.commands.bit_strings import bit_offset, readable, writable
from aikv.datatypes.bitfields import FAIL, SAT, WRAP, fit, fit_set, get_field, set_field
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ, at

_BAD_TYPE: Final = b"ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
_BAD_OVERFLOW: Final = b"ERR Invalid OVERFLOW type specified"
_ONLY_GET: Final = b"ERR BITFIELD_RO only supports the GET subcommand"

_GET: Final = 0
_SET: Final = 1
_INCRBY: Final = 2
_WIDEST: Final[dict[bytes, int]] = {b"i": 64, b"u": 63}
_OVERFLOWS: Final[dict[bytes, int]] = {b"WRAP": WRAP, b"SAT": SAT, b"FAIL": FAIL}


class _Operation:
    """One GET, SET or INCRBY: `number` is what is set or added."""

    def __init__(self, kind: int, signed: bool, bits: int, offset: int, number: int, overflow: int) -> None:
        self.kind = kind
        self.signed = signed
        self.bits = bits
        self.offset = offset
        self.number = number
        self.overflow = overflow


@command(
    "BITFIELD",
    arity=-2,
    flags=WRITE | DENYOOM,
    keys=(at(1, "RW access update variable_flags"),),
    group="bitmap",
    since="3.2.0",
    complexity="O(1) for each operation.",
    summary="Reads, sets and adds to integers of any width at any bit of the string value of a key.",
    syntax="key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | "
    "INCRBY encoding offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] "
    "<SET encoding offset value | INCRBY encoding offset increment> ...]]",
)
def bitfield(ctx: Context, argv: list[bytes]) -> object:
    operations = _parse(ctx, argv)
    size = _size_to_write(operations)
    return _write(ctx, argv[1], operations, size) if size else _read(ctx, argv[1], operations)


@command(
    "BITFIELD_RO",
    arity=-2,
    flags=READONLY | FAST,
    keys=(READ,),
    group="bitmap",
    since="6.0.0",
    complexity="O(1) for each operation.",
    summary="Reads integers of any width at any bit of the string value of a key.",
    syntax="key [GET encoding offset [GET encoding offset ...]]",
)
def bitfield_ro(ctx: Context, argv: list[bytes]) -> object:
    operations = _parse(ctx, argv)
    if _size_to_write(operations):
        raise CommandError(_ONLY_GET)
    return _read(ctx, argv[1], operations)


def _parse(ctx: Context, argv: list[bytes]) -> list[_Operation]:
    operations: list[_Operation] = []
    overflow = WRAP
    index = 2
    count = len(argv)
    while index < count:
        word = argv[index].upper()
        left = count - index - 1
        if word == b"OVERFLOW" and left >= 1:
            overflow = _OVERFLOWS.get(argv[index + 1].upper(), -1)
            if overflow < 0:
                raise CommandError(_BAD_OVERFLOW)
            index += 2
            continue
        if word == b"GET" and left >= 2:
            kind = _GET
        elif word == b"SET" and left >= 3:
            kind = _SET
        elif word == b"INCRBY" and left >= 3:
            kind = _INCRBY
        else:
            raise CommandError(SYNTAX)
        encoding = argv[index + 1]
        bits = _width(encoding)
        offset = bit_offset(ctx, argv[index + 2], bits)
        number = 0 if kind == _GET else to_i64(argv[index + 3])
        operations.append(_Operation(kind, encoding[:1] == b"i", bits, offset, number, overflow))
        index += 3 if kind == _GET else 4
    return operations


def _width(encoding: bytes) -> int:
    """The bits of a type such as `i16` or `u8`; raises CommandError."""
    widest = _WIDEST.get(encoding[:1], 0)
    # Redis reads the number as a C string.
    bits = parse_i64(encoding[1:].partition(b"\0")[0])
    if bits is None or not 1 <= bits <= widest:
        raise CommandError(_BAD_TYPE)
    return bits


def _size_to_write(operations: list[_Operation]) -> int:
    """The bytes that the string must have for the fields that are written; 0 where none is."""
    size = 0
    for operation in operations:
        if operation.kind != _GET:
            size = max(size, (operation.offset + operation.bits + 7) >> 3)
    return size


def _read(ctx: Context, key: bytes, operations: list[_Operation]) -> list[object]:
    value = ctx.lookup(key)
    string = b"" if value is None else readable(value)
    found: list[object] = []
    for operation in operations:
        found.append(get_field(string, operation.offset, operation.bits, operation.signed))
    return found


def _write(ctx: Context, key: bytes, operations: list[_Operation], size: int) -> list[object]:
    string, grown = writable(ctx, key, size)
    replies: list[object] = []
    # Redis keeps quiet about a string that only grew, every operation being refused, and so loses it with a restart.
    changed = grown
    for operation in operations:
        old = get_field(string, operation.offset, operation.bits, operation.signed)
        if operation.kind == _GET:
            replies.append(old)
            continue
        if operation.kind == _SET:
            new = fit_set(operation.number, operation.bits, operation.signed, operation.overflow)
        else:
            new = fit(old + operation.number, operation.bits, operation.signed, operation.overflow)
        if new is None:
            replies.append(None)
            continue
        replies.append(old if operation.kind == _SET else new)
        if new != old:
            set_field(string, operation.offset, operation.bits, new)
            changed = True
    if changed:
        ctx.changed(key, events.STR_SETBIT)
    return replies
