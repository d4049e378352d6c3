"""The append-only log while the server runs: appending, appendfsync, errors.

Theory of operation: the journal calls `append` for every change, and the event loop calls `flush` once per
turn before it sends any reply. `flush` hands everything to the kernel in one write, so what is acknowledged
survives the end of this process whatever the policy. Against a power cut:

- `always`: `flush` also forces the file to the disk. If either fails it raises `AofFatal`, and from then on
  always does: the change is in memory and cannot be taken back, so the server has to end without sending
  the reply. From the file it is taken back, since after a failed fsync the kernel may go on showing what the
  disk never gets.
- `everysec`: once a second a `DiskRunner` forces the file to the disk beside the loop. The write never
  waits for it. What a power cut can undo is what was acknowledged in the last second, in the period of the cron
  behind it (0.1 s at hz 10), and while the fsync itself was running.
- `no`: the kernel decides.

Two errors are kept apart. A failed write (a full disk) leaves the file as it was and the data in the buffer;
`flush` and `cron` try again, and the first success clears it. A failed fsync cannot be cleared by a later
one, because the kernel may have dropped the pages: only a rewrite into new files (`aof_rewrite`) clears it.
While `ok` is False the engine refuses writes with `misconf`.

How the log is opened, replaced by a rewrite and closed is in `AofLog`'s subclass `Aof` in `aof_rewrite`.
"""

import os
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.base import log
from aikv.base.clock import Clock
from aikv.base.errors import AikvError
from aikv.base.latency import LatencyMonitor
from aikv.persistence.aof_format import timestamp_annotation
from aikv.persistence.aof_fsync import DiskJob, DiskRunner
from aikv.persistence.aof_manifest import Manifest
from aikv.persistence.aof_store import AofStore
from aikv.persistence.aof_tail import AofTail

# appendfsync.
NO: Final = 0
ALWAYS: Final = 1
EVERYSEC: Final = 2

# Switched off; being switched on, until the first rewrite is done; on.
OFF: Final = 0
WAIT_REWRITE: Final = 1
ON: Final = 2


_SECOND_US: Final = 1_000_000
_SLOW_FSYNC_US: Final = 2 * _SECOND_US
_LOG_ERROR_EVERY_US: Final = 30 * _SECOND_US


class AofFatal(AikvError):
    """The log cannot keep the promise of `appendfsync always`: log the text and end the process, replying
    to nobody."""


@mypyc_attr(allow_interpreted_subclasses=True)
class AofLog:
    """The log in `store`, whose manifest is `manifest`, with one of the policies NO, ALWAYS, EVERYSEC."""

    def __init__(self, store: AofStore, manifest: Manifest, clock: Clock, runner: DiskRunner, policy: int) -> None:
        self.store: Final = store
        self.clock: Final = clock
        self.runner: Final = runner
        self.policy: int = policy
        self.manifest: Manifest = manifest
        self.tail: Final = AofTail(store.files)
        self.state: int = OFF
        # Whether `append` takes anything: on, or a rewrite that switches it on is under way.
        self.active: bool = False
        # False while writes are to be refused with `misconf`.
        self.ok: bool = True
        # no-appendfsync-on-rewrite, and whether a saving or rewriting child is running; the owner sets both.
        self.no_fsync_on_rewrite: bool = False
        self.child_active: bool = False
        # aof-timestamp-enabled, which the owner sets; the second last noted, and the file in which it was.
        self.timestamps: bool = False
        self._noted_s: int = 0
        self._noted_generation: int = -1
        # aof_delayed_fsync: how often a write met an fsync that had been running for two seconds.
        self.delayed_fsync: int = 0
        # Appends are numbered by whoever makes them: the last one, the last that is in the file, and the last that is
        # known to be on the disk with all before it.
        self.appended: int = 0
        self.written: int = 0
        self.durable: int = 0
        self.latency: LatencyMonitor = LatencyMonitor(clock)
        # Bytes in the files of the log other than the one being written.
        self.fixed_size: int = 0
        self._write_error: OSError | None = None
        self._fsync_error: OSError | None = None
        # The file whose fsync failed, and the text of the error that ended everything.
        self._failed_generation: int = -1
        self._fatal: str = ""
        self._job: DiskJob | None = None
        self._job_covers: int = 0
        self._last_fsync_us: int = clock.monotonic_us()
        self._delay_counted_us: int = 0
        self._error_logged_us: int = -_LOG_ERROR_EVERY_US

    def append(self, data: bytes) -> None:
        """Collect `data`, one whole command or transaction as it is to stand in the file."""
        if self.active:
            if self.timestamps:
                self._note_time()
            self.tail.buffer.append(data)

    def flush(self) -> None:
        """Hand what was collected to the kernel, under `always` also to the disk; call before replies are
        sent.

        Raises `AofFatal`. Under the other policies an error is logged, `ok` becomes False and the data is
        kept.
        """
        if self._fatal:
            raise AofFatal(self._fatal)
        if not self.tail.buffer or self.tail.fd < 0:
            return
        began_us = self.clock.monotonic_us() if self.latency.watching() else 0
        try:
            self.tail.flush()
        except OSError as error:
            self._write_failed(error)
            return
        self.written = self.appended
        if began_us:
            self._note_write(self.clock.monotonic_us() - began_us)
        if self._write_error is not None:
            log.warning("AOF write error looks solved, aikv can write again.")
            self._write_error = None
            self._judge()
        if self.policy == ALWAYS:
            if not (self.no_fsync_on_rewrite and self.child_active):
                self._sync_always()
        elif self.policy == EVERYSEC:
            self._sync_beside(True)

    def cron(self) -> None:
        """Call about ten times a second: retries a failed write, starts and takes in fsyncs. Raises
        `AofFatal`."""
        self.flush()
        self.take_in_job()
        # Also under `always`: what was written before the policy changed, or by the process before this one.
        if self.policy != NO and self.tail.fd >= 0:
            self._sync_beside(False)

    def set_policy(self, policy: int) -> None:
        """Switch appendfsync; holds from the next `flush` on."""
        self.policy = policy

    def misconf(self) -> bytes | None:
        """The error reply to a write while `ok` is False, without the `-`."""
        error = self._fsync_error if self._fsync_error is not None else self._write_error
        if error is None:
            return None
        text = os.strerror(error.errno) if error.errno is not None else str(error)
        return b"MISCONF Errors writing to the AOF file: " + text.encode()

    def current_size(self) -> int:
        """Bytes in all files of the log."""
        return self.fixed_size + self.tail.size

    def pending_fsync(self) -> int:
        """How many fsyncs are under way: 0 or 1 (aof_pending_bio_fsync)."""
        self.take_in_job()
        return 0 if self._job is None else 1

    def unsynced(self) -> int:
        """Bytes that were written but are not known to be on the disk."""
        return self.tail.size - self.tail.synced

    def fsync_failed(self) -> bool:
        """Whether an fsync failed and no rewrite has made up for it."""
        return self._fsync_error is not None

    def note_fsync_error(self, error: OSError, generation: int) -> None:
        """An fsync of file `generation` failed: refuse writes until a rewrite into new files has
        succeeded."""
        if self._fsync_error is None:
            log.warning(
                f"Fail to fsync the AOF file: {error.strerror}. Written data may be lost; writes are refused "
                "until a rewrite of the AOF has succeeded."
            )
        self._fsync_error = error
        self._failed_generation = max(self._failed_generation, generation)
        self._judge()

    def forget_fsync_error(self) -> None:
        """A new base holds the dataset: forget failures of all files but the one being written."""
        self.take_in_job()
        if self._fsync_error is not None and self._failed_generation < self.tail.generation:
            log.notice("The AOF was rewritten into new files, aikv can write again.")
            self._fsync_error = None
            self._judge()

    def forget_errors(self) -> None:
        """The log is switched off, or on anew: what failed before is of no account."""
        self._write_error = None
        self._fsync_error = None
        self._judge()

    def die(self, text: str) -> AofFatal:
        """Refuse every later `flush`, too; returns the error to raise."""
        self._fatal = text
        self.ok = False
        return AofFatal(text)

    def _note_time(self) -> None:
        """Date what follows, if the second is a new one or the file is.

        So a file can be told from its own lines. A clock that goes back is not noted, as in Redis: times only grow.
        """
        now_s = self.clock.unix_ms() // 1000
        if now_s > self._noted_s or self.tail.generation != self._noted_generation:
            self._noted_s = max(now_s, self._noted_s)
            self._noted_generation = self.tail.generation
            self.tail.buffer.append(timestamp_annotation(self._noted_s))

    def _judge(self) -> None:
        self.ok = self._write_error is None and self._fsync_error is None and not self._fatal

    def _write_failed(self, error: OSError) -> None:
        now = self.clock.monotonic_us()
        if now - self._error_logged_us >= _LOG_ERROR_EVERY_US:
            self._error_logged_us = now
            log.warning(f"Error writing to the AOF file: {error.strerror}")
            if self.tail.torn > 0:
                log.warning(
                    "Could not remove short write from the append-only file. The next start may find "
                    "its last command cut.",
                )
        self._write_error = error
        if self.policy == ALWAYS:
            raise self.die(
                "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
            ) from error
        self._judge()

    def _note_write(self, took_us: int) -> None:
        """Tell the latency monitor of a write, under the name that says what it had to share the disk with, too."""
        if self._job is not None:
            name = "aof-write-pending-fsync"
        else:
            name = "aof-write-active-child" if self.child_active else "aof-write-alone"
        self.latency.note(name, took_us)
        self.latency.note("aof-write", took_us)

    def note_durable(self, upto: int) -> None:
        """Appends up to number `upto` have been forced to the disk, unless the fsync of a file before has failed."""
        if self._fsync_error is None:
            self.durable = max(self.durable, upto)

    def _sync_always(self) -> None:
        began_us = self.clock.monotonic_us()
        try:
            self.tail.sync()
        except OSError as error:
            self._take_back()
            raise self.die(
                f"Can't persist AOF for fsync error when the AOF fsync policy is 'always': {error.strerror}. Exiting..."
            ) from error
        self.note_durable(self.written)
        self._last_fsync_us = self.clock.monotonic_us()
        self.latency.note("aof-fsync-always", self._last_fsync_us - began_us)

    def _take_back(self) -> None:
        try:
            self.tail.take_back()
        except OSError as error:
            log.warning(
                f"Could not remove what was not forced to the disk from the append-only file: {error.strerror}. The "
                "next start may load commands that were never acknowledged and that a power cut can still undo."
            )

    def _sync_beside(self, wrote: bool) -> None:
        """Start an fsync beside the loop if one is due."""
        self.take_in_job()
        now = self.clock.monotonic_us()
        job = self._job
        if job is not None:
            if wrote and now - max(job.started_us, self._delay_counted_us) >= _SLOW_FSYNC_US:
                self._delay_counted_us = now
                self.delayed_fsync += 1
                log.notice("Asynchronous AOF fsync is taking too long (disk is busy?).")
            return
        if now - self._last_fsync_us < _SECOND_US or self.unsynced() == 0:
            return
        if self.no_fsync_on_rewrite and self.child_active:
            return
        self._last_fsync_us = now
        self._job_covers = self.written
        self._job = DiskJob(self.tail.fd, False, self.tail.size, self.tail.generation, now)
        self.runner.submit(self._job)

    def take_in_job(self) -> None:
        """Learn the result of the fsync beside the loop, if it has ended."""
        job = self._job
        if job is None or not job.done:
            return
        self._job = None
        if job.error is not None:
            self.note_fsync_error(job.error, job.generation)
            return
        self.note_durable(self._job_covers)
        if job.generation == self.tail.generation:
            self.tail.synced = max(self.tail.synced, job.upto)
