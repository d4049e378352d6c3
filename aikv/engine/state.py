"""What commands act on, and the time in which they do.

Theory of operation: plain data that the engine, its parts and the handlers share, in one object because every command
reads it: the databases, the clients, the gates that are closed for all of them, and copies of settings that are
asked for at each key. What does something with it is elsewhere: `Engine`, which is the only kind of `State`, runs
commands, and each of its parts has a module.

Time: dispatch reads the clock once after each command and sets `now_ns`; `now_ms` and `now_s` are made of it when they
turn. What a command does to keys goes by these, not by the clock, so that it sees one time from beginning to end.
"""

from collections.abc import Callable
from typing import Final

from mypy_extensions import i64

from aikv.base.clock import Clock
from aikv.base.random import Random
from aikv.engine.blocking import Scheduler
from aikv.engine.client import Client
from aikv.engine.collation_follow import follow_collation
from aikv.engine.command import COMMANDS, Command
from aikv.engine.command_table import renamed
from aikv.engine.config.store import Config
from aikv.engine.journal import Journal
from aikv.engine.limits_follow import follow_limits
from aikv.engine.pause import Pause
from aikv.engine.release import Releaser
from aikv.engine.stats import Stats
from aikv.keyspace.database import Database

NS_PER_S: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000


class State:
    """The databases, the clients, and what holds for all commands."""

    # What a command reads. Interpreted, an attribute in a slot costs 6 ns, one in a dictionary as large as this
    # object's 10 ns; the compiled form knows no difference.
    __slots__ = (
        "__dict__",
        "_turn_ns",
        "dirty",
        "gates",
        "lfu",
        "noted_ns",
        "notify",
        "now_ms",
        "now_ns",
        "now_s",
        "stats",
        "tracks",
        "unremarkable_ns",
    )

    def __init__(self, config: Config, clock: Clock, random: Random, scheduler: Scheduler) -> None:
        self.config = config
        self.clock = clock
        self.random = random
        self.scheduler = scheduler
        self.stats = Stats()
        self.journal = Journal()
        self.pause = Pause()
        # What was removed and is freed in slices.
        self.releaser = Releaser()
        self.databases: list[Database] = []
        # Commands by name in lower case, `rename-command` applied.
        self.commands: dict[bytes, Command] = renamed(COMMANDS, config.rename_commands)
        # By number; the internal ones are not among them.
        self.clients: dict[int, Client] = {}
        self.next_client = 1
        # Clients that MONITOR.
        self.monitors: dict[int, Client] = {}
        # The gates that are closed for all clients.
        self.gates: i64 = 0
        # The refusal of writes while the DISK_ERROR gate is closed.
        self.disk_error = b""
        # Changes so far; only grows. What has changed since a save is for whoever saved to know.
        self.dirty: i64 = 0
        # `notify-keyspace-events` as bits of `engine.events`.
        self.notify: i64 = 0
        # Whether a change of a key is of interest to `tracking`.
        self.tracks = False
        # Whether an LFU policy is in force, with its two parameters.
        self.lfu = False
        self.lfu_decay_minutes = 1
        self.lfu_factor = 10
        self.active_expire = True
        # Called when FLUSHALL has emptied all databases.
        self.on_flushall: list[Callable[[], None]] = []
        # Commands that take at least so long are told to the observer, which sets this.
        self.noted_ns: i64 = 0
        # Of these, the ones that take less than so long concern histograms only; the observer sets this, too.
        self.unremarkable_ns: i64 = 0
        self._read_clock = clock.reader()
        self.started_ns = clock.unix_ns()
        self.now_ns: i64 = self.started_ns
        self.now_ms: i64 = self.started_ns // _NS_PER_MS
        # When `now_ms` is over.
        self._turn_ns: i64 = 0
        # The second as an object, made once per second: see AccessTimes.touch.
        self.now_s: object = self.started_ns // NS_PER_S
        self._second_ends_ns: i64 = 0
        self.refresh_time()
        follow_limits(config)
        follow_collation(config)

    def touch(self, database: Database, key: bytes) -> None:
        """Note a use of `key`."""
        if self.lfu:
            database.access.touch_frequency(
                key, self.now_ms // 1000, self.lfu_decay_minutes, self.lfu_factor, self.random
            )
        else:
            database.access.touch(key, self.now_s)

    def refresh_time(self) -> None:
        """Read the clock, for what does not begin with a client's input."""
        self.set_time(self.clock.unix_ns())

    def set_time(self, now_ns: i64) -> None:
        """Let it be `now_ns`, which may be before the time of the last command."""
        self.now_ns = now_ns
        if not 0 < self._turn_ns - now_ns <= _NS_PER_MS:
            self._turn(now_ns)

    def _turn(self, now: i64) -> None:
        """A millisecond begins."""
        milliseconds: i64 = now // _NS_PER_MS
        self.now_ms = milliseconds
        self._turn_ns = (milliseconds + 1) * _NS_PER_MS
        if now >= self._second_ends_ns:
            self.now_s = now // NS_PER_S
            self._second_ends_ns = (now // NS_PER_S + 1) * NS_PER_S
