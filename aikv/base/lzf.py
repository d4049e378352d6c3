"""LZF, the compression of strings in RDB files, in liblzf's stream format.

Theory of operation: the stream is a row of tokens. A control byte below 32 says that control + 1 literal
bytes follow. Any other control byte is a back reference: its upper three bits are the length minus 2 (7 means
that another byte adds to it), its lower five bits and the next byte are the distance minus 1. So a reference
copies 3 to 264 bytes from at most 8192 bytes back, and may overlap what it writes, which is how runs are
packed.

The compressor looks up each three-byte group, by its hash, in a table of last positions. Where it finds nothing for a
while it takes longer steps, so that bytes without repetition (already compressed values) cost little time; any
choice gives a valid stream. The table belongs to the module and is never emptied: each call counts positions from
where the last one ended, so what it finds from before its own begin is too old to be meant.
"""

from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64

from aikv.base.pieces import add_piece

_MAX_LITERAL: Final = 32
_MIN_MATCH: Final = 3
_MAX_MATCH: Final = 264
_WINDOW: Final = 8192
_LONG_MATCH: Final = 7
# After 2^this many misses in a row the step grows by one byte.
_SKIP_BITS: Final = 6
_HASH_BITS: Final = 13
_HASH_SHIFT: Final = 24 - _HASH_BITS
_HASH_MASK: Final = (1 << _HASH_BITS) - 1
# An odd number near 2^24 divided by the golden ratio spreads groups that differ in a few bits (Knuth, vol. 3, 6.4).
_HASH_FACTOR: Final = 10368889
_LONGER: Final = "LZF stream is longer than stated"
_LITERAL_HEADS: Final[list[bytes]] = [bytes((size - 1,)) for size in range(1, _MAX_LITERAL + 1)]


class _Seen:
    """Where a group with a given hash was met last, in positions that count on from call to call."""

    def __init__(self) -> None:
        self.last: list[int] = [-1] * (1 << _HASH_BITS)
        self.next_base: i64 = 0


_SEEN: Final = _Seen()


def compress(data: bytes) -> bytes | None:
    """The LZF stream of `data`, or None where it would not be shorter than `data`."""
    size: i64 = len(data)
    seen = _SEEN
    last = seen.last
    base: i64 = seen.next_base
    seen.next_base = base + size
    parts: list[bytes] = []
    made: i64 = 0
    literal_start: i64 = 0
    at: i64 = 0
    misses: i64 = 0
    while at + _MIN_MATCH <= size:
        group: i64 = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
        slot: i64 = (group * _HASH_FACTOR >> _HASH_SHIFT) & _HASH_MASK
        found: i64 = last[slot]
        found -= base
        last[slot] = base + at
        if (
            found < 0
            or at - found > _WINDOW
            or data[found] != data[at]
            or data[found + 1] != data[at + 1]
            or data[found + 2] != data[at + 2]
        ):
            misses += 1
            at += 1 + (misses >> _SKIP_BITS)
            continue
        misses = 0
        limit: i64 = min(size - at, _MAX_MATCH)
        length: i64 = _MIN_MATCH
        while length < limit and data[found + length] == data[at + length]:
            length += 1
        if literal_start < at:
            made += _put_literals(parts, data, literal_start, at)
        distance: i64 = at - found - 1
        if length - 2 < _LONG_MATCH:
            parts.append(bytes(((length - 2) << 5 | distance >> 8, distance & 0xFF)))
            made += 2
        else:
            parts.append(bytes((_LONG_MATCH << 5 | distance >> 8, length - 2 - _LONG_MATCH, distance & 0xFF)))
            made += 3
        at += length
        literal_start = at
        if made >= size:
            return None
    if literal_start < size:
        made += _put_literals(parts, data, literal_start, size)
    return b"".join(parts) if made < size else None


def _put_literals(parts: list[bytes], data: bytes, start: i64, end: i64) -> i64:
    """Add the literals `data[start:end]`; returns how many bytes they take."""
    taken: i64 = 0
    while start < end:
        stop: i64 = min(start + _MAX_LITERAL, end)
        parts.append(_LITERAL_HEADS[stop - start - 1])
        parts.append(data[start:stop])
        taken += 1 + stop - start
        start = stop
    return taken


def decompress(data: bytes, length: int) -> bytes:
    """The `length` bytes that the LZF stream `data` stands for.

    Raises ValueError where a token is cut short, refers to before the start, or where the result has another
    length. No more than `length` bytes are ever made, and memory grows only as tokens are read.
    """
    out = BytesWriter()
    size: i64 = len(data)
    wanted: i64 = length
    at: i64 = 0
    made: i64 = 0
    while at < size:
        control: i64 = data[at]
        at += 1
        if control < _MAX_LITERAL:
            stop: i64 = at + control + 1
            if stop > size:
                raise ValueError("LZF literal runs past the end of its stream")
            made += control + 1
            if made > wanted:
                raise ValueError(_LONGER)
            add_piece(out, data, at, stop)
            at = stop
        else:
            count: i64 = control >> 5
            if count == _LONG_MATCH:
                if at >= size:
                    raise ValueError("LZF reference without its length")
                count += data[at]
                at += 1
            if at >= size:
                raise ValueError("LZF reference without its distance")
            found: i64 = made - ((control & 0x1F) << 8 | data[at]) - 1
            at += 1
            count += 2
            if found < 0:
                raise ValueError("LZF reference to before the start")
            made += count
            if made > wanted:
                raise ValueError(_LONGER)
            # Byte by byte, because a reference may overlap what it writes: what is there repeats until the count is
            # reached.
            while count > 0:
                out.append(out[found])
                found += 1
                count -= 1
    if made != wanted:
        raise ValueError("LZF stream is shorter than stated")
    return out.getvalue()
