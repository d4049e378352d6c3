"""From the time argument of a command to the moment at which a key runs out.

Theory of operation: EX, PX, EXAT and PXAT (and the EXPIRE family) all come down to Unix milliseconds, with Redis's
checks: what does not fit into 64 bits, and for SET and its kin what is not positive, is refused in the command's name.
"""

from typing import Final

from aikv.base.errors import CommandError
from aikv.base.numbers import to_i64

_I64_MAX: Final = (1 << 63) - 1
# The same for both signs: C divides towards zero.
_MAX_SECONDS: Final = _I64_MAX // 1000

SECONDS: Final = 1000
MILLISECONDS: Final = 1


def expire_at(argument: bytes, unit: int, base_ms: int, name: str, positive: bool) -> int:
    """Unix ms at which a key is to run out.

    `argument` is a number of `unit` (`SECONDS` or `MILLISECONDS`) counted from `base_ms`: now for a relative time,
    0 for an absolute one. `name` is the command for the error text; `positive` refuses times below 1.
    Raises CommandError for no integer, a time out of range, or one that is not positive.
    """
    value = to_i64(argument)
    if positive and value <= 0:
        raise invalid_expire(name)
    if unit == SECONDS and not -_MAX_SECONDS <= value <= _MAX_SECONDS:
        raise invalid_expire(name)
    when = value * unit + base_ms
    if when > _I64_MAX:
        raise invalid_expire(name)
    return when


def invalid_expire(name: str) -> CommandError:
    """The refusal of an expire time in the command `name`."""
    return CommandError(b"ERR invalid expire time in '%b' command" % name.encode())
