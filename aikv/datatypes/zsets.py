"""Sorted sets: members, each with a score, in the order of the scores and, among equal ones, of the members' bytes.

Theory of operation: a small sorted set is one listpack (`zset_pack`). Once it has more members, or a longer one, than
its limits say, it becomes an `Ordered`, and stays one. A score may be infinite but never NaN, which the caller refuses
where a client sends it and `add` where it is the sum of two infinities.

Whatever is read or removed by score, by member or by rank is named by two ranks, the first and the one behind the last:
`score_ranks` and `lex_ranks` find them, `zset_ranges` limits and mirrors them. So there is one way to read, `pairs` and
`members`, and one to remove, `delete`.

n is the number of members; a small sorted set has at most some hundred, and all its costs are O(n).
"""

import math
from typing import Final, cast

from mypy_extensions import i64, mypyc_attr

from aikv.base.random import Random
from aikv.datatypes import listpack, listpack_check, zset_pack
from aikv.datatypes.kinds import KINDS, Kind
from aikv.datatypes.limits import Limits
from aikv.datatypes.listpack import FIRST
from aikv.datatypes.memory import allocated
from aikv.datatypes.ordered import Ordered, ordered_of
from aikv.datatypes.sampling import distinct, distinct_keys, repeated, repeated_keys
from aikv.datatypes.zset_ranges import LexRange, ScoreRange

# Flags of `add`, the options of ZADD.
NX: Final = 1
XX: Final = 2
GT: Final = 4
LT: Final = 8
INCR: Final = 16

# Outcomes of `add`.
ADDED: Final = 1
UPDATED: Final = 2
# The member is there with that very score.
UNCHANGED: Final = 3
# A flag forbade it.
NOP: Final = 4
# The sum is not a number; nothing was changed.
NOT_A_NUMBER: Final = 5

_INFINITY: Final = float("inf")


# Without a place among the collector's objects each takes 16 bytes less, and as much with one attribute for two.
@mypyc_attr(acyclic=True)
class SortedSet:
    """A map from bytes to floats, ordered by the floats."""

    def __init__(self) -> None:
        self._form: bytes | Ordered = listpack.EMPTY

    @property
    def pack(self) -> bytes:
        """The small form, and of a large sorted set nothing."""
        form = self._form
        return form if isinstance(form, bytes) else listpack.EMPTY

    @property
    def ordered(self) -> Ordered | None:
        """The large form."""
        form = self._form
        return None if isinstance(form, bytes) else form

    def __len__(self) -> int:
        form = self._form
        return listpack.length(form) >> 1 if isinstance(form, bytes) else form.table.used

    def encoding(self) -> bytes:
        """OBJECT ENCODING's word for the form."""
        return b"listpack" if self.ordered is None else b"skiplist"

    def score(self, member: bytes) -> float | None:
        """The score of `member`, or None. O(1)."""
        form = self._form
        return zset_pack.score_of(form, member) if isinstance(form, bytes) else form.score(member)

    def __contains__(self, member: bytes) -> bool:
        ordered = self.ordered
        if ordered is None:
            return listpack.find(self.pack, member, FIRST, 1) >= 0
        return ordered.table.get(member) is not None

    def add(self, member: bytes, score: float, flags: int, limits: Limits) -> tuple[int, float]:
        """Give `member` the score `score`, or add that to its score (INCR), as `flags` allow (ZADD). O(log n).

        NX: only a new member; XX: only one that is there; GT, LT: only a higher or lower score than it has. Returns the
        outcome and the score that the member has now, or would have.
        """
        form = self._form
        current = zset_pack.score_of(form, member) if isinstance(form, bytes) else form.score(member)
        if current is None:
            if flags & XX:
                return NOP, score
            self._insert(member, score, limits)
            return ADDED, score
        held: float = current
        if flags & NX:
            return NOP, held
        if flags & INCR:
            score += held
            if math.isnan(score):
                return NOT_A_NUMBER, held
        if (flags & LT and score >= held) or (flags & GT and score <= held):
            return NOP, held
        if score == held:
            return UNCHANGED, score
        if isinstance(form, bytes):
            self._form = zset_pack.insert(cast(bytes, zset_pack.remove(form, member)), member, score)
        else:
            form.change(member, held, score)
        return UPDATED, score

    def fill(self, members: list[bytes], scores: list[float], limits: Limits) -> bool:
        """Give `members` their `scores` in this empty sorted set, if it stays small and they differ; whether it did so.

        A quarter of the time that `add` takes for each of eight members.
        """
        size = len(members)
        if self.ordered is not None or size > limits.zset_listpack_entries or len(set(members)) != size:
            return False
        total: i64 = 0
        for member in members:
            if len(member) > limits.zset_listpack_value:
                return False
            total += len(member)
        if not listpack.safe_to_add(listpack.EMPTY, total):
            return False
        pairs: list[tuple[float, bytes]] = []
        for index in range(size):
            pairs.append((scores[index], members[index]))
        pairs.sort()
        self._form = zset_pack.pack_of([member for _, member in pairs], [score for score, _ in pairs])
        return True

    def remove(self, member: bytes) -> bool:
        """Remove `member`; whether it was there. O(log n)."""
        ordered = self.ordered
        if ordered is not None:
            return ordered.remove(member)
        pack = zset_pack.remove(self.pack, member)
        if pack is None:
            return False
        self._form = pack
        return True

    def prepare(self, count: int, longest: int, limits: Limits) -> None:
        """Take the form for `count` members that will be added now, the first of `longest` bytes.

        As Redis 7.2 does before ZADD, with the number of members in the command and, where the sorted set is new, the
        length of the first; 0 otherwise.
        """
        if self.ordered is None and (count > limits.zset_listpack_entries or longest > limits.zset_listpack_value):
            self._enlarge()

    def become_large(self) -> None:
        """Take the large form for good. O(1), small O(n)."""
        if self.ordered is None:
            self._enlarge()

    def rank(self, member: bytes) -> int:
        """How many members come before `member`, or -1 where it is not there. O(log n)."""
        score = self.score(member)
        return -1 if score is None else self._before(score, member)

    def score_ranks(self, wanted: ScoreRange) -> tuple[int, int]:
        """The ranks of the members with scores in the range. O(log n)."""
        if wanted.is_empty():
            return 0, 0
        start = self._above(wanted.low) if wanted.low_open else self._before(wanted.low, b"")
        stop = self._before(wanted.high, b"") if wanted.high_open else self._above(wanted.high)
        return start, max(start, stop)

    def lex_ranks(self, wanted: LexRange, reverse: bool = False) -> tuple[int, int]:
        """The ranks of the members in the range, all members having the same score. O(log n).

        Where scores differ, Redis leaves the result open. A small one is walked as there, from the end if `reverse`.
        """
        size = len(self)
        if size == 0 or wanted.is_empty():
            return 0, 0
        ordered = self.ordered
        if ordered is None:
            return _walk_lex(listpack.entries(self.pack)[::2], wanted, reverse)
        score = ordered.first_score()
        start = 0
        stop = size
        if wanted.low is not None:
            start = self._before(score, wanted.low + b"\0" if wanted.low_open else wanted.low)
        if wanted.high is not None:
            stop = self._before(score, wanted.high if wanted.high_open else wanted.high + b"\0")
        return start, max(start, stop)

    def members(self, start: int, stop: int, reverse: bool = False) -> list[bytes]:
        """The members with the ranks `start` to before `stop`, all of which are there, highest first if `reverse`.

        O(log n + members).
        """
        ordered = self.ordered
        if ordered is None:
            members, _ = zset_pack.columns(self.pack, start, stop)
        else:
            members, _ = ordered.columns(start, stop)
        if reverse:
            members.reverse()
        return members

    def pairs(self, start: int, stop: int, reverse: bool = False) -> list[object]:
        """As `members`, with its score (a float) after each."""
        members, scores = self.columns(start, stop)
        if reverse:
            members.reverse()
            scores.reverse()
        return _alternating(members, scores)

    def columns(self, start: int, stop: int) -> tuple[list[bytes], list[object]]:
        """The members with the ranks `start` to before `stop`, all of which are there, and their scores (floats).

        O(log n + members).
        """
        ordered = self.ordered
        return zset_pack.columns(self.pack, start, stop) if ordered is None else ordered.columns(start, stop)

    def delete(self, start: int, stop: int) -> int:
        """Remove the members with the ranks `start` to before `stop`, all of which are there; returns how many.

        O(log n + members).
        """
        ordered = self.ordered
        if ordered is None:
            self._form = zset_pack.delete(self.pack, start, stop)
        else:
            ordered.delete(start, stop)
        return max(stop - start, 0)

    def pop(self, count: int, highest: bool) -> list[object]:
        """Remove the `count` lowest, or highest, members; returns each, from that end on, and after it its score.

        O(log n + count).
        """
        size = len(self)
        count = min(count, size)
        start = size - count if highest else 0
        popped = self.pairs(start, start + count, highest)
        self.delete(start, start + count)
        return popped

    def scan(self, cursor: int, count: int) -> tuple[int, list[object]]:
        """One step of ZSCAN from `cursor`: the next cursor, 0 at the end, and about `count` members with their scores.

        A small sorted set gives all at once, in order.
        """
        ordered = self.ordered
        if ordered is None:
            return 0, self.pairs(0, len(self))
        following, members = ordered.table.scan(cursor, count)
        return following, self.with_scores(members)

    def with_scores(self, members: list[bytes]) -> list[object]:
        """Each of `members`, all of which are there, and after it its score. O(members), small O(members * n)."""
        scores: list[object] = []
        for member in members:
            scores.append(self.score(member))
        return _alternating(members, scores)

    def random_member(self, random: Random) -> bytes:
        """A member, each as likely as any other; the sorted set is not empty. O(1)."""
        ordered = self.ordered
        if ordered is not None:
            return cast(bytes, ordered.table.random_key(random))
        rank: i64 = random.below(len(self))
        return listpack.entry_at(self.pack, listpack.offset_of(self.pack, 2 * rank))

    def random_members(self, random: Random, count: int) -> list[bytes]:
        """`count` distinct members, or all where there are not more; every choice is equally likely. O(count)."""
        ordered = self.ordered
        if ordered is None:
            return distinct(listpack.entries(self.pack)[::2], count, random)
        return distinct_keys(ordered.table, count, random)

    def random_members_repeating(self, random: Random, count: int) -> list[bytes]:
        """`count` members, each drawn from all; the sorted set is not empty. O(count)."""
        ordered = self.ordered
        if ordered is None:
            return repeated(listpack.entries(self.pack)[::2], count, random)
        return repeated_keys(ordered.table, count, random)

    def copy(self) -> "SortedSet":
        """An equal sorted set that shares nothing with this one that can change. O(n), small O(1)."""
        copied = SortedSet()
        form = self._form
        copied._form = form if isinstance(form, bytes) else form.copy()
        return copied

    def _before(self, score: float, member: bytes) -> int:
        """How many members come before (`score`, `member`)."""
        ordered = self.ordered
        if ordered is not None:
            return ordered.rank(score, member)
        rank, _ = zset_pack.locate(self.pack, score, member)
        return rank

    def _above(self, score: float) -> int:
        """How many members have at most the score `score`."""
        if score == _INFINITY:
            return len(self)
        return self._before(math.nextafter(score, _INFINITY), b"")

    def _insert(self, member: bytes, score: float, limits: Limits) -> None:
        if self.ordered is None and not self._fits(member, limits):
            self._enlarge()
        form = self._form
        if isinstance(form, bytes):
            self._form = zset_pack.insert(form, member, score)
        else:
            form.insert(member, score)

    def _fits(self, member: bytes, limits: Limits) -> bool:
        size: i64 = len(member)
        if size > limits.zset_listpack_value or not listpack.safe_to_add(self.pack, size):
            return False
        return listpack.length(self.pack) >> 1 < limits.zset_listpack_entries

    def _enlarge(self) -> None:
        """Become an `Ordered`."""
        members, scores = zset_pack.columns(self.pack, 0, len(self))
        self._form = ordered_of(members, scores)

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        ordered = self.ordered
        if ordered is not None:
            ordered._check()
            return
        assert listpack_check.validated(self.pack) is self.pack
        assert listpack.length(self.pack) % 2 == 0
        members, scores = self.columns(0, len(self))
        pairs = [(cast(float, score), member) for score, member in zip(scores, members, strict=True)]
        assert all(pair < pairs[index + 1] for index, pair in enumerate(pairs[:-1]))
        assert len(set(members)) == len(members)


class SortedSetKind(Kind):
    """`SortedSet`."""

    def __init__(self) -> None:
        super().__init__(b"zset")

    def encoding(self, value: object) -> bytes:
        return cast(SortedSet, value).encoding()

    def copy(self, value: object) -> object:
        return cast(SortedSet, value).copy()

    def memory(self, value: object, samples: int) -> int:
        held = cast(SortedSet, value)
        ordered = held.ordered
        return allocated(held) + (allocated(held.pack) if ordered is None else ordered.memory(samples))


KINDS[SortedSet] = SortedSetKind()


def from_scores(content: dict[bytes, float], limits: Limits) -> SortedSet:
    """The sorted set of `content`, small where its limits allow: what ZUNIONSTORE and its like store. O(n log n)."""
    order = sorted([(score, member) for member, score in content.items()])
    members: list[bytes] = []
    scores: list[object] = []
    for score, member in order:
        members.append(member)
        scores.append(score)
    return from_columns(members, scores, limits)


def from_columns(members: list[bytes], scores: list[object], limits: Limits) -> SortedSet:
    """The sorted set of `members`, different and in order, and `scores` (floats), small where allowed. O(n)."""
    made = SortedSet()
    total: i64 = 0
    longest: i64 = 0
    for member in members:
        size: i64 = len(member)
        total += size
        longest = max(longest, size)
    if (
        len(members) <= limits.zset_listpack_entries
        and longest <= limits.zset_listpack_value
        and listpack.safe_to_add(listpack.EMPTY, total)
    ):
        made._form = zset_pack.pack_of(members, scores)
    else:
        made._form = ordered_of(members, scores)
    return made


def from_listpack(pack: bytes, limits: Limits) -> SortedSet:
    """The sorted set that is the listpack `pack`; large where it has too many members. O(1), large O(n)."""
    made = SortedSet()
    made._form = pack
    made.prepare(len(made), 0, limits)
    return made


def _alternating(members: list[bytes], scores: list[object]) -> list[object]:
    both: list[object] = [None] * (2 * len(members))
    both[::2] = members
    both[1::2] = scores
    return both


def _walk_lex(members: list[bytes], wanted: LexRange, reverse: bool) -> tuple[int, int]:
    """The run of members within the range that is met first, from the end if `reverse`."""
    size = len(members)
    if wanted.begins_after(members[-1]) or wanted.ends_before(members[0]):
        return 0, 0
    if reverse:
        stop = size
        while stop > 0 and wanted.ends_before(members[stop - 1]):
            stop -= 1
        start = stop
        while start > 0 and not wanted.begins_after(members[start - 1]):
            start -= 1
        return start, stop
    start = 0
    while start < size and wanted.begins_after(members[start]):
        start += 1
    stop = start
    while stop < size and not wanted.ends_before(members[stop]):
        stop += 1
    return start, stop
