"""The ziplist: how Redis held small lists, hashes and sorted sets before version 7; read, never written.

Theory of operation: ten bytes of header (total size and offset of the last entry as u32, number of entries as u16,
little endian), the entries, and 0xFF. An entry is the size of the one before it (one byte, or 0xFE and a u32), an
encoding that says whether a string or an integer follows and how long it is, and the data. Source: ziplist.c of Redis.
"""

from typing import Final

from mypy_extensions import i64

_HEADER_BYTES: Final = 10
_END: Final = 0xFF
_LONG_PREVIOUS: Final = 0xFE
_UNCOUNTED: Final = 0xFFFF
# Bytes of the integer that follows each of these encodings.
_INTEGER_BYTES: Final[dict[int, int]] = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
# Between these the encoding holds the number itself, plus one.
_FIRST_IMMEDIATE: Final = 0xF1
_LAST_IMMEDIATE: Final = 0xFD


def ziplist_entries(data: bytes) -> list[bytes]:
    """The texts of all entries of the ziplist `data`, which is not trusted; an integer's is its decimal form.

    Raises ValueError, with what is wrong, unless `data` is one whole ziplist.
    """
    size: i64 = len(data)
    if size <= _HEADER_BYTES or data[size - 1] != _END:
        raise ValueError("a ziplist without an end")
    if _number(data, 0, 4) != size:
        raise ValueError(f"a ziplist of {size} bytes that says otherwise")
    end: i64 = size - 1
    offset: i64 = _HEADER_BYTES
    # Where an empty ziplist says that its last entry is.
    last: i64 = offset
    previous: i64 = 0
    texts: list[bytes] = []
    while offset < end:
        last = offset
        if data[offset] < _LONG_PREVIOUS:
            stated: i64 = data[offset]
            offset += 1
        else:
            stated = _number(data, offset + 1, 4) if offset + 5 <= end else -1
            offset += 5
        if stated != previous:
            raise ValueError("a ziplist entry that does not fit the one before it")
        if offset >= end:
            raise ValueError("a ziplist entry beyond the end")
        offset = _take_data(data, offset, end, texts)
        previous = offset - last
    if _number(data, 4, 4) != last:
        raise ValueError("a ziplist whose last entry stands elsewhere")
    count = _number(data, 8, 2)
    if count not in (_UNCOUNTED, len(texts)):
        raise ValueError(f"a ziplist of {len(texts)} entries that says {count}")
    return texts


def _take_data(data: bytes, offset: i64, end: i64, texts: list[bytes]) -> i64:
    """Append the text whose encoding stands at `offset` to `texts`; returns the offset after it."""
    encoding = data[offset]
    if _FIRST_IMMEDIATE <= encoding <= _LAST_IMMEDIATE:
        texts.append(b"%d" % (encoding - _FIRST_IMMEDIATE))
        return offset + 1
    head: i64 = 1
    length: i64 = _INTEGER_BYTES.get(encoding, -1)
    is_integer = length >= 0
    if encoding < 0x40:
        length = encoding
    elif encoding < 0x80 and offset + 1 < end:
        head = 2
        length = (encoding & 0x3F) << 8 | data[offset + 1]
    elif encoding == 0x80 and offset + 4 < end:
        head = 5
        length = int.from_bytes(data[offset + 1 : offset + 5], "big")
    begin: i64 = offset + head
    if length < 0:
        raise ValueError(f"unknown ziplist encoding {encoding:#04x}")
    if begin + length > end:
        raise ValueError("a ziplist entry beyond the end")
    text = data[begin : begin + length]
    texts.append(b"%d" % int.from_bytes(text, "little", signed=True) if is_integer else text)
    return begin + length


def _number(data: bytes, offset: i64, size: i64) -> int:
    return int.from_bytes(data[offset : offset + size], "little")
