"""MONITOR shows what the oracle shows, of the same commands, in the same order."""

import os
import re
import socket

import pytest

from conftest import StartServer
from oracle.pair import Pair
from oracle.process import AIKV, REDIS, VOLATILE, ServerProcess
from oracle.wire import RawConnection

LINE = re.compile(rb"\+(\d+)\.(\d{6}) \[(\d+) ([^\]]+)\] (.*)\r\n")
LAST = b'"PING" "the last"'

SHOWN: list[list[bytes]] = [
    [b"SELECT", b"3"],
    [b"SET", b"a b", b'\x00"\\\n\r\t\x07\xff'],
    [b"set", b"", b"x" * 300],
    [b"NOSUCH"],
    [b"GET"],
    [b"LPUSH", b"a b", b"1"],
    [b"MULTI"],
    [b"GET", b"x"],
    [b"AUTH", b"user", b"secret"],
    [b"CONFIG", b"GET", b"maxmemory"],
    [b"BLPOP", b"nosuch", b"1"],
    [b"EXEC"],
    [b"MULTI"],
    [b"GET"],
    [b"EXEC"],
    [b"EXEC"],
    [b"MULTI"],
    [b"DISCARD"],
    [b"WATCH", b"k"],
    [b"UNWATCH"],
    [b"BLPOP", b"nosuch", b"0.01"],
    [b"DEBUG", b"SLEEP", b"0"],
    [b"SLOWLOG", b"LEN"],
    [b"CLIENT", b"LIST"],
    [b"CLIENT", b"SETNAME", b"me"],
    [b"COMMAND", b"COUNT"],
    [b"HELLO", b"2"],
    [b"AUTH", b"secret"],
    [b"HELLO", b"2", b"AUTH", b"user", b"secret"],
    [b"INFO", b"server"],
    [b"CONFIG", b"SET", b"maxclients", b"10000"],
    [b"SAVE"],
    [b"TIME"],
    [b"FLUSHALL"],
    [b"PUBLISH", b"c", b"m"],
    [b"OBJECT", b"HELP"],
    [b"CLIENT", b"REPLY", b"SKIP"],
    [b"CLIENT", b"REPLY", b"ON"],
    [b"RESET"],
]


def until_the_last(monitor: RawConnection) -> list[tuple[bytes, bytes, bytes]]:
    """Read lines up to that of the last command; returns database, address and words of each."""
    lines: list[tuple[bytes, bytes, bytes]] = []
    before = 0.0
    while not lines or lines[-1][2] != LAST:
        line = monitor.read_reply()
        match = LINE.fullmatch(line)
        assert match is not None, line
        at = float(match[1] + b"." + match[2])
        assert at >= before
        before = at
        lines.append((match[3], match[4], match[5]))
    return lines[:-1]


def shown(server: ServerProcess, requests: list[list[bytes]]) -> list[tuple[bytes, bytes]]:
    """Run `requests` while a monitor listens; returns database and words of each line."""
    with server.connect() as monitor, server.connect() as client:
        address = client.socket.getsockname()
        assert monitor.command("MONITOR") == b"+OK\r\n"
        for request in requests:
            client.send(*request)
        client.send("PING", "the last")
        found = until_the_last(monitor)
    assert {line[1] for line in found} == {b"%b:%d" % (address[0].encode(), address[1])}
    return [(db, words) for db, _, words in found]


def test_the_same_commands_are_shown_in_the_same_words_and_order(pair: Pair) -> None:
    assert shown(pair.aikv, SHOWN) == shown(pair.oracle, SHOWN)


@pytest.fixture(params=["oracle", "aikv"])
def server(request: pytest.FixtureRequest, pair: Pair) -> ServerProcess:
    """Each of both servers: what is asserted of aikv holds for redis-server."""
    chosen: ServerProcess = getattr(pair, request.param)
    return chosen


def test_a_served_client_is_shown_when_it_begins_to_wait_and_not_again(server: ServerProcess) -> None:
    with server.connect() as monitor, server.connect() as waiting, server.connect() as other:
        other.command("DEL", "queue")
        number = waiting.command("CLIENT", "ID")[1:-2]
        monitor.command("MONITOR")
        waiting.send("BLPOP", "queue", "0")
        while b"flags=b" not in other.command("CLIENT", "LIST", "ID", number):
            pass
        other.command("RPUSH", "queue", "x")
        waiting.read_reply()
        other.command("PING", "the last")
        words = [line[2] for line in until_the_last(monitor)]
        assert words == [b'"BLPOP" "queue" "0"', b'"RPUSH" "queue" "x"']


def test_a_monitor_may_not_touch_keys_and_sees_its_own_commands(server: ServerProcess) -> None:
    with server.connect() as monitor:
        monitor.command("MONITOR")
        assert monitor.command("GET", "k") == b"-ERR Replica can't interact with the keyspace\r\n"
        assert monitor.command("SET", "k", "v") == b"-ERR Replica can't interact with the keyspace\r\n"
        assert monitor.command("PUBLISH", "c", "m") == b"-ERR Replica can't interact with the keyspace\r\n"
        assert monitor.command("PING", "x") == b"$1\r\nx\r\n"
        assert LINE.fullmatch(monitor.read_reply())
        # Asked for once more it is not answered.
        monitor.send("MONITOR")
        assert monitor.command("PING", "y") == b"$1\r\ny\r\n"


def test_reset_ends_it_and_is_not_shown(server: ServerProcess) -> None:
    with server.connect() as monitor, server.connect() as other:
        monitor.command("MONITOR")
        assert monitor.command("RESET") == b"+RESET\r\n"
        other.command("PING")
        assert monitor.command("PING") == b"+PONG\r\n"
        assert monitor.command("SET", "k", "v") == b"+OK\r\n"


def test_quit_ends_it(server: ServerProcess) -> None:
    with server.connect() as monitor, server.connect() as other:
        monitor.command("MONITOR")
        monitor.send("QUIT")
        assert monitor.read_until_closed() == b"+OK\r\n"
        assert other.command("PING") == b"+PONG\r\n"


def test_a_monitor_is_listed_with_its_flag_and_as_an_ordinary_client(server: ServerProcess) -> None:
    with server.connect() as monitor, server.connect() as admin:
        number = monitor.command("CLIENT", "ID")[1:-2]
        monitor.command("MONITOR")
        assert b" flags=O " in admin.command("CLIENT", "LIST", "ID", number)
        assert b" flags=O " in admin.command("CLIENT", "LIST", "TYPE", "normal")
        assert admin.command("CLIENT", "LIST", "TYPE", "replica") == b"$0\r\n\r\n"
        assert admin.command("CLIENT", "KILL", "TYPE", "replica") == b":0\r\n"
        assert admin.command("CLIENT", "KILL", "TYPE", "normal", "ID", number.decode()) == b":1\r\n"
        assert monitor.read_until_closed() == b""
        assert admin.command("PING") == b"+PONG\r\n"


def test_lines_have_one_form_in_both_protocols(server: ServerProcess) -> None:
    with server.connect(3) as monitor, server.connect() as other:
        monitor.command("MONITOR")
        other.command("GET", "k")
        match = LINE.fullmatch(monitor.read_reply())
        assert match is not None
        assert match[5] == b'"GET" "k"'


def test_a_monitor_that_wants_no_replies_gets_no_lines(server: ServerProcess) -> None:
    with server.connect() as monitor, server.connect() as other:
        monitor.send("CLIENT", "REPLY", "OFF")
        monitor.send("MONITOR")
        other.command("GET", "k")
        assert monitor.command("CLIENT", "REPLY", "ON") == b"+OK\r\n"
        other.command("PING", "the last")
        assert [line[2] for line in until_the_last(monitor)] == [b'"CLIENT" "REPLY" "ON"']


@pytest.mark.parametrize("program", [REDIS, AIKV])
def test_a_client_of_a_unix_socket_is_shown_with_its_path(program: tuple[str, ...], start_server: StartServer) -> None:
    server = start_server(program, *VOLATILE, "--unixsocket", "s.sock")
    with server.connect() as monitor, socket.socket(socket.AF_UNIX) as client:
        monitor.command("MONITOR")
        # A full path may be longer than the system takes.
        directory = os.open(server.folder, os.O_RDONLY)
        client.connect(f"/proc/self/fd/{directory}/s.sock")
        os.close(directory)
        client.sendall(b"GET k\r\n")
        match = LINE.fullmatch(monitor.read_reply())
        assert match is not None
        assert match[4].startswith(b"unix:")
        assert match[4].endswith(b"s.sock")


def test_a_monitor_that_does_not_read_is_dropped_at_the_limit_of_ordinary_clients(start_server: StartServer) -> None:
    limit = "normal 65536 0 0 replica 0 0 0 pubsub 0 0 0"
    server = start_server(AIKV, *VOLATILE, "--client-output-buffer-limit", *limit.split())
    with server.connect() as monitor, server.connect() as client:
        number = monitor.command("CLIENT", "ID")[1:-2]
        monitor.command("MONITOR")
        while client.command("CLIENT", "LIST", "ID", number) != b"$0\r\n\r\n":
            client.command("PING", "x" * 60_000)
        assert b"client_output_buffer_limit_disconnections:1" in client.command("INFO", "stats")
