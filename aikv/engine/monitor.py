"""MONITOR: clients that are shown every command.

Theory of operation: while there is a monitoring client the MONITORED gate is closed, so that every command passes
`engine.admission`, which calls it and then has it shown, by one line to every monitor. So with no monitor nothing is
paid. Commands within EXEC are shown by `engine.multi` in the same way, before EXEC itself.
Commands for administrators are not shown, nor those that declare SKIP_MONITOR; secrets are blotted out.

A monitor is an ordinary client otherwise, as its limits of output are, but it may not touch keys.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.quote import repr_bytes
from aikv.engine import gates
from aikv.engine.client import Client
from aikv.engine.command import ADMIN, SKIP_MONITOR, Command
from aikv.engine.redaction import without_secrets

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

_HIDDEN: Final = ADMIN | SKIP_MONITOR


def begin(engine: "Engine", client: Client) -> None:
    """Let `client` be shown every command from now on."""
    client.monitoring = True
    engine.monitors[client.id] = client
    engine.gates |= gates.MONITORED


def end(engine: "Engine", client: Client) -> None:
    """Show `client` no more commands."""
    if client.monitoring:
        client.monitoring = False
        del engine.monitors[client.id]
        if not engine.monitors:
            engine.gates &= ~gates.MONITORED


def show(engine: "Engine", client: Client, command: Command, argv: list[bytes], source: bytes = b"") -> None:
    """Tell the monitors of a command; `source`, if given, stands for the client's address."""
    if not client.internal and not command.flags & _HIDDEN:
        show_anyhow(engine, client, command, argv, source)


def show_anyhow(engine: "Engine", client: Client, command: Command, argv: list[bytes], source: bytes = b"") -> None:
    """As `show`, for a command that is not shown by itself, because it shows itself before what it calls."""
    line: bytes | None = None
    for monitor in engine.monitors.values():
        if monitor.reply_off or monitor.closing:
            continue
        if line is None:
            # Made only where somebody gets it.
            line = _line(engine, client, without_secrets(engine.config, command, argv), source)
        monitor.out.append(line)
        monitor.link.wake()


def _line(engine: "Engine", client: Client, argv: list[bytes], source: bytes) -> bytes:
    if not source:
        source = _address(client)
    words = b" ".join(repr_bytes(argument) for argument in argv)
    now_us = engine.now_ns // 1000
    return b"+%d.%06d [%d %b] %b\r\n" % (now_us // 1_000_000, now_us % 1_000_000, client.db, source, words)


def _address(client: Client) -> bytes:
    address = client.link.address().encode()
    if client.link.unix_socket():
        # Redis names the socket without the port that CLIENT LIST gives it.
        return b"unix:" + address.removesuffix(b":0")
    return address
