"""The event loop: uvloop where it is installed, asyncio otherwise, and its clock as a `Scheduler`."""

import asyncio
from collections.abc import Callable
from typing import Final

from aikv.engine.blocking import Scheduler, Timer


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that is not yet running."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class LoopTimer(Timer):
    """A call that the loop will make."""

    def __init__(self, handle: asyncio.TimerHandle) -> None:
        self._handle: Final = handle

    def cancel(self) -> None:
        self._handle.cancel()


class LoopScheduler(Scheduler):
    """Calls back from the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop

    def call_later(self, delay_ms: int, callback: Callable[[], None]) -> Timer:
        return LoopTimer(self._loop.call_later(delay_ms / 1000, callback))
