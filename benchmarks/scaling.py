"""How cost grows, of aikv and of redis-server: with keys, connections, the size of a value, and the pipeline.

Theory of operation: one of the four is changed at a time, on axes with a few points each; at every point stands what
compare.py measures, side by side: commands a second, and the server's CPU per command. So that a point shows its own
cost and no other, keys are there before they are asked for, many connections get more requests (accepting them is
part of the run), and large values get fewer.

A cliff is where a step on the axis costs a multiple. Since some steps must cost more (a megabyte takes longer than
three bytes) redis-server is the measure: `steepest` is the largest factor by which aikv's CPU, relative to
redis-server's, grows from one point to the next. Needs Linux, redis-server and redis-benchmark.
"""

import itertools
import statistics
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
from compare import Summary, compare
from datasets import fill
from load import BenchmarkFailed, Load, same_strings
from ratios import spread
from sides import TITLES, Sides, about, open_files, output_option, program_option, programs, running, save

NAMES = ("aikv", "redis")
TESTS = ("get", "set")
ROUND_TRIPS = 100_000
CLIENTS = 50
SIZE = 3
# Keeps a point of large values to about the duration of the others: bytes that one run carries.
CARRIED = 2_000_000_000
# A connection takes part in so many round trips at least.
PER_CLIENT = 20
# Files that a server or redis-benchmark has open beside its connections.
SPARE_FILES = 200


@dataclass
class Axis:
    """An axis, the unit of its points, these, and those of a quick run."""

    name: str
    unit: str
    points: tuple[int, ...]
    quick: tuple[int, ...]


AXES = [
    Axis("keys", "keys", (10_000, 100_000, 1_000_000, 5_000_000), (1000, 10_000, 50_000)),
    Axis("clients", "connections", (1, 50, 1000, 10_000), (1, 50, 200)),
    Axis("sizes", "bytes in a value", (3, 64, 1024, 16_384, 131_072, 1_048_576), (3, 1024, 65_536)),
    Axis("pipelines", "commands in a pipeline", (1, 4, 16, 64, 256), (1, 16, 64)),
]


@dataclass
class Curve:
    """One test along one axis."""

    axis: str
    unit: str
    test: str
    points: list[int] = field(default_factory=list)
    cases: list[Summary] = field(default_factory=list)


def load_at(axis: str, at: int, round_trips: int) -> tuple[int, Load]:
    """The pipeline and the load of a point."""
    if axis == "keys":
        # In pipelines, where the system's share is small, the table's share shows best.
        return 16, Load(round_trips, CLIENTS, SIZE, at)
    if axis == "clients":
        return 1, Load(max(round_trips, at * PER_CLIENT), at, SIZE, 0)
    if axis == "sizes":
        return 1, Load(max(CLIENTS, min(round_trips, CARRIED // at)), CLIENTS, at, 0)
    if axis == "pipelines":
        # Round trips grow few as they grow long: a run has to last, but not ten minutes.
        return at, Load(max(round_trips // 10, round_trips * 16 // max(at, 16)), CLIENTS, SIZE, 0)
    raise ValueError(f"no axis {axis!r}")


def steepest(cpu: list[tuple[float, float]]) -> float:
    """From (aikv's, redis-server's) CPU at each point: the largest growth of their ratio in one step, 1 at least."""
    relative = [ours / theirs for ours, theirs in cpu]
    return max([1.0, *(after / before for before, after in itertools.pairwise(relative))])


def medians(summary: Summary) -> tuple[float, float]:
    """CPU microseconds per command of aikv and of redis-server."""
    return statistics.median(run.cpu_us for run in summary.aikv), statistics.median(run.cpu_us for run in summary.redis)


def along(axis: Axis, points: tuple[int, ...], sides: Sides, round_trips: int, pairs: int) -> list[Curve]:
    """Measure both tests at all points of an axis."""
    curves = [Curve(axis.name, axis.unit, test) for test in TESTS]
    for at in points:
        pipeline, load = load_at(axis.name, at, round_trips)
        if load.clients + SPARE_FILES > open_files(load.clients + SPARE_FILES):
            click.echo(f"{at:,} {axis.unit}: left out, the system does not allow so many open files", err=True)
            continue
        for curve in curves:
            click.echo(f"{at:,} {axis.unit}, ", nl=False, err=True)
            if axis.name == "keys":
                for server in sides.values():
                    fill(server, same_strings(at, SIZE))
            curve.points.append(at)
            curve.cases.append(compare(sides, curve.test, pipeline, pairs, load))
    return curves


def table(curves: list[Curve]) -> str:
    """The curves as a Markdown table, a line for each point."""
    heads = ["test", "axis", *(f"{TITLES[name]}, commands/s" for name in NAMES), "throughput ratio (spread)"]
    heads += [*(f"{TITLES[name]}, CPU us" for name in NAMES), "CPU ratio (spread)"]
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'---:|' * (len(heads) - 2)}"]
    for curve in curves:
        for at, case in zip(curve.points, curve.cases, strict=True):
            speeds = [statistics.median(run.throughput for run in case.runs(name)) for name in NAMES]
            cells = [curve.test, f"{at:,} {curve.unit}", *(f"{speed:,.0f}" for speed in speeds)]
            cells += [spread(case.throughput_ratios()), *(f"{cpu:.2f}" for cpu in medians(case))]
            lines.append(f"| {' | '.join([*cells, spread(case.cpu_ratios())])} |")
    lines += ["", "| test | axis | steepest step of the CPU, relative to redis-server |", "|---|---|---:|"]
    for curve in curves:
        lines.append(f"| {curve.test} | {curve.unit} | {steepest([medians(case) for case in curve.cases]):.2f} |")
    return "\n".join(lines) + "\n"


@click.command(context_settings={"show_default": True})
@click.option("--axis", "names", multiple=True, type=click.Choice([axis.name for axis in AXES]), help="[default: all]")
@click.option("--at", "points", multiple=True, type=click.IntRange(1), help="A point of it; repeatable.")
@click.option("--requests", type=click.IntRange(100), default=ROUND_TRIPS, help="Round trips in a run, where few do.")
@click.option("--pairs", type=click.IntRange(1), default=3, help="Measured pairs for each point.")
@click.option("--quick", is_flag=True, help="Few points, small ones; one pair of 2,000 round trips.")
@program_option
@output_option
def main(
    names: tuple[str, ...],
    points: tuple[int, ...],
    requests: int,
    pairs: int,
    quick: bool,
    program: str,
    output: Path,
) -> None:
    """Measure how the cost of GET and SET grows in aikv and in redis-server.

    Progress goes to the standard error: for each point the ratios of the throughputs. The tables go to the standard
    output, and with all single runs to scaling.json and scaling.md in the folder --output.
    """
    if quick:
        requests, pairs = 2000, 1
    started = programs(program)
    # A server takes its limit of open files from this process; it is asked for before the servers start.
    most = open_files(max(AXES[1].points) + SPARE_FILES)
    arguments = ["--save", "", "--appendonly", "no", "--maxclients", str(most - SPARE_FILES // 2)]
    curves = []
    with (
        tempfile.TemporaryDirectory(prefix="aikv-bench-") as home,
        running(started, Path(home), arguments) as sides,
    ):
        for axis in AXES:
            if not names or axis.name in names:
                chosen = points or (axis.quick if quick else axis.points)
                try:
                    curves += along(axis, chosen, sides, requests, pairs)
                except BenchmarkFailed as failure:
                    raise click.ClickException(str(failure)) from None
    save(output, "scaling", {"about": about(started), "curves": [asdict(curve) for curve in curves]}, table(curves))


if __name__ == "__main__":
    main()
