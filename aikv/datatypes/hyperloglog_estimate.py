"""From registers to the number of different elements.

Theory of operation: Otmar Ertl's estimator, "New cardinality estimation algorithms for HyperLogLog sketches"
(https://arxiv.org/abs/1702.01284, algorithm 6). It needs only how many registers hold each value. All operations are
in the order in which Redis does them, so that the last digit is the same.
"""

import math
from typing import Final

from aikv.base.numbers import I64_MIN
from aikv.datatypes.hyperloglog_dense import REGISTERS

# The bits of a hash behind the 14 that choose the register; a register holds at most one more.
HASH_BITS: Final = 50
_ALPHA: Final = 0.721347520444481703680


def estimate(counts: list[int]) -> int:
    """The cardinality told by `counts`, the number of registers that hold each value."""
    m = float(REGISTERS)
    z = m * _tau((m - counts[HASH_BITS + 1]) / m)
    for value in range(HASH_BITS, 0, -1):
        z += counts[value]
        z *= 0.5
    z += m * _sigma(counts[0] / m)
    if z == 0.0:
        # Only forged registers tell infinity; this is what becomes of it in C.
        return I64_MIN
    return _rounded(_ALPHA * m * m / z)


def _rounded(x: float) -> int:
    """The nearest integer, halves upwards; `x` is not negative."""
    whole = math.floor(x)
    return whole + 1 if x - whole >= 0.5 else whole


def _sigma(x: float) -> float:
    if x == 1.0:
        return math.inf
    y = 1.0
    z = x
    while True:
        x *= x
        before = z
        z += x * y
        y += y
        if z == before:
            return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y = 1.0
    z = 1.0 - x
    while True:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= (1.0 - x) * (1.0 - x) * y
        if z == before:
            return z / 3.0
