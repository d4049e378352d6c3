"""Commands on whole databases: choosing, counting, emptying and exchanging them."""

from aikv.base.errors import DB_OUT_OF_RANGE, SYNTAX, CommandError
from aikv.engine import databases
from aikv.engine.command import FAST, LOADING, READONLY, STALE, WRITE, command
from aikv.engine.context import Context
from aikv.resp.reply import OK


@command(
    "SELECT",
    arity=2,
    flags=LOADING | STALE | FAST,
    group="connection",
    since="1.0.0",
    complexity="O(1)",
    summary="Chooses the database that the connection's commands work on.",
    syntax="index",
)
def select(ctx: Context, argv: list[bytes]) -> object:
    ctx.select(databases.database_index(ctx.engine, argv[1]))
    return OK


@command(
    "SWAPDB",
    arity=3,
    flags=WRITE | FAST,
    group="server",
    since="4.0.0",
    complexity="O(N), N being the number of keys watched in the two databases.",
    summary="Exchanges the contents of two databases.",
    syntax="index1 index2",
    acl="keyspace dangerous",
)
def swapdb(ctx: Context, argv: list[bytes]) -> object:
    first = databases.small_integer(argv[1])
    if first is None:
        raise CommandError(b"ERR invalid first DB index")
    second = databases.small_integer(argv[2])
    if second is None:
        raise CommandError(b"ERR invalid second DB index")
    engine = ctx.engine
    count = len(engine.databases)
    if not (0 <= first < count and 0 <= second < count):
        raise CommandError(DB_OUT_OF_RANGE)
    if first != second:
        databases.exchange(engine, engine.databases[first], engine.databases[second])
    engine.dirty += 1
    return OK


@command(
    "DBSIZE",
    arity=1,
    flags=READONLY | FAST,
    group="server",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns the number of keys in the database.",
    acl="keyspace",
    tips=("request_policy:all_shards", "response_policy:agg_sum"),
)
def dbsize(ctx: Context, _argv: list[bytes]) -> object:
    return len(ctx.db)


@command(
    "FLUSHDB",
    arity=-1,
    flags=WRITE,
    group="server",
    since="1.0.0",
    complexity="O(1); the memory is freed in the background.",
    summary="Removes all keys of the database.",
    syntax="[ASYNC | SYNC]",
    acl="keyspace dangerous",
    tips=("request_policy:all_shards", "response_policy:all_succeeded"),
)
def flushdb(ctx: Context, argv: list[bytes]) -> object:
    _check_flush_options(argv)
    engine = ctx.engine
    if engine.tracks:
        engine.tracking.flushed()
    # An empty database counts as one change, so that a replica that differs becomes empty too.
    engine.dirty += max(1, databases.empty(engine, ctx.db))
    return OK


@command(
    "FLUSHALL",
    arity=-1,
    flags=WRITE,
    group="server",
    since="1.0.0",
    complexity="O(1); the memory is freed in the background.",
    summary="Removes all keys of all databases.",
    syntax="[ASYNC | SYNC]",
    acl="keyspace dangerous",
    tips=("request_policy:all_shards", "response_policy:all_succeeded"),
)
def flushall(ctx: Context, argv: list[bytes]) -> object:
    _check_flush_options(argv)
    engine = ctx.engine
    if engine.tracks:
        engine.tracking.flushed()
    for database in engine.databases:
        engine.dirty += databases.empty(engine, database)
    engine.dirty += 1
    for hook in engine.on_flushall:
        hook()
    return OK


def _check_flush_options(argv: list[bytes]) -> None:
    if len(argv) > 2 or (len(argv) == 2 and argv[1].upper() not in (b"ASYNC", b"SYNC")):
        raise CommandError(SYNTAX)
