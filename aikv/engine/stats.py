"""Counters of INFO's Stats section, and the rates sampled from them.

Theory of operation: counters are plain integers that hot paths add to. Rates are averages over the last `SAMPLES`
samples, taken by the cron about ten times a second, as in Redis.
"""

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from aikv.engine.command_table import family

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

SAMPLES: Final = 16


class Rate:
    """Growth per second of a counter, averaged over the last samples."""

    def __init__(self) -> None:
        self._last_value = 0
        self._last_us = 0
        self._samples: list[int] = [0] * SAMPLES
        self._next = 0

    def sample(self, value: int, now_us: int) -> None:
        """Take the counter's `value` at monotonic time `now_us`."""
        elapsed = now_us - self._last_us
        if self._last_us and elapsed > 0:
            self._samples[self._next] = (value - self._last_value) * 1_000_000 // elapsed
            self._next = (self._next + 1) % SAMPLES
        self._last_value = value
        self._last_us = now_us

    def per_second(self) -> int:
        """The averaged rate."""
        return sum(self._samples) // SAMPLES


class Stats:
    """What CONFIG RESETSTAT sets to zero."""

    def __init__(self) -> None:
        self.connections: i64 = 0
        self.rejected_connections: i64 = 0
        self.hits: i64 = 0
        self.misses: i64 = 0
        self.expired: i64 = 0
        self.evicted: i64 = 0
        self.net_input: i64 = 0
        self.net_output: i64 = 0
        self.error_replies: i64 = 0
        self.unexpected_errors: i64 = 0
        self.output_limit_disconnections: i64 = 0
        self.query_limit_disconnections: i64 = 0
        self.reads: i64 = 0
        self.writes: i64 = 0
        self.latest_fork_us = 0
        self.forks = 0
        self.saves = 0
        # Requests and logins that ACLs refused, by reason (`engine.acl.check`).
        self.denied: dict[int, int] = {}
        # Error code (the first word of the text) -> number of replies.
        self.errors: dict[bytes, int] = {}
        self.ops = Rate()
        self.input_rate = Rate()
        self.output_rate = Rate()

    def count_error(self, text: bytes) -> None:
        """Count an error reply under its code."""
        self.error_replies += 1
        code = text.split(b" ", 1)[0]
        # A bound, because a user's script can make up codes.
        if code in self.errors or len(self.errors) < 128:
            self.errors[code] = self.errors.get(code, 0) + 1

    def note_fork(self, took_us: int) -> None:
        """A child was forked, and the fork took so many microseconds."""
        self.forks += 1
        self.latest_fork_us = took_us

    def sample(self, calls: int, now_us: int) -> None:
        """Sample the rates, that of `calls` of commands among them; called by the cron."""
        self.ops.sample(calls, now_us)
        self.input_rate.sample(self.net_input, now_us)
        self.output_rate.sample(self.net_output, now_us)


def reset_stats(engine: "Engine") -> None:
    """Begin all counters anew, those of the commands among them."""
    engine.stats = Stats()
    for command in engine.commands.values():
        for each in family(command):
            each.reset_stats()
