"""Clients that wait: blocking commands and their time limits.

Theory of operation: a handler that has nothing to answer yet gives the client a `Block` and returns `NO_REPLY`; the
client is halted and further commands queue up. Whatever makes the answer possible calls `unblock_client` with it,
and what has queued up runs before the event loop sleeps. A `Scheduler`, the event loop in a server, calls back when the
time limit passes, so nothing is polled.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from aikv.base.errors import CommandError
from aikv.engine import gates
from aikv.engine.client import Client
from aikv.resp.encoder import encode, encode_error

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


@mypyc_attr(allow_interpreted_subclasses=True)
class Timer:
    """A pending call of a `Scheduler`."""

    def cancel(self) -> None:
        """The call shall not be made."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Scheduler:
    """Calls functions later. This one never does, as for an engine without an event loop."""

    def call_later(self, delay_ms: int, callback: Callable[[], None]) -> Timer:
        """Call `callback` once in `delay_ms` milliseconds, unless the timer is cancelled."""
        raise NotImplementedError


class Block:
    """Why a client waits.

    `on_timeout` gives the reply when the time limit passes, or when CLIENT UNBLOCK asks for just that.
    `cancel` is called when the client stops waiting for whatever reason. One that `stays` cannot be ended by CLIENT
    UNBLOCK, because what the client waits for is half done.
    """

    def __init__(
        self, on_timeout: Callable[[], object], cancel: Callable[[], None] | None = None, stays: bool = False
    ) -> None:
        self.on_timeout = on_timeout
        self.cancel = cancel
        self.stays = stays
        self.timer: Timer | None = None
        # CLIENT REPLY had the reply of the command dropped that waits.
        self.quiet = False


class Timeout:
    """The end of one client's waiting; void once the client waits for something else."""

    def __init__(self, engine: "Engine", client: Client, block: Block) -> None:
        self._engine = engine
        self._client = client
        self._block = block

    def run(self) -> None:
        """Give the client its time-out reply."""
        if self._client.block is self._block:
            unblock_client(self._engine, self._client, self._block.on_timeout())


def block_client(engine: "Engine", client: Client, block: Block, timeout_ms: int) -> None:
    """Let `client` wait; 0 waits for ever. The handler returns NO_REPLY."""
    client.block = block
    block.quiet = client.reply_off or client.skip_next
    client.halted = True
    _count(client, -1)
    if timeout_ms > 0:
        block.timer = engine.scheduler.call_later(timeout_ms, Timeout(engine, client, block).run)


def unblock_client(engine: "Engine", client: Client, reply: object) -> None:
    """Answer a waiting client and let it go on."""
    quiet = client.block is not None and client.block.quiet
    _count(client, 1)
    stop_waiting(client)
    if isinstance(reply, CommandError):
        engine.stats.count_error(reply.text)
        if client.last is not None:
            client.last.failed += 1
        if not quiet:
            encode_error(client.out, reply.text)
    elif not quiet:
        encode(client.out, reply, client.resp3)
    resume_client(engine, client)


def client_served(engine: "Engine", client: Client) -> None:
    """A client that waited has its reply already: let it go on."""
    stop_waiting(client)
    resume_client(engine, client)


def resume_client(engine: "Engine", client: Client) -> None:
    """Let a client's waiting commands run before the event loop sleeps."""
    engine.ready.append(client)
    client.link.wake()


def stop_waiting(client: Client) -> None:
    """Whatever `client` waits for, it does so no more."""
    block = client.block
    client.block = None
    client.gates &= ~gates.CACHING
    if block is not None:
        if block.timer is not None:
            block.timer.cancel()
        if block.cancel is not None:
            block.cancel()


def _count(client: Client, calls: int) -> None:
    """A command that waits is counted when it has its answer, so its call takes itself back."""
    if client.last is not None:
        client.last.calls += calls
