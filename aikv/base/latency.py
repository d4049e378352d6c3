"""The latency monitor: for each kind of event, when it took long and how long.

Theory of operation: whoever does something that may hold clients up measures it and calls `note` with its name and its
duration. While `threshold_ms` is 0 nothing is measured or kept, so `watching` is asked first where the measuring costs
something. An event keeps its last `SAMPLES` samples, one for each second at most (the worst of that second), and the
worst of all time.

It knows nothing of commands: files and the engine note their events in the same object.
Source of the events' names and of what is kept: https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/
"""

from typing import Final

from aikv.base.clock import Clock

SAMPLES: Final = 160


class LatencyEvent:
    """What is kept of one kind of event: `samples` of Unix second and milliseconds, oldest first."""

    def __init__(self) -> None:
        self.samples: Final[list[tuple[int, int]]] = []
        self.worst_ms = 0

    def add(self, now_s: int, took_ms: int) -> None:
        """Note one occurrence."""
        self.worst_ms = max(self.worst_ms, took_ms)
        samples = self.samples
        if samples and samples[-1][0] == now_s:
            samples[-1] = (now_s, max(samples[-1][1], took_ms))
            return
        samples.append((now_s, took_ms))
        if len(samples) > SAMPLES:
            del samples[0]


class LatencyMonitor:
    """All events of one server. `threshold_ms` is latency-monitor-threshold; 0 switches the monitor off."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self.threshold_ms = 0
        self.events: Final[dict[str, LatencyEvent]] = {}

    def watching(self) -> bool:
        """Whether durations are wanted."""
        return self.threshold_ms > 0

    def note(self, name: str, took_us: int) -> None:
        """Event `name` has taken `took_us` microseconds; kept if that is as long as the threshold."""
        took_ms = took_us // 1000
        if self.threshold_ms == 0 or took_ms < self.threshold_ms:
            return
        event = self.events.get(name)
        if event is None:
            event = self.events[name] = LatencyEvent()
        event.add(self._clock.unix_ms() // 1000, took_ms)

    def reset(self, names: list[str]) -> int:
        """Forget the events in `names`, all where it is empty; returns how many were there."""
        forgotten = 0
        for name in names or list(self.events):
            if self.events.pop(name, None) is not None:
                forgotten += 1
        return forgotten
