"""Transactions inside the engine: one unit of the journal, one moment, no waiting, and refusals."""

from aikv.base.clock import Clock
from aikv.base.random import Random
from aikv.engine import gates
from aikv.engine.blocking import Scheduler
from aikv.engine.client import Link
from aikv.engine.client_life import connect
from aikv.engine.command import COMMANDS
from aikv.engine.config import Config
from aikv.engine.engine import Engine
from served import NOW_MS, Served

SOON = b"%d" % (NOW_MS + 10_000)


def test_a_transaction_is_one_unit_of_the_journal() -> None:
    served = Served()
    served.run("MULTI")
    served.run("SET a 1")
    served.run("EXPIRE a 10")
    served.run("GET a")
    assert served.journal() == []
    assert served.run("EXEC") == b"*3\r\n+OK\r\n:1\r\n$1\r\n1\r\n"
    assert served.recorded() == [[b"MULTI"], [b"SET", b"a", b"1"], [b"PEXPIREAT", b"a", SOON], [b"EXEC"]]


def test_a_transaction_with_one_change_is_that_change_alone() -> None:
    served = Served()
    for line in ("MULTI", "GET a", "SET a 1", "DEL nokey", "EXEC"):
        served.run(line)
    assert served.recorded() == [[b"SET", b"a", b"1"]]


def test_a_transaction_that_changes_nothing_is_not_recorded_and_the_next_change_is() -> None:
    served = Served()
    for line in ("MULTI", "DEL nokey", "EXPIRE nokey 10", "EXEC"):
        served.run(line)
    assert served.recorded() == []
    served.run("SET a 1")
    assert served.recorded() == [[b"SET", b"a", b"1"]]


def test_a_failed_command_of_a_transaction_is_not_recorded_and_the_others_are() -> None:
    served = Served()
    for line in ("MULTI", "SET a x", "INCR a", "SET b 1"):
        served.run(line)
    assert served.run("EXEC") == b"*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n"
    assert served.recorded() == [[b"MULTI"], [b"SET", b"a", b"x"], [b"SET", b"b", b"1"], [b"EXEC"]]


def test_databases_are_selected_inside_the_unit() -> None:
    served = Served()
    for line in ("MULTI", "SET a 1", "SELECT 1", "SET b 1", "EXEC"):
        served.run(line)
    assert served.journal() == [
        [b"SELECT", b"0"],
        [b"MULTI"],
        [b"SET", b"a", b"1"],
        [b"SELECT", b"1"],
        [b"SET", b"b", b"1"],
        [b"EXEC"],
    ]


def test_the_end_of_a_key_that_a_transaction_meets_is_part_of_its_unit() -> None:
    served = Served()
    served.run("SET a 1 PX 10")
    served.advance(20)
    served.recorded()
    for line in ("MULTI", "GET a", "SET b 1", "EXEC"):
        served.run(line)
    assert served.recorded() == [[b"MULTI"], [b"DEL", b"a"], [b"SET", b"b", b"1"], [b"EXEC"]]


class SlowClock(Clock):
    """A clock on which every look takes 3 ms."""

    def __init__(self) -> None:
        self.now_us = NOW_MS * 1000

    def unix_ns(self) -> int:
        self.now_us += 3000
        return self.now_us * 1000


def test_time_stands_still_for_a_transaction() -> None:
    engine = Engine(Config(), SlowClock(), Random(1), Scheduler())
    client = connect(engine, Link())
    engine.process(client, [[b"MULTI"], [b"SET", b"a", b"1", b"PX", b"5"], [b"PTTL", b"a"], [b"PTTL", b"a"]])
    client.out.clear()
    calls = COMMANDS[b"exec"].calls
    spent = COMMANDS[b"exec"].spent_ns
    engine.process(client, [[b"EXEC"]])
    assert client.out.take() == b"*3\r\n+OK\r\n:5\r\n:5\r\n"
    assert engine.now_ms > NOW_MS + 12
    # EXEC's duration is that of its commands and its own.
    assert (COMMANDS[b"exec"].calls - calls, COMMANDS[b"exec"].spent_ns - spent) == (1, 12_000_000)
    client.out.clear()
    engine.process(client, [[b"GET", b"a"], [b"GET", b"a"]])
    assert client.out.take() == b"$-1\r\n$-1\r\n"


def test_commands_that_would_wait_do_not_inside_a_transaction() -> None:
    served = Served()
    served.run("MULTI")
    served.run("WAIT 1 0")
    assert served.run("EXEC") == b"*1\r\n:0\r\n"
    assert not served.client.deny_blocking
    assert served.run("WAIT 1 0") == b""
    assert served.client.halted


def test_wait_ends_with_its_time() -> None:
    served = Served()
    assert served.run("WAIT 1 100") == b""
    assert served.run("PING") == b""
    served.advance(99)
    assert served.output() == b""
    served.advance(1)
    assert served.output() == b":0\r\n+PONG\r\n"


def test_a_transaction_with_writes_is_refused_while_the_disk_fails_and_one_without_is_not() -> None:
    served = Served()
    for line in ("MULTI", "SET a 1"):
        served.run(line)
    served.engine.gates |= gates.DISK_ERROR
    served.engine.disk_error = b"MISCONF no disk"
    assert served.run("EXEC") == b"-EXECABORT Transaction discarded because of: MISCONF no disk\r\n"
    assert served.run("EXEC") == b"-ERR EXEC without MULTI\r\n"
    for line in ("MULTI", "GET a"):
        served.run(line)
    assert served.run("EXEC") == b"*1\r\n$-1\r\n"


def test_replies_follow_the_protocol_as_it_changes() -> None:
    served = Served()
    served.run("MULTI")
    served.run("GET nokey")
    served.client.resp3 = True
    assert served.run("EXEC") == b"*1\r\n_\r\n"


def test_nothing_is_sent_once_the_client_wants_no_replies() -> None:
    served = Served()
    for line in ("MULTI", "PING", "PING"):
        served.run(line)
    served.client.reply_off = True
    # The header has already been sent when CLIENT REPLY OFF runs; Redis leaves the array unfinished too.
    assert served.run("EXEC") == b"*2\r\n"


def test_discard_forgets_everything() -> None:
    served = Served()
    for line in ("WATCH a", "MULTI", "NOSUCH", "SET b 1"):
        served.run(line)
    served.run("DISCARD")
    client = served.client
    assert (client.queued, client.abort, client.watching, client.gates & gates.MULTI) == ([], False, [], 0)
    assert served.engine.databases[0].watched == {}


def test_a_queued_command_counts_when_it_runs() -> None:
    served = Served()
    calls = COMMANDS[b"incr"].calls
    for line in ("MULTI", "INCR a", "INCR a"):
        served.run(line)
    assert COMMANDS[b"incr"].calls == calls
    served.run("EXEC")
    assert COMMANDS[b"incr"].calls == calls + 2
    # What CLIENT LIST shows is what the client sent last.
    assert served.client.last is COMMANDS[b"exec"]


def test_an_error_for_the_whole_transaction_is_counted_once() -> None:
    served = Served()
    served.run("MULTI")
    served.run("NOSUCH")
    before = served.engine.stats.error_replies
    assert served.run("EXEC") == b"-" + b"EXECABORT Transaction discarded because of previous errors.\r\n"
    assert served.engine.stats.error_replies == before + 1
    assert served.engine.stats.errors[b"EXECABORT"] == 1
