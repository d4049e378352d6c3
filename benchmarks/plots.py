"""Pictures of a folder of results, as SVG files that a README shows.

Theory of operation: each picture is drawn from one JSON document by one function; a document that is missing gives no
picture. Medians are drawn, with lines from the smallest to the largest run. aikv and redis-server keep their colours
in all pictures, which people with any sight can tell apart (Okabe and Ito's), on white, so that a dark page does not
swallow the text. The same results give the same bytes: no date, and fixed ids. Needs matplotlib (extra `bench`).
"""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import matplotlib as mpl
from goals import Document, means, pairs_of, read
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from sides import TITLES, output_option

COLOURS = {"aikv": "#0072B2", "redis": "#D55E00"}
# Of pipelines, in the order of their lengths.
SHADES = ("#0072B2", "#56B4E9", "#009E73", "#CC79A7")
GOAL_COLOUR = "#444444"
SIDES = ("aikv", "redis")
BAR = 0.38
# What bars of one colour say: their label, the colour, and for each name the values of all runs.
Group = tuple[str, str, Sequence[Sequence[float]]]
# The types of matplotlib name every setting; without it, they are not there.
STYLE: Any = {
    "svg.hashsalt": "aikv",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def titled(figure: Figure, what: str, document: Document) -> None:
    """Say what the picture shows, on which machine and of which versions."""
    figure.suptitle(what, x=0.01, ha="left", fontsize=11, fontweight="bold")
    said = document["about"]
    figure.supxlabel(f"{said['machine']}: {said['aikv']}; {said['redis']}", fontsize=7, color="#555555")


def short(value: float) -> str:
    """A figure for an axis: 1,000,000 is 1M, so that neighbours do not run into each other."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def logarithmic(axis: Axis, steps: tuple[int, ...]) -> None:
    """Name so many values of each decade, in whole figures."""
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


def bars(axes: Axes, names: Sequence[str], groups: Sequence[Group], goal: float | None) -> None:
    """Horizontal bars: of each group one at each name."""
    height = 2 * BAR / len(groups)
    for number, (label, colour, rows) in enumerate(groups):
        middles = [statistics.median(row) for row in rows]
        errors = [
            [middle - min(row) for middle, row in zip(middles, rows, strict=True)],
            [max(row) - middle for middle, row in zip(middles, rows, strict=True)],
        ]
        places = [place - BAR + height * (number + 0.5) for place in range(len(names))]
        look: dict[str, Any] = {"elinewidth": 1, "ecolor": "#222222"}
        axes.barh(places, middles, height * 0.92, label=label, color=colour, xerr=errors, error_kw=look)
    axes.set_yticks(range(len(names)), names)
    # The first on top; axes that share their names must not be turned twice.
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    if goal is not None:
        axes.axvline(goal, color=GOAL_COLOUR, linestyle="--", linewidth=1)


def both(rows: list[Document], figure: str) -> list[Group]:
    """The groups of both servers: one figure of all runs in each row."""
    return [(TITLES[side], COLOURS[side], [[run[figure] for run in row[side]] for row in rows]) for side in SIDES]


def comparison(document: Document) -> Figure:
    """Ratios of throughput and CPU, test by test, and their geometric means."""
    pipelines = sorted({case["pipeline"] for case in document["cases"]})
    tests = list(dict.fromkeys(case["test"] for case in document["cases"]))
    figure = Figure(figsize=(10, 1.6 + 0.32 * (len(tests) + 1) + 0.4), layout="constrained")
    for axes, figures, label in zip(
        figure.subplots(1, 2, sharey=True),
        ("throughput", "cpu_us"),
        ("throughput: more is better", "server CPU per command: less is better"),
        strict=True,
    ):
        groups: list[Group] = []
        for number, pipeline in enumerate(pipelines):
            of_test = {case["test"]: case for case in document["cases"] if case["pipeline"] == pipeline}
            # A test that one pipeline lacks has an empty place, not a bar of another's.
            rows = [pairs_of(of_test[test], figures) if test in of_test else [0.0] for test in tests]
            rows.append(means(document, pipeline, figures)[0])
            groups.append((f"-P {pipeline}", SHADES[number % len(SHADES)], rows))
        bars(axes, [*tests, "geometric mean"], groups, 1.0)
        axes.set_xlabel(label)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(pipelines))
    logged = "" if document["aof"] == "no" else f", appendfsync {document['aof']}"
    titled(figure, f"redis-benchmark, {document['load']['clients']} clients{logged}: aikv / redis-server", document)
    return figure


def scaling(document: Document) -> Figure:
    """Curves of CPU and throughput, both axes logarithmic."""
    names = list(dict.fromkeys(curve["axis"] for curve in document["curves"]))
    figure = Figure(figsize=(3.1 * len(names) + 0.6, 6.4), layout="constrained")
    grid = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        for row, (what, label) in enumerate(
            (("cpu_us", "server CPU per command, \N{MICRO SIGN}s"), ("throughput", "commands per second"))
        ):
            axes: Axes = grid[row][column]
            for curve in document["curves"]:
                if curve["axis"] == name:
                    _curves(axes, curve, what)
            axes.set_xscale("log")
            axes.set_yscale("log")
            logarithmic(axes.xaxis, (1,))
            logarithmic(axes.yaxis, (1, 2, 5))
            axes.grid(color="#dddddd", linewidth=0.6)
            if row:
                axes.set_xlabel(next(curve["unit"] for curve in document["curves"] if curve["axis"] == name))
            if not column:
                axes.set_ylabel(label)
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
    titled(figure, "How cost grows", document)
    return figure


def _curves(axes: Axes, curve: Document, what: str) -> None:
    for side in SIDES:
        values = [statistics.median(run[what] for run in case[side]) for case in curve["cases"]]
        line, mark = ("-", "o") if curve["test"] == "get" else ("--", "s")
        label = f"{TITLES[side]}, {curve['test'].upper()}"
        axes.plot(curve["points"], values, linestyle=line, marker=mark, markersize=4, color=COLOURS[side], label=label)


def latency(document: Document) -> Figure:
    """Percentiles of both servers."""
    names = [f"p{share:g}" for share in document["percentiles"]]
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    groups = [
        (TITLES[side], COLOURS[side], [[run["at"][index] for run in document[side]] for index in range(len(names))])
        for side in SIDES
    ]
    bars(axes, names, groups, None)
    axes.set_xscale("log")
    logarithmic(axes.xaxis, (1, 2, 5))
    axes.set_xlabel("time to the reply, \N{MICRO SIGN}s")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    titled(figure, f"Latency of GET at {document['rate']:,.0f} requests per second", document)
    return figure


def persistence(document: Document) -> Figure:
    """Seconds of saves and loads."""
    cases = document["cases"]
    figure = Figure(figsize=(8, 1.6 + 0.5 * len(cases)), layout="constrained")
    axes = figure.subplots()
    groups = both(cases, "seconds")
    bars(axes, [f"{case['what']}, {case['dataset']}" for case in cases], groups, None)
    axes.set_xlabel("seconds")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    titled(figure, f"Saving and loading {document['keys']:,} keys", document)
    return figure


def pauses(document: Document) -> Figure:
    """The longest pause of each event."""
    events = document["events"]
    figure = Figure(figsize=(9, 1.6 + 0.5 * len(events)), layout="constrained")
    axes = figure.subplots()
    groups = both(events, "longest_ms")
    bars(axes, [event["name"] for event in events], groups, document["long_ms"])
    axes.set_xscale("log")
    logarithmic(axes.xaxis, (1, 2, 5))
    axes.set_xlabel("longest time to a PONG, ms (dashed: the goal)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    titled(figure, "Longest pause that a second client sees", document)
    return figure


def memory(document: Document) -> Figure:
    """Bytes per key of each kind."""
    kinds = document["kinds"]
    figure = Figure(figsize=(8, 1.6 + 0.42 * len(kinds)), layout="constrained")
    axes = figure.subplots()
    groups = [(TITLES[side], COLOURS[side], [[row[side]] for row in kinds]) for side in SIDES]
    bars(axes, [row["kind"] for row in kinds], groups, None)
    axes.set_xscale("log")
    logarithmic(axes.xaxis, (1, 2, 5))
    axes.set_xlabel("bytes per key")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    titled(figure, "Memory", document)
    return figure


PICTURES: dict[str, Callable[[Document], Figure]] = {
    "compare": comparison,
    "compare-pure": comparison,
    "compare-aof-everysec": comparison,
    "compare-aof-always": comparison,
    "scaling": scaling,
    "latency": latency,
    "persistence": persistence,
    "pauses": pauses,
    "memory": memory,
}


@click.command(context_settings={"show_default": True})
@output_option
@click.option("--into", type=click.Path(path_type=Path), help="Folder of the pictures. [default: that of the results]")
@click.option("--quick", is_flag=True, help="Changes nothing: there is nothing to make shorter.")
def main(output: Path, into: Path | None, quick: bool) -> None:
    """Draw the results in the folder --output as SVG files."""
    del quick
    folder = into or output
    folder.mkdir(parents=True, exist_ok=True)
    documents = read(output)
    drawn = [name for name in PICTURES if name in documents]
    if not drawn:
        raise click.ClickException(f"no results in {output}: run scripts/bench all, or single benchmarks, first")
    with mpl.rc_context(STYLE):
        for name in drawn:
            path = folder / f"{name}.svg"
            PICTURES[name](documents[name]).savefig(path, metadata={"Date": None}, facecolor="white")
            click.echo(str(path))


if __name__ == "__main__":
    main()
