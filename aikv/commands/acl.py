"""ACL: users and what they may do.

Theory of operation: `engine.acl` knows users and rules; these commands bring the arguments to it and its answers into
the form of replies. What was refused is shown by `commands.acl_log`.
"""

import secrets
from typing import Final

from aikv.base.errors import NOT_AN_INTEGER, CommandError
from aikv.base.numbers import parse_i64
from aikv.engine.acl.check import denial
from aikv.engine.acl.describe import channels_of, commands_of, flags_of, keys_of, user_line
from aikv.engine.acl.enforce import explained
from aikv.engine.acl.parse import has_blanks
from aikv.engine.acl.selector import Selector
from aikv.engine.acl.users import DEFAULT_USER
from aikv.engine.command import ADMIN, CATEGORIES, EVERY, LOADING, NOSCRIPT, STALE, command, container
from aikv.engine.command_table import find_command
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.refusal import wrong_arity
from aikv.resp.reply import OK, Pairs, SetOf

_PLAIN: Final = NOSCRIPT | LOADING | STALE
_FOR_ADMINS: Final = ADMIN | NOSCRIPT | LOADING | STALE
_USUAL_BITS: Final = 256
_MAX_BITS: Final = 4096
_QUOTED: Final = 128

container("ACL", group="server", since="6.0.0", summary="Holds commands on users and their rights.")


def no_such_form(argv: list[bytes]) -> CommandError:
    """The error for a subcommand that is given too many arguments where Redis counts them by itself."""
    return CommandError(
        b"ERR unknown subcommand or wrong number of arguments for '" + argv[1][:_QUOTED] + b"'. Try ACL HELP."
    )


@command(
    "ACL|CAT",
    arity=-2,
    flags=_PLAIN,
    group="server",
    since="6.0.0",
    complexity="O(1) since the categories and commands are a fixed set.",
    summary="Lists the categories, or the commands of one.",
    syntax="[category]",
)
def acl_cat(_ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 3:
        raise no_such_form(argv)
    if len(argv) == 2:
        return [category.encode() for category in CATEGORIES]
    category = argv[2].lower().decode("latin-1")
    if category not in CATEGORIES:
        raise CommandError(b"ERR Unknown category '" + argv[2][:_QUOTED] + b"'")
    return [entry.name.encode() for entry in EVERY if category in entry.categories()]


@command(
    "ACL|DELUSER",
    arity=-3,
    flags=_FOR_ADMINS,
    group="server",
    since="6.0.0",
    complexity="O(1) amortized time considering the typical user.",
    summary="Deletes users and ends their connections.",
    syntax="username [username ...]",
)
def acl_deluser(ctx: Context, argv: list[bytes]) -> object:
    if DEFAULT_USER in argv[2:]:
        raise CommandError(b"ERR The 'default' user cannot be removed")
    return sum(ctx.engine.users.delete(name, ctx.client) for name in argv[2:])


@command(
    "ACL|DRYRUN",
    arity=-4,
    flags=_FOR_ADMINS,
    group="server",
    since="7.0.0",
    complexity="O(1).",
    summary="Says whether a user may run a command, without running it.",
    syntax="username command [arg [arg ...]]",
)
def acl_dryrun(ctx: Context, argv: list[bytes]) -> object:
    user = ctx.engine.users.by_name.get(argv[2])
    if user is None:
        raise CommandError(b"ERR User '" + argv[2] + b"' not found")
    request = argv[3:]
    entry = find_command(ctx.engine.commands, request)
    if entry is None:
        raise CommandError(b"ERR Command '" + argv[3] + b"' not found")
    if not entry.least <= len(request) <= entry.most:
        raise CommandError(wrong_arity(entry))
    found = denial(user, entry, request)
    return OK if found is None else explained(found, user.name, entry, request)


@command(
    "ACL|GENPASS",
    arity=-2,
    flags=_PLAIN,
    group="server",
    since="6.0.0",
    complexity="O(1)",
    summary="Makes up a password that nobody can guess.",
    syntax="[bits]",
)
def acl_genpass(_ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 3:
        raise no_such_form(argv)
    bits = parse_i64(argv[2]) if len(argv) == 3 else _USUAL_BITS
    if bits is None:
        raise CommandError(NOT_AN_INTEGER)
    if not 0 < bits <= _MAX_BITS:
        raise CommandError(
            b"ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to %d"
            % _MAX_BITS
        )
    digits = (bits + 3) // 4
    return secrets.token_hex((digits + 1) // 2)[:digits].encode()


@command(
    "ACL|GETUSER",
    arity=3,
    flags=_FOR_ADMINS,
    group="server",
    since="6.0.0",
    complexity="O(N). Where N is the number of password, command and pattern rules that the user has.",
    summary="Returns the rules of a user.",
    syntax="username",
)
def acl_getuser(ctx: Context, argv: list[bytes]) -> object:
    user = ctx.engine.users.by_name.get(argv[2])
    if user is None:
        return None
    flags: list[object] = []
    flags += flags_of(user)
    selectors: list[object] = [Pairs(_fields(selector)) for selector in user.selectors[1:]]
    passwords: list[object] = []
    passwords += user.passwords
    return Pairs(
        [b"flags", SetOf(flags), b"passwords", passwords, *_fields(user.root), b"selectors", selectors],
    )


def _fields(selector: Selector) -> list[object]:
    return [
        b"commands",
        commands_of(selector),
        b"keys",
        keys_of(selector),
        b"channels",
        channels_of(selector),
    ]


@command(
    "ACL|LIST",
    arity=2,
    flags=_FOR_ADMINS,
    group="server",
    since="6.0.0",
    complexity="O(N). Where N is the number of configured users.",
    summary="Returns all users in the form of an ACL file.",
)
def acl_list(ctx: Context, _argv: list[bytes]) -> object:
    return [user_line(user) for user in ctx.engine.users.in_order()]


@command(
    "ACL|LOAD",
    arity=2,
    flags=_FOR_ADMINS,
    group="server",
    since="6.0.0",
    complexity="O(N). Where N is the number of configured users.",
    summary="Reads all users from the ACL file anew.",
)
def acl_load(ctx: Context, _argv: list[bytes]) -> object:
    ctx.engine.users.load(ctx.client)
    return OK


@command(
    "ACL|SAVE",
    arity=2,
    flags=_FOR_ADMINS,
    group="server",
    since="6.0.0",
    complexity="O(N). Where N is the number of configured users.",
    summary="Writes all users to the ACL file.",
)
def acl_save(ctx: Context, _argv: list[bytes]) -> object:
    ctx.engine.users.save()
    return OK


@command(
    "ACL|SETUSER",
    arity=-3,
    flags=_FOR_ADMINS,
    group="server",
    since="6.0.0",
    complexity="O(N). Where N is the number of rules provided.",
    summary="Makes a user, or changes one by rules.",
    syntax="username [rule [rule ...]]",
)
def acl_setuser(ctx: Context, argv: list[bytes]) -> object:
    if has_blanks(argv[2]):
        raise CommandError(b"ERR Usernames can't contain spaces or null characters")
    ctx.engine.users.change(argv[2], argv[3:], ctx.client)
    return OK


@command(
    "ACL|USERS",
    arity=2,
    flags=_FOR_ADMINS,
    group="server",
    since="6.0.0",
    complexity="O(N). Where N is the number of configured users.",
    summary="Returns the names of all users.",
)
def acl_users(ctx: Context, _argv: list[bytes]) -> object:
    return [user.name for user in ctx.engine.users.in_order()]


@command(
    "ACL|WHOAMI",
    arity=2,
    flags=_PLAIN,
    group="server",
    since="6.0.0",
    complexity="O(1)",
    summary="Returns the name of the user that the connection has.",
)
def acl_whoami(ctx: Context, _argv: list[bytes]) -> object:
    return ctx.client.user


@command(
    "ACL|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="server",
    since="6.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def acl_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("ACL")
