"""A map from stream ids to objects, in the order of the ids.

Theory of operation: the ids stand in sorted chunks of some hundred, each beside a list of its values; `_tops` holds the
largest id of each chunk. Both levels are searched by bisection. New ids are mostly the largest and old ones are mostly
removed first, and neither costs more than the end of one short list. A chunk that has grown to twice its size is
divided; one that has shrunk is joined with the next.

Costs for n ids: look-up O(log n); insertion and removal O(log n + chunk + n / chunk), at the ends O(chunk).
"""

from bisect import bisect_left
from typing import Final, Generic, TypeVar

from mypy_extensions import i64

from aikv.datatypes.memory import allocated, sampled

CHUNK: Final = 256
_JOIN_BELOW: Final = CHUNK // 4

V = TypeVar("V")


class IdMap(Generic[V]):
    """Ids, ascending, and their values."""

    def __init__(self) -> None:
        self._ids: list[list[int]] = []
        self._values: list[list[V]] = []
        self._tops: list[int] = []
        self.used: i64 = 0

    def __len__(self) -> int:
        return self.used

    def memory(self) -> int:
        """Bytes of the map and its ids, without the values."""
        chunks = len(self._ids)
        lists = allocated(self._ids) + allocated(self._values) + allocated(self._tops)
        lists += 2 * sampled(self._ids, chunks, 0)
        return allocated(self) + lists + (allocated(self._tops[0]) * self.used if chunks else 0)

    def first_values(self, count: int) -> list[V]:
        """The values of the first ids, at most `count` of them."""
        found: list[V] = []
        for values in self._values:
            if len(found) >= count:
                break
            found += values[: count - len(found)]
        return found

    def parts(self) -> list[object]:
        """The ids and values in lists, for who frees them one list after the other. O(chunks)."""
        return [*self._ids, *self._values]

    def get(self, number: int) -> V | None:
        """The value of id `number`, or None. O(log n)."""
        chunk: i64 = bisect_left(self._tops, number)
        if chunk == len(self._tops):
            return None
        ids = self._ids[chunk]
        place: i64 = bisect_left(ids, number)
        return self._values[chunk][place] if ids[place] == number else None

    def put(self, number: int, value: V) -> bool:
        """Give id `number` a value; True where it is new. O(log n + chunk)."""
        tops = self._tops
        chunk: i64 = bisect_left(tops, number)
        if chunk == len(tops):
            self._append(number, value)
            return True
        ids = self._ids[chunk]
        place: i64 = bisect_left(ids, number)
        if ids[place] == number:
            self._values[chunk][place] = value
            return False
        ids.insert(place, number)
        self._values[chunk].insert(place, value)
        self.used += 1
        if len(ids) >= 2 * CHUNK:
            self._divide(chunk)
        return True

    def pop(self, number: int) -> V | None:
        """Remove id `number`; returns its value, or None. O(log n + chunk)."""
        chunk: i64 = bisect_left(self._tops, number)
        if chunk == len(self._tops):
            return None
        ids = self._ids[chunk]
        place: i64 = bisect_left(ids, number)
        if ids[place] != number:
            return None
        values = self._values[chunk]
        value = values[place]
        del ids[place]
        del values[place]
        self.used -= 1
        if not ids:
            del self._ids[chunk]
            del self._values[chunk]
            del self._tops[chunk]
            return value
        self._tops[chunk] = ids[-1]
        if len(ids) < _JOIN_BELOW and chunk + 1 < len(self._ids) and len(self._ids[chunk + 1]) < CHUNK:
            self._join(chunk)
        return value

    def first(self) -> V | None:
        """The value of the smallest id, or None. O(1)."""
        return self._values[0][0] if self._values else None

    def last(self) -> V | None:
        """The value of the largest id, or None. O(1)."""
        return self._values[-1][-1] if self._values else None

    def at_or_after(self, number: int) -> V | None:
        """The value of the smallest id that is not below `number`, or None. O(log n)."""
        chunk: i64 = bisect_left(self._tops, number)
        if chunk == len(self._tops):
            return None
        return self._values[chunk][bisect_left(self._ids[chunk], number)]

    def at_or_before(self, number: int) -> V | None:
        """The value of the largest id that is not above `number`, or None. O(log n)."""
        chunk: i64 = bisect_left(self._tops, number)
        if chunk == len(self._tops):
            return self.last()
        ids = self._ids[chunk]
        place: i64 = bisect_left(ids, number)
        if ids[place] == number:
            return self._values[chunk][place]
        if place:
            return self._values[chunk][place - 1]
        return self._values[chunk - 1][-1] if chunk else None

    def some_from(self, number: int, count: i64) -> list[V]:
        """Values of up to `count` ids from `number` on, ascending. O(log n + count)."""
        found: list[V] = []
        chunk: i64 = bisect_left(self._tops, number)
        if chunk == len(self._tops):
            return found
        place: i64 = bisect_left(self._ids[chunk], number)
        while count > 0 and chunk < len(self._values):
            part = self._values[chunk][place : place + count]
            found += part
            count -= len(part)
            place = 0
            chunk += 1
        return found

    def some_back_from(self, number: int, count: i64) -> list[V]:
        """Values of up to `count` ids from `number` down, descending. O(log n + count)."""
        found: list[V] = []
        chunk: i64 = bisect_left(self._tops, number)
        end: i64 = 0
        if chunk < len(self._tops):
            ids = self._ids[chunk]
            end = bisect_left(ids, number)
            if ids[end] == number:
                end += 1
        while count > 0:
            if end == 0:
                chunk -= 1
                if chunk < 0:
                    break
                end = len(self._values[chunk])
            start: i64 = max(0, end - count)
            part = self._values[chunk][start:end]
            part.reverse()
            found += part
            count -= len(part)
            end = 0
        return found

    def _append(self, number: int, value: V) -> None:
        if not self._tops or len(self._ids[-1]) >= CHUNK:
            self._ids.append([number])
            self._values.append([value])
            self._tops.append(number)
        else:
            self._ids[-1].append(number)
            self._values[-1].append(value)
            self._tops[-1] = number
        self.used += 1

    def _divide(self, chunk: i64) -> None:
        ids = self._ids[chunk]
        values = self._values[chunk]
        self._ids.insert(chunk + 1, ids[CHUNK:])
        self._values.insert(chunk + 1, values[CHUNK:])
        del ids[CHUNK:]
        del values[CHUNK:]
        self._tops.insert(chunk, ids[-1])

    def _join(self, chunk: i64) -> None:
        """Put the chunk after `chunk` at its end."""
        self._ids[chunk] += self._ids[chunk + 1]
        self._values[chunk] += self._values[chunk + 1]
        del self._ids[chunk + 1]
        del self._values[chunk + 1]
        del self._tops[chunk]

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        assert len(self._ids) == len(self._values) == len(self._tops)
        assert sum(len(ids) for ids in self._ids) == self.used
        flat: list[int] = []
        for ids, values, top in zip(self._ids, self._values, self._tops, strict=True):
            assert 0 < len(ids) < 2 * CHUNK
            assert len(values) == len(ids)
            assert ids[-1] == top
            flat += ids
        assert all(flat[index] < flat[index + 1] for index in range(len(flat) - 1))
