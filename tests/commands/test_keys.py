"""Commands on keys and databases: records, statistics, and emptying without a pause."""

import pytest

from aikv.datatypes.table import SPLIT_AT
from served import Served


@pytest.mark.parametrize("name", ["DEL", "UNLINK"])
def test_removing_keys_is_recorded_as_it_came_and_only_if_one_was_there(name: str) -> None:
    served = Served()
    served.run("MSET a 1 b 2")
    served.recorded()
    assert served.run(f"{name} a nokey b") == b":2\r\n"
    assert served.run(f"{name} a b") == b":0\r\n"
    assert served.recorded() == [[name.encode(), b"a", b"nokey", b"b"]]
    assert served.engine.dirty == 4


def test_a_key_that_has_run_out_is_not_removed_by_del_but_by_its_time() -> None:
    served = Served()
    served.run("SET a 1 PX 10")
    served.recorded()
    served.advance(11)
    assert served.run("DEL a") == b":0\r\n"
    assert served.recorded() == [[b"DEL", b"a"]]
    assert served.engine.stats.expired == 1


def test_asking_counts_hits_and_misses_and_is_no_use_of_the_key() -> None:
    served = Served()
    served.run("SET a 1")
    served.advance(50_000)
    for line in ("EXISTS a a nokey", "TYPE a", "TYPE nokey", "TTL a", "OBJECT ENCODING a"):
        served.run(line)
    assert (served.engine.stats.hits, served.engine.stats.misses) == (5, 2)
    assert served.run("OBJECT IDLETIME a") == b":50\r\n"
    assert served.run("TOUCH a nokey") == b":1\r\n"
    assert served.run("OBJECT IDLETIME a") == b":0\r\n"


def test_touch_is_a_use_though_the_client_leaves_no_traces() -> None:
    served = Served()
    served.run("SET a 1")
    served.advance(50_000)
    served.client.no_touch = True
    served.run("GET a")
    assert served.run("OBJECT IDLETIME a") == b":50\r\n"
    served.run("TOUCH a")
    assert served.run("OBJECT IDLETIME a") == b":0\r\n"


def test_the_frequency_of_a_key_is_told_under_an_lfu_policy_only() -> None:
    served = Served()
    served.engine.lfu = True
    served.run("SET a 1")
    assert served.run("OBJECT FREQ a") == b":5\r\n"
    served.run("GET a")
    assert served.run("OBJECT FREQ a") == b":6\r\n"
    assert served.run("OBJECT IDLETIME a").startswith(b"-ERR An LFU maxmemory policy is selected, idle time not")
    assert served.run("OBJECT IDLETIME nokey") == b"$-1\r\n"


@pytest.mark.parametrize("line", ["FLUSHALL", "FLUSHALL SYNC", "FLUSHDB ASYNC"])
def test_an_emptied_database_is_freed_in_slices(line: str) -> None:
    served = Served()
    database = served.engine.databases[0]
    for number in range(20 * SPLIT_AT):
        database.put(b"%d" % number, number)
        database.set_expire(b"%d" % number, 1 << 50)
    assert served.run(line) == b"+OK\r\n"
    assert served.run("DBSIZE") == b":0\r\n"
    # A budget of nothing frees one bucket: there are many slices, of TTLs too.
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    assert slices >= 40


@pytest.mark.parametrize("line", ["FLUSHALL", "FLUSHDB", "SWAPDB 0 1", "SWAPDB 0 0"])
def test_whole_databases_are_recorded_though_they_are_empty(line: str) -> None:
    served = Served()
    served.run(line)
    assert served.recorded() == [[word.encode() for word in line.split()]]


def test_emptying_counts_every_key_as_a_change() -> None:
    served = Served()
    served.run("MSET a 1 b 2")
    served.engine.dirty = 0
    served.run("FLUSHDB")
    assert served.engine.dirty == 2
    served.run("FLUSHDB")
    assert served.engine.dirty == 3


@pytest.mark.parametrize(
    "line", ["RENAME a b", "RENAMENX a b", "MOVE a 1", "COPY a b", "COPY a b DB 1 REPLACE", "COPY a a DB 1"]
)
def test_values_that_move_take_their_ttl_along_and_are_recorded_as_they_came(line: str) -> None:
    served = Served()
    served.run("SET a 1 PX 5000")
    served.recorded()
    served.run(line)
    assert served.recorded() == [[word.encode() for word in line.split()]]
    found = [
        (database.find(key, 0), database.expire_of(key) - served.engine.now_ms)
        for database in served.engine.databases[:2]
        for key in (b"a", b"b")
        if key in database.table
    ]
    assert len(found) == (2 if line.startswith("COPY") else 1)
    assert set(found) == {(b"1", 5000)}


def test_the_client_stays_in_its_database_when_it_writes_to_another() -> None:
    served = Served()
    served.run("SET a 1")
    served.run("COPY a b DB 1")
    served.run("MOVE a 1")
    served.run("SET c 1")
    assert served.journal() == [
        [b"SELECT", b"0"],
        [b"SET", b"a", b"1"],
        [b"COPY", b"a", b"b", b"DB", b"1"],
        [b"MOVE", b"a", b"1"],
        [b"SET", b"c", b"1"],
    ]
    assert sorted(served.engine.databases[1].table.keys()) == [b"a", b"b"]


def test_a_copy_shares_nothing_that_can_change() -> None:
    served = Served()
    served.run("SET a x")
    served.run("APPEND a y")
    served.run("COPY a b")
    served.run("APPEND b z")
    assert served.run("MGET a b") == b"*2\r\n$2\r\nxy\r\n$3\r\nxyz\r\n"
