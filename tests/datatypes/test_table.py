"""The scannable table against a plain dict; what SCAN and RANDOMKEY promise."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aikv.base.random import Random
from aikv.datatypes.table import MERGE_AT, SPLIT_AT, Table

KEYS = st.binary(max_size=3)


def numbered(count: int, prefix: bytes = b"key") -> list[bytes]:
    return [b"%b:%d" % (prefix, number) for number in range(count)]


def filled(count: int) -> Table:
    table = Table()
    for number, key in enumerate(numbered(count)):
        table.set(key, number)
    return table


def whole_scan(table: Table, count: int) -> list[list[bytes]]:
    """Return the steps of one scan of a table that does not change."""
    cursor, step = table.scan(0, count)
    steps = [step]
    while cursor:
        cursor, step = table.scan(cursor, count)
        steps.append(step)
    return steps


class TableMachine(RuleBasedStateMachine):
    """Every operation, one key or hundreds at a time, beside a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table()
        self.model: dict[bytes, object] = {}

    @rule(key=KEYS, value=st.integers())
    def set_one(self, key: bytes, value: int) -> None:
        assert self.table.set(key, value) == (key not in self.model)
        self.model[key] = value

    @rule(key=KEYS)
    def pop_one(self, key: bytes) -> None:
        assert self.table.pop(key) == self.model.pop(key, None)

    @rule(start=st.integers(0, 3000), count=st.integers(0, 1500))
    def set_many(self, start: int, count: int) -> None:
        for number in range(start, start + count):
            assert self.table.set(b"%d" % number, number) == (b"%d" % number not in self.model)
            self.model[b"%d" % number] = number

    @rule(start=st.integers(0, 3000), count=st.integers(0, 3000))
    def pop_many(self, start: int, count: int) -> None:
        for number in range(start, start + count):
            assert self.table.pop(b"%d" % number) == self.model.pop(b"%d" % number, None)

    @rule()
    def clear(self) -> None:
        old = self.table.clear()
        assert {key: value for bucket in old for key, value in bucket.items()} == self.model
        self.model = {}

    @rule(key=KEYS)
    def look(self, key: bytes) -> None:
        assert self.table.get(key) == self.model.get(key)
        assert (key in self.table) == (key in self.model)

    @rule(count=st.integers(1, 1000))
    def scan(self, count: int) -> None:
        found = [key for step in whole_scan(self.table, count) for key in step]
        assert sorted(found) == sorted(self.model)

    @rule(seed=st.integers(0, 1000))
    def draw(self, seed: int) -> None:
        key = self.table.random_key(Random(seed))
        assert key in self.model if self.model else key is None

    @invariant()
    def holds(self) -> None:
        self.table._check()
        assert len(self.table) == len(self.model)
        assert set(self.table.keys()) == set(self.model)


TestTable = TableMachine.TestCase
TestTable.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(0, 4000), st.integers(0, 4000))
@settings(max_examples=40, deadline=None)
def test_a_scan_returns_whatever_stays_though_the_table_grows_and_shrinks(
    seed: int, count: int, permanent: int, others: int
) -> None:
    rng = random.Random(seed)
    table = Table()
    stay = numbered(permanent, b"stay")
    come_and_go = numbered(others, b"go")
    present = rng.sample(come_and_go, rng.randint(0, others))
    for key in rng.sample(stay + present, permanent + len(present)):
        table.set(key, True)
    seen: set[bytes] = set()
    cursor, step = table.scan(0, count)
    seen.update(step)
    # Whether the table grows, shrinks or does both in turn during this scan.
    growth = rng.choice([0.0, 0.5, 1.0])
    while cursor:
        for key in rng.sample(come_and_go, min(others, rng.randint(0, 400))):
            if rng.random() < growth:
                table.set(key, True)
            else:
                table.pop(key)
        cursor, step = table.scan(cursor, count)
        seen.update(step)
    table._check()
    assert seen.issuperset(stay)


@pytest.mark.parametrize("size", [1, 100, 5000, 60_000])
@pytest.mark.parametrize("count", [1, 10, 100, 1000])
def test_a_scan_step_returns_about_as_many_keys_as_asked_for(size: int, count: int) -> None:
    steps = whole_scan(filled(size), count)
    # At the least what was asked for (but at the end), and not many times more.
    assert all(len(step) >= count for step in steps[:-1])
    assert max(len(step) for step in steps) <= 8 * count + 8
    assert sum(len(step) for step in steps) == size


def test_a_scan_takes_any_number_as_a_cursor_and_as_a_count() -> None:
    table = filled(5000)
    for cursor in (1, 12345, 2**48 - 1, 2**48, 2**63, 2**64 - 1):
        following, _ = table.scan(cursor, 10)
        assert 0 <= following < 2**48
    assert table.scan(0, 2**63 - 1) == (0, [key for step in whole_scan(table, 5000) for key in step])


@pytest.mark.parametrize("size", [10, 300, 5000])
def test_every_key_is_as_likely_to_be_drawn_as_any_other(size: int) -> None:
    table = filled(size)
    # Uneven buckets, as many deletions leave them.
    for key in numbered(size)[: size // 3]:
        table.pop(key)
    generator = Random(7)
    draws = 40 * len(table)
    counts = Counter(table.random_key(generator) for _ in range(draws))
    assert len(counts) == len(table)
    expected = draws / len(table)
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    freedom = len(table) - 1
    # Six standard deviations of the chi-square distribution: bucket-wise drawing is far outside of it.
    assert chi_square < freedom + 6 * (2 * freedom) ** 0.5


def test_buckets_stay_small_and_the_emptied_table_gives_them_back() -> None:
    table = filled(50_000)
    assert max(len(bucket) for bucket in table.buckets) < 3 * SPLIT_AT
    assert len(table.buckets) >= 50_000 // SPLIT_AT
    for key in numbered(50_000)[10:]:
        table.pop(key)
    assert len(table.buckets) <= 1 + 10 // MERGE_AT + 1
    table._check()


@pytest.mark.parametrize("announced", [0, 1, SPLIT_AT, 3 * SPLIT_AT, 1000 * SPLIT_AT + 7, 1 << 20])
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_a_table_that_was_announced_too_small_or_too_large_takes_its_shape(announced: int, count: int) -> None:
    table = Table()
    table.reserve(announced)
    assert len(table.buckets) == announced // SPLIT_AT + 1
    for number, key in enumerate(numbered(count)):
        table.set(key, number)
    table._check()
    table.fit()
    table._check()
    assert MERGE_AT * (len(table.buckets) - 1) <= count <= SPLIT_AT * len(table.buckets)
    assert all(table.get(key) == number for number, key in enumerate(numbered(count)))
    assert Counter(key for step in whole_scan(table, 10) for key in step) == Counter(numbered(count))


def test_a_table_in_use_keeps_its_shape_whatever_is_announced() -> None:
    table = filled(3)
    table.reserve(100_000)
    assert len(table.buckets) == 1


def test_clear_leaves_a_table_that_works() -> None:
    table = filled(3000)
    table.clear()
    assert (len(table), table.scan(0, 10), table.random_key(Random(1))) == (0, (0, []), None)
    table.set(b"a", 1)
    assert table.get(b"a") == 1
    table._check()


def test_a_broken_table_is_noticed() -> None:
    table = filled(2000)
    moved = next(iter(table.buckets[0]))
    table.buckets[1][moved] = table.buckets[0].pop(moved)
    with pytest.raises(AssertionError):
        table._check()
