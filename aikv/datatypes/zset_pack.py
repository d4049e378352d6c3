"""The small form of a sorted set: one listpack of members and scores in turn, in order.

Theory of operation: as in Redis, a score that is an integer within half of the 64-bit range is stored as one (so -0
becomes 0), any other as the text that a client sees. Nothing but a walk finds a score, so all costs are O(n) with an n
of some hundred; a pair that comes after all others is put there without a walk.
"""

import math
from typing import Final, cast

from mypy_extensions import i64

from aikv.base.numbers import format_double
from aikv.datatypes import listpack
from aikv.datatypes.listpack import FIRST
from aikv.datatypes.listpack_distinct import are_distinct

# Redis takes a score of this size or less for an integer if it has no fraction.
_INTEGER_LIMIT: Final = 4611686018427387904.0
# Every integer up to here is a double of its own.
_EXACT_LIMIT: Final = 1 << 53
# A text with so many digits or fewer, and no more decimals than these, is how its double is printed.
_EXACT_DIGITS: Final = 15
_PLAIN_DECIMALS: Final = 6
_POWERS: Final[list[float]] = [float(10**count) for count in range(_PLAIN_DECIMALS + 1)]
# A digit, the point and a digit.
_MIN_PLAIN: Final = 3
_MINUS: Final = 0x2D
_POINT: Final = 0x2E
_ZERO: Final = 0x30


def encode_score(score: float) -> bytes:
    """The entry of a listpack that holds `score`."""
    if -_INTEGER_LIMIT <= score <= _INTEGER_LIMIT:
        whole = int(score)
        if whole == score:
            return listpack.encode_integer(whole)
    return listpack.encode_entry(format_double(score))


def score_at(pack: bytes, offset: i64) -> float:
    """The score in the entry at `offset`."""
    first: i64 = pack[offset]
    if first < 0x80:
        # A small integer, as many are, without two calls that would look at its first byte again.
        return float(first)
    if listpack.is_integer(pack, offset):
        return float(listpack.integer_at(pack, offset))
    return float(listpack.entry_at(pack, offset))


def score_of(pack: bytes, member: bytes) -> float | None:
    """The score of `member`, or None."""
    offset: i64 = listpack.find(pack, member, FIRST, 1)
    if offset < 0:
        return None
    return score_at(pack, offset + listpack.entry_size(pack, offset))


def locate(pack: bytes, score: float, member: bytes) -> tuple[i64, i64]:
    """How many members come before (`score`, `member`), and the offset of the next one, or of the end byte."""
    end: i64 = listpack.end_offset(pack)
    offset: i64 = FIRST
    offsets: list[int] = []
    while offset < end:
        offsets.append(offset)
        offset += listpack.entry_size(pack, offset)
        offset += listpack.entry_size(pack, offset)
    # To read a score costs as much as walking past ten entries, so only those of a bisection are read.
    low: i64 = 0
    high: i64 = len(offsets)
    while low < high:
        middle: i64 = (low + high) >> 1
        place: i64 = offsets[middle]
        found = score_at(pack, place + listpack.entry_size(pack, place))
        if found < score or (found == score and listpack.entry_at(pack, place) < member):
            low = middle + 1
        else:
            high = middle
    return low, offsets[low] if low < len(offsets) else end


def insert(pack: bytes, member: bytes, score: float) -> bytes:
    """`pack` with `member`, which is not there."""
    offset: i64 = listpack.end_offset(pack)
    if not _comes_last(pack, score, member):
        _, offset = locate(pack, score, member)
    both = listpack.encode_entry(member) + encode_score(score)
    return listpack.splice(pack, offset, offset, both, 2)


def remove(pack: bytes, member: bytes) -> bytes | None:
    """`pack` without `member`; None where it is not there."""
    offset: i64 = listpack.find(pack, member, FIRST, 1)
    return None if offset < 0 else listpack.delete(pack, offset, 2)


def columns(pack: bytes, start: i64, stop: i64) -> tuple[list[bytes], list[object]]:
    """The members with the ranks `start` to before `stop`, all of which are there, and their scores."""
    members: list[bytes] = []
    scores: list[object] = []
    if start >= stop:
        return members, scores
    offset: i64 = listpack.offset_of(pack, 2 * start)
    while start < stop:
        members.append(listpack.entry_at(pack, offset))
        offset += listpack.entry_size(pack, offset)
        scores.append(score_at(pack, offset))
        offset += listpack.entry_size(pack, offset)
        start += 1
    return members, scores


def delete(pack: bytes, start: i64, stop: i64) -> bytes:
    """`pack` without the members with the ranks `start` to before `stop`, all of which are there."""
    if start >= stop:
        return pack
    return listpack.delete(pack, listpack.offset_of(pack, 2 * start), 2 * (stop - start))


def pack_of(members: list[bytes], scores: list[object]) -> bytes:
    """The listpack of `members`, which are in order, and their scores."""
    encoded: list[bytes] = []
    for index in range(len(members)):
        encoded.append(listpack.encode_entry(members[index]))
        encoded.append(encode_score(cast(float, scores[index])))
    return listpack.from_entries(encoded)


def is_kept_form(pack: bytes) -> bool:
    """Whether `pack`, a listpack from elsewhere, surely is what would be kept here for its members and scores.

    So its members are distinct and in order. False for some that are as well: scores that need a closer look.
    """
    end: i64 = listpack.end_offset(pack)
    offset: i64 = FIRST
    # The member before the one at `offset`, and its score.
    held: i64 = -1
    before = 0.0
    while offset < end:
        head: i64 = pack[offset]
        behind: i64 = offset + (head - 0x80 + 2 if 0x80 <= head < 0xC0 else listpack.entry_size(pack, offset))
        if behind >= end:
            return False
        after: i64 = behind + listpack.entry_size(pack, behind)
        if listpack.is_integer(pack, behind):
            whole = listpack.integer_at(pack, behind)
            if not -_EXACT_LIMIT <= whole <= _EXACT_LIMIT:
                return False
            score = float(whole)
        else:
            score = _plain_score(pack, behind + 1, after - 1)
            if math.isnan(score):
                return False
        if held >= 0 and (
            score < before or (score == before and listpack.entry_at(pack, offset) <= listpack.entry_at(pack, held))
        ):
            return False
        before = score
        held = offset
        offset = after
    return are_distinct(pack, 2)


def _plain_score(pack: bytes, start: i64, end: i64) -> float:
    """The decimal fraction of few digits in `pack[start:end]`, in the one way in which it is printed; else NaN.

    Its digits, as an integer, and a power of ten this small are exact doubles, so their quotient is the nearest one.
    """
    negative = pack[start] == _MINUS
    if negative:
        start += 1
    if not _MIN_PLAIN <= end - start <= _EXACT_DIGITS + 1:
        return math.nan
    digits: i64 = 0
    point: i64 = -1
    for place in range(start, end):
        byte: i64 = pack[place]
        if _ZERO <= byte <= _ZERO + 9:
            digits = digits * 10 + byte - _ZERO
        elif byte == _POINT and point < 0:
            point = place
        else:
            return math.nan
    decimals: i64 = end - point - 1
    if point <= start or not 1 <= decimals <= _PLAIN_DECIMALS or pack[end - 1] == _ZERO:
        return math.nan
    if pack[start] == _ZERO and point > start + 1:
        return math.nan
    score = float(digits) / _POWERS[decimals]
    return -score if negative else score


def _comes_last(pack: bytes, score: float, member: bytes) -> bool:
    """Whether (`score`, `member`) comes after all that are there."""
    behind: i64 = listpack.last_offset(pack)
    if behind < 0:
        return True
    last = score_at(pack, behind)
    if last == score:
        return listpack.entry_at(pack, listpack.previous_offset(pack, behind)) < member
    return last < score
