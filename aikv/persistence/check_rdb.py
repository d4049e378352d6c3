"""Checking an RDB file without serving it, in the words of redis-check-rdb.

Theory of operation: the file goes through the reader that the server uses, with a `Receiver` that counts instead of
keeping. A file is sound when that reader takes it to the end, so "check-rdb says OK" and "the server loads it" cannot
differ, data types that this version does not hold included. Lines are handed out as they are known; nothing grows with
the file but one counter per database.
"""

from collections.abc import Callable
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.base.errors import CorruptFile
from aikv.persistence.codec import shown
from aikv.persistence.rdb_format import TYPE_NAMES
from aikv.persistence.rdb_read import ReadState, Receiver, read_rdb
from aikv.persistence.source import Source


class DatabaseCount:
    """Keys, keys with a TTL, and keys whose TTL has passed, of one database."""

    def __init__(self) -> None:
        self.keys: int = 0
        self.expires: int = 0
        self.expired: int = 0


class RdbReport:
    """What a check found.

    `ok` is whether the whole file could be read, `error_offset` the byte at which it could not (-1 if it could),
    `checksum` whether a checksum stood there and was right, `databases` the counts by database number.
    """

    def __init__(self) -> None:
        self.ok: bool = False
        self.error_offset: int = -1
        self.reason: str = ""
        self.version: int = 0
        self.checksum: bool = False
        self.functions: int = 0
        self.databases: dict[int, DatabaseCount] = {}

    def total(self) -> DatabaseCount:
        """The sums over all databases."""
        total = DatabaseCount()
        for count in self.databases.values():
            total.keys += count.keys
            total.expires += count.expires
            total.expired += count.expired
        return total


@mypyc_attr(allow_interpreted_subclasses=True)
class Counter(Receiver):
    """Counts what passes; a subclass may override `progress` to show it."""

    def __init__(self, source: Source, now_ms: int, line: Callable[[str], None]) -> None:
        self._source: Final = source
        self._now_ms: Final = now_ms
        self._line: Final = line
        self._count: DatabaseCount | None = None
        self.report: Final = RdbReport()

    def say(self, text: str) -> None:
        """Hand out a line that begins with the present offset."""
        self._line(f"[offset {self._source.offset()}] {text}")

    def aux(self, name: bytes, value: bytes) -> None:
        self.say(f"AUX FIELD {shown(name)} = '{shown(value)}'")

    def select(self, db: int) -> None:
        self.say(f"Selecting DB ID {db}")
        self._count = self.report.databases.setdefault(db, DatabaseCount())

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:  # noqa: ARG002
        count = self._count
        if count is None:
            # Files of the first versions may begin with keys of database 0.
            count = self._count = self.report.databases.setdefault(0, DatabaseCount())
        count.keys += 1
        if expire_ms != -1:
            count.expires += 1
            if expire_ms < self._now_ms:
                count.expired += 1

    def function(self, code: bytes) -> None:  # noqa: ARG002
        self.report.functions += 1


def check_rdb(
    source: Source,
    now_ms: int,
    line: Callable[[str], None],
    trailing_allowed: bool = False,
    counter: Counter | None = None,
) -> RdbReport:
    """Read the RDB at `source` to its end and say what is there, one call of `line` per line.

    `now_ms` (unix ms) decides which keys have expired. `trailing_allowed` is for an AOF with an RDB preamble: `source`
    is then left where its commands begin. `counter` lets the caller watch the progress. A damaged file is a finding,
    not an exception; `OSError` is raised as it comes.
    """
    counting = counter if counter is not None else Counter(source, now_ms, line)
    report = counting.report
    state = ReadState()
    line(f"[offset {source.offset()}] Checking RDB file {source.name}")
    try:
        summary = read_rdb(source, counting, trailing_allowed, state)
    except CorruptFile as error:
        report.error_offset = error.offset
        report.reason = error.reason
        _say_error(error, state, line)
    else:
        report.ok = True
        report.version = summary.version
        report.checksum = summary.checksum
        if summary.checksum:
            counting.say("Checksum OK")
        else:
            counting.say("RDB file was saved with checksum disabled: no check performed.")
        counting.say("\\o/ RDB looks OK! \\o/")
    _say_counts(report, line)
    return report


def _say_error(error: CorruptFile, state: ReadState, line: Callable[[str], None]) -> None:
    line("--- RDB ERROR DETECTED ---")
    line(f"[offset {error.offset}] {error.reason}")
    line(f"[additional info] While doing: {state.doing}")
    if state.key is not None:
        line(f"[additional info] Reading key '{shown(state.key)}'")
    if state.doing in ("read-type", "read-key", "read-object-value"):
        name = TYPE_NAMES.get(state.type_byte, "unknown")
        line(f"[additional info] Reading type {state.type_byte} ({name})")


def _say_counts(report: RdbReport, line: Callable[[str], None]) -> None:
    total = report.total()
    line(f"[info] {total.keys} keys read")
    line(f"[info] {total.expires} expires")
    line(f"[info] {total.expired} already expired")
    if report.functions:
        line(f"[info] {report.functions} functions")
    for index, count in sorted(report.databases.items()):
        line(f"[info] db{index}: {count.keys} keys, {count.expires} expires, {count.expired} already expired")
