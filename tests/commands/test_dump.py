"""RESTORE: the journal gets the moment, a moment that has passed restores nothing, and times of use come along."""

import pytest

from aikv.persistence.dump import encode_dump
from served import NOW_MS, Served

PAYLOAD = encode_dump(b"value")


@pytest.mark.parametrize(
    ("ttl", "options", "record"),
    [
        (b"0", [], [b"RESTORE", b"a", b"0", PAYLOAD]),
        (b"5000", [], [b"RESTORE", b"a", b"%d" % (NOW_MS + 5000), PAYLOAD, b"ABSTTL"]),
        (b"5000", [b"REPLACE"], [b"RESTORE", b"a", b"%d" % (NOW_MS + 5000), PAYLOAD, b"REPLACE", b"ABSTTL"]),
        (b"%d" % (NOW_MS + 5), [b"ABSTTL"], [b"RESTORE", b"a", b"%d" % (NOW_MS + 5), PAYLOAD, b"ABSTTL"]),
    ],
)
def test_the_journal_gets_the_moment(ttl: bytes, options: list[bytes], record: list[bytes]) -> None:
    served = Served()
    assert served.run("RESTORE", "a", ttl, PAYLOAD, *options) == b"+OK\r\n"
    assert served.recorded() == [record]
    assert served.run("GET a") == b"$5\r\nvalue\r\n"


def test_a_moment_that_has_passed_restores_nothing_and_removes_what_was_to_be_replaced() -> None:
    served = Served()
    assert served.run("RESTORE", "a", "1", PAYLOAD, "ABSTTL") == b"+OK\r\n"
    assert served.recorded() == []
    served.run("SET a 1")
    served.recorded()
    assert served.run("RESTORE", "a", "1", PAYLOAD, "ABSTTL", "REPLACE") == b"+OK\r\n"
    assert served.run("EXISTS a") == b":0\r\n"
    assert served.recorded() == [[b"DEL", b"a"]]


def test_replacing_drops_the_old_ttl() -> None:
    served = Served()
    served.run("SET a 1 EX 100")
    served.run("RESTORE", "a", "0", PAYLOAD, "REPLACE")
    assert served.run("TTL a") == b":-1\r\n"


def test_the_time_of_last_use_comes_along() -> None:
    served = Served()
    served.run("RESTORE", "a", "0", PAYLOAD, "IDLETIME", "1000")
    assert served.run("OBJECT IDLETIME a") == b":1000\r\n"
    served.run("RESTORE", "b", "0", PAYLOAD, "FREQ", "100")
    assert served.run("OBJECT IDLETIME b") == b":0\r\n"


def test_the_frequency_comes_along_under_an_lfu_policy() -> None:
    served = Served()
    served.engine.lfu = True
    served.run("RESTORE", "a", "0", PAYLOAD, "FREQ", "100")
    assert served.run("OBJECT FREQ a") == b":100\r\n"
    served.run("RESTORE", "b", "0", PAYLOAD, "IDLETIME", "1000")
    assert served.run("OBJECT FREQ b") == b":5\r\n"
