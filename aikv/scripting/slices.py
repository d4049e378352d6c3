"""Scripts that take long: they go on in slices, and the server answers in between.

Theory of operation: scripts run in a greenlet of their own, the worker. Lua has a hook called every 100,000
instructions, and `Calls` looks at the clock after every command; when the script's time is over, `rest` switches back
to the event loop's greenlet. The command that has run the script then waits like a blocked one, the BUSY gate is
closed, and the loop gives the worker a slice of time again and again until the script ends. Commands that the gate lets
through see the engine as if no unit were open: what the script has recorded so far is set aside (`Engine.set_aside`).

Why greenlets: a switch in the middle of a C call saves the C stack as it is, so neither Lua (which cannot yield
through a hook written in Lua, through pcall or through a call from C) nor the commands need to know. Lua's errors are
long jumps within the part of the stack that belongs to the worker, which is back in its place whenever the worker
runs; the same holds for the locks and the thread state that lupa keeps on its stack. Nothing runs in the same
interpreter meanwhile. A thread would need a lock around the whole engine.

The worker is kept from script to script, because making one costs 20 microseconds, a switch half of one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from aikv.base import log
from aikv.base.errors import CommandError
from aikv.engine import gates
from aikv.engine.blocking import Block, block_client, unblock_client
from aikv.engine.client import Client
from aikv.engine.client_life import let_go
from aikv.engine.command import Command
from aikv.engine.scripting import Aside
from aikv.resp.output import Output
from aikv.resp.reply import NO_REPLY

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

# How long a busy script goes on before others are looked at again.
_SLICE_NS: Final = 5_000_000
_NEVER: Final = 1 << 62


class Outcome:
    """What work has come to: its value, or an error."""

    def __init__(self, value: object, error: BaseException | None) -> None:
        self.value: Final = value
        self.error: Final = error

    def result(self) -> object:
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self.value


class Slow:
    """Work that goes on in slices: who waits for it, and what was going on when it rested."""

    def __init__(self, client: Client, command: Command, argv: list[bytes], began_ns: int, out: Output) -> None:
        self.client: Final = client
        self.command: Final = command
        self.argv: Final = argv
        self.began_ns: Final = began_ns
        # The client's output, and the one that the work has put in its place, if it has.
        self.out: Final = out
        self.inner_out: Output = out
        self.last: Command | None = None
        self.block: Block | None = None
        self.aside: Aside | None = None
        self.now_ms = 0


class Slices:
    """Runs work that may be slow, one at a time."""

    def __init__(self, engine: "Engine") -> None:
        self._engine: Final = engine
        self._home: Any = None
        self._worker: Any = None
        self._working = False
        # Unix time in nanoseconds at which the running slice is over; the first one ends when the script is slow.
        self.ends_ns = _NEVER
        self.slow: Slow | None = None
        self.killed = False
        # The worker is being taken down.
        self._ending = False

    def run(self, client: Client, argv: list[bytes], work: Callable[[], object]) -> object:
        """Do `work` for the running command `argv` of `client`: what it returns, or NO_REPLY if it goes on later.

        Raises what it raises. Work within work belongs to the outer one.
        """
        threshold_ms = self._engine.config.get_int("busy-reply-threshold")
        if self._working or client.internal or threshold_ms <= 0:
            return work()
        if self._worker is None or self._worker.dead:
            self._make_worker()
        engine = self._engine
        command = client.last
        assert command is not None
        depth = engine.unit_depth()
        began_ns = int(engine.now_ns)
        out = client.out
        self.killed = False
        self.ends_ns = began_ns + threshold_ms * 1_000_000
        self._working = True
        outcome = self._worker.switch(work)
        if outcome is not None:
            self._working = False
            self.ends_ns = _NEVER
            return outcome.result()
        slow = Slow(client, command, argv, began_ns, out)
        self.slow = slow
        log.warning("Slow script detected: still in execution after %d milliseconds.", threshold_ms)
        engine.gates |= gates.BUSY
        self._put_aside(slow, depth, depth)
        # What has passed is counted at the end.
        engine.refresh_time()
        slow.block = Block(_no_timeout, None, stays=True)
        block_client(engine, client, slow.block, 0)
        context = client.context
        assert context is not None
        # The commands record themselves.
        context.rewritten = []
        self._schedule()
        return NO_REPLY

    def over(self) -> bool:
        """The running slice's time is over; asks the clock."""
        return self._engine.clock.unix_ns() >= self.ends_ns

    def rest(self) -> bool:
        """Called within work: let the loop go on; returns whether the work is to end at once."""
        from greenlet import GreenletExit

        try:
            self._home.switch(None)
        except GreenletExit:
            # The process ends, and nobody will come back to this.
            self._ending = True
            self.killed = True
        return self.killed

    def _make_worker(self) -> None:
        from greenlet import getcurrent, greenlet

        self._home = getcurrent()
        self._worker = greenlet(self._serve)

    def _serve(self, work: Callable[[], object]) -> None:
        """The worker's life."""
        while not self._ending:
            try:
                outcome = Outcome(work(), None)
            except Exception as error:
                outcome = Outcome(None, error)
            if not self._ending:
                work = self._home.switch(outcome)

    def _schedule(self) -> None:
        self._engine.scheduler.call_later(0, self._go_on)

    def _put_aside(self, slow: Slow, base: int, outside: int) -> None:
        client = slow.client
        engine = self._engine
        slow.now_ms = int(engine.now_ms)
        slow.aside = engine.set_aside(base, outside)
        slow.last = client.last
        slow.inner_out = client.out
        client.out = slow.out
        client.last = slow.command

    def _go_on(self) -> None:
        """One more slice."""
        slow = self.slow
        assert slow is not None
        assert slow.aside is not None
        client = slow.client
        engine = self._engine
        engine.refresh_time()
        self.ends_ns = int(engine.now_ns) + _SLICE_NS
        engine.now_ms = slow.now_ms
        engine.take_up(slow.aside)
        client.last = slow.last
        client.out = slow.inner_out
        client.running = True
        outcome = self._worker.switch(None)
        if outcome is None:
            self._put_aside(slow, 1, 0)
            client.running = False
            self._schedule()
        else:
            self._end(slow, outcome)

    def _end(self, slow: Slow, outcome: Outcome) -> None:
        engine = self._engine
        client = slow.client
        command = slow.command
        self.slow = None
        self._working = False
        self.ends_ns = _NEVER
        engine.gates &= ~gates.BUSY
        engine.refresh_time()
        took_ns = int(engine.now_ns) - slow.began_ns
        command.spent_ns += took_ns
        client.last = command
        reply = outcome.value
        if isinstance(outcome.error, CommandError):
            reply = outcome.error
        elif outcome.error is not None:
            engine.report_fault(client, command, outcome.error)
            reply = NO_REPLY
        if client.block is slow.block:
            unblock_client(engine, client, reply)
        engine.close_unit(client)
        engine.observer.note(client, command, slow.argv, took_ns // 1000)
        if client.id not in engine.clients:
            let_go(client)


def _no_timeout() -> object:
    return NO_REPLY
