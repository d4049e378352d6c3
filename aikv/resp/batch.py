"""Well-formed pipelines read by hiredis, for the interpreted form.

Theory of operation: hiredis's Reader is C and quick, but it reads replies, not requests: it takes types that a
request must not have, and allocates for whatever an array header promises. So it is used as an accelerator whose
answer is proven. Input that could make it allocate is never shown to it, nor is input with a line that begins like a
type that Python could not tell from an array or a bulk string afterwards. So a list of bytes can only have come from
an array of bulk strings, whose lengths hiredis takes in their canonical form only; that is what the exact parser would
have read. Everything else goes to the exact parser whole.

Behind the input hiredis is given an integer. If that is what it reads last, the input ended where a request ended, and
no part of it is left inside hiredis, so one Reader serves any number of chunks.
"""

import re
from typing import Final, cast

import hiredis

# An array header of five digits or more: hiredis would allocate a list of that size before the first element.
_BIG_ARRAY: Final = re.compile(rb"\*[0-9]{5}")

# Types that become bytes as bulk strings do (simple string, verbatim string, big number), or a list as arrays do (push,
# attribute), at the beginning of a line. A value may have such a line in it; then it goes the long way.
_LOOKALIKE: Final = re.compile(rb"\n[+=(>|]")
_PLUS: Final = 0x2B
_EQUALS: Final = 0x3D
_PARENTHESIS: Final = 0x28
_GREATER: Final = 0x3E
_BAR: Final = 0x7C

_END: Final = -1
_END_WIRE: Final = b":-1\r\n"

_BYTES: Final[set[type]] = {bytes}


class Batch:
    """A hiredis Reader and the proof of what it read."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()

    def read(self, data: bytes, out: list[list[bytes]]) -> bytes:
        """Append the commands in `data` to `out` where hiredis read all of it; returns the bytes left to parse."""
        if not data.startswith(b"*") or _BIG_ARRAY.search(data) is not None:
            return data
        # Looking for a single byte is fast, and mostly there is none of them.
        if (
            _PLUS in data or _EQUALS in data or _PARENTHESIS in data or _GREATER in data or _BAR in data
        ) and _LOOKALIKE.search(data) is not None:
            return data
        reader = self._reader
        commands: list[list[object]] = []
        arguments: list[object] = []
        try:
            reader.feed(data)
            reader.feed(_END_WIRE)
            # Whatever hiredis reads: a reply may be anything.
            command: object = reader.gets()
            while type(command) is list and command:
                commands.append(command)
                arguments += command
                command = reader.gets()
        except (hiredis.ProtocolError, TypeError, ValueError):
            # A map whose key is a list, or a number of more digits than Python reads, is no fault of the protocol of
            # replies, so hiredis goes on until Python refuses to build the value.
            command = None
        # An integer with something behind it was in the input.
        if type(command) is not int or command != _END or reader.has_data():
            self._reader = hiredis.Reader()
            return data
        if not set(map(type, arguments)) <= _BYTES:
            return data
        out += cast(list[list[bytes]], commands)
        return b""
