"""Admission: what happens to a command while a gate is closed that concerns it.

Theory of operation: called only where dispatch has seen such a gate, in the order of Redis's processCommand. `admit`
says whether the command is to be called now; where not, it has been answered, queued or put off, or called here because
something has to come before or after it.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.errors import NOAUTH
from aikv.engine import gates, monitor, pause
from aikv.engine.acl.enforce import refusal
from aikv.engine.client import Client
from aikv.engine.command import ALLOW_BUSY, MAY_REPLICATE, NO_AUTH, NO_MULTI, READONLY, RUNS_SCRIPTS, WRITE, Command
from aikv.resp.output import Output
from aikv.resp.reply import QUEUED

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

MISCONF_SAVE: Final = (
    b"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that "
    b"may modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
    b"snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
    b"error."
)
BUSY: Final = b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
MISCONF_AOF: Final = b"MISCONF Errors writing to the AOF file: "
SUBSCRIBING: Final = frozenset(
    {
        "subscribe",
        "unsubscribe",
        "psubscribe",
        "punsubscribe",
        "ssubscribe",
        "sunsubscribe",
    }
)
_SUBSCRIBER_COMMANDS: Final = SUBSCRIBING | frozenset(
    {
        "ping",
        "quit",
        "reset",
    }
)


def admit(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> bool:
    """Whether the caller is to call `command` now."""
    closed = client.gates | engine.gates
    if closed & gates.QUIET:
        return _run_quietly(engine, client, command, argv)
    if closed & gates.MULTI and command.flags & NO_MULTI:
        engine.refuse(client, command, b"ERR Command not allowed inside a transaction")
        return False
    if closed & gates.AUTH and not command.flags & NO_AUTH:
        engine.refuse(client, command, NOAUTH)
        return False
    if closed & gates.LIMITED and not command.flags & NO_AUTH:
        denied = refusal(engine, client, command, argv)
        if denied is not None:
            engine.refuse(client, command, denied)
            return False
    if closed & gates.DISK_ERROR and (command.flags & WRITE or command.name == "ping"):
        engine.refuse(client, command, engine.disk_error)
        return False
    if closed & gates.SUBSCRIBED and command.name not in _SUBSCRIBER_COMMANDS:
        engine.refuse(
            client,
            command,
            b"ERR Can't execute '%b': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
            b"this context" % command.name.encode(),
        )
        return False
    if closed & gates.BUSY and not command.flags & ALLOW_BUSY:
        engine.refuse(client, command, BUSY)
        return False
    if closed & gates.MONITORED and client.monitoring and command.flags & (WRITE | READONLY | MAY_REPLICATE):
        engine.refuse(client, command, b"ERR Replica can't interact with the keyspace")
        return False
    if closed & gates.PAUSED and _is_paused(engine, client, command, argv):
        engine.pause.hold(client, argv)
        return False
    if closed & gates.MULTI and command.name not in gates.PASS_MULTI:
        client.queued.append((command, argv))
        client.out.append(QUEUED.wire)
        return False
    if closed & (gates.MONITORED | gates.TRACKING | gates.CACHING):
        _run_watched(engine, client, command, argv)
        return False
    return True


def _is_paused(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> bool:
    if client.internal or engine.pause.kind == pause.NONE:
        return False
    if engine.pause.kind == pause.ALL:
        return True
    writes = _may_write(engine, command, argv)
    if command.name == "exec":
        for queued, queued_argv in client.queued:
            writes = writes or _may_write(engine, queued, queued_argv)
    return writes


def _may_write(engine: "Engine", command: Command, argv: list[bytes]) -> bool:
    if command.flags & RUNS_SCRIPTS:
        return engine.scripting.may_write(command, argv)
    return command.flags & (WRITE | MAY_REPLICATE) != 0


def _run_quietly(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> bool:
    """CLIENT REPLY OFF and SKIP: the command runs as ever, and its reply is dropped."""
    out = client.out
    client.out = Output()
    client.gates &= ~gates.QUIET
    # Messages are no replies: what the command itself leads to comes after it into what is sent.
    engine.open_unit()
    if not (client.gates | engine.gates) & command.cares or admit(engine, client, command, argv):
        engine.call(client, command, argv)
    if (not client.reply_off and not client.skip_next) or command.name in SUBSCRIBING:
        # The command was CLIENT REPLY ON or RESET, which are answered, or it is answered by messages.
        out.append(client.out.take())
    client.out = out
    engine.close_unit(client)
    if client.reply_off or client.paused:
        client.gates |= gates.QUIET
    elif not client.gates & gates.QUIET:
        # Otherwise it was another CLIENT REPLY SKIP.
        client.skip_next = False
    return False


def _run_watched(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> None:
    """A command that a monitor is shown, or a caching client's, which may use up CLIENT CACHING."""
    # One unit, so that nothing is served, and no key changed, before it has been told.
    engine.open_unit()
    engine.call(client, command, argv)
    tell(engine, client, command, argv)
    if client.gates & gates.CACHING and not client.gates & gates.MULTI and client.block is None:
        use_up_caching(client, command)
    engine.close_unit(client)


def tell(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> None:
    """Show a command that has been called to the monitors, and remember what a caching client has read by it."""
    if engine.gates & gates.MONITORED:
        monitor.show(engine, client, command, argv)
    # Of a script it is what its commands read.
    if client.gates & gates.TRACKING and command.flags & READONLY and not command.flags & RUNS_SCRIPTS:
        engine.tracking.remember(client, command, argv)


def use_up_caching(client: Client, command: Command | None) -> None:
    """CLIENT CACHING has been given for `command`, which has been run or refused; other CLIENT commands leave it."""
    if command is None or not command.name.startswith("client"):
        client.gates &= ~gates.CACHING
