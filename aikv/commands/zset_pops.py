"""Sorted sets: taking members from either end, also from the first of several that has some, also waiting for that.

Theory of operation: all of them end in `_take`. What the commands with several keys take goes to the journal as the
ZPOPMIN or ZPOPMAX of the one key that was found.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64
from aikv.commands.zset_lookup import peek_zset
from aikv.datatypes.zsets import SortedSet
from aikv.engine import events
from aikv.engine.command import BLOCKING, FAST, MOVABLE_KEYS, NOSCRIPT, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ_DELETE, at, counted
from aikv.engine.waiting import parse_timeout, wait_for_keys
from aikv.resp.reply import NULL_ARRAY, PairList

_NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
_FEW_KEYS: Final = b"ERR numkeys should be greater than 0"
_FEW_MEMBERS: Final = b"ERR count should be greater than 0"
_OF_POPPED: Final = "O(log(N)*M) for a sorted set of N members, of which M are taken."
_OF_ONE: Final = "O(log(N)) for a sorted set of N members."
_OF_KEYS: Final = "O(K) + O(M*log(N)) for K keys, and M members taken from a sorted set of N members."
_WAITED_FOR: Final = at(1, "RW access delete", last=-2)


def _take(ctx: Context, key: bytes, held: SortedSet, count: int, highest: bool) -> list[object]:
    """Remove up to `count` members from one end; returns each and after it its score."""
    popped = held.pop(count, highest)
    event = events.ZSET_POPMAX if highest else events.ZSET_POPMIN
    ctx.changed_container(key, held, event, len(popped) // 2)
    return popped


def _rewrite(ctx: Context, key: bytes, highest: bool, count: int) -> None:
    """Let ZPOPMIN or ZPOPMAX go to the journal, with a count unless that is negative."""
    record = [b"ZPOPMAX" if highest else b"ZPOPMIN", key]
    if count >= 0:
        record.append(b"%d" % count)
    ctx.rewrite(record)


@command(
    "ZPOPMIN",
    arity=-2,
    flags=WRITE | FAST,
    keys=(READ_DELETE,),
    group="sorted-set",
    since="5.0.0",
    complexity=_OF_POPPED,
    summary="Removes the members of a sorted set with the lowest scores, and returns them.",
    syntax="key [count]",
)
def zpopmin(ctx: Context, argv: list[bytes]) -> object:
    return _pop(ctx, argv, False)


@command(
    "ZPOPMAX",
    arity=-2,
    flags=WRITE | FAST,
    keys=(READ_DELETE,),
    group="sorted-set",
    since="5.0.0",
    complexity=_OF_POPPED,
    summary="Removes the members of a sorted set with the highest scores, and returns them.",
    syntax="key [count]",
)
def zpopmax(ctx: Context, argv: list[bytes]) -> object:
    return _pop(ctx, argv, True)


def _pop(ctx: Context, argv: list[bytes], highest: bool) -> object:
    if len(argv) > 3:
        raise CommandError(SYNTAX)
    counted = len(argv) == 3
    count = 1
    if counted:
        number = parse_i64(argv[2])
        if number is None or number < 0:
            raise CommandError(_NOT_POSITIVE)
        count = number
    held = peek_zset(ctx, argv[1])
    if held is None or count == 0:
        return []
    popped = _take(ctx, argv[1], held, count, highest)
    return PairList(popped) if counted else popped


@command(
    "BZPOPMIN",
    arity=-3,
    flags=WRITE | NOSCRIPT | BLOCKING | FAST,
    keys=(_WAITED_FOR,),
    group="sorted-set",
    since="5.0.0",
    complexity=_OF_ONE,
    summary="Removes the member with the lowest score of the first sorted set that is there; may wait for one.",
    syntax="key [key ...] timeout",
)
def bzpopmin(ctx: Context, argv: list[bytes]) -> object:
    return _pop_waiting(ctx, argv, False)


@command(
    "BZPOPMAX",
    arity=-3,
    flags=WRITE | NOSCRIPT | BLOCKING | FAST,
    keys=(_WAITED_FOR,),
    group="sorted-set",
    since="5.0.0",
    complexity=_OF_ONE,
    summary="Removes the member with the highest score of the first sorted set that is there; may wait for one.",
    syntax="key [key ...] timeout",
)
def bzpopmax(ctx: Context, argv: list[bytes]) -> object:
    return _pop_waiting(ctx, argv, True)


def _pop_waiting(ctx: Context, argv: list[bytes], highest: bool) -> object:
    timeout_ms = parse_timeout(argv[-1])
    keys = argv[1:-1]
    for key in keys:
        held = peek_zset(ctx, key)
        if held is not None:
            _rewrite(ctx, key, highest, -1)
            return [key, *_take(ctx, key, held, 1, highest)]
    return wait_for_keys(ctx, keys, b"zset", argv, timeout_ms, NULL_ARRAY)


class _ManyKeys:
    """The arguments of ZMPOP from the number of keys on, which is at index `first`. Raises CommandError."""

    def __init__(self, argv: list[bytes], first: int) -> None:
        number = parse_i64(argv[first])
        if number is None or number < 1:
            raise CommandError(_FEW_KEYS)
        where = first + 1 + number
        if where >= len(argv):
            raise CommandError(SYNTAX)
        self.keys: Final = argv[first + 1 : where]
        side = argv[where].upper()
        if side not in (b"MIN", b"MAX"):
            raise CommandError(SYNTAX)
        self.highest: Final = side == b"MAX"
        self.count = 1
        if where + 1 < len(argv):
            if where + 3 != len(argv) or argv[where + 1].upper() != b"COUNT":
                self._refuse(argv, where)
            self.count = _positive(argv[where + 2])

    def _refuse(self, argv: list[bytes], where: int) -> None:
        # A wrong count is told of before a wrong word behind it.
        if argv[where + 1].upper() == b"COUNT" and where + 2 < len(argv):
            _positive(argv[where + 2])
        raise CommandError(SYNTAX)


def _positive(argument: bytes) -> int:
    count = parse_i64(argument)
    if count is None or count < 1:
        raise CommandError(_FEW_MEMBERS)
    return count


@command(
    "ZMPOP",
    arity=-4,
    flags=WRITE | MOVABLE_KEYS,
    keys=(counted(1, "RW access delete"),),
    group="sorted-set",
    since="7.0.0",
    complexity=_OF_KEYS,
    summary="Removes members with the lowest or highest scores of the first of several sorted sets that is there.",
    syntax="numkeys key [key ...] <MIN | MAX> [COUNT count]",
)
def zmpop(ctx: Context, argv: list[bytes]) -> object:
    popped = _pop_first(ctx, _ManyKeys(argv, 1))
    return NULL_ARRAY if popped is None else popped


@command(
    "BZMPOP",
    arity=-5,
    flags=WRITE | BLOCKING | MOVABLE_KEYS,
    keys=(counted(2, "RW access delete"),),
    group="sorted-set",
    since="7.0.0",
    complexity=_OF_KEYS,
    summary="Removes members of the first of several sorted sets that is there; may wait for one.",
    syntax="timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
)
def bzmpop(ctx: Context, argv: list[bytes]) -> object:
    wanted = _ManyKeys(argv, 2)
    timeout_ms = parse_timeout(argv[1])
    popped = _pop_first(ctx, wanted)
    if popped is not None:
        return popped
    return wait_for_keys(ctx, wanted.keys, b"zset", argv, timeout_ms, NULL_ARRAY)


def _pop_first(ctx: Context, wanted: _ManyKeys) -> list[object] | None:
    for key in wanted.keys:
        held = peek_zset(ctx, key)
        if held is None:
            continue
        popped = _take(ctx, key, held, wanted.count, wanted.highest)
        _rewrite(ctx, key, wanted.highest, len(popped) // 2)
        return [key, [popped[index : index + 2] for index in range(0, len(popped), 2)]]
    return None
