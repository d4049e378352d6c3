"""Large values and emptied databases are freed in slices, and small ones at once."""

import gc
import weakref

import pytest

from aikv.datatypes.sets import Set
from aikv.engine.release import Releaser
from served import Served


class Witness(dict[bytes, object]):
    """A bucket whose end can be seen."""


@pytest.mark.parametrize("line", ["DEL large", "UNLINK large", "FLUSHALL", "FLUSHDB"])
def test_what_is_removed_is_freed_when_there_is_time(line: str) -> None:
    served = Served()
    served.run("SADD", "large", *[b"member-%d" % number for number in range(10_000)])
    value = served.engine.databases[0].table.get(b"large")
    assert isinstance(value, Set)
    assert value.table is not None
    witness = Witness(value.table.buckets[0])
    value.table.buckets[0] = witness
    alive = weakref.ref(witness)
    del witness, value
    assert served.run(line)[:1] in (b":", b"+")
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


def test_a_stream_is_freed_in_slices_with_what_its_groups_wait_for() -> None:
    served = Served()
    served.run("CONFIG SET stream-node-max-entries 1")
    served.run("XGROUP CREATE large g $ MKSTREAM")
    for number in range(1, 1001):
        served.run(f"XADD large {number}-1 a b")
    served.run("XREADGROUP GROUP g c COUNT 1000 STREAMS large >")
    served.run("DEL large")
    slices = 1
    while served.engine.releaser.free(served.engine.clock, 0):
        slices += 1
    # A list of nodes holds no more than 511, and there are as many of pending entries, twice.
    assert slices > 5


def test_a_short_stream_is_not_kept() -> None:
    served = Served()
    served.run("XADD short 1-1 a b")
    served.run("DEL short")
    assert not served.engine.releaser.free(served.engine.clock, 0)
