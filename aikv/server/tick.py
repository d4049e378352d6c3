"""The end of one turn of the event loop: journal first, then replies.

Theory of operation: every connection with output is on one list. The first to join asks the loop to call `run` before
it polls again, so `run` comes once for all clients that were read in this turn. It lets the engine finish what it
left for later, hands the journal to the AOF (with one fsync for all of them under `always`), and only then writes to
each socket once. So no reply leaves before the change that it acknowledges is as safe as the policy promises, and
system calls are shared.
"""

import asyncio
import os
from typing import Final

from aikv.base import log
from aikv.engine.client import Client
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.persistence.aof_log import AofFatal
from aikv.server.connection import Connection, configure_socket
from aikv.server.output_limits import OutputLimits

_MAX_CLIENTS: Final = b"-ERR max number of clients reached\r\n"
_PROTECTED: Final = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the "
    b"default user. In this mode connections are only accepted from the loopback interface. If you want to connect "
    b"from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode "
    b"sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the "
    b"same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. "
    b"Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by "
    b"editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the "
    b"server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' "
    b"option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above "
    b"things in order for the server to start accepting connections from the outside.\r\n"
)
_LOOPBACK: Final = ("127.", "::1", "::ffff:127.")


class Tick:
    """Collects connections with output; also decides who may connect."""

    def __init__(self, engine: Engine, persistence: Persistence, loop: asyncio.AbstractEventLoop) -> None:
        self.engine = engine
        self.persistence = persistence
        self._loop = loop
        self._due: list[Connection] = []
        self._called = False
        # Everything has been saved and the process is about to end: no command may run any more.
        self.stopped = False
        self.connections: dict[int, Connection] = {}
        self.output_limits: Final = OutputLimits(engine.config)
        # client-query-buffer-limit in bytes.
        self.max_input = 0
        self._over_soft_limit: list[Connection] = []
        # proto-max-bulk-len in bytes.
        self.max_bulk = 0
        engine.config.on_change("client-query-buffer-limit", self._read_input_limits)
        engine.config.on_change("proto-max-bulk-len", self._read_input_limits)
        self._read_input_limits()

    def schedule(self, connection: Connection) -> None:
        """`connection` has something to send, or is to be closed."""
        connection.scheduled = True
        self._due.append(connection)
        if not self._called:
            self._called = True
            self._loop.call_soon(self.run)

    def run(self) -> None:
        """Finish, persist, send."""
        self._called = False
        engine = self.engine
        if engine.ready or engine.tracking.prefixes.due:
            engine.before_sleep()
        try:
            self.persistence.flush()
            while engine.ready:
                # The disk has confirmed what somebody waited for, who has perhaps sent more meanwhile.
                engine.before_sleep()
                self.persistence.flush()
        except AofFatal as error:
            self.die(error)
        due = self._due
        self._due = []
        for connection in due:
            connection.scheduled = False
            connection.send()

    def die(self, error: AofFatal) -> None:
        """The log cannot keep its promise: end at once, so that nothing is acknowledged that may be lost."""
        log.warning("%s", error)
        os._exit(1)

    def admission(self, transport: asyncio.Transport, unix: bool) -> bytes | None:
        """What to send to a client that may not connect; None for one that may."""
        engine = self.engine
        if len(engine.clients) >= engine.config.get_int("maxclients"):
            engine.stats.rejected_connections += 1
            return _MAX_CLIENTS
        if unix or not engine.config.get_bool("protected-mode") or not engine.users.default.nopass:
            return None
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple) and not str(peer[0]).startswith(_LOOPBACK):
            engine.stats.rejected_connections += 1
            return _PROTECTED
        return None

    def accepted(self, client: Client, transport: asyncio.Transport, unix: bool) -> None:
        """Set a new client up."""
        engine = self.engine
        engine.stats.connections += 1
        if not unix:
            configure_socket(transport, engine.config.get_int("tcp-keepalive"))
        link = client.link
        assert isinstance(link, Connection)
        self.connections[client.id] = link
        log.verbose("Accepted %s", link.address())

    def lost(self, client: Client) -> None:
        """A client has gone."""
        self.connections.pop(client.id, None)
        log.verbose("Client closed connection id=%d", client.id)

    def drop(self, client: Client) -> None:
        """Close the connection of `client` now, whatever it has not read yet."""
        connection = self.connections.get(client.id)
        if connection is not None:
            connection.abort()

    def watch_soft_limit(self, connection: Connection) -> None:
        """`connection` has more unread output than its soft limit allows for long."""
        self._over_soft_limit.append(connection)

    def judge_soft_limits(self) -> None:
        """Drop connections that have been over their soft limit for too long; called by the cron."""
        if self._over_soft_limit:
            watched = self._over_soft_limit
            for connection in watched:
                connection.judge_soft_limit()
            self._over_soft_limit = [one for one in watched if one.over_soft_limit_us and one.client is not None]

    def over_output_limit(self, connection: Connection, client: Client, size: int) -> None:
        """`client` does not read what it is sent: drop it."""
        self.engine.stats.output_limit_disconnections += 1
        log.warning(
            "Client id=%d addr=%s is closed because it left %d bytes of output unread, more than "
            "client-output-buffer-limit allows.",
            client.id,
            client.link.address(),
            size,
        )
        connection.abort()

    def over_input_limit(self, connection: Connection, client: Client, size: int) -> None:
        """`client` has sent more than may wait in memory: drop it."""
        self.engine.stats.query_limit_disconnections += 1
        log.warning(
            "Client id=%d addr=%s is closed because %d bytes of input wait to be run, more than "
            "client-query-buffer-limit allows.",
            client.id,
            client.link.address(),
            size,
        )
        connection.abort()

    def _read_input_limits(self) -> None:
        self.max_input = self.engine.config.get_int("client-query-buffer-limit")
        self.max_bulk = self.engine.config.get_int("proto-max-bulk-len")
        for connection in self.connections.values():
            connection.limit_bulks(self.max_bulk)

    def protocol_error(self, client: Client, error: bytes) -> None:
        """Note that a client sent what is no request."""
        self.engine.stats.count_error(error)
        log.verbose("%s from client id=%d addr=%s", error.decode("latin-1"), client.id, client.link.address())
