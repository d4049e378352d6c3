"""What a command returns.

Theory of operation: a handler returns a plain Python value and never knows which protocol its client speaks. `bytes`
is a bulk string, `int` an integer, `None` a null, `list` an array, `float` a double, `bool` a boolean; `bytearray` is a
bulk string too. What plain values cannot say is said by the small markers below. `resp.encoder` is the only reader.
"""

from typing import Final

from aikv.base.row import Row


class Status:
    """A simple string such as `OK`. `wire` is its encoding."""

    def __init__(self, text: bytes) -> None:
        self.text: Final = text
        self.wire: Final = b"+" + text + b"\r\n"


class ErrorReply:
    """An error inside a larger reply (a failed command of a transaction). `text` is as in `CommandError`."""

    def __init__(self, text: bytes) -> None:
        self.text: Final = text


class Pairs:
    """A map: keys and values alternate in `items`. RESP2 gets a flat array."""

    def __init__(self, items: list[object]) -> None:
        self.items: Final = items


class PairList:
    """An array of pairs, which alternate in `items`: RESP3 gets an array of arrays of two, RESP2 a flat array."""

    def __init__(self, items: list[object]) -> None:
        self.items: Final = items


class PairedMap:
    """A map: keys and values alternate in `items`. RESP2 gets an array of arrays of two."""

    def __init__(self, items: list[object]) -> None:
        self.items: Final = items


class SetOf:
    """A set, its members in `items` in the order of sending. RESP2 gets an array."""

    def __init__(self, items: list[object]) -> None:
        self.items: Final = items


class Push:
    """An out-of-band message. RESP2 gets an array."""

    def __init__(self, items: list[object]) -> None:
        self.items: Final = items


class Rows:
    """An array of bulk strings, which are the texts in `rows`."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows: Final = rows


class Verbatim:
    """Text for people: `kind` is three letters (`txt`, `mkd`). RESP2 gets a bulk string."""

    def __init__(self, kind: bytes, text: bytes) -> None:
        self.kind: Final = kind
        self.text: Final = text


class BigNumber:
    """An integer beyond 64 bits. RESP2 gets a bulk string of its decimal digits."""

    def __init__(self, value: int) -> None:
        self.value: Final = value


class Digits:
    """An integer beyond 64 bits that somebody else has written: `text` is sent as it is. RESP2 gets a bulk string."""

    def __init__(self, text: bytes) -> None:
        self.text: Final = text


class Decimal:
    """A double in a form of its own: `text` is sent as it is. RESP2 gets a bulk string."""

    def __init__(self, text: bytes) -> None:
        self.text: Final = text


class Attributed:
    """A reply with attributes in front of it (`items` alternates keys and values). RESP2 gets the bare reply."""

    def __init__(self, items: list[object], value: object) -> None:
        self.items: Final = items
        self.value: Final = value


class NullArray:
    """A null where an array was expected: RESP2 tells it from a null bulk, RESP3 does not."""


class NoReply:
    """Nothing is sent now: the client blocks, or has been told not to expect a reply."""


OK: Final = Status(b"OK")
QUEUED: Final = Status(b"QUEUED")
PONG: Final = Status(b"PONG")
NULL_ARRAY: Final = NullArray()
NO_REPLY: Final = NoReply()
