"""What a client may make the server hold for it: output that it does not read, input that waits, idle connections."""

import time
from pathlib import Path

import pytest

from conftest import StartServer
from oracle.process import AIKV, VOLATILE, ServerProcess
from oracle.wire import RawConnection, pack
from server.asking import info, logs_no_traceback, slow_reader, wait_until

LARGE = b"v" * 200_000


def with_large_value(server: ServerProcess) -> RawConnection:
    """A connection to a server that holds the key `large`."""
    connection = server.connect()
    assert connection.command("SET", "large", LARGE) == b"+OK\r\n"
    return connection


def test_a_client_that_does_not_read_is_closed_at_the_hard_limit(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--client-output-buffer-limit", "normal", "1mb", "0", "0")
    with with_large_value(server) as steady, slow_reader(server) as slow:
        slow.send("CLIENT", "ID")
        number = int(slow.read_reply()[1:])
        for _ in range(40):
            try:
                slow.send("GET", "large")
            except ConnectionError:
                break
        wait_until(lambda: info(steady, "client_output_buffer_limit_disconnections") == "1", "the client is closed")
        assert b"id=%d " % number not in steady.command("CLIENT", "LIST")
        assert f"Client id={number} " in server.log()
        assert "client-output-buffer-limit" in server.log()
        received = len(slow.read_until_closed())
        assert received < 40 * len(LARGE)
    logs_no_traceback(server)


def test_one_pipeline_is_stopped_at_the_hard_limit_while_it_runs(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--client-output-buffer-limit", "normal", "1mb", "0", "0")
    with with_large_value(server) as steady, slow_reader(server) as slow:
        steady.command("SET", "count", "0")
        slow.send_raw((pack([b"INCR", b"count"]) + pack([b"GET", b"large"])) * 500)
        wait_until(lambda: info(steady, "client_output_buffer_limit_disconnections") == "1", "the client is closed")
        reply = steady.command("GET", "count")
        assert int(reply.split(b"\r\n")[1]) < 30
    logs_no_traceback(server)


def test_no_limit_is_set_for_ordinary_clients_unless_it_is_asked_for(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with with_large_value(server), server.connect() as slow:
        slow.send_raw(pack([b"GET", b"large"]) * 60)
        for _ in range(60):
            assert slow.read_reply() == b"$200000\r\n" + LARGE + b"\r\n"


def test_the_soft_limit_gives_some_seconds(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with with_large_value(server) as steady, slow_reader(server) as slow:
        assert steady.command("CONFIG", "SET", "client-output-buffer-limit", "normal 0 1mb 1") == b"+OK\r\n"
        began = time.monotonic()
        for _ in range(40):
            slow.send("GET", "large")
        assert steady.command("PING") == b"+PONG\r\n"
        assert info(steady, "client_output_buffer_limit_disconnections") == "0"
        wait_until(lambda: info(steady, "client_output_buffer_limit_disconnections") == "1", "the client is closed")
        assert time.monotonic() - began >= 1
    logs_no_traceback(server)


def test_a_client_that_catches_up_in_time_stays(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--client-output-buffer-limit", "normal", "0", "1mb", "1")
    with with_large_value(server), server.connect() as connection:
        for _ in range(3):
            connection.send_raw(pack([b"GET", b"large"]) * 10)
            for _ in range(10):
                assert len(connection.read_reply()) == 200_011
        assert connection.command("PING") == b"+PONG\r\n"


@pytest.mark.parametrize("start", [b"*2\r\n$4\r\nECHO\r\n$100000000\r\n", b"MULTI\r\n"])
def test_a_client_that_sends_too_much_that_cannot_be_run_is_closed(start: bytes, start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--client-query-buffer-limit", "2mb")
    with server.connect() as steady, server.connect() as greedy:
        more = pack([b"SET", b"a", b"x" * 100_000]) if start.startswith(b"MULTI") else b"x" * 100_000
        with pytest.raises(ConnectionError):  # noqa: PT012
            greedy.send_raw(start)
            for _ in range(1000):
                greedy.send_raw(more)
        assert info(steady, "client_query_buffer_limit_disconnections") == "1"
        assert "client-query-buffer-limit" in server.log()
    logs_no_traceback(server)


def test_a_long_pipeline_that_can_be_run_is_no_matter_of_the_input_limit(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--client-query-buffer-limit", "1mb")
    with server.connect() as connection:
        for _ in range(20):
            connection.send_raw(pack([b"SET", b"a", b"x" * 150_000]) * 2)
            assert connection.read_reply() + connection.read_reply() == b"+OK\r\n+OK\r\n"


def test_one_client_too_many_is_told_and_closed(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--maxclients", "3")
    clients = [server.connect() for _ in range(3)]
    for client in clients:
        assert client.command("PING") == b"+PONG\r\n"
    with server.connect() as refused:
        assert refused.read_until_closed() == b"-ERR max number of clients reached\r\n"
    assert info(clients[0], "rejected_connections") == "1"
    clients.pop().close()
    wait_until(lambda: info(clients[0], "connected_clients") == "2", "there is room again")
    clients.append(server.connect())
    assert clients[-1].command("PING") == b"+PONG\r\n"
    assert clients[0].command("CONFIG", "SET", "maxclients", "10") == b"+OK\r\n"
    clients += [server.connect() for _ in range(5)]
    assert all(client.command("PING") == b"+PONG\r\n" for client in clients)
    for client in clients:
        client.close()
    logs_no_traceback(server)


def test_an_idle_client_is_closed_after_its_time(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--timeout", "1")
    with server.connect() as idle, server.connect() as busy:
        began = time.monotonic()
        idle.command("PING")
        idle.socket.settimeout(0.05)
        while True:
            busy.command("PING")
            try:
                if idle.receive() == b"":
                    break
            except TimeoutError:
                assert time.monotonic() - began < 10
        assert time.monotonic() - began >= 1
        assert busy.command("PING") == b"+PONG\r\n"
    logs_no_traceback(server)


def test_an_idle_client_that_does_not_read_is_closed_too(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--timeout", "1")
    with with_large_value(server) as busy, slow_reader(server) as slow:
        slow.send_raw(pack([b"GET", b"large"]) * 30)
        wait_until(lambda: info(busy, "connected_clients") == "1", "the idle client is closed")
    logs_no_traceback(server)


def open_sockets(server: ServerProcess) -> int:
    """How many sockets the server has open."""
    links = []
    for path in Path(f"/proc/{server.pid}/fd").iterdir():
        try:
            links.append(path.readlink())
        except FileNotFoundError:
            # Closed since the folder was listed.
            continue
    return sum(str(link).startswith("socket:") for link in links)


def test_a_killed_client_that_does_not_read_is_gone_at_once(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with with_large_value(server) as steady, slow_reader(server) as slow:
        number = slow.command("CLIENT", "ID")[1:-2]
        before = open_sockets(server)
        slow.send_raw(pack([b"GET", b"large"]) * 30)
        wait_until(lambda: b"omem=0 " not in listed(steady, number), "replies pile up")
        assert steady.command("CLIENT", "KILL", "ID", number) == b":1\r\n"
        wait_until(lambda: open_sockets(server) == before - 1, "its socket is closed")
    logs_no_traceback(server)


def listed(connection: RawConnection, number: bytes) -> bytes:
    """The line of CLIENT LIST for one client."""
    return connection.command("CLIENT", "LIST", "ID", number)


def test_before_auth_requests_are_small(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--requirepass", "secret")
    requests = {
        b"*11\r\n": b"-ERR Protocol error: unauthenticated multibulk length\r\n",
        b"*2\r\n$4\r\nECHO\r\n$16385\r\n": b"-ERR Protocol error: unauthenticated bulk length\r\n",
        b"PING\r\nGET a\r\n*1\r\n$16385\r\n": b"-NOAUTH Authentication required.\r\n" * 2
        + b"-ERR Protocol error: unauthenticated bulk length\r\n",
    }
    for request, answer in requests.items():
        with server.connect() as connection:
            connection.send_raw(request)
            assert connection.read_until_closed() == answer


def test_auth_lifts_the_limits_within_one_pipeline(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--requirepass", "secret")
    with server.connect() as connection:
        connection.send_raw(
            pack([b"AUTH", b"wrong"]) + pack([b"AUTH", b"secret"]) + pack([b"MSET"] + [b"k", b"v"] * 20)
        )
        connection.send_raw(pack([b"SET", b"long", b"x" * 50_000]))
        assert connection.read_reply().startswith(b"-WRONGPASS")
        assert [connection.read_reply() for _ in range(3)] == [b"+OK\r\n"] * 3
