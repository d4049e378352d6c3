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
STR_SETBIT: Final = Event(b"setbit", STRING)
STR_PFADD: Final = Event(b"pfadd", STRING)
# Of no class, so nobody hears of it: PFCOUNT has stored its estimate.
STR_ESTIMATED: Final = Event(b"", 0)
LIST_LPUSH: Final = Event(b"lpush", LIST)
LIST_RPUSH: Final = Event(b"rpush", LIST)
LIST_LPOP: Final = Event(b"lpop", LIST)
LIST_RPOP: Final = Event(b"rpop", LIST)
LIST_SET: Final = Event(b"lset", LIST)
LIST_INSERT: Final = Event(b"linsert", LIST)
LIST_REM: Final = Event(b"lrem", LIST)
LIST_TRIM: Final = Event(b"ltrim", LIST)
LIST_SORTSTORE: Final = Event(b"sortstore", LIST)
HASH_SET: Final = Event(b"hset", HASH)
HASH_DEL: Final = Event(b"hdel", HASH)
HASH_INCRBY: Final = Event(b"hincrby", HASH)
HASH_INCRBYFLOAT: Final = Event(b"hincrbyfloat", HASH)
HASH_EXPIRE: Final = Event(b"hexpire", HASH)
HASH_EXPIRED: Final = Event(b"hexpired", HASH)
HASH_PERSIST: Final = Event(b"hpersist", HASH)
SET_ADD: Final = Event(b"sadd", SET)
SET_REM: Final = Event(b"srem", SET)
SET_POP: Final = Event(b"spop", SET)
SET_INTERSTORE: Final = Event(b"sinterstore", SET)
SET_UNIONSTORE: Final = Event(b"sunionstore", SET)
SET_DIFFSTORE: Final = Event(b"sdiffstore", SET)
ZSET_ADD: Final = Event(b"zadd", ZSET)
ZSET_INCR: Final = Event(b"zincr", ZSET)
ZSET_REM: Final = Event(b"zrem", ZSET)
ZSET_REMRANGEBYRANK: Final = Event(b"zremrangebyrank", ZSET)
ZSET_REMRANGEBYSCORE: Final = Event(b"zremrangebyscore", ZSET)
ZSET_REMRANGEBYLEX: Final = Event(b"zremrangebylex", ZSET)
ZSET_POPMIN: Final = Event(b"zpopmin", ZSET)
ZSET_POPMAX: Final = Event(b"zpopmax", ZSET)
ZSET_RANGESTORE: Final = Event(b"zrangestore", ZSET)
ZSET_UNIONSTORE: Final = Event(b"zunionstore", ZSET)
ZSET_INTERSTORE: Final = Event(b"zinterstore", ZSET)
ZSET_DIFFSTORE: Final = Event(b"zdiffstore", ZSET)
GEO_RADIUSSTORE: Final = Event(b"georadiusstore", ZSET)
GEO_SEARCHSTORE: Final = Event(b"geosearchstore", ZSET)
