"""SORT and SORT_RO: the elements of a list, a set or a sorted set, in order, or other values in their stead.

Theory of operation: the elements are read, put in order (`sort_order`) and cut to LIMIT; then GET's patterns
(`sort_pattern`) are looked up for those that are left. Where nothing is to be compared (BY with a text that has no
star), lists and sorted sets have an order, and only the range that LIMIT wants is read; DESC reads it from the end.

A set has none, so what is stored of it is put in order by bytes, for replicas and a restart must come to the same list.
"""

from typing import Final

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.commands.sort_options import SortOptions, sort_keys
from aikv.commands.sort_order import in_order
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.lists import List, list_of
from aikv.datatypes.sets import Set
from aikv.datatypes.zsets import SortedSet
from aikv.engine import events
from aikv.engine.acl.enforce import may_read_any_key
from aikv.engine.command import DENYOOM, MOVABLE_KEYS, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ, somewhere

_NAMED_BY_ELEMENTS: Final = somewhere("RO access")
_TARGET: Final = somewhere("OW update")
_COMPLEXITY: Final = "O(N+N*log(N)) for N elements, O(N) where they are not compared."
_SYNTAX: Final = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]"
_ACL: Final = "set sortedset list dangerous"


@command(
    "SORT",
    arity=-2,
    flags=WRITE | DENYOOM | MOVABLE_KEYS,
    keys=(READ, _NAMED_BY_ELEMENTS, _TARGET),
    group="generic",
    since="1.0.0",
    complexity=_COMPLEXITY,
    summary="Returns or stores the elements of a list, a set or a sorted set in order.",
    syntax=_SYNTAX + " [STORE destination]",
    acl=_ACL,
    keys_of=sort_keys,
)
def sort(ctx: Context, argv: list[bytes]) -> object:
    return _sort(ctx, argv, True)


@command(
    "SORT_RO",
    arity=-2,
    flags=READONLY | MOVABLE_KEYS,
    keys=(READ, _NAMED_BY_ELEMENTS),
    group="generic",
    since="7.0.0",
    complexity=_COMPLEXITY,
    summary="Returns the elements of a list, a set or a sorted set in order.",
    syntax=_SYNTAX,
    acl=_ACL,
)
def sort_ro(ctx: Context, argv: list[bytes]) -> object:
    return _sort(ctx, argv, False)


def _sort(ctx: Context, argv: list[bytes], may_store: bool) -> object:
    options = SortOptions(argv, may_store, may_read_any_key(ctx.engine, ctx.client, argv))
    value = ctx.lookup(argv[1])
    if value is not None and not isinstance(value, (List, Set, SortedSet)):
        raise CommandError(WRONGTYPE)
    elements = [] if value is None else _wanted(ctx, value, options)
    results: list[object] = list(elements)
    if options.gets:
        results = [pattern.value(ctx, element) for element in elements for pattern in options.gets]
    if options.target is None:
        return results
    return _store(ctx, options.target, results)


def _wanted(ctx: Context, value: List | Set | SortedSet, options: SortOptions) -> list[bytes]:
    """The elements of `value` that LIMIT leaves, in order."""
    if isinstance(value, Set) and options.in_order and options.target is not None:
        options.in_order = False
        options.alpha = True
        options.by = None
    if isinstance(value, SortedSet):
        # So it is in Redis, and OBJECT ENCODING shows it.
        value.become_large()
    start, stop = options.slice_of(len(value))
    if not options.in_order:
        elements = value.members() if isinstance(value, Set) else _range(value, 0, len(value), False)
        return in_order(ctx, elements, options)[start:stop]
    if isinstance(value, Set):
        return value.members()[start:stop]
    return _range(value, start, stop, options.descending)


def _range(value: List | SortedSet, start: int, stop: int, descending: bool) -> list[bytes]:
    """The elements with the indexes `start` to before `stop`, all of which are there, counted from the end if asked."""
    if start == stop:
        return []
    if descending:
        start, stop = len(value) - stop, len(value) - start
    found = value.range(start, stop - 1) if isinstance(value, List) else value.members(start, stop)
    if descending:
        found.reverse()
    return found


def _store(ctx: Context, target: bytes, results: list[object]) -> int:
    """Let `target` be the list of `results`, or not be; returns how many they are."""
    texts = [result if isinstance(result, bytes) else b"" for result in results]
    if texts:
        ctx.replace(target, list_of(texts, CONFIGURED))
        # Each element is a change; `changed` counts one.
        ctx.engine.dirty += len(texts) - 1
        ctx.changed(target, events.LIST_SORTSTORE)
    elif ctx.remove(target):
        ctx.changed(target, events.DEL)
    return len(texts)
