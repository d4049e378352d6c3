"""The append-only file of the running server: fed by the journal, rewritten by a child, switched by CONFIG SET.

Theory of operation: `persistence.aof_rewrite.Aof` is the log itself. This class gives it the journal's bytes once per
turn of the event loop, lets a forked child write the base when a rewrite is asked for or due, and follows the
configuration. After each change of file the journal selects its database anew.
"""

import os
from typing import Final

from aikv.base import log
from aikv.base.errors import AikvError, CommandError
from aikv.engine.aof_waits import AofWaits
from aikv.engine.engine import Engine
from aikv.engine.snapshots import Snapshots, described
from aikv.persistence.aof_base import BaseOptions, RewriteJob, rewrite_temp_path, write_base
from aikv.persistence.aof_fsync import DiskRunner
from aikv.persistence.aof_info import aof_info, aof_sizes_info
from aikv.persistence.aof_load import AofLoadedFile
from aikv.persistence.aof_log import ALWAYS, EVERYSEC, NO, OFF, ON, WAIT_REWRITE
from aikv.persistence.aof_manifest import Manifest
from aikv.persistence.aof_rewrite import Aof
from aikv.persistence.aof_store import AofStore
from aikv.persistence.background import BackgroundChild
from aikv.persistence.files import Files

POLICIES: Final[dict[str, int]] = {"always": ALWAYS, "everysec": EVERYSEC, "no": NO}


class LoggingRewriteJob(RewriteJob):
    """A rewrite whose child writes to the server's log."""

    def prepare(self) -> None:
        log.set_role("C")

    def log(self, message: str) -> None:
        log.notice("%s", message)


class AppendLog:
    """The log of one engine. `aof` is always there; its state says whether it is on."""

    def __init__(
        self,
        engine: Engine,
        snapshots: Snapshots,
        files: Files,
        runner: DiskRunner,
        child: BackgroundChild | None = None,
    ) -> None:
        config = engine.config
        self._engine = engine
        self._snapshots = snapshots
        self._files = files
        self._child = child if child is not None else BackgroundChild()
        self._child_writes_rdb = True
        # Whether `aof.manifest` is that of the disk, which a log that is off does not read before it must.
        self._manifest_known = False
        # Clients that copy the files of the log.
        self._copying: set[int] = set()
        self.store = AofStore(files, config.path("appenddirname"), config.get_str("appendfilename"))
        self.aof = Aof(self.store, Manifest(), engine.clock, runner, POLICIES[config.get_str("appendfsync")])
        self.aof.latency = engine.observer.latency
        self.waits: Final = AofWaits(engine, self.aof)
        config.on_change("appendfsync", self._read_policy)
        config.on_change("no-appendfsync-on-rewrite", self._read_policy)
        config.on_change("appendonly", self._switch)
        config.on_change("aof-timestamp-enabled", self._read_timestamps)
        config.on_change("aof-disable-auto-gc", self._read_history)
        config.on_change("aikv-aof-history-seconds", self._read_history)
        self._read_policy()
        self._read_timestamps()
        self._read_history()

    def rewriting(self) -> bool:
        """Whether a child is writing a base."""
        return self._child.pid != 0

    def start(self, manifest: Manifest) -> None:
        """Open the log that was loaded from `manifest`. Raises `AikvError`."""
        self.aof.manifest = manifest
        self._manifest_known = True
        temporary = rewrite_temp_path(self._engine.config.get_str("dir"), os.getpid())
        self.aof.start(self._write_base, temporary, self._engine.config.get_bool("aof-use-rdb-preamble"))
        self._follow()

    def flush(self) -> None:
        """Give the log what the journal has collected. Raises `AofFatal`."""
        journal = self._engine.journal
        if journal.out.waiting():
            self.aof.append(journal.take())
            self.aof.appended = journal.takes
        self.aof.flush()
        if self.waits.waiting:
            self.waits.serve()

    def cron(self, child_active: bool) -> None:
        """Keep the log going; about ten times a second. Raises `AofFatal`."""
        self.aof.child_active = child_active
        self.flush()
        self.aof.cron()
        if self.waits.waiting:
            self.waits.serve()
        if self._copying:
            self._forget_copiers()
        self.aof.history.expire()

    def due(self) -> bool:
        """Whether a rewrite is to be started now, if no other child runs."""
        config = self._engine.config
        aof = self.aof
        if aof.rewrite_scheduled or (aof.state == WAIT_REWRITE and not self.rewriting()):
            return not aof.limit.limited(self._engine.clock.monotonic_us())
        return aof.wants_rewrite(
            config.get_int("auto-aof-rewrite-percentage"), config.get_int("auto-aof-rewrite-min-size")
        )

    def rewrite(self) -> None:
        """Start a rewrite in a child. Raises CommandError where that fails, and `AofFatal`."""
        engine = self._engine
        self.flush()
        self._know_manifest()
        if not self.aof.begin_rewrite():
            raise CommandError(
                b"ERR Can't execute an AOF background rewriting. Please check the server logs for details."
            )
        self._follow()
        options = self._base_options()
        self._child_writes_rdb = options.rdb
        directory = engine.config.get_str("dir")
        began_us = engine.clock.monotonic_us()
        try:
            self._child.start(LoggingRewriteJob(self._files, directory, self._snapshots.databases(), options))
        except OSError as error:
            log.warning("Can't rewrite append only file in background: fork: %s", described(error))
            self.aof.abort_rewrite("", True)
            self._follow()
            raise CommandError(b"ERR " + described(error).encode()) from error
        took_us = engine.clock.monotonic_us() - began_us
        engine.stats.note_fork(took_us)
        engine.observer.latency.note("fork", took_us)
        log.notice("Background append only file rewriting started by pid %d", self._child.pid)

    def poll(self) -> None:
        """Ask after the rewrite under way."""
        pid = self._child.pid
        outcome = self._child.poll()
        if outcome is None:
            return
        temporary = rewrite_temp_path(self._engine.config.get_str("dir"), pid)
        if outcome.ok:
            log.notice("Background AOF rewrite terminated with success")
            self.aof.finish_rewrite(temporary, self._child_writes_rdb)
        else:
            log.warning("Background AOF rewrite terminated with an error: %s", outcome.report)
            self.aof.abort_rewrite(temporary, True)
        self._follow()

    def kill(self) -> None:
        """End the rewrite under way, if any."""
        pid = self._child.pid
        if pid == 0:
            return
        log.notice("There is a child rewriting the AOF. Killing it!")
        self._child.kill()
        self.aof.abort_rewrite(rewrite_temp_path(self._engine.config.get_str("dir"), pid), False)
        self.aof.rewrite_scheduled = False
        self._follow()

    def begin_copy(self, client_id: int) -> list[AofLoadedFile]:
        """Let client `client_id` copy the log: until it says so or has gone no file of it is deleted.

        Returns the files, history included, each with the size that belongs to this moment. Raises CommandError where
        the log is off or in trouble, `AofFatal`.
        """
        self.flush()
        if self.aof.state != ON:
            raise CommandError(b"ERR the append only file is off, or has no base yet")
        refusal = self.aof.misconf()
        if refusal is not None:
            raise CommandError(refusal)
        files: list[AofLoadedFile] = []
        manifest = self.aof.manifest
        for part in [*manifest.history, *manifest.parts()]:
            try:
                files.append(AofLoadedFile(part.name, self._files.size(self.store.path(part.name))))
            except OSError as error:
                raise CommandError(b"ERR " + described(error).encode()) from error
        self._copying.add(client_id)
        self.aof.history.pinned = True
        return files

    def end_copy(self, client_id: int) -> None:
        """Client `client_id` needs the files no longer."""
        self._copying.discard(client_id)
        self.aof.history.pinned = bool(self._copying)

    def _forget_copiers(self) -> None:
        for client_id in list(self._copying):
            if client_id not in self._engine.clients:
                log.notice("Client id=%d went away while it copied the append only file", client_id)
                self.end_copy(client_id)

    def info(self) -> list[tuple[str, str]]:
        """The fields of INFO Persistence that begin with `aof_` and are always there."""
        return aof_info(self.aof)

    def sizes_info(self) -> list[tuple[str, str]]:
        """The fields that are there while the log is on."""
        return aof_sizes_info(self.aof)

    def _know_manifest(self) -> None:
        """Read what an earlier log has left, so that its files are replaced as a whole or not at all."""
        if self._manifest_known:
            return
        try:
            self.aof.manifest = self.store.read()
        except AikvError as error:
            log.warning("Can't rewrite append only file in background: %s", error)
            self.aof.abort_rewrite("", True)
            raise CommandError(
                b"ERR Can't execute an AOF background rewriting. Please check the server logs for details."
            ) from error
        self._manifest_known = True

    def _base_options(self) -> BaseOptions:
        config = self._engine.config
        timestamp = self._engine.clock.unix_ms() // 1000 if config.get_bool("aof-timestamp-enabled") else -1
        return BaseOptions(config.get_bool("aof-use-rdb-preamble"), self._snapshots.options(True), timestamp)

    def _write_base(self, path: str) -> None:
        try:
            write_base(self._files, path, self._snapshots.databases(), self._base_options())
        except OSError as error:
            raise AikvError(f"Can't write the first base file of the AOF to {path}: {described(error)}") from error

    def _follow(self) -> None:
        """The log has opened another file, or none: the journal begins anew."""
        journal = self._engine.journal
        journal.active = self.aof.active
        journal.reselect()

    def _read_policy(self) -> None:
        config = self._engine.config
        self.aof.set_policy(POLICIES[config.get_str("appendfsync")])
        self.aof.no_fsync_on_rewrite = config.get_bool("no-appendfsync-on-rewrite")

    def _read_timestamps(self) -> None:
        self.aof.timestamps = self._engine.config.get_bool("aof-timestamp-enabled")

    def _read_history(self) -> None:
        config = self._engine.config
        forever = config.get_bool("aof-disable-auto-gc")
        self.aof.history.keep_s = -1 if forever else config.get_int("aikv-aof-history-seconds")

    def _switch(self) -> None:
        wanted = self._engine.config.get_bool("appendonly")
        if wanted == (self.aof.state != OFF):
            return
        if not wanted:
            self.flush()
            self.kill()
            self.aof.disable()
            self._follow()
            self.waits.switched_off()
            return
        self.aof.enable()
        if self._snapshots.running() or self.rewriting():
            self.aof.rewrite_scheduled = True
            log.notice(
                "AOF is enabled but there is already another background operation. An AOF background was scheduled."
            )
            return
        try:
            self.rewrite()
        except CommandError as error:
            self.aof.disable()
            self._follow()
            raise ValueError(error.text.decode("latin-1")) from error
