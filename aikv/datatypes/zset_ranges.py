"""Ranges of sorted sets as clients write them: `(1 +inf` by score, `[a (b` by member, LIMIT, and ranks from either end.

Theory of operation: every range of a sorted set becomes a pair of ranks, the first and the one behind the last, before
anything is read or removed; a pair of equal ranks is the empty range. What stands here turns text into bounds and
bounds into such pairs as far as that does not need the set.
"""

from typing import Final

from aikv.base.numbers import parse_double

_PAREN: Final = 0x28
_BRACKET: Final = 0x5B
_MINUS: Final = b"-"
_PLUS: Final = b"+"
_BLANKS: Final = b" \t\n\v\f\r"
_DECIMAL_ALPHABET: Final = b"0123456789.eE+-"


class ScoreRange:
    """Scores from `low` to `high`; a bound is not part of the range where it is `open`."""

    def __init__(self, low: float, low_open: bool, high: float, high_open: bool) -> None:
        self.low: Final = low
        self.low_open: Final = low_open
        self.high: Final = high
        self.high_open: Final = high_open

    def is_empty(self) -> bool:
        """Whether no score at all can be in the range."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


class LexRange:
    """Members from `low` to `high`, each None where there is no such bound; `void` says that no member is in it."""

    def __init__(self, low: bytes | None, low_open: bool, high: bytes | None, high_open: bool, void: bool) -> None:
        self.low: Final = low
        self.low_open: Final = low_open
        self.high: Final = high
        self.high_open: Final = high_open
        self.void: Final = void

    def begins_after(self, member: bytes) -> bool:
        """Whether `member` comes before the range."""
        low = self.low
        return low is not None and (member < low or (self.low_open and member == low))

    def ends_before(self, member: bytes) -> bool:
        """Whether `member` comes after the range."""
        high = self.high
        return high is not None and (member > high or (self.high_open and member == high))

    def is_empty(self) -> bool:
        """Whether no member at all can be in the range."""
        if self.void or self.low is None or self.high is None:
            return self.void
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


def parse_score_range(low: bytes, high: bytes) -> ScoreRange | None:
    """The range that ZRANGEBYSCORE's `low` and `high` say, or None where one is no float.

    What C's `strtod` reads is a bound, with `(` before it where it is open; so is nothing at all, for 0. Source:
    zslParseRange of Redis.
    """
    low_open = low[:1] == b"("
    high_open = high[:1] == b"("
    first = _parse_bound(low[1:] if low_open else low)
    last = _parse_bound(high[1:] if high_open else high)
    if first is None or last is None:
        return None
    return ScoreRange(first, low_open, last, high_open)


def parse_lex_range(low: bytes, high: bytes) -> LexRange | None:
    """The range that ZRANGEBYLEX's `low` and `high` say, or None where one is none of `-`, `+`, `[text`, `(text`."""
    if not (_is_lex_bound(low) and _is_lex_bound(high)):
        return None
    return LexRange(
        None if low == _MINUS else low[1:],
        low[0] == _PAREN,
        None if high == _PLUS else high[1:],
        high[0] == _PAREN,
        # Nothing comes after `+` or before `-`.
        low == _PLUS or high == _MINUS,
    )


def rank_range(start: int, stop: int, size: int) -> tuple[int, int]:
    """Ranks of `size` members for ZRANGE's `start` and `stop`, which both are included and may count from the end."""
    if start < 0:
        start = max(start + size, 0)
    if stop < 0:
        stop += size
    if start > stop or start >= size:
        return 0, 0
    return start, min(stop + 1, size)


def mirrored(ranks: tuple[int, int], size: int) -> tuple[int, int]:
    """The ranks of `size` members that `ranks` are when counted from the highest (REV)."""
    return size - ranks[1], size - ranks[0]


def limited(ranks: tuple[int, int], offset: int, count: int, reverse: bool) -> tuple[int, int]:
    """`ranks` cut to LIMIT's `offset` and `count`, the latter negative for all, counted from the end if `reverse`."""
    start, stop = ranks
    size = stop - start
    if offset < 0 or offset >= size:
        return 0, 0
    taken = size - offset if count < 0 else min(count, size - offset)
    if reverse:
        return stop - offset - taken, stop - offset
    return start + offset, start + offset + taken


def _parse_bound(text: bytes) -> float | None:
    # To C a text ends at its first NUL.
    text = text.partition(b"\0")[0]
    if not text:
        return 0.0
    text = text.lstrip(_BLANKS)
    value = parse_double(text)
    if value is not None:
        return value
    if text.translate(None, _DECIMAL_ALPHABET):
        return None
    # `strtod` also takes what is too large, or too small, for a float.
    try:
        return float(text)
    except ValueError:
        return None


def _is_lex_bound(text: bytes) -> bool:
    return text in (_MINUS, _PLUS) or (len(text) > 0 and text[0] in (_PAREN, _BRACKET))
