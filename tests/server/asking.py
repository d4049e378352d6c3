"""What tests of the server ask it besides commands."""

import socket

from crash.waiting import info, wait_until
from oracle.process import ServerProcess
from oracle.wire import RawConnection

__all__ = ["closed_by_server", "info", "logs_no_traceback", "slow_reader", "wait_until"]


def closed_by_server(connection: RawConnection) -> bytes:
    """Wait until the server closes the connection; returns what came before."""
    return connection.read_until_closed()


def slow_reader(server: ServerProcess) -> RawConnection:
    """A client with room for a few kilobytes of replies in its own system, which it does not read."""
    connection = server.connect()
    connection.close()
    connection.socket = socket.socket()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.socket.settimeout(10)
    connection.socket.connect(("127.0.0.1", server.port))
    return connection


def logs_no_traceback(server: ServerProcess) -> None:
    """Whatever clients have done, no fault of the server's own has come to light."""
    log = server.log()
    assert "Traceback" not in log, log
    assert "fault in aikv" not in log, log
    assert "Fault in the event loop" not in log, log
