"""An engine behind one connection, without a socket: bytes in, bytes out.

Theory of operation: what a server puts together (engine, persistence, tick, connection) with an event loop that only
remembers what it is to call, and a transport that keeps what it is given. `Wired.feed` is one turn of the loop. For
what must be measured or counted without sockets; replies and semantics are better asked of a `Served`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aikv import commands
from aikv.base.clock import Clock, SystemClock
from aikv.base.random import Random
from aikv.engine.blocking import Scheduler
from aikv.engine.config import Config
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.persistence.aof_fsync import ThreadRunner
from aikv.persistence.files import Files
from aikv.server.connection import Connection
from aikv.server.tick import Tick


class KeptTransport(asyncio.Transport):
    """Keeps what was written last."""

    def __init__(self) -> None:
        super().__init__()
        self.written: bytes | bytearray | memoryview = b""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = data

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to close."""


class Turn(asyncio.SelectorEventLoop):
    """An event loop of which only `call_soon` is used: it remembers."""

    def call_soon(self, callback: Callable[..., object], *_args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        del context
        self.next = callback
        return asyncio.Handle(callback, (), self)


class Wired:
    """One client; `feed` takes requests and returns what would be sent."""

    def __init__(self, clock: Clock | None = None) -> None:
        commands.load()
        files = Files()
        self.engine = Engine(Config(), clock or SystemClock(), Random(1), Scheduler())
        loop = Turn()
        self.tick = Tick(self.engine, Persistence(self.engine, files, ThreadRunner(files)), loop)
        loop.close()
        self.connection = Connection(self.tick, "")
        self.transport = KeptTransport()
        self.connection.connection_made(self.transport)

    def feed(self, data: bytes) -> bytes:
        """Let `data` arrive, end the turn; returns what was sent."""
        self.connection.data_received(data)
        self.tick.run()
        return bytes(self.transport.written)


def request(*words: str | bytes) -> bytes:
    """Return a command as a client sends it."""
    arguments = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(arguments) + b"".join(b"$%d\r\n%b\r\n" % (len(one), one) for one in arguments)
