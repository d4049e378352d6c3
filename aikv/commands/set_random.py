"""Sets: drawing members at random, with SPOP taking them out.

Theory of operation: what SPOP takes goes to the journal as the SREM of these members, or as the DEL of a set that is
taken whole, since a replay would draw others.
"""

from typing import Final, cast

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64
from aikv.commands.random_count import check_draws, parse_count
from aikv.commands.set_lookup import lookup_set, peek_set
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.sets import Set
from aikv.engine import events
from aikv.engine.command import FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ, READ_DELETE
from aikv.resp.reply import SetOf

_NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
# Redis's own: members in one SREM of the journal.
_PER_RECORD: Final = 1024


@command(
    "SPOP",
    arity=-2,
    flags=WRITE | FAST,
    keys=(READ_DELETE,),
    group="set",
    since="1.0.0",
    complexity="O(1), with a count O(N) for N members taken.",
    summary="Removes members of a set chosen at random, and returns them.",
    syntax="key [count]",
    tips=("nondeterministic_output",),
)
def spop(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 2:
        return _pop_many(ctx, argv)
    key = argv[1]
    held = peek_set(ctx, key)
    if held is None:
        return None
    member = held.pop(ctx.engine.random)
    ctx.rewrite([b"SREM", key, member])
    ctx.changed_container(key, held, events.SET_POP)
    return member


def _pop_many(ctx: Context, argv: list[bytes]) -> SetOf:
    if len(argv) > 3:
        raise CommandError(SYNTAX)
    count = parse_i64(argv[2])
    if count is None or count < 0:
        raise CommandError(_NOT_POSITIVE)
    key = argv[1]
    held = peek_set(ctx, key)
    if held is None or count == 0:
        return SetOf([])
    if count < len(held):
        popped = held.pop_many(ctx.engine.random, count, CONFIGURED)
        for start in range(0, count, _PER_RECORD):
            ctx.rewrite([b"SREM", key, *popped[start : start + _PER_RECORD]])
    else:
        popped = held.members()
        # An empty set takes the place of the other, so that its key goes as that of any container that became empty.
        held = Set()
        ctx.rewrite([b"DEL", key])
    ctx.changed_container(key, held, events.SET_POP, len(popped))
    return SetOf(cast("list[object]", popped))


@command(
    "SRANDMEMBER",
    arity=-2,
    flags=READONLY,
    keys=(READ,),
    group="set",
    since="1.0.0",
    complexity="O(1), with a count O(N) for N members returned.",
    summary="Returns members of a set chosen at random; a negative count allows for repetition.",
    syntax="key [count]",
    tips=("nondeterministic_output",),
)
def srandmember(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) == 2:
        held = lookup_set(ctx, argv[1])
        return None if held is None else held.random_member(ctx.engine.random)
    if len(argv) > 3:
        raise CommandError(SYNTAX)
    count = parse_count(argv[2])
    check_draws(count, paired=False)
    held = lookup_set(ctx, argv[1])
    if held is None or count == 0:
        return []
    if count < 0:
        return held.random_members_repeating(ctx.engine.random, -count)
    return held.random_members(ctx.engine.random, count)
