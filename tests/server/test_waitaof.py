"""WAITAOF answers when what the client wrote has been forced to the disk, and no sooner."""

import pytest

from conftest import StartServer
from oracle.process import AIKV, VOLATILE, ServerProcess

LOGGING = ("--save", "", "--appendonly", "yes")
SYNCED = b"*2\r\n:1\r\n:0\r\n"
NOT_SYNCED = b"*2\r\n:0\r\n:0\r\n"
OFF = b"-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n"

REFUSED = [
    (["x", "0", "0"], b"-ERR value is not an integer or out of range\r\n"),
    (["2", "0", "0"], b"-ERR value is out of range, value must between 0 and 1\r\n"),
    (["-1", "0", "0"], b"-ERR value is out of range, value must between 0 and 1\r\n"),
    (["0", "x", "0"], b"-ERR value is out of range, must be positive\r\n"),
    (["0", "-1", "0"], b"-ERR value is out of range, must be positive\r\n"),
    (["0", "0", "x"], b"-ERR timeout is not an integer or out of range\r\n"),
    (["0", "0", "-1"], b"-ERR timeout is negative\r\n"),
    (["1", "0", "0"], OFF),
    (["1", "0"], b"-ERR wrong number of arguments for 'waitaof' command\r\n"),
    (["0", "0", "0"], NOT_SYNCED),
    (["0", "1", "1"], NOT_SYNCED),
]


@pytest.mark.parametrize(("arguments", "reply"), REFUSED, ids=str)
def test_without_a_log(arguments: list[str], reply: bytes, aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        assert client.command("WAITAOF", *arguments) == reply


def test_under_everysec_it_waits_for_the_next_fsync(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGING)
    with server.connect() as client:
        # Nothing was written by this client, so nothing is waited for.
        assert client.command("WAITAOF", "1", "0", "0") == SYNCED
        client.command("SET", "a", "1")
        assert client.command("WAITAOF", "1", "0", "10000") == SYNCED
        assert b"aof_pending_bio_fsync:0" in client.command("INFO", "persistence")
        assert client.command("WAITAOF", "1", "0", "0") == SYNCED


def test_under_always_the_reply_comes_with_those_of_the_same_turn(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGING, "--appendfsync", "always")
    with server.connect() as client:
        for request in (["SET", "a", "1"], ["WAITAOF", "1", "0", "0"], ["PING"]):
            client.send(*request)
        assert [client.read_reply() for _ in range(3)] == [b"+OK\r\n", SYNCED, b"+PONG\r\n"]


def test_without_fsyncs_the_time_runs_out(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGING, "--appendfsync", "no")
    with server.connect() as client, server.connect() as other:
        client.command("SET", "a", "1")
        assert client.command("WAITAOF", "1", "0", "20") == NOT_SYNCED
        assert client.command("WAITAOF", "0", "0", "0") == NOT_SYNCED
        # Another client has written nothing.
        assert other.command("WAITAOF", "1", "0", "0") == SYNCED
        assert other.command("WAITAOF", "1", "1", "20") == SYNCED


def test_a_transaction_does_not_wait(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGING)
    with server.connect() as client:
        client.command("MULTI")
        client.command("SET", "a", "1")
        client.command("WAITAOF", "1", "0", "0")
        assert client.command("EXEC") == b"*2\r\n+OK\r\n" + NOT_SYNCED


def test_a_waiting_client_is_told_that_the_log_was_switched_off(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGING, "--appendfsync", "no")
    with server.connect() as client, server.connect() as admin:
        number = client.command("CLIENT", "ID")[1:-2]
        client.command("SET", "a", "1")
        client.send("WAITAOF", "1", "0", "0")
        client.send("PING")
        while b"flags=b" not in admin.command("CLIENT", "LIST", "ID", number):
            pass
        assert admin.command("CONFIG", "SET", "appendonly", "no") == b"+OK\r\n"
        assert client.read_reply() == OFF
        assert client.read_reply() == b"+PONG\r\n"


def test_a_client_that_waited_can_be_let_go_or_can_leave(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGING, "--appendfsync", "no")
    with server.connect() as admin:
        with server.connect() as client:
            number = client.command("CLIENT", "ID")[1:-2]
            client.command("SET", "a", "1")
            client.send("WAITAOF", "1", "0", "0")
            while b"flags=b" not in admin.command("CLIENT", "LIST", "ID", number):
                pass
            assert admin.command("CLIENT", "UNBLOCK", number) == b":1\r\n"
            assert client.read_reply() == NOT_SYNCED
            client.send("WAITAOF", "1", "0", "0")
            while b"flags=b" not in admin.command("CLIENT", "LIST", "ID", number):
                pass
        while admin.command("CLIENT", "LIST", "ID", number) != b"$0\r\n\r\n":
            pass
        assert admin.command("CONFIG", "SET", "appendfsync", "everysec") == b"+OK\r\n"
        admin.command("SET", "a", "2")
        assert admin.command("WAITAOF", "1", "0", "10000") == SYNCED


def test_a_log_that_is_being_switched_on_counts_once_it_is_whole(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    with server.connect() as client:
        client.command("SET", "a", "1")
        client.command("CONFIG", "SET", "appendonly", "yes")
        client.command("SET", "b", "1")
        assert client.command("WAITAOF", "1", "0", "10000") == SYNCED
        assert b"aof_rewrite_in_progress:0" in client.command("INFO", "persistence")
