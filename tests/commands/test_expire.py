"""What commands on TTLs hand to the journal, and what happens at the limits of time."""

import pytest

from served import NOW_MS, Served

SOON = b"%d" % (NOW_MS + 10_000)
SOON_S = NOW_MS // 1000 + 10


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("EXPIRE a 10", [b"PEXPIREAT", b"a", SOON]),
        ("EXPIRE a 10 NX", [b"PEXPIREAT", b"a", SOON, b"NX"]),
        ("PEXPIRE a 10000", [b"PEXPIREAT", b"a", SOON]),
        (f"EXPIREAT a {SOON_S} LT", [b"PEXPIREAT", b"a", SOON, b"LT"]),
        (f"PEXPIREAT a {SOON_S}000", [b"PEXPIREAT", b"a", SOON]),
        ("EXPIRE a 0", [b"DEL", b"a"]),
        ("PEXPIRE a -1", [b"DEL", b"a"]),
        ("EXPIREAT a 1", [b"DEL", b"a"]),
        (f"PEXPIREAT a {NOW_MS}", [b"DEL", b"a"]),
    ],
)
def test_the_journal_gets_the_moment_or_the_removal(line: str, record: list[bytes]) -> None:
    served = Served()
    served.run("SET a 1")
    served.recorded()
    assert served.run(line) == b":1\r\n"
    assert served.recorded() == [record]


@pytest.mark.parametrize("line", ["EXPIRE nokey 10", "EXPIRE a 10 XX", "PERSIST a", "PERSIST nokey", "TTL a"])
def test_what_changes_nothing_is_not_recorded(line: str) -> None:
    served = Served()
    served.run("SET a 1")
    served.recorded()
    served.run(line)
    assert served.recorded() == []


def test_persist_is_recorded_as_it_came() -> None:
    served = Served()
    served.run("SET a 1 EX 10")
    served.recorded()
    served.run("PERSIST a")
    assert served.recorded() == [[b"PERSIST", b"a"]]


def test_a_key_runs_out_exactly_at_its_time_and_its_end_is_recorded_once() -> None:
    served = Served()
    served.run("SET a 1 PX 100")
    served.recorded()
    served.advance(100)
    assert served.run("PTTL a") == b":0\r\n"
    served.advance(1)
    assert served.run("PTTL a") == b":-2\r\n"
    assert served.run("GET a") == b"$-1\r\n"
    assert served.recorded() == [[b"DEL", b"a"]]
    assert served.engine.stats.expired == 1


@pytest.mark.parametrize(("left_ms", "seconds"), [(499, 0), (500, 1), (1499, 1), (1500, 2)])
def test_seconds_are_rounded_to_the_nearest(left_ms: int, seconds: int) -> None:
    served = Served()
    served.run(f"SET a 1 PX {left_ms}")
    assert served.run("TTL a") == b":%d\r\n" % seconds
    assert served.run("PTTL a") == b":%d\r\n" % left_ms


def test_a_file_that_is_loaded_may_set_a_time_that_has_passed() -> None:
    served = Served()
    served.run("SET a 1")
    served.engine.databases[0].loading = True
    loader = served.connect(internal=True)
    served.engine.call(loader, served.engine.commands[b"pexpireat"], [b"PEXPIREAT", b"a", b"1"])
    assert served.engine.databases[0].expire_of(b"a") == 1
