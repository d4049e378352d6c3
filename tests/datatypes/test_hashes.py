"""Hashes: every operation beside a plain dict, the thresholds of the forms, field times, and random choices."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aikv.base.random import Random
from aikv.datatypes.hashes import Hash
from aikv.datatypes.kinds import kind_of, type_name
from aikv.datatypes.limits import Limits

FIELDS = st.one_of(st.integers(0, 20).map(lambda number: b"%d" % number), st.binary(max_size=2), st.just(b"f" * 40))
VALUES = st.one_of(st.binary(max_size=6), st.integers(-300, 70000).map(lambda number: b"%d" % number))
LONG_VALUES = st.one_of(VALUES, st.just(b"v" * 65))


def limits(entries: int, value: int = 64) -> Limits:
    """Return limits for hashes."""
    made = Limits()
    made.hash_listpack_entries = entries
    made.hash_listpack_value = value
    return made


def pairs_of(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Return what stands in turn as pairs."""
    return list(zip(flat[::2], flat[1::2], strict=True))


class HashMachine(RuleBasedStateMachine):
    """Every operation beside a dict of values and a dict of times."""

    def __init__(self) -> None:
        super().__init__()
        self.hash = Hash()
        self.model: dict[bytes, bytes] = {}
        self.times: dict[bytes, int] = {}
        self.limits = limits(8)
        self.large = False

    @rule(field=FIELDS, value=LONG_VALUES, keep_time=st.booleans())
    def set_one(self, field: bytes, value: bytes, keep_time: bool) -> None:
        assert self.hash.set(field, value, self.limits, keep_time) == (field not in self.model)
        self.model[field] = value
        self.large = self.large or len(self.model) > 8 or len(value) > 64
        if not keep_time:
            self.times.pop(field, None)

    @rule(field=FIELDS, value=VALUES)
    def set_new(self, field: bytes, value: bytes) -> None:
        new = field not in self.model
        assert self.hash.set_new(field, value, self.limits) == new
        self.model.setdefault(field, value)
        self.large = self.large or len(self.model) > 8

    @rule(pairs=st.lists(st.tuples(FIELDS, VALUES), max_size=10))
    def set_pairs(self, pairs: list[tuple[bytes, bytes]]) -> None:
        argv = [b"HSET", b"key", *(text for pair in pairs for text in pair)]
        new = len({field for field, _ in pairs} - set(self.model))
        assert self.hash.set_pairs(argv, 2, self.limits) == new
        self.model.update(pairs)
        self.large = self.large or len(self.model) > 8 or len(pairs) > 8
        for field, _ in pairs:
            self.times.pop(field, None)

    @rule(fields=st.lists(FIELDS, max_size=6))
    def delete(self, fields: list[bytes]) -> None:
        for field in fields:
            assert self.hash.delete(field) == (self.model.pop(field, None) is not None)
            self.times.pop(field, None)

    @rule(count=st.integers(0, 2000))
    def grow(self, count: int) -> None:
        self.set_pairs([(b"field:%d" % number, b"%d" % number) for number in range(count)])

    @rule()
    def start_afresh(self) -> None:
        self.hash = Hash()
        self.model = {}
        self.times = {}
        self.large = False

    @rule(field=FIELDS, when=st.integers(0, 1000))
    def set_expiry(self, field: bytes, when: int) -> None:
        if field in self.model:
            self.hash.set_expiry(field, when)
            self.times[field] = when

    @rule(field=FIELDS)
    def persist(self, field: bytes) -> None:
        assert self.hash.persist_field(field) == (self.times.pop(field, None) is not None)

    @rule(now=st.integers(0, 1000))
    def expire(self, now: int) -> None:
        before = dict(self.model)
        due = sorted(field for field, when in self.times.items() if when <= now)
        visible = self.hash.visible(now)
        assert (visible is self.hash) == (not due)
        assert dict(pairs_of(visible.pairs())) == {field: before[field] for field in before if field not in due}
        assert dict(pairs_of(self.hash.pairs())) == before
        assert sorted(self.hash.expire_fields(now)) == due
        for field in due:
            del self.model[field]
            del self.times[field]

    @rule(fields=st.lists(FIELDS, max_size=8))
    def look(self, fields: list[bytes]) -> None:
        assert self.hash.get_many(fields) == [self.model.get(field) for field in fields]
        for field in fields:
            assert self.hash.get(field) == self.model.get(field)
            assert (field in self.hash) == (field in self.model)
            assert self.hash.strlen(field) == len(self.model.get(field, b""))
            assert self.hash.expiry_of(field) == self.times.get(field, -1)
        there = [field for field in fields if field in self.model]
        assert pairs_of(self.hash.with_values(there)) == [(field, self.model[field]) for field in there]

    @rule(count=st.integers(1, 300))
    def scan(self, count: int) -> None:
        cursor, found = self.hash.scan(0, count)
        while cursor:
            cursor, more = self.hash.scan(cursor, count)
            found += more
        assert sorted(found) == sorted(self.model)

    @rule(seed=st.integers(0, 1000), count=st.integers(0, 40))
    def draw(self, seed: int, count: int) -> None:
        drawn = self.hash.random_fields(Random(seed), count)
        assert len(set(drawn)) == len(drawn) == min(count, len(self.model))
        assert set(drawn) <= set(self.model)
        if self.model:
            assert self.hash.random_field(Random(seed)) in self.model
            repeated = self.hash.random_fields_repeating(Random(seed), count)
            assert len(repeated) == count
            assert set(repeated) <= set(self.model)

    @rule()
    def copy(self) -> None:
        old = self.hash
        self.hash = kind_of(old).copy(old)  # type: ignore[assignment]
        old.set(b"only in the old one", b"1", self.limits)
        old.set_expiry(b"only in the old one", 1)

    @invariant()
    def holds(self) -> None:
        self.hash._check()
        assert len(self.hash) == len(self.model)
        assert pairs_of(self.hash.pairs()) == list(zip(self.hash.fields(), self.hash.values(), strict=True))
        assert dict(pairs_of(self.hash.pairs())) == self.model
        assert self.hash.next_expiry() == min(self.times.values(), default=-1)
        assert (self.hash.encoding() == b"hashtable") == self.large
        if not self.large:
            assert self.hash.fields() == list(self.model)


TestHash = HashMachine.TestCase
TestHash.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


def test_a_hash_is_a_hash() -> None:
    assert type_name(Hash()) == b"hash"
    assert kind_of(Hash()).encoding(Hash()) == b"listpack"


def test_one_field_more_than_the_limit_makes_a_table() -> None:
    few = limits(3)
    value = Hash()
    assert value.set_pairs([b"a", b"1", b"b", b"2", b"c", b"3"], 0, few) == 3
    assert value.encoding() == b"listpack"
    value.set(b"c", b"4", few)
    assert value.encoding() == b"listpack"
    value.set(b"d", b"4", few)
    assert value.encoding() == b"hashtable"
    value.delete(b"d")
    assert value.encoding() == b"hashtable"


@pytest.mark.parametrize(("field", "value"), [(b"f" * 65, b"v"), (b"f", b"v" * 65)])
def test_a_long_text_makes_a_table(field: bytes, value: bytes) -> None:
    single, many = Hash(), Hash()
    single.set(field, value, limits(8))
    many.set_pairs([b"a", b"1", field, value], 0, limits(8))
    assert single.encoding() == many.encoding() == b"hashtable"
    fitting = Hash()
    fitting.set(field[:64], value[:64], limits(8))
    assert fitting.encoding() == b"listpack"


def test_more_arguments_than_the_limit_make_a_table_though_the_fields_are_few() -> None:
    value = Hash()
    assert value.set_pairs([b"a", b"1"] * 4, 0, limits(3)) == 1
    assert value.encoding() == b"hashtable"


def test_a_lowered_limit_counts_at_the_next_change() -> None:
    value = Hash()
    value.set_pairs([b"a", b"1", b"b", b"2", b"c", b"3"], 0, limits(3))
    value.set_new(b"a", b"9", limits(2))
    assert value.encoding() == b"listpack"
    value.set(b"a", b"9", limits(2))
    assert value.encoding() == b"hashtable"


def test_a_hash_with_field_times_says_so_in_the_words_of_redis_7_4() -> None:
    value = Hash()
    value.set(b"a", b"1", limits(3))
    value.set_expiry(b"a", 1000)
    assert value.encoding() == b"listpackex"
    value.persist_field(b"a")
    assert value.encoding() == b"listpackex"
    value.set_pairs([b"b", b"2", b"c", b"3", b"d", b"4"], 0, limits(3))
    assert value.encoding() == b"hashtable"


def test_many_changes_of_a_time_do_not_fill_the_memory() -> None:
    value = Hash()
    value.set(b"a", b"1", limits(3))
    for when in range(10_000):
        value.set_expiry(b"a", when)
    value._check()
    assert value.next_expiry() == 9999
    assert value.expire_fields(9999) == []
    assert value.expire_fields(10_000) == [b"a"]
    assert len(value) == 0


@pytest.mark.parametrize("size", [5, 600, 20_000])
def test_choices_are_uniform(size: int) -> None:
    value = Hash()
    for number in range(size):
        value.set(b"%d" % number, b"v", limits(100))
    random = Random(7)
    count, rounds = size * 3 // 5, max(2, 6000 // size)
    each = Counter(int(value.random_field(random)) * 5 // size for _ in range(2000))
    few = Counter(int(field) * 5 // size for _ in range(2000) for field in value.random_fields(random, 2))
    many = Counter(int(field) * 5 // size for _ in range(rounds) for field in value.random_fields(random, count))
    again = Counter(int(field) * 5 // size for field in value.random_fields_repeating(random, 3000))
    for counts in (each, few, many, again):
        assert len(counts) == 5
        expected = counts.total() / 5
        assert all(abs(count - expected) < 0.25 * expected for count in counts.values()), counts


def test_the_largest_limits_that_can_be_configured_hold() -> None:
    endless = limits(2**63 - 1, 2**63 - 1)
    value = Hash()
    value.set_pairs([b"a", b"1" * 5000, b"b", b"2"], 0, endless)
    value.set(b"c" * 5000, b"3", endless)
    assert value.encoding() == b"listpack"
    assert value.get(b"a") == b"1" * 5000
