"""The event loop: uvloop where it is installed, asyncio otherwise, and its clock as a `Scheduler`."""

import asyncio
import traceback
from collections.abc import Callable
from typing import Any, Final

from aikv.base import log
from aikv.engine.blocking import Scheduler, Timer


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that is not yet running."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def report_fault(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in a callback of the loop, where there is no client to tell; the server goes on."""
    error = context.get("exception")
    where = traceback.format_exception(error)[-3:] if isinstance(error, BaseException) else []
    log.warning(
        "Fault in the event loop: %s: %r. Where it happened: %s",
        context.get("message", ""),
        error,
        " | ".join(line.strip() for line in where if not line.startswith("Traceback")),
    )


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
