"""Latency of aikv against redis-server under a fixed load, from an open-loop generator.

Theory of operation: a closed loop, in which a client sends its next request when it has a reply, stops asking while a
server stalls, and so hides the stall. Here requests have times at which they are due, whatever has become of those
before, and a latency is counted from that time (Gil Tene's "coordinated omission"). First the generator itself, in a
closed loop, finds how much redis-server can be asked; then both servers in turn get half of that rate. The generator is
Python and takes a part of each latency, the same for both.
"""

import asyncio
import statistics
import tempfile
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import click
import uvloop
from ratios import percentile
from sides import about, output_option, program_option, programs, running, save

from wired import request

VALUE = b"xxx"
GET = request("GET", "key")
REPLY = b"$3\r\nxxx\r\n"
PERCENTILES = (50.0, 99.0, 99.9)


@dataclass
class Latencies:
    """Of one run: microseconds at each of `PERCENTILES`, and the longest."""

    at: list[float]
    longest: float


class Asker(asyncio.Protocol):
    """One connection: remembers when each request without a reply was due."""

    def __init__(self) -> None:
        self.due: deque[float] = deque()
        self.taken: list[float] = []
        self.closed_loop = False
        self._transport: asyncio.Transport | None = None
        self._unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass.
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, due: float) -> None:
        """Send one request that was to be sent at `due`."""
        assert self._transport is not None
        self.due.append(due)
        self._transport.write(GET)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        now = time.perf_counter()
        while self._unread >= len(REPLY):
            self._unread -= len(REPLY)
            self.taken.append(now - self.due.popleft())
            if self.closed_loop:
                self.ask(now)


async def closed_loop(port: int, connections: int, seconds: float) -> float:
    """Return the replies a second that the generator gets if it always waits for one."""
    askers = await _connect(port, connections)
    for asker in askers:
        asker.closed_loop = True
        asker.ask(time.perf_counter())
    await asyncio.sleep(seconds)
    return sum(len(asker.taken) for asker in askers) / seconds


async def open_loop(port: int, connections: int, seconds: float, rate: float) -> Latencies:
    """Send `rate` requests a second, each when it is due; return how long the replies took."""
    askers = await _connect(port, connections)
    began = time.perf_counter()
    sent = 0
    total = int(rate * seconds)
    while sent < total:
        now = time.perf_counter()
        while sent < total and began + sent / rate <= now:
            askers[sent % connections].ask(began + sent / rate)
            sent += 1
        # A turn of the loop that does not sleep: sleeping is not exact to the microsecond.
        await asyncio.sleep(0)
    deadline = time.perf_counter() + 10
    while any(asker.due for asker in askers) and time.perf_counter() < deadline:
        await asyncio.sleep(0.001)
    taken = sorted(latency * 1e6 for asker in askers for latency in asker.taken)
    if len(taken) != total:
        raise click.ClickException(f"{total - len(taken)} of {total} requests got no reply")
    return Latencies([percentile(taken, share) for share in PERCENTILES], taken[-1])


async def _connect(port: int, connections: int) -> list[Asker]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Asker, "127.0.0.1", port))[1] for _ in range(connections)]


def table(rate: float, ours: list[Latencies], theirs: list[Latencies]) -> str:
    """Lay the runs out as a Markdown table: medians, and the spread of the ratios."""
    lines = [
        f"| GET at {rate:,.0f} requests/s | aikv, us | redis-server, us | ratio (spread) |",
        "|---|---:|---:|---:|",
    ]
    rows = [(f"p{share:g}", index) for index, share in enumerate(PERCENTILES)]
    for name, index in rows:
        pairs = [(our.at[index], their.at[index]) for our, their in zip(ours, theirs, strict=True)]
        ratios = [our / their for our, their in pairs]
        lines.append(
            f"| {name} | {statistics.median(our for our, _ in pairs):,.0f} "
            f"| {statistics.median(their for _, their in pairs):,.0f} "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) |"
        )
    return "\n".join(lines) + "\n"


@click.command(context_settings={"show_default": True})
@click.option("--connections", type=click.IntRange(1), default=50, help="Connections.")
@click.option("--seconds", type=click.FloatRange(0.1), default=5.0, help="Length of a run.")
@click.option("--pairs", type=click.IntRange(1), default=5, help="Measured pairs of runs.")
@click.option("--rate", type=click.FloatRange(1), help="Requests a second.  [default: half of what is possible]")
@click.option("--quick", is_flag=True, help="Two pairs of one second.")
@program_option
@output_option
def main(
    connections: int, seconds: float, pairs: int, rate: float | None, quick: bool, program: str, output: Path
) -> None:
    """Measure the latency of GET in aikv and redis-server at the same fixed rate.

    Progress goes to the standard error. The table goes to the standard output, and with all runs to latency.json and
    latency.md in the folder --output.
    """
    if quick:
        pairs, seconds = 2, 1.0
    started = programs(program)
    runs: tuple[list[Latencies], list[Latencies]] = ([], [])
    with (
        tempfile.TemporaryDirectory(prefix="aikv-bench-") as home,
        running(started, Path(home), ["--save", "", "--appendonly", "no"]) as sides,
    ):
        for server in sides.values():
            with server.connect() as connection:
                connection.command("SET", "key", VALUE)
        if rate is None:
            rate = uvloop.run(closed_loop(sides["redis"].port, connections, min(seconds, 2.0))) / 2
        for pair in range(-1, pairs):
            for server, taken in zip(sides.values(), runs, strict=True):
                latencies = uvloop.run(open_loop(server.port, connections, seconds, rate))
                if pair >= 0:
                    taken.append(latencies)
            click.echo(f"pair {pair + 1} of {pairs}" if pair >= 0 else "warm", err=True)
    document = {
        "about": about(started),
        "rate": rate,
        "percentiles": PERCENTILES,
        "aikv": [asdict(one) for one in runs[0]],
        "redis": [asdict(one) for one in runs[1]],
    }
    save(output, "latency", document, table(rate, *runs))


if __name__ == "__main__":
    main()
