"""Large values and emptied databases are freed in slices, and small ones at once."""

import gc
import weakref
from collections.abc import Callable

import pytest

from aikv.datatypes.lists import List
from aikv.datatypes.sets import Set
from aikv.engine.release import Releaser
from aikv.keyspace.expiry import ExpiryCycle
from served import Served


class Witness(dict[bytes, object]):
    """A bucket whose end can be seen."""


def bucket_of(served: Served) -> Callable[[], Witness | None]:
    """Put a witness among the buckets of the set `large`; returns what tells whether it is alive."""
    value = served.engine.databases[0].table.get(b"large")
    assert isinstance(value, Set)
    assert value.table is not None
    witness = Witness(value.table.buckets[0])
    value.table.buckets[0] = witness
    return weakref.ref(witness)


@pytest.mark.parametrize(
    "line",
    [
        "DEL large",
        "UNLINK large",
        "FLUSHALL",
        "FLUSHDB",
        "SET large x",
        "SET large x KEEPTTL",
        "SET large x EX 100",
        "SETEX large 100 x",
        "MSET other y large x",
        "RENAME small large",
        "COPY small large REPLACE",
        "SUNIONSTORE large small",
        "BITOP NOT large text",
        "PEXPIREAT large 1",
    ],
)
def test_what_is_removed_is_freed_when_there_is_time(line: str) -> None:
    served = Served()
    served.run("SADD", "large", *[b"member-%d" % number for number in range(10_000)])
    served.run("SADD small 1")
    served.run("SET text x")
    alive = bucket_of(served)
    assert served.run(line)[:1] in (b":", b"+")
    gc.collect()
    assert alive() is not None
    while served.engine.releaser.free(served.engine.clock, 1000):
        pass
    assert alive() is None


@pytest.mark.parametrize("line", ["EXISTS large", "SET large x", ""])
def test_what_runs_out_is_freed_when_there_is_time(line: str) -> None:
    served = Served()
    served.run("SADD", "large", *[b"member-%d" % number for number in range(10_000)])
    served.run("PEXPIRE large 5")
    alive = bucket_of(served)
    served.advance(10)
    if line:
        served.run(line)
    else:
        assert ExpiryCycle(served.clock).run(served.engine.databases, 1000) == 1
    gc.collect()
    assert alive() is not None
    while served.engine.releaser.free(served.engine.clock, 1000):
        pass
    assert alive() is None


def test_a_small_value_is_not_kept() -> None:
    releaser = Releaser()
    small = Set()
    releaser.value(small)
    releaser.value(b"x")
    served = Served()
    assert not releaser.free(served.clock, 0)


def test_a_renamed_value_is_whole_after_the_slices() -> None:
    served = Served()
    served.run("SADD", "large", *[b"member-%d" % number for number in range(10_000)])
    served.run("RENAME large other")
    while served.engine.releaser.free(served.engine.clock, 1000):
        pass
    assert served.run("SCARD other") == b":10000\r\n"


@pytest.mark.parametrize("line", ["DEL large", "XGROUP DESTROY large g"])
def test_a_stream_is_freed_in_slices_with_what_its_groups_wait_for(line: str) -> None:
    served = Served()
    served.run("CONFIG SET stream-node-max-entries 1")
    served.run("XGROUP CREATE large g $ MKSTREAM")
    for number in range(1, 1001):
        served.run(f"XADD large {number}-1 a b")
    served.run("XREADGROUP GROUP g c COUNT 1000 STREAMS large >")
    served.run(line)
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    # As many nodes as entries, which are pending in the group and in its consumer, each with its id.
    assert slices > (6000 if line.startswith("DEL") else 4000)


def test_a_short_stream_is_not_kept() -> None:
    served = Served()
    served.run("XADD short 1-1 a b")
    served.run("DEL short")
    assert not served.engine.releaser.free(served.engine.clock, 0)


FILLED = {
    "SADD": ["SADD", "large", *[f"member-{number}" for number in range(10_000)]],
    "HSET": ["HSET", "large", *[f"{word}-{number}" for number in range(10_000) for word in ("field", "value")]],
    "ZADD": ["ZADD", "large", *[str(word) for number in range(10_000) for word in (number / 7, f"member-{number}")]],
}


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize("flush", [False, True])
def test_between_two_looks_at_the_time_only_a_few_members_go(name: str, flush: bool) -> None:
    served = Served()
    served.run(*FILLED[name])
    served.run("FLUSHALL" if flush else "DEL large")
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    # A key and a value of each, and at most so many at a time.
    assert slices >= 2 * 10_000 // 4


@pytest.mark.parametrize("value", ["x", "1"])
def test_many_keys_are_freed_by_a_few(value: str) -> None:
    served = Served()
    for number in range(1000):
        served.run("SET", f"key-{number}", value, "EX", "100")
    served.run("FLUSHALL")
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    assert slices >= 2 * 1000 // 4


def test_a_long_list_is_freed_chunk_by_chunk() -> None:
    served = Served()
    served.run("RPUSH", "large", *["x" * 100] * 2000)
    quick = served.engine.databases[0].table.get(b"large")
    assert isinstance(quick, List)
    assert quick.quick is not None
    chunks = len(quick.quick.chunks)
    del quick
    served.run("UNLINK large")
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    assert slices >= chunks > 16


def test_long_strings_are_freed_one_by_one() -> None:
    served = Served()
    for number in range(100):
        served.run("SET", f"key-{number}", "x" * 100_000)
    served.run("FLUSHALL")
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    assert slices >= 100


@pytest.mark.parametrize("line", ["DEL large", "FLUSHALL"])
def test_the_times_of_fields_and_of_hashes_are_freed_by_a_few(line: str) -> None:
    served = Served()
    count = 5000
    served.run(*FILLED["HSET"])
    fields = [f"field-{number}" for number in range(count)]
    served.run("HPEXPIRE", "large", "1000", "FIELDS", str(count), *fields)
    for number in range(count):
        served.run(f"HSET small-{number} f v")
        served.run(f"HPEXPIRE small-{number} 1000 FIELDS 1 f")
    small = 0 if line == "DEL large" else count
    served.run(line)
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    # Fields and values, and fields and times; keys and values one by one, and keys and times.
    assert slices >= (2 * 10_000 + 2 * count) // 4 + small * 2 + small * 2 // 4
