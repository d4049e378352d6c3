"""Lists against a plain Python list, in both forms, and the changes from one form to the other."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aikv.datatypes import chunks, listpack
from aikv.datatypes.kinds import kind_of, type_name
from aikv.datatypes.limits import Limits
from aikv.datatypes.lists import List, list_of

# Few different ones, so that there are hits to search for; among them integers and lengths around the borders.
TEXTS = st.sampled_from(
    [b"", b"a", b"b", b"17", b"-1", b"300", b"70000", b"-9223372036854775808", b"x" * 63, b"x" * 64, b"y" * 130]
)
INDEXES = st.integers(-30, 30)


def limits_of(size: int) -> Limits:
    limits = Limits()
    limits.list_listpack_size = size
    return limits


def filled(texts: list[bytes], limits: Limits) -> List:
    made = List()
    made.push_tail(texts, 0, limits)
    return made


def numbers(count: int) -> list[bytes]:
    return [b"element:%06d" % number for number in range(count)]


def positions_in(model: list[bytes], text: bytes, rank: int, count: int, maxlen: int) -> list[int]:
    """LPOS as its manual says it."""
    indexes = range(len(model)) if rank > 0 else range(len(model) - 1, -1, -1)
    looked_at = list(indexes)[: maxlen or None]
    hits = [index for index in looked_at if model[index] == text][abs(rank) - 1 :]
    return hits[: count or None]


class ListMachine(RuleBasedStateMachine):
    """Any sequence of operations leaves the list equal to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits()
        self.model: list[bytes] = []
        self.value = List()

    @initialize(size=st.sampled_from([0, 1, 2, 3, 5, 8, -1]))
    def choose_limit(self, size: int) -> None:
        self.limits.list_listpack_size = size

    @rule(texts=st.lists(TEXTS, min_size=1, max_size=6))
    def push_head(self, texts: list[bytes]) -> None:
        self.value.push_head([b"LPUSH", *texts], 1, self.limits)
        self.model[:0] = reversed(texts)

    @rule(texts=st.lists(TEXTS, min_size=1, max_size=6))
    def push_tail(self, texts: list[bytes]) -> None:
        self.value.push_tail([b"RPUSH", *texts], 1, self.limits)
        self.model += texts

    @precondition(lambda self: self.model)
    @rule(texts=st.lists(TEXTS, min_size=20, max_size=60))
    def push_many(self, texts: list[bytes]) -> None:
        self.value.push_tail(texts, 0, self.limits)
        self.model += texts

    @rule()
    def pop_head(self) -> None:
        assert self.value.pop_head(self.limits) == (self.model.pop(0) if self.model else None)

    @rule()
    def pop_tail(self) -> None:
        assert self.value.pop_tail(self.limits) == (self.model.pop() if self.model else None)

    @rule(count=st.integers(0, 40))
    def pop_head_many(self, count: int) -> None:
        assert self.value.pop_head_many(count, self.limits) == self.model[:count]
        del self.model[:count]

    @rule(count=st.integers(0, 40))
    def pop_tail_many(self, count: int) -> None:
        expected = [self.model.pop() for _ in range(min(count, len(self.model)))]
        assert self.value.pop_tail_many(count, self.limits) == expected

    @rule(index=INDEXES, text=TEXTS)
    def set(self, index: int, text: bytes) -> None:
        inside = -len(self.model) <= index < len(self.model)
        assert self.value.set(index, text, self.limits) == inside
        if inside:
            self.model[index] = text

    @rule(pivot=TEXTS, text=TEXTS, after=st.booleans())
    def insert(self, pivot: bytes, text: bytes, after: bool) -> None:
        assert self.value.insert(pivot, text, after, self.limits) == (pivot in self.model)
        if pivot in self.model:
            self.model.insert(self.model.index(pivot) + after, text)

    @rule(text=TEXTS, count=st.integers(-3, 3))
    def remove(self, text: bytes, count: int) -> None:
        hits = [index for index, held in enumerate(self.model) if held == text]
        doomed = hits[:count] if count > 0 else hits[count:]
        assert self.value.remove(text, count, self.limits) == len(doomed)
        self.model = [held for index, held in enumerate(self.model) if index not in doomed]

    @rule(start=INDEXES, stop=INDEXES)
    def trim(self, start: int, stop: int) -> None:
        kept = self.slice_of_model(start, stop)
        assert self.value.trim(start, stop, self.limits) == len(self.model) - len(kept)
        self.model = kept

    @rule(start=INDEXES, stop=INDEXES)
    def range(self, start: int, stop: int) -> None:
        assert self.value.range(start, stop) == self.slice_of_model(start, stop)

    @rule(text=TEXTS, rank=st.integers(-4, 4).filter(bool), count=st.integers(0, 4), maxlen=st.integers(0, 40))
    def positions(self, text: bytes, rank: int, count: int, maxlen: int) -> None:
        found = self.value.positions(text, rank, count, maxlen)
        assert found == positions_in(self.model, text, rank, count, maxlen)

    @rule(index=INDEXES)
    def get(self, index: int) -> None:
        inside = -len(self.model) <= index < len(self.model)
        assert self.value.get(index) == (self.model[index] if inside else None)

    @rule()
    def go_on_with_a_copy(self) -> None:
        copied = self.value.copy()
        self.value.push_head([b"not in the copy"], 0, self.limits)
        self.value = copied

    def slice_of_model(self, start: int, stop: int) -> list[bytes]:
        size = len(self.model)
        first = max(start + size, 0) if start < 0 else start
        last = stop + size if stop < 0 else stop
        return self.model[first : last + 1] if last >= 0 else []

    @invariant()
    def is_the_model(self) -> None:
        self.value._check()
        assert len(self.value) == len(self.model)
        assert self.value.elements() == self.model
        assert [text for pack in self.value.packs() for text in listpack.entries(pack)] == self.model


TestLists = ListMachine.TestCase


def test_a_list_is_known_as_one_and_copied_with_its_form() -> None:
    for size, encoding in ((8, b"listpack"), (2, b"quicklist")):
        value = filled([b"a", b"b", b"c"], limits_of(size))
        assert type_name(value) == b"list"
        assert kind_of(value).encoding(value) == encoding
        copied = kind_of(value).copy(value)
        assert isinstance(copied, List)
        assert copied.elements() == [b"a", b"b", b"c"]
        assert copied.encoding() == encoding


def test_a_positive_limit_counts_elements() -> None:
    limits = limits_of(3)
    value = filled([b"a", b"b", b"c"], limits)
    assert value.encoding() == b"listpack"
    value.push_head([b"d"], 0, limits)
    assert value.encoding() == b"quicklist"


def test_a_limit_of_zero_is_one() -> None:
    value = filled([b"a"], limits_of(0))
    assert value.encoding() == b"listpack"
    value.push_tail([b"b"], 0, limits_of(0))
    assert value.encoding() == b"quicklist"


@pytest.mark.parametrize(
    ("size", "largest"), [(-1, 4096), (-2, 8192), (-3, 16384), (-4, 32768), (-5, 65536), (-9, 65536)]
)
def test_a_negative_limit_is_a_class_of_bytes(size: int, largest: int) -> None:
    limits = limits_of(size)
    # An empty listpack has 7 bytes; what is added is counted by the length of its texts.
    assert filled([b"x" * (largest - 7)], limits).encoding() == b"listpack"
    assert filled([b"x" * (largest - 6)], limits).encoding() == b"quicklist"


def test_a_positive_limit_has_a_limit_of_bytes_too() -> None:
    assert filled([b"x" * 4000] * 2, limits_of(100)).encoding() == b"listpack"
    assert filled([b"x" * 4200] * 2, limits_of(100)).encoding() == b"quicklist"


def test_texts_pushed_together_count_together() -> None:
    limits = limits_of(2)
    value = filled([b"a"], limits)
    value.push_tail([b"b", b"c"], 0, limits)
    # The listpack stays a chunk of its own, and chunks take no more than two elements.
    assert [listpack.entries(pack) for pack in value.packs()] == [[b"a", b"b"], [b"c"]]


def test_half_the_limit_in_one_chunk_is_a_listpack_again() -> None:
    limits = limits_of(4)
    value = filled(numbers(5), limits)
    for left in (4, 3):
        value.pop_tail(limits)
        assert (len(value), value.encoding()) == (left, b"quicklist")
    value.pop_tail(limits)
    assert (len(value), value.encoding()) == (2, b"listpack")
    assert value.elements() == numbers(2)


def test_two_chunks_stay_a_quicklist_however_small() -> None:
    limits = limits_of(4)
    value = filled(numbers(5), limits)
    for _ in range(3):
        value.pop_head(limits)
    assert (len(value), value.encoding()) == (2, b"quicklist")
    value.pop_head(limits)
    assert (len(value), value.encoding()) == (1, b"listpack")


@pytest.mark.parametrize("how", ["pop", "trim", "remove"])
def test_every_removal_may_bring_the_listpack_back(how: str) -> None:
    limits = limits_of(-1)
    value = filled([b"x" * 1000] * 4 + [b"y"] * 1000, limits)
    assert value.encoding() == b"quicklist"
    if how == "pop":
        value.pop_tail_many(1002, limits)
    elif how == "trim":
        value.trim(0, 1, limits)
    else:
        value.remove(b"y", 0, limits)
        value.remove(b"x" * 1000, -2, limits)
    assert value.elements() == [b"x" * 1000] * 2
    assert value.encoding() == b"listpack"


def test_a_shorter_element_brings_the_listpack_back() -> None:
    limits = limits_of(-1)
    value = filled([b"x" * 5000], limits)
    assert value.encoding() == b"quicklist"
    value.set(0, b"short", limits)
    assert value.encoding() == b"listpack"
    value.set(-1, b"x" * 5000, limits)
    assert value.encoding() == b"quicklist"


def test_a_list_that_was_built_settles_at_the_whole_limit() -> None:
    value = filled(numbers(4), limits_of(2))
    assert value.encoding() == b"quicklist"
    value = filled(numbers(2), limits_of(1))
    value.settle(limits_of(8))
    assert value.encoding() == b"quicklist"
    value = List()
    value.push_tail([b"x" * 5000], 0, limits_of(-1))
    value.settle(limits_of(-2))
    assert value.encoding() == b"listpack"
    value.settle(limits_of(-1))
    assert value.encoding() == b"quicklist"


def test_what_sort_stores_settles_by_one_measure() -> None:
    assert list_of(numbers(3), limits_of(3)).encoding() == b"listpack"
    assert list_of(numbers(4), limits_of(3)).encoding() == b"quicklist"
    # As in Redis: the limit of bytes that chunks have beside that of elements does not count here.
    assert list_of([b"x" * 9000], limits_of(3)).encoding() == b"listpack"
    assert list_of([b"x" * 9000], limits_of(-2)).encoding() == b"quicklist"
    assert list_of(numbers(4), limits_of(3)).elements() == numbers(4)


def test_what_an_index_costs_in_a_long_list() -> None:
    value = list_of(numbers(200_000), limits_of(-2))
    quick = value.quick
    assert quick is not None
    # Chunks are counted from the nearer end, then elements are walked within one.
    passed, walked = len(quick.chunks) // 2, max(chunk.count for chunk in quick.chunks)
    assert passed < 200_000 // 1000
    assert walked <= 8192 // 16
    assert value.get(154_321) == b"element:154321"
    assert value.range(-45_679, -45_678) == [b"element:154321", b"element:154322"]


def test_an_insertion_into_a_full_chunk_splits_it_and_merges_what_fits() -> None:
    limits = limits_of(4)
    value = filled(numbers(12), limits)
    assert [listpack.length(pack) for pack in value.packs()] == [4, 4, 4]
    value.insert(numbers(12)[5], b"new", True, limits)
    assert [listpack.length(pack) for pack in value.packs()] == [4, 2, 3, 4]
    value.insert(b"new", b"newer", False, limits)
    assert [listpack.length(pack) for pack in value.packs()] == [4, 2, 4, 4]
    # At a border the neighbour takes it, if it has room.
    value.insert(b"newer", b"newest", False, limits)
    assert [listpack.length(pack) for pack in value.packs()] == [4, 3, 4, 4]
    value._check()


def test_chunks_of_a_large_list_are_full() -> None:
    limits = limits_of(-2)
    value = filled(numbers(20000), limits)
    sizes = [len(pack) for pack in value.packs()]
    assert max(sizes) <= 8192
    assert min(sizes[:-1]) > 8192 - 32


def test_index_and_range_of_a_large_list() -> None:
    limits = limits_of(-2)
    texts = numbers(20000)
    value = List()
    value.push_head(list(reversed(texts[:10000])), 0, limits)
    value.push_tail(texts[10000:], 0, limits)
    assert all(value.get(index) == texts[index] for index in range(-20000, 20000, 271))
    for start in range(0, 20000, 1999):
        assert value.range(start, start + 3000) == texts[start : start + 3001]
    assert value.elements() == texts


@pytest.mark.parametrize("count", [80, 6000])
def test_equally_long_elements_stand_in_rows(count: int) -> None:
    texts = numbers(count)
    value = filled(texts, limits_of(-2))
    for start, stop in ((0, -1), (3, count - 2), (count // 2, -1)):
        rows = value.rows(start, stop)
        assert rows is not None
        assert b"".join([row.framed(b"%d,", b";") for row in rows]) == b"".join(
            [b"14,%b;" % text for text in value.range(start, stop)]
        )


@pytest.mark.parametrize("odd", [b"12345678901234", b"element:odd", b"x" * 100])
def test_an_element_of_another_kind_is_in_no_row(odd: bytes) -> None:
    texts = numbers(60)
    texts[50] = odd
    value = filled(texts, limits_of(-2))
    assert value.rows(0, -1) is None
    assert value.rows(0, 49) is not None
    assert value.rows(10, 12) is None


def test_long_elements_in_the_place_of_short_ones_do_not_make_one_large_chunk() -> None:
    limits = limits_of(-2)
    texts = numbers(1000)
    value = filled(texts, limits)
    for index in range(500):
        texts[index] = b"%d" % index + b"v" * 20000
        assert value.set(index, texts[index], limits)
    assert value.elements() == texts
    assert max(len(pack) for pack in value.packs()) < 600_000
    value._check()


def test_an_element_larger_than_a_chunk_has_one_of_its_own() -> None:
    limits = limits_of(-2)
    value = filled([b"a", b"x" * 100_000, b"b"], limits)
    assert [listpack.length(pack) for pack in value.packs()] == [1, 1, 1]
    assert value.pop_tail(limits) == b"b"
    assert value.pop_tail(limits) == b"x" * 100_000
    value.push_head([b"y" * 100_000], 0, limits)
    assert value.pop_head(limits) == b"y" * 100_000


def test_bytes_that_look_like_an_entry_within_a_text_are_no_hit() -> None:
    limits = limits_of(100)
    entry = listpack.encode_entry(b"needle")
    value = filled([entry, b"needle", entry + b"needle"], limits)
    assert value.positions(b"needle") == [1]
    assert value.remove(b"needle", 0, limits) == 1
    assert value.elements() == [entry, entry + b"needle"]


def test_a_divided_chunk_holds_the_same_elements() -> None:
    pack = listpack.from_texts([b"x" * size for size in range(300)])
    parts = chunks.divided(chunks.chunk_of(pack), -1)
    assert [text for part in parts for text in listpack.entries(part.pack())] == listpack.entries(pack)
    assert all(part.size() <= 4096 for part in parts)
    assert [part.count for part in parts] == [listpack.length(part.pack()) for part in parts]
