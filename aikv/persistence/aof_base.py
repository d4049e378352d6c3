"""Writing the base file of the log: the dataset as an RDB, or as the commands that make it.

Theory of operation: the command form is SELECT for each database that is not empty, then for each key the
commands that make its value, and PEXPIREAT if it has a TTL. Which commands those are is looked up by the
value's type in `_EMITTERS`. The file is written under the temporary name it is given and forced to the
disk; to give it its place in the log is `Aof.finish_rewrite`'s business.
"""

import os
from collections.abc import Callable
from typing import Final, cast

from mypy_extensions import mypyc_attr

from aikv.base.numbers import format_double
from aikv.datatypes.hashes import Hash
from aikv.datatypes.lists import List
from aikv.datatypes.sets import Set
from aikv.datatypes.stream import Stream
from aikv.datatypes.strings import FloatText
from aikv.datatypes.zsets import SortedSet
from aikv.persistence.aof_format import encode_command, timestamp_annotation
from aikv.persistence.background import ChildJob, read_apart
from aikv.persistence.codec_stream_commands import emit_stream
from aikv.persistence.files import Files
from aikv.persistence.rdb_write import SavedDatabase
from aikv.persistence.sink import FSYNC_EVERY_BYTES, FileSink, Sink
from aikv.persistence.snapshot import SaveOptions, remove_temporary, write_rdb

# Redis's own: elements of a collection in one command.
ELEMENTS_PER_COMMAND: Final = 64


def rewrite_temp_path(directory: str, pid: int) -> str:
    """Where process `pid` writes a new base: in `directory`, the server's `dir`, as Redis does."""
    return os.path.join(directory, f"temp-rewriteaof-bg-{pid}.aof")


Emit = Callable[[Sink, bytes, object], None]


def _emit_bytes(sink: Sink, key: bytes, value: object) -> None:
    assert isinstance(value, bytes)
    sink.write(encode_command([b"SET", key, value]))


def _emit_int(sink: Sink, key: bytes, value: object) -> None:
    assert isinstance(value, int)
    sink.write(encode_command([b"SET", key, b"%d" % value]))


def _emit_bytearray(sink: Sink, key: bytes, value: object) -> None:
    assert isinstance(value, bytearray)
    sink.write(encode_command([b"SET", key, bytes(value)]))


def _emit_batches(sink: Sink, command: bytes, key: bytes, elements: list[bytes], most: int) -> None:
    """`command` with the key and at most `most` of `elements`, as often as is needed."""
    for start in range(0, len(elements), most):
        sink.write(encode_command([command, key, *elements[start : start + most]]))


def _emit_list(sink: Sink, key: bytes, value: object) -> None:
    _emit_batches(sink, b"RPUSH", key, cast(List, value).elements(), ELEMENTS_PER_COMMAND)


def _emit_set(sink: Sink, key: bytes, value: object) -> None:
    _emit_batches(sink, b"SADD", key, cast(Set, value).members(), ELEMENTS_PER_COMMAND)


def _emit_hash(sink: Sink, key: bytes, value: object) -> None:
    held = cast(Hash, value)
    _emit_batches(sink, b"HMSET", key, held.pairs(), 2 * ELEMENTS_PER_COMMAND)
    times = held.times
    if times is not None:
        for field, when in times.items():
            sink.write(encode_command([b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"1", field]))


def _emit_sorted_set(sink: Sink, key: bytes, value: object) -> None:
    held = cast(SortedSet, value)
    members, scores = held.columns(0, len(held))
    elements: list[bytes] = []
    for index in range(len(members)):
        elements += [format_double(cast(float, scores[index])), members[index]]
    _emit_batches(sink, b"ZADD", key, elements, 2 * ELEMENTS_PER_COMMAND)


_EMITTERS: Final[dict[type, Emit]] = {
    bytes: _emit_bytes,
    int: _emit_int,
    bytearray: _emit_bytearray,
    FloatText: _emit_bytes,
    List: _emit_list,
    Set: _emit_set,
    Hash: _emit_hash,
    SortedSet: _emit_sorted_set,
}
_EMITTERS[Stream] = emit_stream


def write_entry(sink: Sink, key: bytes, value: object, expire_ms: int) -> None:
    """Write the commands that make one key; `expire_ms` is the unix ms at which it expires, -1 if never."""
    _EMITTERS[type(value)](sink, key, value)
    if expire_ms != -1:
        sink.write(encode_command([b"PEXPIREAT", key, b"%d" % expire_ms]))


def write_commands(sink: Sink, databases: list[SavedDatabase], in_child: bool = False) -> int:
    """Write the commands that make `databases` out of nothing; returns the number of keys.

    `in_child` is as in `rdb_write.write_databases`.
    """
    keys = 0
    for database in databases:
        if len(database) == 0:
            continue
        sink.write(encode_command([b"SELECT", b"%d" % database.index]))
        for shared in database.buckets():
            bucket = read_apart(shared) if in_child else shared
            for key, value in bucket.items():
                write_entry(sink, key, value, database.expire_of(key))
                keys += 1
    return keys


class BaseOptions:
    """How to write a base: `rdb` is aof-use-rdb-preamble, `save` holds what an RDB needs, `timestamp_s` is
    the unix second of an annotation to begin the command form with (aof-timestamp-enabled), -1 for none."""

    def __init__(self, rdb: bool, save: SaveOptions, timestamp_s: int = -1) -> None:
        self.rdb: Final = rdb
        self.save: Final = save
        self.timestamp_s: Final = timestamp_s


def write_base(
    files: Files, path: str, databases: list[SavedDatabase], options: BaseOptions, in_child: bool = False
) -> int:
    """Write the dataset to `path` and force it to the disk; returns the number of keys.

    `in_child` is as in `rdb_write.write_databases`.

    Raises `OSError`, after which no file is left.
    """
    fd = files.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        try:
            if options.rdb:
                keys = write_rdb(files, fd, databases, options.save, in_child).keys
            else:
                every = FSYNC_EVERY_BYTES if options.save.incremental_fsync else 0
                sink = FileSink(files, fd, keep_crc=False, fsync_every=every)
                if options.timestamp_s >= 0:
                    sink.write(timestamp_annotation(options.timestamp_s))
                keys = write_commands(sink, databases, in_child)
                sink.flush()
            files.fsync(fd)
        finally:
            files.close(fd)
    except BaseException as error:
        remove_temporary(files, path, error)
        raise
    return keys


@mypyc_attr(allow_interpreted_subclasses=True)
class RewriteJob(ChildJob):
    """A rewrite as the work of a forked child, to the `rewrite_temp_path` of the child in folder
    `directory`."""

    def __init__(self, files: Files, directory: str, databases: list[SavedDatabase], options: BaseOptions) -> None:
        self.files: Final = files
        self.directory: Final = directory
        self._databases: Final = databases
        self._options: Final = options

    def log(self, message: str) -> None:
        """Called in the child with a line for the log."""

    def run(self) -> str:
        path = rewrite_temp_path(self.directory, os.getpid())
        try:
            keys = write_base(self.files, path, self._databases, self._options, in_child=True)
        except Exception as error:
            self.log(f"Write error writing append only file on disk: {error}")
            raise
        self.log(f"Successfully created the temporary AOF base file {path}")
        return str(keys)
