"""Persistence of one engine: snapshots, the append-only file, the start and the shutdown.

Theory of operation: `Snapshots` and `AppendLog` each look after one kind of file, and `Loader` reads both; this class
starts them, sees to it that only one child runs at a time, answers the commands, and closes the DISK_ERROR gate while
the disk fails.

At start the append-only file is loaded where it is on, the RDB otherwise.
"""

from typing import Final

from aikv.base import log
from aikv.base.errors import AikvError, CommandError
from aikv.engine import gates
from aikv.engine.admission import MISCONF_SAVE
from aikv.engine.append_log import AppendLog
from aikv.engine.databases import clear
from aikv.engine.engine import Engine
from aikv.engine.loader import Loader
from aikv.engine.snapshots import Snapshots, described
from aikv.engine.stats import reset_stats
from aikv.persistence.aof_fsync import DiskRunner
from aikv.persistence.aof_log import OFF, WAIT_REWRITE
from aikv.persistence.background import BackgroundChild
from aikv.persistence.files import Files
from aikv.resp.reply import OK, Status

_CHILD_ACTIVE: Final = (
    b"ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a "
    b"BGSAVE whenever possible."
)


class Persistence:
    """What the commands SAVE, BGSAVE, BGREWRITEAOF and SHUTDOWN, the cron and the tick ask for.

    `saver` and `rewriter` fork for snapshots and for rewrites of the log; tests pass their own.
    """

    def __init__(
        self,
        engine: Engine,
        files: Files,
        runner: DiskRunner,
        saver: BackgroundChild | None = None,
        rewriter: BackgroundChild | None = None,
    ) -> None:
        self._engine = engine
        self._files = files
        self.snapshots = Snapshots(engine, files, runner, saver)
        self.log = AppendLog(engine, self.snapshots, files, runner, rewriter)
        engine.on_flushall.append(self._flushed)
        self.loader = Loader(engine, files, self.log.store)
        self._aof_was_ok = True

    # At start.

    def load(self) -> None:
        """Load the dataset and open the log. Raises `AikvError`."""
        began_us = self._engine.clock.monotonic_us()
        if self._engine.config.get_bool("appendonly"):
            manifest = self.log.store.upgrade(self.log.store.read())
            if self.loader.load_log(manifest):
                self.loader.report("append only file", began_us)
            elif not manifest.parts():
                # As Redis does: with the log newly on, the dataset comes from the RDB and goes into the first base.
                self.loader.load_snapshot_if_any(began_us)
            self.log.start(manifest)
        else:
            self.loader.load_snapshot_if_any(began_us)
        self.snapshots.forget_changes()
        # Nobody has asked for the commands of the log.
        reset_stats(self._engine)

    # While running.

    def flush(self) -> None:
        """Make what has changed as safe as the policy promises; before any reply is sent. Raises `AofFatal`."""
        # A log in trouble is flushed without news, too: after a fatal error no reply must leave.
        if self._engine.journal.out.waiting() or not self.log.aof.ok:
            self.log.flush()
            if self.log.aof.ok != self._aof_was_ok:
                self._judge()

    def cron(self) -> None:
        """Look after children, save points and the log; about ten times a second. Raises `AofFatal`."""
        self.snapshots.poll()
        self.log.poll()
        if not self.child_active():
            self._start_what_is_due()
        self.log.cron(self.child_active())
        self._judge()

    def child_active(self) -> bool:
        """Whether a child saves or rewrites."""
        return self.snapshots.running() or self.log.rewriting()

    def _start_what_is_due(self) -> None:
        try:
            if self.log.due():
                self.log.rewrite()
            elif self.snapshots.scheduled or self.snapshots.due():
                self.snapshots.start()
        except CommandError as error:
            # Logged with its reason where it happened; nobody waits for an answer, and the next cron tries again.
            log.verbose("Background task not started: %s", error.text.decode("latin-1"))

    def _judge(self) -> None:
        """Close or open the DISK_ERROR gate."""
        engine = self._engine
        self._aof_was_ok = self.log.aof.ok
        refusal = self.log.aof.misconf() if self.log.aof.state != OFF else None
        if refusal is None and self.snapshots.refuses_writes():
            refusal = MISCONF_SAVE
        if refusal is None:
            engine.gates &= ~gates.DISK_ERROR
        else:
            engine.disk_error = refusal
            engine.gates |= gates.DISK_ERROR

    def _flushed(self) -> None:
        """After FLUSHALL; not while a file is loaded that says so, since the snapshot may be all there is besides."""
        if not self._engine.databases[0].loading:
            self.snapshots.save_flushed()

    # Commands.

    @property
    def last_save_s(self) -> int:
        """Unix time of the last successful save."""
        return self.snapshots.last_save_s

    def save(self) -> None:
        """SAVE. Raises CommandError."""
        if self.snapshots.running():
            raise CommandError(b"ERR Background save already in progress")
        try:
            self.snapshots.save()
        except OSError as error:
            raise CommandError(b"ERR " + described(error).encode()) from error
        finally:
            self._judge()

    def bgsave(self, schedule: bool) -> object:
        """BGSAVE; `schedule` puts it off where another child runs. Returns the reply, raises CommandError."""
        if self.snapshots.running():
            raise CommandError(b"ERR Background save already in progress")
        if self.log.rewriting():
            if not schedule:
                raise CommandError(_CHILD_ACTIVE)
            self.snapshots.scheduled = True
            return Status(b"Background saving scheduled")
        self.snapshots.start()
        return Status(b"Background saving started")

    def bgrewriteaof(self) -> object:
        """BGREWRITEAOF. Returns the reply, raises CommandError."""
        if self.log.rewriting():
            raise CommandError(b"ERR Background append only file rewriting already in progress")
        if self.snapshots.running():
            self.log.aof.rewrite_scheduled = True
            return Status(b"Background append only file rewriting scheduled")
        self.log.rewrite()
        return Status(b"Background append only file rewriting started")

    def info(self) -> list[tuple[str, str]]:
        """The fields of INFO Persistence."""
        fields = [
            # Nobody can ask while a file is loaded: clients are let in afterwards.
            ("loading", "0"),
            ("async_loading", "0"),
            ("current_cow_peak", "0"),
            ("current_cow_size", "0"),
            ("current_cow_size_age", "0"),
            ("current_fork_perc", "0.00"),
            ("current_save_keys_processed", "0"),
            ("current_save_keys_total", "0"),
        ]
        loads = [
            ("rdb_last_load_keys_expired", str(self.loader.keys_expired)),
            ("rdb_last_load_keys_loaded", str(self.loader.keys_loaded)),
        ]
        fork = [("module_fork_in_progress", "0"), ("module_fork_last_cow_size", "0")]
        return [*fields, *self.snapshots.info(), *loads, *self.log.info(), *fork, *self.log.sizes_info()]

    def reload(self, save: bool, flush: bool) -> object:
        """DEBUG RELOAD: save the dataset, empty the databases and load it again. Returns OK, raises CommandError."""
        try:
            if save:
                self.snapshots.save()
            if flush:
                self._empty()
            self.loader.load_snapshot(self._engine.config.path("dbfilename"), merge=not flush)
        except (OSError, AikvError) as error:
            log.warning("DEBUG RELOAD failed: %s", error)
            raise CommandError(b"ERR Error trying to load the RDB dump, check server logs.") from error
        log.warning("DB reloaded by DEBUG RELOAD")
        return OK

    def load_aof(self) -> object:
        """DEBUG LOADAOF: write the log out, empty the databases and load it again. Returns OK, raises CommandError."""
        if self.log.aof.state == OFF:
            raise CommandError(b"ERR Error trying to load the AOF files, check server logs.")
        self.log.flush()
        self._empty()
        # What is replayed is no change, neither to the log nor to the engine, which would log DEBUG itself otherwise.
        active = self._engine.journal.active
        self._engine.journal.active = False
        count = self._engine.dirty
        try:
            self.loader.load_log(self.log.aof.manifest)
        except AikvError as error:
            log.warning("DEBUG LOADAOF failed: %s", error)
            raise CommandError(b"ERR Error trying to load the AOF files, check server logs.") from error
        finally:
            self._engine.journal.active = active
            self._engine.dirty = count
        self.snapshots.forget_changes()
        log.warning("Append Only File loaded by DEBUG LOADAOF")
        return OK

    def _empty(self) -> None:
        if self._engine.tracks:
            self._engine.tracking.flushed()
        for database in self._engine.databases:
            clear(self._engine, database)

    # At the end.

    def close(self, save: bool | None, force: bool) -> bool:
        """Bring everything to the disk before the end of the process.

        `save` None saves where there are save points, True always, False never. Returns False where something could
        not be written and `force` is False: the server has to go on then. Raises `AofFatal`.
        """
        self.snapshots.kill()
        if self.log.aof.state == WAIT_REWRITE and self.log.rewriting() and not force:
            log.warning("Writing initial AOF. Can't exit.")
            return False
        self.log.kill()
        if self.log.aof.state != OFF:
            self.log.flush()
        if save or (save is None and self.snapshots.wanted_at_exit()):
            log.notice("Saving the final RDB snapshot before exiting.")
            try:
                self.snapshots.save()
            except OSError:
                if not force:
                    log.warning("Error trying to save the DB, can't exit.")
                    self._judge()
                    return False
                log.warning("Error trying to save the DB, exiting all the same because FORCE was given.")
        return self._close_log(force)

    def _close_log(self, force: bool) -> bool:
        if self.log.aof.state == OFF:
            return True
        log.notice("Calling fsync() on the AOF file.")
        if self.log.aof.close():
            return True
        log.warning(
            "The append only file could not be written out completely%s.", ", exiting all the same" if force else ""
        )
        return True
