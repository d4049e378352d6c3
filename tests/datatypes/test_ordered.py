"""The large form of a sorted set, and the positions it counts with, against plain Python lists."""

import bisect
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from aikv.datatypes.ordered import SPLIT_AT, Ordered, ordered_of
from aikv.datatypes.positions import Positions


@given(st.lists(st.integers(1, 600), max_size=70), st.data())
def test_positions_are_the_sums_of_sizes(sizes: list[int], data: st.DataObject) -> None:
    positions = Positions()
    positions.build(sizes)
    if sizes:
        for _ in range(data.draw(st.integers(0, 5))):
            part = data.draw(st.integers(0, len(sizes) - 1))
            sizes[part] += 1
            positions.change(part, 1)
    starts = [sum(sizes[:part]) for part in range(len(sizes) + 1)]
    assert [positions.start(part) for part in range(len(sizes) + 1)] == starts
    for index in range(0, starts[-1], 37):
        part = bisect.bisect_right(starts, index) - 1
        assert positions.find(index) == (part, index - starts[part])


def member_of(number: int) -> bytes:
    return b"member:%06d" % number


class Model:
    """Pairs in a sorted Python list."""

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}

    def pairs(self) -> list[tuple[float, bytes]]:
        return sorted((score, member) for member, score in self.scores.items())


def assert_is(value: Ordered, model: Model) -> None:
    value._check()
    pairs = model.pairs()
    members, scores = value.columns(0, len(value))
    assert list(zip(scores, members, strict=True)) == pairs
    for rank in range(0, len(pairs), 97):
        assert value.rank(*pairs[rank]) == rank


def test_thousands_of_members_come_change_and_go() -> None:
    chance = random.Random(7)
    value = Ordered()
    model = Model()
    for step in range(12_000):
        member = member_of(chance.randrange(5000))
        held = model.scores.get(member)
        score = chance.choice([0.0, 1.5, math.inf, -math.inf, float(chance.randrange(1000)), chance.random()])
        # Ten thousand steps forward, the rest mostly back.
        if held is None and chance.random() < (0.9 if step < 8000 else 0.1):
            value.insert(member, score)
            model.scores[member] = score
        elif held is not None and chance.random() < 0.5:
            value.change(member, held, score)
            model.scores[member] = score
        else:
            assert value.remove(member) == (held is not None)
            model.scores.pop(member, None)
        if step % 1500 == 0:
            assert_is(value, model)
    assert_is(value, model)
    for member in list(model.scores):
        assert value.score(member) == model.scores.pop(member)
        assert value.remove(member)
    assert_is(value, model)
    assert len(value.leaves) == 1


def test_members_of_one_score_are_in_the_order_of_their_bytes() -> None:
    numbers = list(range(5000))
    random.Random(3).shuffle(numbers)
    value = Ordered()
    for number in numbers:
        value.insert(member_of(number), 0.0)
    value._check()
    assert value.columns(0, 5000)[0] == [member_of(number) for number in range(5000)]
    assert value.rank(0.0, member_of(1234)) == 1234
    assert value.rank(0.0, member_of(1234) + b"\0") == 1235
    assert value.rank(0.0, b"") == 0
    assert value.rank(1.0, b"") == 5000
    assert value.rank(-0.0, b"member:") == 0


def test_members_that_come_in_their_order_leave_full_leaves() -> None:
    value = Ordered()
    for number in range(10 * SPLIT_AT):
        value.insert(member_of(number), float(number))
    value._check()
    assert [len(leaf.members) for leaf in value.leaves] == [SPLIT_AT] * 10


def test_ranks_removed_from_any_place_leave_the_rest() -> None:
    chance = random.Random(11)
    for _ in range(30):
        pairs = sorted((float(chance.randrange(50)), member_of(number)) for number in range(3000))
        value = ordered_of([member for _, member in pairs], [score for score, _ in pairs])
        while pairs:
            start = chance.randrange(len(pairs) + 1)
            stop = min(start + chance.choice([0, 1, 10, 500, 2000]), len(pairs))
            value.delete(start, stop)
            del pairs[start:stop]
            if chance.random() < 0.2:
                break
        value._check()
        assert value.columns(0, len(pairs)) == ([member for _, member in pairs], [score for score, _ in pairs])
        value.insert(b"new", 25.0)
        value._check()


def test_a_copy_shares_nothing() -> None:
    value = ordered_of([b"a", b"b"], [1.0, 2.0])
    copied = value.copy()
    value.insert(b"c", 0.5)
    assert copied.remove(b"a")
    copied._check()
    value._check()
    assert value.columns(0, 3) == ([b"c", b"a", b"b"], [0.5, 1.0, 2.0])
    assert copied.columns(0, 1) == ([b"b"], [2.0])
