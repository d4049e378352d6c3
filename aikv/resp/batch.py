"""Well-formed pipelines read by hiredis, for the interpreted form.

Theory of operation: hiredis's Reader is C and quick, but it reads replies, not requests: it takes types that a
request must not have, and allocates for whatever an array header promises. So it is used as an accelerator whose
answer is proven: input that could make it allocate is never shown to it, and what it returns is taken only where the
commands' lengths on the wire add up to the input's own. Every request has exactly one canonical encoding, so a sum
that agrees means that hiredis read what the exact parser would have read; where it does not, the input goes to the
exact parser whole.

No input is left inside hiredis between calls, so one Reader serves any number of chunks.
"""

import re
from typing import Final, cast

import hiredis

# An aggregate header of five digits or more: hiredis would allocate a list of that size before the first element.
_BIG_AGGREGATE: Final = re.compile(rb"[*>][0-9]{5}")

# Length of `$N\r\n` plus the final CR LF, by number of digits in N.
_BULK_OVERHEAD: Final = 5


class Batch:
    """A hiredis Reader and the proof of what it read."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()

    def read(self, data: bytes, out: list[list[bytes]]) -> bytes:
        """Append the commands in `data` to `out` where hiredis read all of it; returns the bytes left to parse."""
        if not data.startswith(b"*") or _BIG_AGGREGATE.search(data) is not None:
            return data
        reader = self._reader
        # Whatever hiredis read: a reply may be anything.
        commands: list[object] = []
        try:
            reader.feed(data)
            command = reader.gets()
            while command is not False:
                commands.append(command)
                command = reader.gets()
        except (hiredis.ProtocolError, TypeError, ValueError):
            # A map whose key is a list, or a number of more digits than Python reads, is no fault of the protocol of
            # replies, so hiredis goes on until Python refuses to build the value.
            self._reader = hiredis.Reader()
            return data
        if reader.has_data():
            self._reader = hiredis.Reader()
        if not _adds_up(commands, len(data)):
            return data
        out += cast(list[list[bytes]], commands)
        return b""


def _adds_up(commands: list[object], size: int) -> bool:
    """Whether the canonical encodings of `commands` are `size` bytes long together."""
    total = 0
    for argv in commands:
        if not isinstance(argv, list) or not argv:
            return False
        total += 3 + len(str(len(argv)))
        for argument in argv:
            if type(argument) is not bytes:
                return False
            length = len(argument)
            total += length + _BULK_OVERHEAD
            total += 1 if length < 10 else 2 if length < 100 else len(str(length))
    return total == size
