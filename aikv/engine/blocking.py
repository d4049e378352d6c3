"""Clients that wait: blocking commands and their time limits.

Theory of operation: a handler that has nothing to answer yet gives the client a `Block` and returns `NO_REPLY`; the
client is halted and further commands queue up. Whatever makes the answer possible calls `Engine.unblock` with it. A
`Scheduler`, the event loop in a server, calls back when the time limit passes, so nothing is polled.
"""

from collections.abc import Callable

from mypy_extensions import mypyc_attr


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
