"""Counters: strings that hold a number and are added to.

Theory of operation: the sum is kept as an `int`, so that only the first INCR of a value that SET stored parses
anything. INCRBYFLOAT works in long doubles and keeps the text that it prints; it goes to the journal as the SET of that
text, because another machine's long doubles may print another.
"""

from typing import Final

from mypy_extensions import i64

from aikv.base.errors import NOT_AN_INTEGER, CommandError
from aikv.base.numbers import I64_MAX, I64_MIN, add_long_double, parse_i64, to_i64
from aikv.datatypes.strings import FloatText, string_integer
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, WRITE, command
from aikv.engine.context import Context, string_bytes
from aikv.engine.keyspec import READ_UPDATE

_WOULD_OVERFLOW: Final = b"ERR increment or decrement would overflow"
_DECREMENT_WOULD_OVERFLOW: Final = b"ERR decrement would overflow"


@command(
    "INCR",
    arity=2,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Adds one to the integer value of a key; a missing key counts as 0.",
    syntax="key",
)
def incr(ctx: Context, argv: list[bytes]) -> object:
    return _add(ctx, argv[1], 1)


@command(
    "DECR",
    arity=2,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Takes one from the integer value of a key; a missing key counts as 0.",
    syntax="key",
)
def decr(ctx: Context, argv: list[bytes]) -> object:
    return _add(ctx, argv[1], -1)


@command(
    "INCRBY",
    arity=3,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Adds a number to the integer value of a key; a missing key counts as 0.",
    syntax="key increment",
)
def incrby(ctx: Context, argv: list[bytes]) -> object:
    return _add(ctx, argv[1], to_i64(argv[2]))


@command(
    "DECRBY",
    arity=3,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Takes a number from the integer value of a key; a missing key counts as 0.",
    syntax="key decrement",
)
def decrby(ctx: Context, argv: list[bytes]) -> object:
    decrement = to_i64(argv[2])
    # Its opposite is no 64-bit integer.
    if decrement == I64_MIN:
        raise CommandError(_DECREMENT_WOULD_OVERFLOW)
    return _add(ctx, argv[1], -decrement)


@command(
    "INCRBYFLOAT",
    arity=3,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="string",
    since="2.6.0",
    complexity="O(1)",
    summary="Adds a floating point number to the value of a key; a missing key counts as 0.",
    syntax="key increment",
)
def incrbyfloat(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    value = ctx.glance(key)
    total = add_long_double(b"0" if value is None else string_bytes(value), argv[2])
    ctx.put(key, total if parse_i64(total) is None else FloatText(total))
    ctx.rewrite([b"SET", key, total, b"KEEPTTL"])
    ctx.changed(key, events.STR_INCRBYFLOAT)
    return total


def _add(ctx: Context, key: bytes, increment: i64) -> object:
    # `put` notes the use of the key, so the look-up need not.
    value = ctx.glance(key)
    number = 0 if value is None else string_integer(value)
    if number is None:
        raise CommandError(NOT_AN_INTEGER)
    current: i64 = number
    if current > I64_MAX - increment if increment > 0 else current < I64_MIN - increment:
        raise CommandError(_WOULD_OVERFLOW)
    # Made an object once, for the table and for the reply.
    total: object = current + increment
    ctx.put(key, total)
    ctx.changed(key, events.STR_INCRBY)
    return total
