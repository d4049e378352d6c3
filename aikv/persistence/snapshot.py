"""Saving the dataset as an RDB file, in the foreground or in a forked child.

Theory of operation: the file is written under a temporary name in the same folder, forced to the disk, renamed over
the old one, and the folder is forced too. So at any moment the path names either the whole old file or the whole
new one; on any failure the temporary file is removed and the old one left. In a background save a child, which sees the
dataset as it was at the fork, writes the temporary file; the parent gives it its name once the child has ended well.
So a child whose parent was killed can never replace the file of the server that was started next (in Redis the child
renames). A killed child cannot remove its file, so the parent does that, too. The name is given beside the event loop:
the system frees the blocks of the file that had it, and forces the folder to the disk, which takes 10 to 30 ms. Why a
child, and what it costs, stands in the package's docstring.
"""

import os
from collections.abc import Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.persistence.aof_fsync import DiskRunner, DiskTask
from aikv.persistence.background import BackgroundChild, ChildJob
from aikv.persistence.files import Files
from aikv.persistence.rdb_write import RdbWriter, SavedDatabase, version_of, write_databases
from aikv.persistence.sink import FSYNC_EVERY_BYTES, FileSink


class SaveOptions:
    """How to save: rdbcompression, rdbchecksum, rdb-save-incremental-fsync, the describing fields, the functions."""

    def __init__(
        self,
        packing: bool = True,
        checksum: bool = True,
        incremental_fsync: bool = True,
        aux: list[tuple[bytes, bytes]] | None = None,
        functions: list[bytes] | None = None,
    ) -> None:
        self.packing: Final = packing
        self.checksum: Final = checksum
        self.incremental_fsync: Final = incremental_fsync
        self.aux: Final[list[tuple[bytes, bytes]]] = aux if aux is not None else []
        self.functions: Final[list[bytes]] = functions if functions is not None else []


class SaveResult:
    """How many `keys` a finished save wrote, in how many `size` bytes."""

    def __init__(self, keys: int, size: int) -> None:
        self.keys: Final = keys
        self.size: Final = size


def describing_fields(
    redis_version: str, aikv_version: str, now_s: int, used_memory: int, aof_base: bool
) -> list[tuple[bytes, bytes]]:
    """The aux fields of an RDB file, in Redis's order and names; `now_s` in unix seconds, `used_memory` in bytes."""
    return [
        (b"redis-ver", redis_version.encode()),
        (b"redis-bits", b"64"),
        (b"ctime", b"%d" % now_s),
        (b"used-mem", b"%d" % used_memory),
        (b"aof-base", b"1" if aof_base else b"0"),
        (b"aikv-ver", aikv_version.encode()),
    ]


def temporary_name(path: str, pid: int) -> str:
    """Where process `pid` writes a file that will be `path`."""
    return os.path.join(os.path.dirname(path), f"temp-{pid}.rdb")


def write_rdb(
    files: Files, fd: int, databases: Sequence[SavedDatabase], options: SaveOptions, in_child: bool = False
) -> SaveResult:
    """Write a whole RDB to the open descriptor `fd`, without a last fsync; `in_child` is as in `write_databases`.

    Raises `OSError`.
    """
    sink = FileSink(
        files, fd, keep_crc=options.checksum, fsync_every=FSYNC_EVERY_BYTES if options.incremental_fsync else 0
    )
    writer = RdbWriter(sink, options.packing)
    writer.header(options.aux, version_of(databases))
    for code in options.functions:
        writer.function(code)
    write_databases(writer, databases, in_child)
    writer.finish()
    return SaveResult(writer.keys, sink.offset())


def save_rdb(files: Files, path: str, databases: Sequence[SavedDatabase], options: SaveOptions) -> SaveResult:
    """Replace the file `path` by a snapshot of `databases`.

    Raises `OSError`, in which case the old file stands and no temporary one does. One exception: if forcing the folder
    to the disk fails, `path` already names the new file, whole and itself on the disk, but a power cut may bring the
    old one back.
    """
    temporary = temporary_name(path, os.getpid())
    result = _write_temporary(files, temporary, databases, options, False)
    _put_in_place(files, temporary, path)
    return result


def _write_temporary(
    files: Files, temporary: str, databases: Sequence[SavedDatabase], options: SaveOptions, in_child: bool
) -> SaveResult:
    """Write the file `temporary` and force it to the disk; `in_child` is as in `write_databases`.

    Raises `OSError`, and no file is left then.
    """
    fd = files.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        try:
            result = write_rdb(files, fd, databases, options, in_child)
            files.fsync(fd)
        finally:
            files.close(fd)
    except BaseException as error:
        remove_temporary(files, temporary, error)
        raise
    return result


def _put_in_place(files: Files, temporary: str, path: str) -> None:
    """Name the finished file `path`, durably. Raises `OSError` as `save_rdb` does."""
    try:
        files.rename(temporary, path)
    except BaseException as error:
        remove_temporary(files, temporary, error)
        raise
    files.fsync_dir(os.path.dirname(path) or ".")


def remove_temporary(files: Files, temporary: str, cause: BaseException) -> None:
    """Remove what a failed save left; if that fails too, `cause`, the error to be reported, says so as well."""
    try:
        if files.exists(temporary):
            files.unlink(temporary)
    except OSError as error:
        cause.add_note(f"and {temporary} could not be removed: {error}")


@mypyc_attr(allow_interpreted_subclasses=True)
class SaveJob(ChildJob):
    """The child's part of a save: the temporary file. A subclass overrides `prepare` and `log` to speak in its role."""

    def __init__(self, files: Files, path: str, databases: Sequence[SavedDatabase], options: SaveOptions) -> None:
        self.files: Final = files
        self.path: Final = path
        self._databases: Final = databases
        self._options: Final = options

    def log(self, message: str) -> None:
        """Called in the child with a line for the log."""

    def run(self) -> str:
        try:
            temporary = temporary_name(self.path, os.getpid())
            result = _write_temporary(self.files, temporary, self._databases, self._options, in_child=True)
        except Exception as error:
            self.log(f"Write error saving DB on disk: {error}")
            raise
        self.log("DB saved on disk")
        return f"{result.keys} {result.size}"


class SaveOutcome:
    """How a background save ended: a `result`, or the `reason` why there is none ("" on success)."""

    def __init__(self, result: SaveResult | None, reason: str) -> None:
        self.result: Final = result
        self.reason: Final = reason


class NamingTask(DiskTask):
    """Gives the finished file `temporary` the name `path`."""

    def __init__(self, temporary: str, path: str) -> None:
        super().__init__()
        self._temporary: Final = temporary
        self._path: Final = path

    def work(self, files: Files) -> None:
        _put_in_place(files, self._temporary, self._path)


class BackgroundSave:
    """BGSAVE: at most one save in a child at a time, which `child` forks; `runner` gives its file the name."""

    def __init__(self, runner: DiskRunner, child: BackgroundChild | None = None) -> None:
        self._runner: Final = runner
        self._child: Final = child if child is not None else BackgroundChild()
        self._job: SaveJob | None = None
        # Once the child has ended well: what it reported, and what is still to be done.
        self._report: str = ""
        self._naming: NamingTask | None = None
        self.pid: int = 0

    def running(self) -> bool:
        """Whether a child has been started and `poll` has not yet told the end of the save."""
        return self._job is not None

    def start(self, job: SaveJob) -> None:
        """Fork and save. Raises `OSError` if the system refuses."""
        self._child.start(job)
        self._job = job
        self.pid = self._child.pid

    def poll(self) -> SaveOutcome | None:
        """How the save ended, once; None while it runs or if there is none. Never waits."""
        if self._naming is None:
            ended = self._child.poll()
            if ended is None:
                return None
            if not ended.ok:
                return self._failed(ended.report)
            job = self._job
            assert job is not None
            self._report = ended.report
            self._naming = NamingTask(temporary_name(job.path, self.pid), job.path)
            self._runner.submit(self._naming)
        return self._named(self._naming) if self._naming.done else None

    def kill(self) -> SaveOutcome | None:
        """End a running save, wait for its process and remove its file; None if there is none.

        A save whose file is being named already is waited for instead, and may well have succeeded.
        """
        if self._naming is not None:
            self._runner.stop()
            return self._named(self._naming)
        ended = self._child.kill()
        return self._failed(ended.report) if ended is not None else None

    def _failed(self, report: str) -> SaveOutcome:
        """The child did not come to its end."""
        job = self._job
        assert job is not None
        cause = OSError(report)
        remove_temporary(job.files, temporary_name(job.path, self.pid), cause)
        self._forget()
        return SaveOutcome(None, _with_notes(report, cause))

    def _named(self, naming: NamingTask) -> SaveOutcome:
        """The file has its name, or could not be given it."""
        keys, size = self._report.split()
        self._forget()
        if naming.error is not None:
            return SaveOutcome(None, _with_notes(str(naming.error), naming.error))
        return SaveOutcome(SaveResult(int(keys), int(size)), "")

    def _forget(self) -> None:
        self._job = None
        self._naming = None
        self.pid = 0


def _with_notes(text: str, cause: BaseException) -> str:
    return "; ".join([text, *getattr(cause, "__notes__", [])])
