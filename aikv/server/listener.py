"""Listening sockets: TCP on each address of `bind`, and the Unix socket.

Theory of operation: sockets are bound before the dataset is loaded, so that a port that is taken stops the start at
once and with nothing done; clients are accepted only when everything is ready. CONFIG SET of `bind` or `port` opens
the new sockets before it closes those that are not wanted any more, and keeps those that are wanted still, so that
an address that cannot be had changes nothing and no client meets a closed door in between.
"""

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from typing import Final, cast

from aikv.base import log
from aikv.base.errors import AikvError
from aikv.engine.config.store import Config
from aikv.server.connection import Connection
from aikv.server.tick import Tick


class ConnectionFactory:
    """Makes the protocol of an accepted client; `unix_path` is empty for TCP."""

    def __init__(self, tick: Tick, unix_path: str) -> None:
        self._tick = tick
        self._unix_path = unix_path

    def make(self) -> Connection:
        """A new client's connection."""
        return Connection(self._tick, self._unix_path)


class Listener:
    """The sockets of one server."""

    def __init__(self, config: Config) -> None:
        self._config: Final = config
        # By address, as `bind` spells it, and port.
        self._sockets: dict[tuple[str, int], socket.socket] = {}
        self._servers: dict[tuple[str, int], asyncio.Server] = {}
        self._unix_server: asyncio.Server | None = None
        self._unix_sock: socket.socket | None = None
        self._unix_path = ""

    def open(self) -> None:
        """Bind. Raises `AikvError` with a message for the operator."""
        self._sockets = self._bind_all()
        self._unix_path = self._config.path("unixsocket")
        if self._unix_path:
            self._unix_sock = self._bind_unix(self._unix_path)
        if not self._sockets and self._unix_sock is None:
            raise AikvError("Configured to not listen anywhere, exiting. Set `port` or `unixsocket`.")

    async def accept(self, tick: Tick) -> None:
        """Let clients in."""
        loop = asyncio.get_running_loop()
        await self._accept_tcp(tick)
        if self._unix_sock is not None:
            factory = _protocol_factory(ConnectionFactory(tick, self._unix_path))
            self._unix_server = await loop.create_unix_server(factory, sock=self._unix_sock)
            log.notice("The server is now ready to accept connections at %s", self._unix_path)

    def bind_anew(self) -> None:
        """Bind what `bind` and `port` name now, and stop listening elsewhere; `rebind` has to follow.

        Raises `AikvError`; nothing has changed then.
        """
        wanted = self._bind_all()
        unwanted = [place for place in self._sockets if place not in wanted]
        for place in unwanted:
            server = self._servers.pop(place, None)
            if server is not None:
                server.close()
            self._sockets[place].close()
        self._sockets = wanted

    async def rebind(self, tick: Tick) -> None:
        """Accept clients where `bind_anew` has begun to listen."""
        await self._accept_tcp(tick)

    def close(self) -> None:
        """Stop listening and remove the Unix socket."""
        for server in self._servers.values():
            server.close()
        for sock in self._sockets.values():
            sock.close()
        if self._unix_server is not None:
            self._unix_server.close()
        if self._unix_sock is not None:
            self._unix_sock.close()
            if os.path.exists(self._unix_path):
                os.unlink(self._unix_path)

    async def _accept_tcp(self, tick: Tick) -> None:
        loop = asyncio.get_running_loop()
        factory = _protocol_factory(ConnectionFactory(tick, ""))
        for place in list(self._sockets):
            sock = self._sockets.get(place)
            if sock is None or place in self._servers:
                continue
            server = await loop.create_server(factory, sock=sock)
            if self._sockets.get(place) is sock:
                self._servers[place] = server
            else:
                # Meanwhile somebody has chosen other addresses.
                server.close()
        if self._sockets:
            log.notice("Ready to accept connections on port %d (TCP)", next(iter(self._sockets))[1])

    def _bind_all(self) -> dict[tuple[str, int], socket.socket]:
        """The sockets of the present values of `bind` and `port`; those that are open already are among them."""
        port = self._config.get_int("port")
        sockets: dict[tuple[str, int], socket.socket] = {}
        if port == 0:
            return sockets
        for address in self._config.bind:
            optional = address.startswith("-")
            name = address.removeprefix("-")
            place = (name, port)
            try:
                sockets[place] = self._sockets[place] if place in self._sockets else self._bind_one(name, port)
            except OSError as error:
                if optional and error.errno is not None:
                    log.verbose("Not listening on %s: %s", name, error.strerror)
                    continue
                for opened, sock in sockets.items():
                    if opened not in self._sockets:
                        sock.close()
                raise AikvError(
                    f"Could not create server TCP listening socket {name}:{port}: {error.strerror}. "
                    "Choose another `port`, or stop what is using it."
                ) from error
        return sockets

    def _bind_one(self, name: str, port: int) -> socket.socket:
        host = {"*": "0.0.0.0", "::*": "::"}.get(name, name)
        family, kind, protocol, _, target = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # So that 0.0.0.0 and :: can be bound side by side.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(target)
            sock.listen(self._config.get_int("tcp-backlog"))
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
        return sock

    def _bind_unix(self, path: str) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
                # Left by a server that was killed, as Redis removes it.
                os.unlink(path)
            sock.bind(path)
            permissions = self._config.get_int("unixsocketperm")
            if permissions:
                os.chmod(path, permissions)
            sock.listen(self._config.get_int("tcp-backlog"))
            sock.setblocking(False)
        except OSError as error:
            sock.close()
            raise AikvError(f"Opening Unix socket {path}: {error.strerror}") from error
        return sock


def _protocol_factory(factory: ConnectionFactory) -> Callable[[], asyncio.Protocol]:
    # A native class cannot derive from asyncio.Protocol; it has the same methods, which is all a loop asks for.
    return cast(Callable[[], asyncio.Protocol], factory.make)
