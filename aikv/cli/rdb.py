"""`aikv rdb`: looking into RDB files, of aikv or of redis-server, without a server.

Theory of operation: a group of commands, each in a module of its own or here if it is short. All read the file once,
key by key, through `rdb_files.visit`; memory is bounded by the largest single value, and `top` and `diff` say what else
they keep.
"""

import click

from aikv.base.numbers import parse_i64
from aikv.cli.escape import escape
from aikv.cli.rdb_diff import diff
from aikv.cli.rdb_export import export
from aikv.cli.rdb_files import Filter, KeyVisitor, Output, filtered, visit
from aikv.cli.rdb_top import top
from aikv.cli.terminal import SETTINGS, moment_text, plural, tool
from aikv.datatypes.kinds import kind_of, type_name
from aikv.persistence.sizes import elements_of, memory_of

_FILE = click.argument("file", type=click.Path(), metavar="FILE")


@click.group(context_settings=SETTINGS)
def rdb() -> None:
    """Look into RDB files of aikv or redis-server.

    FILE may be - for standard input. Keys and values are printed as UTF-8; every other byte, and every control
    character, as \\xHH, and a backslash as two, so that nothing is lost.
    """


class _Counts:
    """Keys, elements and bytes of one type in one database."""

    def __init__(self) -> None:
        self.keys = 0
        self.elements = 0
        self.memory = 0


class _Info(KeyVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[bytes, bytes]] = []
        self.functions = 0
        self.counts: dict[tuple[int, str], _Counts] = {}
        self.expires: dict[int, int] = {}

    def aux(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def function(self, code: bytes) -> None:  # noqa: ARG002
        self.functions += 1

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        counts = self.counts.setdefault((db, type_name(value).decode()), _Counts())
        counts.keys += 1
        counts.elements += elements_of(value)
        counts.memory += memory_of(key, value, expire_ms)
        if expire_ms != -1:
            self.expires[db] = self.expires.get(db, 0) + 1


@rdb.command(context_settings=SETTINGS)
@_FILE
@tool
def info(file: str) -> None:
    """Say what FILE is and how much of what it holds.

    Memory is an estimate of what redis-server would take for it.
    """
    found = _Info()
    summary = visit(file, found)
    out = Output()
    out.line(f"version {summary.version}, {summary.end} bytes, {'CRC64 is right' if summary.checksum else 'no CRC64'}")
    for name, value in found.fields:
        number = parse_i64(value) if name == b"ctime" else None
        when = f" ({moment_text(number)})" if number is not None else ""
        out.line(f"{escape(name)} {escape(value)}{when}")
    if found.functions:
        out.line(f"functions: {plural(found.functions, 'library').replace('librarys', 'libraries')}")
    for db in sorted({db for db, _ in found.counts}):
        of_db = {kind: counts for (index, kind), counts in sorted(found.counts.items()) if index == db}
        keys = sum(counts.keys for counts in of_db.values())
        memory = sum(counts.memory for counts in of_db.values())
        out.line(
            f"db{db}: {plural(keys, 'key')}, {found.expires.get(db, 0)} with a TTL, about {memory} bytes of memory"
        )
        for kind, counts in of_db.items():
            out.line(
                f"  {kind}: {plural(counts.keys, 'key')}, {plural(counts.elements, 'element')}, "
                f"about {counts.memory} bytes"
            )
    if not found.counts:
        out.line("no keys")
    out.flush()


class _Keys(KeyVisitor):
    def __init__(self, out: Output, long: bool) -> None:
        super().__init__()
        self._out = out
        self._long = long

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        if not self._long:
            self._out.line(escape(key))
            return
        kind = kind_of(value)
        columns = [str(db), kind.name.decode(), kind.encoding(value).decode(), str(expire_ms)]
        columns += [str(elements_of(value)), str(memory_of(key, value, expire_ms)), escape(key)]
        self._out.line("\t".join(columns))


@rdb.command(context_settings=SETTINGS)
@_FILE
@click.option("--long", "-l", is_flag=True, help="Print what else is known of each key, in columns.")
@filtered
@tool
def keys(file: str, long: bool, dbs: tuple[int, ...], match: str | None, types: tuple[str, ...]) -> None:
    """Print the keys of FILE, one on each line, in the order of the file.

    With --long the columns, between tabs, are: database, type, encoding, the unix millisecond at which it expires or
    -1, elements, estimated bytes of memory, key.

    \b
    Examples:
      aikv rdb keys dump.rdb
      aikv rdb keys --match 'session:*' --long dump.rdb | sort -t$'\\t' -k6n
    """
    out = Output()
    visit(file, _Keys(out, long), Filter(dbs, match, types))
    out.flush()


rdb.add_command(export)
rdb.add_command(diff)
rdb.add_command(top)
