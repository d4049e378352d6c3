"""One client's socket: bytes in to the parser and the engine, bytes out to the transport.

Theory of operation: an asyncio protocol that does no work of its own. Input is parsed and run at once; output is only
collected here. The connection puts itself on the server's list of those with something to send, and the server's tick
(`server.tick`), once per turn of the event loop, first lets the AOF have its bytes and then writes to each socket once.

Before a client has authenticated commands are taken one at a time, because the limits on its requests may end with any
of them. They are run one at a time, too, where ordinary clients have a hard limit on their output, so that one
pipeline cannot make more of it in memory than the limit and one reply.
"""

import asyncio
import socket
from typing import TYPE_CHECKING

from aikv.engine import gates
from aikv.engine.client import Client, Link
from aikv.engine.client_life import connect, disconnect
from aikv.resp.encoder import encode_error
from aikv.resp.parser import RequestParser
from aikv.server.output_limits import SMALL

if TYPE_CHECKING:
    from aikv.server.tick import Tick


class Connection(Link):
    """The asyncio protocol of one client."""

    def __init__(self, tick: "Tick", unix_path: str) -> None:
        self.tick = tick
        self.unix_path = unix_path
        self.transport: asyncio.Transport | None = None
        self.client: Client | None = None
        self.parser: RequestParser | None = None
        # On the tick's list already.
        self.scheduled = False
        # The transport's buffer is long: the client reads more slowly than it asks.
        self.backlogged = False
        # Monotonic time since which the output is over the soft limit; 0 while it is not.
        self.over_soft_limit_us = 0
        # Bytes of input that may still be in memory: an unfinished command, a transaction, what waits for its turn.
        self._held = 0
        self._address = ""
        self._local = ""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client has been accepted, or is turned away at once."""
        self.transport = transport
        refusal = self.tick.admission(transport, bool(self.unix_path))
        if refusal is not None:
            transport.write(refusal)
            transport.close()
            return
        engine = self.tick.engine
        self.client = connect(engine, self)
        self.tick.accepted(self.client, transport, bool(self.unix_path))
        self.parser = RequestParser(self.tick.max_bulk, not self.client.gates & gates.AUTH)

    def data_received(self, data: bytes) -> None:
        """Run what has arrived."""
        client = self.client
        parser = self.parser
        tick = self.tick
        if client is None or parser is None or client.closing or tick.stopped:
            return
        engine = tick.engine
        stats = engine.stats
        stats.net_input += len(data)
        stats.reads += 1
        commands = parser.feed(data)
        if commands:
            if tick.output_limits.normal_hard:
                self._process_singly(client, commands)
            else:
                engine.process(client, commands)
            if not parser.authenticated:
                self._feed_singly(client, parser)
        if parser.error is not None and not client.closing:
            self._refuse(client, parser.error)
        if commands and not client.halted and not client.gates & gates.MULTI:
            self._held = 0
        else:
            self._held += len(data)
            if self._held > tick.max_input and not client.closing:
                tick.over_input_limit(self, client, self._held)
                return
        if (client.closing or client.out.waiting()) and not self.scheduled:
            tick.schedule(self)

    def eof_received(self) -> bool:
        """The client will send no more; Redis closes then, and so do we, once it has its replies."""
        if self.scheduled:
            self.tick.run()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """The socket is gone."""
        client = self.client
        if client is not None:
            self.client = None
            client.closing = True
            disconnect(self.tick.engine, client)
            self.tick.lost(client)
        self.transport = None

    def pause_writing(self) -> None:
        """The transport's buffer is long: from now on client-output-buffer-limit is looked at, as in Redis."""
        self.backlogged = True

    def resume_writing(self) -> None:
        """The transport's buffer is short again."""
        self.backlogged = False

    def address(self) -> str:
        if not self._address:
            self._address = self._name(self.transport.get_extra_info("peername")) if self.transport else ""
        return self._address

    def local_address(self) -> str:
        if not self._local:
            self._local = self._name(self.transport.get_extra_info("sockname")) if self.transport else ""
        return self._local

    def descriptor(self) -> int:
        if self.transport is None:
            return -1
        sock = self.transport.get_extra_info("socket")
        return sock.fileno() if sock is not None else -1

    def unix_socket(self) -> bool:
        return bool(self.unix_path)

    def wake(self) -> None:
        if not self.scheduled:
            self.tick.schedule(self)

    def buffered_input(self) -> int:
        return self.parser.buffered() if self.parser is not None else 0

    def buffered_output(self) -> int:
        return self.transport.get_write_buffer_size() if self.transport is not None else 0

    def send(self) -> None:
        """Hand the collected output to the transport; close after it where that was asked for."""
        client = self.client
        transport = self.transport
        if client is None or transport is None:
            return
        if client.out.waiting():
            data = client.out.take()
            if (self.backlogged or len(data) > SMALL) and self._over_output_limit(client, len(data)):
                return
            self.tick.engine.stats.net_output += len(data)
            self.tick.engine.stats.writes += 1
            transport.write(data)
        if client.closing:
            if client.id in self.tick.engine.clients:
                transport.close()
            else:
                # Killed by somebody else: it is not waited for until it has read everything.
                transport.abort()

    def abort(self) -> None:
        """Drop the connection and what was still to be sent."""
        if self.client is not None:
            self.client.close_after_reply()
            self.client.out.clear()
        if self.transport is not None:
            self.transport.abort()

    def limit_bulks(self, size: int) -> None:
        """Refuse arguments longer than `size` bytes from now on."""
        if self.parser is not None:
            self.parser.max_bulk = size

    def judge_soft_limit(self) -> None:
        """Drop the connection if its output has been over the soft limit for too long."""
        if self.client is not None:
            self._over_output_limit(self.client, 0)

    def _over_output_limit(self, client: Client, more: int) -> bool:
        """Whether unread output, with `more` bytes to come, is over the limits of the client's class; drops it then."""
        tick = self.tick
        size = self.buffered_output() + more
        if tick.output_limits.over_soft(client, size):
            now_us = tick.engine.clock.monotonic_us()
            if not self.over_soft_limit_us:
                self.over_soft_limit_us = now_us
                tick.watch_soft_limit(self)
        else:
            now_us = 0
            self.over_soft_limit_us = 0
        if not tick.output_limits.exceeded(client, size, self.over_soft_limit_us, now_us):
            return False
        tick.over_output_limit(self, client, size)
        return True

    def _process_singly(self, client: Client, commands: list[list[bytes]]) -> None:
        """Run `commands` as long as their replies stay within the hard limit."""
        engine = self.tick.engine
        for argv in commands:
            engine.process(client, [argv])
            waiting = len(client.out)
            if client.closing or (
                self.buffered_output() + waiting > SMALL and self._over_output_limit(client, waiting)
            ):
                return

    def _feed_singly(self, client: Client, parser: RequestParser) -> None:
        parser.authenticated = not client.gates & gates.AUTH
        commands = parser.feed(b"")
        while commands and not client.closing:
            self.tick.engine.process(client, commands)
            parser.authenticated = not client.gates & gates.AUTH
            commands = parser.feed(b"")

    def _refuse(self, client: Client, error: bytes) -> None:
        self.tick.protocol_error(client, error)
        encode_error(client.out, error)
        client.close_after_reply()

    def _name(self, name: object) -> str:
        if self.unix_path:
            return f"{self.unix_path}:0"
        if isinstance(name, tuple) and len(name) >= 2:
            host, port = name[0], name[1]
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return ""


def configure_socket(transport: asyncio.Transport, keepalive_s: int) -> None:
    """TCP_NODELAY, and keep-alive probes after `keepalive_s` seconds of silence (0: none)."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if keepalive_s > 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive_s)
        # Redis's proportions: three probes within the same time again.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, keepalive_s // 3))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
