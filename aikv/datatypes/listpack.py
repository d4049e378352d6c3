"""Listpack: a sequence of strings and integers in one `bytes`, as small collections are held.

Theory of operation: six bytes of header (total size as u32, number of elements as u16, both little endian), the
entries (`listpack_entry`) one after another, and 0xFF. More than 65534 elements are not counted in the header. Source:
listpack.c of Redis 7.

The functions take the whole `bytes` and offsets of entries; a change makes a new `bytes`. That costs one copy of a few
hundred bytes, and in return a copy of a collection, or a snapshot, costs nothing.

Every listpack here is canonical: each entry is what `encode_entry` makes of its text. So two entries are equal if
their bytes are, which lets `find` leave the search to `bytes.find` and walk only as far as the first hit. What comes
from outside passes through `listpack_check`, which sees to that.
"""

import struct
from typing import Final

from librt.strings import BytesWriter, read_i64_le, write_i32_le
from mypy_extensions import i32, i64, u8

from aikv.base.form import COMPILED
from aikv.base.row import Row, worth_while
from aikv.datatypes.listpack_entry import (
    encode_entry,
    encode_integer,
    encoded_size,
    entry_at,
    entry_size,
    integer_at,
    is_integer,
    joined,
)

__all__ = [
    "EMPTY",
    "END_BYTE",
    "FIRST",
    "HEADER_BYTES",
    "SAFE_BYTES",
    "SHORT_STRING",
    "UNCOUNTED",
    "append",
    "delete",
    "encode_entry",
    "encode_integer",
    "encoded_size",
    "end_offset",
    "entries",
    "entries_from",
    "entry_at",
    "entry_size",
    "find",
    "from_entries",
    "from_texts",
    "header",
    "holds",
    "insert",
    "integer_at",
    "is_integer",
    "is_short_string",
    "last_offset",
    "length",
    "offset_of",
    "prepend",
    "previous_offset",
    "replace",
    "row_of",
    "safe_to_add",
    "splice",
]

HEADER_BYTES: Final = 6
_HEADER: Final = struct.Struct("<IH")
# Offset of the first entry.
FIRST: Final = 6
END_BYTE: Final = 0xFF
EMPTY: Final = b"\x07\0\0\0\0\0\xff"
# The number in the header once it is too small for the elements.
UNCOUNTED: Final = 0xFFFF
# In a listpack of this size or less it is not worth while to ask first whether the bytes are there at all.
_WALKED: Final = 512
# So many elements are worth a look whether they are alike.
_MANY: Final = 8
# Texts shorter than this are stored as they are, unless they are integers, behind a byte that is this and their size.
_SHORT: Final = 64
SHORT_STRING: Final = 0x80
_INTEGER_CHARS: Final = 20
_WORD: Final = 8
# Two bytes of a header that say a small number, and those that follow them in a small size.
_SMALL_NUMBERS: Final[list[bytes]] = [number.to_bytes(2, "little") for number in range(1024)]
_SMALL: Final = 1024
_ZEROS: Final = b"\0\0"
# A listpack that would outgrow this takes another form, whatever the thresholds say. Redis's own limit.
SAFE_BYTES: Final = 1 << 30


def from_entries(encoded: list[bytes]) -> bytes:
    """The listpack of entries that `encode_entry` or `encode_integer` made. O(bytes)."""
    return splice(EMPTY, FIRST, FIRST, b"".join(encoded), len(encoded))


def from_texts(texts: list[bytes]) -> bytes:
    """The listpack of `texts`. O(bytes)."""
    return from_entries([encode_entry(text) for text in texts])


def length(pack: bytes) -> i64:
    """The number of elements. O(1) below 65535, else O(elements)."""
    count: i64 = pack[4] | pack[5] << 8
    if count != UNCOUNTED:
        return count
    count = 0
    offset: i64 = FIRST
    end: i64 = len(pack) - 1
    while offset < end:
        offset += entry_size(pack, offset)
        count += 1
    return count


def previous_offset(pack: bytes, offset: i64) -> i64:
    """The offset of the entry before `offset` (of an entry, or of the end byte); -1 where there is none."""
    if offset == FIRST:
        return -1
    place: i64 = offset - 1
    byte: i64 = pack[place]
    size: i64 = byte & 0x7F
    shift: i64 = 0
    while byte & 0x80:
        place -= 1
        shift += 7
        byte = pack[place]
        size |= (byte & 0x7F) << shift
    return place - size


def last_offset(pack: bytes) -> i64:
    """The offset of the last entry; -1 in an empty listpack."""
    return previous_offset(pack, len(pack) - 1)


def end_offset(pack: bytes) -> i64:
    """The offset of the end byte: where a walk forward ends, and where an insertion appends."""
    return len(pack) - 1


def offset_of(pack: bytes, index: i64) -> i64:
    """The offset of element `index`, counted from the end where negative; -1 outside. O(distance to the nearer end)."""
    count: i64 = length(pack)
    if index < 0:
        index += count
    if index < 0 or index >= count:
        return -1
    if index * 2 < count:
        offset: i64 = FIRST
        while index:
            offset += entry_size(pack, offset)
            index -= 1
        return offset
    offset = len(pack) - 1
    while index < count:
        offset = previous_offset(pack, offset)
        index += 1
    return offset


def find(pack: bytes, text: bytes, start: i64 = FIRST, skip: i64 = 0) -> i64:
    """The offset of the first entry that holds `text`, or -1.

    The search begins with the entry at `start`, and `skip` entries are passed over after each one that is looked at: 1
    finds a field among fields and values. O(bytes), of which those before the hit are walked.
    """
    if COMPILED and is_short_string(text):
        if len(pack) > _WALKED and text not in pack:
            return -1
        return _walk_to_text(pack, text, start, skip)
    entry = encode_entry(text)
    if len(pack) > _WALKED and entry not in pack:
        return -1
    if COMPILED:
        return _walk_to(pack, entry, start, skip)
    offset: i64 = start
    # Entries still to pass over before one that counts.
    wait: i64 = 0
    hit: i64 = pack.find(entry, offset)
    while hit >= 0:
        while offset < hit:
            offset += entry_size(pack, offset)
            wait = skip if wait == 0 else wait - 1
        if offset == hit:
            if wait == 0:
                return hit
            offset += len(entry)
            wait -= 1
        hit = pack.find(entry, offset)
    return -1


def _walk_to(pack: bytes, entry: bytes, offset: i64, skip: i64) -> i64:
    """As `find`, from entry to entry, without calls into Python: compiled, three times faster."""
    end: i64 = len(pack) - 1
    size: i64 = len(entry)
    wait: i64 = 0
    while offset < end:
        taken: i64 = entry_size(pack, offset)
        if wait > 0:
            wait -= 1
        elif taken != size:
            wait = skip
        else:
            same: i64 = 0
            while same < size and pack[offset + same] == entry[same]:
                same += 1
            if same == size:
                return offset
            wait = skip
        offset += taken
    return -1


def is_short_string(text: bytes) -> bool:
    """Whether `text` surely is stored as a short string, and has a byte."""
    size: i64 = len(text)
    if size == 0 or size >= _SHORT:
        return False
    first: i64 = text[0]
    return size > _INTEGER_CHARS or first > 57 or (first < 48 and first != 45)


def _walk_to_text(pack: bytes, text: bytes, offset: i64, skip: i64) -> i64:
    """As `_walk_to` for the entry of a short string, which is not made: a tenth of the instructions of HSET."""
    end: i64 = len(pack) - 1
    size: i64 = len(text)
    wanted: i64 = SHORT_STRING | size
    wait: i64 = 0
    while offset < end:
        first: i64 = pack[offset]
        if wait > 0:
            wait -= 1
        elif first == wanted and _same(pack, offset + 1, text, size):
            return offset
        else:
            wait = skip
        if first < 0x80:
            offset += 2
        elif first < 0xC0:
            offset += (first & 0x3F) + 2
        else:
            offset += entry_size(pack, offset)
    return -1


def _same(pack: bytes, offset: i64, text: bytes, size: i64) -> bool:
    """Whether the `size` bytes from `offset` on are those of `text`; eight of them at a time."""
    place: i64 = 0
    last: i64 = size - _WORD
    if last < 0:
        while place < size:
            here: i64 = pack[offset + place]
            there: i64 = text[place]
            if here != there:
                return False
            place += 1
        return True
    while place < last:
        if read_i64_le(pack, offset + place) != read_i64_le(text, place):
            return False
        place += _WORD
    # The last eight, of which some may have been compared.
    return read_i64_le(pack, offset + last) == read_i64_le(text, last)


def holds(pack: bytes, offset: i64, text: bytes) -> bool:
    """Whether the entry at `offset` holds `text`."""
    if COMPILED:
        first: i64 = pack[offset]
        if 0x80 <= first < 0xC0:
            size: i64 = len(text)
            return size == first & 0x3F and _same(pack, offset + 1, text, size)
    return entry_at(pack, offset) == text


def entries(pack: bytes) -> list[bytes]:
    """The texts of all elements. O(bytes)."""
    return entries_from(pack, FIRST, len(pack))


def entries_from(pack: bytes, offset: i64, count: i64) -> list[bytes]:
    """The texts of `count` elements, or of as many as there are, from the entry at `offset` on."""
    end: i64 = len(pack) - 1
    if not COMPILED and count >= _MANY and offset < end:
        alike = _alike(pack, offset, min(count, length(pack)))
        if alike is not None:
            return alike
    found: list[bytes] = []
    while count > 0 and offset < end:
        first: i64 = pack[offset]
        if 0x80 <= first < 0xC0:
            # A short string, as most are, without two calls that would look at its first byte again.
            behind: i64 = offset + 1 + (first & 0x3F)
            found.append(pack[offset + 1 : behind])
            offset = behind + 1
        else:
            found.append(entry_at(pack, offset))
            offset += entry_size(pack, offset)
        count -= 1
    return found


def _alike(pack: bytes, offset: i64, count: i64) -> list[bytes] | None:
    """As `entries_from` for `count` short strings that are equally long; None where they are something else.

    Interpreted, that takes a third of the time of a walk.
    """
    size: i64 = _common_size(pack, offset, count)
    if size < 0:
        return None
    stride: i64 = size + 2
    first: i64 = offset + 1
    return [pack[start : start + size] for start in range(first, first + count * stride, stride)]


def row_of(pack: bytes, offset: i64, count: i64) -> Row | None:
    """The texts of the `count` elements, which are there, from the entry at `offset` on; None where they are no row."""
    size: i64 = _common_size(pack, offset, count)
    if size < 0 or not worth_while(size, count):
        return None
    return Row(pack, offset + 1, size + 2, size, count)


def _common_size(pack: bytes, offset: i64, count: i64) -> i64:
    """The size of each of `count` short strings from the entry at `offset` on; -1 where they are something else.

    If one entry begins as the one before it does, so does the next one stand as far behind it.
    """
    first: i64 = pack[offset]
    if not 0x80 <= first < 0xC0:
        return -1
    size: i64 = first & 0x3F
    stride: i64 = size + 2
    stop: i64 = offset + count * stride
    if stop >= len(pack) or pack[offset:stop:stride].count(first) != count:
        return -1
    return size


def splice(pack: bytes, start: i64, end: i64, encoded: bytes, change: i64) -> bytes:
    """`pack` with what stands from offset `start` to before `end` replaced by the entries in `encoded`.

    `change` is by how many the number of elements grows. All other changes are made of this one. O(bytes).
    """
    if change == 0 and end - start == len(encoded):
        return joined(pack[:start], encoded, pack[end:])
    total: i64 = len(pack) - (end - start) + len(encoded)
    count: i64 = pack[4] | pack[5] << 8
    if count != UNCOUNTED:
        count = min(count + change, UNCOUNTED)
    if COMPILED and total < _SMALL and count < _SMALL:
        # One object in place of six.
        size = _SMALL_NUMBERS[total]
        return b"%b%b%b%b%b%b" % (size, _ZEROS, _SMALL_NUMBERS[count], pack[FIRST:start], encoded, pack[end:])
    return b"".join((header(total, count), pack[FIRST:start], encoded, pack[end:]))


def header(size: i64, count: i64) -> bytes:
    """The first bytes of a listpack of `size` bytes that says it has `count` elements, at most `UNCOUNTED`."""
    if not COMPILED:
        return _HEADER.pack(size, count)
    writer = BytesWriter()
    write_i32_le(writer, i32(size))
    # Not as `i64`, with which mypyc would look the method up and box.
    writer.append(u8(count & 0xFF))
    writer.append(u8(count >> 8))
    return writer.getvalue()


def append(pack: bytes, text: bytes) -> bytes:
    """`pack` with `text` as one more element at the end."""
    end: i64 = len(pack) - 1
    return splice(pack, end, end, encode_entry(text), 1)


def prepend(pack: bytes, text: bytes) -> bytes:
    """`pack` with `text` as one more element at the beginning."""
    return splice(pack, FIRST, FIRST, encode_entry(text), 1)


def insert(pack: bytes, offset: i64, text: bytes) -> bytes:
    """`pack` with `text` as one more element before the entry (or the end byte) at `offset`."""
    return splice(pack, offset, offset, encode_entry(text), 1)


def replace(pack: bytes, offset: i64, text: bytes) -> bytes:
    """`pack` with `text` in the place of the entry at `offset`; `pack` itself where that holds `text`."""
    if COMPILED and holds(pack, offset, text):
        return pack
    encoded = encode_entry(text)
    # An entry that begins like another one is equal to it: its first bytes say how long it is.
    if not COMPILED and pack.startswith(encoded, offset):
        return pack
    return splice(pack, offset, offset + entry_size(pack, offset), encoded, 0)


def delete(pack: bytes, offset: i64, count: i64 = 1) -> bytes:
    """`pack` without `count` elements, or as many as there are, from the entry at `offset` on."""
    stop: i64 = offset
    end: i64 = len(pack) - 1
    removed: i64 = 0
    while removed < count and stop < end:
        stop += entry_size(pack, stop)
        removed += 1
    return splice(pack, offset, stop, b"", -removed)


def safe_to_add(pack: bytes, more: i64) -> bool:
    """Whether `pack` may take `more` bytes of text and stay a listpack."""
    return len(pack) + more <= SAFE_BYTES
