"""CLIENT PAUSE: holding back clients for a while.

Theory of operation: while a pause is in force the PAUSED gate is set; a command that it concerns is put back at the
head of its client's queue and the client halts. The end of the pause resumes all of them. Keys do not expire
meanwhile, so that a replica can catch up with a dataset that stands still.

A pause during a pause can only make it stricter and longer, as in Redis.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aikv.engine import gates
from aikv.engine.blocking import Timer, resume_client
from aikv.engine.client import Client

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

NONE: Final = 0
WRITES: Final = 1
ALL: Final = 2

# Event loops are made for shorter delays than a client may ask for.
_LONGEST_DELAY_MS: Final = 24 * 3600 * 1000


class Pause:
    """What is paused, until when (Unix ms), and who waits; `afterwards` is what else is to be done at the end."""

    def __init__(self) -> None:
        self.kind = NONE
        self.until_ms = 0
        self.waiting: list[Client] = []
        self.afterwards: list[Callable[[], None]] = []
        self._timer: Timer | None = None

    def begin(self, engine: "Engine", kind: int, until_ms: int) -> None:
        """Hold back what `kind` says until `until_ms`."""
        self.kind = max(kind, self.kind)
        self.until_ms = max(until_ms, self.until_ms)
        engine.gates |= gates.PAUSED
        for database in engine.databases:
            database.keep_expired = True
        self._wait(engine)

    def end(self, engine: "Engine") -> None:
        """End the pause, if there is one, and let everybody go on."""
        self._cancel_timer()
        self.kind = NONE
        self.until_ms = 0
        engine.gates &= ~gates.PAUSED
        for database in engine.databases:
            database.keep_expired = False
        waiting = self.waiting
        self.waiting = []
        for client in waiting:
            client.paused = False
            resume_client(engine, client)
        afterwards = self.afterwards
        self.afterwards = []
        for callback in afterwards:
            # Not now: the end may be a command, and what is done then is none of its doing.
            engine.scheduler.call_later(0, callback)

    def time_out(self, engine: "Engine") -> None:
        """The timer has run; the pause ends unless there is time left."""
        self._timer = None
        if engine.clock.unix_ms() >= self.until_ms:
            self.end(engine)
        else:
            self._wait(engine)

    def hold(self, client: Client, argv: list[bytes]) -> None:
        """Keep `argv` back until the pause ends."""
        client.queue.insert(0, argv)
        client.halted = True
        client.paused = True
        self.waiting.append(client)

    def forget(self, client: Client) -> None:
        """A waiting client has gone."""
        if client.paused:
            client.paused = False
            self.waiting.remove(client)

    def _wait(self, engine: "Engine") -> None:
        self._cancel_timer()
        left_ms = max(1, self.until_ms - engine.clock.unix_ms())
        self._timer = engine.scheduler.call_later(min(left_ms, _LONGEST_DELAY_MS), _PauseTimeout(engine).run)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _PauseTimeout:
    """What the timer of a pause calls."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def run(self) -> None:
        self._engine.pause.time_out(self._engine)
