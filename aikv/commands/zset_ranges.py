"""Sorted sets: ranges by rank, by score and by member; read, counted, removed or stored.

Theory of operation: whatever a range is given by, it becomes two ranks (`datatypes.zset_ranges`), and is read or
removed by these. The arguments of ZRANGE and of its older kin, which fix kind and direction, are read by
`_RangeArguments`; going backwards, a range of scores or members names its upper bound first.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.commands.zset_lookup import lookup_zset, peek_zset
from aikv.commands.zset_store import store_columns
from aikv.datatypes.zset_ranges import (
    LexRange,
    ScoreRange,
    limited,
    mirrored,
    parse_lex_range,
    parse_score_range,
    rank_range,
)
from aikv.datatypes.zsets import SortedSet
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.events import Event
from aikv.engine.keyspec import DELETE, OVERWRITE, READ, at
from aikv.resp.reply import PairList

# What a range is given by; ANY is for the options to say.
_ANY: Final = 0
_RANK: Final = 1
_SCORE: Final = 2
_LEX: Final = 3

_NOT_A_SCORE: Final = b"ERR min or max is not a float"
_NOT_A_MEMBER: Final = b"ERR min or max not valid string range item"
_LIMIT_BY_RANK: Final = b"ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
_SCORES_BY_LEX: Final = b"ERR syntax error, WITHSCORES not supported in combination with BYLEX"
_OF_COUNT: Final = "O(log(N)) for a sorted set of N members."
_OF_RANGE: Final = "O(log(N)+M) for a sorted set of N members and M members in the range."


def _score_range(low: bytes, high: bytes) -> ScoreRange:
    wanted = parse_score_range(low, high)
    if wanted is None:
        raise CommandError(_NOT_A_SCORE)
    return wanted


def _lex_range(low: bytes, high: bytes) -> LexRange:
    wanted = parse_lex_range(low, high)
    if wanted is None:
        raise CommandError(_NOT_A_MEMBER)
    return wanted


class _Bounds:
    """A range of the kind `by`, from the arguments `low` and `high`. Raises CommandError."""

    def __init__(self, by: int, low: bytes, high: bytes) -> None:
        self.by: Final = by
        self.first = 0
        self.last = 0
        self.scores: ScoreRange | None = None
        self.lex: LexRange | None = None
        if by == _RANK:
            self.first = to_i64(low)
            self.last = to_i64(high)
        elif by == _SCORE:
            self.scores = _score_range(low, high)
        else:
            self.lex = _lex_range(low, high)

    def ranks(self, held: SortedSet, reverse: bool) -> tuple[int, int]:
        """The ranks in `held`; the range of ranks itself is counted from the highest if `reverse`."""
        if self.scores is not None:
            return held.score_ranks(self.scores)
        if self.lex is not None:
            return held.lex_ranks(self.lex, reverse)
        size = len(held)
        ranks = rank_range(self.first, self.last, size)
        return mirrored(ranks, size) if reverse else ranks


class _RangeArguments:
    """The arguments of a command of ZRANGE's kin, whose first bound is at index `first`. Raises CommandError.

    `by` is what it ranges over, `reverse` its direction; with `by` _ANY, options may say both. `stored` is for
    ZRANGESTORE.
    """

    def __init__(self, argv: list[bytes], first: int, by: int, reverse: bool, stored: bool) -> None:
        self.scored = False
        self.reverse = reverse
        self.offset = 0
        self.limit = -1
        self.by = by
        self._parse_options(argv, first + 2, stored)
        if self.by == _ANY:
            self.by = _RANK
        if self.limit != -1 and self.by == _RANK:
            raise CommandError(_LIMIT_BY_RANK)
        if self.scored and self.by == _LEX:
            raise CommandError(_SCORES_BY_LEX)
        swapped = self.reverse and self.by != _RANK
        low, high = (argv[first + 1], argv[first]) if swapped else (argv[first], argv[first + 1])
        self.bounds: Final = _Bounds(self.by, low, high)

    def ranks(self, held: SortedSet) -> tuple[int, int]:
        """The ranks in `held` of the members wanted."""
        ranks = self.bounds.ranks(held, self.reverse)
        if self.by == _RANK or (self.offset == 0 and self.limit < 0):
            return ranks
        return limited(ranks, self.offset, self.limit, self.reverse)

    def _parse_options(self, argv: list[bytes], index: int, stored: bool) -> None:
        turnable = self.by == _ANY
        count = len(argv)
        while index < count:
            option = argv[index].upper()
            if option == b"WITHSCORES" and not stored:
                self.scored = True
            elif option == b"LIMIT" and index + 2 < count:
                self.offset = to_i64(argv[index + 1])
                self.limit = to_i64(argv[index + 2])
                index += 2
            elif option == b"REV" and turnable:
                self.reverse = True
                turnable = False
            elif option == b"BYLEX" and self.by == _ANY:
                self.by = _LEX
            elif option == b"BYSCORE" and self.by == _ANY:
                self.by = _SCORE
            else:
                raise CommandError(SYNTAX)
            index += 1


def _range(ctx: Context, argv: list[bytes], by: int, reverse: bool) -> object:
    arguments = _RangeArguments(argv, 2, by, reverse, stored=False)
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
    return _range(ctx, argv, _ANY, False)


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
    return _range(ctx, argv, _RANK, True)


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
    return _range(ctx, argv, _SCORE, False)


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
    return _range(ctx, argv, _SCORE, True)


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
    return _range(ctx, argv, _LEX, False)


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
    return _range(ctx, argv, _LEX, True)


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
    arguments = _RangeArguments(argv, 3, _ANY, False, stored=True)
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
    return _count(ctx, argv, _SCORE)


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
    return _count(ctx, argv, _LEX)


def _count(ctx: Context, argv: list[bytes], by: int) -> int:
    bounds = _Bounds(by, argv[2], argv[3])
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
    return _remove(ctx, argv, _RANK, events.ZSET_REMRANGEBYRANK)


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
    return _remove(ctx, argv, _SCORE, events.ZSET_REMRANGEBYSCORE)


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
    return _remove(ctx, argv, _LEX, events.ZSET_REMRANGEBYLEX)


def _remove(ctx: Context, argv: list[bytes], by: int, event: Event) -> int:
    bounds = _Bounds(by, argv[2], argv[3])
    held = peek_zset(ctx, argv[1])
    if held is None:
        return 0
    start, stop = bounds.ranks(held, False)
    removed = held.delete(start, stop)
    ctx.changed_container(argv[1], held, event, removed)
    return removed
