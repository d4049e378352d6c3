"""Sets: members one by one. Operations on several sets are in `set_algebra`, drawing members in `set_random`.

Theory of operation: what a set is, and what each step costs, is told in `datatypes.sets`.
"""

from typing import Final, cast

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.commands.set_lookup import lookup_set, peek_set
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.sets import Set
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import DELETE, INSERT, INSPECT, READ, READ_DELETE, at
from aikv.keyspace.scan import parse_cursor, parse_scan
from aikv.resp.reply import SetOf

_OF_EACH: Final = "O(N) for N members."


@command(
    "SADD",
    arity=-3,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="set",
    since="1.0.0",
    complexity=_OF_EACH,
    summary="Adds members to a set, which is made if need be.",
    syntax="key member [member ...]",
)
def sadd(ctx: Context, argv: list[bytes]) -> object:
    held = peek_set(ctx, argv[1])
    if held is None:
        held = Set()
        ctx.put(argv[1], held)
    added = held.add_many(argv, 2, CONFIGURED)
    if added:
        ctx.grown(argv[1], events.SET_ADD, added)
    return added


@command(
    "SREM",
    arity=-3,
    flags=WRITE | FAST,
    keys=(DELETE,),
    group="set",
    since="1.0.0",
    complexity=_OF_EACH,
    summary="Removes members of a set; a set without members is removed, too.",
    syntax="key member [member ...]",
)
def srem(ctx: Context, argv: list[bytes]) -> object:
    held = peek_set(ctx, argv[1])
    if held is None:
        return 0
    removed = 0
    for index in range(2, len(argv)):
        if held.remove(argv[index]):
            removed += 1
    ctx.changed_container(argv[1], held, events.SET_REM, removed)
    return removed


@command(
    "SMOVE",
    arity=4,
    flags=WRITE | FAST,
    keys=(READ_DELETE, at(2, "RW insert")),
    group="set",
    since="1.0.0",
    complexity="O(1)",
    summary="Moves a member from one set to another.",
    syntax="source destination member",
)
def smove(ctx: Context, argv: list[bytes]) -> object:
    source_key, target_key, member = argv[1], argv[2], argv[3]
    value = ctx.peek(source_key)
    target_value = ctx.peek(target_key)
    if value is None:
        return 0
    source = _as_set(value)
    target = None if target_value is None else _as_set(target_value)
    if source is target:
        return 1 if member in source else 0
    if not source.remove(member):
        return 0
    ctx.changed_container(source_key, source, events.SET_REM)
    if target is None:
        target = Set()
        target.prepare(member, 1, CONFIGURED)
        ctx.put(target_key, target)
    if target.add(member, CONFIGURED):
        ctx.changed_container(target_key, target, events.SET_ADD)
    return 1


def _as_set(value: object) -> Set:
    if isinstance(value, Set):
        return value
    raise CommandError(WRONGTYPE)


@command(
    "SISMEMBER",
    arity=3,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="set",
    since="1.0.0",
    complexity="O(1)",
    summary="Tells whether a set has a member.",
    syntax="key member",
)
def sismember(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_set(ctx, argv[1])
    return 1 if held is not None and argv[2] in held else 0


@command(
    "SMISMEMBER",
    arity=-3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="set",
    since="6.2.0",
    complexity=_OF_EACH,
    summary="Tells of several members whether a set has them.",
    syntax="key member [member ...]",
)
def smismember(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_set(ctx, argv[1])
    if held is None:
        return [0] * (len(argv) - 2)
    return [1 if argv[index] in held else 0 for index in range(2, len(argv))]


@command(
    "SCARD",
    arity=2,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="set",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns the number of members of a set.",
    syntax="key",
)
def scard(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_set(ctx, argv[1])
    return 0 if held is None else len(held)


@command(
    "SMEMBERS",
    arity=2,
    flags=READONLY,
    keys=(READ,),
    group="set",
    since="1.0.0",
    complexity="O(N), N being the number of members.",
    summary="Returns all members of a set.",
    syntax="key",
    tips=("nondeterministic_output_order",),
)
def smembers(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_set(ctx, argv[1])
    return SetOf([] if held is None else cast("list[object]", held.members()))


@command(
    "SSCAN",
    arity=-3,
    flags=READONLY,
    keys=(READ,),
    group="set",
    since="2.8.0",
    complexity="O(1) for a call, O(N) for a whole scan of N members.",
    summary="Walks the members of a set in steps.",
    syntax="key cursor [MATCH pattern] [COUNT count]",
    tips=("nondeterministic_output",),
)
def sscan(ctx: Context, argv: list[bytes]) -> object:
    cursor = parse_cursor(argv[2])
    held = lookup_set(ctx, argv[1])
    if held is None:
        return [b"0", []]
    options = parse_scan(argv, 3, typed=False)
    cursor, members = held.scan(cursor, options.count)
    glob = options.glob
    if glob is not None:
        members = [member for member in members if glob.match(member)]
    return [b"%d" % cursor, members]
