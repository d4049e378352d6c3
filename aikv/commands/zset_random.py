"""Sorted sets: drawing members at random, and walking them in steps."""

from typing import Final, cast

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import format_double
from aikv.commands.random_count import check_draws, parse_count
from aikv.commands.zset_lookup import lookup_zset
from aikv.datatypes.zsets import SortedSet
from aikv.engine.command import READONLY, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ
from aikv.keyspace.scan import parse_cursor, parse_scan
from aikv.resp.reply import PairList

_FIRST_OPTION: Final = 3


@command(
    "ZRANDMEMBER",
    arity=-2,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="6.2.0",
    complexity="O(N) for N members returned.",
    summary="Returns members of a sorted set chosen at random; a negative count allows for repetition.",
    syntax="key [count [WITHSCORES]]",
    tips=("nondeterministic_output",),
)
def zrandmember(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) == 2:
        held = lookup_zset(ctx, argv[1])
        return None if held is None else held.random_member(ctx.engine.random)
    count = parse_count(argv[2])
    scored = len(argv) > 3
    if scored and (len(argv) > 4 or argv[3].upper() != b"WITHSCORES"):
        raise CommandError(SYNTAX)
    check_draws(count, scored)
    held = lookup_zset(ctx, argv[1])
    if held is None or count == 0:
        return []
    members = _draw(ctx, held, count)
    return PairList(held.with_scores(members)) if scored else members


def _draw(ctx: Context, held: SortedSet, count: int) -> list[bytes]:
    if count < 0:
        return held.random_members_repeating(ctx.engine.random, -count)
    size = len(held)
    # All of them come in Redis's order, from the highest.
    return held.members(0, size, True) if count >= size else held.random_members(ctx.engine.random, count)


@command(
    "ZSCAN",
    arity=-3,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="2.8.0",
    complexity="O(1) for a call, O(N) for a whole scan of N members.",
    summary="Walks the members of a sorted set, with their scores, in steps.",
    syntax="key cursor [MATCH pattern] [COUNT count]",
    tips=("nondeterministic_output",),
)
def zscan(ctx: Context, argv: list[bytes]) -> object:
    cursor = parse_cursor(argv[2])
    held = lookup_zset(ctx, argv[1])
    if held is None:
        return [b"0", []]
    options = parse_scan(argv, _FIRST_OPTION, typed=False)
    cursor, pairs = held.scan(cursor, options.count)
    glob = options.glob
    # Scores are texts here, in either protocol.
    found: list[object] = []
    for index in range(0, len(pairs), 2):
        member = cast(bytes, pairs[index])
        if glob is None or glob.match(member):
            found += [member, format_double(cast(float, pairs[index + 1]))]
    return [b"%d" % cursor, found]
