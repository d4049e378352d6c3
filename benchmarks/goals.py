"""The goals, and how far a folder of results meets them: a markdown table for the README.

Theory of operation: every benchmark leaves a JSON document in the folder. Here stands, for each goal, in which document
its values are, and the limit; the median of the values is judged, and quoted with the smallest and largest. A goal
whose document is missing is listed as not measured, with the command that measures it; nothing is left out in silence.

No cliff is judged by scaling.py's measure: from one point of a curve to the next aikv's CPU must not grow more than
`CLIFF` times as much as redis-server's.
"""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from latency import PERCENTILES
from ratios import means_of_pairs, ratios
from scaling import steepest
from sides import output_option

CLIFF = 2.0
Document = dict[str, Any]
Documents = dict[str, Document]
# Kinds of memory.json that the goal is about.
MEMORY_KINDS = ("string, 16 bytes", "hash, 5 fields", "list, 10 elements", "set, 8 members", "sorted set, 8 members")
SAVES_AND_LOADS = ("SAVE", "load RDB", "load AOF", "load AOF with RDB preamble")


@dataclass
class Goal:
    """One line: `values` of all pairs or turns, none where it was not measured; `unit` is x for a ratio."""

    case: str
    limit: float
    at_least: bool
    unit: str
    values: Sequence[float]
    command: str
    beside: str = ""

    def wanted(self) -> str:
        """The limit in words."""
        return f"{'>=' if self.at_least else '<='} {self.limit:g}{self.unit}"

    def measured(self) -> str:
        """The median, and the spread if there are several values."""
        if not self.values:
            return ""
        shown = [f"{value:.1f}" if self.unit == " ms" else f"{value:.2f}" for value in _low_middle_high(self.values)]
        between = f" ({shown[0]}-{shown[2]})" if len(self.values) > 1 else ""
        return f"{shown[1]}{self.unit}{between}{self.beside}"

    def verdict(self) -> str:
        """Whether the median meets the limit, or by how much of the limit it misses it."""
        if not self.values:
            return "not measured"
        if min(self.values) <= 0:
            # No ratio: see `times_of`.
            return "too small to measure"
        middle = statistics.median(self.values)
        missing = self.limit - middle if self.at_least else middle - self.limit
        return "met" if missing <= 0 else f"missed by {max(0.1, missing / self.limit * 100):.3g} %"


def _low_middle_high(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), statistics.median(values), max(values)


def pairs_of(case: Document, figure: str) -> list[float]:
    """The ratios of one figure, aikv to redis-server, pair by pair."""
    return ratios([run[figure] for run in case["aikv"]], [run[figure] for run in case["redis"]])


def times_of(case: Document) -> list[float]:
    """The ratios of times from which that of a start was taken; 0, which no ratio is, where nothing was left of one."""
    sides = [[run["seconds"] for run in case[name]] for name in ("aikv", "redis")]
    return [ours / theirs if ours > 0 and theirs > 0 else 0.0 for ours, theirs in zip(*sides, strict=True)]


def means(document: Document, pipeline: int, figure: str) -> tuple[list[float], int]:
    """The geometric means over the tests at one pipeline, pair by pair; and how many tests there are."""
    tests = [pairs_of(case, figure) for case in document.get("cases", []) if case["pipeline"] == pipeline]
    return (means_of_pairs(tests) if tests else []), len(tests)


def compared(documents: Documents) -> list[Goal]:
    """Throughput and CPU of redis-benchmark's tests."""
    goals = []
    for name, what, usual, pipelines, limit, figures in (
        ("compare", "", "compare --all", (1, 16), 1.0, ("throughput", "cpu_us")),
        ("compare-aof-everysec", ", appendfsync everysec", "compare --aof everysec", (1, 16), 1.0, ("throughput",)),
        ("compare-aof-always", ", appendfsync always", "compare --aof always", (1, 16), 1.0, ("throughput",)),
        ("compare-pure", ", pure form", "--pure compare --all -P 16", (16,), 0.45, ("throughput",)),
    ):
        document = documents.get(name, {})
        for pipeline in pipelines:
            for figure in figures:
                values, tests = means(document, pipeline, figure)
                title = "throughput" if figure == "throughput" else "server CPU per command"
                count = f", geometric mean of {tests} tests" if tests else ""
                case = f"redis-benchmark -P {pipeline}{what}: {title}{count}"
                command = document.get("command", f"scripts/bench {usual}")
                goals.append(Goal(case, limit, figure == "throughput", "x", values, command))
    return goals


def latencies(documents: Documents) -> list[Goal]:
    """Percentiles at half the maximum."""
    document = documents.get("latency", {"aikv": [], "redis": []})
    goals = []
    for index, share in enumerate(document.get("percentiles", PERCENTILES)):
        values = ratios([run["at"][index] for run in document["aikv"]], [run["at"][index] for run in document["redis"]])
        command = document.get("command", "scripts/bench latency")
        goals.append(Goal(f"latency at half the maximum rate: p{share:g}", 1.2, False, "x", values, command))
    return goals


def longest_pauses(documents: Documents) -> list[Goal]:
    """While keys are inserted, and while times to live run out."""
    document = documents.get("pauses", {"events": []})
    goals = []
    for event in document["events"]:
        if event["name"].startswith("insert") or event["name"].endswith("run out"):
            theirs = statistics.median(run["longest_ms"] for run in event["redis"])
            values = [run["longest_ms"] for run in event["aikv"]]
            case = f"longest pause: {event['name']}"
            goals.append(Goal(case, 10.0, False, " ms", values, document["command"], f"; redis-server {theirs:.1f} ms"))
    return goals or [Goal("longest pause", 10.0, False, " ms", [], "scripts/bench pauses")]


def memory(documents: Documents) -> list[Goal]:
    """Bytes per key."""
    document = documents.get("memory", {"kinds": []})
    measured = {row["kind"]: row["aikv"] / row["redis"] for row in document["kinds"]}
    command = document.get("command", "scripts/bench memory")
    return [
        Goal(f"memory per key: {kind}", 1.5, False, "x", [measured[kind]] if kind in measured else [], command)
        for kind in MEMORY_KINDS
    ]


def saves_and_loads(documents: Documents) -> list[Goal]:
    """Times of SAVE and of loading."""
    document = documents.get("persistence", {"cases": []})
    found = {(case["what"], case["dataset"]): times_of(case) for case in document["cases"]}
    command = document.get("command", "scripts/bench persistence")
    keys = f"{document['keys']:,} keys" if "keys" in document else "1,000,000 keys"
    datasets = list(dict.fromkeys(dataset for _, dataset in found)) or ["strings"]
    return [
        Goal(f"time of {what}, {keys}, {dataset}", 2.0, False, "x", found.get((what, dataset), []), command)
        for what in SAVES_AND_LOADS
        for dataset in datasets
    ]


def idle(documents: Documents) -> list[Goal]:
    """Start, and connections that say nothing."""
    document = documents.get("idle", {side: {"starts": [], "connection_bytes": []} for side in ("aikv", "redis")})
    command = document.get("command", "scripts/bench idle")
    starts = [run["ms"] for run in document["aikv"]["starts"]]
    theirs = [run["ms"] for run in document["redis"]["starts"]]
    beside = f"; redis-server {statistics.median(theirs):.0f} ms" if theirs else ""
    connections = f"{document.get('connections', 10_000):,}"
    bytes_each = ratios(document["aikv"]["connection_bytes"], document["redis"]["connection_bytes"])
    return [
        Goal("start of an empty server to first PONG", 250.0, False, " ms", starts, command, beside),
        Goal(f"memory per connection, {connections} idle", 1.0, False, "x", bytes_each, command),
    ]


def growth(documents: Documents) -> list[Goal]:
    """The steepest step of each curve."""
    document = documents.get("scaling", {"curves": []})
    goals = []
    for curve in document["curves"]:
        medians = [
            tuple(statistics.median(run["cpu_us"] for run in case[name]) for name in ("aikv", "redis"))
            for case in curve["cases"]
        ]
        span = f"{curve['points'][0]:,} to {curve['points'][-1]:,} {curve['unit']}"
        value = steepest([(ours, theirs) for ours, theirs in medians])
        case = f"no cliff: {curve['test'].upper()}, {span}: steepest step of CPU, relative to redis-server's"
        goals.append(Goal(case, CLIFF, False, "x", [value], document["command"]))
    return goals or [Goal("no cliff as cost grows", CLIFF, False, "x", [], "scripts/bench scaling")]


READERS: tuple[Callable[[Documents], list[Goal]], ...] = (
    *(compared, latencies, longest_pauses, memory, saves_and_loads, idle, growth),
)


def goals_of(documents: Documents) -> list[Goal]:
    """All goals, in the order in which they are listed."""
    return [goal for reader in READERS for goal in reader(documents)]


def table(goals: list[Goal]) -> str:
    """The goals as a Markdown table."""
    lines = ["| case | goal | measured (spread) | | measured by |", "|---|---:|---:|---|---|"]
    for goal in goals:
        cells = [goal.case, goal.wanted(), goal.measured(), goal.verdict(), f"`{goal.command}`"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def read(folder: Path) -> Documents:
    """All documents of a folder, by the names of their files."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def measured_on(documents: Documents) -> str:
    """The machines and versions of the documents, each once: several runs may have been put together."""
    found = [document["about"] for document in documents.values() if "redis" in document.get("about", {})]
    return "; ".join(dict.fromkeys(", ".join(said.values()) for said in found))


@click.command(context_settings={"show_default": True})
@output_option
@click.option("--quick", is_flag=True, help="Changes nothing: there is nothing to make shorter.")
def main(output: Path, quick: bool) -> None:
    """Print the table of goals from the results in the folder --output, and write it there as goals.md."""
    del quick
    documents = read(output)
    if not documents:
        raise click.ClickException(f"no results in {output}: run scripts/bench all, or single benchmarks, first")
    text = f"Measured on: {measured_on(documents)}.\n\n{table(goals_of(documents))}"
    (output / "goals.md").write_text(text)
    click.echo(text, nl=False)


if __name__ == "__main__":
    main()
