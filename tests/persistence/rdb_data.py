"""What the tests of RDB files are made of: a dataset in plain dicts, its bytes, and files that fail on demand."""

from aikv.persistence.files import Files
from aikv.persistence.rdb_read import RdbSummary, Receiver, read_rdb
from aikv.persistence.rdb_write import RdbWriter, write_databases
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

Content = dict[int, dict[bytes, tuple[object, int]]]


class PlainDatabase:
    """A database of `{key: (value, expire_ms)}`, spread over a few buckets."""

    def __init__(self, index: int, content: dict[bytes, tuple[object, int]]) -> None:
        self.index = index
        self.content = content

    def __len__(self) -> int:
        return len(self.content)

    def expires_count(self) -> int:
        return sum(expire_ms != -1 for _, expire_ms in self.content.values())

    def buckets(self) -> list[dict[bytes, object]]:
        buckets: list[dict[bytes, object]] = [{}, {}, {}]
        for number, (key, (value, _)) in enumerate(self.content.items()):
            buckets[number % 3][key] = value
        return buckets

    def expire_of(self, key: bytes) -> int:
        return self.content[key][1]

    def has_field_times(self) -> bool:
        return False


class Collector(Receiver):
    """Keeps all that it is given."""

    def __init__(self) -> None:
        self.content: Content = {}
        self.fields: dict[bytes, bytes] = {}
        self.hints: list[tuple[int, int, int]] = []
        self.usage: dict[bytes, tuple[int, int]] = {}
        self.functions: list[bytes] = []
        self.seen: list[int] = []
        self.db = 0

    def aux(self, name: bytes, value: bytes) -> None:
        self.fields[name] = value

    def select(self, db: int) -> None:
        self.db = db

    def resize(self, db_size: int, expires_size: int) -> None:
        self.hints.append((self.db, db_size, expires_size))

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        self.content.setdefault(self.db, {})[key] = (value, expire_ms)
        if (idle_s, freq) != (-1, -1):
            self.usage[key] = (idle_s, freq)

    def function(self, code: bytes) -> None:
        self.functions.append(code)

    def progress(self, offset: int) -> None:
        self.seen.append(offset)


class ChunkSource(Source):
    """Gives `data` in blocks of `size` bytes, and remembers how many it was asked for."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(b"", "chunks")
        self.data = data
        self.size = size
        self.given = 0

    def read_block(self) -> bytes:
        block = self.data[self.given : self.given + self.size]
        self.given += len(block)
        return block


class FilesFailed(OSError):
    """The error that `FailingFiles` raises."""


class FailingFiles(Files):
    """The real files, whose call number `fail_at` (from 0) raises; `calls` lists what was called."""

    def __init__(self, fail_at: int, number: int, short_writes: bool = False) -> None:
        self.fail_at = fail_at
        self.number = number
        self.short_writes = short_writes
        self.calls: list[str] = []

    def note(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) - 1 == self.fail_at:
            raise FilesFailed(self.number, f"{name} failed")

    def open(self, path: str, flags: int, mode: int = 0o644) -> int:
        self.note("open")
        return super().open(path, flags, mode)

    def write(self, fd: int, data: bytes) -> int:
        self.note("write")
        return super().write(fd, data[: len(data) // 2 + 1] if self.short_writes else data)

    def fsync(self, fd: int) -> None:
        self.note("fsync")
        super().fsync(fd)

    def close(self, fd: int) -> None:
        # As the system does: an error of close still leaves the descriptor closed.
        super().close(fd)
        self.note("close")

    def rename(self, source: str, target: str) -> None:
        self.note("rename")
        super().rename(source, target)

    def fsync_dir(self, path: str) -> None:
        self.note("fsync_dir")
        super().fsync_dir(path)


def databases(content: Content) -> list[PlainDatabase]:
    """`content` as something that can be saved."""
    return [PlainDatabase(index, keys) for index, keys in content.items()]


def rdb_bytes(content: Content, packing: bool = True, checksum: bool = True) -> bytes:
    """The RDB file of `content`."""
    sink = Sink(checksum)
    writer = RdbWriter(sink, packing)
    writer.header([(b"redis-ver", b"7.2.0"), (b"redis-bits", b"64")])
    write_databases(writer, databases(content))
    writer.finish()
    return sink.value()


def collect(data: bytes) -> Collector:
    """All that the RDB file `data` holds."""
    collector = Collector()
    read_rdb(Source(data, "test.rdb"), collector)
    return collector


def read_all(data: bytes) -> RdbSummary:
    """What reading the RDB file `data` says besides its content."""
    return read_rdb(Source(data, "test.rdb"), Receiver())


def as_text(value: object) -> bytes:
    """A string value as the bytes that GET would send."""
    return b"%d" % value if isinstance(value, int) else bytes(value)  # type: ignore[call-overload]
