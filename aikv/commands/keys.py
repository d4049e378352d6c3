"""Commands on keys, whatever their values: removing them, asking for them."""

from typing import Final

from aikv.datatypes.kinds import type_name
from aikv.engine import events
from aikv.engine.command import FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import INSPECT, at
from aikv.resp.reply import Status

_NO_KEY: Final = Status(b"none")
_ALL_DELETED: Final = at(1, "RM delete", last=-1)
_ALL_INSPECTED: Final = at(1, "RO", last=-1)


@command(
    "DEL",
    arity=-2,
    flags=WRITE,
    keys=(_ALL_DELETED,),
    group="generic",
    since="1.0.0",
    complexity="O(N), N being the number of keys, and O(M) for a value of M elements.",
    summary="Removes keys.",
    syntax="key [key ...]",
    tips=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def del_(ctx: Context, argv: list[bytes]) -> object:
    return _remove(ctx, argv)


@command(
    "UNLINK",
    arity=-2,
    flags=WRITE | FAST,
    keys=(_ALL_DELETED,),
    group="generic",
    since="4.0.0",
    complexity="O(1) for each key.",
    summary="Removes keys.",
    syntax="key [key ...]",
    tips=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def unlink(ctx: Context, argv: list[bytes]) -> object:
    return _remove(ctx, argv)


def _remove(ctx: Context, argv: list[bytes]) -> int:
    database = ctx.db
    removed = 0
    for index in range(1, len(argv)):
        key = argv[index]
        if database.expires.used:
            # A key that has run out is not there to be removed, and its end is an event of its own.
            database.find(key, ctx.engine.now_ms)
        if ctx.remove(key):
            removed += 1
            ctx.changed(key, events.DEL)
    return removed


@command(
    "EXISTS",
    arity=-2,
    flags=READONLY | FAST,
    keys=(_ALL_INSPECTED,),
    group="generic",
    since="1.0.0",
    complexity="O(N), N being the number of keys.",
    summary="Counts how many of the given keys exist; a key given twice counts twice.",
    syntax="key [key ...]",
    tips=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def exists(ctx: Context, argv: list[bytes]) -> object:
    found = 0
    for index in range(1, len(argv)):
        if ctx.look(argv[index]) is not None:
            found += 1
    return found


@command(
    "TOUCH",
    arity=-2,
    flags=READONLY | FAST,
    keys=(_ALL_INSPECTED,),
    group="generic",
    since="3.2.1",
    complexity="O(N), N being the number of keys.",
    summary="Notes a use of keys; returns how many of them exist.",
    syntax="key [key ...]",
    tips=("request_policy:multi_shard", "response_policy:agg_sum"),
)
def touch(ctx: Context, argv: list[bytes]) -> object:
    found = 0
    for index in range(1, len(argv)):
        if ctx.lookup(argv[index]) is not None:
            found += 1
            # The command's very purpose, so CLIENT NO-TOUCH does not hold it back.
            if ctx.client.no_touch:
                ctx.engine.touch(ctx.db, argv[index])
    return found


@command(
    "TYPE",
    arity=2,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Names the type of the value of a key.",
    syntax="key",
)
def type_(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.look(argv[1])
    return _NO_KEY if value is None else Status(type_name(value))
