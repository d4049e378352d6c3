"""What happens without a client: expiry, save points, time-outs, statistics.

Theory of operation: `run` is called by the event loop `hz` times a second. Work that can be long (keys that ran out,
emptied databases) has a budget of a millisecond per call; while there is more of it the next call comes sooner,
so that much gets done and no client waits long.
"""

import asyncio
from typing import Final

from aikv.base import log
from aikv.engine import gates, pause
from aikv.engine.command_table import all_calls
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.keyspace.expiry import ExpiryCycle
from aikv.persistence.aof_log import AofFatal
from aikv.server.collector import Collector
from aikv.server.tick import Tick

# One command's time, so that even where the system gives the processor to somebody else in the midst of it, which
# takes four milliseconds or more, and as likely as the work is long, a client waits for less than ten.
_BUDGET_US: Final = 1000
# Seconds until the next call while there is more to do: work takes at most a quarter of the time.
_SOON_S: Final = 0.003


class Cron:
    """The recurring work of a server."""

    def __init__(self, tick: Tick, loop: asyncio.AbstractEventLoop) -> None:
        self._tick = tick
        self._engine: Final[Engine] = tick.engine
        self._persistence: Final[Persistence] = tick.persistence
        self._loop = loop
        self._expiry = ExpiryCycle(tick.engine.clock)
        self._next_regular_us = 0
        self._collector: Final = Collector(tick.engine.clock.monotonic_us())
        # Clients still to be looked at for time-outs in this round.
        self._round: list[int] = []
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        self.run()

    def stop(self) -> None:
        """No further call."""
        if self._handle is not None:
            self._handle.cancel()

    def run(self) -> None:
        """One call."""
        engine = self._engine
        # A script rests half-way: nothing may run out or be saved before it has ended.
        is_busy = engine.gates & gates.BUSY != 0
        more = engine.releaser.free(engine.clock, _BUDGET_US)
        if engine.active_expire and engine.pause.kind == pause.NONE and not is_busy:
            began = engine.clock.monotonic_us()
            self._expiry.run(engine.databases, _BUDGET_US)
            # Somebody may wait for a key that has just run out.
            engine.waits.serve()
            took = engine.clock.monotonic_us() - began
            engine.observer.latency.note("expire-cycle", took)
            more = more or took >= _BUDGET_US
        now_us = engine.clock.monotonic_us()
        period_us = 1_000_000 // max(1, engine.config.get_int("hz"))
        try:
            self._persistence.flush()
            if now_us >= self._next_regular_us and not is_busy:
                self._next_regular_us = now_us + period_us
                self._regular(now_us)
        except AofFatal as error:
            self._tick.die(error)
        self._handle = self._loop.call_later(_SOON_S if more else period_us / 1_000_000, self.run)

    def _regular(self, now_us: int) -> None:
        engine = self._engine
        engine.stats.sample(all_calls(engine.commands), now_us)
        self._persistence.cron()
        self._time_out_clients()
        self._tick.judge_soft_limits()
        self._collector.run(now_us)

    def _time_out_clients(self) -> None:
        """Close clients that have been idle for `timeout` seconds; each is looked at about once a second."""
        engine = self._engine
        limit = engine.config.get_int("timeout")
        if limit == 0:
            return
        if not self._round:
            self._round = list(engine.clients)
        now_s = engine.clock.unix_ms() // 1000
        share = len(engine.clients) // max(1, engine.config.get_int("hz")) + 5
        for _ in range(min(share, len(self._round))):
            client = engine.clients.get(self._round.pop())
            if client is None or client.block is not None or client.kind != b"normal":
                continue
            if now_s - client.last_used_s > limit:
                log.verbose("Closing idle client id=%d", client.id)
                self._tick.drop(client)
