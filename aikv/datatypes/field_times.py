"""When the fields of one hash run out, for hashes of which any field does.

Theory of operation: a dict from field to time answers for one field; a heap of (time, field) finds the next to run out.
A change of a time leaves the old pair in the heap, where it is known by differing from the dict and dropped when it
comes to the top; once most of the heap is such pairs it is built anew. Times are Unix milliseconds.

Both are done in one go when they grow, are built anew, or go, which for a million fields is half a second. So more than
`SMALL` times move into an `Ordered`, whose scores they are, and stay there. It has no such moments, and less to hold;
for few fields it is three times as large.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from mypy_extensions import i64

from aikv.datatypes.memory import allocated, sampled
from aikv.datatypes.ordered import Ordered, ordered_of

NO_TIME: Final = -1
SMALL: Final = 512
# A heap of fewer pairs is not worth building anew.
_SMALL_HEAP: Final = 64


class FieldTimes:
    """Fields and the times at which they run out. n is their number."""

    def __init__(self) -> None:
        self._times: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []
        # The large form; the others are empty then.
        self.large: Ordered | None = None

    def __len__(self) -> int:
        return len(self._times) if self.large is None else self.large.table.used

    def get(self, field: bytes) -> int:
        """When `field` runs out, or -1. O(1)."""
        if self.large is None:
            return self._times.get(field, NO_TIME)
        when = self.large.score(field)
        return NO_TIME if when is None else int(when)

    def set(self, field: bytes, when: int) -> None:
        """Let `field` run out at `when`. O(log n)."""
        large = self.large
        if large is None:
            if self._times.get(field, NO_TIME) == when:
                return
            self._times[field] = when
            heappush(self._heap, (when, field))
            self._shrink()
            if len(self._times) > SMALL:
                self._enlarge()
            return
        old = large.score(field)
        if old is None:
            large.insert(field, float(when))
        elif old != when:
            large.change(field, old, float(when))

    def drop(self, field: bytes) -> bool:
        """Let `field` stay; whether it had a time. O(1), large O(log n)."""
        if self.large is not None:
            return self.large.remove(field)
        if self._times.pop(field, NO_TIME) == NO_TIME:
            return False
        self._shrink()
        return True

    def next(self) -> int:
        """The earliest time of any field, or -1. O(1), but for old pairs that come to the top."""
        large = self.large
        if large is not None:
            return int(large.first_score()) if large.table.used else NO_TIME
        heap = self._heap
        while heap:
            when, field = heap[0]
            if self._times.get(field, NO_TIME) == when:
                return when
            heappop(heap)
        return NO_TIME

    def items(self) -> list[tuple[bytes, int]]:
        """Each field with its time. O(n)."""
        large = self.large
        if large is None:
            return list(self._times.items())
        fields, times = large.columns(0, large.table.used)
        return [(field, int(when)) for field, when in zip(fields, times, strict=True) if isinstance(when, float)]

    def memory(self, samples: int) -> int:
        """Bytes of all of it but the fields, of which `samples` are looked at (0: all)."""
        times = self._times
        held = allocated(self) + allocated(times) + allocated(self._heap)
        large = self.large
        if large is not None:
            return held + large.memory(samples) - sampled(large.table.keys(), large.table.used, samples)
        return held + sampled(times.values(), len(times), samples) + sampled(self._heap, len(self._heap), 1)

    def take_due(self, now_ms: int, limit: int = -1) -> list[bytes]:
        """Forget the fields whose time is before `now_ms`, and return them, earliest first. O(log n) for each.

        At most `limit` of them, unless that is negative.
        """
        large = self.large
        if large is not None:
            count: i64 = large.rank(float(now_ms), b"")
            if 0 <= limit < count:
                count = limit
            fields, _ = large.columns(0, count)
            large.delete(0, count)
            return fields
        due: list[bytes] = []
        when = self.next()
        while when != NO_TIME and when < now_ms and len(due) != limit:
            field = heappop(self._heap)[1]
            del self._times[field]
            due.append(field)
            when = self.next()
        self._shrink()
        return due

    def copy(self) -> "FieldTimes":
        """An equal one that shares nothing with this. O(n)."""
        copied = FieldTimes()
        if self.large is not None:
            copied.large = self.large.copy()
            return copied
        copied._times = dict(self._times)
        copied._rebuild()
        return copied

    def _shrink(self) -> None:
        if len(self._heap) > _SMALL_HEAP and len(self._heap) > 2 * len(self._times):
            self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(when, field) for field, when in self._times.items()]
        heapify(self._heap)

    def _enlarge(self) -> None:
        pairs = sorted([(when, field) for field, when in self._times.items()])
        self.large = ordered_of([field for _, field in pairs], [float(when) for when, _ in pairs])
        self._times = {}
        self._heap = []

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        if self.large is not None:
            assert not self._times
            assert not self._heap
            self.large._check()
        pairs = set(self._heap)
        for field, when in self._times.items():
            assert when >= 0
            assert (when, field) in pairs
        assert len(self._heap) <= max(_SMALL_HEAP, 2 * len(self._times)) + 1
        assert self.next() == min([when for _, when in self.items()], default=NO_TIME)
