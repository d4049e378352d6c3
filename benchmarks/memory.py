"""Memory per key of aikv and of redis-server, measured side by side.

Theory of operation: a server starts empty, its resident memory is read, it is filled with one kind of keys, and its
memory is read again: the difference, divided by the keys, is what a key costs with its value, its place in the table,
and what the allocator needs. Each kind gets a server of its own, so nothing is measured that another left behind. The
small collections stay in Redis's compact forms, the large ones leave them. Needs Linux and redis-server.
"""

import random
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from datasets import SEED, Commands, fill, small_hash, small_list, small_set, small_zset, strings
from observe import resident_bytes
from sides import about, output_option, program_option, programs, save

from oracle.process import REDIS, VOLATILE, ServerProcess

LARGE = 1000


@dataclass
class Kind:
    """A kind of keys: how they are made, and one for how many of `--keys` there are."""

    name: str
    commands: Callable[[int], Commands]
    share: int = 1


@dataclass
class Measured:
    """Bytes per key."""

    kind: str
    keys: int
    aikv: float
    redis: float


def small(make: Callable[[random.Random, bytes], list[bytes]]) -> Callable[[int], Commands]:
    """Keys whose values `make` makes."""

    def commands(keys: int) -> Commands:
        source = random.Random(SEED)
        return (make(source, b"key:%012d" % number) for number in range(keys))

    return commands


def large(command: bytes, element: Callable[[random.Random, int], list[bytes]]) -> Callable[[int], Commands]:
    """Keys with `LARGE` elements each."""

    def commands(keys: int) -> Commands:
        source = random.Random(SEED)
        for number in range(keys):
            parts = [part for place in range(LARGE) for part in element(source, place)]
            yield [command, b"key:%012d" % number, *parts]

    return commands


def with_times(keys: int) -> Commands:
    """Strings of 16 bytes, each with a TTL."""
    for command in strings(keys):
        yield [*command, b"EX", b"1000000"]


def counters(keys: int) -> Commands:
    """Integers."""
    source = random.Random(SEED)
    return ([b"SET", b"key:%012d" % number, b"%d" % source.randrange(10**9)] for number in range(keys))


KINDS = [
    Kind("string, 16 bytes", strings),
    Kind("string, 16 bytes, with TTL", with_times),
    Kind("string, integer", counters),
    Kind("hash, 5 fields", small(small_hash), 2),
    Kind("list, 10 elements", small(small_list), 2),
    Kind("set, 8 members", small(small_set), 2),
    Kind("sorted set, 8 members", small(small_zset), 2),
    Kind(
        "hash, 1000 fields",
        large(b"HSET", lambda source, n: [b"field:%d" % n, source.randbytes(8).hex().encode()]),
        500,
    ),
    Kind("list, 1000 elements", large(b"RPUSH", lambda source, _: [source.randbytes(8).hex().encode()]), 500),
    Kind("set, 1000 members", large(b"SADD", lambda source, _: [source.randbytes(8).hex().encode()]), 500),
    Kind(
        "sorted set, 1000 members",
        large(b"ZADD", lambda source, _: [b"%d" % source.randrange(10**9), source.randbytes(8).hex().encode()]),
        500,
    ),
]


def bytes_per_key(program: list[str], kind: Kind, keys: int) -> float:
    """What a key of `kind` costs a server of `program` that has `keys` of them."""
    with tempfile.TemporaryDirectory(prefix="aikv-bench-") as folder:
        server = ServerProcess(program, Path(folder), VOLATILE)
        server.start()
        try:
            before = resident_bytes(server.pid)
            fill(server, kind.commands(keys))
            return (resident_bytes(server.pid) - before) / keys
        finally:
            server.kill()


def table(rows: list[Measured]) -> str:
    """The rows as a Markdown table."""
    lines = ["| kind | keys | aikv, bytes per key | redis-server | ratio |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        cells = [row.kind, f"{row.keys:,}", f"{row.aikv:,.0f}", f"{row.redis:,.0f}", f"{row.aikv / row.redis:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@click.command(context_settings={"show_default": True})
@click.option("--keys", type=click.IntRange(1000), default=1_000_000, help="Keys; fewer where they are larger.")
@click.option("--quick", is_flag=True, help="100,000 keys.")
@click.option("--kind", "kinds", multiple=True, help="The beginning of a kind's name; repeatable. [default: all]")
@program_option
@output_option
def main(keys: int, quick: bool, kinds: tuple[str, ...], program: str, output: Path) -> None:
    """Measure the memory of a key in aikv and in redis-server.

    Progress goes to the standard error, the table to the standard output and to memory.json and memory.md in the folder
    --output.
    """
    if quick:
        keys = 100_000
    rows = []
    for kind in KINDS:
        if kinds and not kind.name.startswith(kinds):
            continue
        count = max(100, keys // kind.share)
        click.echo(f"{kind.name}: ", nl=False, err=True)
        ours = bytes_per_key(shlex.split(program), kind, count)
        theirs = bytes_per_key(list(REDIS), kind, count)
        click.echo(f"{ours / theirs:.2f}", err=True)
        rows.append(Measured(kind.name, count, ours, theirs))
    results = {"about": about(programs(program)), "kinds": [asdict(row) for row in rows]}
    save(output, "memory", results, table(rows))


if __name__ == "__main__":
    main()
