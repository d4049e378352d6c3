"""The composition root: makes one server out of the rooms.

Theory of operation: `Server` is given a configuration and the outside world (files, clock, randomness) and puts
together engine, persistence, sockets and cron. `run` is the life of the process: bind, load, serve, shut down. It
returns an exit status and raises `AikvError` for what stops the start.
"""

import asyncio
import gc
import os
import platform
import signal
import sys
from typing import Final

from aikv import commands
from aikv.base import log
from aikv.base.clock import Clock, SystemClock
from aikv.base.errors import AikvError, CommandError
from aikv.base.form import COMPILED
from aikv.base.random import Random
from aikv.base.version import REDIS_VERSION, VERSION
from aikv.engine import gates
from aikv.engine.config import Config
from aikv.engine.engine import Engine
from aikv.engine.lifecycle import Lifecycle
from aikv.engine.migration import Migrations
from aikv.engine.persistence import Persistence
from aikv.persistence.aof_fsync import ThreadRunner
from aikv.persistence.aof_log import AofFatal
from aikv.persistence.files import Files
from aikv.scripting import commands as script_commands  # noqa: F401 (declares them)
from aikv.scripting.scripts import Scripts
from aikv.server.cron import Cron
from aikv.server.listener import Listener
from aikv.server.loop import LoopScheduler, new_event_loop, report_fault
from aikv.server.open_files import clients_allowed
from aikv.server.supervision import READY, STOPPING, notify_supervisor
from aikv.server.tick import Tick
from aikv.server.transfers import ThreadTransfers

# How soon it is looked again whether a script has ended that stands in the way of the end.
_AFTER_SCRIPT_S: Final = 0.05
FORM: Final = "compiled" if COMPILED else "pure"


class Server(Lifecycle):
    """One server; `run` serves until it is told to shut down."""

    def __init__(self, config: Config, files: Files | None = None, clock: Clock | None = None) -> None:
        commands.load()
        self.config: Final = config
        self._files: Final = files if files is not None else Files()
        self._loop: Final = new_event_loop()
        self.engine: Final = Engine(
            config, clock if clock is not None else SystemClock(), Random(), LoopScheduler(self._loop)
        )
        self.persistence: Final = Persistence(self.engine, self._files, ThreadRunner(self._files))
        self.engine.users.start(self._files)
        self.engine.persistence = self.persistence
        self.engine.lifecycle = self
        self.engine.scripting = Scripts(self.engine)
        self.engine.migrations = Migrations(self.engine, ThreadTransfers(self._loop, self.engine.clock))
        self._tick: Final = Tick(self.engine, self.persistence, self._loop)
        self._cron: Final = Cron(self._tick, self._loop)
        self._listener: Final = Listener(config)
        self._ended: Final[asyncio.Future[None]] = self._loop.create_future()
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        config.on_change("loglevel", self._set_log_level)
        config.on_change("bind", self._rebind)
        config.on_change("port", self._rebind)
        config.on_change("maxclients", self._admit_more_clients)

    def run(self) -> int:
        """Serve until shutdown; returns the exit status. Raises `AikvError` for what stops the start."""
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(report_fault)
        # Until there is something to save, a signal ends the process at once.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            self._announce()
            self._check_dir()
            self._limit_clients()
            self._listener.open()
            # A dataset has no cycles: looking for them while it grows takes more time than loading it.
            gc.collect()
            gc.disable()
            self.persistence.load()
            # What is loaded stays: the collector need not look at it ever again.
            gc.freeze()
            self._loop.run_until_complete(self._serve())
        finally:
            self._listener.close()
            self._loop.close()
        return 0

    async def _serve(self) -> None:
        """Let clients in, and wait for the end.

        Signals are caught first and while the loop runs: one that came before it would be forgotten.
        """
        self._catch_signals()
        await self._listener.accept(self._tick)
        self._cron.start()
        notify_supervisor(self.config.get_str("supervised"), READY)
        await self._ended

    def shutdown(self, save: bool | None, now: bool, force: bool) -> None:  # noqa: ARG002 (there are no replicas yet)
        log.notice("User requested shutdown...")
        if not self._finish(save, force):
            raise CommandError(b"ERR Errors trying to SHUTDOWN. Check logs.")

    def _finish(self, save: bool | None, force: bool) -> bool:
        """Bring everything to the disk and stop the loop; False where the server has to go on."""
        try:
            if not self.persistence.close(save, force):
                return False
        except AofFatal as error:
            self._tick.die(error)
        # No command runs any more, neither the rest of a pipeline nor what this turn of the loop has still to read:
        # nobody may be told that a change is safe that is not.
        self._tick.stopped = True
        for client in self.engine.clients.values():
            client.close_after_reply()
        notify_supervisor(self.config.get_str("supervised"), STOPPING)
        self._cron.stop()
        if not self._ended.done():
            self._ended.set_result(None)
        log.notice("aikv is now ready to exit, bye bye...")
        return True

    def _announce(self) -> None:
        log.notice(
            "aikv %s is starting: %s form, CPython %s, as Redis %s, pid %d",
            VERSION,
            FORM,
            platform.python_version(),
            REDIS_VERSION,
            os.getpid(),
        )
        if self.config.file:
            log.notice("Configuration loaded from %s", self.config.file)
        else:
            log.notice("No configuration file given: using the defaults. Name one with: aikv /path/to/aikv.conf")

    def _check_dir(self) -> None:
        directory = self.config.get_str("dir")
        writes = bool(self.config.save_points) or self.config.get_bool("appendonly")
        if writes and not os.access(directory, os.W_OK | os.X_OK):
            raise AikvError(
                f"The data directory {directory} is not writable, so nothing could be saved. Change its permissions, "
                'set `dir`, or switch persistence off with `save ""` and `appendonly no`.'
            )

    def _limit_clients(self) -> None:
        """Lower `maxclients` to what the system allows."""
        wanted = self.config.get_int("maxclients")
        allowed = clients_allowed(wanted)
        if allowed < 1:
            raise AikvError("The system allows this process too few open files to serve even one client: see ulimit -n")
        if allowed < wanted:
            log.warning("The system allows too few open files for %d clients: maxclients is %d now", wanted, allowed)
            self.config.configure("maxclients", [b"%d" % allowed])

    def _admit_more_clients(self) -> None:
        wanted = self.config.get_int("maxclients")
        allowed = clients_allowed(wanted)
        if allowed < wanted:
            raise ValueError(
                f"The operating system is not able to handle the specified number of clients, try with {allowed}"
            )

    def _catch_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled, number)
        # A log file or peer that went away is reported where it is written to.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _signalled(self, number: int) -> None:
        name = signal.Signals(number).name
        if self.engine.gates & gates.BUSY:
            # What a script has half done is not to be saved.
            self._loop.call_later(_AFTER_SCRIPT_S, self._signalled, number)
            return
        log.warning("Received %s scheduling shutdown...", name)
        options = self.config.get_str(f"shutdown-on-{name.lower()}").split()
        save = True if "save" in options else False if "nosave" in options else None
        self._loop.remove_signal_handler(signal.SIGINT)
        if sys.stderr.isatty():
            log.notice("Ctrl-C once more ends the server without saving.")
        # Whoever insists is not made to wait for a save, during which no handler of the loop would run.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if not self._finish(save, "force" in options):
            self._loop.add_signal_handler(signal.SIGINT, self._signalled, signal.SIGINT)
            log.warning(
                "%s received but errors trying to shut down the server, check the logs for more information", name
            )

    def _set_log_level(self) -> None:
        log.set_level(self.config.get_str("loglevel"))

    def _rebind(self) -> None:
        if not self._loop.is_running():
            return
        self._listener.bind_anew()
        task: asyncio.Task[None] = self._loop.create_task(self._listener.rebind(self._tick))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
