"""LATENCY and INFO latencystats: what is measured is told in the oracle's form, and where it can be in its figures."""

import re
from typing import Any

import hiredis
import pytest

from aikv.base.clock import ManualClock
from aikv.base.latency import LatencyMonitor
from aikv.engine.latency_graph import graph
from aikv.engine.latency_histogram import bucket_of
from oracle.pair import Pair
from oracle.process import ServerProcess

PERCENTILES = re.compile(rb"latency_percentiles_usec_([^:]+):p50=([0-9.]+),p99=([0-9.]+),p99.9=([0-9.]+)")


def ask(server: ServerProcess, *argv: str) -> Any:
    """Return the value of one reply."""
    reader = hiredis.Reader()
    with server.connect() as connection:
        reader.feed(connection.command(*argv))
    return reader.gets()


@pytest.fixture(params=["oracle", "aikv"])
def server(request: pytest.FixtureRequest, pair: Pair) -> ServerProcess:
    """Each of both servers: what is asserted of aikv holds for redis-server."""
    chosen: ServerProcess = getattr(pair, request.param)
    return chosen


def test_percentiles_are_upper_ends_of_buckets(server: ServerProcess) -> None:
    ask(server, "CONFIG", "RESETSTAT")
    for seconds in ("0", "0.0003", "0.004", "0.05"):
        ask(server, "DEBUG", "SLEEP", seconds)
    text: bytes = ask(server, "INFO", "latencystats")
    found = {name: [float(number) for number in numbers] for name, *numbers in PERCENTILES.findall(text)}
    assert set(found) == {b"config|resetstat", b"debug"}
    assert found[b"debug"][1] == found[b"debug"][2] >= 50_000
    for microseconds in (number for numbers in found.values() for number in numbers):
        ns = round(microseconds * 1000)
        assert bucket_of(ns)[1] == ns


def test_percentiles_are_named_as_they_are_configured(server: ServerProcess) -> None:
    ask(server, "CONFIG", "SET", "latency-tracking-info-percentiles", "0 12.5 100")
    ask(server, "PING")
    text: bytes = ask(server, "INFO", "latencystats")
    ask(server, "CONFIG", "SET", "latency-tracking-info-percentiles", "50 99 99.9")
    assert re.search(rb"latency_percentiles_usec_ping:p0=[0-9.]+,p12.5=[0-9.]+,p100=[0-9.]+\r\n", text)


def test_nothing_is_shown_while_nothing_is_tracked(server: ServerProcess) -> None:
    ask(server, "CONFIG", "SET", "latency-tracking", "no")
    ask(server, "PING")
    text = ask(server, "INFO", "latencystats")
    ask(server, "CONFIG", "SET", "latency-tracking", "yes")
    assert text == b"# Latencystats\r\n"


def test_calls_made_while_nothing_is_tracked_are_not_in_a_histogram(server: ServerProcess) -> None:
    ask(server, "CONFIG", "RESETSTAT")
    for tracking, calls in (("yes", 2), ("no", 30), ("yes", 1), ("no", 3)):
        ask(server, "CONFIG", "SET", "latency-tracking", tracking)
        for _ in range(calls):
            ask(server, "ECHO", "x")
    name, (_, calls, _, levels) = ask(server, "LATENCY", "HISTOGRAM", "echo")
    ask(server, "CONFIG", "SET", "latency-tracking", "yes")
    assert (name, calls) == (b"echo", 3)
    assert levels[-1] == 3


def test_levels_double_and_counts_grow(server: ServerProcess) -> None:
    ask(server, "CONFIG", "RESETSTAT")
    for seconds in ("0", "0.0001", "0.001", "0.01", "0.1", "0.7"):
        ask(server, "DEBUG", "SLEEP", seconds)
    _, (_, calls, _, levels) = ask(server, "LATENCY", "HISTOGRAM", "debug")
    assert calls == 6
    # What is longer than the last power of two is in a level that ends with the buckets.
    allowed = [*(bucket_of(1 << power)[1] // 1000 for power in range(10, 30)), ((1 << 30) - 1) // 1000]
    assert [level for level in levels[::2] if level not in allowed] == []
    assert levels[1::2] == sorted(set(levels[1::2]))
    assert levels[-1] == 6


def test_subcommands_stand_under_their_own_names(server: ServerProcess) -> None:
    ask(server, "CONFIG", "RESETSTAT")
    ask(server, "CONFIG", "GET", "port")
    ask(server, "CONFIG", "GET", "port")
    assert set(ask(server, "LATENCY", "HISTOGRAM", "config")[::2]) == {b"config|resetstat", b"config|get"}
    assert ask(server, "LATENCY", "HISTOGRAM", "config|get")[1][1] == 2


def test_slow_commands_are_events_of_two_kinds(server: ServerProcess) -> None:
    ask(server, "CONFIG", "SET", "latency-monitor-threshold", "150")
    ask(server, "LATENCY", "RESET")
    ask(server, "DEBUG", "SLEEP", "0.2")
    ((name, at_s, last_ms, worst_ms),) = ask(server, "LATENCY", "LATEST")
    assert name == b"command"
    assert 200 <= last_ms == worst_ms
    assert ask(server, "LATENCY", "HISTORY", "command") == [[at_s, last_ms]]
    assert ask(server, "LATENCY", "RESET", "command") == 1
    ask(server, "CONFIG", "SET", "latency-monitor-threshold", "0")


def test_the_graph_is_drawn_as_the_oracle_draws_it(pair: Pair) -> None:
    oracle = pair.oracle
    ask(oracle, "CONFIG", "SET", "latency-monitor-threshold", "10")
    ask(oracle, "LATENCY", "RESET")
    with oracle.connect() as connection:
        for seconds in ("0.35", "0.02", "0.6", "0.4"):
            connection.command("DEBUG", "SLEEP", seconds)
            # Samples of one second are one: wait for the next.
            second = connection.command("TIME").split(b"\r\n")[2]
            while connection.command("TIME").split(b"\r\n")[2] == second:
                pass
    history: list[list[int]] = ask(oracle, "LATENCY", "HISTORY", "command")
    ((_, _, _, worst_ms),) = ask(oracle, "LATENCY", "LATEST")
    now_s = int(ask(oracle, "TIME")[0])
    theirs: bytes = ask(oracle, "LATENCY", "GRAPH", "command")
    later_s = int(ask(oracle, "TIME")[0])
    ask(oracle, "CONFIG", "SET", "latency-monitor-threshold", "0")
    clock = ManualClock()
    monitor = LatencyMonitor(clock)
    monitor.threshold_ms = 1
    for at_s, took_ms in history:
        clock.now_us = at_s * 1_000_000
        monitor.note("command", took_ms * 1000)
    event = monitor.events["command"]
    assert len(event.samples) == 4
    assert event.worst_ms == worst_ms
    # The oracle's clock for this is the system's coarse one, which may lag behind TIME.
    assert theirs.decode() in {graph("command", event, second) for second in (now_s - 1, now_s, later_s)}
