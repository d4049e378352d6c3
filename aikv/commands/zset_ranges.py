"""Sorted sets: ranges by rank, by score and by member; read, counted, removed or stored.

Theory of operation: whatever a range is given by, it becomes two ranks (`datatypes.zset_ranges`), and is read or
removed by these. The arguments of ZRANGE and of its older kin, which fix kind and direction, are read by
`RangeArguments`; going backwards, a range of scores or members names its upper bound first.
"""

from typing import Final

from aikv.commands.zset_lookup import lookup_zset, peek_zset
from aikv.commands.zset_range_arguments import ANY, LEX, RANK, SCORE, Bounds, RangeArguments
from aikv.commands.zset_store import store_columns
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.events import Event
from aikv.engine.keyspec import DELETE, OVERWRITE, READ, at
from aikv.resp.reply import PairList

_OF_COUNT: Final = "O(log(N)) for a sorted set of N members."
_OF_RANGE: Final = "O(log(N)+M) for a sorted set of N members and M members in the range."


def _range(ctx: Context, argv: list[bytes], by: int, reverse: bool) -> object:
    arguments = RangeArguments(argv, 2, by, reverse, stored=False)
    held = lookup_zset(ctx, argv[1])
    if held is None:
        return []
    start, stop = arguments.ranks(held)
    if arguments.scored:
        return PairList(held.pairs(start, stop, arguments.reverse))
    return held.members(start, stop, arguments.reverse)


@command(
    "ZRANGE",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="1.2.0",
    complexity=_OF_RANGE,
    summary="Returns the members of a sorted set in a range of ranks, scores or members.",
    syntax="key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
)
def zrange(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, ANY, False)


@command(
    "ZREVRANGE",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="1.2.0",
    complexity=_OF_RANGE,
    summary="Returns the members of a sorted set in a range of ranks counted from the highest.",
    syntax="key start stop [WITHSCORES]",
)
def zrevrange(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, RANK, True)


@command(
    "ZRANGEBYSCORE",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="1.0.5",
    complexity=_OF_RANGE,
    summary="Returns the members of a sorted set in a range of scores.",
    syntax="key min max [WITHSCORES] [LIMIT offset count]",
)
def zrangebyscore(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, SCORE, False)


@command(
    "ZREVRANGEBYSCORE",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="2.2.0",
    complexity=_OF_RANGE,
    summary="Returns the members of a sorted set in a range of scores, highest first.",
    syntax="key max min [WITHSCORES] [LIMIT offset count]",
)
def zrevrangebyscore(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, SCORE, True)


@command(
    "ZRANGEBYLEX",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="2.8.9",
    complexity=_OF_RANGE,
    summary="Returns the members between two members, in a sorted set in which all scores are equal.",
    syntax="key min max [LIMIT offset count]",
)
def zrangebylex(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, LEX, False)


@command(
    "ZREVRANGEBYLEX",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="sorted-set",
    since="2.8.9",
    complexity=_OF_RANGE,
    summary="Returns the members between two members, last first, in a sorted set in which all scores are equal.",
    syntax="key max min [LIMIT offset count]",
)
def zrevrangebylex(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, LEX, True)


@command(
    "ZRANGESTORE",
    arity=-5,
    flags=WRITE | DENYOOM,
    keys=(OVERWRITE, at(2, "RO access")),
    group="sorted-set",
    since="6.2.0",
    complexity=_OF_RANGE,
    summary="Stores the members of a sorted set in a range of ranks, scores or members.",
    syntax="dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
)
def zrangestore(ctx: Context, argv: list[bytes]) -> object:
    arguments = RangeArguments(argv, 3, ANY, False, stored=True)
    held = lookup_zset(ctx, argv[2])
    members: list[bytes] = []
    scores: list[object] = []
    if held is not None:
        start, stop = arguments.ranks(held)
        members, scores = held.columns(start, stop)
    return store_columns(ctx, argv[1], members, scores, events.ZSET_RANGESTORE)


@command(
    "ZCOUNT",
    arity=4,
    flags=READONLY | FAST,
    keys=(READ,),
    group="sorted-set",
    since="2.0.0",
    complexity=_OF_COUNT,
    summary="Counts the members of a sorted set in a range of scores.",
    syntax="key min max",
)
def zcount(ctx: Context, argv: list[bytes]) -> object:
    return _count(ctx, argv, SCORE)


@command(
    "ZLEXCOUNT",
    arity=4,
    flags=READONLY | FAST,
    keys=(READ,),
    group="sorted-set",
    since="2.8.9",
    complexity=_OF_COUNT,
    summary="Counts the members between two members, in a sorted set in which all scores are equal.",
    syntax="key min max",
)
def zlexcount(ctx: Context, argv: list[bytes]) -> object:
    return _count(ctx, argv, LEX)


def _count(ctx: Context, argv: list[bytes], by: int) -> int:
    bounds = Bounds(by, argv[2], argv[3])
    held = lookup_zset(ctx, argv[1])
    if held is None:
        return 0
    start, stop = bounds.ranks(held, False)
    return stop - start


@command(
    "ZREMRANGEBYRANK",
    arity=4,
    flags=WRITE,
    keys=(DELETE,),
    group="sorted-set",
    since="2.0.0",
    complexity=_OF_RANGE,
    summary="Removes the members of a sorted set in a range of ranks.",
    syntax="key start stop",
)
def zremrangebyrank(ctx: Context, argv: list[bytes]) -> object:
    return _remove(ctx, argv, RANK, events.ZSET_REMRANGEBYRANK)


@command(
    "ZREMRANGEBYSCORE",
    arity=4,
    flags=WRITE,
    keys=(DELETE,),
    group="sorted-set",
    since="1.2.0",
    complexity=_OF_RANGE,
    summary="Removes the members of a sorted set in a range of scores.",
    syntax="key min max",
)
def zremrangebyscore(ctx: Context, argv: list[bytes]) -> object:
    return _remove(ctx, argv, SCORE, events.ZSET_REMRANGEBYSCORE)


@command(
    "ZREMRANGEBYLEX",
    arity=4,
    flags=WRITE,
    keys=(DELETE,),
    group="sorted-set",
    since="2.8.9",
    complexity=_OF_RANGE,
    summary="Removes the members between two members, in a sorted set in which all scores are equal.",
    syntax="key min max",
)
def zremrangebylex(ctx: Context, argv: list[bytes]) -> object:
    return _remove(ctx, argv, LEX, events.ZSET_REMRANGEBYLEX)


def _remove(ctx: Context, argv: list[bytes], by: int, event: Event) -> int:
    bounds = Bounds(by, argv[2], argv[3])
    held = peek_zset(ctx, argv[1])
    if held is None:
        return 0
    start, stop = bounds.ranks(held, False)
    removed = held.delete(start, stop)
    ctx.changed_container(argv[1], held, event, removed)
    return removed
