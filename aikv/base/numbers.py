"""Numbers as clients write them and as replies show them.

Theory of operation: a client sends a number as text, and Redis decides by exact rules which texts are
numbers. Three families exist, and each has one parser here. Integers are 64-bit and canonical: the text that
the server would print itself, nothing else. Doubles are what C's `strtod` takes, minus blanks, NaN and
results that overflow or vanish. Long doubles (INCRBYFLOAT) live in `floats` and are offered here too, so that
a command imports its numbers from one place.

`format_double` prints what Redis 7.2 prints: integers without exponent up to 2^62, otherwise the shortest
digits that read back as the same double, in a layout of its own (12345.6789012 becomes 1.23456789012e+4:
scientific where seven or more decimals are needed and the leading digit stands four or more places from the
units). Redis finds the digits by Grisu2, which for about one double in a thousand gives one digit more than
the shortest; here they are always the shortest.
"""

import math
import re
from typing import Final

from mypy_extensions import i64

from aikv.base.errors import NOT_AN_INTEGER, CommandError
from aikv.base.floats import LongDouble, add_long_double, format_long_double, parse_long_double
from aikv.base.form import COMPILED

__all__ = [
    "I64_MAX",
    "I64_MIN",
    "LongDouble",
    "add_long_double",
    "format_double",
    "format_long_double",
    "parse_double",
    "parse_i64",
    "parse_long_double",
    "to_i64",
]

I64_MAX: Final = 9223372036854775807
I64_MIN: Final = -9223372036854775808
# -9223372036854775808 has 20 characters; no canonical integer is longer.
_I64_CHARS: Final = 20
# A sign and as many digits as any 64-bit integer may have.
_SAFE_DIGITS: Final = 19
_MINUS: Final = 45
_ZERO: Final = 48
# So many digits are exact in a double.
_EXACT_DIGITS: Final = 15

_DECIMAL_ALPHABET: Final = b"0123456789.eE+-"
_HEX_DOUBLE: Final = re.compile(rb"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?")
_INFINITY: Final = float("inf")

# Redis prints a double as an integer where it equals one and lies within half of the 64-bit range.
_INTEGER_TEXT_LIMIT: Final = 4611686018427387903.0
# The layout of its shortest-digits printer: this many decimals stay plain whatever precedes the point.
_PLAIN_DECIMALS: Final = 6
# A leading digit fewer than this many places from the units keeps the number plain with any decimals.
_PLAIN_EXPONENT: Final = 4
# Between these (so by the rule above) Python's own form is the same.
_REPR_LOW: Final = 0.001
_REPR_HIGH: Final = 10000.0
# An integer keeps its zeros while fewer than this many are missing from the digits.
_PLAIN_ZEROS: Final = 7


def parse_i64(b: bytes) -> int | None:
    """The integer whose canonical text is `b`, or None.

    Refused are `+1`, `01`, `-0`, `-`, blanks, and what a signed 64-bit integer cannot hold. Redis's
    string2ll.
    """
    size: i64 = len(b)
    if size == 0 or size > _I64_CHARS:
        return None
    if COMPILED and size < _SAFE_DIGITS:
        return _parse_short(b, size)
    if b.isdigit():
        if size > 1 and b[0] == 48:
            return None
        if size < 19:
            return int(b)
        value = int(b)
        return value if value <= I64_MAX else None
    if b[0] != 45 or size == 1 or b[1] == 48 or not b[1:].isdigit():
        return None
    value = int(b)
    return value if value >= I64_MIN else None


def _parse_short(b: bytes, size: i64) -> int | None:
    """As `parse_i64` for a text that cannot overflow: a loop that is fast in the compiled form only."""
    first: i64 = b[0]
    negative = first == _MINUS
    place: i64 = 1 if negative else 0
    if place == size or (b[place] == _ZERO and size > 1):
        return None
    value: i64 = 0
    while place < size:
        digit: i64 = b[place] - _ZERO
        if digit < 0 or digit > 9:
            return None
        value = value * 10 + digit
        place += 1
    return -value if negative else value


def to_i64(b: bytes) -> int:
    """As `parse_i64`; raises CommandError(NOT_AN_INTEGER) where that returns None."""
    value = parse_i64(b)
    if value is None:
        raise CommandError(NOT_AN_INTEGER)
    return value


def parse_double(b: bytes) -> float | None:
    """The double that C's `strtod` reads from the whole of `b`, or None.

    Decimal and hexadecimal forms, `inf` and `infinity` in any case are taken. Refused are blanks, trailing
    characters, NaN, and finite texts whose value overflows to infinity or underflows to zero. Redis's
    getDoubleFromObject.
    """
    if len(b) <= _EXACT_DIGITS:
        if not COMPILED and b.isdigit():
            return float(b)
        whole = parse_i64(b)
        if whole is not None:
            return float(whole)
    if not b.translate(None, _DECIMAL_ALPHABET):
        # Within this alphabet Python's grammar and C's are the same; outside of it Python would take `1_0`
        # and ` 1`.
        try:
            value = float(b)
        except ValueError:
            return None
        if value == 0.0 and _has_nonzero_digit(b):
            return None
        return None if value in (_INFINITY, -_INFINITY) else value
    word = b.lower()
    if word in (b"inf", b"+inf", b"infinity", b"+infinity"):
        return _INFINITY
    if word in (b"-inf", b"-infinity"):
        return -_INFINITY
    if _HEX_DOUBLE.fullmatch(b) is None:
        return None
    try:
        value = float.fromhex(b.decode("ascii"))
    except OverflowError:
        return None
    if value == 0.0 and _has_nonzero_hex_digit(word):
        return None
    return value


def _has_nonzero_digit(b: bytes) -> bool:
    mantissa = b.lower().partition(b"e")[0]
    return len(mantissa.strip(b"+-0.")) > 0


def _has_nonzero_hex_digit(word: bytes) -> bool:
    mantissa = word.partition(b"p")[0].partition(b"x")[2]
    return len(mantissa.strip(b"0.")) > 0


def format_double(x: float) -> bytes:
    """Redis 7.2's text of a double (scores, RESP3 doubles): `3`, `0.1`, `1e+21`, `inf`, `-inf`, `nan`, `-0`."""
    if math.isnan(x):
        return b"nan"
    if -_INTEGER_TEXT_LIMIT <= x <= _INTEGER_TEXT_LIMIT:
        whole = int(x)
        if whole == x:
            if whole == 0 and str(x)[0] == "-":
                return b"-0"
            return b"%d" % whole
    elif x in (_INFINITY, -_INFINITY):
        return b"inf" if x > 0 else b"-inf"
    text = repr(x)
    if _REPR_LOW <= abs(x) < _REPR_HIGH:
        return text.encode("ascii")
    # So is it with few decimals, which spares scores such as 20000.5 most of the work below.
    point = text.find(".")
    if point > 0 and len(text) - point - 1 <= _PLAIN_DECIMALS and "e" not in text:
        return text.encode("ascii")
    return _redis_layout(text)


def _redis_layout(text: str) -> bytes:
    """A double's shortest digits, as Python's `repr` gives them in `text`, in Redis's layout."""
    sign = ""
    if text[0] == "-":
        sign = "-"
        text = text[1:]
    mantissa, _, exponent = text.partition("e")
    before, _, after = mantissa.partition(".")
    all_digits = before + after
    digits = all_digits.rstrip("0")
    # The value is `digits` read as an integer, times ten to the power of `scale`.
    scale = len(all_digits) - len(digits) - len(after)
    if exponent:
        scale += int(exponent)
    digits = digits.lstrip("0")
    count = len(digits)
    magnitude = scale + count - 1
    if scale >= 0 and magnitude < count + _PLAIN_ZEROS:
        plain = digits + "0" * scale
    elif scale < 0 and (-scale <= _PLAIN_DECIMALS or abs(magnitude) < _PLAIN_EXPONENT):
        point = count + scale
        if point <= 0:
            plain = "0." + "0" * -point + digits
        else:
            plain = digits[:point] + "." + digits[point:]
    else:
        plain = digits[0] + ("." + digits[1:] if count > 1 else "") + ("e-" if magnitude < 0 else "e+")
        plain += str(abs(magnitude))
    return (sign + plain).encode("ascii")
