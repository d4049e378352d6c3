"""CONFIG: reading and changing the configuration of the running server.

Theory of operation: `engine.config` knows every directive and what may be done with it; these commands only bring the
arguments into its form. What a new value means is done by the hooks of whoever uses the directive.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.engine.command import ADMIN, LOADING, NOSCRIPT, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.origin import is_local
from aikv.engine.stats import reset_stats
from aikv.resp.reply import OK, Pairs

_FLAGS: Final = ADMIN | NOSCRIPT | LOADING | STALE

container(
    "CONFIG",
    group="server",
    since="2.0.0",
    summary="Holds commands on the configuration.",
)


@command(
    "CONFIG|GET",
    arity=-3,
    flags=_FLAGS,
    group="server",
    since="2.0.0",
    complexity="O(N) when N is the number of configuration parameters provided",
    summary="Returns the directives that match glob patterns, with their values.",
    syntax="parameter [parameter ...]",
)
def config_get(ctx: Context, argv: list[bytes]) -> object:
    items: list[object] = []
    for name, value in ctx.engine.config.match(argv[2:]):
        items.append(name)
        items.append(value)
    return Pairs(items)


@command(
    "CONFIG|SET",
    arity=-4,
    flags=_FLAGS,
    group="server",
    since="2.0.0",
    complexity="O(N) when N is the number of configuration parameters provided",
    summary="Sets directives: all that are given, or none where one is refused.",
    syntax="parameter value [parameter value ...]",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def config_set(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) % 2:
        raise CommandError(SYNTAX)
    pairs = [(argv[i], argv[i + 1]) for i in range(2, len(argv), 2)]
    ctx.engine.config.set_many(pairs, is_local(ctx.client))
    return OK


@command(
    "CONFIG|RESETSTAT",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="2.0.0",
    complexity="O(1)",
    summary="Sets the counters that INFO shows to zero.",
)
def config_resetstat(ctx: Context, _argv: list[bytes]) -> object:
    reset_stats(ctx.engine)
    return OK


@command(
    "CONFIG|REWRITE",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="2.8.0",
    complexity="O(1)",
    summary="Brings the configuration file up to date with the present values.",
)
def config_rewrite(ctx: Context, _argv: list[bytes]) -> object:
    ctx.engine.config.rewrite(ctx.engine.users.configured_lines())
    return OK


@command(
    "CONFIG|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="server",
    since="5.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def config_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("CONFIG")
