"""MODULE: extensions. There is no room for any yet, so the list is empty and none can be loaded.

Theory of operation: `enable-module-command` is `no`, which is what a Redis that is not told otherwise answers, too. A
module of Redis is compiled against its C interface and could not be loaded here in any case.
"""

from typing import Final

from aikv.base.errors import CommandError
from aikv.engine.command import ADMIN, LOADING, NO_ASYNC_LOADING, NOSCRIPT, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.origin import is_allowed

_FLAGS: Final = ADMIN | NOSCRIPT | NO_ASYNC_LOADING
_NOT_ALLOWED: Final = (
    b'ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can run it from a '
    b"local connection, otherwise you need to set this option in the configuration file, and then restart the server."
)
_NOT_LOADED: Final = b"ERR Error loading the extension. Please check the server logs."

container(
    "MODULE",
    group="server",
    since="4.0.0",
    summary="Holds commands on modules.",
)


@command(
    "MODULE|LIST",
    arity=2,
    flags=ADMIN | NOSCRIPT,
    group="server",
    since="4.0.0",
    complexity="O(N) where N is the number of loaded modules.",
    summary="Returns the loaded modules.",
    tips=("nondeterministic_output_order",),
)
def module_list(_ctx: Context, _argv: list[bytes]) -> object:
    return []


@command(
    "MODULE|LOAD",
    arity=-3,
    flags=_FLAGS,
    group="server",
    since="4.0.0",
    complexity="O(1)",
    summary="Loads a module.",
    syntax="path [arg [arg ...]]",
)
def module_load(ctx: Context, _argv: list[bytes]) -> object:
    _need_permission(ctx)
    raise CommandError(_NOT_LOADED)


@command(
    "MODULE|LOADEX",
    arity=-3,
    flags=_FLAGS,
    group="server",
    since="7.0.0",
    complexity="O(1)",
    summary="Loads a module with settings.",
    syntax="path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]",
)
def module_loadex(ctx: Context, _argv: list[bytes]) -> object:
    _need_permission(ctx)
    raise CommandError(_NOT_LOADED)


@command(
    "MODULE|UNLOAD",
    arity=3,
    flags=_FLAGS,
    group="server",
    since="4.0.0",
    complexity="O(1)",
    summary="Unloads a module.",
    syntax="name",
)
def module_unload(ctx: Context, _argv: list[bytes]) -> object:
    _need_permission(ctx)
    raise CommandError(b"ERR Error unloading module: no such module with that name")


def _need_permission(ctx: Context) -> None:
    if not is_allowed(ctx.engine.config.get_bytes("enable-module-command"), ctx.client):
        raise CommandError(_NOT_ALLOWED)


@command(
    "MODULE|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="server",
    since="5.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def module_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("MODULE")
