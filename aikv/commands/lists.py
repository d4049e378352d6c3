"""Lists: pushing, popping and reading. Changes within a list are in `list_edit`, moves in `list_moves`, waiting in
`list_blocking`.

Theory of operation: what a list is, and what each step costs, is told in `datatypes.lists`.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.form import COMPILED
from aikv.base.numbers import I64_MIN, parse_i64, to_i64
from aikv.commands.list_lookup import lookup_list, peek_list
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.lists import List
from aikv.engine import events
from aikv.engine.command import COMMANDS, DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import INSERT, INSPECT, READ, READ_DELETE
from aikv.engine.refusal import wrong_arity
from aikv.resp.reply import NULL_ARRAY, Rows

_OF_EACH: Final = "O(N) for N elements."
_MUST_BE_POSITIVE: Final = b"ERR value is out of range, must be positive"
_RANK_RANGE: Final = b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
_RANK_ZERO: Final = (
    b"ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start "
    b"from the end of the list"
)


@command(
    "LPUSH",
    arity=-3,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="list",
    since="1.0.0",
    complexity=_OF_EACH,
    summary="Puts elements before all others of a list, which is made if need be.",
    syntax="key element [element ...]",
)
def lpush(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    held = peek_list(ctx, key)
    if held is None:
        held = List()
        ctx.put(key, held)
    count = held.push_head(argv, 2, CONFIGURED)
    ctx.grown(key, events.LIST_LPUSH, len(argv) - 2)
    return count


@command(
    "RPUSH",
    arity=-3,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="list",
    since="1.0.0",
    complexity=_OF_EACH,
    summary="Puts elements behind all others of a list, which is made if need be.",
    syntax="key element [element ...]",
)
def rpush(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    held = peek_list(ctx, key)
    if held is None:
        held = List()
        ctx.put(key, held)
    count = held.push_tail(argv, 2, CONFIGURED)
    ctx.grown(key, events.LIST_RPUSH, len(argv) - 2)
    return count


@command(
    "LPUSHX",
    arity=-3,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="list",
    since="2.2.0",
    complexity=_OF_EACH,
    summary="Puts elements before all others of a list that exists.",
    syntax="key element [element ...]",
)
def lpushx(ctx: Context, argv: list[bytes]) -> object:
    held = peek_list(ctx, argv[1])
    if held is None:
        return 0
    count = held.push_head(argv, 2, CONFIGURED)
    ctx.grown(argv[1], events.LIST_LPUSH, len(argv) - 2)
    return count


@command(
    "RPUSHX",
    arity=-3,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="list",
    since="2.2.0",
    complexity=_OF_EACH,
    summary="Puts elements behind all others of a list that exists.",
    syntax="key element [element ...]",
)
def rpushx(ctx: Context, argv: list[bytes]) -> object:
    held = peek_list(ctx, argv[1])
    if held is None:
        return 0
    count = held.push_tail(argv, 2, CONFIGURED)
    ctx.grown(argv[1], events.LIST_RPUSH, len(argv) - 2)
    return count


@command(
    "LPOP",
    arity=-2,
    flags=WRITE | FAST,
    keys=(READ_DELETE,),
    group="list",
    since="1.0.0",
    complexity=_OF_EACH,
    summary="Removes and returns the first elements of a list; a list without elements is removed, too.",
    syntax="key [count]",
)
def lpop(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 2:
        return _pop_many(ctx, argv, True)
    held = peek_list(ctx, argv[1])
    if held is None:
        return None
    element = held.pop_head(CONFIGURED)
    ctx.changed_container(argv[1], held, events.LIST_LPOP)
    return element


@command(
    "RPOP",
    arity=-2,
    flags=WRITE | FAST,
    keys=(READ_DELETE,),
    group="list",
    since="1.0.0",
    complexity=_OF_EACH,
    summary="Removes and returns the last elements of a list; a list without elements is removed, too.",
    syntax="key [count]",
)
def rpop(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 2:
        return _pop_many(ctx, argv, False)
    held = peek_list(ctx, argv[1])
    if held is None:
        return None
    element = held.pop_tail(CONFIGURED)
    ctx.changed_container(argv[1], held, events.LIST_RPOP)
    return element


def _pop_many(ctx: Context, argv: list[bytes], head: bool) -> object:
    if len(argv) > 3:
        raise CommandError(wrong_arity(COMMANDS[b"lpop" if head else b"rpop"]))
    count = parse_i64(argv[2])
    if count is None or count < 0:
        raise CommandError(_MUST_BE_POSITIVE)
    held = peek_list(ctx, argv[1])
    if held is None:
        return NULL_ARRAY
    if head:
        popped = held.pop_head_many(count, CONFIGURED)
        ctx.changed_container(argv[1], held, events.LIST_LPOP, len(popped))
    else:
        popped = held.pop_tail_many(count, CONFIGURED)
        ctx.changed_container(argv[1], held, events.LIST_RPOP, len(popped))
    return popped


@command(
    "LLEN",
    arity=2,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="list",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns the number of elements of a list.",
    syntax="key",
)
def llen(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_list(ctx, argv[1])
    return 0 if held is None else len(held)


@command(
    "LINDEX",
    arity=3,
    flags=READONLY,
    keys=(READ,),
    group="list",
    since="1.0.0",
    complexity="O(N) for N chunks of elements that have to be passed over.",
    summary="Returns the element with an index.",
    syntax="key index",
)
def lindex(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_list(ctx, argv[1])
    # As in Redis the index of an element that cannot be there is not even read.
    return None if held is None else held.get(to_i64(argv[2]))


@command(
    "LRANGE",
    arity=4,
    flags=READONLY,
    keys=(READ,),
    group="list",
    since="1.0.0",
    complexity="O(S+N) for N elements, S being the number of chunks that have to be passed over.",
    summary="Returns the elements from one index to another.",
    syntax="key start stop",
)
def lrange(ctx: Context, argv: list[bytes]) -> object:
    start = to_i64(argv[2])
    stop = to_i64(argv[3])
    held = lookup_list(ctx, argv[1])
    if held is None:
        return []
    if not COMPILED:
        # Interpreted, a reply of a hundred takes a fifth of the time.
        rows = held.rows(start, stop)
        if rows is not None:
            return Rows(rows)
    return held.range(start, stop)


@command(
    "LPOS",
    arity=-3,
    flags=READONLY,
    keys=(READ,),
    group="list",
    since="6.0.6",
    complexity="O(N) for the N elements that have to be looked at.",
    summary="Returns the indexes of elements that equal a text.",
    syntax="key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
)
def lpos(ctx: Context, argv: list[bytes]) -> object:
    rank = 1
    count = -1
    maxlen = 0
    for index in range(3, len(argv), 2):
        word = argv[index].upper()
        if index + 1 == len(argv):
            raise CommandError(SYNTAX)
        if word == b"RANK":
            rank = to_i64(argv[index + 1])
            if rank == I64_MIN:
                raise CommandError(_RANK_RANGE)
            if rank == 0:
                raise CommandError(_RANK_ZERO)
        elif word == b"COUNT":
            count = _not_negative(argv[index + 1], word)
        elif word == b"MAXLEN":
            maxlen = _not_negative(argv[index + 1], word)
        else:
            raise CommandError(SYNTAX)
    held = lookup_list(ctx, argv[1])
    if held is None:
        return None if count < 0 else []
    # A COUNT of 0 asks for all.
    found = held.positions(argv[2], rank, 1 if count < 0 else count, maxlen)
    if count >= 0:
        return found
    return found[0] if found else None


def _not_negative(text: bytes, word: bytes) -> int:
    number = parse_i64(text)
    if number is None or number < 0:
        raise CommandError(b"ERR %b can't be negative" % word)
    return number
