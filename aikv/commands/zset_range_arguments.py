"""What sorted sets are asked for by ranges: kind, bounds and options of ZRANGE and its kin.

Theory of operation: a range is given by ranks, by scores or by members; `Bounds` parses one of the three, and finds the
ranks that it stands for in a sorted set (`datatypes.zset_ranges`). `RangeArguments` reads what ZRANGE and its older kin
take besides; going backwards, a range of scores or members names its upper bound first.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.datatypes.zset_ranges import (
    LexRange,
    ScoreRange,
    limited,
    mirrored,
    parse_lex_range,
    parse_score_range,
    rank_range,
)
from aikv.datatypes.zsets import SortedSet

# What a range is given by; ANY is for the options to say.
ANY: Final = 0
RANK: Final = 1
SCORE: Final = 2
LEX: Final = 3

_NOT_A_SCORE: Final = b"ERR min or max is not a float"
_NOT_A_MEMBER: Final = b"ERR min or max not valid string range item"
_LIMIT_BY_RANK: Final = b"ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
_SCORES_BY_LEX: Final = b"ERR syntax error, WITHSCORES not supported in combination with BYLEX"


def _score_range(low: bytes, high: bytes) -> ScoreRange:
    wanted = parse_score_range(low, high)
    if wanted is None:
        raise CommandError(_NOT_A_SCORE)
    return wanted


def _lex_range(low: bytes, high: bytes) -> LexRange:
    wanted = parse_lex_range(low, high)
    if wanted is None:
        raise CommandError(_NOT_A_MEMBER)
    return wanted


class Bounds:
    """A range of the kind `by`, from the arguments `low` and `high`. Raises CommandError."""

    def __init__(self, by: int, low: bytes, high: bytes) -> None:
        self.by: Final = by
        self.first = 0
        self.last = 0
        self.scores: ScoreRange | None = None
        self.lex: LexRange | None = None
        if by == RANK:
            self.first = to_i64(low)
            self.last = to_i64(high)
        elif by == SCORE:
            self.scores = _score_range(low, high)
        else:
            self.lex = _lex_range(low, high)

    def ranks(self, held: SortedSet, reverse: bool) -> tuple[int, int]:
        """The ranks in `held`; the range of ranks itself is counted from the highest if `reverse`."""
        if self.scores is not None:
            return held.score_ranks(self.scores)
        if self.lex is not None:
            return held.lex_ranks(self.lex, reverse)
        size = len(held)
        ranks = rank_range(self.first, self.last, size)
        return mirrored(ranks, size) if reverse else ranks


class RangeArguments:
    """The arguments of a command of ZRANGE's kin, whose first bound is at index `first`. Raises CommandError.

    `by` is what it ranges over, `reverse` its direction; with `by` ANY, options may say both. `stored` is for
    ZRANGESTORE.
    """

    def __init__(self, argv: list[bytes], first: int, by: int, reverse: bool, stored: bool) -> None:
        self.scored = False
        self.reverse = reverse
        self.offset = 0
        self.limit = -1
        self.by = by
        self._parse_options(argv, first + 2, stored)
        if self.by == ANY:
            self.by = RANK
        if self.limit != -1 and self.by == RANK:
            raise CommandError(_LIMIT_BY_RANK)
        if self.scored and self.by == LEX:
            raise CommandError(_SCORES_BY_LEX)
        swapped = self.reverse and self.by != RANK
        low, high = (argv[first + 1], argv[first]) if swapped else (argv[first], argv[first + 1])
        self.bounds: Final = Bounds(self.by, low, high)

    def ranks(self, held: SortedSet) -> tuple[int, int]:
        """The ranks in `held` of the members wanted."""
        ranks = self.bounds.ranks(held, self.reverse)
        if self.by == RANK or (self.offset == 0 and self.limit < 0):
            return ranks
        return limited(ranks, self.offset, self.limit, self.reverse)

    def _parse_options(self, argv: list[bytes], index: int, stored: bool) -> None:
        turnable = self.by == ANY
        count = len(argv)
        while index < count:
            option = argv[index].upper()
            if option == b"WITHSCORES" and not stored:
                self.scored = True
            elif option == b"LIMIT" and index + 2 < count:
                self.offset = to_i64(argv[index + 1])
                self.limit = to_i64(argv[index + 2])
                index += 2
            elif option == b"REV" and turnable:
                self.reverse = True
                turnable = False
            elif option == b"BYLEX" and self.by == ANY:
                self.by = LEX
            elif option == b"BYSCORE" and self.by == ANY:
                self.by = SCORE
            else:
                raise CommandError(SYNTAX)
            index += 1
