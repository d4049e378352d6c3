"""Whether elements of a listpack from elsewhere are distinct, as fields and members must be.

Theory of operation: an honest listpack has no element twice, and a Python set of all elements would take most of the
time of loading it. So each entry is turned into a number, and the number into one place in each of three rows of bits
(a Bloom filter, Bloom 1970). An entry that finds one of its three places free is unlike all before it. One that finds
none may still be new, which for eight elements happens once in 300 times, and for a hundred nearly always: only then
the texts themselves are compared.

The number is made of an entry's first eight and last eight bytes, which say what it holds and how long it is. Listpacks
are canonical, so equal texts are equal entries.
"""

from typing import Final

from librt.strings import read_i64_le
from mypy_extensions import i64

from aikv.datatypes.listpack import FIRST, entries, entry_size

# Bits in a row: those of a 64-bit integer without its sign, less one so that no shift comes near it.
_ROW: Final = 62
_WORD: Final = 8
_HALF: Final = 0x7FFFFFFF
# Primes near 2^31 divided by the golden ratio, and by its square: they spread numbers that differ in a few bits.
_FACTOR: Final = 1327217909
_OTHER_FACTOR: Final = 820265761


def are_distinct(pack: bytes, group: i64) -> bool:
    """Whether the first elements of all groups of `group` elements, which `pack` consists of, differ. O(bytes)."""
    first: i64 = 0
    second: i64 = 0
    third: i64 = 0
    offset: i64 = FIRST
    end: i64 = len(pack) - 1
    one: i64 = 1
    while offset < end:
        head: i64 = pack[offset]
        size: i64 = head - 0x80 + 2 if 0x80 <= head < 0xC0 else entry_size(pack, offset)
        # At least the header stands before the shortest entry, so these eight bytes are there.
        word: i64 = read_i64_le(pack, offset + size - _WORD)
        if size < _WORD:
            word >>= 8 * (_WORD - size)
        elif size > _WORD:
            word ^= read_i64_le(pack, offset)
        mixed: i64 = (word & _HALF) * _FACTOR ^ (word >> 32 & _HALF) * _OTHER_FACTOR
        place: i64 = one << ((mixed >> 47 & 0x3FFF) * _ROW >> 14)
        other: i64 = one << ((mixed >> 33 & 0x3FFF) * _ROW >> 14)
        last: i64 = one << ((mixed >> 19 & 0x3FFF) * _ROW >> 14)
        if first & place and second & other and third & last:
            texts = entries(pack)[::group]
            return len(set(texts)) == len(texts)
        first |= place
        second |= other
        third |= last
        offset += size
        passed: i64 = 1
        while passed < group and offset < end:
            head = pack[offset]
            offset += head - 0x80 + 2 if 0x80 <= head < 0xC0 else entry_size(pack, offset)
            passed += 1
    return True
