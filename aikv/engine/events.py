"""Keyspace events: the names that a change is announced by, and the classes that select them.

Theory of operation: a handler tells `Context.changed` which `Event` happened; who listens is decided by the flags of
`notify-keyspace-events` (https://redis.io/docs/latest/develop/use/keyspace-notifications/).
"""

from typing import Final

KEYSPACE: Final = 1 << 0  # K
KEYEVENT: Final = 1 << 1  # E
GENERIC: Final = 1 << 2  # g
STRING: Final = 1 << 3  # $
LIST: Final = 1 << 4  # l
SET: Final = 1 << 5  # s
HASH: Final = 1 << 6  # h
ZSET: Final = 1 << 7  # z
EXPIRED: Final = 1 << 8  # x
EVICTED: Final = 1 << 9  # e
STREAM: Final = 1 << 10  # t
KEYMISS: Final = 1 << 11  # m
NEW: Final = 1 << 12  # n


_LETTERS: Final[dict[str, int]] = {
    "K": KEYSPACE,
    "E": KEYEVENT,
    "g": GENERIC,
    "$": STRING,
    "l": LIST,
    "s": SET,
    "h": HASH,
    "z": ZSET,
    "x": EXPIRED,
    "e": EVICTED,
    "t": STREAM,
    "m": KEYMISS,
    "n": NEW,
    # Of modules only; nothing here is announced under it.
    "d": 0,
    "A": GENERIC | STRING | LIST | SET | HASH | ZSET | EXPIRED | EVICTED | STREAM,
}


def parse_classes(letters: str) -> int:
    """The bits of a value of `notify-keyspace-events`; 0 where nothing would be announced."""
    bits = 0
    for letter in letters:
        bits |= _LETTERS[letter]
    # Without K or E there is no channel to announce on.
    return bits if bits & (KEYSPACE | KEYEVENT) else 0


class Event:
    """One kind of change: its name on the channel and its class."""

    def __init__(self, name: bytes, kind: int) -> None:
        self.name: Final = name
        self.kind: Final = kind


DEL: Final = Event(b"del", GENERIC)
EXPIRE: Final = Event(b"expire", GENERIC)
PERSIST: Final = Event(b"persist", GENERIC)
RENAME_FROM: Final = Event(b"rename_from", GENERIC)
RENAME_TO: Final = Event(b"rename_to", GENERIC)
MOVE_FROM: Final = Event(b"move_from", GENERIC)
MOVE_TO: Final = Event(b"move_to", GENERIC)
COPY_TO: Final = Event(b"copy_to", GENERIC)
RESTORE: Final = Event(b"restore", GENERIC)
KEY_EXPIRED: Final = Event(b"expired", EXPIRED)
KEY_MISS: Final = Event(b"keymiss", KEYMISS)
KEY_NEW: Final = Event(b"new", NEW)
STR_SET: Final = Event(b"set", STRING)
STR_SETRANGE: Final = Event(b"setrange", STRING)
STR_APPEND: Final = Event(b"append", STRING)
STR_INCRBY: Final = Event(b"incrby", STRING)
STR_INCRBYFLOAT: Final = Event(b"incrbyfloat", STRING)
