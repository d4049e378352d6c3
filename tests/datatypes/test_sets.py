"""Sets: every operation beside a plain set, the thresholds of the three forms, random choices, and set algebra."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aikv.base.random import Random
from aikv.datatypes.kinds import kind_of, type_name
from aikv.datatypes.limits import Limits
from aikv.datatypes.set_algebra import difference, intersection, union
from aikv.datatypes.sets import Set, gather

NUMBERS = st.one_of(st.integers(-10, 10), st.integers(-(2**63), 2**63 - 1)).map(lambda number: b"%d" % number)
MEMBERS = st.one_of(NUMBERS, NUMBERS, st.binary(max_size=2), st.just(b"m" * 65))


def limits(intset: int, listpack: int, value: int = 64) -> Limits:
    """Return limits for sets."""
    made = Limits()
    made.set_intset_entries = intset
    made.set_listpack_entries = listpack
    made.set_listpack_value = value
    return made


def made(*members: bytes, by: Limits) -> Set:
    """Return the set to which SADD has added `members`."""
    value = Set()
    value.add_many(list(members), 0, by)
    return value


def row(count: int, start: int = 0) -> list[bytes]:
    """Return `count` numbers."""
    return [b"%d" % number for number in range(start, start + count)]


class SetMachine(RuleBasedStateMachine):
    """Every operation beside a Python set."""

    def __init__(self) -> None:
        super().__init__()
        self.set = Set()
        self.model: set[bytes] = set()
        self.limits = limits(10, 6)

    @rule(member=MEMBERS)
    def add_one(self, member: bytes) -> None:
        assert self.set.add(member, self.limits) == (member not in self.model)
        self.model.add(member)

    @rule(members=st.lists(MEMBERS, min_size=1, max_size=12))
    def add_many(self, members: list[bytes]) -> None:
        assert self.set.add_many([b"SADD", b"key", *members], 2, self.limits) == len({*members} - self.model)
        self.model.update(members)

    @rule(count=st.integers(1, 2000))
    def grow(self, count: int) -> None:
        self.add_many(row(count, 100))

    @rule(members=st.lists(MEMBERS, max_size=5))
    def remove(self, members: list[bytes]) -> None:
        for member in members:
            assert self.set.remove(member) == (member in self.model)
            self.model.discard(member)

    @rule(members=st.lists(MEMBERS, min_size=1, max_size=5))
    def start_afresh(self, members: list[bytes]) -> None:
        self.set = gather(list(dict.fromkeys(members)), self.limits)
        self.model = {*members}

    @rule(members=st.lists(MEMBERS, max_size=8), limit=st.integers(-1, 8))
    def look(self, members: list[bytes], limit: int) -> None:
        for member in members:
            assert (member in self.set) == (member in self.model)
        end = None if limit < 0 else limit
        assert self.set.select(members, True, limit) == [member for member in members if member in self.model][:end]
        assert self.set.select(members, False) == [member for member in members if member not in self.model]

    @rule(count=st.integers(1, 300))
    def scan(self, count: int) -> None:
        cursor, found = self.set.scan(0, count)
        while cursor:
            cursor, more = self.set.scan(cursor, count)
            found += more
        assert sorted(found) == sorted(self.model)

    @rule(seed=st.integers(0, 1000), count=st.integers(0, 40))
    def draw(self, seed: int, count: int) -> None:
        drawn = self.set.random_members(Random(seed), count)
        assert len(set(drawn)) == len(drawn) == min(count, len(self.model))
        assert set(drawn) <= self.model
        if self.model:
            assert self.set.random_member(Random(seed)) in self.model
            repeated = self.set.random_members_repeating(Random(seed), count)
            assert len(repeated) == count
            assert set(repeated) <= self.model

    @rule(seed=st.integers(0, 1000))
    def pop(self, seed: int) -> None:
        if self.model:
            self.model.remove(self.set.pop(Random(seed)))

    @rule(seed=st.integers(0, 1000), share=st.floats(0, 1))
    def pop_many(self, seed: int, share: float) -> None:
        count = int(len(self.model) * share)
        popped = self.set.pop_many(Random(seed), count, self.limits)
        assert len(popped) == len(set(popped)) == count
        assert set(popped) <= self.model
        self.model -= set(popped)

    @rule()
    def copy(self) -> None:
        old = self.set
        self.set = kind_of(old).copy(old)  # type: ignore[assignment]
        old.add(b"only in the old one", self.limits)

    @invariant()
    def holds(self) -> None:
        self.set._check()
        assert len(self.set) == len(self.model)
        assert self.set.as_set() == self.model
        form = self.set.encoding()
        assert form != b"intset" or len(self.model) <= 10
        assert form != b"listpack" or (len(self.model) <= 6 and all(len(member) <= 64 for member in self.model))


TestSet = SetMachine.TestCase
TestSet.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


def test_a_set_is_a_set() -> None:
    assert type_name(Set()) == b"set"
    assert kind_of(Set()).encoding(Set()) == b"intset"


@pytest.mark.parametrize(
    ("members", "encoding"),
    [
        (row(1), b"intset"),
        (row(10), b"intset"),
        (row(11), b"hashtable"),
        ([b"1"] * 11, b"hashtable"),
        ([b"a"], b"listpack"),
        ([b"a", b"1"], b"listpack"),
        ([b"1", b"a"], b"listpack"),
        ([b"a", *row(5)], b"listpack"),
        ([b"a", *row(6)], b"hashtable"),
        ([*row(5), b"a"], b"listpack"),
        ([*row(6), b"a"], b"hashtable"),
        ([b"a"] * 7, b"hashtable"),
        ([b"a" * 64], b"listpack"),
        ([b"a" * 65], b"hashtable"),
        ([b"1", b"a" * 65], b"hashtable"),
        ([b"9" * 20], b"listpack"),
        ([b"01"], b"listpack"),
        ([b"-0"], b"listpack"),
        ([b"9223372036854775807", b"-9223372036854775808"], b"intset"),
        ([b"9223372036854775808"], b"listpack"),
    ],
)
def test_the_form_of_a_new_set(members: list[bytes], encoding: bytes) -> None:
    assert made(*members, by=limits(10, 6)).encoding() == encoding


def test_an_intset_and_a_listpack_grow_to_their_limits() -> None:
    by = limits(10, 6)
    numbers = made(*row(10), by=by)
    assert not numbers.add(b"9", by)
    assert numbers.encoding() == b"intset"
    numbers.add(b"10", by)
    assert numbers.encoding() == b"hashtable"
    texts = made(b"a", *row(5), by=by)
    assert texts.encoding() == b"listpack"
    assert not texts.add(b"4", by)
    texts.add(b"5", by)
    assert texts.encoding() == b"hashtable"
    texts.remove(b"5")
    assert texts.encoding() == b"hashtable"


def test_announced_members_count_against_the_limit_of_the_form_that_is_there() -> None:
    by = limits(10, 6)
    numbers = made(b"1", by=by)
    numbers.add_many([b"1"] * 11, 0, by)
    assert numbers.encoding() == b"hashtable"
    texts = made(b"a", by=by)
    texts.add_many([b"a"] * 7, 0, by)
    assert texts.encoding() == b"hashtable"


def test_numbers_too_long_for_a_listpack_make_a_table() -> None:
    by = limits(10, 6, value=3)
    value = made(b"-1000", by=by)
    value.add(b"a", by)
    assert value.encoding() == b"hashtable"
    value = made(b"-100", by=by)
    value.add(b"a", by)
    assert value.encoding() == b"hashtable"
    value = made(b"-10", by=by)
    value.add(b"a", by)
    assert value.encoding() == b"listpack"


def test_a_set_most_of_which_was_popped_starts_afresh() -> None:
    by = limits(10, 6)
    value = made(*row(60), by=by)
    value.pop_many(Random(1), 40, by)
    assert value.encoding() == b"hashtable"
    value.pop_many(Random(1), 17, by)
    assert value.encoding() == b"listpack"
    assert len(value) == 3


@pytest.mark.parametrize(
    ("members", "encoding"),
    [
        ([], b"intset"),
        (row(10), b"intset"),
        (row(11), b"hashtable"),
        ([*row(5), b"a"], b"listpack"),
        ([*row(6), b"a"], b"hashtable"),
        ([b"a" * 65], b"hashtable"),
    ],
)
def test_the_form_of_a_stored_result(members: list[bytes], encoding: bytes) -> None:
    assert gather(members, limits(10, 6)).encoding() == encoding


@pytest.mark.parametrize("size", [5, 600, 20_000])
@pytest.mark.parametrize("prefix", [b"", b"m"])
def test_choices_are_uniform(size: int, prefix: bytes) -> None:
    value = made(*[prefix + number for number in row(size)], by=limits(512, 128))
    random = Random(7)
    count, rounds = size * 3 // 5, max(2, 6000 // size)
    counters = [
        Counter(fifth(value.random_member(random), prefix, size) for _ in range(2000)),
        Counter(fifth(member, prefix, size) for _ in range(2000) for member in value.random_members(random, 2)),
        Counter(fifth(member, prefix, size) for _ in range(rounds) for member in value.random_members(random, count)),
        Counter(fifth(member, prefix, size) for member in value.random_members_repeating(random, 3000)),
    ]
    for counts in counters:
        assert len(counts) == 5
        expected = counts.total() / 5
        assert all(abs(number - expected) < 0.3 * expected for number in counts.values()), counts


def fifth(member: bytes, prefix: bytes, size: int) -> int:
    """Return in which fifth of the numbers `member` lies."""
    return int(member[len(prefix) :]) * 5 // size


@given(st.lists(st.sets(MEMBERS, max_size=12), min_size=1, max_size=4), st.integers(-1, 4))
def test_set_algebra_is_that_of_python(models: list[set[bytes]], limit: int) -> None:
    sets = [gather(list(model), limits(10, 6)) for model in models]
    together, common, left = union(sets), intersection(sets), difference(sets)
    assert len(together) == len(set(together))
    assert set(together) == set().union(*models)
    assert len(common) == len(set(common))
    assert set(common) == models[0].intersection(*models[1:])
    assert len(left) == len(set(left))
    assert set(left) == models[0].difference(*models[1:])
    bounded = intersection(sets, limit)
    assert len(bounded) == (len(common) if limit < 0 else min(limit, len(common)))
    assert set(bounded) <= set(common)
    for value, model in zip(sets, models, strict=True):
        assert value.as_set() == model


def test_the_largest_limits_that_can_be_configured_hold() -> None:
    endless = limits(2**63 - 1, 2**63 - 1, 2**63 - 1)
    assert made(*row(2000), by=endless).encoding() == b"intset"
    assert made(*row(1000), b"a" * 5000, by=endless).encoding() == b"listpack"
