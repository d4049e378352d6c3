"""String values: `bytes`, `int` or `bytearray`, and what can be asked of one without making bytes of it.

Theory of operation: a string is `bytes` as a client sent it, an `int` once a counter has touched it (or a file held
it as a number), a `bytearray` once it has been changed in place. OBJECT ENCODING follows from that: a `bytearray` is
Redis's `raw`; other strings are `int` where they are the canonical text of a 64-bit integer, `embstr` up to 44 bytes
(what fits beside the header in a 64-byte allocation of Redis), and `raw` beyond. Whether `bytes` are such an integer is
found out only when somebody asks, so that SET never looks at its value. Digits that Redis does not hold as a number,
the whole numbers that INCRBYFLOAT leaves, are a `FloatText`.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.base.numbers import parse_i64

EMBSTR_LIMIT: Final = 44
# The longest text of a 64-bit integer.
_INTEGER_CHARS: Final = 20


@mypyc_attr(native_class=False)
class FloatText(bytes):
    """The text of a sum of floating point numbers, which is `embstr` or `raw` even where it is a whole number."""


def string_encoding(value: object) -> bytes:
    """The encoding that OBJECT ENCODING names for a string value: `int`, `embstr` or `raw`."""
    if isinstance(value, int):
        return b"int"
    if not isinstance(value, bytes):
        return b"raw"
    if parse_i64(value) is not None and not isinstance(value, FloatText):
        return b"int"
    return b"embstr" if len(value) <= EMBSTR_LIMIT else b"raw"


def string_length(value: object) -> int:
    """The length of a string value in bytes; raises WRONGTYPE for a value of another type."""
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, int):
        return len(b"%d" % value)
    raise CommandError(WRONGTYPE)


def string_integer(value: object) -> int | None:
    """The 64-bit integer that a string value is the canonical text of, or None; raises WRONGTYPE for another type."""
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return parse_i64(value)
    if isinstance(value, bytearray):
        return parse_i64(bytes(value)) if len(value) <= _INTEGER_CHARS else None
    raise CommandError(WRONGTYPE)
