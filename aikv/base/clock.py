"""Time as an argument.

Everything that needs the time takes a `Clock`. `SystemClock` asks the operating system; `ManualClock` moves only
when it is told to, so that a test of a TTL or of a save point never sleeps.
"""

import time
from collections.abc import Callable
from typing import Final

from librt.time import time as unix_time
from mypy_extensions import mypyc_attr

from aikv.base.form import COMPILED

# Bound once: the look-up in the module would cost as much as the call.
_monotonic_ns: Final = time.monotonic_ns
_time_ns: Final = time.time_ns


@mypyc_attr(allow_interpreted_subclasses=True)
class Clock:
    """Source of wall-clock and monotonic time."""

    def unix_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        raise NotImplementedError

    def reader(self) -> Callable[[], int]:
        """A function that returns what `unix_ns` does, for the interpreted form.

        There dispatch, which asks once per command, saves 90 ns by calling a function in C.
        """
        return self.unix_ns

    def unix_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, the unit of every TTL."""
        raise NotImplementedError

    def monotonic_us(self) -> int:
        """Microseconds on a clock that never goes back, for durations."""
        raise NotImplementedError


class SystemClock(Clock):
    """The operating system's time.

    Dispatch asks for it once per command: compiled, librt's function is a C call that makes no object, 60 ns faster
    than `time.time_ns`. A double holds the time in this century to a quarter of a microsecond.
    """

    def unix_ns(self) -> int:
        return int(unix_time() * 1e9) if COMPILED else _time_ns()

    def reader(self) -> Callable[[], int]:
        return _time_ns

    def unix_ms(self) -> int:
        return int(unix_time() * 1e3)

    def monotonic_us(self) -> int:
        return _monotonic_ns() // 1000


class ManualClock(Clock):
    """A clock for tests: starts at `start_ms` and moves only by `advance_ms`."""

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self.now_us = start_ms * 1000

    def unix_ns(self) -> int:
        return self.now_us * 1000

    def unix_ms(self) -> int:
        return self.now_us // 1000

    def monotonic_us(self) -> int:
        return self.now_us

    def advance_ms(self, milliseconds: int) -> None:
        """Move the time on by `milliseconds`."""
        self.now_us += milliseconds * 1000
