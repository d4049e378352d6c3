"""Writing an append-only file from Python, without a server.

Theory of operation: `log_command` hands each command to the kernel before it returns, so it survives the end of the
process under every policy. Against a power cut: `ALWAYS` forces it to the disk before returning; under `EVERY_SECOND` a
thread does so within a second of the first command that is not there yet; `NO` leaves it to the kernel. The file is the
single-file form that redis-server and aikv take over (`appendonly.aof` in a server's `dir`).

A write that fails takes back what it wrote, so the file ends behind a whole command. After an fsync that fails nothing
is known of what is on the disk: the writer refuses everything from then on.
"""

import threading
from types import TracebackType
from typing import Final, cast

from mypy_extensions import mypyc_attr

from aikv.base.errors import AikvError
from aikv.persistence.aof_find import find_log
from aikv.persistence.aof_format import encode_command
from aikv.persistence.aof_load import AofLoader
from aikv.persistence.aof_tail import FLAGS, AofTail
from aikv.persistence.files import Files
from aikv.persistence.plain import BadValue
from aikv.persistence.public import AofSyncPolicy, FileAccess
from aikv.persistence.rdb_read import Receiver, load_rdb

_INTERVAL_S: Final = 1.0


class AofFailed(AikvError):
    """An earlier error of the disk has ended this writer; what was logged last may not be on the disk."""


@mypyc_attr(native_class=False)
class AofWriter:
    """Appends commands to the file `path`, which is made if it is not there.

    A file that is there is read through once, so that nothing is ever put behind a damaged or cut end: that raises
    `CorruptFile`, and the file stays as it is. Raises `FileAccess` where it cannot be opened. Close a writer, or use it
    in a `with` statement. Only one may write to a file.
    """

    def __init__(
        self, path: str, policy: AofSyncPolicy = AofSyncPolicy.EVERY_SECOND, files: Files | None = None
    ) -> None:
        self.path: Final = path
        self.policy: Final = policy
        self._files: Final = files if files is not None else Files()
        self._tail: Final = AofTail(self._files)
        self._failed = ""
        # Guards what the syncing thread and the caller share: the tail, `_failed` and `_closing`.
        self._lock: Final = threading.Condition()
        self._closing = False
        self._syncer: threading.Thread | None = None
        try:
            size = _checked_size(self._files, path)
            self._tail.attach(self._files.open(path, FLAGS), size)
            self._tail.synced = size
        except OSError as error:
            raise FileAccess(path, error) from error

    def log_command(self, args: list[bytes]) -> None:
        """Append one command: its name and arguments, at least the name.

        On return it has been handed to the kernel, under `ALWAYS` it is on the disk. Raises `BadValue` for what is no
        command, `FileAccess` where it could not be written and the file is as it was, `AofFailed` where an earlier
        error has ended this writer.
        """
        # As objects: where this is compiled, an element that is not what it should be would be a TypeError.
        given = cast(list[object], args)
        if not given or not all(isinstance(arg, bytes) for arg in given):
            raise BadValue(f"{args!r} is no command: it must be a list of bytes, with at least a name")
        with self._lock:
            if self._failed or self._closing:
                raise AofFailed(self._failed or f"{self.path}: the writer has been closed")
            self._write(encode_command(list(args)))
            if self.policy is AofSyncPolicy.ALWAYS:
                self._sync()
            elif self.policy is AofSyncPolicy.EVERY_SECOND:
                self._sync_later()

    def flush(self) -> None:
        """Force all that was logged to the disk now, whatever the policy. Raises `AofFailed`."""
        with self._lock:
            if self._failed:
                raise AofFailed(self._failed)
            self._sync()

    def close(self) -> None:
        """Force everything to the disk and close the file; may be called again. Raises `AofFailed`."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._lock.notify_all()
        if self._syncer is not None:
            self._syncer.join()
        try:
            if not self._failed:
                self._sync()
        finally:
            fd = self._tail.attach(-1, 0)
            self._files.close(fd)
        if self._failed:
            raise AofFailed(self._failed)

    def __enter__(self) -> "AofWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, data: bytes) -> None:
        tail = self._tail
        tail.buffer = [data]
        try:
            tail.flush()
        except OSError as error:
            tail.buffer = []
            if tail.torn:
                self._failed = f"{self.path} ends within a command that could not be removed: {error.strerror}"
            raise FileAccess(self.path, error) from error

    def _sync(self) -> None:
        if self._tail.synced == self._tail.size:
            return
        try:
            self._tail.sync()
        except OSError as error:
            self._fsync_failed(error)
            raise AofFailed(self._failed) from error

    def _sync_later(self) -> None:
        if self._syncer is None:
            self._syncer = threading.Thread(target=self._sync_each_second, name="aof-writer-fsync", daemon=True)
            self._syncer.start()
        self._lock.notify_all()

    def _sync_each_second(self) -> None:
        """The thread: waits until there is something to sync, gathers for a second, syncs while others may write."""
        while True:
            with self._lock:
                self._lock.wait_for(self._has_work)
                self._lock.wait_for(self._is_over, _INTERVAL_S)
                if self._is_over():
                    return
                size = self._tail.size
            try:
                self._files.fsync(self._tail.fd)
            except OSError as error:
                with self._lock:
                    self._fsync_failed(error)
                return
            with self._lock:
                self._tail.synced = max(self._tail.synced, size)

    def _has_work(self) -> bool:
        return self._tail.synced != self._tail.size or self._is_over()

    def _is_over(self) -> bool:
        return self._closing or bool(self._failed)

    def _fsync_failed(self, error: OSError) -> None:
        self._failed = f"{self.path} could not be forced to the disk: {error.strerror}; the last commands may be lost"


def _checked_size(files: Files, path: str) -> int:
    """The size of the file, 0 where there is none. Raises `CorruptFile` unless it is whole, `OSError`."""
    if not files.exists(path):
        return 0
    size = files.size(path)
    if size:
        log = find_log(files, path)
        AofLoader(log.store, _ignore_command, _skip_rdb, _ignore, False).load(log.manifest)
    return size


def _ignore_command(_argv: list[bytes]) -> None:
    pass


def _ignore(_loaded: int) -> None:
    pass


def _skip_rdb(path: str) -> int:
    return load_rdb(Files(), path, Receiver(), True, True).end
