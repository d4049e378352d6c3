"""What happens to keys and clients while a MIGRATE is under way, with a runner that ends it when the test says so."""

from collections.abc import Callable

import pytest

from aikv.engine.blocking import unblock_client
from aikv.engine.client import Client
from aikv.engine.client_life import disconnect
from aikv.engine.migration import Migrations
from aikv.engine.transfer import READING, Transfer, TransferRunner
from served import Served

MOVE = "MIGRATE h 1 k 0 0"
CHANGED = (
    b"-IOERR a key was changed or removed while it was sent: here it is as that change has left it, the target "
    b"instance has its former value\r\n"
)


class HeldRunner(TransferRunner):
    """Keeps transfers until they are to arrive; the target accepts everything."""

    def __init__(self) -> None:
        self.held: list[tuple[Transfer, Callable[[], None]]] = []
        self.sent: list[bytes] = []
        self.answers: dict[bytes, bytes] = {}

    def run(self, transfer: Transfer) -> None:
        self.sent.append(transfer.greetings() + transfer.restores())
        for _ in range(transfer.greeted_by):
            transfer.greeted(b"+OK")
        for key in transfer.keys:
            transfer.restored(self.answers.get(key, b"+OK"))

    def submit(self, transfer: Transfer, done: Callable[[], None]) -> None:
        self.held.append((transfer, done))

    def arrive(self) -> None:
        """End the transfer that began first."""
        transfer, done = self.held.pop(0)
        self.run(transfer)
        done()


class Moving(Served):
    """A `Served` whose MIGRATEs are held."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = HeldRunner()
        self.engine.migrations = Migrations(self.engine, self.runner)
        self.other = self.connect()

    def arrive(self, client: Client | None = None) -> bytes:
        """End the transfer that began first; returns what the client is sent."""
        self.runner.arrive()
        self.engine.before_sleep()
        return self.output(client)

    def ask(self, line: str) -> bytes:
        """Run a command of another client."""
        return self.run(line, client=self.other)


@pytest.fixture
def moving() -> Moving:
    served = Moving()
    served.run("SET k v")
    served.recorded()
    return served


def test_the_client_waits_and_others_do_not(moving: Moving) -> None:
    assert moving.run(MOVE) == b""
    assert moving.run("PING") == b""
    assert moving.ask("GET k") == b"$1\r\nv\r\n"
    assert moving.arrive() == b"+OK\r\n+PONG\r\n"
    assert moving.ask("GET k") == b"$-1\r\n"
    assert moving.recorded() == [[b"DEL", b"k"]]


def test_it_is_one_call_of_the_command(moving: Moving) -> None:
    command = moving.engine.commands[b"migrate"]
    before = command.calls, command.failed
    moving.run(MOVE)
    assert (command.calls, command.failed) == before
    moving.arrive()
    assert (command.calls, command.failed) == (before[0] + 1, before[1])


@pytest.mark.parametrize(
    "change",
    ["SET k w", "APPEND k w", "DEL k", "EXPIRE k 100", "RENAME k l", "FLUSHALL", "SWAPDB 0 1", "MOVE k 1", "SET k v"],
)
def test_a_key_that_is_changed_on_the_way_is_left_as_it_is(moving: Moving, change: str) -> None:
    moving.run(MOVE)
    moving.ask(change)
    moving.recorded()
    before = moving.ask("EXISTS k")
    assert moving.arrive() == CHANGED
    assert moving.ask("EXISTS k") == before
    assert moving.recorded() == []


def test_of_several_keys_only_the_changed_one_stays(moving: Moving) -> None:
    moving.run("MSET a 1 b 2 c 3")
    moving.recorded()
    moving.run("MIGRATE", "h", "1", "", "0", "0", "REPLACE", "KEYS", "a", "b", "c", "a")
    moving.ask("INCR b")
    moving.recorded()
    assert moving.arrive() == CHANGED
    assert moving.ask("MGET a b c") == b"*3\r\n$-1\r\n$1\r\n3\r\n$-1\r\n"
    assert moving.recorded() == [[b"DEL", b"a", b"c", b"a"]]


def test_what_is_changed_may_be_copied(moving: Moving) -> None:
    moving.run(MOVE + " COPY")
    moving.ask("SET k w")
    moving.recorded()
    assert moving.arrive() == b"+OK\r\n"
    assert moving.ask("GET k") == b"$1\r\nw\r\n"
    assert moving.recorded() == []


def test_a_key_that_runs_out_on_the_way_runs_out_at_the_target_too(moving: Moving) -> None:
    moving.run("PEXPIRE k 100")
    moving.run(MOVE)
    assert moving.ask("SET k v") == b"+OK\r\n"
    assert moving.arrive() == CHANGED
    moving.run("PEXPIRE k 100")
    moving.run(MOVE)
    moving.clock.advance_ms(200)
    assert moving.ask("EXISTS k") == b":0\r\n"
    assert moving.arrive() == b"+OK\r\n"
    assert b"$7\r\nRESTORE\r\n$1\r\nk\r\n$3\r\n100\r\n" in moving.runner.sent[-1]


def test_a_key_that_comes_again_after_it_has_run_out_stays(moving: Moving) -> None:
    moving.run("PEXPIRE k 100")
    moving.run(MOVE)
    moving.clock.advance_ms(200)
    moving.ask("SET k w")
    assert moving.arrive() == CHANGED
    assert moving.ask("GET k") == b"$1\r\nw\r\n"


def test_of_two_that_move_the_same_key_the_second_is_told(moving: Moving) -> None:
    moving.run(MOVE)
    moving.ask(MOVE)
    assert moving.arrive() == b"+OK\r\n"
    assert moving.arrive(moving.other) == CHANGED


def test_what_the_target_refuses_stays_and_what_it_takes_goes(moving: Moving) -> None:
    moving.run("MSET a 1 b 2")
    moving.recorded()
    moving.runner.answers[b"a"] = b"-BUSYKEY here already"
    moving.run("MIGRATE", "h", "1", "", "0", "0", "KEYS", "a", "b")
    assert moving.arrive() == b"-ERR Target instance replied with error: BUSYKEY here already\r\n"
    assert moving.ask("MGET a b") == b"*2\r\n$1\r\n1\r\n$-1\r\n"
    assert moving.recorded() == [[b"DEL", b"b"]]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request", b"+PONG", b":1", b"$2", b""])
def test_what_is_no_ok_is_no_acknowledgement(answer: bytes) -> None:
    transfer = Transfer(b"h", 1, 1000)
    transfer.load(b"k", [b"RESTORE", b"k"])
    with pytest.raises(ConnectionError):
        transfer.restored(answer)
    assert transfer.taken == []


def test_keys_taken_before_a_failure_go(moving: Moving) -> None:
    moving.run("MSET a 1 b 2")
    moving.recorded()
    moving.run("MIGRATE", "h", "1", "", "0", "0", "KEYS", "a", "b")
    transfer, done = moving.runner.held.pop()
    transfer.restored(b"+OK")
    transfer.failure = READING
    done()
    assert moving.output() == b"-" + READING + b"\r\n"
    assert moving.ask("MGET a b") == b"*2\r\n$-1\r\n$1\r\n2\r\n"
    assert moving.recorded() == [[b"DEL", b"a"]]


def test_a_client_that_leaves_has_moved_its_keys_all_the_same(moving: Moving) -> None:
    moving.run(MOVE)
    disconnect(moving.engine, moving.client)
    moving.arrive()
    assert moving.ask("EXISTS k") == b":0\r\n"
    assert moving.recorded() == [[b"DEL", b"k"]]
    assert moving.engine.databases[0].watched == {}


def test_client_unblock_does_not_end_it(moving: Moving) -> None:
    moving.run(MOVE)
    assert moving.ask(f"CLIENT UNBLOCK {moving.client.id} ERROR") == b":0\r\n"
    assert moving.arrive() == b"+OK\r\n"


def test_a_client_that_was_made_to_wait_no_longer_keeps_its_keys(moving: Moving) -> None:
    moving.run(MOVE)
    unblock_client(moving.engine, moving.client, None)
    assert moving.output() == b"$-1\r\n"
    assert moving.arrive() == b""
    assert moving.ask("GET k") == b"$1\r\nv\r\n"


@pytest.mark.parametrize("ended_by", ["time", "CLIENT UNPAUSE"])
def test_nothing_is_removed_during_a_pause(moving: Moving, ended_by: str) -> None:
    moving.run(MOVE)
    moving.ask("CLIENT PAUSE 1000 WRITE")
    assert moving.arrive() == b""
    assert moving.ask("GET k") == b"$1\r\nv\r\n"
    if ended_by == "time":
        moving.advance(1000)
    else:
        assert moving.ask(ended_by) == b"+OK\r\n"
    moving.advance(0)
    assert moving.output() == b"+OK\r\n"
    assert not moving.client.running
    assert moving.ask("GET k") == b"$-1\r\n"


@pytest.mark.parametrize("mode", ["OFF", "SKIP"])
def test_a_reply_that_is_not_wanted_is_not_sent(moving: Moving, mode: str) -> None:
    moving.run(f"CLIENT REPLY {mode}")
    moving.run(MOVE)
    assert moving.arrive() == b""
    assert moving.ask("EXISTS k") == b":0\r\n"


def test_a_transaction_does_not_wait(moving: Moving) -> None:
    for line in ("MULTI", "SET a 1", MOVE, "GET k"):
        moving.run(line)
    assert moving.run("EXEC") == b"*3\r\n+OK\r\n+OK\r\n$-1\r\n"
    assert moving.recorded() == [[b"MULTI"], [b"SET", b"a", b"1"], [b"DEL", b"k"], [b"EXEC"]]


def test_the_removal_spoils_transactions(moving: Moving) -> None:
    moving.run(MOVE)
    moving.ask("WATCH k")
    moving.arrive()
    moving.ask("MULTI")
    moving.ask("PING")
    assert moving.ask("EXEC") == b"*-1\r\n"


def test_its_own_watch_is_spoiled_too_and_nothing_is_watched_afterwards(moving: Moving) -> None:
    moving.run("WATCH k")
    moving.run(MOVE)
    moving.arrive()
    moving.run("MULTI")
    assert moving.run("EXEC") == b"*-1\r\n"
    assert moving.engine.databases[0].watched == {}


@pytest.mark.parametrize(
    ("options", "greeting"),
    [
        ("", b"*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n"),
        ("AUTH pw", b"*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n"),
        ("AUTH2 me pw", b"*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n"),
        ("AUTH2 me x AUTH pw", b"*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n"),
    ],
)
def test_what_is_sent_before_the_keys(moving: Moving, options: str, greeting: bytes) -> None:
    moving.run(f"MIGRATE h 1 k 7 0 {options}")
    moving.arrive()
    assert moving.runner.sent[0].startswith(greeting + b"*4\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n0\r\n")


def test_replace_is_passed_on(moving: Moving) -> None:
    moving.run(MOVE + " COPY REPLACE")
    moving.arrive()
    assert moving.runner.sent[0].endswith(b"$7\r\nREPLACE\r\n")
