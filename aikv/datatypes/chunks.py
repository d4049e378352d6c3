"""Chunks: the runs of elements that a large list consists of, and how large one may be.

Theory of operation: a chunk holds its elements as the entries of a listpack, in a `bytearray` without header and end
byte, so that either end grows and shrinks in place. To be read it is copied once into the listpack (`pack`) that it
stands for: 8 KiB are copied faster than two elements are decoded, and compiled code indexes `bytes`, not `bytearray`,
without making objects.

At either end some elements may stand loose, as texts: those that were pushed last, until `_LOOSE` of them are packed
together, and those of some hundred bytes that were unpacked for a pop, so that the next pops find them. Whoever asks
for `body` or `pack` has them packed first.

Measured on a million 10-byte elements, compiled, beside chunks that are Python lists of 700 `bytes`: 13 bytes an
element against 57 (Redis 12). A push at either end takes 280 ns, a pop 180, an index in the middle of 20,000 elements
1,460 (up to half a chunk is walked, as in Redis; `benchmarks/micro.py --only list:`). A client waits longer than that
for its reply to be sent, and memory is what large lists run out of.

`list-max-listpack-size` bounds a chunk: where negative its bytes (4 KiB for -1 up to 64 KiB for -5), else its elements,
and then no chunk takes more than 8 KiB either. An element that is larger has a chunk of its own.
"""

from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from aikv.base.form import COMPILED
from aikv.datatypes import listpack
from aikv.datatypes.listpack import FIRST, UNCOUNTED
from aikv.datatypes.listpack_entry import SHORT_HEADS, SHORT_TAILS
from aikv.datatypes.memory import allocated, sampled

# What a listpack has besides its entries.
FRAME_BYTES: Final = 7
_END: Final = b"\xff"
_SMALLEST_CLASS: Final = 4096
_CLASSES: Final = 5
_LARGEST_CLASS: Final = 65536
_SAFE_BYTES: Final = 8192
# What an element may need besides its text, as Redis estimates it.
_ELEMENT_OVERHEAD: Final = 8
# So many bytes at an end become texts at once.
_GLANCE: Final = 400
# So many texts may stand loose at an end.
_LOOSE: Final = 64
# No number begins with a byte that is not less than this.
_BEHIND_NUMBERS: Final = b":"
_BLANK_HEADER: Final = bytes(FIRST)


def exceeds(limit: i64, size: i64, count: i64) -> bool:
    """Whether a listpack of `size` bytes and `count` elements is more than `limit` (list-max-listpack-size) allows."""
    if limit < 0:
        # Not `_class_bytes`: calls are what a push costs when it is interpreted.
        return size > (_SMALLEST_CLASS << (-limit - 1) if limit > -_CLASSES else _LARGEST_CLASS)
    return size > _SAFE_BYTES or count > max(limit, 1)


def within(limit: i64, size: i64, count: i64, part: i64) -> bool:
    """Whether a chunk, all that there is of a list, is small enough for a listpack: at most 1 / `part` of `limit`.

    Unlike `exceeds` Redis knows one measure here: a limit of elements has none of bytes.
    """
    if limit < 0:
        return size <= _class_bytes(limit) // part
    return count <= max(limit, 1) // part


def _class_bytes(limit: i64) -> i64:
    return _SMALLEST_CLASS << (min(-limit, _CLASSES) - 1)


class Chunk:
    """Some consecutive elements of a list, `count` of them."""

    def __init__(self, body: bytearray, count: i64) -> None:
        self.count = count
        self._body = body
        # The elements before the body, the first one last; and those after it.
        self._front: list[bytes] = []
        self._back: list[bytes] = []
        # The bytes that the entries of both will take.
        self._loose: i64 = 0

    def size(self) -> i64:
        """The bytes of `pack`. O(1)."""
        return len(self._body) + self._loose + FRAME_BYTES

    def memory(self) -> int:
        """Bytes of it."""
        held = allocated(self) + allocated(self._body) + allocated(self._front) + allocated(self._back)
        return held + sampled(self._front, len(self._front), 0) + sampled(self._back, len(self._back), 0)

    def body(self) -> bytearray:
        """The entries of all elements; whoever changes it sets `count`. O(bytes) where an end is loose, else O(1)."""
        if self._front:
            self._front.reverse()
            self._body[:0] = _entries(self._front)
            self._front = []
        if self._back:
            self._body += _entries(self._back)
            self._back = []
        self._loose = 0
        return self._body

    def pack(self) -> bytes:
        """The listpack of the elements. O(bytes)."""
        body = self.body()
        return b"".join((listpack.header(self.size(), min(self.count, UNCOUNTED)), body, _END))

    def has_room(self, text: bytes, limit: i64) -> bool:
        """Whether `text` may be added. O(1)."""
        size: i64 = len(self._body) + self._loose + FRAME_BYTES + len(text) + _ELEMENT_OVERHEAD
        if limit < 0 and size <= _SMALLEST_CLASS:
            # As `exceeds` would find, without a call: half of all pushes.
            return True
        return not exceeds(limit, size, self.count + 1)

    def push_head(self, text: bytes) -> None:
        """Put `text` before all others. O(1), amortised."""
        self._front.append(text)
        self._loose += listpack.encoded_size(text)
        self.count += 1
        if len(self._front) >= _LOOSE:
            self.body()

    def push_tail(self, text: bytes) -> None:
        """Put `text` after all others. O(1), amortised."""
        self._back.append(text)
        self._loose += listpack.encoded_size(text)
        self.count += 1
        if len(self._back) >= _LOOSE:
            self.body()

    def insert(self, place: i64, text: bytes) -> None:
        """Put `text` where byte `place` of the body is. O(bytes)."""
        self.body()[place:place] = listpack.encode_entry(text)
        self.count += 1

    def pop_head(self) -> bytes:
        """Remove and return the first element. O(1), amortised."""
        if not self._front:
            if not self._body:
                # All there is came in by the other end.
                self.body()
            self._loosen_front()
        text = self._front.pop()
        self._loose -= listpack.encoded_size(text)
        self.count -= 1
        return text

    def pop_tail(self) -> bytes:
        """Remove and return the last element. O(1), amortised."""
        if not self._back:
            if not self._body:
                self.body()
            self._loosen_back()
        text = self._back.pop()
        self._loose -= listpack.encoded_size(text)
        self.count -= 1
        return text

    def drop_head(self, count: i64) -> None:
        """Remove the first `count` elements, fewer than there are. O(bytes)."""
        offset: i64 = listpack.offset_of(self.pack(), count)
        del self.body()[: offset - FIRST]
        self.count -= count

    def drop_tail(self, count: i64) -> None:
        """Remove the last `count` elements, fewer than there are. O(bytes)."""
        offset: i64 = listpack.offset_of(self.pack(), -count)
        del self.body()[offset - FIRST :]
        self.count -= count

    def split(self, place: i64, index: i64) -> "Chunk":
        """Keep the elements before `index`, which begins at byte `place` of the body; returns a chunk of the others."""
        body = self.body()
        rest = Chunk(body[place:], self.count - index)
        del body[place:]
        self.count = index
        return rest

    def copy(self) -> "Chunk":
        """An equal chunk. O(bytes)."""
        return Chunk(bytearray(self.body()), self.count)

    def _loosen_front(self) -> None:
        """Make the first entries of the body texts again: as many as lie within `_GLANCE` bytes, but one at least."""
        head = bytes(self._body[:_GLANCE])
        size: i64 = listpack.entry_size(head, 0)
        if size > len(head):
            head = bytes(self._body[:size])
        offset: i64 = 0
        # The size of an entry is told by its first bytes; six are enough.
        while offset + 6 <= len(head) or offset == 0:
            first: i64 = head[offset]
            if 0x80 <= first < 0xC0:
                # A short string, without a call.
                behind: i64 = offset + 1 + (first & 0x3F)
                if behind >= len(head):
                    break
                self._front.append(head[offset + 1 : behind])
                offset = behind + 1
                continue
            size = listpack.entry_size(head, offset)
            if offset + size > len(head):
                break
            self._front.append(listpack.entry_at(head, offset))
            offset += size
        del self._body[:offset]
        self._front.reverse()
        self._loose += offset

    def _loosen_back(self) -> None:
        """As `_loosen_front`, of the last entries."""
        # A listpack's walk backwards expects a header before the first entry.
        tail = _BLANK_HEADER + self._body[-_GLANCE:]
        end: i64 = len(tail)
        begin: i64 = listpack.previous_offset(tail, end)
        if begin < FIRST:
            tail = _BLANK_HEADER + self._body[begin - end :]
            end = len(tail)
            begin = FIRST
        last: i64 = end
        while begin >= FIRST:
            self._back.append(listpack.entry_at(tail, begin))
            last = begin
            # As for the first ones: the bytes that tell a size must all be there.
            if begin < FIRST + 6:
                break
            size: i64 = tail[begin - 1]
            begin = begin - 1 - size if size < 0x80 else listpack.previous_offset(tail, begin)
        del self._body[last - end :]
        self._back.reverse()
        self._loose += end - last


def _entries(texts: list[bytes]) -> bytes:
    if not COMPILED:
        return _entries_at_once(texts)
    # No object for each entry: a tenth of a push.
    writer = BytesWriter()
    for text in texts:
        if listpack.is_short_string(text):
            size: i64 = len(text)
            # Not as `i64`, with which mypyc would look the method up and box.
            writer.append(u8(listpack.SHORT_STRING | size))
            writer.write(text)
            writer.append(u8(size + 1))
        else:
            writer.write(listpack.encode_entry(text))
    return writer.getvalue()


def _entries_at_once(texts: list[bytes]) -> bytes:
    """As `_entries`, interpreted: in a third of the time where the texts are equally long and none may be a number."""
    sizes = set(map(len, texts))
    longest = max(sizes)
    if longest >= len(SHORT_HEADS) or min(texts) < _BEHIND_NUMBERS:
        return b"".join([listpack.encode_entry(text) for text in texts])
    if len(sizes) == 1:
        between = SHORT_TAILS[longest] + SHORT_HEADS[longest]
        return SHORT_HEADS[longest] + between.join(texts) + SHORT_TAILS[longest]
    return b"".join([SHORT_HEADS[len(text)] + text + SHORT_TAILS[len(text)] for text in texts])


def chunk_of(pack: bytes) -> Chunk:
    """A chunk of the elements of the listpack `pack`. O(bytes)."""
    return Chunk(bytearray(pack[FIRST:-1]), listpack.length(pack))


def divided(chunk: Chunk, limit: i64) -> list[Chunk]:
    """The elements of `chunk` in chunks as full as `limit` allows. O(bytes)."""
    pack = chunk.pack()
    end: i64 = listpack.end_offset(pack)
    offset: i64 = FIRST
    begin: i64 = FIRST
    count: i64 = 0
    parts: list[Chunk] = []
    while offset < end:
        size: i64 = listpack.entry_size(pack, offset)
        if count > 0 and exceeds(limit, offset + size - begin + FRAME_BYTES, count + 1):
            parts.append(Chunk(bytearray(pack[begin:offset]), count))
            begin = offset
            count = 0
        offset += size
        count += 1
    parts.append(Chunk(bytearray(pack[begin:end]), count))
    return parts


class Matches:
    """Where in a listpack one text stands: the indexes and the offsets of the entries, in order."""

    def __init__(self) -> None:
        self.indexes: list[int] = []
        self.offsets: list[int] = []


def matches(pack: bytes, entry: bytes, most: i64) -> Matches:
    """The first `most` entries of `pack` that equal `entry`. O(bytes); those before the last hit are walked."""
    found = Matches()
    size: i64 = len(entry)
    offset: i64 = FIRST
    index: i64 = 0
    hit: i64 = pack.find(entry, offset)
    while hit >= 0 and most > 0:
        while offset < hit:
            offset += listpack.entry_size(pack, offset)
            index += 1
        if offset == hit:
            found.indexes.append(index)
            found.offsets.append(offset)
            most -= 1
            offset += size
            index += 1
        hit = pack.find(entry, offset)
    return found


def without(pack: bytes, offsets: list[int], size: i64) -> bytes:
    """The entries of `pack`, without header and end byte, but those at `offsets`, of `size` bytes each. O(bytes)."""
    kept: list[bytes] = []
    begin: i64 = FIRST
    for offset in offsets:
        kept.append(pack[begin:offset])
        begin = offset + size
    kept.append(pack[begin : listpack.end_offset(pack)])
    return b"".join(kept)
