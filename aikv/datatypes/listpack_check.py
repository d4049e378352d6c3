"""Listpacks that come from outside: a file, a payload of RESTORE.

Theory of operation: one walk sees that every entry is within the bytes, that its two lengths agree and that the header
counts right, so that nothing else has to doubt a listpack. Entries that are not what `encode_entry` would make of their
text are allowed there, as in Redis, but not in here: such a listpack is made anew.
"""

from mypy_extensions import i64

from aikv.datatypes.listpack import END_BYTE, FIRST, HEADER_BYTES, UNCOUNTED, entries, from_texts
from aikv.datatypes.listpack_entry import backlen, backlen_size, bare_size, is_canonical


def validated(data: bytes) -> bytes:
    """The canonical listpack with the elements of `data`, which is not trusted; mostly `data` itself. O(bytes).

    Raises ValueError, with what is wrong, unless `data` is one whole listpack.
    """
    size: i64 = len(data)
    if size < HEADER_BYTES + 1 or data[size - 1] != END_BYTE:
        raise ValueError("a listpack without an end")
    if data[0] | data[1] << 8 | data[2] << 16 | data[3] << 24 != size:
        raise ValueError(f"a listpack of {size} bytes that says otherwise")
    end: i64 = size - 1
    offset: i64 = FIRST
    count: i64 = 0
    canonical = True
    while offset < end:
        count += 1
        first: i64 = data[offset]
        if 0x80 <= first < 0xC0:
            # Short texts, which are most, take a third of the time this way.
            behind: i64 = offset + first - 0x80 + 2
            if behind <= end and data[behind - 1] == first - 0x80 + 1:
                if canonical and data[offset + 1] <= 0x39 and not is_canonical(data, offset, behind - offset):
                    canonical = False
                offset = behind
                continue
        taken: i64 = _checked_size(data, offset, end)
        if canonical and not is_canonical(data, offset, taken):
            canonical = False
        offset += taken
    stated: i64 = data[4] | data[5] << 8
    if stated == UNCOUNTED:
        canonical = canonical and count >= UNCOUNTED
    elif stated != count:
        raise ValueError(f"a listpack of {count} elements that says {stated}")
    return data if canonical else from_texts(entries(data))


def _checked_size(data: bytes, offset: i64, end: i64) -> i64:
    """As `entry_size`; raises ValueError unless the whole entry stands before `end` and its backlen is right."""
    first: i64 = data[offset]
    if first > 0xF4:
        raise ValueError(f"unknown listpack encoding {first:#04x}")
    head: i64 = 5 if first == 0xF0 else 2 if first >= 0xE0 else 1
    if offset + head > end:
        raise ValueError("a listpack entry without its length")
    bare: i64 = bare_size(data, offset, first)
    size: i64 = bare + backlen_size(bare)
    if offset + size > end:
        raise ValueError("a listpack entry beyond the end")
    # A walk from the end must meet the same entries, or it would leave the bytes.
    last: i64 = data[offset + size - 1]
    if last != bare if bare <= 0x7F else data[offset + bare : offset + size] != backlen(bare):
        raise ValueError("a listpack entry whose two lengths differ")
    return size
