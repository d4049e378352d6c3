"""What clients and the system notice of a snapshot that is taken in the background.

Theory of operation: redis-benchmark sets random keys of the dataset all the while, one connection asks once a
millisecond, and the memory of the server and its children is added up. What these notice without a snapshot is measured
right before, and stands beside. Needs Linux and redis-benchmark.
"""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from observe import MemoryWatch, Probe, longest
from sides import served_so_far

from oracle.process import ServerProcess

BASELINE_S = 2.0


@dataclass
class Background:
    """One snapshot: stalls in ms, throughput in commands a second, memory in MB; each also as it is without one."""

    seconds: float
    stall_ms: float
    usual_stall_ms: float
    throughput: float
    usual_throughput: float
    memory_mb: float
    peak_mb: float


def under_load(server: ServerProcess, keys: int, take: Callable[[ServerProcess], None]) -> Background:
    """Let `take` take one snapshot of `keys` strings and wait for it, after `BASELINE_S` of the load alone."""
    command = ["redis-benchmark", "-p", str(server.port), "-c", "20", "-t", "set", "-d", "16", "-l"]
    load = subprocess.Popen([*command, "-r", str(keys)], stdout=subprocess.DEVNULL)
    probe = Probe(server.port)
    try:
        memory = MemoryWatch(server.pid)
        count, began = served_so_far(server), time.monotonic()
        time.sleep(BASELINE_S)
        count_at_start, start = served_so_far(server), time.monotonic()
        memory.start()
        take(server)
        end, count_at_end = time.monotonic(), served_so_far(server)
        peak = memory.stop()
    finally:
        asked = probe.stop()
        load.kill()
        load.wait()
    return Background(
        end - start,
        longest(asked, start, end) * 1000,
        longest(asked, began, start) * 1000,
        (count_at_end - count_at_start) / (end - start),
        (count_at_start - count) / (start - began),
        memory.before / 1e6,
        peak / 1e6,
    )


COLUMNS: list[tuple[str, Callable[[Background], str]]] = [
    ("duration, s", lambda run: f"{run.seconds:.2f}"),
    ("longest stall, ms (without)", lambda run: f"{run.stall_ms:.1f} ({run.usual_stall_ms:.1f})"),
    ("commands/s (without)", lambda run: f"{run.throughput:,.0f} ({run.usual_throughput:,.0f})"),
    ("memory peak, MB (before)", lambda run: f"{run.peak_mb:.0f} ({run.memory_mb:.0f})"),
]


def background_table(heads: str, runs: dict[str, dict[str, list[Background]]]) -> str:
    """The snapshot of the middle stall for each dataset and server, which `heads` call so, as a Markdown table."""
    lines = [
        f"| {heads} | {' | '.join(title for title, _ in COLUMNS)} |",
        f"|---|---|{'---:|' * len(COLUMNS)}",
    ]
    for dataset, servers in runs.items():
        for name, all_runs in servers.items():
            middle = sorted(all_runs, key=lambda run: run.stall_ms)[len(all_runs) // 2]
            lines.append(f"| {dataset} | {name} | {' | '.join(show(middle) for _, show in COLUMNS)} |")
    return "\n".join(lines) + "\n"
