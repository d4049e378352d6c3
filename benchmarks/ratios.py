"""Figures of several runs in a few numbers: medians, spreads, geometric means.

Theory of operation: runs come in pairs, and a pair gives a ratio; the median of the ratios is quoted with the smallest
and the largest, which says how far to trust it. Ratios of different tests are averaged geometrically, so that half and
twice cancel out. The mean over the tests is taken within each pair, and so has a spread of its own.
"""

import math
import statistics
from collections.abc import Sequence


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """One for each pair. Raises `ValueError` if one side has more runs."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def spread(values: Sequence[float]) -> str:
    """Format a median with its smallest and largest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def geometric_mean(values: Sequence[float]) -> float:
    """The mean of factors. Raises `ValueError` for none, or for one that is not above 0."""
    if not values:
        raise ValueError("no values to average")
    return math.exp(sum(math.log(value) for value in values) / len(values))


def means_of_pairs(tests: Sequence[Sequence[float]]) -> list[float]:
    """For each pair the geometric mean over the tests; `tests` holds the ratios of each, pair by pair."""
    return [geometric_mean(pair) for pair in zip(*tests, strict=True)]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` percent of `ordered`, which ascends, do not exceed. Raises `ValueError` for no values."""
    if not ordered:
        raise ValueError("no values to choose from")
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]
