"""Hashes: setting, getting and removing fields. Numbers are in `hash_counters`, drawing and walking in `hash_random`.

Theory of operation: what a hash is, and what each step costs, is told in `datatypes.hashes`. Fields that ran out have
been removed before a command gets to see the hash (`keyspace.database`), so no command asks for times.
"""

from typing import Final, cast

from aikv.base.errors import CommandError
from aikv.commands.hash_lookup import lookup_hash, peek_hash, writable_hash
from aikv.datatypes.limits import CONFIGURED
from aikv.engine import events
from aikv.engine.command import COMMANDS, DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import DELETE, INSERT, INSPECT, READ, UPDATE
from aikv.engine.refusal import wrong_arity
from aikv.resp.reply import OK, Pairs

_OF_ALL: Final = "O(N), N being the number of fields."
_ANY_ORDER: Final = ("nondeterministic_output_order",)


@command(
    "HSET",
    arity=-4,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="hash",
    since="2.0.0",
    complexity="O(N) for N fields.",
    summary="Sets fields of a hash, which is made if need be.",
    syntax="key field value [field value ...]",
)
def hset(ctx: Context, argv: list[bytes]) -> object:
    return _set(ctx, argv, b"hset")


@command(
    "HMSET",
    arity=-4,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="hash",
    since="2.0.0",
    complexity="O(N) for N fields.",
    summary="Sets fields of a hash; HSET does the same and says how many are new.",
    syntax="key field value [field value ...]",
)
def hmset(ctx: Context, argv: list[bytes]) -> object:
    _set(ctx, argv, b"hmset")
    return OK


def _set(ctx: Context, argv: list[bytes], name: bytes) -> int:
    count = len(argv)
    if count & 1:
        raise CommandError(wrong_arity(COMMANDS[name]))
    key = argv[1]
    held = writable_hash(ctx, key)
    if count == 4:
        added = 1 if held.set(argv[2], argv[3], CONFIGURED) else 0
        ctx.changed(key, events.HASH_SET)
    else:
        added = held.set_pairs(argv, 2, CONFIGURED)
        ctx.grown(key, events.HASH_SET, (count - 2) >> 1)
    return added


@command(
    "HSETNX",
    arity=4,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="hash",
    since="2.0.0",
    complexity="O(1)",
    summary="Sets a field of a hash unless the hash has it.",
    syntax="key field value",
)
def hsetnx(ctx: Context, argv: list[bytes]) -> object:
    held = writable_hash(ctx, argv[1])
    if not held.set_new(argv[2], argv[3], CONFIGURED):
        return 0
    ctx.changed_container(argv[1], held, events.HASH_SET)
    return 1


@command(
    "HGET",
    arity=3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="hash",
    since="2.0.0",
    complexity="O(1)",
    summary="Returns the value of a field of a hash.",
    syntax="key field",
)
def hget(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return None if held is None else held.get(argv[2])


@command(
    "HMGET",
    arity=-3,
    flags=READONLY | FAST,
    keys=(READ,),
    group="hash",
    since="2.0.0",
    complexity="O(N) for N fields.",
    summary="Returns the values of several fields of a hash.",
    syntax="key field [field ...]",
)
def hmget(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return [None] * (len(argv) - 2) if held is None else held.get_many(argv[2:])


@command(
    "HGETALL",
    arity=2,
    flags=READONLY,
    keys=(READ,),
    group="hash",
    since="2.0.0",
    complexity=_OF_ALL,
    summary="Returns all fields of a hash and their values.",
    syntax="key",
    tips=_ANY_ORDER,
)
def hgetall(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return Pairs([] if held is None else cast("list[object]", held.pairs()))


@command(
    "HKEYS",
    arity=2,
    flags=READONLY,
    keys=(READ,),
    group="hash",
    since="2.0.0",
    complexity=_OF_ALL,
    summary="Returns all fields of a hash.",
    syntax="key",
    tips=_ANY_ORDER,
)
def hkeys(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return [] if held is None else held.fields()


@command(
    "HVALS",
    arity=2,
    flags=READONLY,
    keys=(READ,),
    group="hash",
    since="2.0.0",
    complexity=_OF_ALL,
    summary="Returns the values of all fields of a hash.",
    syntax="key",
    tips=_ANY_ORDER,
)
def hvals(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return [] if held is None else held.values()


@command(
    "HDEL",
    arity=-3,
    flags=WRITE | FAST,
    keys=(DELETE,),
    group="hash",
    since="2.0.0",
    complexity="O(N) for N fields.",
    summary="Removes fields of a hash; a hash without fields is removed, too.",
    syntax="key field [field ...]",
)
def hdel(ctx: Context, argv: list[bytes]) -> object:
    held = peek_hash(ctx, argv[1])
    if held is None:
        return 0
    removed = 0
    for index in range(2, len(argv)):
        if held.delete(argv[index]):
            removed += 1
    ctx.changed_container(argv[1], held, events.HASH_DEL, removed)
    return removed


@command(
    "HEXISTS",
    arity=3,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="hash",
    since="2.0.0",
    complexity="O(1)",
    summary="Tells whether a hash has a field.",
    syntax="key field",
)
def hexists(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return 1 if held is not None and argv[2] in held else 0


@command(
    "HLEN",
    arity=2,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="hash",
    since="2.0.0",
    complexity="O(1)",
    summary="Returns the number of fields of a hash.",
    syntax="key",
)
def hlen(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return 0 if held is None else len(held)


@command(
    "HSTRLEN",
    arity=3,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="hash",
    since="3.2.0",
    complexity="O(1)",
    summary="Returns the length in bytes of the value of a field of a hash.",
    syntax="key field",
)
def hstrlen(ctx: Context, argv: list[bytes]) -> object:
    held = lookup_hash(ctx, argv[1])
    return 0 if held is None else held.strlen(argv[2])
