"""MIGRATE between real servers of both kinds, and to targets that refuse, are not there, or never answer.

What happens to keys while they travel is told in tests/engine/test_migration.py; what needs no target is compared in
cases/migrate.txt. A `target` is a redis-server that both sides send the same to; it is emptied between them.
"""

import socket
from collections.abc import Iterator

import hiredis
import pytest

from conftest import StartServer
from oracle.bad_input import FIXTURE
from oracle.effects import announced, recorded
from oracle.language import Step, parse_steps
from oracle.pair import Pair, near
from oracle.process import AIKV, REDIS, VOLATILE, ServerProcess, free_port
from oracle.wire import RawConnection
from server.asking import wait_until

HOST = "127.0.0.1"
OK = b"+OK\r\n"
READING = b"-IOERR error or timeout reading to target instance\r\n"
WRITING = b"-IOERR error or timeout writing to target instance\r\n"
CHANGED = b"-IOERR a key was changed or removed while it was sent"

MORE = [
    "RPUSH short a 1 -7",
    "ZADD few 1.5 a inf b -3 c",
    "SADD words a b cc",
    "SADD numbers 1 2 70000",
    "SET float 3.25",
    "SETRANGE large 200000 x",
    "XADD stream 5-1 a b",
    "XREADGROUP GROUP g c COUNT 1 STREAMS stream >",
    *(f"HSET bighash field:{number} {'v' * number}" for number in range(1, 300, 2)),
    *(f"RPUSH biglist {'v' * number} {number}" for number in range(1, 300, 2)),
    *(f"SADD bigset {'v' * number} {number}" for number in range(1, 300, 2)),
    *(f"ZADD bigzset {number}.5 {'v' * number}" for number in range(1, 300, 2)),
]


@pytest.fixture(scope="module")
def target(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A redis-server that takes keys."""
    del pair  # Without an oracle this test is left out.
    server = ServerProcess(REDIS, tmp_path_factory.mktemp("target"), VOLATILE)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Another aikv."""
    server = ServerProcess(AIKV, tmp_path_factory.mktemp("second"), VOLATILE)
    server.start()
    yield server
    assert "Traceback" not in server.log(), server.log()
    assert server.stop() == 0, server.log()


def ask(server: ServerProcess, line: str) -> bytes:
    """Run the commands of a line; returns the last raw reply."""
    reply = b""
    with server.connect() as connection:
        for step in parse_steps(line):
            reply = connection.command(*step.argv)
    return reply


def same_from_both(pair: Pair, target: ServerProcess, before: str, lines: list[str], protocol: int = 2) -> list[bytes]:
    """Run `lines` on both servers, `PORT` being that of `target`, where `before` has been run on it; their replies."""
    found = []
    for source in (pair.oracle, pair.aikv):
        ask(target, "CLIENT UNPAUSE; FLUSHALL")
        if before:
            ask(target, before)
        with source.connect(protocol) as connection:
            connection.command("FLUSHALL")
            replies = []
            for line in lines:
                for step in parse_steps(line.replace("PORT", str(target.port))):
                    replies.append(connection.command(*step.argv))
        found.append([*replies, ask(target, "DEBUG DIGEST")])
    assert found[1] == found[0]
    return found[0]


@pytest.mark.parametrize("replace", ["", "REPLACE"])
@pytest.mark.parametrize("route", ["to redis", "from redis", "to aikv"])
def test_every_type_arrives_with_its_ttl(
    route: str, replace: str, pair: Pair, target: ServerProcess, second: ServerProcess
) -> None:
    source = pair.oracle if route == "from redis" else pair.aikv
    goal = target if route == "to redis" else second
    ask(goal, "FLUSHALL")
    with source.connect() as connection, goal.connect() as there:
        connection.command("FLUSHALL")
        for line in [*FIXTURE, *MORE]:
            assert not connection.command(*line.split()).startswith(b"-"), line
        reader = hiredis.Reader()
        reader.feed(connection.command("KEYS", "*"))
        keys = sorted(reader.gets())
        for number, key in enumerate(keys[::2], 1):
            connection.command("PEXPIRE", key, str(1_000_000 * number))
        digest = connection.command("DEBUG", "DIGEST")
        left = [connection.command("PTTL", key) for key in keys]
        words = [option for option in (replace,) if option]
        reply = connection.command("MIGRATE", HOST, str(goal.port), "", "0", "9000", *words, "KEYS", *keys, "nosuch")
        assert reply == OK
        assert connection.command("DBSIZE") == b":0\r\n"
        assert there.command("DEBUG", "DIGEST") == digest
        for key, before in zip(keys, left, strict=True):
            assert near(before, there.command("PTTL", key)), key


CONVERSATIONS = {
    "moved": "SET k v; MIGRATE 127.0.0.1 PORT k 0 9000; GET k; MIGRATE 127.0.0.1 PORT k 0 9000",
    "copied": "SET k v; MIGRATE 127.0.0.1 PORT k 0 9000 COPY; GET k; MIGRATE 127.0.0.1 PORT k 0 0 COPY REPLACE; GET k",
    "another database": "SET k v; migrate 127.0.0.1 PORT k 3 -5 copy; EXISTS k",
    "some keys": 'MSET a 1 b 2; MIGRATE 127.0.0.1 PORT "" 0 9000 KEYS a nokey b; MGET a b',
    "one key twice": 'SET k v; MIGRATE 127.0.0.1 PORT "" 0 9000 KEYS k k; EXISTS k',
    "one key twice, replaced": 'SET k v; MIGRATE 127.0.0.1 PORT "" 0 9000 REPLACE KEYS k k; EXISTS k',
    "a key that is called like an option": 'SET AUTH v; MIGRATE 127.0.0.1 PORT "" 0 0 KEYS AUTH; EXISTS AUTH',
    "number before garbage": 'SET k v; MIGRATE localhost " PORTx" k 0 9000; EXISTS k',
    "run out": "SET k v PX 1; DEBUG SLEEP 0.01; MIGRATE 127.0.0.1 PORT k 0 9000",
    "in a transaction": "MULTI; SET k v; MIGRATE 127.0.0.1 PORT k 0 9000; GET k; MIGRATE 127.0.0.1 PORT k 0 1; EXEC",
    "watched": "SET k v; WATCH k; MIGRATE 127.0.0.1 PORT k 0 9000; MULTI; PING; EXEC",
    "watched and copied": "SET k v; WATCH k; MIGRATE 127.0.0.1 PORT k 0 9000 COPY; MULTI; PING; EXEC",
}


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("line", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_replies_and_what_the_target_has_are_the_oracles(
    line: str, protocol: int, pair: Pair, target: ServerProcess
) -> None:
    same_from_both(pair, target, "", [line], protocol)


REFUSALS = {
    "busy": ("SET k there", "SET k v; MIGRATE 127.0.0.1 PORT k 0 9000; GET k"),
    "one of them busy": (
        "SET b there",
        'MSET a 1 b 2 c 3; MIGRATE 127.0.0.1 PORT "" 0 9000 KEYS a b c; MGET a b c',
    ),
    "in a transaction": ("SET k there", "MULTI; SET k v; MIGRATE 127.0.0.1 PORT k 0 9000; GET k; EXEC"),
    "replaced": ("SET k there", "SET k v; MIGRATE 127.0.0.1 PORT k 0 9000 REPLACE; EXISTS k"),
    "full": ("CONFIG SET maxmemory 1", "SET k v; MIGRATE 127.0.0.1 PORT k 0 9000; GET k"),
    "paused": ("CLIENT PAUSE 60000 WRITE", "SET k v; MIGRATE 127.0.0.1 PORT k 0 20; GET k"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_the_target_refuses_stays(name: str, pair: Pair, target: ServerProcess) -> None:
    before, line = REFUSALS[name]
    try:
        same_from_both(pair, target, before, [line])
    finally:
        ask(target, "CONFIG SET maxmemory 0")
        ask(target, "CLIENT UNPAUSE")


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ("", False),
        ("AUTH wrong", False),
        ("AUTH pw", True),
        ("AUTH2 default pw", True),
        ("AUTH2 me secret", True),
        ("AUTH2 me wrong", False),
        ("AUTH2 me x AUTH secret", True),
        ("AUTH wrong AUTH pw", True),
        ('COPY REPLACE AUTH pw KEYS k"', True),
    ],
)
def test_login(options: str, taken: bool, pair: Pair, start_server: StartServer) -> None:
    options = options.removesuffix('"')
    locked = start_server(REDIS, *VOLATILE, "--requirepass", "pw")
    with locked.connect() as admin:
        admin.command("AUTH", "pw")
        admin.command("ACL", "SETUSER", "me", "on", ">secret", "~*", "+@all")
        found = []
        for source in (pair.oracle, pair.aikv):
            admin.command("FLUSHALL")
            key = '""' if "KEYS" in options else "k"
            line = f"FLUSHALL; SET k v; MIGRATE 127.0.0.1 {locked.port} {key} 0 9000 {options}"
            found.append((ask(source, line), admin.command("EXISTS", "k")))
    assert found[1] == found[0]
    assert found[0][0].startswith(b"+OK" if taken else b"-ERR Target instance replied with error: ")


def test_nothing_is_sent_to_a_target_that_refuses_the_database(pair: Pair, target: ServerProcess) -> None:
    replies = []
    for source in (pair.oracle, pair.aikv):
        ask(target, "FLUSHALL")
        replies.append(ask(source, f"SET k v; MIGRATE 127.0.0.1 {target.port} k 99 9000"))
    assert replies[1] == replies[0]
    assert ask(target, "DBSIZE") == b":0\r\n"
    assert ask(pair.aikv, "GET k") == b"$1\r\nv\r\n"


def test_no_database_is_the_first_as_on_a_new_connection_of_redis(
    aikv_server: ServerProcess, second: ServerProcess
) -> None:
    ask(second, "FLUSHALL")
    assert ask(aikv_server, f"SET k v; MIGRATE 127.0.0.1 {second.port} k -1 9000") == OK
    assert ask(second, "GET k") == b"$1\r\nv\r\n"


def test_a_target_that_is_not_there(pair: Pair) -> None:
    line = f"SET k v; MIGRATE 127.0.0.1 {free_port()} k 0 9000"
    assert ask(pair.oracle, line) == ask(pair.aikv, line) == WRITING
    assert ask(pair.aikv, "GET k") == b"$1\r\nv\r\n"


class SlowTarget:
    """A target that takes one connection, and says what it is told to."""

    def __init__(self) -> None:
        self.listener = socket.create_server((HOST, 0))
        self.listener.settimeout(10)
        self.port: int = self.listener.getsockname()[1]
        self.connection: socket.socket | None = None
        self.received = b""

    def wait_for(self, word: bytes) -> None:
        """Read until `word` has come."""
        if self.connection is None:
            self.connection, _ = self.listener.accept()
            self.connection.settimeout(10)
        while word not in self.received:
            data = self.connection.recv(1 << 16)
            assert data, self.received
            self.received += data

    def say(self, data: bytes) -> None:
        """Answer."""
        assert self.connection is not None
        self.connection.sendall(data)

    def hang_up(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()


@pytest.fixture
def slow() -> Iterator[SlowTarget]:
    """A target that says nothing by itself."""
    target = SlowTarget()
    yield target
    target.hang_up()
    target.listener.close()


@pytest.mark.parametrize("how", ["SET k v; MIGRATE", "SET k v; MULTI; MIGRATE"])
def test_a_target_that_never_answers(how: str, pair: Pair, slow: SlowTarget) -> None:
    line = f"{how} 127.0.0.1 {slow.port} k 0 30"
    if "MULTI" in how:
        line += "; EXEC"
    expected = b"*1\r\n" * ("MULTI" in how) + READING
    assert ask(pair.oracle, line) == ask(pair.aikv, line) == expected
    assert ask(pair.aikv, "GET k") == b"$1\r\nv\r\n"


def under_way(slow: SlowTarget, client: RawConnection) -> None:
    """Let `client` send its key `k` to a target that has received it and not yet said so."""
    client.command("FLUSHALL")
    client.command("SET", "k", "v")
    client.send("MIGRATE", HOST, str(slow.port), "k", "0", "10000")
    slow.wait_for(b"SELECT")
    slow.say(OK)
    slow.wait_for(b"RESTORE")


def test_others_are_served_meanwhile(aikv_server: ServerProcess, slow: SlowTarget) -> None:
    with aikv_server.connect() as client, aikv_server.connect() as other:
        under_way(slow, client)
        assert other.command("SET", "a", "1") == OK
        assert other.command("GET", "k") == b"$1\r\nv\r\n"
        assert b"blocked_clients:1" in other.command("INFO", "clients")
        slow.say(OK)
        assert client.read_reply() == OK
        assert other.command("EXISTS", "k") == b":0\r\n"


def test_a_key_changed_meanwhile_stays(aikv_server: ServerProcess, slow: SlowTarget) -> None:
    with aikv_server.connect() as client, aikv_server.connect() as other:
        under_way(slow, client)
        other.command("SET", "k", "w")
        slow.say(OK)
        assert client.read_reply().startswith(CHANGED)
        assert other.command("GET", "k") == b"$1\r\nw\r\n"


def test_the_key_goes_even_if_the_client_does(aikv_server: ServerProcess, slow: SlowTarget) -> None:
    with aikv_server.connect() as other:
        with aikv_server.connect() as client:
            number = client.command("CLIENT", "ID")[1:-2]
            under_way(slow, client)
        wait_until(lambda: other.command("CLIENT", "LIST", "ID", number) == b"$0\r\n\r\n", "the client has left")
        slow.say(OK)
        wait_until(lambda: other.command("EXISTS", "k") == b":0\r\n", "the key goes")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b":1\r\n", b"x" * 100_000, b"", b"+OK"])
def test_who_does_not_speak_as_redis_has_not_taken_the_key(
    answer: bytes, aikv_server: ServerProcess, slow: SlowTarget
) -> None:
    with aikv_server.connect() as client:
        under_way(slow, client)
        slow.say(answer)
        slow.hang_up()
        assert client.read_reply() == READING
        assert client.command("GET", "k") == b"$1\r\nv\r\n"


def test_a_target_that_reads_no_more(aikv_server: ServerProcess, slow: SlowTarget) -> None:
    with aikv_server.connect() as client:
        client.command("CONFIG", "SET", "rdbcompression", "no")
        client.command("SETRANGE", "k", str(40_000_000), "x")
        client.send("MIGRATE", HOST, str(slow.port), "k", "0", "300")
        slow.wait_for(b"SELECT")
        slow.say(OK)
        assert client.read_reply() == WRITING
        assert client.command("STRLEN", "k") == b":40000001\r\n"
        client.command("CONFIG", "SET", "rdbcompression", "yes")
        client.command("FLUSHALL")


def test_a_server_that_ends_meanwhile_keeps_the_key(start_server: StartServer, slow: SlowTarget) -> None:
    server = start_server(AIKV, "--appendonly", "yes")
    with server.connect() as client:
        under_way(slow, client)
        assert server.stop() == 0
    assert "Traceback" not in server.log(), server.log()
    server.start()
    assert ask(server, "GET k") == b"$1\r\nv\r\n"


def test_more_at_a_time_than_there_are_threads(aikv_server: ServerProcess, second: ServerProcess) -> None:
    ask(second, "FLUSHALL")
    clients = [aikv_server.connect() for _ in range(100)]
    clients[0].command("FLUSHALL")
    for number, client in enumerate(clients):
        client.command("SET", f"k{number}", "v")
    for number, client in enumerate(clients):
        client.send("MIGRATE", HOST, str(second.port), f"k{number}", "0", "9000")
    for client in clients:
        assert client.read_reply() == OK
        client.close()
    assert ask(second, "DBSIZE") == b":100\r\n"
    assert ask(aikv_server, "DBSIZE") == b":0\r\n"


def test_a_server_can_send_keys_to_itself(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        client.command("FLUSHALL")
        client.command("SET", "k", "v")
        me = (HOST, str(aikv_server.port), "k")
        assert client.command("MIGRATE", *me, "0", "9000").startswith(b"-ERR Target instance replied with error: BUSY")
        assert client.command("MIGRATE", *me, "0", "9000", "REPLACE").startswith(CHANGED)
        assert client.command("GET", "k") == b"$1\r\nv\r\n"
        assert client.command("MIGRATE", *me, "1", "9000") == OK
        assert client.command("EXISTS", "k") == b":0\r\n"
        client.command("SELECT", "1")
        assert client.command("GET", "k") == b"$1\r\nv\r\n"
        # Nobody is served while a transaction runs.
        client.command("MULTI")
        client.command("MIGRATE", *me, "0", "30")
        assert client.command("EXEC") == b"*1\r\n" + READING
        assert client.command("GET", "k") == b"$1\r\nv\r\n"


EFFECTS = """
SET a 1; SET b 2; MIGRATE 127.0.0.1 PORT a 0 9000 REPLACE; MIGRATE 127.0.0.1 PORT "" 0 9000 REPLACE KEYS a b
MIGRATE 127.0.0.1 PORT b 0 9000; SET c 3; MIGRATE 127.0.0.1 PORT c 0 9000 COPY REPLACE; SET held 1; SET d 1
MIGRATE 127.0.0.1 PORT "" 1 9000 REPLACE KEYS d nokey c; MIGRATE 127.0.0.1 PORT held 0 9000
SET e 1; MIGRATE 127.0.0.1 PORT "" 0 9000 REPLACE KEYS e e
"""
# Not for events: the message that ends those of a command would be queued.
IN_A_TRANSACTION = "MULTI; SET g 1; MIGRATE 127.0.0.1 PORT g 0 9000 REPLACE; EXEC"


def effects(target: ServerProcess, text: str = EFFECTS) -> list[Step]:
    """The steps of `text`, which can be run again and again: `target` holds the key that it is to refuse."""
    ask(target, "FLUSHALL; SET held 1")
    text = text.replace("PORT", str(target.port))
    return [step for line in text.strip().splitlines() for step in parse_steps(line)]


def test_events_are_the_oracles(pair: Pair, target: ServerProcess) -> None:
    steps = effects(target)
    theirs, ours = (announced(server, steps, "AKEmn") for server in (pair.oracle, pair.aikv))
    assert ours == theirs


def test_records_and_changes_are_the_oracles(target: ServerProcess, start_server: StartServer) -> None:
    logging = ("--save", "", "--appendonly", "yes", "--enable-debug-command", "yes")
    found = []
    for program, name in ((REDIS, "redis"), (AIKV, "aikv")):
        server = start_server(program, *logging, name=name)
        with server.connect() as connection:
            for step in effects(target, EFFECTS + IN_A_TRANSACTION):
                connection.command(*step.argv)
            info = connection.command("INFO", "persistence")
        found.append((recorded(server), info.partition(b"rdb_changes_since_last_save:")[2].split()[0]))
    assert found[1] == found[0]


@pytest.mark.parametrize(
    "tracking", ["TRACKING ON", "TRACKING ON BCAST", "TRACKING ON NOLOOP", "TRACKING ON BCAST NOLOOP"]
)
def test_caching_clients_are_told(tracking: str, pair: Pair, target: ServerProcess) -> None:
    told = []
    for source in (pair.oracle, pair.aikv):
        with source.connect(3) as connection, source.connect(3) as other:
            both = (connection, other)
            connection.command("FLUSHALL")
            for client in both:
                client.command("CLIENT", *tracking.split())
            ask(source, "SET k v")
            messages = [received(client, "GET", "k") for client in both]
            ask(target, "FLUSHALL")
            messages.append(received(connection, "MIGRATE", HOST, str(target.port), "k", "0", "9000"))
            messages += [received(client, "PING") for client in both]
            told.append(messages)
    assert told[1] == told[0]


def received(client: RawConnection, *words: str) -> list[bytes]:
    """Run a command; returns its reply and all messages that came before or with it."""
    client.send(*words)
    messages: list[bytes] = []
    while not messages or messages[-1][:1] == b">":
        messages.append(client.read_reply())
    client.send("ECHO", "end")
    while messages[-1] != b"$3\r\nend\r\n":
        messages.append(client.read_reply())
    return messages


def test_monitors_see_no_password(pair: Pair) -> None:
    seen = []
    for server in (pair.oracle, pair.aikv):
        with server.connect() as monitor, server.connect() as client:
            monitor.command("MONITOR")
            client.command("MIGRATE", "h", "1", "nokey", "0", "0", "COPY", "AUTH2", "me", "secret", "KEYS", "k")
            client.command("MIGRATE", "h", "1", "", "0", "0", "AUTH", "secret", "KEYS", "AUTH", "k")
            lines = [monitor.read_reply() for _ in range(2)]
            seen.append([line.partition(b"] ")[2] for line in lines])
    assert seen[1] == seen[0]
    assert b"secret" not in b"".join(seen[1])
