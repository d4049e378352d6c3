"""An engine without a server: a clock that stands still, a journal, and clients that are asked line by line."""

import hiredis

from aikv import commands
from aikv.base.clock import ManualClock
from aikv.base.random import Random
from aikv.engine.blocking import Scheduler, Timer
from aikv.engine.client import Client, Link
from aikv.engine.client_life import connect
from aikv.engine.config import Config
from aikv.engine.engine import Engine

NOW_MS = 1_700_000_000_000

commands.load()


class ManualTimer(Timer):
    """A call that is due at a certain time, unless it was cancelled."""

    def __init__(self, due_ms: int, callback: object) -> None:
        self.due_ms = due_ms
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualScheduler(Scheduler):
    """Keeps the calls; `Served.advance` makes those that have become due."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.timers: list[ManualTimer] = []

    def call_later(self, delay_ms: int, callback: object) -> Timer:
        timer = ManualTimer(self.clock.unix_ms() + delay_ms, callback)
        self.timers.append(timer)
        return timer


class Served:
    """An engine with one client."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW_MS)
        self.scheduler = ManualScheduler(self.clock)
        self.config = Config()
        self.engine = Engine(self.config, self.clock, Random(1), self.scheduler)
        self.engine.journal.active = True
        self.client = self.connect()

    def connect(self, internal: bool = False) -> Client:
        """Make another client."""
        return connect(self.engine, Link(), internal)

    def run(self, *line: str | bytes, client: Client | None = None) -> bytes:
        """Run one command, given as a line of words without blanks or word by word; returns the raw reply."""
        words = line if len(line) > 1 else str(line[0]).split()
        client = client or self.client
        self.engine.process(client, [[word.encode() if isinstance(word, str) else word for word in words]])
        return self.output(client)

    def output(self, client: Client | None = None) -> bytes:
        """Return what a client has been sent since the last call."""
        client = client or self.client
        return client.out.take()

    def advance(self, milliseconds: int) -> None:
        """Let time pass, and timers come due."""
        self.clock.advance_ms(milliseconds)
        for timer in [timer for timer in self.scheduler.timers if timer.due_ms <= self.clock.unix_ms()]:
            self.scheduler.timers.remove(timer)
            if not timer.cancelled and callable(timer.callback):
                timer.callback()
        self.engine.before_sleep()

    def recorded(self) -> list[list[bytes]]:
        """Return what the journal has got since the last call, without the SELECTs."""
        return [record for record in self.journal() if record[0] != b"SELECT"]

    def journal(self) -> list[list[bytes]]:
        """Return what the journal has got since the last call."""
        reader = hiredis.Reader()
        reader.feed(self.engine.journal.take())
        records: list[list[bytes]] = []
        while (record := reader.gets()) is not False:
            records.append(record)
        return records
