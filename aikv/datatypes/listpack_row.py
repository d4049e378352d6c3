"""Listpacks made of texts that stand in a row in a file.

Theory of operation: a file has a small set as texts behind their lengths, of one byte where they are short. The
entry of a short text that is no number has the length before the text, too, with one bit more, and once more behind
it. So the entries are made by copying from the one row to the other, and no object is made of any text.
"""

from typing import Final

from librt.strings import BytesWriter, write_i16_le, write_i32_le
from mypy_extensions import i16, i64, u8

from aikv.base.pieces import add_piece
from aikv.datatypes.listpack import END_BYTE, HEADER_BYTES

# The longest text whose length takes the rest of its entry's first byte, and that byte's other bits.
_LONGEST: Final = 63
_SHORT_TEXT: Final = 0x80
# No number begins with a greater byte.
_LAST_DIGIT: Final = 0x39
# Its header counts no more than these for certain, nor are there more in what is small.
_MOST: Final = 0x7FFF


def from_row(data: bytes, start: i64, count: i64, longest: i64) -> bytes | None:
    """The listpack of the `count` texts, each behind its length, that stand from `data[start]` on; O(bytes).

    None unless all of them are there, and are short texts, of at most `longest` bytes, that cannot be numbers. The row
    takes `row_size` bytes.
    """
    if count > _MOST:
        return None
    end: i64 = len(data)
    longest = min(longest, _LONGEST)
    pack = BytesWriter()
    write_i32_le(pack, 0)
    write_i16_le(pack, i16(count))
    at: i64 = start
    left: i64 = count
    while left > 0:
        # A length, and the first byte of a text.
        if at + 1 >= end:
            return None
        size: i64 = data[at]
        behind: i64 = at + 1 + size
        if size == 0 or size > longest or behind > end or data[at + 1] <= _LAST_DIGIT:
            return None
        pack.append(u8(_SHORT_TEXT | size))
        add_piece(pack, data, at + 1, behind)
        pack.append(u8(size + 1))
        at = behind
        left -= 1
    pack.append(END_BYTE)
    total: i64 = len(pack)
    pack[0] = u8(total & 0xFF)
    pack[1] = u8(total >> 8 & 0xFF)
    pack[2] = u8(total >> 16 & 0xFF)
    return pack.getvalue()


def row_size(pack: bytes, count: i64) -> i64:
    """The bytes of the row that `from_row` made `pack` of: one less for each text, and without header and end."""
    return len(pack) - HEADER_BYTES - 1 - count
