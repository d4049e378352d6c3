"""Lists: sequences that grow and shrink at both ends.

Theory of operation: a list is one listpack while `list-max-listpack-size` allows it, then a `Quicklist` of chunks.
Unlike other collections it comes back: as in Redis 7.2, a removal that leaves a single chunk of at most half the
allowed size makes a listpack of it. That is so far below the limit that a list which varies a little keeps its form.

Indexes count from 0, or from the end where negative. n is the number of elements; a listpack has at most some thousand.
Large costs are those of `quicklist`.
"""

from typing import Final, cast

from mypy_extensions import i64, mypyc_attr

from aikv.base.row import Row
from aikv.datatypes import listpack, listpack_check
from aikv.datatypes.chunks import exceeds, matches, within, without
from aikv.datatypes.kinds import KINDS, Kind
from aikv.datatypes.limits import Limits
from aikv.datatypes.listpack import FIRST, encode_entry
from aikv.datatypes.memory import allocated
from aikv.datatypes.quicklist import Quicklist

# So many elements are worth a look whether they stand in rows.
_MANY: Final = 8


# Without a place among the collector's objects each takes 16 bytes less.
@mypyc_attr(acyclic=True)
class List:
    """A sequence of bytes."""

    def __init__(self) -> None:
        # The small form, and of a large list nothing.
        self.pack: bytes = listpack.EMPTY
        self.quick: Quicklist | None = None

    def __len__(self) -> int:
        quick = self.quick
        return listpack.length(self.pack) if quick is None else quick.count

    def encoding(self) -> bytes:
        """OBJECT ENCODING's word for the form."""
        return b"listpack" if self.quick is None else b"quicklist"

    def push_head(self, argv: list[bytes], first: int, limits: Limits) -> int:
        """Put the texts in `argv` from index `first` on before all others, one after another, so the last comes first.

        O(texts), small O(bytes). Returns how many there are now.
        """
        quick = self.quick
        if quick is None:
            quick = self._for_adding(argv, first, limits)
        if quick is not None:
            limit: i64 = limits.list_listpack_size
            for index in range(first, len(argv)):
                quick.push_head(argv[index], limit)
            return quick.count
        if len(argv) - first == 1:
            self.pack = listpack.prepend(self.pack, argv[first])
            return listpack.length(self.pack)
        encoded = _encoded(argv, first)
        encoded.reverse()
        self.pack = listpack.splice(self.pack, FIRST, FIRST, b"".join(encoded), len(encoded))
        return listpack.length(self.pack)

    def push_tail(self, argv: list[bytes], first: int, limits: Limits) -> int:
        """Put the texts in `argv` from index `first` on after all others; returns how many there are now.

        O(texts), small O(bytes).
        """
        quick = self.quick
        if quick is None:
            quick = self._for_adding(argv, first, limits)
        if quick is not None:
            limit: i64 = limits.list_listpack_size
            for index in range(first, len(argv)):
                quick.push_tail(argv[index], limit)
            return quick.count
        if len(argv) - first == 1:
            self.pack = listpack.append(self.pack, argv[first])
            return listpack.length(self.pack)
        encoded = _encoded(argv, first)
        end: i64 = listpack.end_offset(self.pack)
        self.pack = listpack.splice(self.pack, end, end, b"".join(encoded), len(encoded))
        return listpack.length(self.pack)

    def pop_head(self, limits: Limits) -> bytes | None:
        """Remove and return the first element; None where the list is empty. O(1), small O(bytes)."""
        quick = self.quick
        if quick is not None:
            text = quick.pop_head() if quick.count > 0 else None
            if len(quick.chunks) == 1:
                self._shrunk(quick, limits)
            return text
        if self.pack is listpack.EMPTY:
            return None
        text = listpack.entry_at(self.pack, FIRST)
        self._delete(FIRST, 1)
        return text

    def pop_tail(self, limits: Limits) -> bytes | None:
        """Remove and return the last element; None where the list is empty. O(1), small O(bytes)."""
        quick = self.quick
        if quick is not None:
            text = quick.pop_tail() if quick.count > 0 else None
            if len(quick.chunks) == 1:
                self._shrunk(quick, limits)
            return text
        if self.pack is listpack.EMPTY:
            return None
        offset: i64 = listpack.last_offset(self.pack)
        text = listpack.entry_at(self.pack, offset)
        self._delete(offset, 1)
        return text

    def pop_head_many(self, count: int, limits: Limits) -> list[bytes]:
        """Remove and return the first `count` elements, or all where there are not more, the first first. O(count)."""
        popped = self.range(0, count - 1) if count > 0 else []
        self._drop(len(popped), 0, limits)
        return popped

    def pop_tail_many(self, count: int, limits: Limits) -> list[bytes]:
        """Remove and return the last `count` elements, or all where there are not more, the last first. O(count)."""
        popped = self.range(-count, -1) if count > 0 else []
        popped.reverse()
        self._drop(0, len(popped), limits)
        return popped

    def get(self, index: int) -> bytes | None:
        """Element `index`, or None (LINDEX)."""
        size = len(self)
        if index < 0:
            index += size
        if index < 0 or index >= size:
            return None
        quick = self.quick
        if quick is not None:
            return quick.get(index)
        return listpack.entry_at(self.pack, listpack.offset_of(self.pack, index))

    def set(self, index: int, text: bytes, limits: Limits) -> bool:
        """Replace element `index`; False where there is none (LSET)."""
        size = len(self)
        if index < 0:
            index += size
        if index < 0 or index >= size:
            return False
        quick = self._for_adding([text], 0, limits)
        if quick is None:
            self.pack = listpack.replace(self.pack, listpack.offset_of(self.pack, index), text)
        else:
            quick.set(index, text, limits.list_listpack_size)
            # A short text may have taken the place of a long one.
            self._shrunk(quick, limits)
        return True

    def insert(self, pivot: bytes, text: bytes, after: bool, limits: Limits) -> bool:
        """Put `text` before or after the first element that equals `pivot`; whether there was one (LINSERT). O(n)."""
        if self.quick is None:
            offset: i64 = listpack.find(self.pack, pivot)
            if offset < 0:
                return False
            if self._for_adding([text], 0, limits) is None:
                if after:
                    offset += listpack.entry_size(self.pack, offset)
                self.pack = listpack.insert(self.pack, offset, text)
                return True
        return cast(Quicklist, self.quick).insert(pivot, text, after, limits.list_listpack_size)

    def remove(self, text: bytes, count: int, limits: Limits) -> int:
        """Remove the elements that equal `text`: the first `count`, the last -`count`, or all for 0; returns how many.

        LREM. O(bytes).
        """
        size = len(self)
        most = min(abs(count), size) if count else size
        quick = self.quick
        if quick is not None:
            removed = quick.remove(text, most, count < 0)
            self._shrunk(quick, limits)
            return removed
        entry = encode_entry(text)
        offsets = matches(self.pack, entry, size if count < 0 else most).offsets
        if count < 0:
            offsets = offsets[max(len(offsets) - most, 0) :]
        if offsets:
            kept = without(self.pack, offsets, len(entry))
            self._replace_all(kept, len(offsets))
        return len(offsets)

    def trim(self, start: int, stop: int, limits: Limits) -> int:
        """Remove all but elements `start` to `stop`, both included; returns how many (LTRIM). O(c), small O(bytes)."""
        begin, end = self._bounds(start, stop)
        size = len(self)
        self._drop(begin, size - end, limits)
        return begin + size - end

    def range(self, start: int, stop: int) -> list[bytes]:
        """Elements `start` to `stop`, both included, as far as they are there (LRANGE)."""
        begin, end = self._bounds(start, stop)
        quick = self.quick
        if quick is not None:
            return quick.range(begin, end)
        if begin == end:
            return []
        return listpack.entries_from(self.pack, listpack.offset_of(self.pack, begin), end - begin)

    def rows(self, start: int, stop: int) -> list[Row] | None:
        """As `range`, for many texts that stand in rows of equally long ones; else None."""
        begin, end = self._bounds(start, stop)
        if end - begin < _MANY:
            return None
        quick = self.quick
        if quick is not None:
            return quick.rows(begin, end)
        row = listpack.row_of(self.pack, listpack.offset_of(self.pack, begin), end - begin)
        return None if row is None else [row]

    def elements(self) -> list[bytes]:
        """All elements. O(n)."""
        return self.range(0, -1)

    def positions(self, text: bytes, rank: int = 1, count: int = 0, maxlen: int = 0) -> list[int]:
        """The indexes of elements that equal `text` (LPOS). O(bytes).

        The search begins at the end where `rank`, which is not 0, is negative; the first abs(`rank`) - 1 hits are
        passed over. It ends after `count` hits or `maxlen` elements, where these are not 0.
        """
        size = len(self)
        reach: i64 = min(maxlen, size) if maxlen else size
        most: i64 = min(count, size) if count else size
        skip: i64 = min(abs(rank) - 1, size)
        entry = encode_entry(text)
        found: list[int] = []
        chunks: i64 = self._chunk_count()
        # Elements looked at in the chunks before.
        passed: i64 = 0
        visited: i64 = 0
        while visited < chunks and passed < reach and len(found) < most:
            pack = self._chunk_pack(visited if rank > 0 else chunks - 1 - visited)
            length: i64 = listpack.length(pack)
            indexes = matches(pack, entry, length).indexes
            if rank < 0:
                indexes.reverse()
            for index in indexes:
                distance: i64 = passed + (index if rank > 0 else length - 1 - index)
                if distance >= reach or len(found) == most:
                    break
                if skip > 0:
                    skip -= 1
                else:
                    found.append(distance if rank > 0 else size - 1 - distance)
            passed += length
            visited += 1
        return found

    def packs(self) -> list[bytes]:
        """The listpacks that together are the list, none of them empty. O(bytes), small O(1)."""
        quick = self.quick
        if quick is not None:
            return [chunk.pack() for chunk in quick.chunks]
        return [] if self.pack is listpack.EMPTY else [self.pack]

    def copy(self) -> "List":
        """An equal list that shares nothing with this one that can change. O(bytes), small O(1)."""
        copied = List()
        copied.pack = self.pack
        quick = self.quick
        if quick is not None:
            copied.quick = quick.copy()
        return copied

    def settle(self, limits: Limits) -> None:
        """Take the form that Redis gives a list which has just been built. O(1)."""
        quick = self.quick
        if quick is None:
            if exceeds(limits.list_listpack_size, len(self.pack), listpack.length(self.pack)):
                self._enlarge()
        elif len(quick.chunks) == 1:
            chunk = quick.chunks[0]
            if within(limits.list_listpack_size, chunk.size(), chunk.count, 1):
                self.pack = chunk.pack()
                self.quick = None

    def _for_adding(self, argv: list[bytes], first: int, limits: Limits) -> Quicklist | None:
        """The large form that the texts in `argv` from `first` on go to, or None where the listpack takes them."""
        quick = self.quick
        if quick is not None:
            return quick
        more: i64 = 0
        for index in range(first, len(argv)):
            more += len(argv[index])
        size: i64 = len(self.pack)
        count: i64 = listpack.length(self.pack) + len(argv) - first
        return self._enlarge() if exceeds(limits.list_listpack_size, size + more, count) else None

    def _enlarge(self) -> Quicklist:
        quick = Quicklist()
        if self.pack is not listpack.EMPTY:
            quick.push_pack(self.pack)
        self.quick = quick
        self.pack = listpack.EMPTY
        return quick

    def _shrunk(self, quick: Quicklist, limits: Limits) -> None:
        """Go back to a listpack after something was removed, if few enough is left in one chunk."""
        if len(quick.chunks) == 1:
            chunk = quick.chunks[0]
            if within(limits.list_listpack_size, chunk.size(), chunk.count, 2):
                self.pack = chunk.pack()
                self.quick = None

    def _bounds(self, start: int, stop: int) -> tuple[int, int]:
        """The first index of a range with both ends included, and the one behind its last; equal where it is empty."""
        size = len(self)
        if start < 0:
            start = max(start + size, 0)
        if stop < 0:
            stop += size
        if start > stop or start >= size:
            return size, size
        return start, min(stop + 1, size)

    def _drop(self, head: int, tail: int, limits: Limits) -> None:
        """Remove the first `head` and the last `tail` elements, together at most all."""
        if head == 0 and tail == 0:
            return
        quick = self.quick
        if quick is not None:
            quick.drop_head(head)
            quick.drop_tail(tail)
            self._shrunk(quick, limits)
            return
        if tail:
            self._delete(listpack.offset_of(self.pack, -tail), tail)
        if head:
            self._delete(FIRST, head)

    def _delete(self, offset: i64, count: i64) -> None:
        pack = listpack.delete(self.pack, offset, count)
        self.pack = listpack.EMPTY if len(pack) == len(listpack.EMPTY) else pack

    def _replace_all(self, entries: bytes, removed: i64) -> None:
        """Have `entries` for content, which are `removed` fewer."""
        end: i64 = listpack.end_offset(self.pack)
        self.pack = listpack.splice(self.pack, FIRST, end, entries, -removed) if entries else listpack.EMPTY

    def _chunk_count(self) -> i64:
        quick = self.quick
        return 1 if quick is None else len(quick.chunks)

    def _chunk_pack(self, number: i64) -> bytes:
        quick = self.quick
        return self.pack if quick is None else quick.chunks[number].pack()

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        quick = self.quick
        if quick is not None:
            assert self.pack is listpack.EMPTY
            quick._check()
        else:
            assert listpack_check.validated(self.pack) is self.pack
            assert (self.pack is listpack.EMPTY) == (listpack.length(self.pack) == 0)


class ListKind(Kind):
    """`List`."""

    def __init__(self) -> None:
        super().__init__(b"list")

    def encoding(self, value: object) -> bytes:
        return cast(List, value).encoding()

    def copy(self, value: object) -> object:
        return cast(List, value).copy()

    def memory(self, value: object, samples: int) -> int:
        held = cast(List, value)
        quick = held.quick
        if quick is None:
            return allocated(held) + allocated(held.pack)
        looked_at = quick.chunks[: samples or len(quick.chunks)]
        # The chunk at the end may be nearly empty, so the mean is one by elements.
        elements = sum([int(chunk.count) for chunk in looked_at])
        taken = sum([chunk.memory() for chunk in looked_at])
        return allocated(held) + allocated(quick) + allocated(quick.chunks) + taken * len(held) // max(1, elements)


KINDS[List] = ListKind()


def from_listpack(pack: bytes, limits: Limits) -> List:
    """The list of the elements in the listpack `pack`, of which there are some. O(1), large O(bytes)."""
    made = List()
    if within(limits.list_listpack_size, len(pack), listpack.length(pack), 1):
        made.pack = pack
    else:
        quick = Quicklist()
        quick.push_pack(pack)
        made.quick = quick
    return made


def list_of(texts: list[bytes], limits: Limits) -> List:
    """The list of `texts`, small where allowed: what SORT stores. O(bytes).

    As in Redis its chunks are filled one after another, and a single one becomes a listpack.
    """
    made = List()
    quick = made._enlarge()
    for text in texts:
        quick.push_tail(text, limits.list_listpack_size)
    made.settle(limits)
    return made


def _encoded(argv: list[bytes], first: int) -> list[bytes]:
    return [encode_entry(argv[index]) for index in range(first, len(argv))]
