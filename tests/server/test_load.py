"""Many clients, long pipelines, large values, connections that end in odd ways: everybody gets their own answers."""

import socket
import struct
import threading

import pytest

from conftest import StartServer
from oracle.process import AIKV, VOLATILE, ServerProcess
from oracle.wire import RawConnection, pack
from server.asking import info, logs_no_traceback, wait_until


def test_a_pipeline_of_ten_thousand_commands_is_answered_in_order(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as connection:
        requests = b"".join(pack([b"ECHO", b"%d" % index]) for index in range(10_000))
        # From a thread of its own: the server may want replies to be read before it takes more.
        sender = threading.Thread(target=connection.send_raw, args=(requests,))
        sender.start()
        expected = b"".join(b"$%d\r\n%d\r\n" % (len(str(index)), index) for index in range(10_000))
        received = b""
        while len(received) < len(expected):
            received += connection.receive()
        sender.join()
    assert received == expected


def test_many_clients_at_once_get_their_own_answers(aikv_server: ServerProcess) -> None:
    connections = [aikv_server.connect() for _ in range(300)]
    for index, connection in enumerate(connections):
        connection.send("SET", f"client:{index}", f"{index}")
        connection.send("GET", f"client:{index}")
        connection.send("CLIENT", "ID")
    ids = set()
    for index, connection in enumerate(connections):
        assert connection.read_reply() == b"+OK\r\n"
        assert connection.read_reply() == b"$%d\r\n%d\r\n" % (len(str(index)), index)
        ids.add(connection.read_reply())
        connection.close()
    assert len(ids) == len(connections)
    with aikv_server.connect() as connection:
        wait_until(lambda: info(connection, "connected_clients") == "1", "the clients are forgotten")


@pytest.mark.parametrize("size", [1 << 20, 100_000_000])
def test_a_large_value_goes_in_and_comes_out(size: int, start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    value = bytes(range(256)) * (size // 256)
    with server.connect(timeout=30) as connection:
        assert connection.command("SET", "large", value) == b"+OK\r\n"
        assert connection.command("STRLEN", "large") == b":%d\r\n" % len(value)
        connection.send("GET", "large")
        expected = b"$%d\r\n%b\r\n" % (len(value), value)
        received = bytearray()
        while len(received) < len(expected):
            more = connection.receive()
            assert more
            received += more
        assert received == expected
        assert connection.command("PING") == b"+PONG\r\n"
    logs_no_traceback(server)


def test_a_value_larger_than_the_limit_is_refused_before_it_is_sent(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--proto-max-bulk-len", "1mb")
    with server.connect() as connection:
        connection.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1048577\r\n")
        assert connection.read_until_closed() == b"-ERR Protocol error: invalid bulk length\r\n"
    with server.connect() as connection:
        assert connection.command("SET", "a", b"x" * (1 << 20)) == b"+OK\r\n"


def test_a_changed_limit_of_bulks_holds_for_clients_that_are_there(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with server.connect() as connection:
        assert connection.command("CONFIG", "SET", "proto-max-bulk-len", "1mb") == b"+OK\r\n"
        connection.send_raw(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n")
        assert connection.read_until_closed() == b"-ERR Protocol error: invalid bulk length\r\n"


def test_a_client_that_will_send_no_more_gets_all_its_replies(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as connection:
        connection.command("SET", "half", b"v" * 500_000)
        connection.send_raw(pack([b"GET", b"half"]) * 10 + b"PING\r\n")
        connection.finish()
        received = connection.read_until_closed()
    assert len(received) == 10 * (500_000 + 11) + 7
    assert received.endswith(b"+PONG\r\n")


def test_half_a_command_at_the_end_is_not_run(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as connection:
        connection.command("DEL", "cut")
        connection.send_raw(b"*3\r\n$3\r\nSET\r\n$3\r\ncut\r\n$5\r\nva")
        connection.finish()
        assert connection.read_until_closed() == b""
    with aikv_server.connect() as connection:
        assert connection.command("EXISTS", "cut") == b":0\r\n"


def reset(connection: RawConnection) -> None:
    """Close so that the other side gets a reset."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_clients_that_vanish_leave_nothing_behind(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with server.connect() as steady:
        steady.command("SET", "large", b"v" * 5_000_000)
        for request in (
            b"",
            b"*3\r\n$3\r\nSET\r\n",
            pack([b"GET", b"large"]) * 3,
            b"MULTI\r\nSET a b\r\n",
            b"WATCH a\r\n",
        ):
            for end in (reset, RawConnection.close):
                connection = server.connect()
                connection.send_raw(request)
                end(connection)
                assert steady.command("PING") == b"+PONG\r\n"
        wait_until(lambda: info(steady, "connected_clients") == "1", "the clients are forgotten")
    logs_no_traceback(server)


def test_others_are_served_while_one_sends_nonsense(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    nonsense = [
        b"*1000000000\r\n",
        b"*-7\r\n*3\r\n$-5\r\n",
        b"*2147483648\r\n",
        b"*2\r\n$3\r\nGET\r\n$99999999999999999999\r\n",
        b"x" * 70_000,
        b"\x00" * 70_000,
        b"\xff\xfe\x00*\r\n" * 500,
        b"*1\r\n*1\r\n$4\r\nPING\r\n",
        b"SET 'a b\r\n",
        b"*3\r\n$3\r\nSETxx$1\r\na\r\n$1\r\nb\r\n",
    ]
    with server.connect() as steady:
        before = int(info(steady, "used_memory_rss") or 0)
        for data in nonsense:
            noisy = server.connect()
            noisy.send_raw(data)
            assert steady.command("PING") == b"+PONG\r\n"
            noisy.finish()
            noisy.read_until_closed()
            noisy.close()
        assert steady.command("SET", "a", "b") == b"+OK\r\n"
        grown = int(info(steady, "used_memory_rss") or 0) - before
        assert grown < 20_000_000
    logs_no_traceback(server)


def test_commands_before_a_protocol_error_are_answered_and_those_behind_it_are_not_run(
    aikv_server: ServerProcess,
) -> None:
    with aikv_server.connect() as connection:
        connection.send_raw(b"SET early 1\r\nSET late 1\r\n*2\r\n$x\r\nSET late 2\r\n")
        said = connection.read_until_closed()
    assert said == b"+OK\r\n+OK\r\n-ERR Protocol error: invalid bulk length\r\n"
    with aikv_server.connect() as connection:
        assert connection.command("GET", "late") == b"$1\r\n1\r\n"


def test_the_commands_of_the_log_are_not_counted_as_asked_for(start_server: StartServer) -> None:
    server = start_server(AIKV, "--save", "", "--appendonly", "yes", "--slowlog-log-slower-than", "0")
    with server.connect() as client:
        client.command("SET", "a", "b")
    server.restart()
    with server.connect() as client:
        assert client.command("GET", "a") == b"$1\r\nb\r\n"
        stats = client.command("INFO", "commandstats", "latencystats")
        assert b"cmdstat_get:calls=1," in stats
        assert b"cmdstat_set:" not in stats
        assert b"latency_percentiles_usec_set:" not in stats
        assert b"SET" not in client.command("SLOWLOG", "GET", "-1")
