"""Connection commands: who the client is, and which protocol it speaks.

Theory of operation: these commands change only the state of the client that sends them. HELLO checks everything before
it changes anything, so a refused HELLO leaves protocol and name as they were.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64
from aikv.base.version import CLIENT_VERSION
from aikv.engine import gates, monitor, multi
from aikv.engine.acl.users import DEFAULT_USER
from aikv.engine.authentication import NO_PASSWORD_SET, authenticate, deauthenticate
from aikv.engine.client import Client
from aikv.engine.client_line import checked_name
from aikv.engine.command import ALLOW_BUSY, COMMANDS, FAST, LOADING, NO_AUTH, NOSCRIPT, STALE, command
from aikv.engine.context import Context
from aikv.engine.pubsub import update_mode
from aikv.engine.refusal import wrong_arity
from aikv.resp.reply import OK, PONG, Pairs, Status

_RESET: Final = Status(b"RESET")
_UNAUTHENTICATED_HELLO: Final = (
    b"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> "
    b"option can be used to authenticate the client and select the RESP protocol version at the same time"
)


@command(
    "AUTH",
    arity=-2,
    flags=NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
    group="connection",
    since="1.0.0",
    complexity="O(N) where N is the number of passwords defined for the user",
    summary="Proves who the client is by a password.",
    syntax="[username] password",
)
def auth(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 3:
        raise CommandError(SYNTAX)
    if len(argv) == 3:
        authenticate(ctx.engine, ctx.client, argv[1], argv[2], argv[0])
        return OK
    if ctx.engine.users.default.nopass:
        raise CommandError(NO_PASSWORD_SET)
    authenticate(ctx.engine, ctx.client, DEFAULT_USER, argv[1], argv[0])
    return OK


@command(
    "HELLO",
    arity=-1,
    flags=NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
    group="connection",
    since="6.0.0",
    complexity="O(1)",
    summary="Chooses the protocol, and tells about the server.",
    syntax="[protover [AUTH username password] [SETNAME clientname]]",
)
def hello(ctx: Context, argv: list[bytes]) -> object:
    client = ctx.client
    version = _protocol_version(argv[1]) if len(argv) > 1 else 0
    login: list[bytes] = []
    name: bytes | None = None
    i = 2
    while i < len(argv):
        option = argv[i].upper()
        if option == b"AUTH" and i + 2 < len(argv):
            login = argv[i + 1 : i + 3]
            i += 3
        elif option == b"SETNAME" and i + 1 < len(argv):
            name = checked_name(argv[i + 1])
            i += 2
        else:
            raise CommandError(b"ERR Syntax error in HELLO option '" + argv[i] + b"'")
    if login:
        authenticate(ctx.engine, client, login[0], login[1], argv[0])
    if not client.authenticated:
        raise CommandError(_UNAUTHENTICATED_HELLO)
    if name is not None:
        client.name = name
    if version:
        client.resp3 = version == 3
        update_mode(client)
    return _greeting(client)


def _protocol_version(argument: bytes) -> int:
    version = parse_i64(argument)
    if version is None:
        raise CommandError(b"ERR Protocol version is not an integer or out of range")
    if version not in (2, 3):
        raise CommandError(b"NOPROTO unsupported protocol version")
    return version


def _greeting(client: Client) -> Pairs:
    return Pairs(
        [
            b"server",
            b"redis",
            b"version",
            CLIENT_VERSION.encode(),
            b"proto",
            3 if client.resp3 else 2,
            b"id",
            client.id,
            b"mode",
            b"standalone",
            b"role",
            b"master",
            b"modules",
            [],
        ]
    )


@command(
    "PING",
    arity=-1,
    flags=FAST,
    group="connection",
    since="1.0.0",
    complexity="O(1)",
    summary="Answers PONG, or the message given.",
    syntax="[message]",
    tips=("request_policy:all_shards", "response_policy:all_succeeded"),
)
def ping(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 2:
        raise CommandError(wrong_arity(COMMANDS[b"ping"]))
    if ctx.client.gates & gates.SUBSCRIBED:
        # A RESP2 subscriber cannot tell a plain reply from a message, so it gets the form of one.
        return [b"pong", argv[1] if len(argv) == 2 else b""]
    if len(argv) == 2:
        return argv[1]
    return PONG


@command(
    "ECHO",
    arity=2,
    flags=LOADING | STALE | FAST,
    group="connection",
    since="1.0.0",
    complexity="O(1)",
    summary="Answers the message given.",
    syntax="message",
)
def echo(_ctx: Context, argv: list[bytes]) -> object:
    return argv[1]


@command(
    "QUIT",
    arity=-1,
    flags=NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
    group="connection",
    since="1.0.0",
    complexity="O(1)",
    summary="Closes the connection.",
)
def quit_(ctx: Context, _argv: list[bytes]) -> object:
    ctx.client.close_after_reply()
    return OK


@command(
    "RESET",
    arity=1,
    flags=NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
    group="connection",
    since="6.2.0",
    complexity="O(1)",
    summary="Makes the connection as it was when it was opened.",
)
def reset(ctx: Context, _argv: list[bytes]) -> object:
    client = ctx.client
    multi.discard(ctx.engine, client)
    ctx.engine.pubsub.forget(client)
    monitor.end(ctx.engine, client)
    ctx.engine.tracking.end(client)
    client.reply_off = False
    client.no_touch = False
    client.no_evict = False
    client.resp3 = False
    client.name = b""
    ctx.select(0)
    deauthenticate(ctx.engine, client)
    return _RESET
