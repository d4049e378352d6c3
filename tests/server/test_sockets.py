"""Where the server listens, whom it lets in, and how it sets connections up."""

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from aikv.base.clock import ManualClock
from aikv.base.random import Random
from aikv.engine.blocking import Scheduler
from aikv.engine.config import Config
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.persistence.aof_fsync import ThreadRunner
from aikv.persistence.files import Files
from aikv.server.connection import configure_socket
from aikv.server.open_files import RESERVED
from aikv.server.tick import Tick
from conftest import StartServer
from oracle.process import AIKV, VOLATILE, ServerFailed, free_port
from oracle.wire import RawConnection, ServerClosed
from server.asking import info, logs_no_traceback, wait_until


class FakeTransport(asyncio.Transport):
    """A transport that knows nothing but who is at its ends."""

    def __init__(self, **known: object) -> None:
        super().__init__(extra=cast(dict[str, Any], known))


@contextmanager
def tick_of(**settings: str) -> Iterator[Tick]:
    """The part of a server that decides who may connect, with `settings` (underscores for dashes)."""
    config = Config()
    for name, value in settings.items():
        config.configure(name.replace("_", "-"), [value.encode()])
    engine = Engine(config, ManualClock(), Random(), Scheduler())
    files = Files()
    loop = asyncio.new_event_loop()
    yield Tick(engine, Persistence(engine, files, ThreadRunner(files)), loop)
    loop.close()


@pytest.mark.parametrize(
    ("peer", "settings", "admitted"),
    [
        (("127.0.0.1", 1), {}, True),
        (("127.9.9.9", 1), {}, True),
        (("::1", 1, 0, 0), {}, True),
        (("::ffff:127.0.0.1", 1, 0, 0), {}, True),
        (("198.51.100.7", 1), {}, False),
        (("2001:db8::7", 1, 0, 0), {}, False),
        (("198.51.100.7", 1), {"requirepass": "secret"}, True),
        (("198.51.100.7", 1), {"protected_mode": "no"}, True),
    ],
)
def test_protected_mode_lets_in_who_comes_over_loopback(
    peer: tuple[object, ...], settings: dict[str, str], admitted: bool
) -> None:
    with tick_of(**settings) as tick:
        refusal = tick.admission(FakeTransport(peername=peer), False)
    assert (refusal is None) is admitted
    if refusal is not None:
        assert refusal.startswith(b"-DENIED Redis is running in protected mode")
        assert refusal.endswith(b"\r\n")
        assert tick.engine.stats.rejected_connections == 1


def test_protected_mode_lets_in_who_comes_through_the_unix_socket() -> None:
    with tick_of() as tick:
        assert tick.admission(FakeTransport(peername=""), True) is None


@pytest.mark.parametrize("seconds", [0, 60])
def test_keep_alive_is_set_as_configured(seconds: int) -> None:
    with socket.socket() as sock:
        configure_socket(FakeTransport(socket=sock), seconds)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == (1 if seconds else 0)
        if seconds:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            assert [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [60, 20, 3]


class UnixConnection(RawConnection):
    """A connection through a Unix socket."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.buffer = b""


def test_the_unix_socket_serves_with_its_permissions_and_goes_at_the_end(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--unixsocket", "aikv.sock", "--unixsocketperm", "700")
    path = server.folder / "aikv.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    with UnixConnection(str(path)) as connection:
        assert connection.command("SET", "a", "b") == b"+OK\r\n"
        described = connection.command("CLIENT", "LIST")
        assert b" addr=%b:0 " % str(path).encode() in described
        assert b" flags=U " in described
    server.restart()
    with UnixConnection(str(path)) as connection:
        assert connection.command("PING") == b"+PONG\r\n"
    server.kill()
    assert path.exists()
    server.start()
    with UnixConnection(str(path)) as connection:
        assert connection.command("PING") == b"+PONG\r\n"
    assert server.stop() == 0
    assert not path.exists()
    logs_no_traceback(server)


def test_the_port_can_be_changed_while_clients_are_there(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    old, new = server.port, free_port()
    with server.connect() as connection:
        assert connection.command("CONFIG", "SET", "port", str(new)) == b"+OK\r\n"
        server.port = new
        server.wait_until_ready()
        assert connection.command("PING") == b"+PONG\r\n"
        assert f"tcp_port:{new}" in connection.command("INFO", "server").decode()
        with pytest.raises(ConnectionRefusedError):
            RawConnection(old)
        assert connection.command("CONFIG", "SET", "port", "0") == b"+OK\r\n"
        wait_until(lambda: not listens(new), "no port is open")
        assert connection.command("CONFIG", "SET", "port", str(old)) == b"+OK\r\n"
        wait_until(lambda: listens(old), "the first port is open again")
    server.port = old
    logs_no_traceback(server)


def listens(port: int) -> bool:
    """Whether somebody accepts connections on `port`."""
    try:
        with RawConnection(port) as connection:
            return connection.command("PING") == b"+PONG\r\n"
    except (ConnectionError, ServerClosed):
        return False


def test_a_taken_port_is_refused_and_the_old_one_stays(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with server.connect() as connection, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        reply = connection.command("CONFIG", "SET", "port", str(port))
        assert reply.startswith(b"-ERR CONFIG SET failed (possibly related to argument 'port') - ")
        assert connection.command("CONFIG", "GET", "port").endswith(b"\r\n%d\r\n" % server.port)
    with server.connect() as connection:
        assert connection.command("PING") == b"+PONG\r\n"
    logs_no_traceback(server)


def test_the_addresses_can_be_changed(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with server.connect() as connection:
        assert connection.command("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2") == b"+OK\r\n"
        wait_until(lambda: reaches("127.0.0.2", server.port), "the second address is served")
        assert reaches("127.0.0.1", server.port)
        assert connection.command("CONFIG", "SET", "bind", "127.0.0.2") == b"+OK\r\n"
        wait_until(lambda: not reaches("127.0.0.1", server.port), "the first address is not served")
        assert reaches("127.0.0.2", server.port)
        reply = connection.command("CONFIG", "SET", "bind", "198.51.100.7")
        assert reply.startswith(b"-ERR CONFIG SET failed (possibly related to argument 'bind') - ")
        assert reaches("127.0.0.2", server.port)
        # A leading dash: where the machine does not have the address, the others will do.
        assert connection.command("CONFIG", "SET", "bind", "127.0.0.1 -198.51.100.7") == b"+OK\r\n"
        wait_until(lambda: reaches("127.0.0.1", server.port), "the first address is served again")
    logs_no_traceback(server)


def reaches(address: str, port: int) -> bool:
    """Whether a connection to `address` is accepted."""
    try:
        socket.create_connection((address, port), timeout=5).close()
        return True
    except ConnectionRefusedError:
        return False


def with_files(number: int) -> tuple[str, ...]:
    """The command line of a server that may open so many files."""
    command = ("/bin/sh", "-c", f'ulimit -n {number}; exec "$@"', "sh", *AIKV)
    # Without the privilege to go beyond the hard limit, as most servers run.
    unprivileged = ("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource")
    return (*unprivileged, *command) if os.geteuid() == 0 else command


def test_a_server_that_may_open_few_files_lets_fewer_clients_in(start_server: StartServer) -> None:
    server = start_server(with_files(60), *VOLATILE)
    with server.connect() as connection:
        allowed = 60 - RESERVED
        assert connection.command("CONFIG", "GET", "maxclients").endswith(b"\r\n%d\r\n" % allowed)
        reply = connection.command("CONFIG", "SET", "maxclients", "1000")
        assert b"try with %d" % allowed in reply
        clients = [server.connect() for _ in range(allowed + 5)]
        assert clients[-1].read_until_closed() == b"-ERR max number of clients reached\r\n"
        assert clients[0].command("PING") == b"+PONG\r\n"
        assert info(connection, "maxclients") == str(allowed)
        for client in clients:
            client.close()
    assert f"maxclients is {allowed} now" in server.log()
    logs_no_traceback(server)


def test_too_few_open_files_for_one_client_stop_the_start(start_server: StartServer) -> None:
    with pytest.raises(ServerFailed, match="too few open files"):
        start_server(with_files(30), *VOLATILE)
