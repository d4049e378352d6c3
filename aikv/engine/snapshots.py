"""RDB snapshots of the running server: SAVE, BGSAVE and save points.

Theory of operation: a snapshot in the background is written by a forked child, which sees the dataset as it was at
the fork; the cron asks after it. The engine only ever adds to its count of changes; what that stood at when the last
successful save began is remembered here, so that changes made while a child was writing stay counted. After a failed
background save writes are refused (`stop-writes-on-bgsave-error`) until one succeeds.
"""

from typing import Final, cast

from aikv.base import log
from aikv.base.errors import CommandError
from aikv.base.version import REDIS_VERSION, VERSION
from aikv.engine.engine import Engine
from aikv.engine.process import resident_bytes
from aikv.persistence.aof_fsync import DiskRunner
from aikv.persistence.background import BackgroundChild
from aikv.persistence.files import Files
from aikv.persistence.rdb_write import SavedDatabase
from aikv.persistence.snapshot import BackgroundSave, SaveJob, SaveOptions, describing_fields, save_rdb

# Seconds after a failed background save before a save point starts another.
_RETRY_DELAY_S: Final = 5


class LoggingSaveJob(SaveJob):
    """A save whose child writes to the server's log."""

    def prepare(self) -> None:
        log.set_role("C")

    def log(self, message: str) -> None:
        log.notice("%s", message)


class Snapshots:
    """When a snapshot was taken last, how it went, and the one under way."""

    def __init__(self, engine: Engine, files: Files, runner: DiskRunner, child: BackgroundChild | None = None) -> None:
        self._engine = engine
        self._files = files
        self._background = BackgroundSave(runner, child)
        self._save_points: list[tuple[int, int]] = []
        now_s = engine.clock.unix_ms() // 1000
        self.last_save_s = now_s
        self.last_ok = True
        self.last_duration_s = -1
        self.scheduled = False
        self._last_try_s = 0
        self._started_s = 0
        # Where the engine's count of changes stood when the save under way, and the last successful one, began.
        self._count_at_start = 0
        self._count_saved = 0
        self._read_save_points()
        engine.config.on_change("save", self._read_save_points)

    def running(self) -> bool:
        """Whether a child is writing a snapshot."""
        return self._background.running()

    def wanted_at_exit(self) -> bool:
        """Whether a plain shutdown saves: it does where there are save points."""
        return bool(self._save_points)

    def refuses_writes(self) -> bool:
        """Whether writes are refused because snapshots fail."""
        return (
            not self.last_ok and bool(self._save_points) and self._engine.config.get_bool("stop-writes-on-bgsave-error")
        )

    def options(self, aof_base: bool) -> SaveOptions:
        """How to write an RDB under the present configuration."""
        config = self._engine.config
        now_s = self._engine.clock.unix_ms() // 1000
        return SaveOptions(
            config.get_bool("rdbcompression"),
            config.get_bool("rdbchecksum"),
            config.get_bool("rdb-save-incremental-fsync"),
            describing_fields(REDIS_VERSION, VERSION, now_s, resident_bytes(), aof_base),
        )

    def databases(self) -> list[SavedDatabase]:
        """The databases as the writers of `persistence` want them."""
        return cast(list[SavedDatabase], self._engine.databases)

    def save(self) -> None:
        """Write a snapshot in the foreground. Raises `OSError`; the old file stands then."""
        engine = self._engine
        path = engine.config.path("dbfilename")
        try:
            result = save_rdb(self._files, path, self.databases(), self.options(False))
        except OSError as error:
            # Whoever asked learns of it: only a save in the background has writes refused.
            log.warning("Failed saving the DB to %s: %s", path, described(error))
            raise
        log.notice("DB saved on disk: %d keys, %d bytes", result.keys, result.size)
        self._succeeded(engine.dirty)

    def save_flushed(self) -> None:
        """FLUSHALL has emptied the databases: where there are save points no snapshot may bring its keys back."""
        self.kill()
        if not self._save_points:
            return
        try:
            self.save()
        except OSError:
            return  # Logged; as in Redis, FLUSHALL has done its work all the same.
        # Only what was asked for, or due, counts as a save.
        self._engine.stats.saves -= 1

    def start(self) -> None:
        """Start a snapshot in the background. Raises CommandError where the system refuses to fork."""
        engine = self._engine
        now_s = engine.clock.unix_ms() // 1000
        self._last_try_s = now_s
        self._count_at_start = engine.dirty
        began_us = engine.clock.monotonic_us()
        try:
            self._background.start(
                LoggingSaveJob(self._files, engine.config.path("dbfilename"), self.databases(), self.options(False))
            )
        except OSError as error:
            self.last_ok = False
            log.warning("Can't save in background: fork: %s", described(error))
            raise CommandError(b"ERR " + described(error).encode()) from error
        took_us = engine.clock.monotonic_us() - began_us
        engine.stats.note_fork(took_us)
        engine.observer.latency.note("fork", took_us)
        self._started_s = now_s
        self.scheduled = False
        log.notice("Background saving started by pid %d", self._background.pid)

    def poll(self) -> None:
        """Ask after the snapshot under way."""
        outcome = self._background.poll()
        if outcome is None:
            return
        engine = self._engine
        self.last_duration_s = engine.clock.unix_ms() // 1000 - self._started_s
        if outcome.result is None:
            self.last_ok = False
            log.warning("Background saving error: %s", outcome.reason)
            return
        log.notice("Background saving terminated with success")
        self._succeeded(self._count_at_start)

    def due(self) -> bool:
        """Whether a save point has been reached; says so in the log."""
        engine = self._engine
        now_s = engine.clock.unix_ms() // 1000
        if not self.last_ok and now_s - self._last_try_s <= _RETRY_DELAY_S:
            return False
        for seconds, changes in self._save_points:
            if self.changes() >= changes and now_s - self.last_save_s > seconds:
                log.notice("%d changes in %d seconds. Saving...", changes, seconds)
                return True
        return False

    def kill(self) -> None:
        """End the snapshot under way, if any."""
        if self._background.running():
            log.notice("There is a child saving an .rdb. Killing it!")
            outcome = self._background.kill()
            if outcome is not None and outcome.result is not None:
                # It had ended, and its file has got the name.
                self._succeeded(self._count_at_start)

    def info(self) -> list[tuple[str, str]]:
        """The fields of INFO Persistence that begin with `rdb_`."""
        engine = self._engine
        running = self._background.running()
        current = engine.clock.unix_ms() // 1000 - self._started_s if running else -1
        return [
            ("rdb_changes_since_last_save", str(self.changes())),
            ("rdb_bgsave_in_progress", str(int(running))),
            ("rdb_last_save_time", str(self.last_save_s)),
            ("rdb_last_bgsave_status", "ok" if self.last_ok else "err"),
            ("rdb_last_bgsave_time_sec", str(self.last_duration_s)),
            ("rdb_current_bgsave_time_sec", str(current)),
            ("rdb_saves", str(engine.stats.saves)),
            ("rdb_last_cow_size", "0"),
        ]

    def changes(self) -> int:
        """How many changes no snapshot holds yet."""
        return self._engine.dirty - self._count_saved

    def forget_changes(self) -> None:
        """The dataset has just been loaded: what it took does not count."""
        self._count_saved = self._engine.dirty

    def _succeeded(self, count: int) -> None:
        engine = self._engine
        self._count_saved = count
        engine.stats.saves += 1
        self.last_save_s = engine.clock.unix_ms() // 1000
        self.last_ok = True

    def _read_save_points(self) -> None:
        self._save_points = self._engine.config.save_points


def described(error: OSError) -> str:
    """What the system says, with what was added on the way."""
    return "; ".join([error.strerror or str(error), *getattr(error, "__notes__", [])])
