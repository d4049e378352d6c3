"""When the fields of one hash run out, for hashes of which any field does.

Theory of operation: a dict from field to time answers for one field; a heap of (time, field) finds the next to run out.
A change of a time leaves the old pair in the heap, where it is known by differing from the dict and dropped when it
comes to the top; once most of the heap is such pairs it is built anew. Times are Unix milliseconds.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from aikv.datatypes.memory import allocated, sampled

NO_TIME: Final = -1
# A heap of fewer pairs is not worth building anew.
_SMALL_HEAP: Final = 64


class FieldTimes:
    """Fields and the times at which they run out."""

    def __init__(self) -> None:
        self.times: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self.times)

    def get(self, field: bytes) -> int:
        """When `field` runs out, or -1. O(1)."""
        return self.times.get(field, NO_TIME)

    def set(self, field: bytes, when: int) -> None:
        """Let `field` run out at `when`. O(log n)."""
        if self.times.get(field, NO_TIME) == when:
            return
        self.times[field] = when
        heappush(self._heap, (when, field))
        self._shrink()

    def drop(self, field: bytes) -> bool:
        """Let `field` stay; whether it had a time. O(1)."""
        if self.times.pop(field, NO_TIME) == NO_TIME:
            return False
        self._shrink()
        return True

    def next(self) -> int:
        """The earliest time of any field, or -1. O(1), but for old pairs that come to the top."""
        heap = self._heap
        while heap:
            when, field = heap[0]
            if self.times.get(field, NO_TIME) == when:
                return when
            heappop(heap)
        return NO_TIME

    def memory(self, samples: int) -> int:
        """Bytes of all of it but the fields, of which `samples` are looked at (0: all)."""
        held = allocated(self) + allocated(self.times) + allocated(self._heap)
        return held + sampled(self.times.values(), len(self.times), samples) + sampled(self._heap, len(self._heap), 1)

    def take_due(self, now_ms: int, limit: int = -1) -> list[bytes]:
        """Forget the fields whose time is before `now_ms`, and return them, earliest first. O(log n) for each.

        At most `limit` of them, unless that is negative.
        """
        due: list[bytes] = []
        when = self.next()
        while when != NO_TIME and when < now_ms and len(due) != limit:
            field = heappop(self._heap)[1]
            del self.times[field]
            due.append(field)
            when = self.next()
        self._shrink()
        return due

    def copy(self) -> "FieldTimes":
        """An equal one that shares nothing with this. O(n)."""
        copied = FieldTimes()
        copied.times = dict(self.times)
        copied._rebuild()
        return copied

    def _shrink(self) -> None:
        if len(self._heap) > _SMALL_HEAP and len(self._heap) > 2 * len(self.times):
            self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(when, field) for field, when in self.times.items()]
        heapify(self._heap)

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        pairs = set(self._heap)
        for field, when in self.times.items():
            assert when >= 0
            assert (when, field) in pairs
        assert len(self._heap) <= max(_SMALL_HEAP, 2 * len(self.times)) + 1
        assert self.next() == min(self.times.values(), default=NO_TIME)
