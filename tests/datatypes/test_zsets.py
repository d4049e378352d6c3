"""Sorted sets against a plain dict, in both forms; ranges, limits and the text of scores."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aikv.base.random import Random
from aikv.datatypes import listpack, listpack_check, zsets
from aikv.datatypes.kinds import kind_of, type_name
from aikv.datatypes.limits import Limits
from aikv.datatypes.zset_pack import encode_score, is_kept_form, pack_of, score_at
from aikv.datatypes.zset_ranges import limited, mirrored, parse_lex_range, parse_score_range, rank_range
from aikv.datatypes.zsets import ADDED, GT, INCR, LT, NOP, NOT_A_NUMBER, NX, UNCHANGED, UPDATED, XX, SortedSet

MEMBERS = st.sampled_from([b"", b"a", b"b", b"\0", b"ab", b"7", b"-70000", b"x" * 60, b"x" * 70]) | st.binary(
    max_size=2
)
SCORES = st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, 0.1, 1e20, -1e300, 5e-324, math.inf, -math.inf]) | st.floats(
    allow_nan=False
)
FLAGS = st.sampled_from([0, NX, XX, GT, LT, XX | GT, XX | LT, INCR, INCR | NX, INCR | XX, INCR | GT, INCR | LT])
RANKS = st.integers(-30, 30)


def expected_outcome(current: float | None, score: float, flags: int) -> tuple[int, float]:
    """ZADD as its manual says it: the outcome and the score afterwards."""
    if current is None:
        return (NOP, score) if flags & XX else (ADDED, score)
    wanted = current + score if flags & INCR else score
    if flags & NX:
        return NOP, current
    if math.isnan(wanted):
        return NOT_A_NUMBER, current
    if (flags & GT and wanted <= current) or (flags & LT and wanted >= current):
        return NOP, current
    return (UNCHANGED if wanted == current else UPDATED), wanted


class SortedSetMachine(RuleBasedStateMachine):
    """Any sequence of operations leaves the sorted set equal to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits()
        self.model: dict[bytes, float] = {}
        self.value = SortedSet()

    @initialize(entries=st.sampled_from([0, 3, 12, 128]))
    def choose_limit(self, entries: int) -> None:
        self.limits.zset_listpack_entries = entries

    def pairs(self) -> list[tuple[float, bytes]]:
        return sorted((score, member) for member, score in self.model.items())

    @rule(member=MEMBERS, score=SCORES, flags=FLAGS)
    def add(self, member: bytes, score: float, flags: int) -> None:
        outcome, now = expected_outcome(self.model.get(member), score, flags)
        assert self.value.add(member, score, flags, self.limits) == (outcome, now)
        if outcome in (ADDED, UPDATED):
            self.model[member] = now

    @rule(members=st.lists(MEMBERS, unique=True, max_size=20), score=SCORES)
    def add_many(self, members: list[bytes], score: float) -> None:
        self.value.prepare(len(members), 0, self.limits)
        for member in members:
            self.value.add(member, score, 0, self.limits)
            self.model[member] = score

    @rule(member=MEMBERS)
    def remove(self, member: bytes) -> None:
        assert self.value.remove(member) == (self.model.pop(member, None) is not None)

    @rule(start=RANKS, stop=RANKS, offset=st.integers(-1, 8), count=st.integers(-1, 8), reverse=st.booleans())
    def range_by_rank(self, start: int, stop: int, offset: int, count: int, reverse: bool) -> None:
        pairs = self.pairs()
        if reverse:
            pairs.reverse()
        size = len(pairs)
        last = stop + size if stop < 0 else stop
        wanted = pairs[max(start + size, 0) if start < 0 else start : last + 1] if last >= 0 else []
        ranks = rank_range(start, stop, size)
        if reverse:
            ranks = mirrored(ranks, size)
        self.assert_reads(ranks, reverse, wanted)
        wanted = wanted[offset:] if offset >= 0 else []
        self.assert_reads(limited(ranks, offset, count, reverse), reverse, wanted if count < 0 else wanted[:count])

    def assert_reads(self, ranks: tuple[int, int], reverse: bool, wanted: list[tuple[float, bytes]]) -> None:
        flat = [item for score, member in wanted for item in (member, score)]
        assert self.value.members(*ranks, reverse) == [member for _, member in wanted]
        assert self.value.pairs(*ranks, reverse) == flat

    def draw_ranks(
        self, low: float, low_open: bool, high: float, high_open: bool
    ) -> tuple[tuple[int, int], list[bytes]]:
        text_low = (b"(" if low_open else b"") + repr(low).encode()
        text_high = (b"(" if high_open else b"") + repr(high).encode()
        wanted = parse_score_range(text_low, text_high)
        assert wanted is not None
        found = [
            member
            for score, member in self.pairs()
            if (score > low or (score == low and not low_open)) and (score < high or (score == high and not high_open))
        ]
        return self.value.score_ranks(wanted), found

    @rule(low=SCORES, low_open=st.booleans(), high=SCORES, high_open=st.booleans())
    def range_by_score(self, low: float, low_open: bool, high: float, high_open: bool) -> None:
        ranks, found = self.draw_ranks(low, low_open, high, high_open)
        assert self.value.members(*ranks) == found
        assert ranks[1] - ranks[0] == len(found)

    @rule(low=SCORES, low_open=st.booleans(), high=SCORES, high_open=st.booleans())
    def remove_by_score(self, low: float, low_open: bool, high: float, high_open: bool) -> None:
        ranks, found = self.draw_ranks(low, low_open, high, high_open)
        assert self.value.delete(*ranks) == len(found)
        for member in found:
            del self.model[member]

    @rule(count=st.integers(0, 15), highest=st.booleans())
    def pop(self, count: int, highest: bool) -> None:
        pairs = self.pairs()
        if highest:
            pairs.reverse()
        expected = [item for score, member in pairs[:count] for item in (member, score)]
        assert self.value.pop(count, highest) == expected
        for _, member in pairs[:count]:
            del self.model[member]

    @rule(member=MEMBERS)
    def look_up(self, member: bytes) -> None:
        ordered = [held for _, held in self.pairs()]
        assert self.value.rank(member) == (ordered.index(member) if member in self.model else -1)
        assert self.value.score(member) == self.model.get(member)
        assert (member in self.value) == (member in self.model)

    @rule(count=st.integers(1, 5), seed=st.integers(0, 99))
    def draw_at_random(self, count: int, seed: int) -> None:
        if self.model:
            assert self.value.random_member(Random(seed)) in self.model
            assert set(self.value.random_members_repeating(Random(seed), count)) <= self.model.keys()
        drawn = self.value.random_members(Random(seed), count)
        assert len(set(drawn)) == len(drawn) == min(count, len(self.model))
        assert self.value.with_scores(drawn) == [item for member in drawn for item in (member, self.model[member])]

    @rule(count=st.integers(1, 10))
    def scan(self, count: int) -> None:
        found: dict[object, object] = {}
        cursor = 0
        while True:
            cursor, flat = self.value.scan(cursor, count)
            found.update(zip(flat[::2], flat[1::2], strict=True))
            if cursor == 0:
                break
        assert found == self.model

    @rule()
    def go_on_with_a_copy(self) -> None:
        copied = self.value.copy()
        self.value.add(b"not in the copy", 1.0, 0, self.limits)
        self.value = copied

    @invariant()
    def is_the_model(self) -> None:
        self.value._check()
        assert len(self.value) == len(self.model)
        members, scores = self.value.columns(0, len(self.value))
        assert list(zip(scores, members, strict=True)) == self.pairs()
        assert zsets.from_scores(self.model, self.limits).columns(0, len(members)) == (members, scores)


TestSortedSets = SortedSetMachine.TestCase


def filled(members: list[bytes], score: float, limits: Limits) -> SortedSet:
    made = SortedSet()
    for member in members:
        made.add(member, score, 0, limits)
    return made


@given(
    members=st.sets(st.binary(max_size=3), min_size=1, max_size=40),
    low=st.sampled_from([b"-", b"+"]) | st.binary(max_size=2).map(lambda text: b"[" + text),
    high=st.sampled_from([b"-", b"+"]) | st.binary(max_size=2).map(lambda text: b"(" + text),
    entries=st.sampled_from([0, 128]),
    score=st.sampled_from([0.0, -3.5, math.inf]),
)
def test_ranges_by_member(members: set[bytes], low: bytes, high: bytes, entries: int, score: float) -> None:
    limits = Limits()
    limits.zset_listpack_entries = entries
    value = filled(list(members), score, limits)
    for first, last in ((low, high), (high, low)):
        wanted = parse_lex_range(first, last)
        assert wanted is not None
        found = [
            member
            for member in sorted(members)
            if first != b"+" and last != b"-"
            if first == b"-" or member > first[1:] or (member == first[1:] and first[:1] == b"[")
            if last == b"+" or member < last[1:] or (member == last[1:] and last[:1] == b"[")
        ]
        for reverse in (False, True):
            assert value.members(*value.lex_ranks(wanted, reverse)) == found


def test_a_small_one_of_different_scores_is_walked_by_member_as_in_redis() -> None:
    value = SortedSet()
    for member, score in ((b"c", 1.0), (b"a", 2.0), (b"d", 3.0), (b"b", 4.0)):
        value.add(member, score, 0, Limits())
    wanted = parse_lex_range(b"[b", b"[c")
    assert wanted is not None
    # From the end at which it begins, each bound is looked at once: the lower until it is met, then the upper.
    assert value.members(*value.lex_ranks(wanted)) == [b"c", b"a"]
    assert value.members(*value.lex_ranks(wanted, True), True) == [b"b", b"d"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (b"1", b"2", (1.0, False, 2.0, False)),
        (b"(1", b"(2.5", (1.0, True, 2.5, True)),
        (b"-inf", b"+inf", (-math.inf, False, math.inf, False)),
        (b"(-INF", b"infinity", (-math.inf, True, math.inf, False)),
        (b"", b"(", (0.0, False, 0.0, True)),
        (b" 1", b"\t1e999", (1.0, False, math.inf, False)),
        (b"-1e999", b"1e-9999", (-math.inf, False, 0.0, False)),
        (b"0x10", b"1\x00junk", (16.0, False, 1.0, False)),
        (b"nan", b"1", None),
        (b"1 ", b"2", None),
        (b"1", b"[2", None),
        (b"((1", b"2", None),
        (b"1_0", b"2", None),
        (b" ", b"2", None),
        (b"1e", b"2", None),
    ],
)
def test_score_ranges_are_read_as_redis_reads_them(
    low: bytes, high: bytes, expected: tuple[object, ...] | None
) -> None:
    wanted = parse_score_range(low, high)
    found = None if wanted is None else (wanted.low, wanted.low_open, wanted.high, wanted.high_open)
    assert found == expected


@pytest.mark.parametrize("text", [b"", b"a", b"--", b"+a", b"{a"])
def test_what_is_no_bound_of_a_range_by_member(text: bytes) -> None:
    assert parse_lex_range(text, b"+") is None
    assert parse_lex_range(b"-", text) is None


def test_a_sorted_set_is_known_as_one_and_copied_with_its_form() -> None:
    for entries, encoding in ((128, b"listpack"), (1, b"skiplist")):
        limits = Limits()
        limits.zset_listpack_entries = entries
        value = filled([b"a", b"b"], 1.0, limits)
        assert type_name(value) == b"zset"
        assert kind_of(value).encoding(value) == encoding
        copied = kind_of(value).copy(value)
        assert isinstance(copied, SortedSet)
        assert copied.pairs(0, 2) == [b"a", 1.0, b"b", 1.0]
        assert copied.encoding() == encoding


def test_the_form_follows_number_and_length_of_members() -> None:
    limits = Limits()
    value = filled([b"%d" % number for number in range(128)], 1.0, limits)
    assert value.encoding() == b"listpack"
    value.add(b"x" * 65, 1.0, XX, limits)
    assert value.encoding() == b"listpack"
    assert value.copy().add(b"x" * 64, 1.0, 0, limits)[0] == ADDED
    value.add(b"one more", 1.0, 0, limits)
    assert value.encoding() == b"skiplist"
    value.delete(1, 129)
    assert (len(value), value.encoding()) == (1, b"skiplist")
    assert filled([b"x" * 64], 1.0, limits).encoding() == b"listpack"
    assert filled([b"x" * 65], 1.0, limits).encoding() == b"skiplist"


def test_what_is_prepared_for_many_members_is_large_at_once() -> None:
    limits = Limits()
    for count, longest, encoding in ((128, 64, b"listpack"), (129, 0, b"skiplist"), (1, 65, b"skiplist")):
        value = SortedSet()
        value.prepare(count, longest, limits)
        value.add(b"a", 1.0, 0, limits)
        assert value.encoding() == encoding


def test_what_is_stored_as_a_whole_is_small_where_the_limits_allow() -> None:
    limits = Limits()
    content = {b"%d" % number: float(number) for number in range(128)}
    assert zsets.from_scores(content, limits).encoding() == b"listpack"
    assert zsets.from_scores({**content, b"a": 1.0}, limits).encoding() == b"skiplist"
    assert zsets.from_scores({b"x" * 65: 1.0}, limits).encoding() == b"skiplist"


@pytest.mark.parametrize(
    ("score", "entry"),
    [
        (3.0, b"\x03\x01"),
        (-0.0, b"\x00\x01"),
        (0.1, b"\x830.1\x04"),
        (1e20, b"\x851e+20\x06"),
        (4611686018427387904.0, b"\xf4\0\0\0\0\0\0\0\x40\x09"),
        (math.inf, b"\x83inf\x04"),
        (-math.inf, b"\x84-inf\x05"),
    ],
)
def test_scores_in_a_listpack_are_integers_or_text(score: float, entry: bytes) -> None:
    assert encode_score(score) == entry


@given(SCORES)
def test_scores_in_a_listpack_are_exact(score: float) -> None:
    pack = listpack.from_entries([encode_score(score)])
    assert score_at(pack, listpack.FIRST) == score
    assert listpack_check.validated(pack) is pack


def test_the_sum_of_two_infinities_changes_nothing() -> None:
    for entries in (0, 128):
        limits = Limits()
        limits.zset_listpack_entries = entries
        value = filled([b"a"], math.inf, limits)
        assert value.add(b"a", -math.inf, INCR, limits) == (NOT_A_NUMBER, math.inf)
        assert value.score(b"a") == math.inf


SCORE_TEXTS = st.sampled_from(
    [
        *(b"0.5", b"-0.5", b"1.50", b"01.5", b"1.", b".5", b"1.0", b"20000.5", b"1e3", b"0.0000001", b"0.000001"),
        *(b"inf", b"nan", b"", b"-", b"x", b"5", b"123456789012345.6", b"12345678901234.5", b"9007199254740993"),
        *(b"-.5", b"1.2.3"),
    ]
) | st.floats(allow_nan=False).map(lambda score: repr(score).encode())


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"7"]), SCORE_TEXTS), max_size=4))
def test_a_form_that_is_kept_as_it_stands_is_the_one_that_would_be_made(pairs: list[tuple[bytes, bytes]]) -> None:
    pack = listpack.from_texts([text for pair in pairs for text in pair])
    if is_kept_form(pack):
        read = sorted([(float(score), member) for member, score in pairs])
        assert len({member for member, _ in pairs}) == len(pairs)
        assert pack == pack_of([member for _, member in read], [score for score, _ in read])


@given(st.dictionaries(MEMBERS, st.integers(-(2**40), 2**40).map(lambda number: number / 64), max_size=8))
def test_scores_of_few_digits_are_kept_as_they_stand(content: dict[bytes, float]) -> None:
    pairs = sorted([(score, member) for member, score in content.items()])
    pack = pack_of([member for _, member in pairs], [score for score, _ in pairs])
    digits = [len(repr(abs(score)).replace(".", "")) for score, _ in pairs]
    plain = all(float(score).is_integer() or len(repr(score).partition(".")[2]) <= 6 for score, _ in pairs)
    assert is_kept_form(pack) or not plain or max(digits) > 15


def test_a_listpack_that_ends_within_a_pair_is_not_kept() -> None:
    assert not is_kept_form(listpack.from_texts([b"a", b"1", b"b"]))


@given(st.lists(st.tuples(MEMBERS, SCORES), min_size=1, max_size=9))
def test_what_is_filled_at_one_go_is_what_is_added_one_by_one(pairs: list[tuple[bytes, float]]) -> None:
    limits = Limits()
    limits.zset_listpack_entries = 6
    one_by_one = SortedSet()
    for member, score in pairs:
        one_by_one.add(member, score, 0, limits)
    filled = SortedSet()
    members = [member for member, _ in pairs]
    if filled.fill(members, [score for _, score in pairs], limits):
        filled._check()
        assert filled.pack == one_by_one.pack
    else:
        assert len(filled) == 0
        assert len(set(members)) < len(members) or one_by_one.ordered is not None
