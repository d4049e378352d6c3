"""A small world for tests of the append-only log: a disk that fails on demand, a runner that waits, a tiny dataset."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from aikv.base.clock import ManualClock
from aikv.base.errors import CommandError
from aikv.persistence.aof_base import BaseOptions, write_base
from aikv.persistence.aof_format import encode_command
from aikv.persistence.aof_fsync import DiskJob, DiskRunner, DiskTask
from aikv.persistence.aof_load import AofLoaded, AofLoader
from aikv.persistence.aof_rewrite import Aof
from aikv.persistence.aof_store import AofStore
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import Receiver, read_rdb
from aikv.persistence.snapshot import SaveOptions
from aikv.persistence.source import FileSource

T = TypeVar("T")

FILENAME = "appendonly.aof"
FOLDER = "appendonlydir"


class Stopped(BaseException):
    """The process ended here."""


class FaultyFiles(Files):
    """Counts the calls that change the disk; at number `at` it fails as `how` says.

    "before" and "after" end the process around the call, "error" fails it once with ENOSPC, "short" makes
    a write take half before that, "always" lets every later call of that name fail too.
    """

    def __init__(self, at: int = -1, how: str = "") -> None:
        self.at = at
        self.how = how
        self.calls: list[str] = []
        self.dead = False
        self.failing = ""
        # How much of each file is on the disk, as opposed to in the kernel's memory.
        self.paths: dict[int, str] = {}
        self.synced: dict[str, int] = {}

    def cut_power(self) -> None:
        """Drop what was written but not forced to the disk; names survive."""
        for path, size in self.synced.items():
            if os.path.exists(path):
                os.truncate(path, min(size, os.path.getsize(path)))

    def _open(self, path: str, flags: int, mode: int) -> int:
        fd = Files.open(self, path, flags, mode)
        self.paths[fd] = path
        if flags & os.O_TRUNC or path not in self.synced:
            self.synced[path] = os.path.getsize(path)
        return fd

    def _fsync(self, fd: int) -> None:
        # Not done in truth: the power is cut only in play, and these tests make very many calls.
        self.synced[self.paths[fd]] = os.fstat(fd).st_size

    def _rename(self, source: str, target: str) -> None:
        Files.rename(self, source, target)
        self.synced[target] = self.synced.pop(source)
        for fd, path in self.paths.items():
            if path == source:
                self.paths[fd] = target

    def _step(self, name: str, call: Callable[[], T], half: Callable[[], T] | None = None) -> T:
        if self.dead:
            raise Stopped
        number = len(self.calls)
        self.calls.append(name)
        if number != self.at and name != self.failing:
            return call()
        if self.how == "before":
            self.dead = True
            raise Stopped
        if self.how == "after":
            call()
            self.dead = True
            raise Stopped
        if self.how == "always":
            self.failing = name
        if self.how == "short" and half is not None:
            self.at = len(self.calls)
            self.how = "error"
            return half()
        raise OSError(errno.ENOSPC, "No space left on device")

    def open(self, path: str, flags: int, mode: int = 0o644) -> int:
        return self._step("open", lambda: self._open(path, flags, mode))

    def write(self, fd: int, data: bytes) -> int:
        half = data[: len(data) // 2]
        return self._step("write", lambda: Files.write(self, fd, data), lambda: Files.write(self, fd, half))

    def fsync(self, fd: int) -> None:
        self._step("fsync", lambda: self._fsync(fd))

    def truncate(self, fd: int, size: int) -> None:
        self._step("truncate", lambda: Files.truncate(self, fd, size))

    def close(self, fd: int) -> None:
        self._step("close", lambda: Files.close(self, fd))

    def rename(self, source: str, target: str) -> None:
        self._step("rename", lambda: self._rename(source, target))

    def unlink(self, path: str) -> None:
        self._step("unlink", lambda: Files.unlink(self, path))

    def mkdir(self, path: str) -> None:
        self._step("mkdir", lambda: Files.mkdir(self, path))

    def fsync_dir(self, path: str) -> None:  # noqa: ARG002
        self._step("fsync_dir", lambda: None)


class WaitingRunner(DiskRunner):
    """Runs jobs when the test says so."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.jobs: list[DiskTask] = []

    def submit(self, job: DiskTask) -> None:
        self.jobs.append(job)

    def run(self) -> int:
        """Run what waits; returns how many fsyncs were among it."""
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job.run(self.files)
        return sum(isinstance(job, DiskJob) and not job.closing for job in jobs)

    def stop(self) -> None:
        self.run()


class FakeDatabase:
    """One numbered database as a snapshot sees it."""

    def __init__(self, index: int, keys: dict[bytes, object], expires: dict[bytes, int] | None = None) -> None:
        self._index = index
        self.keys = keys
        self.expires = expires if expires is not None else {}

    @property
    def index(self) -> int:
        return self._index

    def __len__(self) -> int:
        return len(self.keys)

    def expires_count(self) -> int:
        return len(self.expires)

    def buckets(self) -> list[dict[bytes, object]]:
        return [self.keys]

    def expire_of(self, key: bytes) -> int:
        return self.expires.get(key, -1)

    def has_field_times(self) -> bool:
        return False


class Dataset(Receiver):
    """Understands just enough commands, and what an RDB tells; (database, key) -> value."""

    def __init__(self) -> None:
        self.db = 0
        self.values: dict[tuple[int, bytes], bytes] = {}
        self.expires: dict[tuple[int, bytes], int] = {}
        self.log: list[list[bytes]] = []

    def execute(self, argv: list[bytes]) -> None:
        self.log.append(argv)
        name = argv[0].upper()
        if name == b"SELECT":
            self.db = int(argv[1])
        elif name == b"SET":
            self.values[self.db, argv[1]] = argv[2]
        elif name == b"APPEND":
            self.values[self.db, argv[1]] = self.values.get((self.db, argv[1]), b"") + argv[2]
        elif name == b"PEXPIREAT":
            self.expires[self.db, argv[1]] = int(argv[2])
        else:
            raise CommandError(b"ERR unknown command '%s', with args beginning with: " % argv[0])

    def select(self, db: int) -> None:
        self.db = db

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:  # noqa: ARG002
        self.values[self.db, key] = b"%d" % value if isinstance(value, int) else bytes(value)  # type: ignore[call-overload]
        if expire_ms != -1:
            self.expires[self.db, key] = expire_ms

    def aux(self, name: bytes, value: bytes) -> None:
        pass

    def resize(self, db_size: int, expires_size: int) -> None:
        pass

    def progress(self, offset: int) -> None:
        pass

    def load_rdb(self, path: str) -> int:
        files = Files()
        fd = files.open(path, 0)
        try:
            return read_rdb(FileSource(files, fd, path), self, trailing_allowed=True).end
        finally:
            files.close(fd)


def store_in(directory: Path, files: Files | None = None) -> AofStore:
    """The log below `directory`."""
    return AofStore(files if files is not None else Files(), str(directory / FOLDER), FILENAME)


def load(directory: Path, truncate: bool = True, files: Files | None = None) -> tuple[Dataset, AofLoaded]:
    """Load the log below `directory`."""
    store = store_in(directory, files)
    dataset = Dataset()
    manifest = store.upgrade(store.read())
    loaded = AofLoader(store, dataset.execute, dataset.load_rdb, ignore_progress, truncate).load(manifest)
    return dataset, loaded


def ignore_progress(loaded: int) -> None:
    """Progress that nobody wants to see."""
    assert loaded >= 0


class World:
    """A log that was started in `directory`, and everything it was given."""

    def __init__(self, directory: Path, policy: int, files: Files | None = None, rdb: bool = True) -> None:
        self.directory = directory
        self.files = files if files is not None else Files()
        self.clock = ManualClock()
        self.runner = WaitingRunner(self.files)
        self.rdb = rdb
        self.dataset = Dataset()
        store = store_in(directory, self.files)
        self.aof = Aof(store, store.read(), self.clock, self.runner, policy)
        self.temp_path = str(directory / "temp-rewriteaof-bg-1.aof")

    def start(self) -> None:
        """Open the log, as a server does."""
        self.aof.start(self.write_base, str(self.directory / "temp-rewriteaof-1.aof"), self.rdb)
        self.aof.append(encode_command([b"SELECT", b"0"]))

    def write_base(self, path: str) -> None:
        """Write the dataset of now, in the form that is configured."""
        dbs = sorted({db for db, _ in self.dataset.values})
        databases = [
            FakeDatabase(
                db,
                {key: value for (at, key), value in self.dataset.values.items() if at == db},
                {key: ms for (at, key), ms in self.dataset.expires.items() if at == db},
            )
            for db in dbs
        ]
        write_base(self.files, path, list(databases), BaseOptions(self.rdb, SaveOptions()))

    def do(self, *argv: bytes) -> None:
        """Execute a command and journal it."""
        self.dataset.execute(list(argv))
        self.aof.append(encode_command(list(argv)))

    def begin_rewrite(self) -> bool:
        """Begin a rewrite and take the snapshot that its child would see."""
        if not self.aof.begin_rewrite():
            return False
        self.aof.append(encode_command([b"SELECT", b"%d" % self.dataset.db]))
        try:
            self.write_base(self.temp_path)
        except OSError:
            self.aof.abort_rewrite(self.temp_path)
            return False
        return True

    def finish_rewrite(self) -> bool:
        """End the rewrite that `begin_rewrite` began, and what follows a second later."""
        done = self.aof.finish_rewrite(self.temp_path, self.rdb)
        self.aof.history.delete()
        return done

    def manifest(self) -> str:
        """The manifest on disk, without its checksum."""
        text = (self.directory / FOLDER / (FILENAME + ".manifest")).read_text()
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def write_log(directory: Path, manifest: str, **parts: bytes) -> None:
    """Make a log by hand; a part's file name is `appendonly.aof.` and its keyword with dots for underscores."""
    folder = directory / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / (FILENAME + ".manifest")).write_text(manifest)
    for name, data in parts.items():
        (folder / f"{FILENAME}.{name.strip('_').replace('_', '.')}").write_bytes(data)


def only_incr(directory: Path, data: bytes) -> Path:
    """Make a log of one incr file; returns its path."""
    write_log(directory, "file appendonly.aof.1.incr.aof seq 1 type i\n", _1_incr_aof=data)
    return directory / FOLDER / "appendonly.aof.1.incr.aof"
