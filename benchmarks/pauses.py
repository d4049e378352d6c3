"""The longest pause that a second client sees while a server does something large, and the same of redis-server.

Theory of operation: a process of its own sends PING after PING over one connection and keeps how long each answer took.
Meanwhile the benchmark lets the server insert millions of keys by pipelines, lets as many times to live run out in the
same moment, and drops everything or one huge value. The window of an event ends when its effects have: when DBSIZE is
0 and INFO knows of nothing that is still to be freed, and a while after. The longest answer in the window is the
longest pause; beside it stand the one of which 99.9 % are no longer, and how many were longer than `LONG_MS`.

The system takes a part: on two cores the prober, the loader and the server displace each other. So redis-server is
measured under the same load, and the event `idle` is what the prober sees when nothing happens. Servers run one
at a time, in turn, each turn on new ones. Needs Linux and redis-server.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
from datasets import Commands, fill, strings
from observe import Probe
from ratios import percentile
from sides import TITLES, about, answered, output_option, program_option, programs, running, save

from oracle.process import VOLATILE, ServerProcess
from oracle.wire import RawConnection

LONG_MS = 10.0
# Members in one command while a huge value is built.
CHUNK = 500
# How long after the end of an event it is still watched: a thread may not be done with what it has taken on.
AFTERMATH_S = 1.0
# What INFO says when whatever was dropped has been freed.
NOTHING_LEFT = b"\r\nlazyfree_pending_objects:0\r\n"

HUGE: dict[str, Callable[[int], list[bytes]]] = {
    "hash": lambda n: [b"HSET", b"huge", *(part for i in range(n, n + CHUNK) for part in (b"f:%d" % i, b"value"))],
    "list": lambda n: [b"RPUSH", b"huge", *(b"element:%d" % i for i in range(n, n + CHUNK))],
    "set": lambda n: [b"SADD", b"huge", *(b"member:%d" % i for i in range(n, n + CHUNK))],
    "zset": lambda n: [b"ZADD", b"huge", *(p for i in range(n, n + CHUNK) for p in (b"%d" % i, b"member:%d" % i))],
}


@dataclass
class Pauses:
    """What the prober saw in one window: milliseconds, how many were long, and seconds that the window took."""

    longest_ms: float
    p999_ms: float
    long: int
    asked: int
    seconds: float


@dataclass
class Event:
    """All turns of one event, for each side."""

    name: str
    aikv: list[Pauses] = field(default_factory=list)
    redis: list[Pauses] = field(default_factory=list)


@dataclass
class Sizes:
    """How much is inserted, runs out and is dropped; `pipeline` commands arrive together."""

    keys: int
    times: int
    elements: int
    pipeline: int


def pauses_in(asked: list[tuple[float, float]], begin: float, end: float) -> Pauses:
    """Of all questions, those that were open at any time between `begin` and `end`. Raises `ValueError` for none."""
    waits = sorted(took * 1000 for at, took in asked if at + took >= begin and at <= end)
    return Pauses(
        waits[-1] if waits else 0.0,
        percentile(waits, 99.9),
        sum(wait > LONG_MS for wait in waits),
        len(waits),
        end - begin,
    )


class Watched:
    """Events on one server; `seen` has what was noticed during each."""

    def __init__(self, server: ServerProcess, sizes: Sizes) -> None:
        self.server = server
        self.sizes = sizes
        self.seen: dict[str, Pauses] = {}

    @contextmanager
    def window(self, name: str) -> Iterator[None]:
        """Watch what happens inside, and its aftermath."""
        probe = Probe(self.server.port, ("PING",), 0.0)
        try:
            # The prober's process starts and connects before anything happens.
            time.sleep(0.2)
            begin = time.monotonic()
            yield
            time.sleep(AFTERMATH_S)
            end = time.monotonic()
        finally:
            asked = probe.stop()
        self.seen[name] = pauses_in(asked, begin, end)
        click.echo(f" {name} {self.seen[name].longest_ms:.1f}", nl=False, err=True)

    def idle(self) -> None:
        """Nothing happens."""
        with self.window("idle"):
            pass

    def insert(self) -> None:
        """Many keys, by pipelines."""
        with self.window(f"insert {self.sizes.keys:,} keys"):
            fill(self.server, strings(self.sizes.keys), self.sizes.pipeline)

    def flush(self) -> None:
        """All of them are dropped, not in the foreground."""
        with self.window(f"FLUSHALL ASYNC of {self.sizes.keys:,} keys"):
            answered(self.server, "FLUSHALL", "ASYNC")
            self._wait_for(NOTHING_LEFT, "INFO", "memory")

    def run_out(self) -> None:
        """Times to live that all end in the same millisecond."""
        ahead = 2.0 + self.sizes.times * 10e-6
        while True:
            due = time.time() + ahead
            fill(self.server, timed(self.sizes.times, round(due * 1000)), self.sizes.pipeline)
            if time.time() < due - 0.5:
                break
            # The machine is slower than thought: those that were first ran out before the last were there.
            answered(self.server, "FLUSHALL")
            ahead *= 2
        time.sleep(due - 0.5 - time.time())
        with self.window(f"{self.sizes.times:,} times to live run out"):
            self._wait_for(b":0\r\n", "DBSIZE")

    def drop(self, kind: str, command: str) -> None:
        """One huge value goes."""
        chunks = range(0, self.sizes.elements, CHUNK)
        fill(self.server, (HUGE[kind](number) for number in chunks), batch=20)
        with self.window(f"{command} of a {kind} of {self.sizes.elements:,}"):
            answered(self.server, command, "huge")
            self._wait_for(NOTHING_LEFT, "INFO", "memory")

    def _wait_for(self, words: bytes, *question: str) -> None:
        """Ask, seldom enough not to be in the way, until `words` are in the answer."""
        with RawConnection(self.server.port, 60) as asking:
            while words not in asking.command(*question):
                time.sleep(0.05)


def timed(keys: int, due: int) -> Commands:
    """Strings whose time to live ends at `due`, milliseconds since 1970."""
    at = b"%d" % due
    return ([*command, b"PXAT", at] for command in strings(keys))


def table(events: list[Event]) -> str:
    """The events as a Markdown table."""
    heads = ["longest pause, ms", *(f"{TITLES[name]} (spread)" for name in ("aikv", "redis"))]
    heads += [f"{TITLES[name]}, p99.9" for name in ("aikv", "redis")]
    heads += [f"{TITLES[name]}, pauses > {LONG_MS:g} ms" for name in ("aikv", "redis")]
    heads += [f"{TITLES[name]}, s" for name in ("aikv", "redis")]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for event in events:
        sides = (event.aikv, event.redis)
        cells = [event.name]
        for runs in sides:
            waits = [run.longest_ms for run in runs]
            cells.append(f"{statistics.median(waits):.1f} ({min(waits):.1f}-{max(waits):.1f})")
        cells += [f"{statistics.median(run.p999_ms for run in runs):.2f}" for runs in sides]
        cells += [f"{statistics.median(run.long for run in runs):.0f}" for runs in sides]
        cells += [f"{statistics.median(run.seconds for run in runs):.1f}" for runs in sides]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@click.command(context_settings={"show_default": True})
@click.option("--keys", type=click.IntRange(1000), default=5_000_000, help="Keys that are inserted and flushed.")
@click.option("--times", type=click.IntRange(1000), default=1_000_000, help="Times to live that run out at once.")
@click.option("--elements", type=click.IntRange(1000), default=1_000_000, help="Elements of a huge value.")
@click.option("--huge", "kinds", multiple=True, type=click.Choice(list(HUGE)), default=("hash", "zset"))
@click.option("--pipeline", type=click.IntRange(1), default=500, help="Commands that arrive together.")
@click.option("--runs", type=click.IntRange(1), default=5, help="Turns of each server.")
@click.option("--quick", is_flag=True, help="A hundredth of all sizes, two turns.")
@program_option
@output_option
def main(
    keys: int,
    times: int,
    elements: int,
    kinds: tuple[str, ...],
    pipeline: int,
    runs: int,
    quick: bool,
    program: str,
    output: Path,
) -> None:
    """Measure the longest pause that a client sees while a server inserts, expires and drops a lot.

    Progress goes to the standard error: for each event the longest pause in ms. The table goes to the standard output,
    and with all runs to pauses.json and pauses.md in the folder --output.
    """
    if quick:
        keys, times, elements, runs = keys // 100, times // 100, elements // 100, 2
    sizes = Sizes(keys, times, elements, pipeline)
    events: dict[str, Event] = {}
    started = programs(program)
    for turn in range(runs):
        for name, command in started.items():
            click.echo(f"{name}, {turn + 1} of {runs}, longest pause in ms:", nl=False, err=True)
            with (
                tempfile.TemporaryDirectory(prefix="aikv-bench-") as home,
                running({name: command}, Path(home), VOLATILE) as sides,
            ):
                watched = Watched(sides[name], sizes)
                watched.idle()
                watched.insert()
                watched.flush()
                watched.run_out()
                for kind in kinds:
                    watched.drop(kind, "DEL")
                    watched.drop(kind, "UNLINK")
            click.echo("", err=True)
            for what, seen in watched.seen.items():
                event = events.setdefault(what, Event(what))
                (event.aikv if name == "aikv" else event.redis).append(seen)
    document = {
        "about": about(started),
        "sizes": asdict(sizes),
        "long_ms": LONG_MS,
        "events": [asdict(event) for event in events.values()],
    }
    save(output, "pauses", document, table(list(events.values())))


if __name__ == "__main__":
    main()
