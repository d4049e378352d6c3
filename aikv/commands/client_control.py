"""CLIENT subcommands that hold clients back, silence them, or end them.

Theory of operation: how a client is ended is told in `engine.client_life`. CLIENT REPLY only sets the QUIET gate and
two flags; `engine.admission` does the rest.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import I64_MAX, parse_i64, to_i64
from aikv.commands import client as _container  # noqa: F401  a container is declared before its subcommands
from aikv.engine import gates, pause
from aikv.engine.blocking import unblock_client
from aikv.engine.client import Client
from aikv.engine.client_life import end_client
from aikv.engine.client_line import kind_named
from aikv.engine.command import ADMIN, LOADING, NOSCRIPT, STALE, command
from aikv.engine.context import Context
from aikv.resp.reply import NO_REPLY, OK

_PLAIN: Final = NOSCRIPT | LOADING | STALE
_FOR_ADMINS: Final = ADMIN | NOSCRIPT | LOADING | STALE
_NOT_GREATER_THAN_ZERO: Final = b"ERR client-id should be greater than 0"


class Filter:
    """Which clients CLIENT KILL means; a condition that is None is none."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.kind: bytes | None = None
        self.address: bytes | None = None
        self.local_address: bytes | None = None
        self.user: bytes | None = None
        self.skip: Client | None = None

    def takes(self, client: Client) -> bool:
        """Whether every condition holds for `client`."""
        return (
            client is not self.skip
            and self.number in (None, client.id)
            and self.kind in (None, client.kind)
            and self.user in (None, client.user)
            and (self.address is None or self.address == client.link.address().encode())
            and (self.local_address is None or self.local_address == client.link.local_address().encode())
        )


@command(
    "CLIENT|KILL",
    arity=-3,
    flags=_FOR_ADMINS,
    group="connection",
    since="2.4.0",
    complexity="O(N) where N is the number of client connections",
    summary="Closes the connections that meet all conditions given.",
    syntax="<ip:port | <[ID client-id] [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [USER username] [ADDR ip:port] "
    "[LADDR ip:port] [SKIPME <YES | NO>]>>",
)
def client_kill(ctx: Context, argv: list[bytes]) -> object:
    wanted = Filter()
    if len(argv) == 3:
        wanted.address = argv[2]
    else:
        wanted.skip = ctx.client
        _read_filter(ctx, argv, wanted)
    found = [client for client in ctx.engine.clients.values() if wanted.takes(client)]
    for client in found:
        end_client(ctx.engine, client, ctx.client)
    if len(argv) > 3:
        return len(found)
    if not found:
        raise CommandError(b"ERR No such client")
    return OK


def _read_filter(ctx: Context, argv: list[bytes], wanted: Filter) -> None:
    for i in range(2, len(argv), 2):
        if i + 1 == len(argv):
            raise CommandError(SYNTAX)
        option = argv[i].upper()
        value = argv[i + 1]
        if option == b"ID":
            wanted.number = _positive_number(value)
        elif option == b"TYPE":
            wanted.kind = kind_named(value)
        elif option == b"ADDR":
            wanted.address = value
        elif option == b"LADDR":
            wanted.local_address = value
        elif option == b"USER":
            if value not in ctx.engine.users.by_name:
                raise CommandError(b"ERR No such user '" + value + b"'")
            wanted.user = value
        elif option == b"SKIPME" and value.upper() in (b"YES", b"NO"):
            wanted.skip = ctx.client if value.upper() == b"YES" else None
        else:
            raise CommandError(SYNTAX)


def _positive_number(argument: bytes) -> int:
    number = parse_i64(argument)
    if number is None or number < 1:
        raise CommandError(_NOT_GREATER_THAN_ZERO)
    return number


@command(
    "CLIENT|PAUSE",
    arity=-3,
    flags=_FOR_ADMINS,
    group="connection",
    since="3.0.0",
    complexity="O(1)",
    summary="Holds back the commands of all clients, or only those that write, for so many milliseconds.",
    syntax="timeout [WRITE | ALL]",
)
def client_pause(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 4:
        raise _wrong_number(argv)
    kind = pause.ALL
    if len(argv) == 4:
        if argv[3].upper() == b"WRITE":
            kind = pause.WRITES
        elif argv[3].upper() != b"ALL":
            raise CommandError(b"ERR CLIENT PAUSE mode must be WRITE or ALL")
    timeout = parse_i64(argv[2])
    if timeout is None:
        raise CommandError(b"ERR timeout is not an integer or out of range")
    if timeout < 0:
        raise CommandError(b"ERR timeout is negative")
    if timeout > I64_MAX - ctx.engine.now_ms:
        raise CommandError(b"ERR timeout is out of range")
    if timeout:
        ctx.engine.pause.begin(ctx.engine, kind, ctx.engine.now_ms + timeout)
    return OK


@command(
    "CLIENT|UNPAUSE",
    arity=2,
    flags=_FOR_ADMINS,
    group="connection",
    since="6.2.0",
    complexity="O(N) where N is the number of paused clients",
    summary="Ends a pause before its time.",
)
def client_unpause(ctx: Context, _argv: list[bytes]) -> object:
    ctx.engine.pause.end(ctx.engine)
    return OK


@command(
    "CLIENT|REPLY",
    arity=3,
    flags=_PLAIN,
    group="connection",
    since="3.2.0",
    complexity="O(1)",
    summary="Turns replies to this connection on or off, or leaves out the next one.",
    syntax="<ON | OFF | SKIP>",
)
def client_reply(ctx: Context, argv: list[bytes]) -> object:
    client = ctx.client
    mode = argv[2].upper()
    if mode == b"ON":
        client.reply_off = False
        client.skip_next = False
        return OK
    if mode == b"OFF":
        client.reply_off = True
        client.gates |= gates.QUIET
    elif mode == b"SKIP":
        if not client.reply_off:
            client.skip_next = True
            client.gates |= gates.QUIET
    else:
        raise CommandError(SYNTAX)
    return NO_REPLY


@command(
    "CLIENT|NO-EVICT",
    arity=3,
    flags=_FOR_ADMINS,
    group="connection",
    since="7.0.0",
    complexity="O(1)",
    summary="Protects this connection from being closed where clients take too much memory.",
    syntax="<ON | OFF>",
)
def client_no_evict(ctx: Context, argv: list[bytes]) -> object:
    ctx.client.no_evict = _switch(argv[2])
    return OK


@command(
    "CLIENT|NO-TOUCH",
    arity=3,
    flags=_PLAIN,
    group="connection",
    since="7.2.0",
    complexity="O(1)",
    summary="Lets this connection use keys without making them look used.",
    syntax="<ON | OFF>",
)
def client_no_touch(ctx: Context, argv: list[bytes]) -> object:
    ctx.client.no_touch = _switch(argv[2])
    return OK


def _switch(argument: bytes) -> bool:
    word = argument.upper()
    if word not in (b"ON", b"OFF"):
        raise CommandError(SYNTAX)
    return word == b"ON"


@command(
    "CLIENT|UNBLOCK",
    arity=-3,
    flags=_FOR_ADMINS,
    group="connection",
    since="5.0.0",
    complexity="O(log N) where N is the number of client connections",
    summary="Ends another client's waiting, as if its time had run out or with an error.",
    syntax="client-id [TIMEOUT | ERROR]",
)
def client_unblock(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 4:
        raise _wrong_number(argv)
    reason = argv[3].upper() if len(argv) == 4 else b"TIMEOUT"
    if reason not in (b"TIMEOUT", b"ERROR"):
        raise CommandError(b"ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    client = ctx.engine.clients.get(to_i64(argv[2]))
    if client is None or client.block is None or client.block.stays:
        return 0
    if reason == b"ERROR":
        unblock_client(ctx.engine, client, CommandError(b"UNBLOCKED client unblocked via CLIENT UNBLOCK"))
    else:
        unblock_client(ctx.engine, client, client.block.on_timeout())
    return 1


def _wrong_number(argv: list[bytes]) -> CommandError:
    return CommandError(b"ERR unknown subcommand or wrong number of arguments for '" + argv[1] + b"'. Try CLIENT HELP.")
