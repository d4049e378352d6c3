"""Throughput and CPU per command of aikv against redis-server, measured side by side.

Theory of operation: machines are noisy and drift, so an absolute figure says little. The servers run at
the same time with the same settings, and redis-benchmark is pointed at one and the other in turn (A B A B
...): what slows one run of a pair most likely slows the other too. Each pair gives one ratio; the median
of the pairs is quoted, with the smallest and largest as its spread. Under the tests stands their geometric
mean. valkey-server takes part where it is installed.

With --aof each server appends to a file in its own folder. The file is rewritten after each run, when it is not
measured, and never by itself while it is: the disk does not fill, and no run pays for another. Needs Linux,
redis-server and redis-benchmark; load.py says what a run is.
"""

import itertools
import shlex
import statistics
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
from load import ALL_TESTS, WRITING_TESTS, BenchmarkFailed, Load, Run, measure
from ratios import means_of_pairs, ratios, spread
from sides import TITLES, Sides, about, empty, output_option, program_option, programs, running, save, wait_for

DEFAULT_TESTS = ["get", "set"]
OTHERS = ("redis", "valkey")


@dataclass
class Summary:
    """All pairs of one case; ratios are aikv's figure divided by the other's."""

    test: str
    pipeline: int
    aikv: list[Run] = field(default_factory=list)
    redis: list[Run] = field(default_factory=list)
    valkey: list[Run] = field(default_factory=list)

    def runs(self, name: str) -> list[Run]:
        """Those of one side."""
        return {"aikv": self.aikv, "redis": self.redis, "valkey": self.valkey}[name]

    def throughput_ratios(self, other: str = "redis") -> list[float]:
        """One for each pair; above 1 aikv is faster."""
        return ratios([run.throughput for run in self.aikv], [run.throughput for run in self.runs(other)])

    def cpu_ratios(self, other: str = "redis") -> list[float]:
        """One for each pair; below 1 aikv uses less."""
        return ratios([run.cpu_us for run in self.aikv], [run.cpu_us for run in self.runs(other)])


def compare(sides: Sides, test: str, pipeline: int, pairs: int, load: Load, aof: bool = False) -> Summary:
    """Measure one case: a pair that warms up and is dropped, then `pairs` pairs."""
    summary = Summary(test, pipeline)
    click.echo(f"{test} -P {pipeline}:", nl=False, err=True)
    for number in range(-1, pairs):
        for name, server in sides.items():
            run = measure(server, test, pipeline, load)
            if number >= 0:
                summary.runs(name).append(run)
            if aof:
                wait_for(server, "aof_rewrite_in_progress", "BGREWRITEAOF")
        if number >= 0:
            click.echo(f" {summary.throughput_ratios()[-1]:.2f}", nl=False, err=True)
    for server in sides.values():
        empty(server)
    click.echo("", err=True)
    return summary


def columns(summary: Summary, others: list[str]) -> list[str]:
    """The cells of one test."""
    speed = {name: statistics.median(run.throughput for run in summary.runs(name)) for name in ("aikv", *others)}
    cpu = {name: statistics.median(run.cpu_us for run in summary.runs(name)) for name in ("aikv", *others)}
    cells = [summary.test, str(summary.pipeline), f"{speed['aikv']:,.0f}", f"{cpu['aikv']:.2f}"]
    for other in others:
        cells += [f"{speed[other]:,.0f}", spread(summary.throughput_ratios(other))]
        cells += [f"{cpu[other]:.2f}", spread(summary.cpu_ratios(other))]
    return cells


def table(summaries: list[Summary]) -> str:
    """Lay the summaries out as a Markdown table; where there are several tests, their geometric means at its end."""
    others = [other for other in OTHERS if all(summary.runs(other) for summary in summaries)]
    heads = ["test", "-P", "aikv, commands/s", "aikv, CPU us"]
    for other in others:
        heads += [f"{TITLES[other]}, commands/s", "throughput ratio (spread)"]
        heads += [f"{TITLES[other]}, CPU us", "CPU ratio (spread)"]
    rows = [columns(summary, others) for summary in summaries]
    for pipeline in sorted({summary.pipeline for summary in summaries}):
        tests = [summary for summary in summaries if summary.pipeline == pipeline]
        if len(tests) > 1:
            cells = [f"geometric mean of {len(tests)} tests", str(pipeline), "", ""]
            for other in others:
                cells += ["", spread(means_of_pairs([test.throughput_ratios(other) for test in tests]))]
                cells += ["", spread(means_of_pairs([test.cpu_ratios(other) for test in tests]))]
            rows.append(cells)
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def directives_of(aof: str | None, directives: tuple[str, ...]) -> list[str]:
    """What all servers are started with."""
    logged = ["--appendonly", "no"]
    if aof is not None:
        logged = ["--appendonly", "yes", "--appendfsync", aof, "--auto-aof-rewrite-percentage", "0"]
    return ["--save", "", *logged, *(word for text in directives for word in shlex.split(text))]


def name_of(version: str, aof: str | None) -> str:
    """What the results are called: compare, compare-pure, compare-aof-always."""
    return "compare" + ("-pure" if "pure form" in version else "") + (f"-aof-{aof}" if aof else "")


@click.command(context_settings={"show_default": True})
@click.option(
    "--test",
    "tests",
    multiple=True,
    help="A test of redis-benchmark; repeatable. [default: get, set; or with --aof all that write]",
)
@click.option("--all", "all_tests", is_flag=True, help="All tests that redis-benchmark runs by default.")
@click.option("-P", "--pipeline", "pipelines", multiple=True, type=click.IntRange(1), default=(1, 16))
@click.option("--pairs", type=click.IntRange(1), default=5, help="Measured pairs for each case.")
@click.option("--requests", type=click.IntRange(1), default=100_000, help="Round trips in a run.")
@click.option("--quick", is_flag=True, help="Two pairs of 2,000 round trips.")
@click.option("--clients", type=click.IntRange(1), default=50, help="Connections.")
@click.option("--size", type=click.IntRange(1), default=3, help="Bytes in a value.")
@click.option("--keyspace", type=click.IntRange(0), default=0, help="Random keys out of so many; 0 for one key.")
@click.option("--aof", type=click.Choice(["everysec", "always"]), help="Append-only files, and when they are synced.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder on the disk to measure. [default: the system's]")
@click.option("--directive", "directives", multiple=True, help='Given to all servers: "--io-threads 2".')
@click.option("--valkey/--no-valkey", default=True, help="Measure valkey-server, too, if it is installed.")
@click.option("--name", help="Name of the results. [default: compare, with -pure and -aof-POLICY as they apply]")
@program_option
@output_option
def main(
    tests: tuple[str, ...],
    all_tests: bool,
    pipelines: tuple[int, ...],
    pairs: int,
    requests: int,
    quick: bool,
    clients: int,
    size: int,
    keyspace: int,
    aof: str | None,
    data: Path | None,
    directives: tuple[str, ...],
    valkey: bool,
    name: str | None,
    program: str,
    output: Path,
) -> None:
    """Measure aikv against redis-server, side by side.

    Progress goes to the standard error: for each pair the ratio of the throughputs. The table goes to the standard
    output, and with all single runs to NAME.json and NAME.md in the folder --output. A test that a server
    refuses is left out, named at the end, and makes the exit status 1.
    """
    if quick:
        pairs, requests = 2, 2000
    load = Load(requests, clients, size, keyspace)
    arguments = directives_of(aof, directives)
    chosen = ALL_TESTS if all_tests else list(tests) or (WRITING_TESTS if aof else DEFAULT_TESTS)
    started = programs(program, valkey)
    said = about(started)
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="aikv-bench-", dir=data) as home,
        running(started, Path(home), arguments) as sides,
    ):
        summaries, failures = [], []
        for test, pipeline in itertools.product(chosen, pipelines):
            try:
                summaries.append(compare(sides, test, pipeline, pairs, load, aof is not None))
            except BenchmarkFailed as failure:
                click.echo(" failed", err=True)
                failures.append(str(failure))
    document = {
        "about": said,
        "arguments": shlex.join(arguments),
        "aof": aof or "no",
        "load": asdict(load),
        "cases": [asdict(summary) for summary in summaries],
    }
    save(output, name or name_of(said["aikv"], aof), document, table(summaries) if summaries else "")
    if failures:
        raise click.ClickException("not measured:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
