"""`aikv convert`: an RDB file in another version of the format."""

import os

import click

from aikv.cli.rdb_files import KeyVisitor, visit
from aikv.cli.terminal import SETTINGS, fail, plural, tool
from aikv.persistence.files import Files
from aikv.persistence.rdb_convert import Converter, NewFile


class _Passing(KeyVisitor):
    """Hands everything on to a `Converter`."""

    def __init__(self, into: Converter) -> None:
        super().__init__()
        self._into = into

    def aux(self, name: bytes, value: bytes) -> None:
        self._into.aux(name, value)

    def function(self, code: bytes) -> None:
        self._into.function(code)

    def select(self, db: int) -> None:
        self._into.select(db)

    def resize(self, db_size: int, expires_size: int) -> None:
        self._into.resize(db_size, expires_size)

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        self._into.put(key, value, expire_ms, idle_s, freq)


@click.command(context_settings=SETTINGS)
@click.option(
    "--rdb-version",
    "version",
    type=click.Choice(["9", "10", "11", "12"]),
    required=True,
    help="9 for Redis 5 and 6, 10 for Redis 7.0, 11 for Redis 7.2, 12 for Redis 7.4.",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@click.argument("source", type=click.Path(), metavar="IN")
@click.argument("target", type=click.Path(), metavar="OUT")
@tool
def convert(version: str, force: bool, source: str, target: str) -> None:
    """Write the RDB file IN as OUT, in another version of the format, for an older or a newer Redis.

    IN may be of any version from 1 to 12, and - is standard input. What the version cannot hold is refused: functions
    before version 10, hash fields with times before version 12. OUT gets its name when it is whole.

    \b
    Example:
      aikv convert --rdb-version 9 dump.rdb for-redis-6.rdb
    """
    if os.path.lexists(target) and not force:
        fail(f"{target} is there already. Name another file, or add --force to replace it.")
    made = NewFile(Files(), target)
    try:
        converter = Converter(made.sink, int(version))
        summary = visit(source, _Passing(converter), label="Converting")
        converter.finish()
        made.commit()
    except BaseException as error:
        made.abandon(error)
        raise
    click.echo(f"{plural(converter.keys, 'key')}, from version {summary.version} to {version}: {target}")
