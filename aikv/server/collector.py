"""The server's own garbage: cycles of references, which CPython's collector finds, without a pause where data grows.

Theory of operation: a dataset has no cycles, and looking through one is long: it takes 10 ns for each reference that a
container holds, 40 where they are spread over memory, and a million members of a sorted set are two million of them. So
automatic collection is off, what a start has loaded is frozen (`gc.freeze`: never looked at again), and the young
generations, where the server's own cycles would be, are collected here, ten times a second and the one above it every
thirty seconds.

What a client has just stored is young, too. So where there are more new containers than the server itself would have
made, they are taken for data, and frozen instead, which takes no time at all however many they are. A cycle among them
is lost, and that is all: what is in no cycle is freed by its reference counts, frozen or not. There are few: hundreds
of clients, scripts and errors leave none, only what is done once does, such as the import of a library.
"""

import gc
from typing import Final

# Containers. Large ones, the leaves of sorted sets, hold some 500 references, so that a collection takes 2 ms or 4.
MANY: Final = 200
_MIDDLE_US: Final = 30_000_000


class Collector:
    """Collects the young generations, or freezes them."""

    def __init__(self, now_us: int) -> None:
        # At most so many containers have got into the middle generation.
        self._middle = 0
        self._next_middle_us = now_us + _MIDDLE_US

    def run(self, now_us: int) -> None:
        """Call about ten times a second; `now_us` is monotonic."""
        # Containers made since the last call, less those that are gone.
        fresh = gc.get_count()[0]
        due = now_us >= self._next_middle_us
        if due:
            self._next_middle_us = now_us + _MIDDLE_US
        self._middle += fresh
        if fresh > MANY or (due and self._middle > MANY):
            gc.freeze()
            self._middle = 0
        elif due:
            gc.collect(1)
            self._middle = 0
        else:
            gc.collect(0)
