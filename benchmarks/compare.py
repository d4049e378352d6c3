"""Throughput and CPU per command of aikv against redis-server, measured side by side.

Theory of operation: machines are noisy and drift, so an absolute figure says little. Both servers run at
the same time with the same settings, and redis-benchmark is pointed at one and the other in turn (A B A B
...): what slows one run of a pair most likely slows the other too. Each pair gives one ratio; the median
of the pairs is quoted, with the smallest and largest as its spread.

Two figures for each case. Throughput is what redis-benchmark reports; on few cores the client shares the
CPU with the server, which bounds it. Server CPU per command is user and system time of the server's
process (all its threads, from /proc) divided by the commands that it counted itself, and is not bounded
by the client: that is the one to trust. Needs Linux, redis-server and redis-benchmark.
"""

import csv
import itertools
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from oracle.process import AIKV, REDIS, ServerProcess

# redis-benchmark's own default list.
ALL_TESTS = [
    *("ping_inline", "ping_mbulk", "set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset"),
    *("spop", "zadd", "zpopmin", "lrange_100", "lrange_300", "lrange_500", "lrange_600", "mset"),
]
DEFAULT_TESTS = ["get", "set"]
TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkFailed(Exception):
    """redis-benchmark could not finish a test."""


@dataclass
class Run:
    """One run of redis-benchmark: commands a second, and the server's CPU microseconds per command."""

    throughput: float
    cpu_us: float


@dataclass
class Summary:
    """All pairs of one case; ratios are aikv's figure divided by redis-server's."""

    test: str
    pipeline: int
    aikv: list[Run]
    redis: list[Run]

    def throughput_ratios(self) -> list[float]:
        """One for each pair; above 1 aikv is faster."""
        return [ours.throughput / theirs.throughput for ours, theirs in zip(self.aikv, self.redis, strict=True)]

    def cpu_ratios(self) -> list[float]:
        """One for each pair; below 1 aikv uses less."""
        return [ours.cpu_us / theirs.cpu_us for ours, theirs in zip(self.aikv, self.redis, strict=True)]


@dataclass
class Load:
    """What redis-benchmark is told, the test and the pipeline apart."""

    requests: int
    clients: int
    size: int
    keyspace: int


def cpu_seconds(pid: int) -> float:
    """User and system time that the process and its threads have used."""
    # The name of the program, in parentheses, may hold spaces: count fields after it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def commands_served(server: ServerProcess) -> int:
    """The number of commands that the server says it has processed."""
    with server.connect() as connection:
        stats = connection.command("INFO", "stats").decode()
    return int(stats.partition("total_commands_processed:")[2].split()[0])


def measure(server: ServerProcess, test: str, pipeline: int, load: Load) -> Run:
    """Run redis-benchmark once; raises `BenchmarkFailed` with its words if it fails."""
    command = ["redis-benchmark", "-p", str(server.port), "-P", str(pipeline), "--csv"]
    command += ["-n", str(load.requests * pipeline), "-c", str(load.clients), "-d", str(load.size)]
    if load.keyspace:
        command += ["-r", str(load.keyspace)]
    if test.startswith("lrange_"):
        # Its own test pushes as many elements as it reads ranges, and the CPU of both would be counted together.
        with server.connect() as connection:
            connection.command("DEL", "mylist")
            connection.command("RPUSH", "mylist", *["x" * load.size] * 1000)
        command += ["LRANGE", "mylist", "0", str(int(test.removeprefix("lrange_")) - 1)]
    else:
        command += ["-t", test]
    commands, cpu = commands_served(server), cpu_seconds(server.pid)
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode != 0 or "error" in run.stderr.lower():
        words = run.stderr.strip() or run.stdout.strip()
        raise BenchmarkFailed(f"{shlex.join(server.program)}: {shlex.join(command)}: {words}")
    cpu = cpu_seconds(server.pid) - cpu
    commands = commands_served(server) - commands
    (row,) = csv.DictReader(run.stdout.splitlines())
    return Run(float(row["rps"]), cpu * 1e6 / commands)


def compare(servers: list[ServerProcess], test: str, pipeline: int, pairs: int, load: Load) -> Summary:
    """Measure one case: a pair that warms up and is dropped, then `pairs` pairs."""
    summary = Summary(test, pipeline, [], [])
    click.echo(f"{test} -P {pipeline}:", nl=False, err=True)
    for number in range(-1, pairs):
        ours, theirs = (measure(server, test, pipeline, load) for server in servers)
        if number >= 0:
            summary.aikv.append(ours)
            summary.redis.append(theirs)
            click.echo(f" {ours.throughput / theirs.throughput:.2f}", nl=False, err=True)
    for server in servers:
        with server.connect() as connection:
            connection.command("FLUSHALL")
    click.echo("", err=True)
    return summary


def spread(values: list[float]) -> str:
    """Format a median with its smallest and largest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def table(summaries: list[Summary]) -> str:
    """Lay the summaries out as a Markdown table."""
    lines = [
        "| test | -P | aikv, commands/s | redis-server, commands/s | throughput ratio (spread) "
        "| aikv, CPU us | redis-server, CPU us | CPU ratio (spread) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for summary in summaries:
        ours, theirs = summary.aikv, summary.redis
        cells = [
            summary.test,
            str(summary.pipeline),
            f"{statistics.median(run.throughput for run in ours):,.0f}",
            f"{statistics.median(run.throughput for run in theirs):,.0f}",
            spread(summary.throughput_ratios()),
            f"{statistics.median(run.cpu_us for run in ours):.2f}",
            f"{statistics.median(run.cpu_us for run in theirs):.2f}",
            spread(summary.cpu_ratios()),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def described(servers: list[ServerProcess]) -> dict[str, str]:
    """Say what was measured, and on what."""
    said = {"machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"}
    for name, server in zip(("aikv", "redis"), servers, strict=True):
        with server.connect() as connection:
            info = connection.command("INFO", "server").decode().splitlines()
        versions = [line for line in info if line.startswith(("redis_version", "aikv_"))]
        said[name] = ", ".join([shlex.join(server.program), *server.arguments, *versions])
    return said


@click.command(context_settings={"show_default": True})
@click.option("--test", "tests", multiple=True, help="A test of redis-benchmark; repeatable. [default: get, set]")
@click.option("--all", "all_tests", is_flag=True, help="All tests that redis-benchmark runs by default.")
@click.option("-P", "--pipeline", "pipelines", multiple=True, type=click.IntRange(1), default=(1, 16))
@click.option("--pairs", type=click.IntRange(1), default=5, help="Measured pairs for each case.")
@click.option("--requests", type=click.IntRange(1), default=100_000, help="Round trips in a run.")
@click.option("--clients", type=click.IntRange(1), default=50, help="Connections.")
@click.option("--size", type=click.IntRange(1), default=3, help="Bytes in a value.")
@click.option("--keyspace", type=click.IntRange(0), default=0, help="Random keys out of so many; 0 for one key.")
@click.option("--directive", "directives", multiple=True, help='Given to both servers: "--appendonly yes".')
@click.option("--aikv", "program", default=shlex.join(AIKV), help="The program to measure.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("build/bench"), help="Folder of results.")
def main(
    tests: tuple[str, ...],
    all_tests: bool,
    pipelines: tuple[int, ...],
    pairs: int,
    requests: int,
    clients: int,
    size: int,
    keyspace: int,
    directives: tuple[str, ...],
    program: str,
    output: Path,
) -> None:
    """Measure aikv against redis-server, side by side.

    Progress goes to the standard error: for each pair the ratio of the throughputs. The table goes to the standard
    output, and with all single runs to compare.json and compare.md in the folder --output. A test that a server
    refuses is left out, named at the end, and makes the exit status 1.
    """
    load = Load(requests, clients, size, keyspace)
    arguments = [
        "--save",
        "",
        "--appendonly",
        "no",
        *(word for text in directives for word in shlex.split(text)),
    ]
    chosen = ALL_TESTS if all_tests else list(tests) or DEFAULT_TESTS
    with tempfile.TemporaryDirectory(prefix="aikv-bench-") as name:
        servers = []
        try:
            for folder, start in (("aikv", shlex.split(program)), ("redis", list(REDIS))):
                path = Path(name, folder)
                path.mkdir()
                servers.append(ServerProcess(start, path, arguments))
                servers[-1].start()
            about = described(servers)
            summaries, failures = [], []
            for test, pipeline in itertools.product(chosen, pipelines):
                try:
                    summaries.append(compare(servers, test, pipeline, pairs, load))
                except BenchmarkFailed as failure:
                    click.echo(" failed", err=True)
                    failures.append(str(failure))
        finally:
            for server in servers:
                server.kill()
    output.mkdir(parents=True, exist_ok=True)
    result = {"command": shlex.join(sys.argv), **about, "load": asdict(load)}
    results = {**result, "cases": [asdict(summary) for summary in summaries]}
    (output / "compare.json").write_text(json.dumps(results, indent=1) + "\n")
    (output / "compare.md").write_text(table(summaries))
    click.echo(table(summaries), nl=False)
    if failures:
        raise click.ClickException("not measured:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
