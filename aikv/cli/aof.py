"""`aikv aof`: looking into append-only logs, of aikv or of redis-server, without a server.

Theory of operation: the files of a log are read from front to back by the reader that the server uses, and each run of
commands goes to a visitor; memory is bounded by the reader's block and the largest command. Nothing is executed or
changed. An end that is cut off is reported behind everything that is whole.
"""

import os
import sys
from heapq import nlargest

import click

from aikv.base.errors import AikvError, CorruptFile
from aikv.base.glob import Glob
from aikv.base.quote import repr_bytes
from aikv.cli.escape import escape
from aikv.cli.rdb_files import KeyVisitor, Output
from aikv.cli.terminal import BAD, SETTINGS, Progress, moment, moment_text, plural, progress, tool
from aikv.persistence.aof_base import write_entry
from aikv.persistence.aof_find import FoundLog, find_log
from aikv.persistence.aof_format import encode_command, encoded_length
from aikv.persistence.aof_load import RDB_MAGIC
from aikv.persistence.aof_reader import AofReader
from aikv.persistence.aof_zeros import skip_bytes
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import RdbSummary, read_rdb
from aikv.persistence.sink import Sink
from aikv.persistence.source import FileSource

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+:./*$@%,=()[]{}!?<>^~|&;")
_COUNTED = 10_000
_LARGEST = 5
# Bytes read between two updates of the progress.
_SHOW_EVERY = 1 << 20
_PATH = click.argument("path", type=click.Path(), metavar="DIR_OR_FILE")


@click.group(context_settings=SETTINGS)
def aof() -> None:
    """Look into append-only logs of aikv or redis-server.

    DIR_OR_FILE is a server's data folder, the log's own folder, its manifest, or a single file.
    """


class LogVisitor:
    """Called for what a log holds, in its order."""

    def file(self, name: str, size: int) -> None:
        """The file `name`, of `size` bytes, begins."""

    def base(self, summary: RdbSummary) -> None:
        """The file began with an RDB, which has been read."""

    def preamble(self) -> KeyVisitor:
        """Who is given the keys of that RDB."""
        return KeyVisitor()

    def time(self, unix_s: int) -> None:
        """An annotation: what follows was written at `unix_s`."""

    def command(self, argv: list[bytes]) -> None:
        """One command, also SELECT, MULTI and EXEC."""


def walk(log: FoundLog, visitor: LogVisitor, show: Progress) -> None:
    """Read the files of `log`. Raises `CorruptFile`, `OSError`."""
    files = log.store.files
    done = 0
    for part in log.manifest.parts():
        path = log.store.path(part.name)
        size = files.size(path)
        visitor.file(part.name, size)
        fd = files.open(path, os.O_RDONLY)
        try:
            _walk_file(files, fd, path, size, visitor, _behind(show, done))
        finally:
            files.close(fd)
        done += size
        show(done)


def _walk_file(files: Files, fd: int, path: str, size: int, visitor: LogVisitor, show: Progress) -> None:
    ahead = files.read(fd, len(RDB_MAGIC))
    start = 0
    if ahead == RDB_MAGIC:
        base = files.open(path, os.O_RDONLY)
        try:
            taker = visitor.preamble()
            taker.show = show
            summary = read_rdb(FileSource(files, base, path), taker, trailing_allowed=True)
        finally:
            files.close(base)
        visitor.base(summary)
        start, ahead = summary.end, b""
        skip_bytes(files, fd, start - len(RDB_MAGIC))
    reader = AofReader(files, fd, path, start, size, ahead)
    seen = 0
    while not reader.at_end():
        run = reader.next_run()
        if not run and reader.timestamp:
            visitor.time(reader.timestamp)
        for argv in run:
            visitor.command(argv)
        if reader.offset() - seen > _SHOW_EVERY:
            seen = reader.offset()
            show(seen)


def _behind(show: Progress, done: int) -> Progress:
    """Progress in a file that comes after `done` bytes of others."""

    def shown(offset: int) -> None:
        show(done + offset)

    return shown


def _find(path: str) -> FoundLog:
    log = find_log(Files(), path)
    if not log.manifest.parts():
        raise AikvError(f"there is no append-only log in {path}: name the folder that the server's `dir` is")
    return log


def _size(log: FoundLog) -> int:
    return sum(log.store.files.size(log.store.path(part.name)) for part in log.manifest.parts())


class _Cat(LogVisitor):
    def __init__(self, out: Output, resp: bool, base: bool, match: str | None, since: int, until: int) -> None:
        self._out = out
        self._resp = resp
        self._base = base
        self._glob = Glob(match.upper().encode(), nocase=True) if match is not None else None
        self._since = since
        self._until = until
        self._now = 0
        self._db = b"0"
        self._printed_db = b"0"

    def file(self, name: str, size: int) -> None:
        # Each file is loaded as by a new client.
        self._db = b"0"
        if not self._resp:
            self._out.line(f"# {name}, {size} bytes")

    def base(self, summary: RdbSummary) -> None:
        if not self._resp and not self._base:
            self._out.line(f"# an RDB of {summary.end} bytes, not shown: add --base")

    def preamble(self) -> KeyVisitor:
        return _Base(self) if self._base else KeyVisitor()

    def time(self, unix_s: int) -> None:
        self._now = unix_s
        if not self._resp and self._since <= unix_s <= self._until:
            self._out.line(f"# {moment_text(unix_s)}")

    def command(self, argv: list[bytes]) -> None:
        if len(argv) == 2 and argv[0].upper() == b"SELECT":
            # Printed where a command needs it, which may be one that comes long after it.
            self._db = argv[1]
            return
        if not self._since <= self._now <= self._until or (self._glob is not None and not self._glob.match(argv[0])):
            return
        if self._db != self._printed_db:
            self._printed_db = self._db
            self._print([b"SELECT", self._db])
        self._print(argv)

    def _print(self, argv: list[bytes]) -> None:
        self._out.raw(encode_command(argv) if self._resp else b" ".join([_word(arg) for arg in argv]) + b"\n")


class _Base(KeyVisitor):
    """Shows the keys of a base as the commands that make them."""

    def __init__(self, cat: _Cat) -> None:
        super().__init__()
        self._cat = cat
        self._selected = 0

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        if db != self._selected:
            self._selected = db
            self._cat.command([b"SELECT", b"%d" % db])
        sink = Sink(keep_crc=False)
        write_entry(sink, key, value, expire_ms)
        data = sink.value()
        reader = AofReader(Files(), -1, "base", 0, len(data), data)
        while not reader.at_end():
            for argv in reader.next_run():
                self._cat.command(argv)


def _word(arg: bytes) -> bytes:
    """`arg` as redis-cli reads it: in quotes where it is not plain."""
    return arg if arg and _PLAIN.issuperset(arg) else repr_bytes(arg)


@aof.command(context_settings=SETTINGS)
@_PATH
@click.option("--resp", is_flag=True, help="Print the commands as the log has them, for redis-cli --pipe.")
@click.option("--base", is_flag=True, help="Print also the keys of an RDB base, as commands.")
@click.option("--match", metavar="GLOB", help="Only commands whose name matches.")
@click.option("--since", callback=moment, metavar="MOMENT", help="Only what was written at this moment or later.")
@click.option("--until", callback=moment, metavar="MOMENT", help="Only what was written up to this moment.")
@tool
def cat(path: str, resp: bool, base: bool, match: str | None, since: int | None, until: int | None) -> None:
    """Print the commands of a log, one on each line, quoted as redis-cli quotes.

    Lines that begin with # name the files and give the times that the log notes (aof-timestamp-enabled). Moments are
    ISO 8601, in UTC unless they name a zone; --since and --until leave out what comes before the first time noted.
    """
    log = _find(path)
    out = Output()
    visitor = _Cat(out, resp, base, match, since or 0, until if until is not None else sys.maxsize)
    try:
        walk(log, visitor, _silent)
    finally:
        out.flush()


class _Stats(LogVisitor):
    def __init__(self) -> None:
        self.files: list[list[int]] = []
        self.names: list[str] = []
        self.commands: dict[bytes, list[int]] = {}
        self.largest: list[tuple[int, str]] = []
        self.base_keys = 0

    def file(self, name: str, size: int) -> None:
        # Size, commands, first and last time.
        self.files.append([size, 0, 0, 0])
        self.names.append(name)

    def preamble(self) -> KeyVisitor:
        return _Count(self)

    def time(self, unix_s: int) -> None:
        file = self.files[-1]
        file[2] = file[2] or unix_s
        file[3] = unix_s

    def command(self, argv: list[bytes]) -> None:
        self.files[-1][1] += 1
        name = argv[0].upper()
        counts = self.commands.get(name)
        if counts is None:
            # A damaged or hostile log must not make the table grow without end.
            name = name if len(self.commands) < _COUNTED else b"(others)"
            counts = self.commands.setdefault(name, [0, 0])
        size = encoded_length(argv)
        counts[0] += 1
        counts[1] += size
        if len(self.largest) < _LARGEST or size > self.largest[-1][0]:
            what = escape(b" ".join(argv[:2])[:100])
            self.largest = nlargest(_LARGEST, [*self.largest, (size, what)])


class _Count(KeyVisitor):
    def __init__(self, stats: _Stats) -> None:
        super().__init__()
        self._stats = stats

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:  # noqa: ARG002
        self._stats.base_keys += 1


@aof.command(context_settings=SETTINGS)
@_PATH
@tool
def stats(path: str) -> None:
    """Say what a log consists of: files, times, and how often which command stands in it with how many bytes.

    Ends with status 1 where the log is damaged or its end is cut off, behind what can be said of the rest.
    """
    log = _find(path)
    found = _Stats()
    fault: CorruptFile | None = None
    try:
        with progress("Reading", _size(log)) as show:
            walk(log, found, show)
    except CorruptFile as error:
        fault = error
    out = Output()
    for name, (size, count, first_s, last_s) in zip(found.names, found.files, strict=True):
        times = f", {moment_text(first_s)} to {moment_text(last_s)}" if first_s else ""
        out.line(f"{name}: {size} bytes, {plural(count, 'command')}{times}")
    for part in log.manifest.history:
        out.line(f"{part.name}: history, replaced at {moment_text(part.retired_s) if part.retired_s else 'some time'}")
    if found.base_keys:
        out.line(f"base: an RDB of {plural(found.base_keys, 'key')}")
    out.line(f"{'command':<20} {'count':>12} {'bytes':>14}")
    for word, (count, size) in sorted(found.commands.items(), key=lambda item: item[1][1], reverse=True):
        out.line(f"{escape(word):<20} {count:>12} {size:>14}")
    for size, what in found.largest:
        out.line(f"largest: {size} bytes, {what}")
    out.flush()
    if fault is not None:
        click.echo(f"Error: {fault}. Mend it with: aikv check-aof --fix {fault.path}", err=True)
        sys.exit(BAD)


def _silent(_offset: int) -> None:
    """A listing is its own progress."""
