"""`aikv rdb diff`: which keys two RDB files differ in.

Theory of operation: the files hold their keys in any order, and each may be larger than memory. So each is read once,
and for every key a record (database, key, type, TTL, a digest of the value) goes to one of many temporary files, chosen
by a hash of the key. The same key of both files is then in parts of the same number, and parts are compared one by one.
Memory holds the records of one part of one file, the disk those of all keys, which is the keys and 37 bytes for each.

The digest does not depend on encodings or on the order in which a set, a hash or a sorted set is written. When a
consumer of a stream was last seen does not count.
"""

import hashlib
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import click

from aikv.base.errors import CorruptFile
from aikv.base.numbers import format_double
from aikv.cli.escape import escape
from aikv.cli.rdb_files import Filter, KeyVisitor, Output, filtered, visit
from aikv.cli.terminal import BAD, GOOD, SETTINGS, fail, moment_text, plural, tool
from aikv.datatypes.kinds import type_name
from aikv.persistence.plain import StreamValue, TimedHash, Value, ZSet, plain_of

_PARTS = 64
_DIGEST_BYTES = 16
# Database, length of the key, unix ms of the TTL, type; the key and the digest follow.
_HEAD = struct.Struct("<IIqB")
_TYPES = [b"string", b"list", b"set", b"zset", b"hash", b"stream"]

Record = tuple[int, int, bytes]


def value_digest(value: object) -> bytes:
    """A digest of a value that depends on nothing but what clients can see of it."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in _parts(plain_of(value)):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def _parts(plain: Value) -> list[bytes]:
    if isinstance(plain, bytes):
        return [plain]
    if isinstance(plain, list):
        return plain
    if isinstance(plain, set):
        return sorted(plain)
    if isinstance(plain, ZSet):
        return [part for member in sorted(plain) for part in (member, format_double(plain[member]))]
    if isinstance(plain, dict):
        times = plain.expires_ms if isinstance(plain, TimedHash) else {}
        hashed = cast(dict[bytes, bytes], plain)
        return [part for field in sorted(hashed) for part in (field, hashed[field], b"%d" % times.get(field, -1))]
    return _stream_parts(plain)


def _stream_parts(stream: StreamValue) -> list[bytes]:
    parts = [stream.last_id, stream.max_deleted_id, b"%d" % stream.entries_added]
    for number, fields in stream.entries:
        parts += [number, b"%d" % len(fields)]
        for field, text in fields:
            parts += [field, text]
    for group in stream.groups:
        parts += [b"group", group.name, group.last_id, b"%d" % group.entries_read]
        for consumer in group.consumers:
            parts += [b"consumer", consumer.name]
            for entry in consumer.pending:
                parts += [entry.id, b"%d" % entry.delivered_ms, b"%d" % entry.deliveries]
    return parts


class _Spread(KeyVisitor):
    """Writes the record of each key to its part in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir()
        self._files: list[BinaryIO] = [(folder / str(number)).open("wb") for number in range(_PARTS)]

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        head = _HEAD.pack(db, len(key), expire_ms, _TYPES.index(type_name(value)))
        self._files[zlib.crc32(key) % _PARTS].write(b"".join((head, key, value_digest(value))))

    def close(self) -> None:
        """All records have been written."""
        for file in self._files:
            file.close()


def _part(folder: Path, number: int) -> dict[tuple[int, bytes], Record]:
    """The records of one part, by database and key: type, TTL, digest."""
    data = (folder / str(number)).read_bytes()
    found: dict[tuple[int, bytes], Record] = {}
    at = 0
    while at < len(data):
        db, length, expire_ms, kind = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        end = at + length
        found[db, data[at:end]] = (kind, expire_ms, data[end : end + _DIGEST_BYTES])
        at = end + _DIGEST_BYTES
    return found


@click.command(context_settings=SETTINGS)
@click.argument("first", type=click.Path(), metavar="A")
@click.argument("second", type=click.Path(), metavar="B")
@click.option("--ignore-ttl", is_flag=True, help="A key whose value is the same does not differ.")
@click.option("--quiet", "-q", is_flag=True, help="Print the numbers only.")
@filtered
@tool
def diff(
    first: str,
    second: str,
    ignore_ttl: bool,
    quiet: bool,
    dbs: tuple[int, ...],
    match: str | None,
    types: tuple[str, ...],
) -> None:
    """Print in which keys the RDB files A and B differ.

    \b
    - db0 string key                 only in A
    + db0 string key                 only in B
    ~ db0 string key: what differs   in both, but different

    The order is no particular one. Ends with status 0 where they do not differ, with 1 where they do, with 2 where a
    file cannot be read. Needs room for the keys in the folder for temporary files (TMPDIR).
    """
    wanted = Filter(dbs, match, types)
    out = Output()
    with tempfile.TemporaryDirectory(prefix="aikv-diff-") as name:
        folder = Path(name)
        for side, path in (("a", first), ("b", second)):
            spread = _Spread(folder / side)
            try:
                visit(path, spread, wanted, f"Reading {path}")
            except CorruptFile as error:
                # Status 1 would say that both could be read.
                fail(str(error))
            finally:
                spread.close()
        counts = [0, 0, 0, 0]
        for number in range(_PARTS):
            _compare(_part(folder / "a", number), _part(folder / "b", number), ignore_ttl, counts, out, quiet)
    only_a, only_b, different, same = counts
    out.line(
        f"{plural(only_a, 'key')} only in A, {only_b} only in B, {different} different, {same} the same",
    )
    out.flush()
    sys.exit(BAD if only_a or only_b or different else GOOD)


def _compare(
    first: dict[tuple[int, bytes], Record],
    second: dict[tuple[int, bytes], Record],
    ignore_ttl: bool,
    counts: list[int],
    out: Output,
    quiet: bool,
) -> None:
    lines: list[str] = []
    for (db, key), record in first.items():
        other = second.pop((db, key), None)
        what = f"db{db} {_TYPES[record[0]].decode()} {escape(key)}"
        if other is None:
            counts[0] += 1
            lines.append(f"- {what}")
            continue
        differences = _differences(record, other, ignore_ttl)
        counts[2 if differences else 3] += 1
        if differences:
            lines.append(f"~ {what}: {', '.join(differences)}")
    for (db, key), record in second.items():
        counts[1] += 1
        lines.append(f"+ db{db} {_TYPES[record[0]].decode()} {escape(key)}")
    if not quiet:
        for line in lines:
            out.line(line)


def _differences(record: Record, other: Record, ignore_ttl: bool) -> list[str]:
    found = []
    if record[0] != other[0]:
        found.append(f"it is a {_TYPES[other[0]].decode()} in B")
    elif record[2] != other[2]:
        found.append("the value")
    if record[1] != other[1] and not ignore_ttl:
        found.append(f"the TTL, {_time(record[1])} and {_time(other[1])}")
    return found


def _time(expire_ms: int) -> str:
    return "none" if expire_ms == -1 else moment_text(expire_ms // 1000)
