"""80-bit long doubles in integer arithmetic, for INCRBYFLOAT and HINCRBYFLOAT.

Theory of operation: on x86 Redis adds in the x87's extended format and prints with seventeen decimals.
Clients see the difference (0.1 plus 0.2 is 0.3 there, and 0.30000000000000004 in doubles), so the format is
done again here, exactly. A value is mantissa * 2^exponent with a mantissa below 2^64. Parsing, adding and
printing each compute the exact rational result in Python's unbounded integers and round it once, half to
even, as the C library does. One routine, `_rounded`, does the rounding into 64 bits, gradual underflow and
overflow included.

Every text is bounded: Redis takes fewer than 5120 characters, and an exponent is compared with the format's
range before any power is computed, so `1e999999999` costs no more than `1e9`.
"""

import re
from typing import Final

from aikv.base.errors import NOT_A_FLOAT, CommandError

NAN_OR_INFINITY: Final = b"ERR increment would produce NaN or Infinity"

# Redis copies the text into a buffer of this many bytes, the closing NUL included.
_MAX_CHARS: Final = 5 * 1024
_MANTISSA_BITS: Final = 64
_MANTISSA_LIMIT: Final = 1 << 64
# The exponent of the lowest mantissa bit in the smallest subnormal number, and the power of two that no
# value reaches.
_MIN_EXPONENT: Final = -16445
_MAX_POWER: Final = 16384
# Decimal magnitudes beyond these surely overflow (2^16384 is 1.2e4932) or vanish (half of 2^-16445 is
# 1.8e-4951).
_MAX_DECIMAL: Final = 4940
_MIN_DECIMAL: Final = -4960
# An exponent of this size decides the result whatever the (at most 5119 characters of) mantissa says.
_HUGE: Final = 1_000_000
_DECIMALS: Final = 17
_TEN_TO_DECIMALS: Final = 10**17
# Python refuses to convert more than 4300 digits at once (its guard against quadratic time), so longer
# numbers go in two.
_CHUNK: Final = 2600
_TEN_TO_CHUNK: Final = 10**2600

_DECIMAL: Final = re.compile(rb"([+-]?)(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))(?:[eE]([+-]?)([0-9]+))?")
_HEX: Final = re.compile(rb"([+-]?)0[xX](?:([0-9a-fA-F]+)\.?([0-9a-fA-F]*)|\.([0-9a-fA-F]+))(?:[pP]([+-]?)([0-9]+))?")
_INFINITIES: Final = (b"inf", b"+inf", b"-inf", b"infinity", b"+infinity", b"-infinity")


class LongDouble:
    """mantissa * 2^exponent with |mantissa| < 2^64, or an infinity (whose sign no command can show)."""

    def __init__(self, mantissa: int, exponent: int, infinite: bool = False) -> None:
        self.mantissa: Final = mantissa
        self.exponent: Final = exponent
        self.infinite: Final = infinite


def parse_long_double(b: bytes) -> LongDouble | None:
    """The long double that C's `strtold` reads from the whole of `b`, or None. Redis's string2ld.

    Decimal and hexadecimal forms, `inf` and `infinity` in any case are taken. Refused are blanks, trailing
    characters, NaN, 5120 or more characters, and finite texts whose value overflows or underflows to zero.
    """
    if not b or len(b) >= _MAX_CHARS:
        return None
    found = _DECIMAL.fullmatch(b)
    if found is not None:
        return _from_decimal(found)
    found = _HEX.fullmatch(b)
    if found is not None:
        return _from_hex(found)
    if b.lower() in _INFINITIES:
        return LongDouble(0, 0, True)
    return None


def add_long_double(current: bytes, increment: bytes) -> bytes:
    """The text of `current` + `increment` as INCRBYFLOAT stores it.

    Raises CommandError(NOT_A_FLOAT) where one of them is no long double, CommandError(NAN_OR_INFINITY) where
    the sum is not finite.
    """
    a = parse_long_double(current)
    b = parse_long_double(increment)
    if a is None or b is None:
        raise CommandError(NOT_A_FLOAT)
    total = _sum(a, b)
    if total is None:
        raise CommandError(NAN_OR_INFINITY)
    return format_long_double(total)


def ceil_product(x: LongDouble, factor: int) -> int | None:
    """`x` times `factor`, rounded as the format does and then up to an integer; None for what is not finite."""
    product = None if x.infinite else _rounded(x.mantissa * factor, 1, x.exponent)
    if product is None:
        return None
    if product.exponent >= 0:
        return product.mantissa << product.exponent
    return -(-product.mantissa >> -product.exponent)


def format_long_double(x: LongDouble) -> bytes:
    """The text of a finite `x`: seventeen decimals, rounded half to even, without trailing zeros (C's
    `%.17Lf`).
    """
    magnitude = abs(x.mantissa)
    if x.exponent >= 0:
        text = _decimal_text(magnitude << x.exponent)
    else:
        scaled = _shift_right_half_even(magnitude * _TEN_TO_DECIMALS, -x.exponent)
        whole, part = divmod(scaled, _TEN_TO_DECIMALS)
        text = _decimal_text(whole)
        if part:
            text += "." + str(part).rjust(_DECIMALS, "0").rstrip("0")
    # A negative number too small to show is 0, never -0.
    if x.mantissa < 0 and text != "0":
        text = "-" + text
    return text.encode("ascii")


def _sum(a: LongDouble, b: LongDouble) -> LongDouble | None:
    if a.infinite or b.infinite:
        return None
    low = min(a.exponent, b.exponent)
    exact = (a.mantissa << (a.exponent - low)) + (b.mantissa << (b.exponent - low))
    return _rounded(exact, 1, low)


def _rounded(numerator: int, denominator: int, exponent: int) -> LongDouble | None:
    """numerator / denominator * 2^exponent in 64 bits, half to even; None on overflow."""
    magnitude = abs(numerator)
    if magnitude == 0:
        return LongDouble(0, 0)
    # Scale the quotient to 65 or 66 bits, so that the cut bits always hold the half and the rest decides a
    # tie.
    shift = _MANTISSA_BITS + 1 - (magnitude.bit_length() - denominator.bit_length())
    # Subnormal numbers have fewer bits: the lowest bit never goes below the smallest exponent.
    shift = min(shift, exponent - _MIN_EXPONENT + 1)
    if shift >= 0:
        quotient, rest = divmod(magnitude << shift, denominator)
    else:
        quotient, rest = divmod(magnitude, denominator << -shift)
    cut = max(quotient.bit_length() - _MANTISSA_BITS, _MIN_EXPONENT - (exponent - shift))
    # A rest is worth a little more than nothing: one bit below all others says so.
    mantissa = _shift_right_half_even((quotient << 1) | (1 if rest else 0), cut + 1)
    power = exponent - shift + cut
    if mantissa == _MANTISSA_LIMIT:
        mantissa >>= 1
        power += 1
    if mantissa.bit_length() + power > _MAX_POWER:
        return None
    return LongDouble(-mantissa if numerator < 0 else mantissa, power)


def _shift_right_half_even(n: int, bits: int) -> int:
    """n / 2^bits for n >= 0 and bits > 0, rounded to the nearest integer and half to the even one."""
    kept = n >> bits
    cut = n - (kept << bits)
    half = 1 << (bits - 1)
    if cut > half or (cut == half and kept & 1):
        kept += 1
    return kept


def _from_decimal(found: re.Match[bytes]) -> LongDouble | None:
    before, after = _digits(found)
    digits = (before + after).lstrip(b"0")
    if not digits:
        return LongDouble(0, 0)
    scale = _exponent(found) - len(after)
    significant = digits.rstrip(b"0")
    scale += len(digits) - len(significant)
    magnitude = scale + len(significant)
    if magnitude > _MAX_DECIMAL or magnitude < _MIN_DECIMAL:
        return None
    number = _decimal_int(significant)
    if found.group(1) == b"-":
        number = -number
    if scale >= 0:
        return _nonzero(_rounded(number * 10**scale, 1, 0))
    return _nonzero(_rounded(number, 10**-scale, 0))


def _from_hex(found: re.Match[bytes]) -> LongDouble | None:
    before, after = _digits(found)
    number = int(before + after, 16)
    if number == 0:
        return LongDouble(0, 0)
    scale = _exponent(found) - 4 * len(after)
    power = scale + number.bit_length()
    # Checked before rounding, which would shift by the whole exponent.
    if power > _MAX_POWER or power < _MIN_EXPONENT - 1:
        return None
    return _nonzero(_rounded(-number if found.group(1) == b"-" else number, 1, scale))


def _nonzero(x: LongDouble | None) -> LongDouble | None:
    # A text that says something other than zero and rounds to zero is C's ERANGE, which Redis refuses.
    return None if x is None or x.mantissa == 0 else x


def _digits(found: re.Match[bytes]) -> tuple[bytes, bytes]:
    if found.group(4) is not None:
        return b"", found.group(4)
    return found.group(2), found.group(3)


def _exponent(found: re.Match[bytes]) -> int:
    text = found.group(6)
    if text is None:
        return 0
    text = text.lstrip(b"0")
    size = int(text or b"0") if len(text) < 7 else _HUGE
    return -size if found.group(5) == b"-" else size


def _decimal_int(digits: bytes) -> int:
    if len(digits) <= _CHUNK:
        return int(digits)
    return int(digits[:-_CHUNK]) * _TEN_TO_CHUNK + int(digits[-_CHUNK:])


def _decimal_text(n: int) -> str:
    if n < _TEN_TO_CHUNK:
        return str(n)
    high, low = divmod(n, _TEN_TO_CHUNK)
    return str(high) + str(low).rjust(_CHUNK, "0")
