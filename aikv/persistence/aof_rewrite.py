"""Opening, rewriting and closing the append-only log.

Theory of operation of a rewrite: `begin_rewrite` opens a new incr file and switches appends to it; the
caller then writes the dataset of that moment, in a forked child or otherwise, to a temporary file and
forces that to the disk; `finish_rewrite` makes it the base. The old base and incr files become history and
are deleted. At each step the manifest on disk names files that together hold every change:

    before             base 1, incr 1
    begin_rewrite      base 1, incr 1, incr 2
    finish_rewrite     base 2, incr 2            history: base 1, incr 1
    history deleted    base 2, incr 2

When history is deleted is told in `aof_history_files`.

`begin_rewrite` forces incr 1 to the disk before the manifest names incr 2: a file that is not the last one must be
whole, and a later change must not survive an earlier one.

Where the rename of a manifest is done but forcing its folder to the disk fails, either manifest may be the
one that a power cut leaves. `begin_rewrite` then goes on with the old file, which both name and behind
which the new one stays empty; `finish_rewrite` takes the new manifest but deletes nothing and reports a
failure.

Switching the log on at run time begins in state WAIT_REWRITE: changes during the first rewrite are
collected in a temporary incr file, and both files get their names and their manifest at its end.
"""

import os
from collections.abc import Callable
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.base import log
from aikv.base.clock import Clock
from aikv.base.errors import AikvError
from aikv.persistence.aof_fsync import DiskJob, DiskRunner
from aikv.persistence.aof_history_files import HistoryFiles
from aikv.persistence.aof_limit import RewriteLimit
from aikv.persistence.aof_log import OFF, ON, WAIT_REWRITE, AofLog
from aikv.persistence.aof_manifest import AofPart, Manifest, temp_incr_name
from aikv.persistence.aof_store import AofStore
from aikv.persistence.aof_tail import FLAGS

_SECOND_US: Final = 1_000_000


@mypyc_attr(allow_interpreted_subclasses=True)
class Aof(AofLog):
    """The log with its life: start, rewrite, switch on and off, close.

    After `start`, `begin_rewrite` and `enable` the journal has to write SELECT before the next command,
    because each file is loaded from database 0 on.
    """

    def __init__(self, store: AofStore, manifest: Manifest, clock: Clock, runner: DiskRunner, policy: int) -> None:
        super().__init__(store, manifest, clock, runner, policy)
        self.rewriting: bool = False
        # aof_rewrite_scheduled and aof_last_cow_size, which the owner of the child keeps.
        self.rewrite_scheduled: bool = False
        self.last_cow_size: int = 0
        self.last_rewrite_ok: bool = True
        self.rewrites: int = 0
        self.limit: Final = RewriteLimit()
        self.last_rewrite_s: int = -1
        # The size after the last rewrite, from which growth is measured.
        self.base_size: int = 0
        self._rewrite_began_us: int = 0
        self.history: Final = HistoryFiles(self)

    def start(self, make_base: Callable[[str], None], temp_path: str, rdb: bool) -> None:
        """Open the log for appending after it was loaded, making its first files where there are none.

        `make_base` writes the dataset to the path it is given (here `temp_path`) and forces it to the disk;
        `rdb` says in which form. Raises `AikvError`, after which the server has to end.
        """
        fresh = not self.manifest.parts()
        try:
            self.store.make_folder()
            self.store.settle()
            self._measure()
            if not self.manifest.incr:
                self._create_first_files(make_base if fresh else None, temp_path, rdb)
            else:
                name = self.manifest.incr[-1].name
                fd = self.store.files.open(self.store.path(name), FLAGS)
                self.tail.attach(fd, self.store.files.size(self.store.path(name)))
                self.fixed_size -= self.tail.size
                log.notice(f"Opening AOF incr file {name} on server start")
        except OSError as error:
            raise AikvError(
                f"Can't open or create the append-only file in {self.store.folder}: {error.strerror}"
            ) from error
        self.state = ON
        self.active = True
        self.history.delete()

    def _measure(self) -> None:
        self.fixed_size = 0
        for part in self.manifest.parts():
            self.fixed_size += self.store.files.size(self.store.path(part.name))
        base = self.manifest.base
        self.base_size = self.store.files.size(self.store.path(base.name)) if base is not None else 0

    def _create_first_files(self, make_base: Callable[[str], None] | None, temp_path: str, rdb: bool) -> None:
        manifest = self.manifest.copy()
        base = manifest.add_base(self.store.filename, rdb, 0) if make_base is not None else None
        incr = manifest.add_incr(self.store.filename)
        self.store.prepare(manifest)
        if base is not None and make_base is not None:
            make_base(temp_path)
            self.store.files.rename(temp_path, self.store.path(base.name))
            log.notice(f"Creating AOF base file {base.name} on server start")
        fd = self.store.files.open(self.store.path(incr.name), FLAGS | os.O_TRUNC)
        self.tail.attach(fd, 0)
        self.store.commit()
        self.manifest = manifest
        self._measure()
        log.notice(f"Creating AOF incr file {incr.name} on server start")

    def enable(self) -> None:
        """CONFIG SET appendonly yes: the log is on once the next rewrite has succeeded, which the caller
        begins."""
        self.state = WAIT_REWRITE
        self.forget_errors()

    def disable(self) -> None:
        """CONFIG SET appendonly no: write out and close. The files stay. Raises `AofFatal`."""
        if self.rewriting:
            self.abort_rewrite("", False)
        self.flush()
        self._sync_tail()
        self.close_beside(self.tail.attach(-1, 0))
        self.tail.buffer = []
        self.state = OFF
        self.active = False
        self.fixed_size = 0
        self.forget_errors()

    def close(self) -> bool:
        """Write out, force to the disk and close, at shutdown; returns whether all of it succeeded.

        Raises `AofFatal`.
        """
        self.flush()
        self._sync_tail()
        self.runner.stop()
        self.take_in_job()
        done = self.tail.pending() == 0 and not self.fsync_failed()
        fd = self.tail.attach(-1, 0)
        if fd >= 0:
            try:
                self.store.files.close(fd)
            except OSError as error:
                log.warning(f"Error closing the AOF file: {error.strerror}")
                done = False
        self.state = OFF
        self.active = False
        return done

    def begin_rewrite(self) -> bool:
        """Switch appends to a new file; right after that the caller takes its snapshot, before any other
        change.

        Returns False, and logs why, if that cannot be done. Raises `AofFatal`.
        """
        try:
            self.store.make_folder()
            if self.state != OFF:
                self._switch_files()
        except OSError as error:
            log.warning(
                f"Can't open the next append-only file in {self.store.folder}: {error.strerror or error}",
            )
            self._rewrite_failed()
            return False
        self.rewriting = True
        self.active = self.state != OFF
        self.rewrites += 1
        self.rewrite_scheduled = False
        self._rewrite_began_us = self.clock.monotonic_us()
        return True

    def _switch_files(self) -> None:
        if self.tail.fd >= 0:
            self.flush()
            self.tail.mend()
            if self.tail.torn > 0:
                raise OSError("the present file ends within a command that cannot be removed")
            if self.tail.buffer:
                # The new base will hold these changes: behind it they would be made a second time.
                raise OSError("what was collected for the present file cannot be written to it")
            self._sync_tail()
        manifest = self.manifest.copy()
        if self.state == ON:
            name = manifest.add_incr(self.store.filename).name
            self.store.prepare(manifest)
        else:
            name = temp_incr_name(self.store.filename)
        fd = self.store.files.open(self.store.path(name), FLAGS | os.O_TRUNC)
        if self.state == ON:
            try:
                self.store.commit()
            except OSError:
                self.close_beside(fd)
                if self.store.renamed:
                    # The manifest on disk may name the new file: its number is taken.
                    self.manifest.incr_seq = manifest.incr_seq
                raise
            self.fixed_size += self.tail.size
            self.manifest = manifest
        self.close_beside(self.tail.attach(fd, 0))
        log.notice(f"Creating AOF incr file {name} on background rewrite")

    def finish_rewrite(self, temp_path: str, rdb: bool) -> bool:
        """Make the finished file `temp_path`, an RDB or commands, the base.

        Returns False, and logs why, if that fails; the log then goes on as before.
        """
        manifest = self.manifest.copy()
        now_s = self.clock.unix_ms() // 1000
        base = manifest.add_base(self.store.filename, rdb, now_s)
        incr = manifest.add_incr(self.store.filename) if self.state == WAIT_REWRITE else None
        manifest.retire_incr(0 if self.state == OFF else 1, now_s)
        if self.state != ON:
            manifest.break_history()
        try:
            size = self._put_in_place(temp_path, manifest, base, incr)
        except OSError as error:
            log.warning(f"Error putting the rewritten AOF into place: {error.strerror}")
            if self.store.renamed:
                # Its names are taken now, whichever manifest is found after a power cut.
                self.manifest = manifest
            else:
                self._remove_new(base, incr)
            self.abort_rewrite(temp_path, True)
            return False
        self.manifest = manifest
        if self.state == WAIT_REWRITE:
            self.state = ON
        self.fixed_size = size
        self.base_size = self.current_size()
        self._end_rewrite()
        self.last_rewrite_ok = True
        self.limit.failures = 0
        self.forget_fsync_error()
        self.history.note_rewrite()
        log.notice("Background AOF rewrite finished successfully")
        return True

    def _put_in_place(self, temp_path: str, manifest: Manifest, base: AofPart, incr: AofPart | None) -> int:
        """Name the new files and commit `manifest`; returns the size of the new base."""
        self.store.prepare(manifest)
        size = self.store.files.size(temp_path)
        self.store.files.rename(temp_path, self.store.path(base.name))
        if incr is not None:
            temp_incr = self.store.path(temp_incr_name(self.store.filename))
            self.store.files.rename(temp_incr, self.store.path(incr.name))
        self.store.commit()
        return size

    def _remove_new(self, base: AofPart, incr: AofPart | None) -> None:
        """Remove files that were named but that no manifest mentions."""
        for part in (base, incr):
            if part is not None and self.store.files.exists(self.store.path(part.name)):
                self.remove(self.store.path(part.name))

    def abort_rewrite(self, temp_path: str, failed: bool = True) -> None:
        """The rewrite did not come to its end; `failed` False if it was stopped on purpose.

        `temp_path` is removed if it is there; "" if there is none.
        """
        if temp_path and self.store.files.exists(temp_path):
            self.remove(temp_path)
        if self.state == WAIT_REWRITE:
            # Nothing names what was collected; the next try begins with a new dataset.
            self.close_beside(self.tail.attach(-1, 0))
            self.tail.buffer = []
            self.active = False
            self.forget_errors()
            temp_incr = self.store.path(temp_incr_name(self.store.filename))
            if self.store.files.exists(temp_incr):
                self.remove(temp_incr)
            self.rewrite_scheduled = True
        self._end_rewrite()
        if failed:
            self._rewrite_failed()

    def _rewrite_failed(self) -> None:
        self.last_rewrite_ok = False
        self.limit.failures += 1

    def _end_rewrite(self) -> None:
        if self.rewriting:
            self.last_rewrite_s = self.rewrite_seconds()
        self.rewriting = False

    def rewrite_seconds(self) -> int:
        """How long the present or the last rewrite has been running, in whole seconds."""
        return (self.clock.monotonic_us() - self._rewrite_began_us) // _SECOND_US

    def wants_rewrite(self, percentage: int, min_size: int) -> bool:
        """Whether a rewrite is due: auto-aof-rewrite-percentage (0 is never) and -min-size in bytes, or a
        failed fsync."""
        if self.state != ON or self.rewriting:
            return False
        size = self.current_size()
        growth = size * 100 // max(self.base_size, 1) - 100
        grown = percentage > 0 and size > min_size and growth >= percentage
        if not (grown or self.fsync_failed()) or self.limit.limited(self.clock.monotonic_us()):
            return False
        if grown:
            log.notice(f"Starting automatic rewriting of AOF on {growth}% growth")
        else:
            log.notice("Starting automatic rewriting of AOF after a failed fsync")
        return True

    def _sync_tail(self) -> None:
        """Force the present file to the disk, here and now."""
        if self.tail.fd >= 0 and self.unsynced() > 0:
            try:
                self.tail.sync()
                self.note_durable(self.written)
            except OSError as error:
                self.note_fsync_error(error, self.tail.generation)

    def close_beside(self, fd: int) -> None:
        """Close `fd` behind whatever is still being done with it."""
        if fd >= 0:
            self.runner.submit(DiskJob(fd, True, 0, 0, 0))

    def remove(self, path: str) -> bool:
        """Remove a file; False, and logged, where that fails."""
        try:
            self.store.files.unlink(path)
        except OSError as error:
            log.warning(f"Can't remove {path}: {error.strerror}")
            return False
        return True
