"""What aikv and redis-server cost before they are asked for anything: the start, and connections that say nothing.

Theory of operation: a start is timed from the start of the process to the first PONG, on an empty folder; it is asked
for every `ASK_EVERY_S`. The servers take turns. The first turn, which brings the programs into the system's memory, is
dropped.

For connections a server's resident memory is read, a number of clients connect and send one PING each, as client
libraries do, and when they have been silent for a while (servers give buffers back then) it is read again. What the
system's kernel keeps for a socket is the same for all servers and not in it. Needs Linux and redis-server.
"""

import socket
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
from observe import resident_bytes
from ratios import ratios, spread
from sides import TITLES, about, cpu_seconds, open_files, output_option, program_option, programs, running, save

from oracle.process import VOLATILE, ServerProcess

# The steps in which `ServerProcess.start` asks.
ASK_EVERY_S = 0.01
SPARE_FILES = 200
# Connections that are opened before their PINGs are answered: fewer than a listener's backlog.
AT_ONCE = 100


@dataclass
class Start:
    """One start: milliseconds to the first PONG, and of the server's CPU until then."""

    ms: float
    cpu_ms: float


@dataclass
class Runs:
    """All turns of one side."""

    starts: list[Start] = field(default_factory=list)
    connection_bytes: list[float] = field(default_factory=list)


def start_of(name: str, program: list[str]) -> Start:
    """Start a server on nothing."""
    with tempfile.TemporaryDirectory(prefix="aikv-bench-") as home:
        began = time.monotonic()
        with running({name: program}, Path(home), VOLATILE) as sides:
            return Start((time.monotonic() - began) * 1000, cpu_seconds(sides[name].pid) * 1000)


def connect(server: ServerProcess, count: int) -> list[socket.socket]:
    """Open `count` connections, each of which has had the answer to one PING."""
    opened: list[socket.socket] = []
    for begin in range(0, count, AT_ONCE):
        batch = [
            socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(min(AT_ONCE, count - begin))
        ]
        opened += batch
        for client in batch:
            client.sendall(b"PING\r\n")
        for client in batch:
            answer = client.recv(100)
            if answer != b"+PONG\r\n":
                raise click.ClickException(f"connection {len(opened):,}: {answer!r}")
    return opened


def bytes_per_connection(name: str, program: list[str], count: int, silence: float) -> float:
    """Resident memory of a server with `count` connections that have been silent for so many seconds, for each."""
    with (
        tempfile.TemporaryDirectory(prefix="aikv-bench-") as home,
        running({name: program}, Path(home), [*VOLATILE, "--maxclients", str(count + SPARE_FILES // 2)]) as sides,
    ):
        server = sides[name]
        # What the first connections of all bring along is no cost of one.
        for client in connect(server, AT_ONCE):
            client.close()
        before = resident_bytes(server.pid)
        clients = connect(server, count)
        time.sleep(silence)
        taken = resident_bytes(server.pid) - before
        for client in clients:
            client.close()
    return taken / count


def table(runs: dict[str, Runs], connections: int) -> str:
    """Both figures as a Markdown table."""
    ours, theirs = runs["aikv"], runs["redis"]
    rows = [
        ("start to first PONG, ms", [run.ms for run in ours.starts], [run.ms for run in theirs.starts]),
        ("CPU of the start, ms", [run.cpu_ms for run in ours.starts], [run.cpu_ms for run in theirs.starts]),
        (f"bytes for each of {connections:,} connections", ours.connection_bytes, theirs.connection_bytes),
    ]
    lines = [f"| | aikv | {TITLES['redis']} | ratio (spread) |", "|---|---:|---:|---:|"]
    for what, mine, other in rows:
        if mine:
            middle, others = statistics.median(mine), statistics.median(other)
            lines.append(f"| {what} | {middle:,.0f} | {others:,.0f} | {spread(ratios(mine, other))} |")
    return "\n".join(lines) + "\n"


@click.command(context_settings={"show_default": True})
@click.option("--connections", type=click.IntRange(1), default=10_000, help="Connections that say nothing.")
@click.option("--silence", type=click.FloatRange(0), default=5.0, help="Seconds for which they have said nothing.")
@click.option("--starts", type=click.IntRange(1), default=10, help="Measured starts of each server.")
@click.option("--runs", "turns", type=click.IntRange(1), default=3, help="Measured turns with connections.")
@click.option("--quick", is_flag=True, help="Three starts, one turn of 1,000 connections for one second.")
@program_option
@output_option
def main(connections: int, silence: float, starts: int, turns: int, quick: bool, program: str, output: Path) -> None:
    """Measure the start of an empty server and the memory of idle connections, of aikv and of redis-server.

    Progress goes to the standard error, the table to the standard output, and with all runs to idle.json and idle.md in
    the folder --output.
    """
    if quick:
        connections, silence, starts, turns = 1000, 1.0, 3, 1
    if open_files(connections + SPARE_FILES) < connections + SPARE_FILES:
        raise click.ClickException(f"the system does not allow the open files of {connections:,} connections")
    started = programs(program)
    runs = {name: Runs() for name in started}
    for turn in range(-1, starts):
        for name, command in started.items():
            start = start_of(name, command)
            if turn >= 0:
                runs[name].starts.append(start)
                click.echo(f"{name} starts in {start.ms:.0f} ms", err=True)
    for _ in range(turns):
        for name, command in started.items():
            taken = bytes_per_connection(name, command, connections, silence)
            runs[name].connection_bytes.append(taken)
            click.echo(f"{name} takes {taken:,.0f} bytes for a connection", err=True)
    document = {
        "about": about(started),
        "connections": connections,
        **{name: asdict(one) for name, one in runs.items()},
    }
    save(output, "idle", document, table(runs, connections))


if __name__ == "__main__":
    main()
