"""The large form of a sorted set: members with scores, found by member, by score and by rank.

Theory of operation: a `Table` gives the score of a member. The order, by score and among equal scores by the bytes of
the member, is kept in leaves of some hundred members each, two Python lists side by side, so that what must be moved
for an insertion is a few KiB. A leaf is found by binary search among the last pairs of all leaves, a place in it
likewise. `Positions` knows how many members the leaves before one have; it is out of date after a leaf has come or
gone, and built anew when a rank is asked for.

One search, `rank`, serves for all ranges: (score, b"") comes before every member of that score, the next larger float
is the first score beyond, and member + b"\\0" is the next larger member.

A member and its score are the same objects in the table and in a leaf, which is why leaves hold scores as `object`:
compiled code would make a new one of a `float`.

n is the number of members. Measured on a million members of 14 bytes, compiled, all in random order: 155 bytes a member
(Redis 110), a new one 3.4 us (Redis 2.7), a rank 2.5 us, the ends of a range of scores 2 us, reading on from there 80
ns a member.
"""

from bisect import bisect_left, bisect_right
from typing import Final, cast

from mypy_extensions import i64

from aikv.base.form import COMPILED
from aikv.datatypes.memory import allocated, sampled, table_memory
from aikv.datatypes.positions import Positions
from aikv.datatypes.table import Table

# A leaf with more members than this is split; two neighbours that together have fewer than half of it are merged.
SPLIT_AT: Final = 512
_MERGE_AT: Final = SPLIT_AT // 8
_FILL: Final = SPLIT_AT * 3 // 4


class Leaf:
    """Some consecutive members and their scores."""

    def __init__(self, members: list[bytes], scores: list[object]) -> None:
        self.members = members
        self.scores = scores

    def place(self, score: float, member: bytes) -> i64:
        """How many members come before (`score`, `member`). O(log leaf)."""
        members = self.members
        scores = self.scores
        if not COMPILED:
            # Interpreted, the loop below takes 6 % of a ZADD more.
            floats = cast("list[float]", scores)
            first = bisect_left(floats, score)
            return bisect_left(members, member, first, bisect_right(floats, score, first))
        low: i64 = 0
        high: i64 = len(members)
        while low < high:
            middle: i64 = (low + high) >> 1
            found = cast(float, scores[middle])
            if found < score or (found == score and members[middle] < member):
                low = middle + 1
            else:
                high = middle
        return low


class Ordered:
    """A map from bytes to floats, none of them NaN, in the order of the floats."""

    def __init__(self) -> None:
        self.table = Table()
        # At least one; only a single one may be empty.
        self.leaves: list[Leaf] = [Leaf([], [])]
        self._positions = Positions()
        # Whether `_positions` fits the leaves.
        self._placed = False

    def __len__(self) -> int:
        return self.table.used

    def memory(self, samples: int) -> int:
        """Bytes of all of it, of which `samples` of many like things are looked at (0: all)."""
        table = self.table
        leaves = self.leaves
        columns: list[object] = []
        for leaf in leaves[: samples or len(leaves)]:
            columns += [leaf.members, leaf.scores]
        total = allocated(self) + table_memory(table, samples) + sampled(table.values(), table.used, samples)
        return total + allocated(leaves) + sampled(leaves, len(leaves), samples) + sampled(columns, 2 * len(leaves), 0)

    def score(self, member: bytes) -> float | None:
        """The score of `member`, or None. O(1)."""
        return cast("float | None", self.table.get(member))

    def insert(self, member: bytes, score: object) -> None:
        """Add `member`, which is not there, with the float `score`. O(log n)."""
        self.table.set(member, score)
        self._insert(member, score)

    def change(self, member: bytes, old: float, score: object) -> None:
        """Give `member`, whose score is `old`, the float `score`. O(log n)."""
        self.table.set(member, score)
        self._insert(self._take(member, old), score)

    def remove(self, member: bytes) -> bool:
        """Remove `member`; whether it was there. O(log n)."""
        score = self.table.pop(member)
        if score is None:
            return False
        self._take(member, cast(float, score))
        return True

    def rank(self, score: float, member: bytes) -> i64:
        """How many members come before (`score`, `member`), whether that is there or not. O(log n)."""
        number: i64 = self._leaf_of(score, member)
        place: i64 = self.leaves[number].place(score, member)
        self._place_leaves()
        return self._positions.start(number) + place

    def first_score(self) -> float:
        """The lowest score; there is a member. O(1)."""
        return cast(float, self.leaves[0].scores[0])

    def columns(self, start: i64, stop: i64) -> tuple[list[bytes], list[object]]:
        """The members with the ranks `start` to before `stop`, all of which are there, and their scores.

        O(log n + members).
        """
        members: list[bytes] = []
        scores: list[object] = []
        if start >= stop:
            return members, scores
        self._place_leaves()
        number, place = self._positions.find(start)
        wanted: i64 = stop - start
        while wanted > 0:
            leaf = self.leaves[number]
            end: i64 = min(place + wanted, len(leaf.members))
            members.extend(leaf.members[place:end])
            scores.extend(leaf.scores[place:end])
            wanted -= end - place
            place = 0
            number += 1
        return members, scores

    def delete(self, start: i64, stop: i64) -> None:
        """Remove the members with the ranks `start` to before `stop`, all of which are there. O(log n + members)."""
        if start >= stop:
            return
        self._place_leaves()
        number, place = self._positions.find(start)
        first: i64 = number
        wanted: i64 = stop - start
        while wanted > 0:
            leaf = self.leaves[number]
            end: i64 = min(place + wanted, len(leaf.members))
            for member in leaf.members[place:end]:
                self.table.pop(member)
            del leaf.members[place:end]
            del leaf.scores[place:end]
            self._positions.change(number, place - end)
            wanted -= end - place
            place = 0
            number += 1
        kept = [leaf for leaf in self.leaves[first:number] if leaf.members]
        if len(kept) < number - first:
            self.leaves[first:number] = kept
            self._placed = False
            if not self.leaves:
                self.leaves = [Leaf([], [])]
        # What is left of the first leaf, and of the last, may be small.
        self._merge_around(min(first, len(self.leaves) - 1))

    def copy(self) -> "Ordered":
        """An equal map that shares nothing that can change. O(n)."""
        copied = Ordered()
        for leaf in self.leaves:
            for index in range(len(leaf.members)):
                copied.table.set(leaf.members[index], leaf.scores[index])
        copied.leaves = [Leaf(leaf.members[:], leaf.scores[:]) for leaf in self.leaves]
        return copied

    def _leaf_of(self, score: float, member: bytes) -> i64:
        """The number of the leaf that (`score`, `member`) belongs into. O(log n)."""
        leaves = self.leaves
        low: i64 = 0
        # What is beyond all belongs into the last.
        high: i64 = len(leaves) - 1
        while low < high:
            middle: i64 = (low + high) >> 1
            leaf = leaves[middle]
            last = cast(float, leaf.scores[-1])
            if last < score or (last == score and leaf.members[-1] < member):
                low = middle + 1
            else:
                high = middle
        return low

    def _insert(self, member: bytes, score: object) -> None:
        value = cast(float, score)
        number: i64 = self._leaf_of(value, member)
        leaf = self.leaves[number]
        place: i64 = leaf.place(value, member)
        leaf.members.insert(place, member)
        leaf.scores.insert(place, score)
        if len(leaf.members) > SPLIT_AT:
            self._split(number, place)
        elif self._placed:
            self._positions.change(number, 1)

    def _split(self, number: i64, place: i64) -> None:
        """Divide the leaf at `number`, which has just taken a member at `place`."""
        leaf = self.leaves[number]
        cut: i64 = len(leaf.members) >> 1
        if number == len(self.leaves) - 1 and place == len(leaf.members) - 1:
            # Members that come in their order leave full leaves behind.
            cut = place
        self.leaves.insert(number + 1, Leaf(leaf.members[cut:], leaf.scores[cut:]))
        # New lists, because those that had members removed would keep the room for them.
        leaf.members = leaf.members[:cut]
        leaf.scores = leaf.scores[:cut]
        self._placed = False

    def _take(self, member: bytes, score: float) -> bytes:
        """Remove (`score`, `member`), which is there, from its leaf; returns the member as it was held."""
        number: i64 = self._leaf_of(score, member)
        leaf = self.leaves[number]
        place: i64 = leaf.place(score, member)
        held = leaf.members.pop(place)
        leaf.scores.pop(place)
        if len(leaf.members) < _MERGE_AT and len(self.leaves) > 1:
            self._merge_around(number)
        if self._placed:
            self._positions.change(number, -1)
        return held

    def _merge_around(self, number: i64) -> None:
        """Merge the leaf at `number` with those beside it, where both together are small."""
        self._merge_next(number)
        self._merge_next(number - 1)

    def _merge_next(self, number: i64) -> None:
        if number < 0 or number + 1 >= len(self.leaves):
            return
        leaf = self.leaves[number]
        other = self.leaves[number + 1]
        size: i64 = len(leaf.members)
        more: i64 = len(other.members)
        # An empty leaf must go, whatever its neighbour has.
        if size + more > SPLIT_AT >> 1 and size > 0 and more > 0:
            return
        leaf.members.extend(other.members)
        leaf.scores.extend(other.scores)
        del self.leaves[number + 1]
        self._placed = False

    def _place_leaves(self) -> None:
        if not self._placed:
            self._positions.build([len(leaf.members) for leaf in self.leaves])
            self._placed = True

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        self.table._check()
        pairs: list[tuple[float, bytes]] = []
        for number, leaf in enumerate(self.leaves):
            assert len(leaf.members) == len(leaf.scores) <= SPLIT_AT
            assert leaf.members or len(self.leaves) == 1
            if self._placed:
                assert self._positions.start(number) == len(pairs)
            for index in range(len(leaf.members)):
                score = cast(float, leaf.scores[index])
                assert isinstance(leaf.scores[index], float)
                assert leaf.scores[index] is self.table.get(leaf.members[index])
                pairs.append((score, leaf.members[index]))
        assert all(pair < pairs[index + 1] for index, pair in enumerate(pairs[:-1]))
        assert len(pairs) == len(self.table)


def ordered_of(members: list[bytes], scores: list[object]) -> Ordered:
    """The map of `members`, all different and in order, to the floats in `scores`. O(n)."""
    made = Ordered()
    for index in range(len(members)):
        made.table.set(members[index], scores[index])
    leaves: list[Leaf] = []
    for begin in range(0, len(members), _FILL):
        leaves.append(Leaf(members[begin : begin + _FILL], scores[begin : begin + _FILL]))
    if leaves:
        made.leaves = leaves
    return made
