"""Redis's files from Python, without a server: the functions behind `aikv.persistence`.

Theory of operation: datasets are plain dicts, `{database number: {key: value}}`. A value is plain Python (see
`aikv.persistence.plain`); one whose key has a time to live is wrapped in an `Entry`. So what `load_rdb` returns is what
`save_rdb` takes, and for data without times to live both are just dicts, lists, sets and bytes. The files are those of
the server itself, through the same codec and loaders, and are exchanged with redis-server.

Every error is an `AikvError`: `CorruptFile` with file and offset for a file that cannot be trusted, `FileAccess` where
the system refuses, `plain.BadValue` for what cannot be saved.
"""

import enum
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from mypy_extensions import mypyc_attr

from aikv.base.errors import AikvError
from aikv.base.version import REDIS_VERSION, VERSION
from aikv.persistence.aof_base import write_entry
from aikv.persistence.aof_find import find_log
from aikv.persistence.aof_load import AofLoader
from aikv.persistence.aof_reader import AofReader
from aikv.persistence.aof_store import AofStore
from aikv.persistence.files import Files
from aikv.persistence.plain import BadValue, Value, plain_of, stored_of
from aikv.persistence.rdb_read import Receiver, read_rdb
from aikv.persistence.rdb_read import load_rdb as read_rdb_file
from aikv.persistence.sink import Sink
from aikv.persistence.snapshot import SaveOptions, describing_fields
from aikv.persistence.snapshot import save_rdb as write_rdb_file
from aikv.persistence.source import FileSource

_MOST_DATABASES: Final = 1 << 31
_TIME_LIMIT_MS: Final = 1 << 63


class FileAccess(AikvError):
    """The system refuses to read or write the file `path`; `error` is what it said."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(f"{path}: {error.strerror or error}")
        self.path: Final = path
        self.error: Final = error


class BadConfig(AikvError):
    """A `PersistenceConfig` that contradicts itself."""


@mypyc_attr(native_class=False)
@dataclass(frozen=True)
class Entry:
    """A value whose key runs out at unix millisecond `expires_ms`."""

    value: Value
    expires_ms: int


Databases = Mapping[int, Mapping[bytes, Value | Entry]]
LoadedDatabases = dict[int, dict[bytes, Value | Entry]]


@mypyc_attr(native_class=False)
class AofSyncPolicy(enum.Enum):
    """When an append-only file is forced to the disk; the values are those of `appendfsync`."""

    ALWAYS = "always"
    EVERY_SECOND = "everysec"
    NO = "no"


@mypyc_attr(native_class=False)
@dataclass(frozen=True)
class PersistenceConfig:
    """Which files a program, or a server, keeps its data in.

    `rdb_save_interval` is in seconds: a snapshot is due so long after the last one if anything has changed; 0 is never.
    Paths may be relative. Raises `BadConfig` for a negative interval and for an empty path that is needed.
    """

    enable_rdb: bool = True
    rdb_path: str = "dump.rdb"
    rdb_save_interval: int = 3600
    enable_aof: bool = False
    aof_path: str = "appendonly.aof"
    aof_sync_policy: AofSyncPolicy = AofSyncPolicy.EVERY_SECOND

    def __post_init__(self) -> None:
        if self.rdb_save_interval < 0:
            raise BadConfig(f"rdb_save_interval is {self.rdb_save_interval} seconds: it must be 0 (never) or more")
        if self.enable_rdb and not self.rdb_path:
            raise BadConfig("rdb_path is empty, but enable_rdb is set")
        if self.enable_aof and not self.aof_path:
            raise BadConfig("aof_path is empty, but enable_aof is set")

    def directives(self) -> dict[str, str]:
        """The same as directives of aikv.conf, or redis.conf. Raises `BadConfig` where a server cannot do it.

        A server keeps both files in one folder, its `dir`, and its log in a folder `appendonlydir` there.
        """
        folders = {os.path.dirname(os.path.abspath(path)) for path in self._paths()}
        if len(folders) > 1:
            raise BadConfig(f"a server keeps all its files in one folder, not in {' and '.join(sorted(folders))}")
        save = f"{self.rdb_save_interval} 1" if self.enable_rdb and self.rdb_save_interval else ""
        found = {"save": save, "appendonly": "yes" if self.enable_aof else "no"}
        if folders:
            found["dir"] = folders.pop()
        if self.enable_rdb:
            found["dbfilename"] = os.path.basename(self.rdb_path)
        if self.enable_aof:
            found["appendfilename"] = os.path.basename(self.aof_path)
            found["appendfsync"] = self.aof_sync_policy.value
        return found

    def _paths(self) -> list[str]:
        return [
            path for path, enabled in ((self.rdb_path, self.enable_rdb), (self.aof_path, self.enable_aof)) if enabled
        ]


class _Saved:
    """One database as the writer of snapshots wants it; values are turned into their stored form when asked for."""

    def __init__(self, index: object, content: Mapping[object, object]) -> None:
        if not isinstance(index, int) or not 0 <= index < _MOST_DATABASES:
            raise BadValue(f"{index!r} is no number of a database")
        self._index: Final = index
        self._values: Final[dict[bytes, object]] = {}
        self._expires: Final[dict[bytes, int]] = {}
        self._field_times: bool = False
        for key, item in content.items():
            if not isinstance(key, bytes):
                raise BadValue(f"the key {key!r} is not bytes")
            try:
                self._take(key, item)
            except (BadValue, TypeError, ValueError) as error:
                # The latter two where something within an entry or a stream is of another type than it should be.
                raise BadValue(f"the key {key!r} of database {index}: {error}") from error

    def _take(self, key: bytes, item: object) -> None:
        value = item
        if isinstance(item, Entry):
            if not 0 <= item.expires_ms < _TIME_LIMIT_MS:
                raise BadValue(f"it runs out at {item.expires_ms}, which is no unix millisecond")
            self._expires[key] = item.expires_ms
            value = item.value
        self._field_times = self._field_times or bool(getattr(value, "expires_ms", None))
        self._values[key] = stored_of(value)

    @property
    def index(self) -> int:
        return self._index

    def __len__(self) -> int:
        return len(self._values)

    def expires_count(self) -> int:
        return len(self._expires)

    def buckets(self) -> list[dict[bytes, object]]:
        return [self._values]

    def expire_of(self, key: bytes) -> int:
        return self._expires.get(key, -1)

    def has_field_times(self) -> bool:
        return self._field_times


def save_rdb(path: str, databases: Databases, compress: bool = True, checksum: bool = True) -> None:
    """Replace the file `path` by an RDB snapshot of `databases`, atomically and durably.

    Until it is whole and on the disk, `path` names the old file, if there was one. `compress` allows LZF for long
    strings (rdbcompression), `checksum` ends the file with a CRC64 (rdbchecksum). The format's version is 10, which
    redis-server 7.0 and later read, or 12 where fields of hashes run out.

    Raises `BadValue` before anything is written, `FileAccess` where the disk refuses; the old file stands then.
    """
    # As objects: where this is compiled, what is of another type than it should be would be a TypeError.
    given = cast(Mapping[int, Mapping[object, object]], databases)
    saved = [_Saved(index, given[index]) for index in sorted(given)]
    now_s = int(time.time())
    options = SaveOptions(compress, checksum, aux=describing_fields(REDIS_VERSION, VERSION, now_s, 0, aof_base=False))
    try:
        write_rdb_file(Files(), path, saved, options)
    except OSError as error:
        raise FileAccess(path, error) from error


class _Loaded(Receiver):
    def __init__(self, path: str) -> None:
        self.databases: Final[LoadedDatabases] = {}
        self._path: Final = path
        self._db: int = 0

    def select(self, db: int) -> None:
        self._db = db

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:  # noqa: ARG002
        database = self.databases.setdefault(self._db, {})
        if key in database:
            raise AikvError(f"{self._path} holds the key {key!r} of database {self._db} twice")
        plain = plain_of(value)
        database[key] = plain if expire_ms == -1 else Entry(plain, expire_ms)


def load_rdb(path: str) -> LoadedDatabases:
    """The content of the RDB file `path`, of any version from 1 to 12, written by aikv or by redis-server.

    Databases without keys are left out; keys whose time is over are there, with their times. What is no key (functions,
    data of modules beside the keys) is passed over. Raises `CorruptFile` where the file is damaged, its CRC64 included,
    `FileAccess` where it cannot be read.
    """
    loaded = _Loaded(path)
    try:
        read_rdb_file(Files(), path, loaded)
    except OSError as error:
        raise FileAccess(path, error) from error
    return loaded.databases


class _Commands(Receiver):
    """Collects commands, those that make the keys of an RDB base included, with as few SELECTs as there can be."""

    def __init__(self, files: Files) -> None:
        self.found: Final[list[list[bytes]]] = []
        self._files: Final = files
        self._wanted: bytes = b"0"
        self._selected: bytes = b"0"

    def execute(self, argv: list[bytes]) -> None:
        """Take a command."""
        if len(argv) == 2 and argv[0].upper() == b"SELECT":
            self._wanted = argv[1]
            return
        if self._wanted != self._selected:
            self._selected = self._wanted
            self.found.append([b"SELECT", self._selected])
        self.found.append(argv)

    def select(self, db: int) -> None:
        self._wanted = b"%d" % db

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:  # noqa: ARG002
        sink = Sink(keep_crc=False)
        write_entry(sink, key, value, expire_ms)
        data = sink.value()
        # All of it is in memory, so the reader asks no descriptor for more.
        reader = AofReader(self._files, -1, "base", 0, len(data), data)
        while not reader.at_end():
            for argv in reader.next_run():
                self.execute(argv)

    def function(self, code: bytes) -> None:
        self.found.append([b"FUNCTION", b"LOAD", code])

    def load_base(self, path: str) -> int:
        """Take the RDB at the start of the file `path`; returns the offset behind it."""
        fd = self._files.open(path, os.O_RDONLY)
        try:
            return read_rdb(FileSource(self._files, fd, path), self, trailing_allowed=True).end
        finally:
            self._files.close(fd)


class _ReadingLoader(AofLoader):
    """Changes no file."""

    def __init__(self, store: AofStore, commands: _Commands, truncate: bool) -> None:
        super().__init__(store, commands.execute, commands.load_base, _ignore, truncate)

    def shorten(self, path: str, size: int) -> None:
        """Leave the file as it is."""


def load_aof(path: str, allow_cut_end: bool = False) -> list[list[bytes]]:
    """The commands of an append-only log, in order, each as its name and arguments.

    `path` is a single file, with or without RDB preamble, the manifest of a multi-part log, or a folder that holds one,
    of aikv or redis-server. Executed one after the other on an empty database 0 they make the dataset: keys of an RDB
    base come as commands, a SELECT stands where the database changes, MULTI and EXEC are left out because what is not
    whole is, too. No file is changed.

    Raises `CorruptFile` with the offset where the log is damaged; one that ends within a command or transaction, as
    after a power cut, counts as damaged unless `allow_cut_end`. Raises `FileAccess` where a file cannot be read.
    """
    files = Files()
    commands = _Commands(files)
    try:
        log = find_log(files, path)
        _ReadingLoader(log.store, commands, allow_cut_end).load(log.manifest)
    except OSError as error:
        raise FileAccess(path, error) from error
    return commands.found


def _ignore(_loaded: int) -> None:
    pass
