"""From list to list, and from the first of several lists: LMOVE, RPOPLPUSH, LMPOP.

Theory of operation: `move_element` and `pop_from_first` are the work of these commands and of those that wait
(`list_blocking`), which differ in what they do when there is nothing.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64
from aikv.commands.list_lookup import is_head, peek_list
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.lists import List
from aikv.engine import events
from aikv.engine.command import DENYOOM, MOVABLE_KEYS, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ_DELETE, at, counted
from aikv.resp.reply import NULL_ARRAY

_TARGET: Final = at(2, "RW insert")
_FEW_KEYS: Final = b"ERR numkeys should be greater than 0"
_FEW_ELEMENTS: Final = b"ERR count should be greater than 0"


@command(
    "LMOVE",
    arity=5,
    flags=WRITE | DENYOOM,
    keys=(READ_DELETE, _TARGET),
    group="list",
    since="6.2.0",
    complexity="O(1)",
    summary="Moves an element from an end of a list to an end of another, or of the same.",
    syntax="source destination <LEFT | RIGHT> <LEFT | RIGHT>",
)
def lmove(ctx: Context, argv: list[bytes]) -> object:
    from_head = is_head(argv[3])
    return move_element(ctx, argv[1], argv[2], from_head, is_head(argv[4]))


@command(
    "RPOPLPUSH",
    arity=3,
    flags=WRITE | DENYOOM,
    keys=(READ_DELETE, _TARGET),
    group="list",
    since="1.2.0",
    complexity="O(1)",
    summary="Moves the last element of a list to the front of another, or of the same; LMOVE does the same.",
    syntax="source destination",
)
def rpoplpush(ctx: Context, argv: list[bytes]) -> object:
    return move_element(ctx, argv[1], argv[2], False, True)


@command(
    "LMPOP",
    arity=-4,
    flags=WRITE | MOVABLE_KEYS,
    keys=(counted(1, "RW access delete"),),
    group="list",
    since="7.0.0",
    complexity="O(N+M) for N keys and M elements.",
    summary="Removes and returns elements of the first of several lists that has any.",
    syntax="numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
)
def lmpop(ctx: Context, argv: list[bytes]) -> object:
    wanted = parse_wanted(argv, 1)
    popped = pop_many_from_first(ctx, wanted)
    return NULL_ARRAY if popped is None else popped


class Wanted:
    """What LMPOP and BLMPOP are asked for: at most `count` elements from the head or the tail of one of `keys`."""

    def __init__(self, keys: list[bytes], head: bool, count: int) -> None:
        self.keys: Final = keys
        self.head: Final = head
        self.count: Final = count


def parse_wanted(argv: list[bytes], first: int) -> Wanted:
    """Read the arguments from index `first` on, the number of keys. Raises CommandError."""
    number = parse_i64(argv[first])
    if number is None or number < 1:
        raise CommandError(_FEW_KEYS)
    place = first + 1 + number
    if place >= len(argv):
        raise CommandError(SYNTAX)
    head = is_head(argv[place])
    count = 1
    if place + 1 < len(argv):
        if argv[place + 1].upper() != b"COUNT" or place + 2 == len(argv):
            raise CommandError(SYNTAX)
        given = parse_i64(argv[place + 2])
        if given is None or given < 1:
            raise CommandError(_FEW_ELEMENTS)
        if place + 3 < len(argv):
            raise CommandError(SYNTAX)
        count = given
    return Wanted(argv[first + 1 : place], head, count)


def pop_many_from_first(ctx: Context, wanted: Wanted) -> list[object] | None:
    """Pop from the first list that is there: its key and the elements; None where none is. Raises WRONGTYPE."""
    for key in wanted.keys:
        held = peek_list(ctx, key)
        if held is None:
            continue
        if wanted.head:
            popped = held.pop_head_many(wanted.count, CONFIGURED)
        else:
            popped = held.pop_tail_many(wanted.count, CONFIGURED)
        ctx.rewrite([b"LPOP" if wanted.head else b"RPOP", key, b"%d" % len(popped)])
        report_popped(ctx, key, held, wanted.head, len(popped))
        return [key, popped]
    return None


def move_element(ctx: Context, source: bytes, target: bytes, from_head: bool, to_head: bool) -> bytes | None:
    """Move one element; returns it, or None where there is no list at `source`. Raises WRONGTYPE."""
    giving = peek_list(ctx, source)
    if giving is None:
        return None
    taking = peek_list(ctx, target)
    element = giving.pop_head(CONFIGURED) if from_head else giving.pop_tail(CONFIGURED)
    assert element is not None
    if taking is None:
        taking = List()
        ctx.put(target, taking)
    if to_head:
        taking.push_head([element], 0, CONFIGURED)
        ctx.changed(target, events.LIST_LPUSH)
    else:
        taking.push_tail([element], 0, CONFIGURED)
        ctx.changed(target, events.LIST_RPUSH)
    report_popped(ctx, source, giving, from_head, 1)
    return element


def report_popped(ctx: Context, key: bytes, held: List, head: bool, count: int) -> None:
    """Report that `count` elements were popped from `held`, which is what `key` holds."""
    ctx.changed_container(key, held, events.LIST_LPOP if head else events.LIST_RPOP, count)
