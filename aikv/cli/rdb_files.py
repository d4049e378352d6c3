"""Reading an RDB file key by key for the tools: one pass, one key in memory at a time.

Theory of operation: the server's own reader calls a `KeyVisitor` for each key that the filters let through; nothing is
kept unless the visitor keeps it. So memory is bounded by the largest single value, however large the file.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from aikv.base.errors import AikvError
from aikv.base.glob import Glob
from aikv.cli.terminal import Progress, ignore, progress
from aikv.datatypes.kinds import type_name
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import RdbSummary, Receiver, read_rdb
from aikv.persistence.source import FileSource

TYPES = ("string", "list", "set", "zset", "hash", "stream")
_OUT_BYTES = 256 * 1024
# `databases` is a C int.
_DATABASES = 1 << 31

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Filter:
    """Which keys are wanted: those of some databases, of a glob pattern, of some types; empty means all."""

    def __init__(self, dbs: tuple[int, ...] = (), match: str | None = None, types: tuple[str, ...] = ()) -> None:
        self._dbs = frozenset(dbs)
        self._glob = Glob(os.fsencode(match)) if match is not None else None
        self._types = frozenset(name.encode() for name in types)

    def takes(self, db: int, key: bytes, value: object) -> bool:
        """Whether a key is wanted."""
        if self._dbs and db not in self._dbs:
            return False
        if self._glob is not None and not self._glob.match(key):
            return False
        return not self._types or type_name(value) in self._types


def filtered(function: _Function) -> _Function:
    """Give a command the options of a `Filter`: `dbs`, `match`, `types`."""
    options = [
        click.option("--db", "dbs", type=click.IntRange(0), multiple=True, help="Only this database; may be repeated."),
        click.option("--match", metavar="GLOB", help="Only keys that match, as KEYS would."),
        click.option("--type", "types", type=click.Choice(TYPES), multiple=True, help="Only keys of this type."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


class KeyVisitor(Receiver):
    """Called for each wanted key by `visit`, which sets `wanted` and `show`."""

    def __init__(self) -> None:
        self.wanted = Filter()
        self.show: Progress = ignore
        self.db = 0

    def select(self, db: int) -> None:
        if db >= _DATABASES:
            raise AikvError(f"the file holds a database {db}, which no server has")
        self.db = db

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:  # noqa: ARG002
        if self.wanted.takes(self.db, key, value):
            self.key(self.db, key, value, expire_ms)

    def progress(self, offset: int) -> None:
        self.show(offset)

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        """One key; `expire_ms` in unix ms, -1 for none."""


def visit(path: str, visitor: KeyVisitor, wanted: Filter | None = None, label: str = "Reading") -> RdbSummary:
    """Read the RDB file `path`, - being standard input. Raises `OSError`, `CorruptFile`."""
    files = Files()
    visitor.wanted = wanted if wanted is not None else Filter()
    if path == "-":
        return read_rdb(FileSource(files, 0, "standard input"), visitor)
    with progress(label, files.size(path)) as show:
        return _read(files, path, visitor, show)


def _read(files: Files, path: str, visitor: KeyVisitor, show: Progress) -> RdbSummary:
    visitor.show = show
    fd = files.open(path, os.O_RDONLY)
    try:
        return read_rdb(FileSource(files, fd, path), visitor)
    finally:
        files.close(fd)


class Output:
    """Lines for standard output, in UTF-8 whatever the locale is; written in large blocks."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def line(self, text: str) -> None:
        """One line."""
        self.raw(text.encode() + b"\n")

    def raw(self, data: bytes) -> None:
        """Some bytes."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= _OUT_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        sys.stdout.buffer.write(b"".join(self._parts))
        sys.stdout.buffer.flush()
        self._parts = []
        self._size = 0
