"""Freeing what was removed in slices, so that no client waits for the end of a large value.

Theory of operation: Python frees a value when the last reference to it goes, all of it at once, which for a million
members takes about a tenth of a second. So what a large value or an emptied database consists of, `parts`, is kept
here: the buckets of tables, the leaves of sorted sets, the chunks of lists, and of a stream the lists of its nodes and
of its groups' pending entries. While there is time the parts are dropped one by one. Whoever still uses a value keeps
it, since a part is never changed.

To drop a bucket at once is too much, too. Where nearly everything has gone, each object that goes may be the last on
a MiB of memory, which Python gives back to the system at once, in some tenths of a millisecond. So what a bucket or
list refers to is copied, the part dropped, and the copy shortened by a few objects between two looks at the time.
"""

from collections.abc import Sequence
from typing import Final

from mypy_extensions import i64

from aikv.base.clock import Clock
from aikv.datatypes.field_times import FieldTimes
from aikv.datatypes.hashes import Hash
from aikv.datatypes.lists import List
from aikv.datatypes.sets import Set
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import ConsumerGroup
from aikv.datatypes.zsets import SortedSet

# Fewer are freed as fast as they are put away.
_FEW_BUCKETS: Final = 4
_FEW_CHUNKS: Final = 16
# Objects between two looks at the time, where each is small.
_AT_ONCE: Final = 4
# A string of so many bytes is one whose end takes time.
_LONG: Final = 65_536


class Releaser:
    """Parts that wait for their end."""

    def __init__(self) -> None:
        # Buckets of databases, whose values may be large, and parts of values.
        self._databases: list[dict[bytes, object]] = []
        self._parts: list[object] = []
        # What the part held that is being freed, and how many of it go together.
        self._rest: list[object] = []
        self._at_once: i64 = 1
        # Parts freed so far.
        self.freed = 0

    def pending(self) -> int:
        """Number of parts that wait."""
        return len(self._databases) + len(self._parts) + (1 if self._rest else 0)

    def database(self, buckets: list[dict[bytes, object]]) -> None:
        """Take the buckets of an emptied database."""
        self._databases += buckets

    def value(self, value: object) -> None:
        """Take the parts of a value that has been removed, if it is large."""
        if isinstance(value, (Hash, Set)):
            table = value.table
        elif isinstance(value, SortedSet):
            ordered = value.ordered
            table = None if ordered is None else ordered.table
        elif isinstance(value, List):
            if value.quick is not None and len(value.quick.chunks) > _FEW_CHUNKS:
                self._parts.append(value.quick.chunks)
            return
        else:
            if isinstance(value, Stream):
                self._stream(value)
            return
        if table is not None and len(table.buckets) > _FEW_BUCKETS:
            self._parts += table.buckets
            # The last part goes first: what the leaves refer to is in the buckets, too, and costs less thus.
            if isinstance(value, SortedSet) and value.ordered is not None:
                self._parts += value.ordered.leaves
        if isinstance(value, Hash):
            self.times(value.times)

    def times(self, times: FieldTimes | None) -> None:
        """Take the parts of the times of a hash, or of the hashes of a database, if they are many."""
        if times is not None and times.large is not None:
            self._parts += times.large.table.buckets
            self._parts += times.large.leaves

    def _stream(self, value: Stream) -> None:
        self._lists(value.nodes.parts())
        for group in value.groups.values():
            self.group(group)

    def group(self, group: ConsumerGroup) -> None:
        """Take what waits in a group of a stream, if it is much."""
        self._lists(group.pending.parts())
        for consumer in group.consumers.values():
            self._lists(consumer.pending.parts())

    def _lists(self, parts: Sequence[object]) -> None:
        # Of each chunk there are two.
        if len(parts) > 2:
            self._parts += parts

    def free(self, clock: Clock, budget_us: int) -> bool:
        """Free something for about `budget_us`; whether something is left."""
        deadline = clock.monotonic_us() + budget_us
        while self._rest or self._parts or self._databases:
            if self._rest:
                del self._rest[-self._at_once :]
            elif self._parts:
                self._open(self._parts.pop())
            else:
                self._open_bucket(self._databases.pop())
            if clock.monotonic_us() >= deadline:
                break
        return bool(self._rest or self._parts or self._databases)

    def _open(self, part: object) -> None:
        """Let go of `part`, and keep what it refers to where that is much."""
        self.freed += 1
        if isinstance(part, dict):
            self._rest = _members(part)
            self._at_once = _AT_ONCE
        elif isinstance(part, list):
            self._rest = part[:]
            self._at_once = 1

    def _open_bucket(self, bucket: dict[bytes, object]) -> None:
        self.freed += 1
        self._at_once = _AT_ONCE
        for value in bucket.values():
            if type(value) is bytes:
                if len(value) > _LONG:
                    self._at_once = 1
            elif not isinstance(value, int):
                self.value(value)
                self._at_once = 1
        self._rest = _members(bucket)


def _members(bucket: dict[bytes, object]) -> list[object]:
    members: list[object] = list(bucket)
    members += bucket.values()
    return members
