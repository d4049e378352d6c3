"""A server without sockets on a disk in memory: the real engine, persistence and loader.

Theory of operation: `World` puts engine and `Persistence` together as the composition root does, with a clock that a
test moves, a runner of fsyncs that works when told, and children that fork nothing: a `ScriptedChild` runs its job at
once, on the dataset of the fork, but its file calls are carried out later, a few at a time. `tick` is the end of one
turn of the event loop, `cron` what the cron calls.
"""

import hashlib
import logging
import os
from collections.abc import Callable

from aikv import commands
from aikv.base.clock import ManualClock
from aikv.base.random import Random
from aikv.engine.client import Link
from aikv.engine.client_life import connect
from aikv.engine.config import Config
from aikv.engine.digest import dataset_digest
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.keyspace.database import NO_EXPIRY
from aikv.persistence.aof_fsync import DiskRunner, DiskTask
from aikv.persistence.background import BackgroundChild, ChildJob, ChildOutcome
from crash.power.memory import MemoryFiles
from served import NOW_MS, ManualScheduler

commands.load()


class Heard(logging.Handler):
    """Keeps the lines of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> "Heard":
        self._level = logging.getLogger("aikv").level
        logging.getLogger("aikv").setLevel(logging.INFO)
        logging.getLogger("aikv").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("aikv").removeHandler(self)
        logging.getLogger("aikv").setLevel(self._level)


class ScriptedChild(BackgroundChild):
    """A child whose file calls are made by `step`; where `at_once` they are all made at the fork, and may fail."""

    def __init__(self, files: MemoryFiles, at_once: bool) -> None:
        super().__init__()
        self.files = files
        self.at_once = at_once
        self.script: list[Callable[[], None]] = []
        self.outcome = ChildOutcome(True, "")

    def start(self, job: ChildJob) -> None:
        if not self.at_once:
            self.files.script = self.script = []
        try:
            self.outcome = ChildOutcome(True, job.run())
        except OSError as error:
            self.outcome = ChildOutcome(False, str(error))
        finally:
            self.files.script = None
        # The names of temporary files are made of it.
        self.pid = os.getpid()

    def step(self, calls: int) -> None:
        """Make the next few calls of the child."""
        for _ in range(min(calls, len(self.script))):
            self.script.pop(0)()

    def poll(self) -> ChildOutcome | None:
        if self.pid == 0 or self.script:
            return None
        self.pid = 0
        return self.outcome

    def kill(self) -> ChildOutcome | None:
        running = self.pid != 0
        self.pid = 0
        self.script = []
        return ChildOutcome(False, "terminated by signal 9") if running else None


class PatientRunner(DiskRunner):
    """Runs the jobs that were submitted when the test says so."""

    def __init__(self, files: MemoryFiles) -> None:
        self.files = files
        self.jobs: list[DiskTask] = []

    def submit(self, job: DiskTask) -> None:
        self.jobs.append(job)

    def run(self) -> None:
        """Run what waits."""
        while self.jobs:
            self.jobs.pop(0).run(self.files)

    def stop(self) -> None:
        self.run()


class World:
    """One server; `settings` are directives and their values."""

    def __init__(
        self, files: MemoryFiles, settings: dict[str, str], now_ms: int = NOW_MS, at_once: bool = False
    ) -> None:
        self.files = files
        self.clock = ManualClock(now_ms)
        config = Config()
        for name, value in settings.items():
            config.configure(name, [word.encode() for word in value.split()] or [b""])
        self.engine = Engine(config, self.clock, Random(1), ManualScheduler(self.clock))
        self.runner = PatientRunner(files)
        self.saver = ScriptedChild(files, at_once)
        self.rewriter = ScriptedChild(files, at_once)
        self.persistence = Persistence(self.engine, files, self.runner, self.saver, self.rewriter)
        self.engine.persistence = self.persistence
        self.client = connect(self.engine, Link())

    def run(self, *argv: bytes) -> bytes:
        """Run one command; returns the raw reply, which nobody has been sent yet."""
        self.engine.process(self.client, [list(argv)])
        return self.client.out.take()

    def info(self, field: str) -> str:
        """A field of INFO Persistence."""
        return dict(self.persistence.info())[field]


def fingerprint(engine: Engine) -> str:
    """The whole dataset in one short text: DEBUG DIGEST, and the moments at which keys run out."""
    times = [
        (database.index, key, database.expire_of(key))
        for database in engine.databases
        if database.expires_count()
        for bucket in database.buckets()
        for key in bucket
        if database.expire_of(key) != NO_EXPIRY
    ]
    said = hashlib.sha1(repr(sorted(times)).encode(), usedforsecurity=False).hexdigest() if times else ""
    return dataset_digest(engine).decode() + said[:12]
