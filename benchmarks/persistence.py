"""Saving and loading by aikv and by redis-server, measured side by side.

Theory of operation: both servers get the same dataset. SAVE is timed by the client that asks for it. For the loads
redis-server writes the files once: an RDB, an append-only log of commands, and one with an RDB in front; both
servers then start on copies of the very same files, and the time from the start of the process to the first PONG, less
that of a start on nothing, is the time of the load. The servers take turns, each turn gives one ratio, and the
median is quoted with the smallest and the largest.

BGSAVE is measured under load, as `background` tells. Needs Linux, redis-server and redis-benchmark.
"""

import shlex
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
from background import Background, background_table, under_load
from datasets import DATASETS, fill, strings
from proofs import proofs, proofs_table
from ratios import spread
from sides import about, answered, cpu_seconds, output_option, program_option, programs, save, wait_for

from oracle.process import REDIS, ServerProcess

QUIET = ("--save", "", "--appendonly", "no", "--auto-aof-rewrite-percentage", "0", "--enable-debug-command", "yes")
LOGGED = ("--save", "", "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
NAMES = ("aikv", "redis")
CASES = ("save", "bgsave", "load", "proofs")


@dataclass
class Run:
    """Seconds that something took, and seconds of the server's CPU, which a busy machine does not make longer."""

    seconds: float
    cpu: float


@dataclass
class Case:
    """The runs of one case, for each server: seconds that passed, and seconds of the server's CPU."""

    dataset: str
    what: str
    aikv: list[Run] = field(default_factory=list)
    redis: list[Run] = field(default_factory=list)

    def add(self, name: str, run: Run) -> None:
        """Note one run of the server `name`."""
        (self.aikv if name == "aikv" else self.redis).append(run)

    def ratios(self) -> list[float]:
        """One for each turn; below 1 aikv takes less time."""
        return [ours.seconds / theirs.seconds for ours, theirs in zip(self.aikv, self.redis, strict=True)]

    def cpu_ratios(self) -> list[float]:
        """One for each turn; below 1 aikv takes less of the CPU."""
        return [ours.cpu / theirs.cpu for ours, theirs in zip(self.aikv, self.redis, strict=True)]


class Bench:
    """Servers of both programs in folders below `home`, with `keys` keys, each case measured `runs` times."""

    def __init__(self, home: Path, program: list[str], keys: int, runs: int) -> None:
        self.home = home
        self.programs = {"aikv": program, "redis": list(REDIS)}
        self.keys = keys
        self.runs = runs

    @contextmanager
    def served(self, name: str, folder: Path, arguments: tuple[str, ...]) -> Iterator[ServerProcess]:
        """A running server of program `name` in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        server = ServerProcess(self.programs[name], folder, arguments)
        server.start()
        try:
            yield server
        finally:
            server.kill()

    def files(self, dataset: str) -> dict[str, tuple[Path, tuple[str, ...]]]:
        """Let redis-server write the files of all loads; returns for each case the folder and how to start on it."""
        made: dict[str, tuple[Path, tuple[str, ...]]] = {}
        for what, arguments in {
            "load RDB": QUIET,
            "load AOF": (*LOGGED, "--aof-use-rdb-preamble", "no"),
            "load AOF with RDB preamble": (*LOGGED, "--aof-use-rdb-preamble", "yes"),
        }.items():
            folder = self.home / dataset / what.replace(" ", "-")
            with self.served("redis", folder, arguments) as server:
                fill(server, DATASETS[dataset](self.keys))
                if arguments is QUIET:
                    answered(server, "SAVE")
                elif "preamble" in what:
                    # A log is seldom only its base: a tenth of the keys is written once more behind it.
                    wait_for(server, "aof_rewrite_in_progress", "BGREWRITEAOF")
                    fill(server, strings(self.keys // 10))
                    server.stop()
                else:
                    server.stop()
            made[what] = (folder, arguments)
        return made

    def started(self, name: str, origin: Path | None, arguments: tuple[str, ...]) -> Run:
        """From the start of the process on a copy of the folder `origin`, or on nothing, to its first PONG."""
        folder = self.home / "start"
        if origin is None:
            folder.mkdir()
        else:
            shutil.copytree(origin, folder, ignore=shutil.ignore_patterns("*.log"))
        try:
            began = time.monotonic()
            with self.served(name, folder, arguments) as server:
                took = Run(time.monotonic() - began, cpu_seconds(server.pid))
                expected = 0 if origin is None else self.keys
                with server.connect() as connection:
                    size = connection.command("DBSIZE")
                if size != b":%d\r\n" % expected:
                    raise click.ClickException(f"{name} holds {size!r} keys after the load, not {expected}")
        finally:
            shutil.rmtree(folder)
        return took

    def load(self, case: Case, origin: Path, arguments: tuple[str, ...]) -> None:
        """Measure a load; a turn that is dropped brings files and programs into the system's memory."""
        empty = {
            name: min((self.started(name, None, QUIET) for _ in range(2)), key=lambda run: run.seconds)
            for name in NAMES
        }
        for turn in range(-1, self.runs):
            for name in NAMES:
                run = self.started(name, origin, arguments)
                if turn >= 0:
                    case.add(name, Run(run.seconds - empty[name].seconds, run.cpu - empty[name].cpu))
            if turn >= 0:
                click.echo(f" {case.ratios()[-1]:.2f}", nl=False, err=True)

    def saves(self, case: Case, running: dict[str, ServerProcess]) -> None:
        """Measure SAVE; the first turn is dropped."""
        for turn in range(-1, self.runs):
            for name in NAMES:
                began, cpu = time.monotonic(), cpu_seconds(running[name].pid)
                answered(running[name], "SAVE")
                if turn >= 0:
                    case.add(name, Run(time.monotonic() - began, cpu_seconds(running[name].pid) - cpu))
            if turn >= 0:
                click.echo(f" {case.ratios()[-1]:.2f}", nl=False, err=True)


def table(cases: list[Case]) -> str:
    """Saves and loads as a Markdown table."""
    lines = [
        "| dataset | what | aikv, s | redis-server, s | ratio (spread) | aikv, CPU s | redis-server, CPU s "
        "| CPU ratio (spread) |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for case in cases:
        cells = [case.dataset, case.what]
        cells += [f"{statistics.median(run.seconds for run in runs):.2f}" for runs in (case.aikv, case.redis)]
        cells.append(spread(case.ratios()))
        cells += [f"{statistics.median(run.cpu for run in runs):.2f}" for runs in (case.aikv, case.redis)]
        cells.append(spread(case.cpu_ratios()))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@click.command(context_settings={"show_default": True})
@click.option("--keys", type=click.IntRange(10), default=1_000_000, help="Keys in a dataset.")
@click.option("--runs", type=click.IntRange(1), default=3, help="Measured turns of each case.")
@click.option("--quick", is_flag=True, help="100,000 keys, one turn.")
@click.option("--dataset", "datasets", multiple=True, type=click.Choice(list(DATASETS)), help="[default: all]")
@click.option("--only", multiple=True, type=click.Choice(CASES), help="[default: all]")
@click.option("--deep", is_flag=True, help="Of the proofs, everything.")
@program_option
@output_option
def main(
    keys: int,
    runs: int,
    quick: bool,
    datasets: tuple[str, ...],
    only: tuple[str, ...],
    deep: bool,
    program: str,
    output: Path,
) -> None:
    """Measure SAVE, BGSAVE and loading against redis-server, side by side, and count what durability has been put to.

    Progress goes to the standard error: for each turn the ratio of the times. The tables go to the standard output, and
    with all single runs to persistence.json and persistence.md in the folder --output.
    """
    if quick:
        keys, runs = 100_000, 1
    wanted = only or CASES
    tried = proofs(deep) if "proofs" in wanted else {}
    cases: list[Case] = []
    backgrounds: dict[str, dict[str, list[Background]]] = {}
    with tempfile.TemporaryDirectory(prefix="aikv-bench-") as home:
        bench = Bench(Path(home), shlex.split(program), keys, runs)
        for dataset in datasets or DATASETS:
            if "load" in wanted:
                click.echo(f"{dataset}: making the files", err=True)
                for what, (origin, arguments) in bench.files(dataset).items():
                    cases.append(Case(dataset, what))
                    click.echo(f"{dataset}, {what}:", nl=False, err=True)
                    bench.load(cases[-1], origin, arguments)
                    click.echo("", err=True)
                shutil.rmtree(Path(home, dataset))
            if "save" in wanted or "bgsave" in wanted:
                _save(bench, dataset, wanted, cases, backgrounds)
    results = {
        "about": about(programs(program)),
        "keys": keys,
        "proofs": tried,
        "cases": [asdict(case) for case in cases],
        "bgsave": {
            dataset: {name: [asdict(run) for run in turns] for name, turns in servers.items()}
            for dataset, servers in backgrounds.items()
        },
    }
    tables = (
        table(cases) if cases else "",
        background_table("BGSAVE of | server", backgrounds) if backgrounds else "",
        proofs_table(tried) if tried else "",
    )
    text = "\n".join(part for part in tables if part)
    save(output, "persistence", results, text)


def save_in_background(server: ServerProcess) -> None:
    """BGSAVE, and wait for its end."""
    wait_for(server, "rdb_bgsave_in_progress", "BGSAVE")


def _save(
    bench: Bench,
    dataset: str,
    wanted: tuple[str, ...],
    cases: list[Case],
    backgrounds: dict[str, dict[str, list[Background]]],
) -> None:
    """SAVE and BGSAVE of one dataset, both servers running."""
    with (
        bench.served("aikv", Path(bench.home, dataset, "aikv"), QUIET) as ours,
        bench.served("redis", Path(bench.home, dataset, "redis"), QUIET) as theirs,
    ):
        running = {"aikv": ours, "redis": theirs}
        click.echo(f"{dataset}: filling", err=True)
        for server in running.values():
            fill(server, DATASETS[dataset](bench.keys))
        if "save" in wanted:
            cases.append(Case(dataset, "SAVE"))
            click.echo(f"{dataset}, SAVE:", nl=False, err=True)
            bench.saves(cases[-1], running)
            click.echo("", err=True)
        if "bgsave" in wanted:
            click.echo(f"{dataset}, BGSAVE, longest stall in ms:", nl=False, err=True)
            backgrounds[dataset] = {name: [] for name in NAMES}
            for _ in range(bench.runs):
                for name in NAMES:
                    run = under_load(running[name], bench.keys, save_in_background)
                    backgrounds[dataset][name].append(run)
                    click.echo(f" {name} {run.stall_ms:.0f}", nl=False, err=True)
            click.echo("", err=True)


if __name__ == "__main__":
    main()
