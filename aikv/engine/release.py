"""Freeing what was removed in slices, so that no client waits for the end of a large value.

Theory of operation: Python frees a value when the last reference to it goes, all of it at once, which for a million
members takes about a tenth of a second. So the buckets of the tables that are removed, those of emptied databases and
those inside large values, are kept here, and dropped one by one while there is time; of a stream it is the lists of its
nodes and of its groups' pending entries. Whoever still uses a value keeps it.
"""

from collections.abc import Sequence
from typing import Final

from aikv.base.clock import Clock
from aikv.datatypes.hashes import Hash
from aikv.datatypes.sets import Set
from aikv.datatypes.stream import Stream
from aikv.datatypes.zsets import SortedSet

# Fewer are freed as fast as they are put away.
_FEW_BUCKETS: Final = 16


class Releaser:
    """Buckets that wait for their end."""

    def __init__(self) -> None:
        # Of databases, whose values may be large, and of values.
        self._databases: list[dict[bytes, object]] = []
        self._parts: list[object] = []
        # Buckets freed so far.
        self.freed = 0

    def pending(self) -> int:
        """Number of buckets that wait."""
        return len(self._databases) + len(self._parts)

    def database(self, buckets: list[dict[bytes, object]]) -> None:
        """Take the buckets of an emptied database."""
        self._databases += buckets

    def value(self, value: object) -> None:
        """Take the parts of a value that has been removed, if it is large."""
        if isinstance(value, (Hash, Set)):
            table = value.table
        elif isinstance(value, Stream):
            self._stream(value)
            return
        elif isinstance(value, SortedSet) and value.ordered is not None:
            table = value.ordered.table
        else:
            return
        if table is not None and len(table.buckets) > _FEW_BUCKETS:
            self._parts += table.buckets

    def _stream(self, value: Stream) -> None:
        self._lists(value.nodes.parts())
        for group in value.groups.values():
            self._lists(group.pending.parts())
            for consumer in group.consumers.values():
                self._lists(consumer.pending.parts())

    def _lists(self, parts: Sequence[object]) -> None:
        if len(parts) > 1:
            self._parts += parts

    def free(self, clock: Clock, budget_us: int) -> bool:
        """Free something for about `budget_us`; whether something is left."""
        deadline = clock.monotonic_us() + budget_us
        while self._databases or self._parts:
            self.freed += 1
            if self._parts:
                self._parts.pop()
            else:
                for value in self._databases.pop().values():
                    if type(value) is not bytes:
                        self.value(value)
            if clock.monotonic_us() >= deadline:
                break
        return bool(self._databases or self._parts)
