"""The log as it was at a moment: which files to begin with, how far to go, and a copy of just that.

Theory of operation: a base holds the dataset of the moment at which it was made, so a restore begins with the youngest
base that is not younger than the wanted moment, a kept one of the past if need be (`aof_history.generations`), and
replays the incr files behind it up to the first annotation that is later (`aof-timestamp-enabled`), just where
redis-check-aof --truncate-to-timestamp would cut. A transaction that the cut would part is left out whole. The copy has
the same bytes, under the names of a new log, so that also what this version cannot run comes through.

A time is a unix second; all that happened within the wanted second is kept.
"""

import os
from typing import Final

from aikv.base.errors import AikvError
from aikv.persistence.aof_find import FoundLog
from aikv.persistence.aof_history import generations
from aikv.persistence.aof_load import RDB_MAGIC, AofLoaded, AofLoader, Execute, LoadRdb, Progress
from aikv.persistence.aof_manifest import BASE, INCR, AofPart, Manifest
from aikv.persistence.aof_reader import AofReader
from aikv.persistence.aof_store import AofStore
from aikv.persistence.files import Files, write_all
from aikv.persistence.rdb_read import Receiver, read_rdb
from aikv.persistence.source import FileSource

_COPY_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 64 * 1024


class UnreachableMoment(AikvError):
    """No base is as old as that; `earliest_s` is the earliest unix second that can be restored."""

    def __init__(self, earliest_s: int) -> None:
        super().__init__(f"the earliest moment that can be restored is unix second {earliest_s}")
        self.earliest_s: Final = earliest_s


class _Seen(Exception):
    """The fields at the start of an RDB have been passed."""


class _CreationTime(Receiver):
    def __init__(self) -> None:
        self.created_s: int = 0

    def aux(self, name: bytes, value: bytes) -> None:
        if name == b"ctime" and value.isdigit():
            self.created_s = int(value)

    def select(self, db: int) -> None:  # noqa: ARG002
        raise _Seen

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:  # noqa: ARG002
        raise _Seen


def first_time(files: Files, path: str) -> int:
    """The unix second that the file `path` says it begins at: of an RDB its creation, else the first annotation.

    0 where it says none. Raises `OSError`, `CorruptFile`.
    """
    size = files.size(path)
    fd = files.open(path, os.O_RDONLY)
    try:
        ahead = files.read(fd, len(RDB_MAGIC))
        if ahead != RDB_MAGIC:
            reader = AofReader(files, fd, path, 0, size, ahead)
            return 0 if reader.at_end() or reader.next_run() else reader.timestamp
    finally:
        files.close(fd)
    fd = files.open(path, os.O_RDONLY)
    seen = _CreationTime()
    try:
        read_rdb(FileSource(files, fd, path, False, _HEAD_BYTES), seen, trailing_allowed=True)
    except _Seen:
        return seen.created_s
    finally:
        files.close(fd)
    return seen.created_s


def log_at(log: FoundLog, moment_s: int) -> Manifest:
    """The files to replay for unix second `moment_s`, as a manifest without history.

    Raises `UnreachableMoment`, `AikvError`.
    """
    earliest_s = 0
    for generation in generations(log.manifest):
        began_s = _began(log.store, generation)
        if began_s == 0 and generation.base is not None:
            continue
        if began_s <= moment_s:
            return generation
        earliest_s = began_s
    if earliest_s == 0:
        raise AikvError(
            f"No file of the log in {log.store.folder} says when it was made, so no moment can be found in it. "
            "Restores need a log written with `aof-timestamp-enabled yes`."
        )
    raise UnreachableMoment(earliest_s)


def _began(store: AofStore, generation: Manifest) -> int:
    """The unix second at which the base of `generation` was made; 0 where there is none, or where it is unknown."""
    base = generation.base
    if base is None:
        return 0
    try:
        began_s = first_time(store.files, store.path(base.name))
        if began_s == 0 and generation.incr:
            # A base of commands without a time is no younger than what follows it.
            began_s = first_time(store.files, store.path(generation.incr[0].name))
    except OSError as error:
        raise AikvError(f"{store.path(error.filename or base.name)} cannot be read: {error.strerror}") from error
    return began_s


class MomentLoader(AofLoader):
    """Loads a log up to and including unix second `moment_s`, and changes no file; -1 is to its end."""

    def __init__(self, store: AofStore, execute: Execute, load_rdb: LoadRdb, progress: Progress, moment_s: int) -> None:
        super().__init__(store, execute, load_rdb, progress, True)
        self._moment_s: Final = moment_s
        # What does not count as a part of the log: its end, where that is cut off.
        self.cut_file: str = ""

    def is_past(self, reader: AofReader) -> bool:
        return self._moment_s >= 0 and reader.timestamp > self._moment_s

    def shorten(self, path: str, size: int) -> None:  # noqa: ARG002
        self.cut_file = path


def copy_log(source: AofStore, loaded: AofLoaded, base: AofPart | None, target: AofStore) -> Manifest:
    """Copy what was loaded into the folder of `target`, which exists and is empty, durably; returns its manifest.

    `base` is the first of the files, if that is a base. Raises `OSError`.
    """
    manifest = Manifest()
    for file in loaded.files:
        if base is not None and file.name == base.name:
            rdb = file.name.endswith(".rdb")
            manifest.base = AofPart(f"{target.filename}.1.base.{'rdb' if rdb else 'aof'}", 1, BASE)
            part = manifest.base
        else:
            seq = len(manifest.incr) + 1
            part = AofPart(f"{target.filename}.{seq}.incr.aof", seq, INCR)
            manifest.incr.append(part)
        copy_start(source.files, source.path(file.name), target.path(part.name), file.size)
    if not manifest.incr:
        manifest.incr.append(AofPart(f"{target.filename}.1.incr.aof", 1, INCR))
        copy_start(source.files, os.devnull, target.path(manifest.incr[0].name), 0)
    target.prepare(manifest)
    target.commit()
    return manifest


def copy_start(files: Files, path: str, copy: str, size: int) -> None:
    """Copy the first `size` bytes of `path` to the new file `copy`, durably. Raises `OSError`."""
    fd = files.open(path, os.O_RDONLY)
    try:
        made = files.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            while size > 0:
                block = files.read(fd, min(size, _COPY_BYTES))
                if not block:
                    raise OSError(f"{path} became shorter while it was copied")
                write_all(files, made, block)
                size -= len(block)
            files.fsync(made)
        finally:
            files.close(made)
    finally:
        files.close(fd)
