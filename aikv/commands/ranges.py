"""Commands that read or change a part of a string.

Theory of operation: the first change in place turns a string into a `bytearray`, which then grows and changes where it
is, at the cost of the bytes that are new and not of those that are there. A `bytearray` never leaves the keyspace:
replies hold copies, since the value may change before they are sent.
"""

from typing import Final

from aikv.base.errors import STRING_TOO_LONG, CommandError
from aikv.base.numbers import to_i64
from aikv.datatypes.strings import string_length
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context, string_bytes
from aikv.engine.keyspec import INSERT, INSPECT, READ, UPDATE

_OFFSET_OUT_OF_RANGE: Final = b"ERR offset is out of range"
# proto-max-bulk-len cannot be set lower, so shorter strings are let pass without asking.
_ALWAYS_ALLOWED: Final = 1024 * 1024


@command(
    "STRLEN",
    arity=2,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="string",
    since="2.2.0",
    complexity="O(1)",
    summary="Returns the length in bytes of the string value of a key.",
    syntax="key",
)
def strlen(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.lookup(argv[1])
    return 0 if value is None else string_length(value)


@command(
    "APPEND",
    arity=3,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="string",
    since="2.0.0",
    complexity="O(1) amortised: the string grows in place, by more than is needed at once.",
    summary="Appends to the string value of a key, which is created where it does not exist.",
    syntax="key value",
)
def append(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    tail = argv[2]
    value = ctx.peek(key)
    if value is None:
        ctx.put(key, tail)
        total = len(tail)
    else:
        total = string_length(value) + len(tail)
        _check_length(ctx, total)
        string = _changeable(ctx, key, value)
        string += tail
    ctx.changed(key, events.STR_APPEND)
    return total


@command(
    "SETRANGE",
    arity=4,
    flags=WRITE | DENYOOM,
    keys=(UPDATE,),
    group="string",
    since="2.2.0",
    complexity="O(M) where M is the length of the value, and of the gap where the string is shorter than the offset.",
    summary="Overwrites a part of the string value of a key; a gap is filled with zero bytes.",
    syntax="key offset value",
)
def setrange(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    offset = to_i64(argv[2])
    if offset < 0:
        raise CommandError(_OFFSET_OUT_OF_RANGE)
    part = argv[3]
    value = ctx.peek(key)
    size = 0 if value is None else string_length(value)
    if not part:
        return size
    end = offset + len(part)
    _check_length(ctx, end)
    string = _changeable(ctx, key, b"" if value is None else value)
    if offset > size:
        string += bytes(offset - size)
    string[offset:end] = part
    ctx.changed(key, events.STR_SETRANGE)
    return max(size, end)


@command(
    "GETRANGE",
    arity=4,
    flags=READONLY,
    keys=(READ,),
    group="string",
    since="2.4.0",
    complexity="O(N) where N is the length of the part returned.",
    summary="Returns a part of the string value of a key.",
    syntax="key start end",
)
def getrange(ctx: Context, argv: list[bytes]) -> object:
    return _part(ctx, argv)


@command(
    "SUBSTR",
    arity=4,
    flags=READONLY,
    keys=(READ,),
    group="string",
    since="1.0.0",
    complexity="O(N) where N is the length of the part returned.",
    summary="Returns a part of the string value of a key: the old name of GETRANGE.",
    syntax="key start end",
)
def substr(ctx: Context, argv: list[bytes]) -> object:
    return _part(ctx, argv)


def _part(ctx: Context, argv: list[bytes]) -> bytes:
    start = to_i64(argv[2])
    end = to_i64(argv[3])
    value = ctx.lookup(argv[1])
    if value is None:
        return b""
    size = string_length(value)
    if start < 0 and end < 0 and start > end:
        return b""
    if start < 0:
        start = max(0, size + start)
    # An end before the beginning is the first byte: Redis's own arithmetic.
    end = max(0, size + end) if end < 0 else min(end, size - 1)
    if start > end:
        return b""
    if isinstance(value, bytearray):
        # Through a view, so that the part is copied once.
        return bytes(memoryview(value)[start : end + 1])
    return string_bytes(value)[start : end + 1]


def _changeable(ctx: Context, key: bytes, value: object) -> bytearray:
    """The value of `key` in the form that can be changed in place."""
    if isinstance(value, bytearray):
        return value
    string = bytearray(string_bytes(value))
    ctx.put(key, string)
    return string


def _check_length(ctx: Context, size: int) -> None:
    """Raise CommandError if a string of `size` bytes is longer than a client may make one."""
    if size <= _ALWAYS_ALLOWED or ctx.client.internal:
        return
    if size > ctx.engine.config.get_int("proto-max-bulk-len"):
        raise CommandError(STRING_TOO_LONG)
