"""SLOWLOG: the commands that took long, newest first.

Theory of operation: the engine calls `add` for a command that took at least slowlog-log-slower-than microseconds. An
entry keeps a shortened copy of the request, so that a huge one does not stay in memory because it was slow; secrets
are blotted out before (`engine.redaction`). Of what exceeds slowlog-max-len the oldest goes.
Source: https://redis.io/docs/latest/commands/slowlog-get/
"""

from collections import deque
from typing import Final

# Of a request so many arguments are kept, the last of which says how many are left out, and so many bytes of each.
_ARGUMENTS: Final = 32
_BYTES: Final = 128


class SlowEntry:
    """One slow command. `at_s` is Unix time in seconds when it ended, `took_us` its duration in microseconds."""

    def __init__(self, number: int, at_s: int, took_us: int, argv: list[bytes], address: bytes, name: bytes) -> None:
        self.number: Final = number
        self.at_s: Final = at_s
        self.took_us: Final = took_us
        self.argv: Final = argv
        self.address: Final = address
        self.client_name: Final = name

    def reply(self) -> list[object]:
        """The entry as SLOWLOG GET answers it."""
        arguments: list[object] = list(self.argv)
        return [self.number, self.at_s, self.took_us, arguments, self.address, self.client_name]


class SlowLog:
    """The entries, newest first. `most` is slowlog-max-len."""

    def __init__(self) -> None:
        self.entries: Final[deque[SlowEntry]] = deque()
        self.most = 0
        self._next_number = 0

    def add(self, at_s: int, took_us: int, argv: list[bytes], address: bytes, name: bytes) -> None:
        """Note a slow command; `argv` holds no secrets."""
        if self.most == 0:
            return
        self.entries.appendleft(SlowEntry(self._next_number, at_s, took_us, shortened(argv), address, name))
        self._next_number += 1
        while len(self.entries) > self.most:
            self.entries.pop()


def shortened(argv: list[bytes]) -> list[bytes]:
    """A copy of `argv` that is no longer than what the log keeps, and says what is missing."""
    kept = [_shortened_argument(argument) for argument in argv[:_ARGUMENTS]]
    if len(argv) > _ARGUMENTS:
        kept[-1] = b"... (%d more arguments)" % (len(argv) - _ARGUMENTS + 1)
    return kept


def _shortened_argument(argument: bytes) -> bytes:
    if len(argument) <= _BYTES:
        return argument
    return argument[:_BYTES] + b"... (%d more bytes)" % (len(argument) - _BYTES)
