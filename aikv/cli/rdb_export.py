"""`aikv rdb export`: the content of an RDB file as JSON lines, as CSV, or as commands.

Theory of operation: one `Exporter` per format, called key by key; each key is written before the next is read. Bytes in
JSON and CSV are written as `escape` has them. The commands are those of an append-only file's base.
"""

import csv
import io
import json
from typing import cast

import click

from aikv.cli.escape import escape
from aikv.cli.rdb_files import Filter, KeyVisitor, Output, filtered, visit
from aikv.cli.terminal import SETTINGS, tool
from aikv.datatypes.kinds import type_name
from aikv.persistence.aof_base import write_entry
from aikv.persistence.aof_format import encode_command
from aikv.persistence.plain import StreamValue, TimedHash, ZSet, plain_of
from aikv.persistence.sink import Sink

_COLUMNS = ("db", "key", "type", "expires_ms", "element", "value")


class _Json(KeyVisitor):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        plain = plain_of(value)
        record: dict[str, object] = {"db": db, "key": escape(key), "type": type_name(value).decode()}
        if expire_ms != -1:
            record["expires_ms"] = expire_ms
        record["value"] = _json_value(plain)
        if isinstance(plain, TimedHash):
            record["field_expires_ms"] = {escape(field): when for field, when in plain.expires_ms.items()}
        self._out.line(json.dumps(record, ensure_ascii=False, allow_nan=False))


def _json_value(plain: object) -> object:
    if isinstance(plain, bytes):
        return escape(plain)
    if isinstance(plain, list):
        return [escape(element) for element in plain]
    if isinstance(plain, set):
        return [escape(member) for member in sorted(plain)]
    if isinstance(plain, ZSet):
        return [[escape(member), _json_score(score)] for member, score in plain.items()]
    if isinstance(plain, dict):
        return {escape(field): escape(text) for field, text in plain.items()}
    return _json_stream(cast(StreamValue, plain))


def _json_score(score: float) -> object:
    # JSON has no infinity.
    return str(score) if score in (float("inf"), float("-inf")) else score


def _json_stream(stream: StreamValue) -> object:
    entries = [
        [number.decode(), [[escape(field), escape(text)] for field, text in fields]]
        for number, fields in stream.entries
    ]
    groups = [
        {
            "name": escape(group.name),
            "last_id": group.last_id.decode(),
            "entries_read": group.entries_read,
            "consumers": [
                {
                    "name": escape(consumer.name),
                    "seen_ms": consumer.seen_ms,
                    "pending": [
                        [entry.id.decode(), entry.delivered_ms, entry.deliveries] for entry in consumer.pending
                    ],
                }
                for consumer in group.consumers
            ],
        }
        for group in stream.groups
    ]
    return {
        "entries": entries,
        "last_id": stream.last_id.decode(),
        "max_deleted_id": stream.max_deleted_id.decode(),
        "entries_added": stream.entries_added,
        "groups": groups,
    }


class _Csv(KeyVisitor):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out
        self._text = io.StringIO()
        self._writer = csv.writer(self._text)
        self._row(_COLUMNS)

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        first = (str(db), escape(key), type_name(value).decode(), "" if expire_ms == -1 else str(expire_ms))
        plain = plain_of(value)
        if isinstance(plain, bytes):
            self._row((*first, "", escape(plain)))
        elif isinstance(plain, list):
            for index, element in enumerate(plain):
                self._row((*first, str(index), escape(element)))
        elif isinstance(plain, set):
            for member in sorted(plain):
                self._row((*first, escape(member), ""))
        elif isinstance(plain, ZSet):
            for member, score in plain.items():
                self._row((*first, escape(member), repr(score)))
        elif isinstance(plain, dict):
            for field, text in cast(dict[bytes, bytes], plain).items():
                self._row((*first, escape(field), escape(text)))
        else:
            for number, fields in plain.entries:
                pairs = [[escape(field), escape(text)] for field, text in fields]
                self._row((*first, number.decode(), json.dumps(pairs, ensure_ascii=False)))

    def _row(self, columns: tuple[str, ...]) -> None:
        self._writer.writerow(columns)
        self._out.raw(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


class _Resp(KeyVisitor):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out
        self._selected = 0

    def function(self, code: bytes) -> None:
        self._out.raw(encode_command([b"FUNCTION", b"LOAD", code]))

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        if db != self._selected:
            self._selected = db
            self._out.raw(encode_command([b"SELECT", b"%d" % db]))
        sink = Sink(keep_crc=False)
        write_entry(sink, key, value, expire_ms)
        self._out.raw(sink.value())


_FORMATS = {"json": _Json, "csv": _Csv, "resp": _Resp}


@click.command(context_settings=SETTINGS)
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option(
    "--format", "form", type=click.Choice(list(_FORMATS)), default="json", show_default=True, help="What to write."
)
@filtered
@tool
def export(file: str, form: str, dbs: tuple[int, ...], match: str | None, types: tuple[str, ...]) -> None:
    """Write the content of FILE to standard output.

    \b
    json   one object on each line: db, key, type, expires_ms if it has a TTL, value
           (a sorted set is a list of [member, score]; a hash's fields' times are field_expires_ms)
    csv    one row for each element: db, key, type, expires_ms, element, value
           (element is the index, member, field or id; groups of streams are left out)
    resp   the commands that make the keys, for redis-cli --pipe; collections that are there already are added to

    In JSON and CSV text is UTF-8; every other byte, and every control character, is \\xHH, and a backslash is two.

    \b
    Examples:
      aikv rdb export dump.rdb | jq -r 'select(.type == "hash") | .key'
      aikv rdb export --format resp --match 'user:*' dump.rdb | redis-cli --pipe
    """
    out = Output()
    visit(file, _FORMATS[form](out), Filter(dbs, match, types), "Exporting")
    out.flush()
