"""The latency monitor: which samples it keeps."""

from aikv.base.clock import ManualClock
from aikv.base.latency import SAMPLES, LatencyMonitor


def monitor(threshold_ms: int) -> tuple[LatencyMonitor, ManualClock]:
    clock = ManualClock(start_ms=1_000_000)
    made = LatencyMonitor(clock)
    made.threshold_ms = threshold_ms
    return made, clock


def test_nothing_is_kept_while_it_is_off() -> None:
    off, _ = monitor(0)
    off.note("command", 10**9)
    assert off.events == {}
    assert not off.watching()


def test_what_is_shorter_than_the_threshold_is_not_kept() -> None:
    watching, _ = monitor(5)
    watching.note("command", 4999)
    assert watching.events == {}
    watching.note("command", 5000)
    assert watching.events["command"].samples == [(1000, 5)]


def test_of_one_second_the_worst_is_kept() -> None:
    watching, clock = monitor(1)
    for took_ms in (3, 9, 4):
        watching.note("fork", took_ms * 1000)
    clock.advance_ms(1000)
    watching.note("fork", 2000)
    assert watching.events["fork"].samples == [(1000, 9), (1001, 2)]
    assert watching.events["fork"].worst_ms == 9


def test_the_oldest_samples_go_and_the_worst_of_all_time_stays() -> None:
    watching, clock = monitor(1)
    watching.note("command", 70_000)
    for _ in range(SAMPLES):
        clock.advance_ms(1000)
        watching.note("command", 1000)
    event = watching.events["command"]
    assert len(event.samples) == SAMPLES
    assert event.samples[0] == (1001, 1)
    assert event.worst_ms == 70


def test_reset_forgets_what_is_named_or_all() -> None:
    watching, _ = monitor(1)
    for name in ("a", "b", "c"):
        watching.note(name, 1000)
    assert watching.reset(["a", "nosuch"]) == 1
    assert set(watching.events) == {"b", "c"}
    assert watching.reset([]) == 2
    assert watching.events == {}
