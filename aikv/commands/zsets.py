"""Sorted sets: members one by one. Ranges are in `zset_ranges`, several sorted sets at once in `zset_algebra`, taking
from the ends in `zset_pops`.

Theory of operation: what a sorted set is, and what each step costs, is told in `datatypes.zsets`.
"""

from typing import Final

from aikv.base.errors import NOT_A_FLOAT, SYNTAX, CommandError
from aikv.base.numbers import parse_double
from aikv.commands.zset_add import CH, add_members, add_one
from aikv.commands.zset_lookup import lookup_zset, peek_zset
from aikv.datatypes.zsets import GT, INCR, LT, NX, XX
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import DELETE, INSPECT, READ, READ_UPDATE, UPDATE
from aikv.resp.reply import NULL_ARRAY

_OPTIONS: Final[dict[bytes, int]] = {b"NX": NX, b"XX": XX, b"GT": GT, b"LT": LT, b"CH": CH, b"INCR": INCR}
# No option begins with a byte up to this one, and most scores do.
_NINE: Final = 57
# Arguments of ZADD with one member and no option.
_ONE_PAIR: Final = 4
_NX_AND_XX: Final = b"ERR XX and NX options at the same time are not compatible"
_NX_GT_LT: Final = b"ERR GT, LT, and/or NX options at the same time are not compatible"
_ONE_INCREMENT: Final = b"ERR INCR option supports a single increment-element pair"
_OF_ONE: Final = "O(log(N)) for a sorted set of N members."
_OF_EACH: Final = "O(M*log(N)) for M members given and a sorted set of N members."


@command(
    "ZADD",
    arity=-4,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="sorted-set",
    since="1.2.0",
    complexity=_OF_EACH,
    summary="Gives members of a sorted set, which is made if need be, their scores.",
    syntax="key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
)
def zadd(ctx: Context, argv: list[bytes]) -> object:
    flags = 0
    first = 2
    count = len(argv)
    if count == _ONE_PAIR:
        word = argv[2]
        if word and word[0] <= _NINE:
            return add_one(ctx, argv[1], argv[3], _score(word))
    while first < count:
        word = argv[first]
        if word and word[0] <= _NINE:
            break
        option = _OPTIONS.get(word.upper(), 0)
        if option == 0:
            break
        flags |= option
        first += 1
    if first == count or (count - first) % 2:
        raise CommandError(SYNTAX)
    if flags:
        _check_options(flags, (count - first) // 2)
    members = [argv[first + 1]] if count - first == 2 else argv[first + 1 :: 2]
    return add_members(ctx, argv[1], members, _scores(argv, first), flags)


def _check_options(flags: int, pairs: int) -> None:
    if flags & NX and flags & XX:
        raise CommandError(_NX_AND_XX)
    # Of these three there may be one.
    rest = flags & (GT | LT | NX)
    if rest & (rest - 1):
        raise CommandError(_NX_GT_LT)
    if flags & INCR and pairs > 1:
        raise CommandError(_ONE_INCREMENT)


def _scores(argv: list[bytes], first: int) -> list[float]:
    """Every second argument from index `first` on as a float. Raises CommandError."""
    scores: list[float] = []
    for index in range(first, len(argv), 2):
        scores.append(_score(argv[index]))
    return scores


def _score(argument: bytes) -> float:
    score = parse_double(argument)
    if score is None:
        raise CommandError(NOT_A_FLOAT)
    return score


@command(
    "ZINCRBY",
    arity=4,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="sorted-set",
    since="1.2.0",
    complexity=_OF_ONE,
    summary="Adds to the score of a member of a sorted set; one that is not there has 0.",
    syntax="key increment member",
)
def zincrby(ctx: Context, argv: list[bytes]) -> object:
    return add_members(ctx, argv[1], [argv[3]], [_score(argv[2])], INCR)


@command(
    "ZREM",
    arity=-3,
    flags=WRITE | FAST,
    keys=(DELETE,),
    group="sorted-set",
    since="1.2.0",
    complexity=_OF_EACH,
    summary="Removes members of a sorted set; one without members is removed, too.",
    syntax="key member [member ...]",
)
def zrem(ctx: Context, argv: list[bytes]) -> object:
    held = peek_zset(ctx, argv[1])
    if held is None:
        return 0
    removed = 0
    for index in range(2, len(argv)):
        if held.remove(argv[index]):
            removed += 1
    ctx.changed_container(argv[1], held, events.ZSET_REM, removed)
    return removed


@command(
    "ZCARD",
    arity=2,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="sorted-set",
    since="1.2.0",
    complexity="O(1)",
    summary="Returns the number of members of a sorted set.",
    syntax="key",
)
def zcard(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_zset(ctx, argv[1])
    return 0 if held is None else len(held)


@command(
    "ZSCORE",
    arity=3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="sorted-set",
    since="1.2.0",
    complexity="O(1)",
    summary="Returns the score of a member of a sorted set.",
    syntax="key member",
)
def zscore(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_zset(ctx, argv[1])
    return None if held is None else held.score(argv[2])


@command(
    "ZMSCORE",
    arity=-3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="sorted-set",
    since="6.2.0",
    complexity="O(N) for N members given.",
    summary="Returns the scores of several members of a sorted set.",
    syntax="key member [member ...]",
)
def zmscore(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_zset(ctx, argv[1])
    scores: list[object] = []
    for index in range(2, len(argv)):
        scores.append(None if held is None else held.score(argv[index]))
    return scores


@command(
    "ZRANK",
    arity=-3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="sorted-set",
    since="2.0.0",
    complexity=_OF_ONE,
    summary="Returns how many members of a sorted set come before a member.",
    syntax="key member [WITHSCORE]",
)
def zrank(ctx: Context, argv: list[bytes]) -> object:
    return _rank(ctx, argv, False)


@command(
    "ZREVRANK",
    arity=-3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="sorted-set",
    since="2.0.0",
    complexity=_OF_ONE,
    summary="Returns how many members of a sorted set come after a member.",
    syntax="key member [WITHSCORE]",
)
def zrevrank(ctx: Context, argv: list[bytes]) -> object:
    return _rank(ctx, argv, True)


def _rank(ctx: Context, argv: list[bytes], reverse: bool) -> object:
    if len(argv) > 4:
        raise CommandError(b"ERR wrong number of arguments for '%b' command" % argv[0].lower())
    scored = len(argv) == 4
    if scored and argv[3].upper() != b"WITHSCORE":
        raise CommandError(SYNTAX)
    held = lookup_zset(ctx, argv[1])
    rank = -1 if held is None else held.rank(argv[2])
    if held is None or rank < 0:
        return NULL_ARRAY if scored else None
    if reverse:
        rank = len(held) - 1 - rank
    return [rank, held.score(argv[2])] if scored else rank
