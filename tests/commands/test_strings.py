"""String commands: what goes to the journal, what becomes of TTLs and of values, and other types' refusal."""

import hiredis
import pytest

from aikv import commands
from aikv.base.clock import ManualClock
from aikv.base.errors import STRING_TOO_LONG, WRONGTYPE
from aikv.base.random import Random
from aikv.engine.blocking import Scheduler
from aikv.engine.client import Client, Link
from aikv.engine.client_life import connect
from aikv.engine.config.store import Config
from aikv.engine.engine import Engine

NOW = 1_700_000_000_000
SOON = b"%d" % (NOW + 100_000)

commands.load()


class Served:
    """An engine with a journal, a clock that stands still, and one client."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.config = Config()
        self.engine = Engine(self.config, self.clock, Random(1), Scheduler())
        self.engine.journal.active = True
        self.client = connect(self.engine, Link())
        self.db = self.engine.databases[0]

    def run(self, *line: str | bytes, client: Client | None = None) -> bytes:
        """Run one command of blank-separated words, or of the words given; returns the raw reply."""
        words = line if len(line) > 1 else str(line[0]).split()
        client = client or self.client
        self.engine.process(client, [[word.encode() if isinstance(word, str) else word for word in words]])
        return client.out.take()

    def recorded(self) -> list[list[bytes]]:
        """Return what the journal has got since the last call."""
        reader = hiredis.Reader()
        reader.feed(self.engine.journal.take())
        records: list[list[bytes]] = []
        while (record := reader.gets()) is not False:
            records.append(record)
        return [record for record in records if record[0] != b"SELECT"]


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("SET n v", [b"SET", b"n", b"v"]),
        ("SET n v EX 100", [b"SET", b"n", b"v", b"PXAT", SOON]),
        ("SET n v px 100000 NX GET", [b"SET", b"n", b"v", b"PXAT", SOON]),
        ("SET n v EXAT 1700000100", [b"SET", b"n", b"v", b"PXAT", SOON]),
        ("SET n v NX PXAT 1700000100000", [b"SET", b"n", b"v", b"PXAT", SOON]),
        ("SET s v GET", [b"SET", b"s", b"v"]),
        ("SET s v XX get KEEPTTL", [b"SET", b"s", b"v", b"XX", b"KEEPTTL"]),
        ("SET get get GET", [b"SET", b"get", b"get"]),
        ("SETNX n v", [b"SETNX", b"n", b"v"]),
        ("SETEX n 100 v", [b"SET", b"n", b"v", b"PXAT", SOON]),
        ("PSETEX n 100000 v", [b"SET", b"n", b"v", b"PXAT", SOON]),
        ("GETSET s v", [b"SET", b"s", b"v"]),
        ("GETDEL s", [b"DEL", b"s"]),
        ("GETEX s EX 100", [b"PEXPIREAT", b"s", SOON]),
        ("GETEX s PXAT 1700000100000", [b"PEXPIREAT", b"s", SOON]),
        ("GETEX s PXAT 1", [b"DEL", b"s"]),
        ("GETEX t PERSIST", [b"PERSIST", b"t"]),
        ("MSET n 1 s 2", [b"MSET", b"n", b"1", b"s", b"2"]),
        ("MSETNX n 1 m 2", [b"MSETNX", b"n", b"1", b"m", b"2"]),
        ("INCR s", [b"INCR", b"s"]),
        ("DECRBY s 5", [b"DECRBY", b"s", b"5"]),
        ("INCRBYFLOAT s 0.5", [b"SET", b"s", b"7.5", b"KEEPTTL"]),
        ("APPEND s x", [b"APPEND", b"s", b"x"]),
        ("SETRANGE s 3 x", [b"SETRANGE", b"s", b"3", b"x"]),
    ],
)
def test_a_change_is_recorded_in_a_form_that_time_does_not_alter(
    served: Served, line: str, record: list[bytes]
) -> None:
    served.run("SET s 7")
    served.run("SET t 8 EX 50")
    served.recorded()
    served.run(line)
    assert served.recorded() == [record]


@pytest.mark.parametrize(
    "line",
    [
        *("GET s", "SET s v NX", "SET n v XX", "SET n v XX GET", "SET s v EX 0", "SETNX s v", "GETDEL n", "GETEX s"),
        *("GETEX s PERSIST", "GETEX n EX 10", "MSETNX n 1 s 2", "INCR x", "INCRBYFLOAT x 1", "SETRANGE s 9 "),
        *("STRLEN s", "GETRANGE s 0 1", "MGET s x", "LCS s x"),
    ],
)
def test_what_changes_nothing_is_not_recorded(served: Served, line: str) -> None:
    served.run("MSET s 7 x text")
    served.recorded()
    served.run(*line.split(" "))
    assert served.recorded() == []


@pytest.mark.parametrize(
    ("line", "when"),
    [
        ("SET t 1", -1),
        ("SET t 1 KEEPTTL", NOW + 50_000),
        ("SET t 1 EX 7", NOW + 7_000),
        ("GETSET t 1", -1),
        ("MSET t 1", -1),
        ("INCR t", NOW + 50_000),
        ("INCRBYFLOAT t 1", NOW + 50_000),
        ("APPEND t 1", NOW + 50_000),
        ("SETRANGE t 0 1", NOW + 50_000),
        ("GETEX t PX 7", NOW + 7),
        ("GETEX t PERSIST", -1),
        ("GETEX t", NOW + 50_000),
    ],
)
def test_ttl_after_a_change(served: Served, line: str, when: int) -> None:
    served.run("SET t 8 EX 50")
    served.run(line)
    assert served.db.expire_of(b"t") == when


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SET t new", b"new"),
        ("SET t new KEEPTTL", b"new"),
        ("SET t new NX", b"new"),
        ("SETNX t new", b"new"),
        ("SET t new GET", b"new"),
        ("GETSET t new", b"new"),
        ("MSET t new", b"new"),
        ("MSETNX t new", b"new"),
        ("APPEND t new", b"new"),
        ("INCR t", 1),
        ("SETRANGE t 1 ew", bytearray(b"\0ew")),
        ("INCRBYFLOAT t 1.5", b"1.5"),
    ],
)
def test_nothing_is_inherited_from_a_key_that_has_run_out(served: Served, line: str, value: object) -> None:
    served.run("SET t 8 PX 5")
    served.recorded()
    served.clock.advance_ms(6)
    served.run(line)
    assert served.db.find(b"t", NOW + 6) == value
    assert served.db.expire_of(b"t") == -1
    assert served.engine.stats.expired == 1
    assert served.recorded()[:2] == [[b"MULTI"], [b"DEL", b"t"]]


WRONG = [
    ("GET l", b"-%b\r\n" % WRONGTYPE),
    ("SET l v GET", b"-%b\r\n" % WRONGTYPE),
    ("SETNX l v", b":0\r\n"),
    ("SET l v NX", b"$-1\r\n"),
    ("GETSET l v", b"-%b\r\n" % WRONGTYPE),
    ("GETDEL l", b"-%b\r\n" % WRONGTYPE),
    ("GETEX l", b"-%b\r\n" % WRONGTYPE),
    ("GETEX l EX 0", b"-%b\r\n" % WRONGTYPE),
    ("MGET l", b"*1\r\n$-1\r\n"),
    ("MSETNX l v", b":0\r\n"),
    ("INCR l", b"-%b\r\n" % WRONGTYPE),
    ("INCRBY l x", b"-ERR value is not an integer or out of range\r\n"),
    ("INCRBYFLOAT l x", b"-%b\r\n" % WRONGTYPE),
    ("APPEND l v", b"-%b\r\n" % WRONGTYPE),
    ("STRLEN l", b"-%b\r\n" % WRONGTYPE),
    ("SETRANGE l 0 v", b"-%b\r\n" % WRONGTYPE),
    ("SETRANGE l -1 v", b"-ERR offset is out of range\r\n"),
    ("GETRANGE l 0 1", b"-%b\r\n" % WRONGTYPE),
    ("GETRANGE l 0 x", b"-ERR value is not an integer or out of range\r\n"),
    ("LCS l n", b"-ERR The specified keys must contain string values\r\n"),
    ("LCS n l FOO", b"-ERR The specified keys must contain string values\r\n"),
]


@pytest.mark.parametrize(("line", "reply"), WRONG)
def test_a_value_of_another_type_stays_as_it_is(served: Served, line: str, reply: bytes) -> None:
    other: list[bytes] = [b"element"]
    served.db.put(b"l", other)
    assert served.run(line) == reply
    assert served.db.find(b"l", NOW) is other
    assert served.recorded() == []


def test_set_replaces_a_value_of_another_type(served: Served) -> None:
    served.db.put(b"l", [b"element"])
    assert served.run("SET l v EX 10") == b"+OK\r\n"
    assert served.db.find(b"l", NOW) == b"v"


def test_changes_in_place_neither_copy_the_string_nor_show_in_replies_given_before(served: Served) -> None:
    served.run("APPEND s one")
    served.run("APPEND s two")
    string = served.db.find(b"s", NOW)
    assert isinstance(string, bytearray)
    queued = ["GET s", "GETEX s", "SET s v NX GET", "MGET s", "GETRANGE s 0 -1", "SETRANGE s 0 X", "APPEND s !"]
    client = served.client
    served.engine.process(client, [[word.encode() for word in line.split()] for line in queued])
    bulk = b"$6\r\nonetwo\r\n"
    assert client.out.take() == bulk * 3 + b"*1\r\n" + bulk * 2 + b":6\r\n:7\r\n"
    assert served.db.find(b"s", NOW) is string
    assert string == b"Xnetwo!"


def test_counters_are_kept_as_integers_and_read_as_their_text(served: Served) -> None:
    served.run("SET s 41")
    served.run("INCR s")
    assert type(served.db.find(b"s", NOW)) is int
    assert served.run("GET s") == b"$2\r\n42\r\n"


def test_a_loader_may_restore_a_string_that_is_too_long_for_a_client(served: Served) -> None:
    served.config.set_many([(b"proto-max-bulk-len", b"1mb")])
    limit = 1 << 20
    assert served.run(f"SETRANGE s {limit} x") == b"-%b\r\n" % STRING_TOO_LONG
    assert served.run(f"SETRANGE s {limit - 1} x") == b":%d\r\n" % limit
    assert served.run("APPEND s x") == b"-%b\r\n" % STRING_TOO_LONG
    loader = connect(served.engine, Link(), internal=True)
    assert served.run("APPEND s x", client=loader) == b":%d\r\n" % (limit + 1)


def test_reads_count_hits_and_misses_and_writes_do_not(served: Served) -> None:
    for line in ("SET s 7", "SET s 7 XX", "SETNX s v", "INCR s", "APPEND s 1", "SETRANGE s 0 1", "MSETNX s 1"):
        served.run(line)
    stats = served.engine.stats
    assert (stats.hits, stats.misses) == (0, 0)
    for line in ("GET s", "GETEX s", "MGET s n", "SET s v GET", "GETSET s v", "STRLEN s", "LCS s n", "GETDEL s"):
        served.run(line)
    assert (stats.hits, stats.misses) == (8, 2)
