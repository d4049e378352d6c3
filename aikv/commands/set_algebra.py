"""Union, intersection and difference of sets, returned, counted or stored. How it is done: `datatypes.set_algebra`.

Theory of operation: a missing key is an empty set. All keys are looked up before anything is computed, so one of the
wrong type is refused whatever the others hold.
"""

from typing import Final, cast

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64
from aikv.commands.set_lookup import lookup_set
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.set_algebra import difference, intersection, union
from aikv.datatypes.sets import Set, gather
from aikv.engine import events
from aikv.engine.command import DENYOOM, MOVABLE_KEYS, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.events import Event
from aikv.engine.keyspec import OVERWRITE, UPDATE, at, counted
from aikv.resp.reply import SetOf

_SOURCES: Final = at(1, "RO access", last=-1)
_STORED_SOURCES: Final = at(2, "RO access", last=-1)
_ANY_ORDER: Final = ("nondeterministic_output_order",)
_OF_SMALLEST: Final = "O(N*M) for M sets, the smallest of N members."
_OF_FIRST: Final = "O(N*M) for M sets, the first of N members."
_OF_ALL: Final = "O(N) for N members in all sets together."
_FEW_KEYS: Final = b"ERR numkeys should be greater than 0"
_MANY_KEYS: Final = b"ERR Number of keys can't be greater than number of args"
_NEGATIVE_LIMIT: Final = b"ERR LIMIT can't be negative"


@command(
    "SINTER",
    arity=-2,
    flags=READONLY,
    keys=(_SOURCES,),
    group="set",
    since="1.0.0",
    complexity=_OF_SMALLEST,
    summary="Returns the members that several sets have in common.",
    syntax="key [key ...]",
    tips=_ANY_ORDER,
)
def sinter(ctx: Context, argv: list[bytes]) -> object:
    return SetOf(cast("list[object]", intersection(_sets(ctx, argv, 1))))


@command(
    "SINTERSTORE",
    arity=-3,
    flags=WRITE | DENYOOM,
    keys=(UPDATE, _STORED_SOURCES),
    group="set",
    since="1.0.0",
    complexity=_OF_SMALLEST,
    summary="Stores the members that several sets have in common.",
    syntax="destination key [key ...]",
)
def sinterstore(ctx: Context, argv: list[bytes]) -> object:
    return _store(ctx, argv[1], intersection(_sets(ctx, argv, 2)), events.SET_INTERSTORE)


@command(
    "SINTERCARD",
    arity=-3,
    flags=READONLY | MOVABLE_KEYS,
    keys=(counted(1, "RO access"),),
    group="set",
    since="7.0.0",
    complexity=_OF_SMALLEST,
    summary="Counts the members that several sets have in common.",
    syntax="numkeys key [key ...] [LIMIT limit]",
)
def sintercard(ctx: Context, argv: list[bytes]) -> object:
    count = parse_i64(argv[1])
    if count is None or count < 1:
        raise CommandError(_FEW_KEYS)
    if count > len(argv) - 2:
        raise CommandError(_MANY_KEYS)
    limit = _limit(argv, 2 + count)
    return len(intersection(_sets(ctx, argv[: 2 + count], 2), limit))


def _limit(argv: list[bytes], first: int) -> int:
    """LIMIT among the options in `argv` from index `first` on; -1 for none. Raises CommandError."""
    limit = -1
    for index in range(first, len(argv), 2):
        if argv[index].upper() != b"LIMIT" or index + 1 == len(argv):
            raise CommandError(SYNTAX)
        number = parse_i64(argv[index + 1])
        if number is None or number < 0:
            raise CommandError(_NEGATIVE_LIMIT)
        # 0 stands for no limit.
        limit = number or -1
    return limit


@command(
    "SUNION",
    arity=-2,
    flags=READONLY,
    keys=(_SOURCES,),
    group="set",
    since="1.0.0",
    complexity=_OF_ALL,
    summary="Returns the members that any of several sets has.",
    syntax="key [key ...]",
    tips=_ANY_ORDER,
)
def sunion(ctx: Context, argv: list[bytes]) -> object:
    return SetOf(cast("list[object]", union(_sets(ctx, argv, 1))))


@command(
    "SUNIONSTORE",
    arity=-3,
    flags=WRITE | DENYOOM,
    keys=(OVERWRITE, _STORED_SOURCES),
    group="set",
    since="1.0.0",
    complexity=_OF_ALL,
    summary="Stores the members that any of several sets has.",
    syntax="destination key [key ...]",
)
def sunionstore(ctx: Context, argv: list[bytes]) -> object:
    return _store(ctx, argv[1], union(_sets(ctx, argv, 2)), events.SET_UNIONSTORE)


@command(
    "SDIFF",
    arity=-2,
    flags=READONLY,
    keys=(_SOURCES,),
    group="set",
    since="1.0.0",
    complexity=_OF_FIRST,
    summary="Returns the members of a set that no other set has.",
    syntax="key [key ...]",
    tips=_ANY_ORDER,
)
def sdiff(ctx: Context, argv: list[bytes]) -> object:
    return SetOf(cast("list[object]", difference(_sets(ctx, argv, 1))))


@command(
    "SDIFFSTORE",
    arity=-3,
    flags=WRITE | DENYOOM,
    keys=(OVERWRITE, _STORED_SOURCES),
    group="set",
    since="1.0.0",
    complexity=_OF_FIRST,
    summary="Stores the members of a set that no other set has.",
    syntax="destination key [key ...]",
)
def sdiffstore(ctx: Context, argv: list[bytes]) -> object:
    return _store(ctx, argv[1], difference(_sets(ctx, argv, 2)), events.SET_DIFFSTORE)


def _sets(ctx: Context, argv: list[bytes], first: int) -> list[Set]:
    """The sets at the keys in `argv` from index `first` on."""
    found: list[Set] = []
    for index in range(first, len(argv)):
        held = lookup_set(ctx, argv[index])
        found.append(Set() if held is None else held)
    return found


def _store(ctx: Context, target: bytes, members: list[bytes], event: Event) -> int:
    """Let `target` be the set of `members`, or not be; returns their number."""
    if members:
        ctx.replace(target, gather(members, CONFIGURED))
        ctx.changed(target, event)
    elif ctx.remove(target):
        ctx.changed(target, events.DEL)
    return len(members)
