"""LZF, the compression of strings in RDB files, in liblzf's stream format.

Theory of operation: the stream is a row of tokens. A control byte below 32 says that control + 1 literal
bytes follow. Any other control byte is a back reference: its upper three bits are the length minus 2 (7 means
that another byte adds to it), its lower five bits and the next byte are the distance minus 1. So a reference
copies 3 to 264 bytes from at most 8192 bytes back, and may overlap what it writes, which is how runs are
packed.

The compressor looks up each three-byte group in a table of last positions. Where it finds nothing for a while
it takes longer steps, so that bytes without repetition (already compressed values) cost little time; any
choice gives a valid stream.
"""

from typing import Final

from mypy_extensions import i64

_MAX_LITERAL: Final = 32
_MIN_MATCH: Final = 3
_MAX_MATCH: Final = 264
_WINDOW: Final = 8192
_LONG_MATCH: Final = 7
# After 2^this many misses in a row the step grows by one byte.
_SKIP_BITS: Final = 6
# Positions that are kept before the table starts anew: bounds its memory whatever the input's size.
_TABLE_LIMIT: Final = 4 * _WINDOW


def compress(data: bytes) -> bytes | None:
    """The LZF stream of `data`, or None where it would not be shorter than `data`."""
    size: i64 = len(data)
    out = bytearray()
    last_seen: dict[bytes, int] = {}
    literal_start: i64 = 0
    at: i64 = 0
    misses: i64 = 0
    while at + _MIN_MATCH <= size:
        group = data[at : at + _MIN_MATCH]
        seen: i64 = last_seen.get(group, -1)
        if len(last_seen) >= _TABLE_LIMIT:
            last_seen.clear()
        last_seen[group] = at
        if seen < 0 or at - seen > _WINDOW:
            misses += 1
            at += 1 + (misses >> _SKIP_BITS)
            continue
        misses = 0
        length = _match_length(data, seen, at, size)
        _put_literals(out, data, literal_start, at)
        _put_reference(out, at - seen - 1, length - 2)
        at += length
        literal_start = at
        if len(out) >= size:
            return None
    _put_literals(out, data, literal_start, size)
    return bytes(out) if len(out) < size else None


def _match_length(data: bytes, seen: i64, at: i64, size: i64) -> i64:
    limit: i64 = min(size - at, _MAX_MATCH)
    length: i64 = _MIN_MATCH
    while length < limit and data[seen + length] == data[at + length]:
        length += 1
    return length


def _put_literals(out: bytearray, data: bytes, start: i64, end: i64) -> None:
    while start < end:
        stop: i64 = min(start + _MAX_LITERAL, end)
        out.append(stop - start - 1)
        out += data[start:stop]
        start = stop


def _put_reference(out: bytearray, offset: i64, length: i64) -> None:
    if length < _LONG_MATCH:
        out.append((length << 5) | (offset >> 8))
    else:
        out.append((_LONG_MATCH << 5) | (offset >> 8))
        out.append(length - _LONG_MATCH)
    out.append(offset & 0xFF)


def decompress(data: bytes, length: int) -> bytes:
    """The `length` bytes that the LZF stream `data` stands for.

    Raises ValueError where a token is cut short, refers to before the start, or where the result has another
    length. No more than `length` bytes are ever made, and memory grows only as tokens are read.
    """
    out = bytearray()
    size: i64 = len(data)
    at: i64 = 0
    made: i64 = 0
    while at < size:
        control: i64 = data[at]
        at += 1
        if control < _MAX_LITERAL:
            count: i64 = control + 1
            if at + count > size:
                raise ValueError("LZF literal runs past the end of its stream")
            out += data[at : at + count]
            at += count
        else:
            count = control >> 5
            if count == _LONG_MATCH:
                if at >= size:
                    raise ValueError("LZF reference without its length")
                count += data[at]
                at += 1
            if at >= size:
                raise ValueError("LZF reference without its distance")
            distance: i64 = (((control & 0x1F) << 8) | data[at]) + 1
            at += 1
            count += 2
            if distance > made:
                raise ValueError("LZF reference to before the start")
            _copy_back(out, made - distance, distance, count)
        made += count
        if made > length:
            raise ValueError("LZF stream is longer than stated")
    if made != length:
        raise ValueError("LZF stream is shorter than stated")
    return bytes(out)


def _copy_back(out: bytearray, start: i64, distance: i64, count: i64) -> None:
    if count <= distance:
        out += out[start : start + count]
        return
    # The copy overlaps itself: what is there repeats until the count is reached.
    out += (out[start:] * (count // distance + 1))[:count]
