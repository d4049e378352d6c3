"""The tools that take redis-check-rdb's and redis-check-aof's place: `aikv check-rdb` and `aikv check-aof`."""

import os
import sys
import time

import click

from aikv.base.errors import CorruptFile
from aikv.cli.salvage import Salvage, SalvagingCounter
from aikv.persistence.aof_check import AofChecker
from aikv.persistence.check_rdb import RdbReport
from aikv.persistence.check_rdb import check_rdb as examine_rdb
from aikv.persistence.files import Files
from aikv.persistence.source import FileSource

# The magic and the version.
_HEAD_BYTES = 9
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command(context_settings=_SETTINGS)
@click.option(
    "--salvage",
    type=click.Path(),
    default=None,
    metavar="OUT",
    help="Write all keys before the first fault to the new file OUT.",
)
@click.argument("file", type=click.Path())
def check_rdb(file: str, salvage: str | None) -> None:
    """Read the RDB FILE from beginning to end and say what is in it.

    Ends with status 0 if the file is whole, and with 1 and the offset of the first fault if it is not. The file is
    never changed; what can be saved of a damaged one goes to a new file with --salvage.

    \b
    Examples:
      aikv check-rdb dump.rdb
      aikv check-rdb --salvage saved.rdb dump.rdb
    """
    if salvage is not None and os.path.lexists(salvage):
        click.echo(f"{salvage} is there already: name a new file", err=True)
        sys.exit(1)
    files = Files()
    try:
        fd = files.open(file, os.O_RDONLY)
        try:
            report = _examine(files, fd, file, salvage)
        finally:
            files.close(fd)
    except OSError as error:
        click.echo(f"Cannot open file {error.filename or file}: {error.strerror}", err=True)
        sys.exit(1)
    sys.exit(0 if report.ok else 1)


def _examine(files: Files, fd: int, file: str, salvage: str | None) -> RdbReport:
    source = FileSource(files, fd, file, True)
    now_ms = time.time_ns() // 1_000_000
    if salvage is None:
        return examine_rdb(source, now_ms, click.echo)
    source.fill(_HEAD_BYTES)
    saved = Salvage(salvage, source.buffer[:_HEAD_BYTES])
    try:
        counter = SalvagingCounter(source, now_ms, click.echo, saved.converter)
        report = examine_rdb(source, now_ms, click.echo, counter=counter)
        keys = saved.finish()
    except BaseException as error:
        saved.abandon(error)
        raise
    click.echo(f"[info] {keys} keys written to {salvage}")
    if not report.ok:
        click.echo("[info] what stands behind the fault is not among them")
    return report


@click.command(context_settings=_SETTINGS)
@click.option("--fix", is_flag=True, help="Cut the damaged end off, after asking.")
@click.option(
    "--truncate-to-timestamp",
    "timestamp",
    type=click.IntRange(1),
    default=None,
    metavar="SECONDS",
    help="Cut off what is younger than this Unix time; needs a log written with aof-timestamp-enabled.",
)
@click.argument("file", type=click.Path())
def check_aof(file: str, fix: bool, timestamp: int | None) -> None:
    """Check an append-only FILE, or all files that a manifest names.

    \b
    Examples:
      aikv check-aof appendonlydir/appendonly.aof.manifest
      aikv check-aof --fix appendonlydir/appendonly.aof.manifest
      aikv check-aof old-appendonly.aof

    Ends with status 0 if everything is whole or has been mended, with 1 otherwise.
    """
    checker = AofChecker(Files(), click.echo, _confirm, _check_preamble, fix, timestamp or 0)
    sys.exit(checker.check(file))


def _confirm() -> bool:
    return click.confirm("Continue?")


def _check_preamble(path: str) -> int:
    """Examine the RDB that the file begins with; returns the offset behind it."""
    files = Files()
    fd = files.open(path, os.O_RDONLY)
    try:
        source = FileSource(files, fd, path, True)
        report = examine_rdb(source, time.time_ns() // 1_000_000, click.echo, trailing_allowed=True)
    finally:
        files.close(fd)
    if not report.ok:
        raise CorruptFile(path, report.error_offset, report.reason)
    return source.offset()
