"""Changes within a list: LSET, LINSERT, LREM, LTRIM."""

from typing import Final

from aikv.base.errors import INDEX_OUT_OF_RANGE, NO_SUCH_KEY, SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.commands.list_lookup import peek_list
from aikv.datatypes.limits import CONFIGURED
from aikv.engine import events
from aikv.engine.command import DENYOOM, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import DELETE, INSERT, UPDATE
from aikv.resp.reply import OK

_OF_LENGTH: Final = "O(N), N being the number of elements."


@command(
    "LSET",
    arity=4,
    flags=WRITE | DENYOOM,
    keys=(UPDATE,),
    group="list",
    since="1.0.0",
    complexity="O(N) for N chunks of elements that have to be passed over.",
    summary="Puts an element in the place of that with an index.",
    syntax="key index element",
)
def lset(ctx: Context, argv: list[bytes]) -> object:
    held = peek_list(ctx, argv[1])
    if held is None:
        raise CommandError(NO_SUCH_KEY)
    if not held.set(to_i64(argv[2]), argv[3], CONFIGURED):
        raise CommandError(INDEX_OUT_OF_RANGE)
    ctx.changed(argv[1], events.LIST_SET)
    return OK


@command(
    "LINSERT",
    arity=5,
    flags=WRITE | DENYOOM,
    keys=(INSERT,),
    group="list",
    since="2.2.0",
    complexity="O(N) for the N elements that have to be looked at.",
    summary="Puts an element before or behind the first that equals a text.",
    syntax="key <BEFORE | AFTER> pivot element",
)
def linsert(ctx: Context, argv: list[bytes]) -> object:
    word = argv[2].upper()
    if word not in (b"BEFORE", b"AFTER"):
        raise CommandError(SYNTAX)
    held = peek_list(ctx, argv[1])
    if held is None:
        return 0
    if not held.insert(argv[3], argv[4], word == b"AFTER", CONFIGURED):
        return -1
    ctx.changed(argv[1], events.LIST_INSERT)
    return len(held)


@command(
    "LREM",
    arity=4,
    flags=WRITE,
    keys=(DELETE,),
    group="list",
    since="1.0.0",
    complexity=_OF_LENGTH,
    summary="Removes elements that equal a text; a list without elements is removed, too.",
    syntax="key count element",
)
def lrem(ctx: Context, argv: list[bytes]) -> object:
    count = to_i64(argv[2])
    held = peek_list(ctx, argv[1])
    if held is None:
        return 0
    removed = held.remove(argv[3], count, CONFIGURED)
    ctx.changed_container(argv[1], held, events.LIST_REM, removed)
    return removed


@command(
    "LTRIM",
    arity=4,
    flags=WRITE,
    keys=(DELETE,),
    group="list",
    since="1.0.0",
    complexity="O(N) for N elements removed.",
    summary="Removes all elements but those from one index to another; a list without elements is removed, too.",
    syntax="key start stop",
)
def ltrim(ctx: Context, argv: list[bytes]) -> object:
    start = to_i64(argv[2])
    stop = to_i64(argv[3])
    key = argv[1]
    held = peek_list(ctx, key)
    if held is None:
        return OK
    removed = held.trim(start, stop, CONFIGURED)
    if removed:
        ctx.changed_container(key, held, events.LIST_TRIM, removed)
    else:
        # As in Redis a trim that removes nothing is announced all the same, but not journalled.
        ctx.touched(key)
        ctx.notify(key, events.LIST_TRIM)
    return OK
