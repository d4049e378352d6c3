"""EVAL and its relatives, SCRIPT. What they do is told in `scripts`."""

from collections.abc import Callable
from typing import Final

from aikv.base.errors import CommandError
from aikv.base.numbers import to_i64
from aikv.engine.command import (
    ALLOW_BUSY,
    LOADING,
    MAY_REPLICATE,
    MOVABLE_KEYS,
    NO_MANDATORY_KEYS,
    NOSCRIPT,
    READONLY,
    RUNS_SCRIPTS,
    SKIP_MONITOR,
    STALE,
    Handler,
    command,
    container,
)
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.keyspec import counted
from aikv.resp.reply import OK
from aikv.scripting.scripts import Scripts

_RUNNING: Final = NOSCRIPT | SKIP_MONITOR | NO_MANDATORY_KEYS | STALE | MOVABLE_KEYS | RUNS_SCRIPTS


def scripts_of(ctx: Context) -> Scripts:
    """The scripts of the engine; an engine whose commands are these has some."""
    scripting = ctx.engine.scripting
    assert isinstance(scripting, Scripts)
    return scripting


def _run(ctx: Context, argv: list[bytes], by_sha: bool, read_only: bool) -> object:
    scripts = scripts_of(ctx)
    scripts.show(ctx.client, argv)
    if by_sha and len(argv[1]) != 40:
        scripts.find(argv[1])
    keys = to_i64(argv[2])
    if keys > len(argv) - 3:
        raise CommandError(b"ERR Number of keys can't be greater than number of args")
    if keys < 0:
        raise CommandError(b"ERR Number of keys can't be negative")
    script = scripts.find(argv[1]) if by_sha else scripts.load(argv[1])
    return scripts.evaluate(ctx, argv, script, keys, read_only)


def _runs(name: str, script: str, since: str, read_only: bool, summary: str) -> Callable[[Handler], Handler]:
    """Declare a command that runs a script, which is given as its first argument, `script`."""
    return command(
        name,
        arity=-3,
        flags=_RUNNING | (READONLY if read_only else MAY_REPLICATE),
        keys=(counted(2, "RO access" if read_only else "RW access update"),),
        group="scripting",
        since=since,
        complexity="Depends on the script that is executed.",
        summary=summary,
        syntax=script + " numkeys [key [key ...]] [arg [arg ...]]",
    )


@_runs("EVAL", "script", since="2.6.0", read_only=False, summary="Runs a script in Lua.")
def eval_(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, False, False)


@_runs(
    "EVALSHA",
    "sha1",
    since="2.6.0",
    read_only=False,
    summary="Runs a script in Lua that the server has, by its SHA-1 digest.",
)
def evalsha(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, True, False)


@_runs("EVAL_RO", "script", since="7.0.0", read_only=True, summary="Runs a script in Lua that changes nothing.")
def eval_ro(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, False, True)


@_runs(
    "EVALSHA_RO",
    "sha1",
    since="7.0.0",
    read_only=True,
    summary="Runs a script in Lua that changes nothing and that the server has, by its SHA-1 digest.",
)
def evalsha_ro(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, True, True)


container("SCRIPT", group="scripting", since="2.6.0", summary="The scripts that the server has.", acl="")


@command(
    "SCRIPT|DEBUG",
    arity=3,
    flags=NOSCRIPT,
    group="scripting",
    since="3.2.0",
    complexity="O(1)",
    summary="Lets scripts be debugged, which aikv cannot do.",
    syntax="<YES | SYNC | NO>",
)
def script_debug(_ctx: Context, argv: list[bytes]) -> object:
    mode = argv[2].upper()
    if mode == b"NO":
        return OK
    if mode in (b"YES", b"SYNC"):
        raise CommandError(b"ERR aikv has no debugger for scripts")
    raise CommandError(b"ERR Use SCRIPT DEBUG YES/SYNC/NO")


@command(
    "SCRIPT|EXISTS",
    arity=-3,
    flags=NOSCRIPT,
    group="scripting",
    since="2.6.0",
    complexity="O(N) with N being the number of scripts to check",
    summary="Tells which of these scripts the server has.",
    syntax="sha1 [sha1 ...]",
    tips=("request_policy:all_shards", "response_policy:agg_logical_and"),
)
def script_exists(ctx: Context, argv: list[bytes]) -> object:
    scripts = scripts_of(ctx)
    return [1 if scripts.exists(sha) else 0 for sha in argv[2:]]


@command(
    "SCRIPT|FLUSH",
    arity=-2,
    flags=NOSCRIPT,
    group="scripting",
    since="2.6.0",
    complexity="O(N) with N being the number of scripts in cache",
    summary="Forgets all scripts.",
    syntax="[ASYNC | SYNC]",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def script_flush(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 3 or (len(argv) == 3 and argv[2].upper() not in (b"ASYNC", b"SYNC")):
        raise CommandError(b"ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    scripts_of(ctx).flush()
    return OK


@command(
    "SCRIPT|KILL",
    arity=2,
    flags=NOSCRIPT | ALLOW_BUSY,
    group="scripting",
    since="2.6.0",
    complexity="O(1)",
    summary="Ends the script that keeps the server busy, if it has changed nothing yet.",
    tips=("request_policy:all_shards", "response_policy:one_succeeded"),
)
def script_kill(ctx: Context, _argv: list[bytes]) -> object:
    scripts_of(ctx).kill()
    return OK


@command(
    "SCRIPT|LOAD",
    arity=3,
    flags=NOSCRIPT | STALE,
    group="scripting",
    since="2.6.0",
    complexity="O(N) with N being the length in bytes of the script body.",
    summary="Keeps a script without running it, and returns its SHA-1 digest.",
    syntax="script",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def script_load(ctx: Context, argv: list[bytes]) -> object:
    return scripts_of(ctx).load(argv[2]).sha


@command(
    "SCRIPT|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="scripting",
    since="5.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def script_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("SCRIPT")
