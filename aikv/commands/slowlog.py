"""SLOWLOG: the commands that took long. What is kept of them is told in `engine.slowlog`."""

from itertools import islice
from typing import Final

from aikv.base.errors import CommandError
from aikv.base.numbers import parse_i64
from aikv.engine.command import ADMIN, LOADING, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.resp.reply import OK

_FLAGS: Final = ADMIN | LOADING | STALE
_SHOWN: Final = 10
_NOT_A_COUNT: Final = b"ERR count should be greater than or equal to -1"

container(
    "SLOWLOG",
    group="server",
    since="2.2.12",
    summary="Holds commands on the log of slow commands.",
)


@command(
    "SLOWLOG|GET",
    arity=-2,
    flags=_FLAGS,
    group="server",
    since="2.2.12",
    complexity="O(N) where N is the number of entries returned",
    summary="Returns the newest entries: number, Unix time, microseconds, request, client's address and name.",
    syntax="[count]",
    tips=("request_policy:all_nodes", "nondeterministic_output"),
)
def slowlog_get(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 3:
        raise CommandError(
            b"ERR unknown subcommand or wrong number of arguments for '%b'. Try SLOWLOG HELP." % argv[1][:128]
        )
    count: int | None = _SHOWN
    if len(argv) == 3:
        count = parse_i64(argv[2])
        if count is None or count < -1:
            raise CommandError(_NOT_A_COUNT)
    entries = ctx.engine.observer.slowlog.entries
    wanted = len(entries) if count is None or count < 0 else min(count, len(entries))
    return [entry.reply() for entry in islice(entries, wanted)]


@command(
    "SLOWLOG|LEN",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="2.2.12",
    complexity="O(1)",
    summary="Returns the number of entries.",
    tips=("request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"),
)
def slowlog_len(ctx: Context, _argv: list[bytes]) -> object:
    return len(ctx.engine.observer.slowlog.entries)


@command(
    "SLOWLOG|RESET",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="2.2.12",
    complexity="O(N) where N is the number of entries",
    summary="Removes all entries.",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def slowlog_reset(ctx: Context, _argv: list[bytes]) -> object:
    ctx.engine.observer.slowlog.entries.clear()
    return OK


@command(
    "SLOWLOG|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="server",
    since="6.2.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def slowlog_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("SLOWLOG")
