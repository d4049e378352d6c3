"""The count of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER.

Theory of operation: a positive count asks for so many distinct elements, a negative one for so many draws, each from
all elements. A number of draws that no reply could hold is refused; redis-server ends where it is asked for them.
"""

from typing import Final

from aikv.base.errors import OUT_OF_RANGE, CommandError
from aikv.base.numbers import I64_MAX, I64_MIN, to_i64

_OUT_OF_RANGE: Final = b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
_MOST_DRAWS: Final = 1 << 31


def parse_count(argument: bytes) -> int:
    """The count in `argument`. Raises CommandError."""
    count = to_i64(argument)
    if count == I64_MIN:
        raise CommandError(_OUT_OF_RANGE)
    return count


def check_draws(count: int, paired: bool) -> None:
    """Raise CommandError for more than a reply can hold; `paired` where every element comes with a value."""
    if -count > _MOST_DRAWS or (paired and count > I64_MAX // 2):
        raise CommandError(OUT_OF_RANGE)
