"""Transfers of keys to other servers, each in a thread.

Theory of operation: a `_Journey` is one connection from beginning to end, with blocking calls that all have a time
limit. `ThreadTransfers` makes them in threads, at most `_MOST_THREADS` at a time and the others in their order, and
tells the event loop of each end. There are as many threads as there were transfers at a time; nobody waits for them
when the process ends: what is under way is broken off, and the keys are still here.
"""

import _thread
import asyncio
import errno
import queue
import socket
from collections.abc import Callable
from typing import Final

from aikv.base import log
from aikv.base.clock import Clock
from aikv.engine.transfer import CONNECTING, READING, WRITING, Transfer, TransferRunner

_MOST_THREADS: Final = 64
# A time limit is for so much, as in Redis.
_CHUNK: Final = 64 * 1024
_RECEIVED_AT_ONCE: Final = 64 * 1024
_LONGEST_LINE: Final = 64 * 1024
_HIGHEST_PORT: Final = 65535
# What the system says of an address without asking anybody.
_AT_ONCE: Final = frozenset({errno.EACCES, errno.EPERM, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EINVAL})
# Sockets are made for shorter waits than a client may ask for.
_LONGEST_WAIT_US: Final = 24 * 3600 * 1_000_000


class ThreadTransfers(TransferRunner):
    """Makes transfers for the engine that lives in `loop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop: Final = loop
        self._clock: Final = clock
        self._due: Final[queue.SimpleQueue[tuple[Transfer, Callable[[], None]]]] = queue.SimpleQueue()
        self._workers: int = 0
        # How many transfers have been submitted and are not over. Only the loop's thread counts.
        self._under_way: int = 0

    def run(self, transfer: Transfer) -> None:
        _Journey(transfer, self._clock).make()

    def submit(self, transfer: Transfer, done: Callable[[], None]) -> None:
        self._under_way += 1
        self._due.put((transfer, done))
        if self._workers < min(self._under_way, _MOST_THREADS):
            self._workers += 1
            # Unlike `Thread.start` this does not wait until the system has let the thread begin.
            _thread.start_new_thread(self._work, ())

    def _work(self) -> None:
        while True:
            transfer, done = self._due.get()
            try:
                self.run(transfer)
            except Exception as error:
                # Whatever it was, the client must not wait for ever.
                transfer.failure = READING
                log.warning("MIGRATE failed because of a fault in aikv: %s: %s", type(error).__name__, error)
            try:
                self._loop.call_soon_threadsafe(self._end, done)
            except RuntimeError:
                # The loop is closed: the server has ended, and nobody waits any more.
                return

    def _end(self, done: Callable[[], None]) -> None:
        self._under_way -= 1
        done()


class _Journey:
    """One transfer. `_stage` is how its failure would be called now."""

    def __init__(self, transfer: Transfer, clock: Clock) -> None:
        self._transfer: Final = transfer
        self._clock: Final = clock
        self._limit_us: Final = min(transfer.timeout_ms * 1000, _LONGEST_WAIT_US)
        self._wire: socket.socket | None = None
        self._received: Final = bytearray()
        self._stage = CONNECTING

    def make(self) -> None:
        """Go there, hand over, come back."""
        transfer = self._transfer
        try:
            self._connect()
            self._send(transfer.greetings())
            for _ in range(transfer.greeted_by):
                transfer.greeted(self._line())
            if not transfer.refusal:
                self._send(transfer.restores())
                for _ in range(len(transfer.keys)):
                    transfer.restored(self._line())
        except OSError:
            # The client is told no more of it than by Redis.
            transfer.failure = self._stage
        finally:
            if self._wire is not None:
                self._wire.close()

    def _connect(self) -> None:
        transfer = self._transfer
        addresses = socket.getaddrinfo(transfer.host, transfer.port & _HIGHEST_PORT, type=socket.SOCK_STREAM)
        if not 0 <= transfer.port <= _HIGHEST_PORT:
            self._stage = WRITING
            raise ConnectionError("there is no such port")
        refused: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            try:
                self._wire = socket.socket(family, kind, protocol)
                self._wire.settimeout(self._limit_us / 1_000_000)
                self._wire.connect(address)
                self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                refused = error
                # Redis does not wait for the connection, and learns when it writes that there is none.
                self._stage = CONNECTING if error.errno in _AT_ONCE else WRITING
                if self._wire is not None:
                    self._wire.close()
            else:
                return
        if refused is not None:
            raise refused

    def _send(self, data: bytes) -> None:
        self._stage = WRITING
        assert self._wire is not None
        self._wire.settimeout(self._limit_us / 1_000_000)
        view = memoryview(data)
        for start in range(0, len(data), _CHUNK):
            self._wire.sendall(view[start : start + _CHUNK])

    def _line(self) -> bytes:
        """The next line that comes, without its end."""
        self._stage = READING
        assert self._wire is not None
        deadline_us = self._clock.monotonic_us() + self._limit_us
        while (end := self._received.find(b"\n")) < 0:
            left_us = deadline_us - self._clock.monotonic_us()
            if left_us <= 0 or len(self._received) > _LONGEST_LINE:
                raise TimeoutError
            self._wire.settimeout(left_us / 1_000_000)
            data = self._wire.recv(_RECEIVED_AT_ONCE)
            if not data:
                raise ConnectionResetError
            self._received.extend(data)
        line = bytes(self._received[:end]).removesuffix(b"\r")
        del self._received[: end + 1]
        return line
