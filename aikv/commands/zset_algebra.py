"""Union, intersection and difference of sorted sets, and of sets, whose members all have the score 1; returned, counted
or stored.

Theory of operation: a missing key is an empty sorted set. Every source becomes a dict of members and scores once (of an
intersection only the smallest, the others are asked), so hash look-ups happen in Python's own dicts, and the result is
put in order at the end. As in Redis, sources are taken in ascending order of size, which shows in the rounding of sums,
and infinities that cancel each other out make 0.
"""

import math
from typing import Final, cast

from aikv.base.errors import NOT_AN_INTEGER, SYNTAX, WRONGTYPE, CommandError
from aikv.base.numbers import parse_double, parse_i64
from aikv.commands.zset_store import in_order, store_columns
from aikv.datatypes.sets import Set
from aikv.datatypes.zsets import SortedSet
from aikv.engine import events
from aikv.engine.command import DENYOOM, MOVABLE_KEYS, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.events import Event
from aikv.engine.keyspec import OVERWRITE, counted
from aikv.resp.reply import PairList

_UNION: Final = 0
_INTER: Final = 1
_DIFF: Final = 2

_SUM: Final = 0
_MIN: Final = 1
_MAX: Final = 2
_AGGREGATES: Final[dict[bytes, int]] = {b"SUM": _SUM, b"MIN": _MIN, b"MAX": _MAX}

_NO_KEYS: Final = b"ERR at least 1 input key is needed for '%b' command"
_NOT_A_WEIGHT: Final = b"ERR weight value is not a float"
_NEGATIVE_LIMIT: Final = b"ERR LIMIT can't be negative"
_SET_SCORE: Final = 1.0

_KEYS: Final = counted(1, "RO access")
_STORED_KEYS: Final = counted(2, "RO access")
_OF_UNION: Final = "O(N)+O(M*log(M)) for N members in all, and M in the result."
_OF_INTER: Final = "O(N*K)+O(M*log(M)) for K sorted sets, the smallest of N members, and M members in the result."
_OF_DIFF: Final = "O(N*K)+O(M*log(M)) for K sorted sets, the first of N members, and M members in the result."
_AGGREGATED: Final = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]"


class _Source:
    """A sorted set or set, or neither for a missing key, and the weight of its scores."""

    def __init__(self, value: object | None) -> None:
        self.zset: Final = value if isinstance(value, SortedSet) else None
        self.set: Final = value if isinstance(value, Set) else None
        self.weight = 1.0

    def __len__(self) -> int:
        if self.zset is not None:
            return len(self.zset)
        return 0 if self.set is None else len(self.set)

    def columns(self) -> tuple[list[bytes], list[object]]:
        """All members, and their scores without the weight."""
        if self.zset is not None:
            return self.zset.columns(0, len(self.zset))
        if self.set is None:
            return [], []
        members = self.set.members()
        scores: list[object] = [_SET_SCORE] * len(members)
        return members, scores

    def score(self, member: bytes) -> float | None:
        """The score of `member` without the weight, or None."""
        if self.zset is not None:
            return self.zset.score(member)
        return None if self.set is None or member not in self.set else _SET_SCORE


class _Arguments:
    """The arguments of a command of this family from the number of keys on, which is at index `first`.

    Keys are looked up before the options are read. Raises CommandError.
    """

    def __init__(self, ctx: Context, argv: list[bytes], first: int, operation: int, stored: bool, card: bool) -> None:
        number = parse_i64(argv[first])
        if number is None:
            raise CommandError(NOT_AN_INTEGER)
        if number < 1:
            raise CommandError(_NO_KEYS % argv[0].lower())
        if number > len(argv) - first - 1:
            raise CommandError(SYNTAX)
        behind = first + 1 + number
        self.sources: Final[list[_Source]] = []
        for key in argv[first + 1 : behind]:
            self.sources.append(_source(ctx, key))
        self.aggregate = _SUM
        self.scored = False
        # 0 stands for no limit.
        self.limit = 0
        weighed = operation != _DIFF and not card
        while behind < len(argv):
            behind = self._option(argv, behind, weighed, stored, card)

    def _option(self, argv: list[bytes], index: int, weighed: bool, stored: bool, card: bool) -> int:
        """Read the option at `index`; returns the index of the next."""
        option = argv[index].upper()
        remaining = len(argv) - index
        if weighed and option == b"WEIGHTS" and remaining > len(self.sources):
            for source in self.sources:
                index += 1
                source.weight = _weight(argv[index])
            return index + 1
        if weighed and option == b"AGGREGATE" and remaining >= 2:
            aggregate = _AGGREGATES.get(argv[index + 1].upper())
            if aggregate is None:
                raise CommandError(SYNTAX)
            self.aggregate = aggregate
            return index + 2
        if option == b"WITHSCORES" and not stored and not card:
            self.scored = True
            return index + 1
        if card and option == b"LIMIT" and remaining >= 2:
            limit = parse_i64(argv[index + 1])
            if limit is None or limit < 0:
                raise CommandError(_NEGATIVE_LIMIT)
            self.limit = limit
            return index + 2
        raise CommandError(SYNTAX)


def _source(ctx: Context, key: bytes) -> _Source:
    value = ctx.lookup(key)
    if value is None or isinstance(value, SortedSet | Set):
        return _Source(value)
    raise CommandError(WRONGTYPE)


def _weight(argument: bytes) -> float:
    weight = parse_double(argument)
    if weight is None:
        raise CommandError(_NOT_A_WEIGHT)
    return weight


def _weighed(score: float, weight: float) -> float:
    product = score * weight
    return 0.0 if math.isnan(product) else product


def _combined(first: float, second: float, aggregate: int) -> float:
    if aggregate == _MIN:
        return second if second < first else first
    if aggregate == _MAX:
        return second if second > first else first
    total = first + second
    return 0.0 if math.isnan(total) else total


def _union(sources: list[_Source], aggregate: int) -> dict[bytes, float]:
    """The members of any of `sources`, with their scores."""
    found: dict[bytes, float] = {}
    for source in sources:
        members, scores = source.columns()
        for index in range(len(members)):
            member = members[index]
            score = _weighed(cast(float, scores[index]), source.weight)
            current = found.get(member)
            found[member] = score if current is None else _combined(current, score, aggregate)
    return found


def _intersection(sources: list[_Source], aggregate: int, limit: int) -> dict[bytes, float]:
    """The members of all of `sources`, the smallest of which is the first; at most `limit`, unless that is 0."""
    found: dict[bytes, float] = {}
    members, scores = sources[0].columns()
    for index in range(len(members)):
        score = _weighed(cast(float, scores[index]), sources[0].weight)
        everywhere = True
        for place in range(1, len(sources)):
            other = sources[place].score(members[index])
            if other is None:
                everywhere = False
                break
            score = _combined(score, other * sources[place].weight, aggregate)
        if everywhere:
            found[members[index]] = score
            if len(found) == limit:
                break
    return found


def _difference(sources: list[_Source]) -> dict[bytes, float]:
    """The members of the first of `sources` that are in none of the others."""
    found: dict[bytes, float] = {}
    members, scores = sources[0].columns()
    for index in range(len(members)):
        member = members[index]
        lonely = True
        for place in range(1, len(sources)):
            if sources[place].score(member) is not None:
                lonely = False
                break
        if lonely:
            found[member] = cast(float, scores[index])
    return found


def _computed(arguments: _Arguments, operation: int) -> dict[bytes, float]:
    if operation == _DIFF:
        return _difference(arguments.sources)
    ascending = sorted(arguments.sources, key=len)
    if operation == _UNION:
        return _union(ascending, arguments.aggregate)
    return _intersection(ascending, arguments.aggregate, arguments.limit)


def _returned(ctx: Context, argv: list[bytes], operation: int) -> object:
    arguments = _Arguments(ctx, argv, 1, operation, stored=False, card=False)
    members, scores = in_order(_computed(arguments, operation))
    if not arguments.scored:
        return members
    pairs: list[object] = []
    for index in range(len(members)):
        pairs += [members[index], scores[index]]
    return PairList(pairs)


def _stored(ctx: Context, argv: list[bytes], operation: int, event: Event) -> int:
    arguments = _Arguments(ctx, argv, 2, operation, stored=True, card=False)
    members, scores = in_order(_computed(arguments, operation))
    return store_columns(ctx, argv[1], members, scores, event)


@command(
    "ZUNION",
    arity=-3,
    flags=READONLY | MOVABLE_KEYS,
    keys=(_KEYS,),
    group="sorted-set",
    since="6.2.0",
    complexity=_OF_UNION,
    summary="Returns the members that any of several sorted sets has.",
    syntax=_AGGREGATED + " [WITHSCORES]",
)
def zunion(ctx: Context, argv: list[bytes]) -> object:
    return _returned(ctx, argv, _UNION)


@command(
    "ZINTER",
    arity=-3,
    flags=READONLY | MOVABLE_KEYS,
    keys=(_KEYS,),
    group="sorted-set",
    since="6.2.0",
    complexity=_OF_INTER,
    summary="Returns the members that several sorted sets have in common.",
    syntax=_AGGREGATED + " [WITHSCORES]",
)
def zinter(ctx: Context, argv: list[bytes]) -> object:
    return _returned(ctx, argv, _INTER)


@command(
    "ZDIFF",
    arity=-3,
    flags=READONLY | MOVABLE_KEYS,
    keys=(_KEYS,),
    group="sorted-set",
    since="6.2.0",
    complexity=_OF_DIFF,
    summary="Returns the members of a sorted set that no other has.",
    syntax="numkeys key [key ...] [WITHSCORES]",
)
def zdiff(ctx: Context, argv: list[bytes]) -> object:
    return _returned(ctx, argv, _DIFF)


@command(
    "ZINTERCARD",
    arity=-3,
    flags=READONLY | MOVABLE_KEYS,
    keys=(_KEYS,),
    group="sorted-set",
    since="7.0.0",
    complexity="O(N*K) for K sorted sets, the smallest of N members.",
    summary="Counts the members that several sorted sets have in common.",
    syntax="numkeys key [key ...] [LIMIT limit]",
)
def zintercard(ctx: Context, argv: list[bytes]) -> object:
    return len(_computed(_Arguments(ctx, argv, 1, _INTER, stored=False, card=True), _INTER))


@command(
    "ZUNIONSTORE",
    arity=-4,
    flags=WRITE | DENYOOM | MOVABLE_KEYS,
    keys=(OVERWRITE, _STORED_KEYS),
    group="sorted-set",
    since="2.0.0",
    complexity=_OF_UNION,
    summary="Stores the members that any of several sorted sets has.",
    syntax="destination " + _AGGREGATED,
)
def zunionstore(ctx: Context, argv: list[bytes]) -> object:
    return _stored(ctx, argv, _UNION, events.ZSET_UNIONSTORE)


@command(
    "ZINTERSTORE",
    arity=-4,
    flags=WRITE | DENYOOM | MOVABLE_KEYS,
    keys=(OVERWRITE, _STORED_KEYS),
    group="sorted-set",
    since="2.0.0",
    complexity=_OF_INTER,
    summary="Stores the members that several sorted sets have in common.",
    syntax="destination " + _AGGREGATED,
)
def zinterstore(ctx: Context, argv: list[bytes]) -> object:
    return _stored(ctx, argv, _INTER, events.ZSET_INTERSTORE)


@command(
    "ZDIFFSTORE",
    arity=-4,
    flags=WRITE | DENYOOM | MOVABLE_KEYS,
    keys=(OVERWRITE, _STORED_KEYS),
    group="sorted-set",
    since="6.2.0",
    complexity=_OF_DIFF,
    summary="Stores the members of a sorted set that no other has.",
    syntax="destination numkeys key [key ...]",
)
def zdiffstore(ctx: Context, argv: list[bytes]) -> object:
    return _stored(ctx, argv, _DIFF, events.ZSET_DIFFSTORE)
