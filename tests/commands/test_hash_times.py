"""Times of hash fields, which the oracle does not have: replies, texts and effects as Redis 7.4 documents them."""

import pytest

from aikv.base.clock import ManualClock
from aikv.engine.client_life import disconnect
from aikv.engine.events import parse_classes
from aikv.keyspace.expiry import ExpiryCycle
from served import NOW_MS, Served

LATEST_MS = (1 << 46) - 1


@pytest.fixture
def served() -> Served:
    """Make an engine with the hash `h` of three fields."""
    served = Served()
    served.run("HSET h a 1 b 2 c 3")
    served.recorded()
    return served


def integers(*numbers: int) -> bytes:
    """Encode an array of integers."""
    return b"*%d\r\n" % len(numbers) + b"".join(b":%d\r\n" % number for number in numbers)


def announced(served: Served, line: str) -> list[bytes]:
    """Return the names of the events that a command causes."""
    served.engine.notify = parse_classes("EA")
    listener = served.connect()
    served.run("PSUBSCRIBE", "__keyevent@0__:*", client=listener)
    served.run(line)
    words = served.output(listener).split(b"\r\n")
    disconnect(served.engine, listener)
    channels = [word.split(b":")[1] for word in words if word.startswith(b"__keyevent@0__:")]
    return [name for name in channels if name != b"*"]


# Setting and asking.


def test_a_time_is_set_on_fields_that_exist(served: Served) -> None:
    assert served.run("HEXPIRE h 10 FIELDS 3 a n b") == integers(1, -2, 1)
    assert served.run("HTTL h FIELDS 4 a b c n") == integers(10, 10, -1, -2)
    assert served.run("HPTTL h FIELDS 2 a c") == integers(10_000, -1)
    assert served.run("HEXPIRETIME h FIELDS 1 a") == integers(NOW_MS // 1000 + 10)
    assert served.run("HPEXPIRETIME h FIELDS 2 a n") == integers(NOW_MS + 10_000, -2)
    assert served.run("OBJECT ENCODING h") == b"$10\r\nlistpackex\r\n"


@pytest.mark.parametrize(
    ("line", "milliseconds"),
    [
        ("HEXPIRE h 7 FIELDS 1 a", 7000),
        ("HPEXPIRE h 7 FIELDS 1 a", 7),
        (f"HEXPIREAT h {NOW_MS // 1000 + 7} FIELDS 1 a", 7000),
        (f"HPEXPIREAT h {NOW_MS + 7} fields 1 a", 7),
    ],
)
def test_all_four_commands_come_down_to_a_moment(served: Served, line: str, milliseconds: int) -> None:
    assert served.run(line) == integers(1)
    assert served.run("HPTTL h FIELDS 1 a") == integers(milliseconds)
    moment = b"%d" % (NOW_MS + milliseconds)
    assert served.recorded() == [[b"HPEXPIREAT", b"h", moment, b"FIELDS", b"1", b"a"]]


def test_seconds_are_rounded_up(served: Served) -> None:
    served.run("HPEXPIRE h 1001 FIELDS 1 a")
    assert served.run("HTTL h FIELDS 1 a") == integers(2)
    assert served.run("HEXPIRETIME h FIELDS 1 a") == integers((NOW_MS + 1001 + 999) // 1000)


def test_of_a_missing_key_no_field_exists(served: Served) -> None:
    for line in (
        "HEXPIRE n 10 FIELDS 2 a b",
        "HPEXPIREAT n 1 NX FIELDS 2 a b",
        "HTTL n FIELDS 2 a b",
        "HPEXPIRETIME n FIELDS 2 a b",
        "HPERSIST n FIELDS 2 a b",
    ):
        assert served.run(line) == integers(-2, -2)
    assert served.recorded() == []


@pytest.mark.parametrize(
    ("condition", "without", "later", "earlier", "equal"),
    [("NX", 1, 0, 0, 0), ("XX", 0, 1, 1, 1), ("GT", 0, 1, 0, 0), ("LT", 1, 0, 1, 0), ("gt", 0, 1, 0, 0)],
)
def test_a_condition_is_asked_for_each_field(
    served: Served, condition: str, without: int, later: int, earlier: int, equal: int
) -> None:
    served.run("HSET h d 4")
    served.run("HPEXPIRE h 500 FIELDS 1 b")
    served.run("HPEXPIRE h 1500 FIELDS 1 c")
    served.run("HPEXPIRE h 1000 FIELDS 1 d")
    served.recorded()
    assert served.run(f"HPEXPIRE h 1000 {condition} FIELDS 4 a b c d") == integers(without, later, earlier, equal)
    taken = [field for field, reply in zip(b"abcd", (without, later, earlier, equal), strict=True) if reply]
    moment = b"%d" % (NOW_MS + 1000)
    record = [b"HPEXPIREAT", b"h", moment, b"FIELDS", b"%d" % len(taken), *[bytes([field]) for field in taken]]
    assert served.recorded() == [record]


def test_nothing_is_recorded_where_no_condition_holds(served: Served) -> None:
    assert served.run("HEXPIRE h 10 XX FIELDS 2 a n") == integers(0, -2)
    assert served.recorded() == []


def test_a_moment_that_has_passed_removes_the_fields(served: Served) -> None:
    assert served.run("HEXPIRE h 0 FIELDS 2 a n") == integers(2, -2)
    assert served.run(f"HPEXPIREAT h {NOW_MS} FIELDS 1 b") == integers(2)
    assert served.recorded() == [[b"HDEL", b"h", b"a"], [b"HDEL", b"h", b"b"]]
    assert announced(served, "HEXPIREAT h 1 FIELDS 1 c") == [b"hdel", b"del"]
    assert served.run("EXISTS h") == b":0\r\n"


def test_persist_drops_times(served: Served) -> None:
    served.run("HEXPIRE h 10 FIELDS 2 a b")
    served.recorded()
    assert served.run("HPERSIST h FIELDS 3 a c n") == integers(1, -1, -2)
    assert served.run("HTTL h FIELDS 2 a b") == integers(-1, 10)
    assert served.recorded() == [[b"HPERSIST", b"h", b"FIELDS", b"3", b"a", b"c", b"n"]]
    assert announced(served, "HPERSIST h FIELDS 1 a") == []
    assert announced(served, "HPERSIST h FIELDS 1 b") == [b"hpersist"]
    assert announced(served, "HEXPIRE h 10 FIELDS 2 a b") == [b"hexpire"]


# Errors, in the order in which they are found.


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("HEXPIRE h 10 FIELDS 1", b"ERR wrong number of arguments for 'hexpire' command"),
        ("HEXPIRE s x FIELDS 1 a", b"WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HEXPIRE h x y 0 a", b"ERR value is not an integer or out of range"),
        ("HEXPIRE h -1 y 0 a", b"ERR invalid expire time, must be >= 0"),
        (f"HEXPIRE h {LATEST_MS // 1000} y 0 a", b"ERR invalid expire time in 'hexpire' command"),
        ("HEXPIREAT h 9223372036854775807 y 0 a", b"ERR invalid expire time in 'hexpireat' command"),
        (f"HPEXPIRE h {LATEST_MS} y 0 a", b"ERR invalid expire time in 'hpexpire' command"),
        (f"HPEXPIREAT h {LATEST_MS + 1} y 0 a", b"ERR invalid expire time in 'hpexpireat' command"),
        ("HEXPIRE h 10 y 0 a", b"ERR Mandatory argument FIELDS is missing or not at the right position"),
        ("HEXPIRE h 10 NX XX FIELDS 1 a", b"ERR Mandatory argument FIELDS is missing or not at the right position"),
        ("HEXPIRE h 10 FIELDS 0 a", b"ERR Parameter `numFields` should be greater than 0"),
        ("HEXPIRE h 10 FIELDS x a", b"ERR Parameter `numFields` should be greater than 0"),
        ("HEXPIRE h 10 NX FIELDS 1", b"ERR The `numfields` parameter must match the number of arguments"),
        ("HEXPIRE h 10 FIELDS 1 a b", b"ERR The `numfields` parameter must match the number of arguments"),
        ("HEXPIRE h 10 FIELDS 2 a", b"ERR The `numfields` parameter must match the number of arguments"),
        ("HTTL h FIELDS 1", b"ERR wrong number of arguments for 'httl' command"),
        ("HTTL s x 0 a", b"WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HTTL h x 0 a", b"ERR Mandatory argument FIELDS is missing or not at the right position"),
        ("HPTTL h FIELDS 0 a", b"ERR Number of fields must be a positive integer"),
        ("HEXPIRETIME h FIELDS x a", b"ERR Number of fields must be a positive integer"),
        ("HPEXPIRETIME h FIELDS 2 a", b"ERR The `numfields` parameter must match the number of arguments"),
        ("HPERSIST s x 0 a", b"WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HPERSIST h x 0 a", b"ERR Mandatory argument FIELDS is missing or not at the right position"),
        ("HPERSIST h FIELDS -1 a", b"ERR Number of fields must be a positive integer"),
        ("HPERSIST h FIELDS 1 a b", b"ERR The `numfields` parameter must match the number of arguments"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(served: Served, line: str, text: bytes) -> None:
    served.run("SET s x")
    served.recorded()
    assert served.run(line) == b"-" + text + b"\r\n"
    assert served.run("HTTL h FIELDS 1 a") == integers(-1)
    assert served.recorded() == []


def test_the_latest_moment_is_taken(served: Served) -> None:
    assert served.run(f"HPEXPIREAT h {LATEST_MS} FIELDS 1 a") == integers(1)
    assert served.run("HPEXPIRETIME h FIELDS 1 a") == integers(LATEST_MS)


# What keeps a time, and what drops it.


def test_setting_a_field_drops_its_time_and_adding_to_it_keeps_it(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 3 a b c")
    served.run("HSET h a 1")
    served.run("HINCRBY h b 1")
    served.recorded()
    served.run("HINCRBYFLOAT h c 0.5")
    assert served.run("HPTTL h FIELDS 3 a b c") == integers(-1, 10, 10)
    assert served.recorded() == [
        [b"MULTI"],
        [b"HSET", b"h", b"c", b"3.5"],
        [b"HPEXPIREAT", b"h", b"%d" % (NOW_MS + 10), b"FIELDS", b"1", b"c"],
        [b"EXEC"],
    ]


def test_a_field_that_was_set_again_does_not_run_out(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 2 a b")
    served.run("HSET h a 5")
    served.run("HDEL h b")
    served.run("HSET h b 6")
    served.advance(21)
    assert served.run("HMGET h a b") == b"*2\r\n$1\r\n5\r\n$1\r\n6\r\n"


# Running out.


def test_a_field_that_has_run_out_is_gone_for_every_command(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 2 a b")
    served.recorded()
    served.advance(10)
    assert served.run("HLEN h") == b":3\r\n"
    served.advance(1)
    assert served.run("HLEN h") == b":1\r\n"
    assert served.recorded() == [[b"HDEL", b"h", b"a", b"b"]]
    assert served.run("HGETALL h") == b"*2\r\n$1\r\nc\r\n$1\r\n3\r\n"
    assert served.run("HSETNX h a 9") == b":1\r\n"


@pytest.mark.parametrize("line", ["EXISTS h", "HGET h c", "TYPE h", "RENAME h g", "COPY h g", "HSET h z 1"])
def test_with_its_last_field_the_key_goes(served: Served, line: str) -> None:
    served.run("HPEXPIRE h 10 FIELDS 3 a b c")
    served.recorded()
    served.advance(11)
    assert announced(served, line)[:2] == [b"hexpired", b"del"]
    records = [record for record in served.recorded() if record != [b"MULTI"]]
    assert records[0] == [b"HDEL", b"h", b"a", b"b", b"c"]
    assert served.run("EXISTS h") == (b":1\r\n" if line.startswith("HSET") else b":0\r\n")


def test_a_watched_hash_is_touched_when_a_field_runs_out(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 1 a")
    served.run("WATCH h")
    served.advance(11)
    served.run("HLEN h", client=served.connect())
    served.run("MULTI")
    served.run("PING")
    assert served.run("EXEC") == b"*-1\r\n"


@pytest.mark.parametrize("line", ["RENAME h g", "COPY h g", "MOVE h 1"])
def test_times_go_where_the_hash_goes(served: Served, line: str) -> None:
    served.run("HPEXPIRE h 10 FIELDS 1 a")
    served.run(line)
    if line.startswith("MOVE"):
        served.run("SELECT 1")
    key = line.split()[2].replace("1", "h")
    served.advance(11)
    assert served.run(f"HLEN {key}") == b":2\r\n"


def test_times_survive_dump_and_restore(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 1 a")
    payload = served.run("DUMP h").split(b"\r\n", 1)[1][:-2]
    assert payload[-10:-8] == b"\x0c\x00"
    assert served.run("RESTORE", "g", "0", payload) == b"+OK\r\n"
    assert served.run("HPTTL g FIELDS 2 a b") == integers(10, -1)
    served.advance(11)
    assert served.run("HLEN g") == b":2\r\n"
    served.run("HSET plain a 1")
    assert served.run("DUMP plain")[:-2][-10:-8] == b"\x0a\x00"


def test_databases_that_are_swapped_or_emptied_take_their_times_along(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 1 a")
    served.run("SWAPDB 0 1")
    served.run("HSET h a 1")
    served.advance(11)
    assert served.run("HLEN h") == b":1\r\n"
    served.run("SELECT 1")
    assert served.run("HLEN h") == b":2\r\n"
    served.run("HPEXPIRE h 10 FIELDS 1 b")
    served.run("FLUSHALL")
    served.run("HSET h b 1")
    served.advance(11)
    assert served.run("HLEN h") == b":1\r\n"


def test_another_value_in_the_place_of_a_hash_does_not_run_out(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 3 a b c")
    served.run("SET h x")
    served.advance(11)
    assert served.run("GET h") == b"$1\r\nx\r\n"


def test_while_clients_are_paused_what_has_run_out_is_hidden_and_stays(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 1 a")
    served.run("CLIENT PAUSE 100000 WRITE")
    served.recorded()
    served.advance(11)
    assert served.run("HLEN h") == b":2\r\n"
    assert served.run("HGET h a") == b"$-1\r\n"
    assert served.recorded() == []


# The active cycle.


def cycle(served: Served) -> int:
    """Run one cycle; returns how much it has removed."""
    return ExpiryCycle(ManualClock(served.clock.unix_ms())).run(served.engine.databases, 1000)


def test_the_cycle_removes_fields_that_nobody_asks_for(served: Served) -> None:
    served.run("HPEXPIRE h 10 FIELDS 2 a b")
    served.run("HSET g x 1")
    served.run("HPEXPIRE g 20 FIELDS 1 x")
    served.recorded()
    served.advance(11)
    assert cycle(served) == 2
    assert served.recorded() == [[b"HDEL", b"h", b"a", b"b"]]
    served.advance(11)
    assert cycle(served) == 1
    assert served.run("DBSIZE") == b":1\r\n"
    assert cycle(served) == 0


def test_the_cycle_takes_a_large_hash_in_parts(served: Served) -> None:
    fields = [b"%d" % number for number in range(1000)]
    served.run("HSET", "large", *[word for field in fields for word in (field, b"x")], "stays", "x")
    served.run("HPEXPIRE", "large", "10", "FIELDS", "1000", *fields)
    served.recorded()
    served.advance(11)
    assert cycle(served) == 1000
    records = served.recorded()
    assert len(records) > 1
    assert sorted(field for record in records for field in record[2:]) == sorted(fields)
    assert served.run("HKEYS large") == b"*1\r\n$5\r\nstays\r\n"


def test_hscan_without_values_gives_fields(served: Served) -> None:
    expected = b"*2\r\n$1\r\n0\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"
    assert served.run("HSCAN h 0 NOVALUES") == expected
    assert served.run("HSCAN h 0 COUNT 5 novalues MATCH *") == expected
    assert served.run("HSCAN h 0 MATCH novalues") == b"*2\r\n$1\r\n0\r\n*0\r\n"
    assert served.run("HSCAN h 0 NOVALUES x") == b"-ERR syntax error\r\n"
