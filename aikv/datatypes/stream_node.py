"""A node of a stream: up to some hundred entries in one piece of bytes, laid out as Redis lays them out.

Theory of operation: Redis keeps a node as a listpack, which is also what its files hold. It begins with the master
entry: the number of entries, the number of those that are deleted, the field names of the first entry, and a zero. Each
entry is its flags, its id as two differences from the node's, its fields and values (the values alone where the fields
are those of the master entry), and the number of these elements, by which one can walk backwards. A deleted entry is
flagged and stays where it is. Source: t_stream.c of Redis 7.

Here the counts are numbers, and the entries stand in `_body`, which begins with as many bytes as a listpack's header
has, so that the functions of `listpack` take it; `pack` puts the listpack together, `stream_unpack` takes it apart. New
entries are collected in a list and joined with the body when somebody reads, or when they are many, so that appending
costs no more in a large node than in a small one. Trimming from the front moves `_front`, behind which every entry
counts as deleted, whatever its flags say; so trimming one entry by one does not copy the node each time.

All methods that read entries take and give ids whole, as `stream_id` has them.
"""

from typing import Final

from mypy_extensions import i64

from aikv.datatypes import listpack
from aikv.datatypes.listpack import FIRST
from aikv.datatypes.memory import allocated, sampled
from aikv.datatypes.stream_id import SEQUENCE_BITS, U64_MAX

# Flags of an entry.
DELETED: Final = 1
SAME_FIELDS: Final = 2

# Elements of an entry besides fields and values: flags and the two halves of its id.
_HEAD_ELEMENTS: Final = 3
_SIGN: Final = 1 << 63
_ROOM: Final = bytes(FIRST)
_SMALL_ENTRIES: Final[list[bytes]] = [listpack.encode_integer(number) for number in range(128)]
_ZERO: Final = listpack.encode_integer(0)
# New entries are joined with the body once they take more than this and a quarter of it.
_FEW_BYTES: Final = 512

Entry = tuple[int, list[bytes]]


class StreamNode:
    """Entries from id `id` on; `fields` is the encoded field names of the first one, `width` their number.

    `live` and `dead` count entries; `last` is the id of the last entry, deleted or not.
    """

    def __init__(self, number: int, fields: bytes, width: i64) -> None:
        self.id: Final = number
        self._ms: Final = number >> SEQUENCE_BITS
        self._seq: Final = number & U64_MAX
        self.last = number
        self.fields: Final = fields
        self.width: Final[i64] = width
        self.live: i64 = 0
        self.dead: i64 = 0
        self._body: bytes = _ROOM
        self._fresh: list[bytes] = []
        self._fresh_bytes: i64 = 0
        # Offset in the body before which every entry is deleted.
        self._front: i64 = FIRST
        # Elements in the body.
        self._elements: i64 = 0

    def memory(self) -> int:
        """Bytes of it."""
        fresh = self._fresh
        held = allocated(self) + allocated(self.fields) + allocated(self._body)
        return held + allocated(fresh) + sampled(fresh, len(fresh), 0)

    def append(self, number: int, fields: bytes, width: i64, encoded: list[bytes], values: list[bytes]) -> None:
        """Add the entry `number`, which is above `last`. O(entry).

        `fields` is its field names encoded one after another, `encoded` one by one, and `values` its encoded values.
        """
        same = fields == self.fields
        count: i64 = width + _HEAD_ELEMENTS
        ms: i64 = _signed((number >> SEQUENCE_BITS) - self._ms)
        seq: i64 = _signed((number & U64_MAX) - self._seq)
        parts = [_integer(SAME_FIELDS if same else 0), _integer(ms), _integer(seq)]
        if same:
            parts += values
        else:
            count += width + 1
            parts.append(_integer(width))
            for index in range(len(values)):
                parts.append(encoded[index])
                parts.append(values[index])
        parts.append(_integer(count))
        entry = b"".join(parts)
        self._fresh.append(entry)
        self._fresh_bytes += len(entry)
        self._elements += count + 1
        self.live += 1
        self.last = number
        if self._fresh_bytes > _FEW_BYTES and self._fresh_bytes * 4 > len(self._body):
            self._settle()

    def size(self) -> i64:
        """The bytes of the node as a listpack. O(1)."""
        master: i64 = _integer_size(self.live) + _integer_size(self.dead) + _integer_size(self.width) + len(self.fields)
        # The zero behind the fields, and the end.
        return master + len(_ZERO) + len(self._body) + self._fresh_bytes + 1

    def has(self, number: int) -> bool:
        """Whether there is an entry `number` that is not deleted. O(n)."""
        return self._find(number) >= 0

    def delete(self, number: int) -> bool:
        """Delete the entry `number`; whether it was there. O(bytes)."""
        offset: i64 = self._find(number)
        if offset < 0:
            return False
        body = self._body
        self._body = b"".join((body[:offset], bytes((body[offset] | DELETED,)), body[offset + 1 :]))
        self.live -= 1
        self.dead += 1
        return True

    def trim(self, most: i64, below: int) -> i64:
        """Delete the first entries, at most `most` and none from id `below` on; returns how many. O(their bytes)."""
        self._settle()
        body = self._body
        end: i64 = len(body)
        offset: i64 = self._front
        removed: i64 = 0
        while offset < end and removed < most and self._id_at(offset) < below:
            if not body[offset] & DELETED:
                removed += 1
            offset = self._after(offset)
        self._front = offset
        self.live -= removed
        self.dead += removed
        return removed

    def cut_end(self) -> None:
        """Take out the deleted entries behind the last living one; there is one. O(bytes taken out)."""
        self._settle()
        end: i64 = len(self._body)
        offset: i64 = self._before(end)
        while self._body[offset] & DELETED:
            self._elements -= 1 + listpack.integer_at(self._body, listpack.previous_offset(self._body, end))
            self.dead -= 1
            end = offset
            offset = self._before(end)
        self._body = self._body[:end]
        self.last = self._id_at(offset)

    def first_live(self) -> int:
        """The id of the first entry that is not deleted; there is one. O(entries before it)."""
        self._settle()
        offset: i64 = self._front
        while self._body[offset] & DELETED:
            offset = self._after(offset)
        return self._id_at(offset)

    def last_live(self) -> int:
        """The id of the last entry that is not deleted; there is one. O(entries after it)."""
        self._settle()
        offset: i64 = self._before(len(self._body))
        while self._body[offset] & DELETED:
            offset = self._before(offset)
        return self._id_at(offset)

    def collect(self, start: int, end: int, most: i64, found: list[Entry]) -> None:
        """Add up to `most` entries with ids from `start` to `end` to `found`, ascending. O(n)."""
        self._settle()
        stop: i64 = len(self._body)
        offset: i64 = self._seek(start)
        names: list[bytes] = []
        while offset < stop and most > 0:
            number = self._id_at(offset)
            if number > end:
                return
            if not self._body[offset] & DELETED:
                if not names:
                    names = self._names()
                found.append((number, self._texts(offset, names)))
                most -= 1
            offset = self._after(offset)

    def collect_back(self, start: int, end: int, most: i64, found: list[Entry]) -> None:
        """Add up to `most` entries with ids from `end` down to `start` to `found`, descending. O(n)."""
        self._settle()
        offset: i64 = len(self._body) if end >= self.last else self._seek(end + 1)
        names: list[bytes] = []
        while offset > self._front and most > 0:
            offset = self._before(offset)
            number = self._id_at(offset)
            if number < start:
                return
            if not self._body[offset] & DELETED:
                if not names:
                    names = self._names()
                found.append((number, self._texts(offset, names)))
                most -= 1

    def fill(self, entries: bytes, elements: i64, live: i64, dead: i64, last: int) -> None:
        """Take `entries` as they stand in a listpack; the rest is what there is of them, and the id of the last."""
        self._body = _ROOM + entries
        self._elements = elements
        self.live = live
        self.dead = dead
        self.last = last

    def pack(self) -> bytes:
        """The node as Redis's listpack. O(bytes)."""
        self._settle()
        self._flag_front()
        master = self._master()
        total: i64 = len(master) + len(self._body) + 1
        elements: i64 = min(4 + self.width + self._elements, listpack.UNCOUNTED)
        stated: int = total | elements << 32
        return b"".join((stated.to_bytes(FIRST, "little"), master, self._body[FIRST:], b"\xff"))

    def copy(self) -> "StreamNode":
        """An equal node that shares nothing with this that can change. O(1)."""
        self._settle()
        copied = StreamNode(self.id, self.fields, self.width)
        copied.last = self.last
        copied.live = self.live
        copied.dead = self.dead
        copied._body = self._body
        copied._front = self._front
        copied._elements = self._elements
        return copied

    def _master(self) -> bytes:
        counts = listpack.encode_integer(self.live) + listpack.encode_integer(self.dead)
        return counts + listpack.encode_integer(self.width) + self.fields + _ZERO

    def _settle(self) -> None:
        """Bring new entries into the body."""
        if self._fresh:
            self._body = b"".join((self._body, *self._fresh))
            self._fresh = []
            self._fresh_bytes = 0

    def _flag_front(self) -> None:
        """Flag the entries before the front as deleted."""
        if self._front == FIRST:
            return
        flagged = bytearray(self._body)
        offset: i64 = FIRST
        while offset < self._front:
            flagged[offset] = self._body[offset] | DELETED
            offset = self._after(offset)
        self._body = bytes(flagged)

    def _find(self, number: int) -> i64:
        """The offset of the entry `number`, or -1 where there is none or it is deleted."""
        if number < self.id or number > self.last:
            return -1
        self._settle()
        offset: i64 = self._seek(number)
        if offset == len(self._body) or self._id_at(offset) != number or self._body[offset] & DELETED:
            return -1
        return offset

    def _seek(self, number: int) -> i64:
        """The offset of the first entry behind the front whose id is not below `number`, or of the end.

        It is looked for from the end to which its id is nearer.
        """
        offset: i64 = self._front
        end: i64 = len(self._body)
        if number <= self.id:
            return offset
        if number > self.last:
            return end
        if number - self.id < self.last - number:
            while offset < end and self._id_at(offset) < number:
                offset = self._after(offset)
            return offset
        while end > offset:
            before: i64 = self._before(end)
            if self._id_at(before) < number:
                break
            end = before
        return end

    def _id_at(self, offset: i64) -> int:
        body = self._body
        # The flags take two bytes, as every integer below 128.
        offset += 2
        ms = self._ms + listpack.integer_at(body, offset)
        offset += listpack.entry_size(body, offset)
        seq = self._seq + listpack.integer_at(body, offset)
        return (ms & U64_MAX) << SEQUENCE_BITS | seq & U64_MAX

    def _before(self, offset: i64) -> i64:
        """The offset of the entry that ends at `offset`."""
        body = self._body
        offset = listpack.previous_offset(body, offset)
        count: i64 = listpack.integer_at(body, offset)
        while count:
            offset = listpack.previous_offset(body, offset)
            count -= 1
        return offset

    def _after(self, offset: i64) -> i64:
        """The offset behind the entry at `offset`."""
        body = self._body
        same = body[offset] & SAME_FIELDS
        offset += 2
        offset += listpack.entry_size(body, offset)
        offset += listpack.entry_size(body, offset)
        left: i64 = self.width
        if not same:
            left = 2 * listpack.integer_at(body, offset)
            offset += listpack.entry_size(body, offset)
        # The count at the end, too.
        while left >= 0:
            offset += listpack.entry_size(body, offset)
            left -= 1
        return offset

    def _names(self) -> list[bytes]:
        """The fields of the master entry."""
        names: list[bytes] = []
        offset: i64 = 0
        while offset < len(self.fields):
            names.append(listpack.entry_at(self.fields, offset))
            offset += listpack.entry_size(self.fields, offset)
        return names

    def _texts(self, offset: i64, names: list[bytes]) -> list[bytes]:
        """Fields and values of the entry at `offset` in turn; `names` is what `_names` gives."""
        body = self._body
        same = body[offset] & SAME_FIELDS
        offset += 2
        offset += listpack.entry_size(body, offset)
        offset += listpack.entry_size(body, offset)
        if not same:
            count: i64 = 2 * listpack.integer_at(body, offset)
            return listpack.entries_from(body, offset + listpack.entry_size(body, offset), count)
        texts: list[bytes] = []
        for name in names:
            texts.append(name)
            texts.append(listpack.entry_at(body, offset))
            offset += listpack.entry_size(body, offset)
        return texts

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        assert self.live > 0
        assert sum(map(len, self._fresh)) == self._fresh_bytes
        assert self.size() == len(self.pack())
        offset: i64 = FIRST
        living: i64 = 0
        all_entries: i64 = 0
        elements: i64 = 0
        before = self.id - 1
        while offset < len(self._body):
            number = self._id_at(offset)
            assert before < number
            before = number
            living += offset >= self._front and not self._body[offset] & DELETED
            all_entries += 1
            after: i64 = self._after(offset)
            assert self._before(after) == offset
            elements += 1 + listpack.integer_at(self._body, listpack.previous_offset(self._body, after))
            offset = after
        assert (living, all_entries, elements) == (self.live, self.live + self.dead, self._elements)
        assert before == self.last


def _integer(number: i64) -> bytes:
    """The entry that holds `number`, which is mostly small."""
    return _SMALL_ENTRIES[number] if 0 <= number < len(_SMALL_ENTRIES) else listpack.encode_integer(number)


def _integer_size(number: i64) -> i64:
    """The bytes of the entry that holds `number`, which is a count."""
    return 2 if number < 0x80 else 3 if number < 0x1000 else len(listpack.encode_integer(number))


def _signed(difference: int) -> int:
    """`difference` as C gives it back within 64 bits."""
    if -_SIGN <= difference < _SIGN:
        return difference
    difference &= U64_MAX
    return difference - (1 << 64) if difference >= _SIGN else difference
