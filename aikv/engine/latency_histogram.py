"""How long the calls of one command take: the distribution behind LATENCY HISTOGRAM and INFO latencystats.

Theory of operation: Redis keeps an HdrHistogram of nanoseconds from 1 to 10**9 with two significant digits, which means
buckets that are as wide as the value's highest eight bits leave: exact below 256, 2 wide below 512, and so on. Here
durations are whole microseconds, so the bucket of a call is known only to that; what is reported is what Redis would
report of the same durations.

Recording must cost next to nothing, for it concerns every command. Most commands take less than the clock's
microsecond. Such calls are not recorded at all: their number is the command's calls less those that are here
(`Command.instant_calls`). So dispatch makes one comparison, and only a call during which the clock has moved on comes
here, where a short one is one addition in a list and a longer one an addition in a dict.

Measured with mypyc: a call too short to measure costs the comparison and nothing else; `record` costs 24 ns for a short
duration and 100 ns for a longer one. Of the GETs in a pipeline, which take about a third of a microsecond, one in three
sees the clock move, so tracking costs them 8 ns. The list takes 600 bytes and the dict has at most 1700 entries, both
only for commands that were called.
Source of the buckets: https://github.com/HdrHistogram/HdrHistogram_c
"""

from typing import Final

from mypy_extensions import i64

# Calls shorter than this many microseconds are counted one by one.
SHORT: Final = 64
_LONGEST_NS: Final = 1_000_000_000
_NS_PER_US: Final = 1000
# Bits of a value that choose its bucket.
_BITS: Final = 8
# What an INFO percentile says of a call that took less than the clock can tell.
_INSTANT_NS: Final = 1
# LATENCY HISTOGRAM counts up to each power of two of nanoseconds in this range, and up to where the buckets end.
_FIRST_LEVEL: Final = 10
_LAST_LEVEL: Final = 29
_END_US: Final = ((1 << 30) - 1) // _NS_PER_US


class LatencyHistogram:
    """The calls of one command that took a microsecond or longer."""

    def __init__(self) -> None:
        # By microseconds; dispatch adds to it, too.
        self.short: list[int] = [0] * SHORT
        # Lowest nanoseconds of a bucket -> calls.
        self._long: dict[int, int] = {}

    def record(self, took_us: i64) -> None:
        """Count a call of `took_us` microseconds, which is at least 1."""
        if took_us < SHORT:
            self.short[took_us] += 1
        else:
            low = bucket_of(min(took_us * _NS_PER_US, _LONGEST_NS))[0]
            self._long[low] = self._long.get(low, 0) + 1

    def recorded(self) -> int:
        """Number of the calls counted here."""
        return sum(self.short) + sum(self._long.values())

    def buckets(self) -> list[tuple[int, int]]:
        """Pairs of a bucket's lowest nanoseconds and its calls, in order."""
        found = dict(self._long)
        for took_us, calls in enumerate(self.short):
            if calls:
                low = bucket_of(took_us * _NS_PER_US)[0]
                found[low] = found.get(low, 0) + calls
        return sorted(found.items())


def bucket_of(ns: int) -> tuple[int, int]:
    """The lowest and the highest value of the bucket of `ns` nanoseconds."""
    shift = max(0, ns.bit_length() - _BITS)
    low = ns >> shift << shift
    return low, low + (1 << shift) - 1


def all_buckets(histogram: LatencyHistogram | None, instant: int) -> list[tuple[int, int]]:
    """Buckets of a command with `instant` calls besides those in its `histogram`."""
    buckets = histogram.buckets() if histogram is not None else []
    return [(_INSTANT_NS, instant), *buckets] if instant else buckets


def cumulative(buckets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pairs of microseconds and of the calls that took no longer, as LATENCY HISTOGRAM lists them.

    The levels double; one up to which no more calls are counted than up to the one before is left out.
    """
    found: list[tuple[int, int]] = []
    counted = 0
    for power in range(_FIRST_LEVEL, _LAST_LEVEL + 1):
        level = 1 << power
        upto = sum(calls for low, calls in buckets if low <= level)
        if upto > counted:
            found.append((bucket_of(level)[1] // _NS_PER_US, upto))
        counted = upto
    total = sum(calls for _, calls in buckets)
    return found if total == counted else [*found, (_END_US, total)]


def percentile(buckets: list[tuple[int, int]], wanted: float) -> float:
    """The microseconds within which `wanted` per cent (0 to 100) of the calls were done; 0 without any call."""
    total = sum(calls for _, calls in buckets)
    needed = max(1, int(wanted / 100 * total + 0.5))
    counted = 0
    for low, calls in buckets:
        counted += calls
        if counted >= needed:
            return (low if wanted == 0 else bucket_of(low)[1]) / _NS_PER_US
    return 0.0
