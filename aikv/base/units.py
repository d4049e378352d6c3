"""Amounts of memory: `64mb` as configuration and commands write it, `1.23M` as INFO shows it."""

import re
from typing import Final

U64_MAX: Final = 18446744073709551615
# Redis copies the digits into a buffer of this size, the closing NUL included.
_DIGITS_LIMIT: Final = 128
_AMOUNT: Final = re.compile(r"([0-9]*)([a-z]*)")
_KIB: Final = 1024
_MULTIPLIERS: Final = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": _KIB,
    "m": 1000**2,
    "mb": _KIB**2,
    "g": 1000**3,
    "gb": _KIB**3,
}
_SHOWN: Final = ((_KIB**2, _KIB, "K"), (_KIB**3, _KIB**2, "M"), (_KIB**4, _KIB**3, "G"), (_KIB**5, _KIB**4, "T"))
_PIB: Final = _KIB**5


def parse_memory(b: str) -> int | None:
    """The bytes that `b` says, or None where it is no amount. Redis's memtoull.

    Digits and one of the units b, k, kb, m, mb, g, gb in any case: without the `b` they are powers of 1000,
    with it of 1024. A unit alone is 0, as in Redis. An amount beyond 64 bits is the largest one; Redis lets
    17179869184gb wrap round to 0, which would turn a huge limit into none.
    """
    found = _AMOUNT.fullmatch(b.lower())
    if found is None:
        return None
    digits = found.group(1)
    multiplier = _MULTIPLIERS.get(found.group(2))
    if multiplier is None or len(digits) >= _DIGITS_LIMIT:
        return None
    return min(int(digits or "0") * multiplier, U64_MAX)


def format_memory_human(n: int) -> str:
    """`n` bytes in the form of INFO's `used_memory_human`: `512B`, `1.50K`, up to `P`; for n >= 0."""
    if n < _KIB:
        return f"{n}B"
    for limit, unit, letter in _SHOWN:
        if n < limit:
            return f"{n / unit:.2f}{letter}"
    return f"{n / _PIB:.2f}P"
