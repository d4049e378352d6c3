"""Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH. What they do is told in `engine.multi` and `engine.watching`."""

from aikv.base.errors import CommandError
from aikv.engine import gates, multi, watching
from aikv.engine.command import ALLOW_BUSY, FAST, LOADING, NOSCRIPT, RUNS_SCRIPTS, SKIP_SLOWLOG, STALE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import at
from aikv.resp.reply import OK


@command(
    "MULTI",
    arity=1,
    flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
    group="transactions",
    since="1.2.0",
    complexity="O(1)",
    summary="Begins a transaction: the commands that follow are queued.",
)
def multi_(ctx: Context, _argv: list[bytes]) -> object:
    if ctx.client.gates & gates.MULTI:
        raise CommandError(b"ERR MULTI calls can not be nested")
    multi.begin(ctx.client)
    return OK


@command(
    "EXEC",
    arity=1,
    flags=NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG,
    group="transactions",
    since="1.2.0",
    complexity="That of the commands in the transaction.",
    summary="Runs the queued commands of a transaction.",
)
def exec_(ctx: Context, argv: list[bytes]) -> object:
    if not ctx.client.gates & gates.MULTI:
        raise CommandError(b"ERR EXEC without MULTI")
    if multi.queued_flags(ctx.client.queued) & RUNS_SCRIPTS:
        return ctx.engine.scripting.run_apart(ctx.client, argv, multi.Whole(ctx.engine, ctx.client).run)
    return multi.run(ctx.engine, ctx.client)


@command(
    "DISCARD",
    arity=1,
    flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
    group="transactions",
    since="2.0.0",
    complexity="O(N), N being the number of queued commands.",
    summary="Drops the queued commands of a transaction.",
)
def discard(ctx: Context, _argv: list[bytes]) -> object:
    if not ctx.client.gates & gates.MULTI:
        raise CommandError(b"ERR DISCARD without MULTI")
    multi.discard(ctx.engine, ctx.client)
    return OK


@command(
    "WATCH",
    arity=-2,
    flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
    keys=(at(1, "RO", last=-1),),
    group="transactions",
    since="2.2.0",
    complexity="O(1) for each key.",
    summary="Makes the next EXEC do nothing if one of the keys has changed by then.",
    syntax="key [key ...]",
)
def watch(ctx: Context, argv: list[bytes]) -> object:
    client = ctx.client
    if client.gates & gates.MULTI:
        raise CommandError(b"ERR WATCH inside MULTI is not allowed")
    # A client whose transaction is spoiled already need not watch more.
    if not client.stale_watch:
        for index in range(1, len(argv)):
            watching.watch(ctx.engine, client, argv[index])
    return OK


@command(
    "UNWATCH",
    arity=1,
    flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
    group="transactions",
    since="2.2.0",
    complexity="O(1) for each watched key.",
    summary="Forgets all watched keys.",
)
def unwatch(ctx: Context, _argv: list[bytes]) -> object:
    watching.unwatch(ctx.engine, ctx.client)
    return OK
