"""Commands that wait for a list: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH.

Theory of operation: each does the work of a command that does not wait, and goes to the journal as that; where there is
no list, the client waits until there is one, and the command is run again (`engine.waiting`).
"""

from typing import Final

from aikv.commands.list_lookup import is_head, peek_list
from aikv.commands.list_moves import move_element, parse_wanted, pop_many_from_first, report_popped
from aikv.datatypes.limits import CONFIGURED
from aikv.engine.command import BLOCKING, DENYOOM, MOVABLE_KEYS, NOSCRIPT, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ_DELETE, at, counted
from aikv.engine.waiting import parse_timeout, wait_for_keys
from aikv.resp.reply import NULL_ARRAY

_SOURCES: Final = at(1, "RW access delete", last=-2)
_TARGET: Final = at(2, "RW insert")
_KIND: Final = b"list"
_OF_KEYS: Final = "O(N) for N keys."


@command(
    "BLPOP",
    arity=-3,
    flags=WRITE | NOSCRIPT | BLOCKING,
    keys=(_SOURCES,),
    group="list",
    since="2.0.0",
    complexity=_OF_KEYS,
    summary="Removes and returns the first element of one of several lists; waits for one if need be.",
    syntax="key [key ...] timeout",
)
def blpop(ctx: Context, argv: list[bytes]) -> object:
    return _pop_or_wait(ctx, argv, True)


@command(
    "BRPOP",
    arity=-3,
    flags=WRITE | NOSCRIPT | BLOCKING,
    keys=(_SOURCES,),
    group="list",
    since="2.0.0",
    complexity=_OF_KEYS,
    summary="Removes and returns the last element of one of several lists; waits for one if need be.",
    syntax="key [key ...] timeout",
)
def brpop(ctx: Context, argv: list[bytes]) -> object:
    return _pop_or_wait(ctx, argv, False)


def _pop_or_wait(ctx: Context, argv: list[bytes], head: bool) -> object:
    timeout_ms = parse_timeout(argv[-1])
    keys = argv[1:-1]
    for key in keys:
        held = peek_list(ctx, key)
        if held is None:
            continue
        element = held.pop_head(CONFIGURED) if head else held.pop_tail(CONFIGURED)
        ctx.rewrite([b"LPOP" if head else b"RPOP", key])
        report_popped(ctx, key, held, head, 1)
        return [key, element]
    return wait_for_keys(ctx, keys, _KIND, argv, timeout_ms, NULL_ARRAY)


@command(
    "BLMPOP",
    arity=-5,
    flags=WRITE | BLOCKING | MOVABLE_KEYS,
    keys=(counted(2, "RW access delete"),),
    group="list",
    since="7.0.0",
    complexity="O(N+M) for N keys and M elements.",
    summary="Removes and returns elements of the first of several lists that has any; waits for one if need be.",
    syntax="timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
)
def blmpop(ctx: Context, argv: list[bytes]) -> object:
    wanted = parse_wanted(argv, 2)
    timeout_ms = parse_timeout(argv[1])
    popped = pop_many_from_first(ctx, wanted)
    if popped is not None:
        return popped
    return wait_for_keys(ctx, wanted.keys, _KIND, argv, timeout_ms, NULL_ARRAY)


@command(
    "BLMOVE",
    arity=6,
    flags=WRITE | DENYOOM | NOSCRIPT | BLOCKING,
    keys=(READ_DELETE, _TARGET),
    group="list",
    since="6.2.0",
    complexity="O(1)",
    summary="Moves an element from an end of a list to an end of another; waits for one if need be.",
    syntax="source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout",
)
def blmove(ctx: Context, argv: list[bytes]) -> object:
    from_head = is_head(argv[3])
    to_head = is_head(argv[4])
    return _move_or_wait(ctx, argv, from_head, to_head, [b"LMOVE", argv[1], argv[2], argv[3], argv[4]])


@command(
    "BRPOPLPUSH",
    arity=4,
    flags=WRITE | DENYOOM | NOSCRIPT | BLOCKING,
    keys=(READ_DELETE, _TARGET),
    group="list",
    since="2.2.0",
    complexity="O(1)",
    summary="Moves the last element of a list to the front of another; waits for one if need be.",
    syntax="source destination timeout",
)
def brpoplpush(ctx: Context, argv: list[bytes]) -> object:
    return _move_or_wait(ctx, argv, False, True, [b"RPOPLPUSH", argv[1], argv[2]])


def _move_or_wait(ctx: Context, argv: list[bytes], from_head: bool, to_head: bool, journalled: list[bytes]) -> object:
    timeout_ms = parse_timeout(argv[-1])
    element = move_element(ctx, argv[1], argv[2], from_head, to_head)
    if element is not None:
        ctx.rewrite(journalled)
        return element
    if ctx.client.deny_blocking:
        # Unlike the others, these do not answer a transaction as if their time had run out.
        return None
    return wait_for_keys(ctx, [argv[1]], _KIND, argv, timeout_ms, NULL_ARRAY)
