"""CLIENT: what connections are called and how they are listed; `client_control` has the subcommands that act on them.

Theory of operation: a client's line is made by `engine.client_line`; these commands choose whose.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64
from aikv.engine.client import Client
from aikv.engine.client_line import checked_name, client_line, is_plain, kind_named
from aikv.engine.command import ADMIN, LOADING, NOSCRIPT, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.resp.reply import OK, Verbatim

_PLAIN: Final = NOSCRIPT | LOADING | STALE
_FOR_ADMINS: Final = ADMIN | NOSCRIPT | LOADING | STALE

container(
    "CLIENT",
    group="connection",
    since="2.4.0",
    summary="Holds commands on connections.",
    acl="",
)


@command(
    "CLIENT|ID",
    arity=2,
    flags=_PLAIN,
    group="connection",
    since="5.0.0",
    complexity="O(1)",
    summary="Returns the number of this connection.",
)
def client_id(ctx: Context, _argv: list[bytes]) -> object:
    return ctx.client.id


@command(
    "CLIENT|INFO",
    arity=2,
    flags=_PLAIN,
    group="connection",
    since="6.2.0",
    complexity="O(1)",
    summary="Describes this connection.",
    tips=("nondeterministic_output",),
)
def client_info(ctx: Context, argv: list[bytes]) -> object:
    return Verbatim(b"txt", client_line(ctx.engine, ctx.client, argv) + b"\n")


@command(
    "CLIENT|LIST",
    arity=-2,
    flags=_FOR_ADMINS,
    group="connection",
    since="2.4.0",
    complexity="O(N) where N is the number of client connections",
    summary="Describes the connections: all, those of a type, or those with the numbers given.",
    syntax="[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
    tips=("nondeterministic_output",),
)
def client_list(ctx: Context, argv: list[bytes]) -> object:
    clients = ctx.engine.clients
    listed: list[Client] = []
    if len(argv) == 2:
        listed = list(clients.values())
    elif len(argv) == 4 and argv[2].upper() == b"TYPE":
        kind = kind_named(argv[3])
        listed = [client for client in clients.values() if client.kind is kind]
    elif len(argv) > 3 and argv[2].upper() == b"ID":
        for argument in argv[3:]:
            number = parse_i64(argument)
            if number is None:
                raise CommandError(b"ERR Invalid client ID")
            if number in clients:
                listed.append(clients[number])
    else:
        raise CommandError(SYNTAX)
    lines = [client_line(ctx.engine, client, argv if client is ctx.client else []) + b"\n" for client in listed]
    return Verbatim(b"txt", b"".join(lines))


@command(
    "CLIENT|SETNAME",
    arity=3,
    flags=_PLAIN,
    group="connection",
    since="2.6.9",
    complexity="O(1)",
    summary="Names this connection; an empty name takes the name away.",
    syntax="connection-name",
)
def client_setname(ctx: Context, argv: list[bytes]) -> object:
    ctx.client.name = checked_name(argv[2])
    return OK


@command(
    "CLIENT|GETNAME",
    arity=2,
    flags=_PLAIN,
    group="connection",
    since="2.6.9",
    complexity="O(1)",
    summary="Returns the name of this connection.",
)
def client_getname(ctx: Context, _argv: list[bytes]) -> object:
    return ctx.client.name or None


@command(
    "CLIENT|SETINFO",
    arity=4,
    flags=_PLAIN,
    group="connection",
    since="7.2.0",
    complexity="O(1)",
    summary="Says which client library uses this connection.",
    syntax="<LIB-NAME libname | LIB-VER libver>",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def client_setinfo(ctx: Context, argv: list[bytes]) -> object:
    option = argv[2].lower()
    if option not in (b"lib-name", b"lib-ver"):
        raise CommandError(b"ERR Unrecognized option '" + argv[2] + b"'")
    if not is_plain(argv[3]):
        raise CommandError(b"ERR " + option + b" cannot contain spaces, newlines or special characters.")
    if option == b"lib-name":
        ctx.client.library_name = argv[3]
    else:
        ctx.client.library_version = argv[3]
    return OK


@command(
    "CLIENT|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="connection",
    since="5.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def client_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("CLIENT")
