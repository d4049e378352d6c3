"""What is kept of commands that took long: the slow log, the latency monitor, the histograms.

Theory of operation: dispatch compares the duration of each command with one number, `Engine.noted_ns`, and calls `note`
for those that are not below. The number is the smallest of what the three ask for: 1 microsecond for the histograms
(see `latency_histogram`), slowlog-log-slower-than, latency-monitor-threshold; nothing is as long as it while all three
are off. The directives are read when they change.

A client that waits has not finished its command. It is noted, as it is counted, when it is served, and the time of
waiting is not part of it.
"""

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from aikv.base.latency import LatencyMonitor
from aikv.engine.client import Client
from aikv.engine.command import FAST, SKIP_SLOWLOG, Command
from aikv.engine.command_table import family
from aikv.engine.latency_histogram import SHORT, LatencyHistogram
from aikv.engine.redaction import without_secrets
from aikv.engine.slowlog import SlowLog

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

# Microseconds, of which the nanoseconds are still an integer of 64 bits.
_NEVER: Final = 1 << 52


class Observer:
    """The slow log, the latency monitor and the histograms of one engine."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.slowlog: Final = SlowLog()
        self.latency: Final = LatencyMonitor(engine.clock)
        # Whether histograms are kept; off until the directives are read, so that this switches it.
        self.tracking = False
        self._slow_us: i64 = _NEVER
        self._latency_us: i64 = _NEVER
        for name in ("slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold", "latency-tracking"):
            engine.config.on_change(name, self._read)
        self._read()

    def note(self, client: Client, command: Command, argv: list[bytes], took_us: i64) -> None:
        """A call of `command` has taken `took_us`."""
        if client.internal or (client.block is not None and not client.retrying):
            return
        if self.tracking and took_us:
            histogram = command.latencies
            if histogram is None:
                histogram = command.latencies = LatencyHistogram()
            histogram.record(took_us)
        if took_us >= self._latency_us:
            self.latency.note("fast-command" if command.flags & FAST else "command", took_us)
        if took_us >= self._slow_us and not command.flags & SKIP_SLOWLOG:
            engine = self._engine
            now_s = engine.now_ns // 1_000_000_000
            shown = without_secrets(engine.config, command, argv)
            self.slowlog.add(now_s, took_us, shown, client.link.address().encode(), client.name)

    def _read(self) -> None:
        config = self._engine.config
        slow_us = config.get_int("slowlog-log-slower-than")
        self._slow_us = slow_us if slow_us >= 0 else _NEVER
        self.slowlog.most = config.get_int("slowlog-max-len")
        self.latency.threshold_ms = config.get_int("latency-monitor-threshold")
        self._latency_us = min(self.latency.threshold_ms * 1000, _NEVER) if self.latency.watching() else _NEVER
        self._track(config.get_bool("latency-tracking"))
        engine = self._engine
        engine.noted_ns = min(self._slow_us, self._latency_us, 1 if self.tracking else _NEVER) * 1000
        engine.unremarkable_ns = min(self._slow_us, self._latency_us, SHORT) * 1000 if self.tracking else 0

    def _track(self, tracking: bool) -> None:
        """Begin or stop to keep histograms. Those of before stay, so calls made meanwhile have to be told apart."""
        if tracking == self.tracking:
            return
        self.tracking = tracking
        for command in self._engine.commands.values():
            for each in family(command):
                each.track(tracking)
