"""The tools for files: `aikv check-rdb` and `aikv check-aof`."""

import os
import sys
import time

import click

from aikv.base.errors import CorruptFile
from aikv.persistence.aof_check import AofChecker
from aikv.persistence.check_rdb import check_rdb as examine_rdb
from aikv.persistence.files import Files
from aikv.persistence.source import FileSource

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command(context_settings=_SETTINGS)
@click.argument("file", type=click.Path())
def check_rdb(file: str) -> None:
    """Read the RDB FILE from beginning to end and say what is in it.

    Ends with status 0 if the file is whole, and with 1 and the offset of the first fault if it is not. The file is
    never changed.
    """
    files = Files()
    try:
        fd = files.open(file, os.O_RDONLY)
        try:
            report = examine_rdb(FileSource(files, fd, file, True), time.time_ns() // 1_000_000, click.echo)
        finally:
            files.close(fd)
    except OSError as error:
        click.echo(f"Cannot open file {file}: {error.strerror}", err=True)
        sys.exit(1)
    sys.exit(0 if report.ok else 1)


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
