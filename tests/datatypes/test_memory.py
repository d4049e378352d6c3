"""Sizes of values: they grow with what is in them, samples estimate them, and small forms are small."""

import sys
from collections.abc import Callable

import pytest

from aikv.datatypes.field_times import FieldTimes
from aikv.datatypes.hashes import Hash
from aikv.datatypes.kinds import kind_of
from aikv.datatypes.limits import Limits
from aikv.datatypes.lists import List
from aikv.datatypes.memory import allocated, entry_share, mean_of, table_memory, table_overhead
from aikv.datatypes.sets import Set, gather
from aikv.datatypes.stream_id import SEQUENCE_BITS
from aikv.datatypes.stream_index import IdMap
from aikv.datatypes.table import Table
from aikv.datatypes.zsets import SortedSet, from_scores

LIMITS = Limits()


def texts(count: int) -> list[bytes]:
    return [b"element:%08d" % number for number in range(count)]


def hash_of(count: int) -> Hash:
    made = Hash()
    argv = [b"HSET", b"k"]
    for text in texts(count):
        argv += [text, text]
    made.set_pairs(argv, 2, LIMITS)
    return made


def list_of(count: int) -> List:
    made = List()
    made.push_tail([b"RPUSH", b"k", *texts(count)], 2, LIMITS)
    return made


def set_of(count: int) -> Set:
    return gather(texts(count), LIMITS)


def zset_of(count: int) -> SortedSet:
    return from_scores({text: float(number) + 0.5 for number, text in enumerate(texts(count))}, LIMITS)


MAKERS: list[Callable[[int], object]] = [hash_of, list_of, set_of, zset_of]


def size(value: object, samples: int = 0) -> int:
    return kind_of(value).memory(value, samples)


@pytest.mark.parametrize("make", MAKERS)
def test_a_large_value_takes_more_than_its_texts_and_not_too_much(make: Callable[[int], object]) -> None:
    count = 20_000
    net = count * len(texts(1)[0])
    assert net < size(make(count)) < 40 * net


@pytest.mark.parametrize("make", MAKERS)
def test_a_small_value_takes_little_more_than_its_texts(make: Callable[[int], object]) -> None:
    assert 20 * 16 < size(make(20)) < 20 * 16 * 2 + 400


@pytest.mark.parametrize("make", MAKERS)
def test_samples_estimate_the_whole(make: Callable[[int], object]) -> None:
    value = make(20_000)
    assert size(value, 5) == pytest.approx(size(value), rel=0.25)


def test_strings_are_as_large_as_python_says() -> None:
    for value in (b"x" * 100, bytearray(b"x" * 1000), 17, 1 << 62):
        assert sys.getsizeof(value) <= size(value) < sys.getsizeof(value) + 16
        assert size(value) % 16 == 0


def test_a_table_is_its_buckets_and_keys() -> None:
    table = Table()
    for text in texts(1000):
        table.set(text, True)
    buckets = sum(allocated(bucket) for bucket in table.buckets)
    keys = sum(allocated(key) for key in list(table.keys()))
    assert table_memory(table, 0) == allocated(table) + allocated(table.buckets) + buckets + keys
    assert table_overhead(table) == allocated(table) + allocated(table.buckets) + buckets
    shares = sum(entry_share(table, key) for key in list(table.keys()))
    assert shares == pytest.approx(buckets, rel=0.05)


def test_the_mean_of_nothing_is_nothing() -> None:
    assert mean_of([], 5) == 0.0


def test_times_of_fields_are_counted() -> None:
    times = FieldTimes()
    empty = times.memory(0)
    for text in texts(100):
        times.set(text, 1 << 40)
    assert times.memory(0) > empty + 100 * 32


def test_a_map_of_ids_counts_its_ids() -> None:
    ids: IdMap[object] = IdMap()
    for number in range(1000):
        ids.put(number << SEQUENCE_BITS, None)
    assert ids.memory() > 1000 * (sys.getsizeof(1 << 70) + 2 * 8)
    assert ids.first_values(300) == [None] * 300
