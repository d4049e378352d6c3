"""CLIENT commands that need more than one connection, or replies that never come."""

from collections.abc import Callable

import pytest

from oracle.pair import Pair
from oracle.process import ServerProcess
from oracle.wire import RawConnection, ServerClosed, pack

# What 7.2 added to the oracle's fields.
NEWER_FIELDS = ["lib-name", "lib-ver"]

QUIET = [
    [["CLIENT", "REPLY", "SKIP"], ["PING", "1"], ["PING", "2"]],
    [["CLIENT", "REPLY", "OFF"], ["PING", "1"], ["CLIENT", "REPLY", "ON"], ["PING", "2"]],
    [["CLIENT", "REPLY", "OFF"], ["CLIENT", "REPLY", "x"], ["CLIENT", "REPLY", "SKIP"], ["PING", "1"]],
    [["CLIENT", "REPLY", "OFF"], ["PING", "1"], ["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "ON"], ["PING", "2"]],
    [["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "ON"], ["PING", "1"]],
    [["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "SKIP"], ["PING", "1"], ["PING", "2"]],
    [["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "x"], ["PING", "1"]],
    [["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "OFF"], ["PING", "1"], ["CLIENT", "REPLY", "ON"]],
    [["CLIENT", "REPLY", "OFF"], ["RESET"], ["PING", "1"]],
    [["CLIENT", "REPLY", "SKIP"], ["RESET"], ["PING", "1"]],
    [["CLIENT", "REPLY", "SKIP"], ["DEBUG", "ERROR", "dropped"], ["PING", "1"]],
    [["CLIENT", "REPLY", "OFF"], ["MULTI"], ["PING"], ["EXEC"], ["CLIENT", "REPLY", "ON"], ["PING", "1"]],
    [["CLIENT", "REPLY", "OFF"], ["SET", "quiet", "1"], ["CLIENT", "REPLY", "ON"], ["GET", "quiet"], ["DEL", "quiet"]],
    [["CLIENT", "REPLY", "OFF"], ["QUIT"], ["PING", "1"]],
]


@pytest.mark.parametrize("requests", QUIET, ids=lambda requests: " ; ".join(" ".join(words) for words in requests))
def test_what_is_left_out_of_the_replies_is_what_the_oracle_leaves_out(requests: list[list[str]], pair: Pair) -> None:
    pair.compare_raw(b"".join(pack([word.encode() for word in words]) for words in requests))


@pytest.fixture(params=["oracle", "aikv"])
def server(request: pytest.FixtureRequest, pair: Pair) -> ServerProcess:
    """Each of both servers: what is asserted of aikv holds for redis-server."""
    chosen: ServerProcess = getattr(pair, request.param)
    with chosen.connect() as connection:
        connection.command("FLUSHALL")
    return chosen


def fields(line: bytes) -> dict[str, str]:
    """Return the fields of one line of CLIENT LIST."""
    return dict(word.split("=", 1) for word in line.decode().split("\r\n")[1].split())


def wait_for(asked: RawConnection, number: bytes, condition: Callable[[dict[str, str]], bool]) -> None:
    """Ask for the line of client `number` until it is as it should be; a time limit is the connection's own."""
    for _ in range(2000):
        if condition(fields(asked.command("CLIENT", "LIST", "ID", number))):
            return
    raise AssertionError("the client did not get there")


def own_number(connection: RawConnection) -> bytes:
    """Return the client number of a connection."""
    return connection.command("CLIENT", "ID")[1:-2]


def is_held(line: dict[str, str]) -> bool:
    """Whether a client waits."""
    return "b" in line["flags"]


def test_a_write_is_held_back_until_the_pause_is_ended(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as writer:
        number = own_number(writer)
        assert admin.command("CLIENT", "PAUSE", "100000", "WRITE") == b"+OK\r\n"
        assert writer.command("GET", "k") == b"$-1\r\n"
        writer.send("SET", "k", "v")
        writer.send("GET", "k")
        wait_for(admin, number, is_held)
        assert admin.command("GET", "k") == b"$-1\r\n"
        assert admin.command("CLIENT", "UNPAUSE") == b"+OK\r\n"
        assert writer.read_reply() == b"+OK\r\n"
        assert writer.read_reply() == b"$1\r\nv\r\n"


@pytest.mark.parametrize("request_", [["PUBLISH", "c", "m"], ["SPUBLISH", "c", "m"], ["PFCOUNT", "k"]])
def test_what_replicas_must_hear_of_is_held_back_with_writes(request_: list[str], server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as client:
        number = own_number(client)
        admin.command("CLIENT", "PAUSE", "100000", "WRITE")
        client.send(*request_)
        wait_for(admin, number, is_held)
        admin.command("CLIENT", "UNPAUSE")
        assert client.read_reply() == b":0\r\n"


def test_a_pause_of_everything_ends_by_itself_and_in_order(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as other:
        admin.command("CLIENT", "PAUSE", "60")
        for word in ("1", "2", "3"):
            other.send("PING", word)
        assert [other.read_reply() for _ in range(3)] == [b"$1\r\n1\r\n", b"$1\r\n2\r\n", b"$1\r\n3\r\n"]
        assert admin.command("PING") == b"+PONG\r\n"


def test_a_transaction_that_writes_is_held_back_at_its_exec(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as writer:
        number = own_number(writer)
        writer.command("MULTI")
        writer.command("SET", "k", "v")
        admin.command("CLIENT", "PAUSE", "100000", "WRITE")
        writer.send("EXEC")
        wait_for(admin, number, is_held)
        admin.command("CLIENT", "UNPAUSE")
        assert writer.read_reply() == b"*1\r\n+OK\r\n"


def test_a_pause_can_be_made_longer_and_stricter_but_not_shorter(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as writer:
        number = own_number(writer)
        admin.command("CLIENT", "PAUSE", "100000", "WRITE")
        admin.command("CLIENT", "PAUSE", "1", "WRITE")
        writer.send("SET", "k", "v")
        wait_for(admin, number, is_held)
        assert is_held(fields(admin.command("CLIENT", "LIST", "ID", number)))
        admin.command("CLIENT", "UNPAUSE")
        assert writer.read_reply() == b"+OK\r\n"


def test_keys_stay_in_place_while_clients_are_paused_though_they_are_not_served(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("SET", "k", "v", "PX", "20")
        admin.command("CLIENT", "PAUSE", "100000", "WRITE")
        while admin.command("GET", "k") != b"$-1\r\n":
            pass
        assert admin.command("DBSIZE") == b":1\r\n"
        admin.command("CLIENT", "UNPAUSE")
        assert admin.command("GET", "k") == b"$-1\r\n"
        assert admin.command("DBSIZE") == b":0\r\n"


def test_a_client_that_leaves_while_it_is_held_back_is_forgotten(server: ServerProcess) -> None:
    with server.connect() as admin:
        with server.connect() as writer:
            number = own_number(writer)
            admin.command("CLIENT", "PAUSE", "100000", "WRITE")
            writer.send("SET", "left", "v")
            wait_for(admin, number, is_held)
        while admin.command("CLIENT", "LIST", "ID", number) != b"$0\r\n\r\n":
            pass
        admin.command("CLIENT", "UNPAUSE")
        assert admin.command("GET", "left") == b"$-1\r\n"


def test_a_killed_client_is_closed_and_no_longer_listed(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as victim:
        number = own_number(victim)
        assert admin.command("CLIENT", "KILL", "ID", number) == b":1\r\n"
        assert admin.command("CLIENT", "LIST", "ID", number) == b"$0\r\n\r\n"
        with pytest.raises(ServerClosed):
            victim.read_reply()


def test_the_old_form_of_kill_takes_an_address(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as victim:
        address = fields(victim.command("CLIENT", "INFO"))["addr"]
        assert admin.command("CLIENT", "KILL", address) == b"+OK\r\n"
        with pytest.raises(ServerClosed):
            victim.read_reply()


def test_a_client_that_kills_itself_gets_its_reply_first(server: ServerProcess) -> None:
    with server.connect() as suicidal:
        number = own_number(suicidal)
        suicidal.send("CLIENT", "KILL", "ID", number, "SKIPME", "no")
        suicidal.send("PING")
        assert suicidal.read_until_closed() == b":1\r\n"


def test_a_killed_client_in_a_pause_is_closed(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as victim:
        number = own_number(victim)
        admin.command("CLIENT", "PAUSE", "100000", "WRITE")
        victim.send("SET", "k", "v")
        wait_for(admin, number, is_held)
        assert admin.command("CLIENT", "KILL", "ID", number) == b":1\r\n"
        assert victim.read_until_closed() == b""
        admin.command("CLIENT", "UNPAUSE")
        assert admin.command("GET", "k") == b"$-1\r\n"


def test_lines_have_the_oracles_fields_in_its_order(pair: Pair) -> None:
    with pair.oracle.connect() as theirs, pair.aikv.connect() as ours:
        expected = list(fields(theirs.command("CLIENT", "INFO")))
        assert list(fields(ours.command("CLIENT", "INFO"))) == expected + NEWER_FIELDS


def test_lines_tell_what_a_client_is_doing(server: ServerProcess) -> None:
    with server.connect() as admin, server.connect() as client:
        number = own_number(client)
        client.command("CLIENT", "SETNAME", "worker")
        client.command("SELECT", "3")
        client.command("WATCH", "k")
        client.command("MULTI")
        client.command("SET", "a", "b")
        line = fields(admin.command("CLIENT", "LIST", "ID", number))
        assert [line[name] for name in ("name", "db", "flags", "multi", "resp", "user", "redir")] == [
            "worker",
            "3",
            "x",
            "1",
            "2",
            "default",
            "-1",
        ]
        own = fields(admin.command("CLIENT", "INFO"))
        assert own["cmd"] == "client|info"
        assert own["id"] != number.decode()
