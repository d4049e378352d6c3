"""The large form of a list: chunks of elements, one after another.

Theory of operation: a `Quicklist` is a Python list of `Chunk`s, none of which is empty. The ends are pushed and popped
within the first and the last chunk. An element in the middle is found by counting whole chunks from the nearer end,
then walking within one; a million short elements have some 1500 chunks, which takes two microseconds or three.

Where elements are put, when a chunk is split, and which are merged afterwards is as in Redis, since the number of
chunks can be seen: a list becomes a listpack again only when a single chunk is left. Removal never merges chunks. What
Redis lets grow without bound, a chunk in which elements were replaced by long ones, is divided here, because a chunk
is copied to be read.

n is the number of elements, c that of chunks.
"""

from typing import Final

from mypy_extensions import i64

from aikv.base.row import Row
from aikv.datatypes import listpack, listpack_check
from aikv.datatypes.chunks import FRAME_BYTES, Chunk, chunk_of, divided, exceeds, matches, without
from aikv.datatypes.listpack import FIRST, encode_entry

# A chunk of several elements that has grown beyond this is divided.
_OVERGROWN: Final = 256 * 1024


class Quicklist:
    """A sequence of bytes with cheap ends. `limit` is list-max-listpack-size throughout."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.count: i64 = 0

    def push_head(self, text: bytes, limit: i64) -> None:
        """Put `text` before all others. O(1), amortised."""
        self.count += 1
        if self.chunks:
            chunk = self.chunks[0]
            if chunk.has_room(text, limit):
                chunk.push_head(text)
                return
            # What is no longer at an end is packed.
            chunk.body()
        self.chunks.insert(0, _chunk_with(text))

    def push_tail(self, text: bytes, limit: i64) -> None:
        """Put `text` after all others. O(1), amortised."""
        self.count += 1
        if self.chunks:
            chunk = self.chunks[-1]
            if chunk.has_room(text, limit):
                chunk.push_tail(text)
                return
            chunk.body()
        self.chunks.append(_chunk_with(text))

    def push_pack(self, pack: bytes) -> None:
        """Put the elements of the listpack `pack`, which has some, after all others, as a chunk. O(bytes)."""
        chunk = chunk_of(pack)
        self.count += chunk.count
        self.chunks.append(chunk)

    def pop_head(self) -> bytes:
        """Remove and return the first element of a list that has one. O(1)."""
        chunk = self.chunks[0]
        text = chunk.pop_head()
        if chunk.count == 0:
            del self.chunks[0]
        self.count -= 1
        return text

    def pop_tail(self) -> bytes:
        """Remove and return the last element of a list that has one. O(1)."""
        chunk = self.chunks[-1]
        text = chunk.pop_tail()
        if chunk.count == 0:
            del self.chunks[-1]
        self.count -= 1
        return text

    def get(self, index: i64) -> bytes:
        """Element `index`, which is there. O(c + chunk)."""
        number, place = self._locate(index)
        pack = self.chunks[number].pack()
        return listpack.entry_at(pack, listpack.offset_of(pack, place))

    def set(self, index: i64, text: bytes, limit: i64) -> None:
        """Replace element `index`, which is there. O(c + chunk)."""
        number, place = self._locate(index)
        chunk = self.chunks[number]
        pack = chunk.pack()
        offset: i64 = listpack.offset_of(pack, place)
        begin: i64 = offset - FIRST
        chunk.body()[begin : begin + listpack.entry_size(pack, offset)] = encode_entry(text)
        if chunk.size() > _OVERGROWN and chunk.count > 1:
            self.chunks[number : number + 1] = divided(chunk, limit)

    def range(self, start: i64, stop: i64) -> list[bytes]:
        """Elements `start` to before `stop`, all of which are there. O(c + chunk + elements)."""
        found: list[bytes] = []
        if start >= stop:
            return found
        number, place = self._locate(start)
        wanted: i64 = stop - start
        while wanted > 0:
            pack = self.chunks[number].pack()
            if place == 0 and wanted >= self.chunks[number].count:
                part = listpack.entries(pack)
            else:
                part = listpack.entries_from(pack, listpack.offset_of(pack, place), wanted)
            wanted -= len(part)
            found.extend(part)
            number += 1
            place = 0
        return found

    def rows(self, start: i64, stop: i64) -> list[Row] | None:
        """As `range`, which has some elements, for texts that stand in rows; else None. O(c + chunk)."""
        found: list[Row] = []
        number, place = self._locate(start)
        wanted: i64 = stop - start
        while wanted > 0:
            chunk = self.chunks[number]
            count: i64 = min(wanted, chunk.count - place)
            pack = chunk.pack()
            row = listpack.row_of(pack, listpack.offset_of(pack, place), count)
            if row is None:
                return None
            found.append(row)
            wanted -= count
            number += 1
            place = 0
        return found

    def drop_head(self, count: i64) -> None:
        """Remove the first `count` elements, at most all. O(c + chunk)."""
        self.count -= count
        whole: i64 = 0
        while count > 0 and self.chunks[whole].count <= count:
            count -= self.chunks[whole].count
            whole += 1
        del self.chunks[:whole]
        if count > 0:
            self.chunks[0].drop_head(count)

    def drop_tail(self, count: i64) -> None:
        """Remove the last `count` elements, at most all. O(c + chunk)."""
        self.count -= count
        end: i64 = len(self.chunks)
        while count > 0 and self.chunks[end - 1].count <= count:
            count -= self.chunks[end - 1].count
            end -= 1
        del self.chunks[end:]
        if count > 0:
            self.chunks[-1].drop_tail(count)

    def insert(self, pivot: bytes, text: bytes, after: bool, limit: i64) -> bool:
        """Put `text` beside the first element that equals `pivot`; whether there was one. O(bytes)."""
        entry = encode_entry(pivot)
        for number in range(len(self.chunks)):
            found = matches(self.chunks[number].pack(), entry, 1)
            if found.offsets:
                place: i64 = found.offsets[0] - FIRST
                index: i64 = found.indexes[0]
                if after:
                    place += len(entry)
                    index += 1
                self._insert_at(number, place, index, text, after, limit)
                self.count += 1
                return True
        return False

    def remove(self, text: bytes, most: i64, from_tail: bool) -> int:
        """Remove up to `most` elements that equal `text`, the first or the last of them; returns how many. O(bytes)."""
        entry = encode_entry(text)
        size: i64 = len(entry)
        removed: i64 = 0
        emptied = False
        number: i64 = len(self.chunks) - 1 if from_tail else 0
        step: i64 = -1 if from_tail else 1
        while removed < most and 0 <= number < len(self.chunks):
            chunk = self.chunks[number]
            # Most chunks of a long list hold nothing that is to go: the search alone is cheaper than a copy before it.
            if chunk.body().find(entry) >= 0:
                pack = chunk.pack()
                offsets = matches(pack, entry, chunk.count if from_tail else most - removed).offsets
                if from_tail and len(offsets) > most - removed:
                    offsets = offsets[len(offsets) - (most - removed) :]
                if offsets:
                    chunk.body()[:] = without(pack, offsets, size)
                    chunk.count -= len(offsets)
                    removed += len(offsets)
                    emptied = emptied or chunk.count == 0
            number += step
        if emptied:
            self.chunks = [chunk for chunk in self.chunks if chunk.count > 0]
        self.count -= removed
        return removed

    def copy(self) -> "Quicklist":
        """An equal list that shares nothing. O(bytes)."""
        copied = Quicklist()
        copied.count = self.count
        copied.chunks = [chunk.copy() for chunk in self.chunks]
        return copied

    def _locate(self, index: i64) -> tuple[i64, i64]:
        """The number of the chunk that holds element `index`, and the element's index in it. O(c)."""
        number: i64 = 0
        if index * 2 < self.count:
            while index >= self.chunks[number].count:
                index -= self.chunks[number].count
                number += 1
            return number, index
        number = len(self.chunks) - 1
        begin: i64 = self.count - self.chunks[number].count
        while index < begin:
            number -= 1
            begin -= self.chunks[number].count
        return number, index - begin

    def _insert_at(self, number: i64, place: i64, index: i64, text: bytes, after: bool, limit: i64) -> None:
        """Make `text` element `index` of chunk `number`, where byte `place` of its body is, or of a chunk near it."""
        chunk = self.chunks[number]
        if chunk.has_room(text, limit):
            chunk.insert(place, text)
        elif index == 0:
            if number > 0 and self.chunks[number - 1].has_room(text, limit):
                self.chunks[number - 1].push_tail(text)
            else:
                self.chunks.insert(number, _chunk_with(text))
        elif index == chunk.count:
            if number + 1 < len(self.chunks) and self.chunks[number + 1].has_room(text, limit):
                self.chunks[number + 1].push_head(text)
            else:
                self.chunks.insert(number + 1, _chunk_with(text))
        else:
            rest = chunk.split(place, index)
            self.chunks.insert(number + 1, rest)
            if after:
                rest.push_head(text)
                self._merge_around(number, limit)
            else:
                chunk.push_tail(text)
                self._merge_around(number + 1, limit)

    def _merge_around(self, number: i64, limit: i64) -> None:
        """Merge the two chunks before `number`, the two after it, then those beside it with it, where they fit."""
        if self._merge_next(number - 2, limit):
            number -= 1
        self._merge_next(number + 1, limit)
        if self._merge_next(number - 1, limit):
            number -= 1
        self._merge_next(number, limit)

    def _merge_next(self, number: i64, limit: i64) -> bool:
        """Append chunk `number` + 1 to chunk `number`, if both are there and fit into one; whether that was done."""
        if number < 0 or number + 1 >= len(self.chunks):
            return False
        chunk = self.chunks[number]
        other = self.chunks[number + 1]
        if exceeds(limit, chunk.size() + other.size() - FRAME_BYTES, chunk.count + other.count):
            return False
        chunk.body().extend(other.body())
        chunk.count += other.count
        del self.chunks[number + 1]
        return True

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        total = 0
        for chunk in self.chunks:
            pack = chunk.pack()
            assert listpack_check.validated(pack) is pack
            assert chunk.count == listpack.length(pack) > 0
            total += chunk.count
        assert total == self.count


def _chunk_with(text: bytes) -> Chunk:
    return Chunk(bytearray(encode_entry(text)), 1)
