"""Streams against a plain dict and lists; ids as Redis reads them; the map of ids; damaged nodes."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aikv.datatypes import listpack
from aikv.datatypes.kinds import kind_of
from aikv.datatypes.limits import Limits
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import UNKNOWN, ConsumerGroup
from aikv.datatypes.stream_id import LARGEST, U64_MAX, id_text, parse_bound, parse_id, parse_partial
from aikv.datatypes.stream_index import CHUNK, IdMap
from aikv.datatypes.stream_node import StreamNode
from aikv.datatypes.stream_shape import tree_nodes
from aikv.datatypes.stream_unpack import unpack

# Ids near each other, across milliseconds, and at both ends of each half.
HALVES = st.sampled_from([0, 1, 2, 3, 200, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, U64_MAX - 1, U64_MAX])
IDS = st.builds(lambda ms, seq: ms << 64 | seq, HALVES, HALVES).filter(bool)
TEXTS = st.one_of(st.sampled_from([b"", b"a", b"b", b"12", b"-5", b"9223372036854775807"]), st.binary(max_size=80))
PAIRS = st.lists(TEXTS, min_size=2, max_size=6).map(lambda texts: texts[: len(texts) // 2 * 2])

Model = dict[int, list[bytes]]


def at(ms: int, seq: int = 0) -> int:
    return ms << 64 | seq


def limits(entries: int, size: int) -> Limits:
    made = Limits()
    made.stream_node_entries = entries
    made.stream_node_bytes = size
    return made


def filled(count: int, entries: int = 100) -> Stream:
    stream = Stream()
    for number in range(1, count + 1):
        stream.append(at(number), [b"field", b"%d" % number], limits(entries, 4096))
    return stream


class StreamMachine(RuleBasedStateMachine):
    """Every change of entries, beside a dict of them."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = Stream()
        self.model: Model = {}
        self.last = 0
        self.added = 0
        self.limits = limits(3, 200)

    @initialize(entries=st.sampled_from([0, 1, 3, 100]), size=st.sampled_from([0, 60, 200, 4096]))
    def choose_limits(self, entries: int, size: int) -> None:
        self.limits = limits(entries, size)

    @rule(step=st.sampled_from([1, 1, 1, 2, 300, 1 << 64, (1 << 64) - 1, 5 << 64]), texts=PAIRS)
    def append(self, step: int, texts: list[bytes]) -> None:
        self._append(self.last + step, texts)

    @rule(number=IDS, texts=PAIRS)
    def append_far(self, number: int, texts: list[bytes]) -> None:
        if number > self.last:
            self._append(number, texts)

    def _append(self, number: int, texts: list[bytes]) -> None:
        if number <= LARGEST:
            self.stream.append(number, texts, self.limits)
            self.model[number] = texts
            self.last = number
            self.added += 1

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.model)))
        assert self.stream.delete(number)
        assert not self.stream.delete(number)
        assert self.stream.max_deleted_id >= number
        del self.model[number]

    @rule(number=IDS)
    def delete_any(self, number: int) -> None:
        assert self.stream.delete(number) == (self.model.pop(number, None) is not None)

    @rule(most=st.integers(0, 12))
    def trim_length(self, most: int) -> None:
        expected = max(0, len(self.model) - most)
        assert self.stream.trim_length(most, False, 0) == expected
        for number in sorted(self.model)[:expected]:
            del self.model[number]

    @rule(most=st.integers(0, 12), limit=st.sampled_from([0, 1, 4]))
    def trim_nodes(self, most: int, limit: int) -> None:
        removed = self.stream.trim_length(most, True, limit)
        assert not removed or len(self.model) - removed >= most
        assert not limit or removed <= limit
        for number in sorted(self.model)[:removed]:
            del self.model[number]

    @rule(data=st.data(), approximate=st.booleans())
    def trim_below(self, data: st.DataObject, approximate: bool) -> None:
        number = data.draw(st.one_of(IDS, st.sampled_from([*sorted(self.model), self.last + 1])))
        below = sorted(one for one in self.model if one < number)
        removed = self.stream.trim_below(number, approximate, 0)
        assert removed <= len(below)
        assert approximate or removed == len(below)
        for one in below[:removed]:
            del self.model[one]

    @rule(start=IDS, end=IDS, count=st.integers(1, 8))
    def ranges(self, start: int, end: int, count: int) -> None:
        within = [(number, self.model[number]) for number in sorted(self.model) if start <= number <= end]
        assert self.stream.range(start, end) == within
        assert self.stream.range(start, end, count) == within[:count]
        within.reverse()
        assert self.stream.range_back(start, end) == within
        assert self.stream.range_back(start, end, count) == within[:count]

    @rule(number=IDS)
    def asked_for_one(self, number: int) -> None:
        assert self.stream.has(number) == (number in self.model)
        assert self.stream.has_after(number) == any(one > number for one in self.model)

    @precondition(lambda self: self.model)
    @rule()
    def every_one_is_found(self) -> None:
        for number, texts in self.model.items():
            assert self.stream.has(number)
            assert self.stream.range(number, number) == [(number, texts)]
        assert self.stream.last_live() == max(self.model)

    @rule(change=st.booleans())
    def goes_on_as_a_copy(self, change: bool) -> None:
        old = self.stream
        self.stream = old.copy()
        if change:
            old.append(max(self.last, old.last_id) + 1, [b"old", b"only"], self.limits) if self.last < LARGEST else None
            old.trim_length(0, False, 0)

    @rule()
    def set_last_id(self) -> None:
        number = max(self.model, default=0)
        self.stream.set_last_id(number)
        self.last = number

    @invariant()
    def same(self) -> None:
        self.stream._check()
        for node in self.stream.nodes.some_from(0, len(self.model)):
            assert unpack(node.id, node.pack()).pack() == node.pack()
        assert len(self.stream) == len(self.model)
        assert self.stream.last_id == self.last
        assert self.stream.entries_added == self.added
        assert self.stream.first_id == min(self.model, default=0)
        assert self.stream.range(0, LARGEST) == sorted(self.model.items())


TestStream: Any = StreamMachine.TestCase


class GroupMachine(RuleBasedStateMachine):
    """A group beside a dict from id to consumer, time and count."""

    def __init__(self) -> None:
        super().__init__()
        self.group = ConsumerGroup(0, UNKNOWN)
        self.model: dict[int, tuple[bytes, int, int]] = {}
        self.now = 1000

    @rule(number=st.integers(1, 40), name=st.sampled_from([b"a", b"b", b"c"]))
    def deliver(self, number: int, name: bytes) -> None:
        self.now += 1
        consumer = self.group.find(name)
        if consumer is None:
            consumer = self.group.create(name, self.now)
        self.group.deliver(number, consumer, self.now)
        self.model[number] = (name, self.now, 1)

    @precondition(lambda self: self.model and self.group.consumers)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.model)))
        name = data.draw(st.sampled_from(sorted(self.group.consumers)))
        pending = self.group.pending.get(number)
        assert pending is not None
        self.group.move(pending, self.group.consumers[name])
        self.model[number] = (name, *self.model[number][1:])

    @rule(number=st.integers(1, 40))
    def acknowledge(self, number: int) -> None:
        assert self.group.acknowledge(number) == (self.model.pop(number, None) is not None)

    @rule(name=st.sampled_from([b"a", b"b", b"c"]))
    def remove(self, name: bytes) -> None:
        held = [number for number, (holder, _, _) in self.model.items() if holder == name]
        assert self.group.remove(name) == len(held)
        for number in held:
            del self.model[number]

    @rule()
    def goes_on_as_a_copy(self) -> None:
        old = self.group
        self.group = old.copy()
        for name in list(old.consumers):
            old.remove(name)

    @invariant()
    def same(self) -> None:
        self.group._check()
        found = self.group.pending.some_from(0, 1000)
        assert {one.id: (one.consumer, one.time_ms, one.count) for one in found} == self.model
        for consumer in self.group.ordered():
            held = [one.id for one in consumer.pending.some_from(0, 1000)]
            assert held == sorted(number for number, (name, _, _) in self.model.items() if name == consumer.name)


TestGroup: Any = GroupMachine.TestCase


@given(st.data())
def test_the_map_of_ids_is_a_sorted_dict(data: st.DataObject) -> None:
    found: IdMap[int] = IdMap()
    model: dict[int, int] = {}
    generator = random.Random(data.draw(st.integers(0, 1000)))
    for _ in range(data.draw(st.integers(1, 6))):
        grows = data.draw(st.booleans())
        for _ in range(data.draw(st.sampled_from([1, 10, CHUNK, 3 * CHUNK]))):
            number = generator.randrange(4 * CHUNK)
            if grows:
                assert found.put(number, -number) == (number not in model)
                model[number] = -number
            else:
                assert found.pop(number) == model.pop(number, None)
        found._check()
    numbers = sorted(model)
    assert len(found) == len(model)
    assert [found.first(), found.last()] == ([-numbers[0], -numbers[-1]] if numbers else [None, None])
    for probe in range(0, 4 * CHUNK, 7):
        above = [-number for number in numbers if number >= probe]
        below = [-number for number in reversed(numbers) if number <= probe]
        assert found.get(probe) == model.get(probe)
        assert found.at_or_after(probe) == (above[0] if above else None)
        assert found.at_or_before(probe) == (below[0] if below else None)
        for count in (0, 1, CHUNK + 3, 10 * CHUNK):
            assert found.some_from(probe, count) == above[:count]
            assert found.some_back_from(probe, count) == below[:count]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"1-2", at(1, 2)),
        (b"1", at(1, 9)),
        (b"0-0", 0),
        (b"18446744073709551615-18446744073709551615", LARGEST),
        (b"18446744073709551616-0", None),
        (b"9223372036854775808-9223372036854775808", at(1 << 63, 1 << 63)),
        (b"01-002", at(1, 2)),
        (b" 1-+2", at(1, 2)),
        (b"1-\t 2", at(1, 2)),
        (b"1- 2 ", None),
        (b"1--5", None),
        # What strtoull makes of it.
        (b"1--05", at(1, U64_MAX - 4)),
        (b"1-2\x00-3", at(1, 2)),
        (b"1" * 128, None),
        (b"0" * 126 + b"5", at(5, 9)),
        (b"0" * 127 + b"5", None),
        (b"", None),
        (b"-", None),
        (b"+", None),
        (b"-1", None),
        (b"1-", None),
        (b"1-*", None),
        (b"*", None),
        (b"1.0", None),
    ],
)
def test_ids_are_read_as_redis_reads_them(text: bytes, number: int | None) -> None:
    assert parse_id(text, 9) == number


def test_bounds_and_partial_ids() -> None:
    assert parse_bound(b"-", 0) == 0
    assert parse_bound(b"+", 0) == LARGEST
    assert parse_bound(b"7", U64_MAX) == at(7, U64_MAX)
    assert parse_partial(b"7-*") == 7
    assert parse_partial(b"7-**") is parse_partial(b"*") is parse_partial(b"-*") is parse_partial(b"7-1") is None
    assert parse_partial(b"0" * 126 + b"-*") is None


@given(IDS)
def test_the_text_of_an_id_is_read_as_that_id(number: int) -> None:
    assert parse_id(id_text(number), 0) == number


def test_new_ids_are_above_all_others() -> None:
    stream = Stream()
    assert stream.next_id_at(0) == at(0, 1)
    assert stream.next_id(5) == at(5)
    stream.append(at(5, U64_MAX), [b"a", b"1"], Limits())
    assert stream.next_id(4) == at(6)
    assert stream.next_id(5) == at(6)
    assert stream.next_id(7) == at(7)
    assert stream.next_id_at(5) is None
    assert stream.next_id_at(4) is None
    assert stream.next_id_at(6) == at(6)


def test_a_node_is_closed_by_entries_and_by_bytes() -> None:
    stream = filled(10, 4)
    assert [node.live for node in stream.nodes.some_from(0, 9)] == [4, 4, 2]
    by_bytes = Stream()
    for number in range(1, 5):
        by_bytes.append(at(number), [b"a", b"x" * 40], limits(0, 100))
    assert [node.live for node in by_bytes.nodes.some_from(0, 9)] == [1, 1, 1, 1]


def test_trimming_by_nodes_stops_where_a_node_would_be_cut() -> None:
    stream = filled(10, 4)
    assert stream.trim_length(7, True, 0) == 0
    assert stream.trim_length(6, True, 0) == 4
    assert stream.trim_below(at(8), True, 0) == 0
    assert stream.trim_below(at(9), True, 3) == 0
    assert stream.trim_below(at(9), True, 4) == 4
    assert stream.first_id == at(9)


def test_a_group_is_followed_without_counting_until_there_may_be_a_gap() -> None:
    stream = filled(5)
    group = ConsumerGroup(0, UNKNOWN)
    assert stream.lag(group) == 5
    assert stream.advance(group, at(1))
    assert not stream.advance(group, at(1))
    assert (group.entries_read, stream.lag(group)) == (1, 4)
    stream.delete(at(3))
    assert stream.lag(group) is None
    # Where the count was not kept it is known again at the end.
    late = ConsumerGroup(at(2), UNKNOWN)
    stream.advance(late, at(4))
    assert late.entries_read == UNKNOWN
    stream.advance(late, at(5))
    assert (late.entries_read, stream.lag(late)) == (5, 0)
    assert Stream().lag(ConsumerGroup(at(9), UNKNOWN)) == 0


def test_trimming_one_by_one_leaves_the_bytes_that_redis_would_have() -> None:
    """The flags of entries before the front are set when the node is put together."""
    slow, fast = filled(9), filled(9)
    for number in range(1, 6):
        slow.delete(at(number))
        fast.trim_length(9 - number, False, 0)
    first, second = slow.nodes.first(), fast.nodes.first()
    assert first is not None
    assert second is not None
    assert first.pack() == second.pack()
    assert (slow.max_deleted_id, fast.max_deleted_id) == (at(5), 0)


def test_field_names_are_one_object_for_all_nodes() -> None:
    stream = filled(10, 2)
    assert len({id(node.fields) for node in stream.nodes.some_from(0, 9)}) == 1


def test_a_large_node_takes_entries_without_copying_all_of_it() -> None:
    stream = Stream()
    for number in range(1, 20001):
        stream.append(at(number), [b"a", b"1"], limits(0, 0))
    assert len(stream.nodes) == 1
    assert stream.range(at(19999), LARGEST) == [(at(19999), [b"a", b"1"]), (at(20000), [b"a", b"1"])]
    stream._check()


@pytest.mark.parametrize(
    ("numbers", "count"),
    [
        # As the real server's XINFO STREAM says.
        ([], 1),
        ([at(1)], 2),
        ([at(3), at(4)], 6),
        ([at(3), at(4), at(300), at(70000), at(70000, 1), at(70000, 256)], 17),
    ],
)
def test_the_size_of_the_radix_tree(numbers: list[int], count: int) -> None:
    stream = Stream()
    for number in numbers:
        stream.append(number, [b"a", b"1"], limits(1, 0))
    assert tree_nodes(stream) == count


def test_the_radix_tree_of_a_long_stream_is_extrapolated() -> None:
    short, long = filled(4096, 1), filled(8192, 1)
    assert abs(tree_nodes(long) - 2 * tree_nodes(short)) < 100


def test_kind() -> None:
    stream = filled(3)
    kind = kind_of(stream)
    assert (kind.name, kind.encoding(stream)) == (b"stream", b"stream")
    copied = kind.copy(stream)
    assert isinstance(copied, Stream)
    copied.delete(at(1))
    assert len(stream) == 3


def packed(*elements: bytes | int) -> bytes:
    return listpack.from_entries(
        [listpack.encode_entry(one) if isinstance(one, bytes) else listpack.encode_integer(one) for one in elements]
    )


SOUND: list[bytes | int] = [1, 1, 1, b"f", 0, 2, 0, 0, b"v", 4, 1, 0, 5, 1, b"g", b"w", 6]


def test_a_sound_node_is_taken() -> None:
    node = unpack(at(7), packed(*SOUND))
    assert (node.live, node.dead, node.last) == (1, 1, at(7, 5))
    assert node.pack() == packed(*SOUND)
    found: list[tuple[int, list[bytes]]] = []
    node.collect(0, LARGEST, 9, found)
    assert found == [(at(7), [b"f", b"v"])]


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, 2, "says 2 and 1"),
        (1, 0, "says 1 and 0"),
        (0, b"x", "in the place of a number"),
        (2, 2, "does not end in 0"),
        (2, -1, "a count of -1"),
        (2, 1 << 40, "a count of"),
        (4, 1, "does not end in 0"),
        (5, 4, "flags 4"),
        (5, b"x", "in the place of a number"),
        (6, b"x", "in the place of a number"),
        (7, -1, "not above the one before"),
        (9, 5, "does not say of how many"),
        (12, 0, "not above the one before"),
        (13, 2, "of how many|within an entry|in the place of a number"),
        (13, 99, "within an entry|a count of 99"),
        (16, 7, "does not say of how many"),
    ],
)
def test_a_node_that_redis_would_not_write_is_refused(place: int, value: bytes | int, reason: str) -> None:
    elements = SOUND.copy()
    elements[place] = value
    with pytest.raises(ValueError, match=reason):
        unpack(at(7), packed(*elements))


def test_a_node_without_entries_is_refused() -> None:
    with pytest.raises(ValueError, match="without entries"):
        unpack(at(7), packed(0, 0, 1, b"f", 0))


@given(st.binary(max_size=60), st.integers(0, 59), st.integers(0, 255))
def test_damage_is_refused_or_harmless(noise: bytes, place: int, byte: int) -> None:
    damaged = bytearray(packed(*SOUND))
    damaged[place % len(damaged)] = byte
    for data in (bytes(damaged), noise, packed(*SOUND[:-1], noise)):
        try:
            node: StreamNode | None = unpack(at(7), data)
        except ValueError:
            node = None
        if node is not None and node.live:
            node._check()
