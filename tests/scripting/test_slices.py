"""Work that rests: others come first, nothing of it is lost, and what it records comes as one unit at its end."""

from collections.abc import Callable

import pytest

from aikv.base.errors import CommandError
from aikv.engine import gates
from aikv.engine.client_life import disconnect
from aikv.engine.command import COMMANDS
from aikv.resp.reply import NO_REPLY
from aikv.scripting import commands as script_commands  # noqa: F401 (declares them)
from aikv.scripting.scripts import Scripts
from aikv.scripting.slices import Slices
from served import Served

BUSY = b"-BUSY "


class Slow(Served):
    """An engine whose client runs work that rests when it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.slices = Slices(self.engine)
        self.other = self.connect()

    def start(self, work: Callable[[], object]) -> object:
        """Let the client's command do `work`."""
        self.client.last = COMMANDS[b"eval"]
        self.engine.open_unit()
        try:
            return self.slices.run(self.client, [b"EVAL", b"", b"0"], work)
        finally:
            self.engine.close_unit(self.client)


def test_work_that_does_not_rest_is_done_at_once() -> None:
    slow = Slow()
    assert slow.start(lambda: b"done") == b"done"
    assert not slow.engine.gates & gates.BUSY
    with pytest.raises(CommandError, match="ERR x"):
        slow.start(lambda: fail(b"ERR x"))


def fail(text: bytes) -> None:
    """Raise an error."""
    raise CommandError(text)


def test_others_are_answered_busy_until_the_work_is_done() -> None:
    slow = Slow()

    def work() -> object:
        for _ in range(3):
            assert not slow.slices.rest()
        return b"done"

    assert slow.start(work) is NO_REPLY
    for _ in range(2):
        assert slow.run("PING", client=slow.other).startswith(BUSY)
        assert slow.run("MULTI", client=slow.other) == b"+OK\r\n"
        slow.run("DISCARD", client=slow.other)
        slow.advance(1)
        assert slow.output() == b""
    # What the client has sent meanwhile waits for its turn.
    slow.run("PING")
    slow.advance(1)
    assert slow.output() == b"$4\r\ndone\r\n+PONG\r\n"
    assert slow.run("PING", client=slow.other) == b"+PONG\r\n"


def test_an_error_at_the_end_is_the_reply() -> None:
    slow = Slow()
    slow.start(lambda: fail(b"ERR later") if not slow.slices.rest() else None)
    slow.advance(1)
    assert slow.output() == b"-ERR later\r\n"


def test_what_is_recorded_before_and_after_a_rest_is_one_unit() -> None:
    slow = Slow()

    def work() -> object:
        slow.engine.journal.record(0, [b"SET", b"a", b"1"])
        slow.slices.rest()
        slow.engine.journal.record(0, [b"SET", b"b", b"2"])
        return b""

    slow.start(work)
    slow.run("WATCH", "x", client=slow.other)
    assert slow.recorded() == []
    slow.advance(1)
    assert slow.recorded() == [[b"MULTI"], [b"SET", b"a", b"1"], [b"SET", b"b", b"2"], [b"EXEC"]]


def test_a_client_that_leaves_gets_nothing_and_the_work_goes_on() -> None:
    slow = Slow()
    done: list[bool] = []

    def work() -> object:
        slow.slices.rest()
        done.append(True)
        return b"done"

    slow.start(work)
    disconnect(slow.engine, slow.client)
    slow.advance(1)
    assert done == [True]
    assert slow.output() == b""
    assert slow.run("PING", client=slow.other) == b"+PONG\r\n"


def test_commands_of_a_script_are_one_unit() -> None:
    served = Served()
    served.engine.scripting = Scripts(served.engine)
    script = "for i = 1, 50 do redis.call('incr', 'n') end return redis.call('get', 'n')"
    assert served.run("EVAL", script, "0") == b"$2\r\n50\r\n"
    assert not served.engine.gates & gates.BUSY
    records = served.recorded()
    assert (records[0], len(records), records[-1]) == ([b"MULTI"], 52, [b"EXEC"])
    # The next command is a unit of its own again.
    served.run("SET a 1")
    assert served.recorded() == [[b"SET", b"a", b"1"]]


@pytest.mark.parametrize("threshold", ["0", "-1"])
def test_without_a_threshold_nothing_rests(threshold: str) -> None:
    slow = Slow()
    slow.run("CONFIG", "SET", "busy-reply-threshold", threshold)
    assert slow.start(lambda: b"done") == b"done"
