"""Two ways of taking a snapshot, measured side by side: by a forked child, and bucket by bucket in the server itself.

Theory of operation: both are taken by one and the same server, that of `sliced`, in turn, under the load that
`background` tells of; a redis-server, which forks, is measured beside it for the scale. Before the measurement each way
takes a snapshot of a dataset at rest, and a redis-server is to find in it what DEBUG DIGEST says is there.

The longest stall that slices cannot avoid is no matter of load: a collection is changed in place, so it would have to
be written whole before its first change. How long that takes is measured by SAVE of nothing but one hash.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click
from background import Background, background_table, under_load
from datasets import Commands, fill, strings
from sides import about, answered, output_option, running, save, wait_for

from oracle.process import AIKV, REDIS, ServerProcess

QUIET = ("--save", "", "--appendonly", "no", "--enable-debug-command", "yes")
SLICED = (sys.executable, "-P", str(Path(__file__).with_name("sliced.py")))
HUGE_CHUNK = 500


def snapshot(server: ServerProcess, way: str) -> None:
    """Take a snapshot by `way` and wait for its end."""
    answered(server, "SNAPSHOT", way)
    while answered(server, "SNAPSHOT", "RUNNING") != b":0\r\n":
        time.sleep(0.01)


def by_child(server: ServerProcess) -> None:
    """By a forked child."""
    snapshot(server, "CHILD")


def by_slices(server: ServerProcess) -> None:
    """Bucket by bucket."""
    snapshot(server, "SLICES")


def by_redis(server: ServerProcess) -> None:
    """By redis-server's child."""
    wait_for(server, "rdb_bgsave_in_progress", "BGSAVE")


WAYS: dict[str, tuple[str, Callable[[ServerProcess], None]]] = {
    "forked child": ("aikv", by_child),
    "bucket by bucket": ("aikv", by_slices),
    "redis-server": ("redis", by_redis),
}


def check(server: ServerProcess, take: Callable[[ServerProcess], None], folder: Path) -> None:
    """Let redis-server load a snapshot of the dataset at rest and say whether it is the dataset."""
    take(server)
    folder.mkdir()
    (folder / "dump.rdb").write_bytes((server.folder / "dump.rdb").read_bytes())
    loading = ServerProcess(REDIS, folder, QUIET)
    loading.start()
    try:
        found = answered(loading, "DEBUG", "DIGEST")
    finally:
        loading.kill()
    wanted = answered(server, "DEBUG", "DIGEST")
    if found != wanted:
        raise click.ClickException(f"a snapshot holds {found!r}, the dataset is {wanted!r}")


def one_hash(fields: int) -> Commands:
    """One hash of `fields` fields."""
    for begin in range(0, fields, HUGE_CHUNK):
        numbers = range(begin, min(begin + HUGE_CHUNK, fields))
        yield [b"HSET", b"huge", *(part for number in numbers for part in (b"field:%d" % number, b"%016d" % number))]


def hash_ms(server: ServerProcess, fields: int, runs: int) -> float:
    """How long SAVE of one hash of `fields` fields takes, less that of nothing; milliseconds, the median."""
    took: list[list[float]] = []
    for commands in (iter(()), one_hash(fields)):
        answered(server, "FLUSHALL")
        fill(server, commands, 20)
        took.append([])
        for _ in range(runs):
            began = time.monotonic()
            answered(server, "SAVE")
            took[-1].append((time.monotonic() - began) * 1000)
    return statistics.median(took[1]) - statistics.median(took[0])


@click.command(context_settings={"show_default": True})
@click.option("--keys", type=click.IntRange(10), default=1_000_000, help="Strings in the dataset, fields in the hash.")
@click.option("--runs", type=click.IntRange(1), default=5, help="Measured snapshots of each way.")
@click.option("--quick", is_flag=True, help="100,000 keys, one turn.")
@output_option
def main(keys: int, runs: int, quick: bool, output: Path) -> None:
    """Compare a snapshot by a forked child with one that is taken bucket by bucket.

    Progress goes to the standard error: for each snapshot the longest stall in ms. The table goes to the standard
    output, and with all single runs to snapshots.json and snapshots.md in the folder --output.
    """
    if quick:
        keys, runs = 100_000, 1
    seen: dict[str, list[Background]] = {way: [] for way in WAYS}
    started = {"aikv": list(SLICED), "redis": list(REDIS)}
    with tempfile.TemporaryDirectory(prefix="aikv-bench-") as home, running(started, Path(home), QUIET) as sides:
        click.echo("filling", err=True)
        for server in sides.values():
            fill(server, strings(keys))
        for number, (name, take) in enumerate(WAYS.values()):
            check(sides[name], take, Path(home, f"check-{number}"))
        click.echo("longest stall in ms:", nl=False, err=True)
        for _ in range(runs):
            for way, (name, take) in WAYS.items():
                seen[way].append(under_load(sides[name], keys, take))
                click.echo(f" {way} {seen[way][-1].stall_ms:.0f}", nl=False, err=True)
        click.echo("", err=True)
        whole_ms = hash_ms(sides["aikv"], keys, runs)
    document = {
        "about": about({"aikv": AIKV, "redis": REDIS}),
        "keys": keys,
        "snapshots": {way: [asdict(run) for run in turns] for way, turns in seen.items()},
        "hash_ms": whole_ms,
    }
    text = background_table("snapshot of | way", {f"{keys:,} strings": seen})
    text += f"\nTo write one hash of {keys:,} fields takes {whole_ms:.0f} ms.\n"
    save(output, "snapshots", document, text)


if __name__ == "__main__":
    main()
