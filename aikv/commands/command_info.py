"""COMMAND: the command table, for clients that want to know it.

Theory of operation: everything here is made from the declarations by `engine.command_docs`; a name may be a
subcommand's (`config|get`). The commands listed are those of this engine, `rename-command` applied.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.glob import glob_match
from aikv.engine.command import CATEGORIES, COMMANDS, LOADING, NO_MANDATORY_KEYS, STALE, Command, command
from aikv.engine.command_docs import documentation, entry, has_keys, keys_with_flags
from aikv.engine.command_table import command_named, find_command
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.resp.reply import Pairs, SetOf, Status

_FLAGS: Final = LOADING | STALE
_ACL: Final = "connection"
_ANY_ORDER: Final = ("nondeterministic_output_order",)


@command(
    "COMMAND",
    arity=-1,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(N) where N is the total number of commands",
    summary="Describes all commands.",
    acl=_ACL,
    tips=_ANY_ORDER,
)
def command_(ctx: Context, _argv: list[bytes]) -> object:
    return _all_entries(ctx)


# Unlike other containers it does something by itself.
COMMANDS[b"command"].subcommands = {}


def _all_entries(ctx: Context) -> list[object]:
    return [entry(each) for each in ctx.engine.commands.values()]


@command(
    "COMMAND|COUNT",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(1)",
    summary="Returns the number of commands.",
    acl=_ACL,
)
def command_count(ctx: Context, _argv: list[bytes]) -> object:
    return len(ctx.engine.commands)


@command(
    "COMMAND|INFO",
    arity=-2,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(N) where N is the number of commands to look up",
    summary="Describes the commands given, or all.",
    syntax="[command-name [command-name ...]]",
    acl=_ACL,
    tips=_ANY_ORDER,
)
def command_info(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) == 2:
        return _all_entries(ctx)
    return [entry(command_named(ctx.engine.commands, name)) for name in argv[2:]]


@command(
    "COMMAND|DOCS",
    arity=-2,
    flags=_FLAGS,
    group="server",
    since="7.0.0",
    complexity="O(N) where N is the number of commands to look up",
    summary="Returns the documentation of the commands given, or of all.",
    syntax="[command-name [command-name ...]]",
    acl=_ACL,
    tips=_ANY_ORDER,
)
def command_docs(ctx: Context, argv: list[bytes]) -> object:
    items: list[object] = []
    for name in argv[2:] or list(ctx.engine.commands):
        found = command_named(ctx.engine.commands, name)
        if found is not None:
            items += [found.name.encode(), documentation(found)]
    return Pairs(items)


@command(
    "COMMAND|LIST",
    arity=-2,
    flags=_FLAGS,
    group="server",
    since="7.0.0",
    complexity="O(N) where N is the total number of commands",
    summary="Returns the names of all commands and subcommands, or of those that pass a filter.",
    syntax="[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
    acl=_ACL,
    tips=_ANY_ORDER,
)
def command_list(ctx: Context, argv: list[bytes]) -> object:
    table = ctx.engine.commands
    if len(argv) == 2:
        return [name for name, _ in _with_subcommands(table)]
    if len(argv) != 5 or argv[2].upper() != b"FILTERBY":
        raise CommandError(SYNTAX)
    by = argv[3].upper()
    if by == b"MODULE":
        return []
    if by == b"ACLCAT":
        category = argv[4].lower().decode("latin-1")
        if category not in CATEGORIES:
            return []
        return [name for name, each in _with_subcommands(table) if category in each.categories()]
    if by == b"PATTERN":
        return [name for name, _ in _with_subcommands(table) if glob_match(argv[4], name, True)]
    raise CommandError(SYNTAX)


def _with_subcommands(table: dict[bytes, Command]) -> list[tuple[bytes, Command]]:
    found: list[tuple[bytes, Command]] = []
    for name, each in table.items():
        found.append((name, each))
        for sub in (each.subcommands or {}).values():
            found.append((sub.name.encode(), sub))
    return found


@command(
    "COMMAND|GETKEYS",
    arity=-4,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(N) where N is the number of arguments to the command",
    summary="Returns the keys in a whole request.",
    syntax="command arg [arg ...]",
    acl=_ACL,
)
def command_getkeys(ctx: Context, argv: list[bytes]) -> object:
    return [key for key, _ in _keys(ctx, argv[2:])]


@command(
    "COMMAND|GETKEYSANDFLAGS",
    arity=-4,
    flags=_FLAGS,
    group="server",
    since="7.0.0",
    complexity="O(N) where N is the number of arguments to the command",
    summary="Returns the keys in a whole request, and what is done with each.",
    syntax="command arg [arg ...]",
    acl=_ACL,
)
def command_getkeysandflags(ctx: Context, argv: list[bytes]) -> object:
    reply: list[object] = []
    for key, flags in _keys(ctx, argv[2:]):
        statuses: list[object] = [Status(flag.encode()) for flag in flags]
        reply.append([key, SetOf(statuses)])
    return reply


def _keys(ctx: Context, argv: list[bytes]) -> list[tuple[bytes, list[str]]]:
    found = find_command(ctx.engine.commands, argv)
    if found is None:
        raise CommandError(b"ERR Invalid command specified")
    if not has_keys(found):
        raise CommandError(b"ERR The command has no key arguments")
    if not found.least <= len(argv) <= found.most:
        raise CommandError(b"ERR Invalid number of arguments specified for command")
    keys = keys_with_flags(found, argv)
    if not keys and found.flags & NO_MANDATORY_KEYS:
        return []
    if not keys:
        raise CommandError(b"ERR Invalid arguments specified for command")
    return keys


@command(
    "COMMAND|HELP",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="5.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
    acl=_ACL,
)
def command_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("COMMAND")
