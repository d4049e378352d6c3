"""The process is killed without warning: what was acknowledged is there after the restart."""

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import StartServer
from crash.starting import contents
from crash.waiting import wait_until
from crash.writers import Writer, check_all, fill
from oracle.process import AIKV, ServerFailed, ServerProcess
from oracle.wire import ServerClosed

LOGGED = ("--appendonly", "yes", "--save", "")


def kill_while_writing(server: ServerProcess, writers: list[Writer], batches: int) -> None:
    """Let `writers` write at once, kill the server once all have had some answers, and start it again."""
    goals = [writer.batches + batches for writer in writers]
    for writer in writers:
        writer.start(server)
    wait_until(
        lambda: all(writer.batches >= goal or writer.error for writer, goal in zip(writers, goals, strict=True)),
        "every client has written",
    )
    server.kill()
    for writer in writers:
        writer.join()
    server.start()


def children(server: ServerProcess) -> list[int]:
    """The processes that `server` has forked and that still run."""
    listed = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(pid) for pid in listed if alive(int(pid))]


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class Disturber:
    """A client that asks for rewrites and snapshots, one after the other, until the server is gone."""

    def __init__(self, server: ServerProcess, chance: random.Random) -> None:
        self._server = server
        self._chance = chance
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._server.connect() as connection:
                while True:
                    connection.command(self._chance.choice(["BGREWRITEAOF", "BGSAVE"]))
                    for _ in range(self._chance.randrange(1, 40)):
                        connection.command("PING")
        except (ServerClosed, ConnectionError, ServerFailed):
            # The server was killed: what this client waits for.
            return

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()


@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_kills_at_random_moments_of_rewrites_and_snapshots_lose_nothing(
    policy: str,
    start_server: StartServer,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    rounds = 35 if request.config.getoption("--deep") else 2
    server = start_server(AIKV, *LOGGED, "--appendfsync", policy)
    with server.connect() as connection:
        # So that a child has work for a while.
        fill(connection, "ballast", 10_000, 100)
    writers = [Writer(f"w{index}") for index in range(2)]
    chance = random.Random(policy)
    with_child = 0
    for _ in range(rounds):
        disturber = Disturber(server, chance)
        goals = [writer.batches + chance.randrange(1, 60) for writer in writers]
        for writer in writers:
            writer.start(server)
        wait_until(
            lambda goals=goals: all(  # type: ignore[misc]
                writer.batches >= goal or writer.error for writer, goal in zip(writers, goals, strict=True)
            ),
            "every client has written",
        )
        forked = children(server)
        with_child += bool(forked)
        server.kill()
        disturber.join()
        for writer in writers:
            writer.join()
        wait_until(lambda forked=forked: not any(map(alive, forked)), "no child outlives its parent")  # type: ignore[misc]
        server.start()
        check_all(writers, server)
    with server.connect() as connection:
        ballast = [f"ballast:{index}" for index in range(10_000)]
        assert connection.command("EXISTS", *ballast) == b":%d\r\n" % len(ballast)
    record_property("kills survived", rounds)
    record_property("kills with a child in flight", with_child)


@pytest.mark.parametrize("command", ["BGSAVE", "BGREWRITEAOF"])
def test_a_child_ends_with_its_server_and_names_no_file(command: str, start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    with server.connect() as connection:
        fill(connection, "key", 20_000, 100)
        assert connection.command("SAVE") == b"+OK\r\n"
        connection.command("SET", "late", "1")
        assert b"started" in connection.command(command)
        (child,) = children(server)
        # Stopped, it cannot come to its end before its server does.
        os.kill(child, signal.SIGSTOP)
        before = {name: data for name, data in contents(server.folder).items() if "temp-" not in name}
    server.kill()
    with suppress(ProcessLookupError):
        # It may have been stopped before it could ask to be ended; then it finds out itself.
        os.kill(child, signal.SIGCONT)
    wait_until(lambda: not alive(child), "the child has ended")
    after = {name: data for name, data in contents(server.folder).items() if "temp-" not in name}
    assert after == before


@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_no_acknowledged_write_is_missing_under_always(rounds: int, start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED, "--appendfsync", "always")
    writers = [Writer(f"w{index}") for index in range(4)]
    chance = random.Random(rounds)
    for _ in range(rounds):
        kill_while_writing(server, writers, chance.randrange(1, 25))
        check_all(writers, server)


@pytest.mark.parametrize("policy", ["everysec", "no"])
def test_killing_the_process_alone_loses_nothing_under_any_policy(policy: str, start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED, "--appendfsync", policy)
    writers = [Writer(f"w{index}") for index in range(4)]
    for batches in (5, 40):
        kill_while_writing(server, writers, batches)
        check_all(writers, server)


def test_a_kill_in_the_middle_of_rewrites_loses_nothing(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED, "--appendfsync", "always")
    writers = [Writer(f"w{index}") for index in range(3)]
    for number, batches in enumerate((1, 6, 14)):
        with server.connect() as connection:
            fill(connection, f"ballast{number}", 10_000)
            assert b"started" in connection.command("BGREWRITEAOF")
        kill_while_writing(server, writers, batches)
        check_all(writers, server)
        with server.connect() as connection:
            ballast = [f"ballast{past}:{index}" for past in range(number + 1) for index in range(10_000)]
            assert connection.command("EXISTS", *ballast) == b":%d\r\n" % len(ballast)


def test_a_kill_while_a_snapshot_is_written_leaves_the_last_one_whole(start_server: StartServer) -> None:
    server = start_server(AIKV, "--save", "", "--appendonly", "no")
    with server.connect() as connection:
        connection.command("SET", "saved", "1")
        assert connection.command("SAVE") == b"+OK\r\n"
        fill(connection, "late", 20_000)
        connection.command("SET", "saved", "2")
        assert b"started" in connection.command("BGSAVE")
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        saved, keys = connection.command("GET", "saved"), connection.command("DBSIZE")
    # The child may have come to its end; it never leaves half a file.
    assert (saved, keys) in ((b"$1\r\n1\r\n", b":1\r\n"), (b"$1\r\n2\r\n", b":20001\r\n"))


def test_without_a_log_a_killed_server_has_what_was_saved_last(start_server: StartServer) -> None:
    server = start_server(AIKV, "--save", "", "--appendonly", "no")
    with server.connect() as connection:
        connection.command("SET", "saved", "yes", "PXAT", "33000000000123")
        assert connection.command("SAVE") == b"+OK\r\n"
        connection.command("SET", "unsaved", "yes")
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        assert connection.command("GET", "saved") == b"$3\r\nyes\r\n"
        assert connection.command("PEXPIRETIME", "saved") == b":33000000000123\r\n"
        assert connection.command("DBSIZE") == b":1\r\n"


def test_a_cut_in_the_last_transaction_is_dropped_as_a_whole(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    with server.connect() as connection:
        connection.command("SET", "before", "1")
        for word in ("MULTI", "INCR a", "INCR b", "EXEC"):
            connection.command(*word.split())
    server.kill()
    incr = next((server.folder / "appendonlydir").glob("*.incr.aof"))
    whole = incr.read_bytes()
    for cut in range(whole.rindex(b"*1\r\n$5\r\nMULTI") + 1, len(whole), 9):
        incr.write_bytes(whole[:cut])
        server.start()
        with server.connect() as connection:
            found = [connection.command("EXISTS", key) for key in ("before", "a", "b")]
        assert found == [b":1\r\n", b":0\r\n", b":0\r\n"]
        assert "Truncating the AOF" in server.log()
        server.kill()
