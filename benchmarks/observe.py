"""What a client and the system notice of a server while something goes on in it.

Theory of operation: a `Probe` is a process of its own that asks one question after the other, at once or a while apart,
and keeps when it was asked and how long the answer took; the longest of them is the longest stall. A `MemoryWatch` is a
thread that adds up the memory of a process and its children, each page that several of them share counted once (PSS).
Both see what they are there for from outside, so they work alike for every server. Needs Linux.
"""

import gc
import multiprocessing
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from oracle.wire import RawConnection

_PROBE_EVERY_S = 0.001
_MEMORY_EVERY_S = 0.02


def children(pid: int) -> list[int]:
    """The processes that `pid` has started and not yet seen the end of."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def proportional_bytes(pid: int) -> int:
    """Memory of `pid`, a shared page counted in equal parts for those who share it; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.partition("\nPss:")[2].split()[0]) * 1024


def tree_bytes(pid: int) -> int:
    """Memory of `pid` and its children together."""
    return sum(proportional_bytes(process) for process in (pid, *children(pid)))


def resident_bytes(pid: int) -> int:
    """Resident memory of `pid` alone."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) * 1024


class MemoryWatch:
    """The largest memory of a process and its children between `start` and `stop`, in bytes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.before = tree_bytes(pid)
        self.peak = self.before

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> int:
        """No longer watch; returns the peak."""
        self._ended.set()
        self._thread.join()
        return self.peak

    def _run(self) -> None:
        while not self._ended.wait(_MEMORY_EVERY_S):
            self.peak = max(self.peak, tree_bytes(self._pid))


def _probe(port: int, pipe: Connection, question: tuple[str, ...], pause: float) -> None:
    """Ask until something comes through `pipe`, then answer with (asked at, seconds) of every question."""
    asked: list[tuple[float, float]] = []
    # A collection of garbage here would be taken for a pause of the server.
    gc.disable()
    with RawConnection(port, 60) as connection:
        while not pipe.poll():
            began = time.monotonic()
            connection.command(*question)
            asked.append((began, time.monotonic() - began))
            if pause:
                time.sleep(pause)
    pipe.send(asked)


class Probe:
    """A client that asks `question` again `pause` seconds after its answer: by default it writes once a millisecond."""

    def __init__(
        self, port: int, question: tuple[str, ...] = ("SET", "probe", "x"), pause: float = _PROBE_EVERY_S
    ) -> None:
        # A fork, not a spawn: the module that started the benchmark is not imported anew.
        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_probe, args=(port, other, question, pause), daemon=True)
        self._process.start()

    def stop(self) -> list[tuple[float, float]]:
        """End it; returns (monotonic second at which it asked, seconds until the answer) for each question."""
        self._pipe.send(None)
        asked: list[tuple[float, float]] = self._pipe.recv()
        self._process.join()
        return asked


def longest(asked: list[tuple[float, float]], begin: float, end: float) -> float:
    """The longest wait, in seconds, of the questions that were open at any time between `begin` and `end`."""
    return max((took for at, took in asked if at + took >= begin and at <= end), default=0.0)
