"""Where a command's keys stand among its arguments.

Theory of operation: Redis 7's key specifications (https://redis.io/docs/latest/develop/reference/key-specs/). A
specification says where to begin (a fixed index, or after a keyword) and how to go on (a range with a step, or a count
given in the arguments). From it come COMMAND GETKEYS, the reply of COMMAND INFO, ACL key checks and cluster slots.
Commands that a specification cannot describe bring a function of their own.
"""

from typing import Final

from aikv.base.numbers import parse_i64

_INDEX: Final = 0
_KEYWORD: Final = 1
_UNKNOWN: Final = 2

_RANGE: Final = 0
_KEYNUM: Final = 1

# What a user must be allowed to do with a key, as bits: see its value, change it.
MAY_READ: Final = 1
MAY_WRITE: Final = 2


def permission_for(flags: list[str]) -> int:
    """What a command with these flags of a key needs: bits of MAY_READ and MAY_WRITE."""
    needed = MAY_READ if "access" in flags else 0
    if "insert" in flags or "delete" in flags or "update" in flags:
        needed |= MAY_WRITE
    return needed


class KeySpec:
    """One specification; made by `at`, `counted`, `after` and `somewhere`."""

    def __init__(self, flags: str, begin: int, find: int) -> None:
        self.flags: Final = flags.split()
        self.is_key: Final = "not_key" not in self.flags
        # Whether the options of a request decide about the flags.
        self.varies: Final = "variable_flags" in self.flags
        self.permission: Final = permission_for(self.flags)
        self.begin: Final = begin
        self.find: Final = find
        self.index = 0
        self.keyword = b""
        self.last = 0
        self.step = 1
        self.limit = 0
        self.first = 0

    def positions(self, argv: list[bytes]) -> list[int] | None:
        """Indexes in `argv` of the keys; None where the arguments do not fit the specification."""
        start = self._start(argv)
        if start < 0:
            return [] if self.begin != _INDEX else None
        if start >= len(argv):
            return None
        if self.find == _KEYNUM:
            count = parse_i64(argv[start])
            if count is None or count < 0 or start + self.first + (count - 1) * self.step >= len(argv):
                return None
            begin = start + self.first
            return list(range(begin, begin + count * self.step, self.step))
        return list(range(start, self._end(len(argv), start) + 1, self.step))

    def _start(self, argv: list[bytes]) -> int:
        if self.begin == _INDEX:
            return self.index
        if self.begin == _UNKNOWN:
            return -1
        step = 1 if self.index > 0 else -1
        position = self.index if self.index > 0 else len(argv) + self.index
        # Backwards Redis stops in front of the first argument.
        least = 1 if self.index > 0 else 2
        while least <= position < len(argv):
            if argv[position].upper() == self.keyword:
                return position + 1
            position += step
        return -1

    def _end(self, count: int, start: int) -> int:
        if self.last >= 0:
            return start + self.last
        if self.limit <= 1:
            return count + self.last
        return start + (count - start) // self.limit + self.last

    def describe(self) -> tuple[list[str], str, list[tuple[str, object]], str, list[tuple[str, object]]]:
        """Flags, then type and fields of begin_search and of find_keys, as COMMAND INFO gives them."""
        if self.begin == _INDEX:
            begin: tuple[str, list[tuple[str, object]]] = ("index", [("index", self.index)])
        elif self.begin == _KEYWORD:
            begin = ("keyword", [("keyword", self.keyword), ("startfrom", self.index)])
        else:
            return self.flags, "unknown", [], "unknown", []
        if self.find == _RANGE:
            fields: list[tuple[str, object]] = [
                ("lastkey", self.last),
                ("keystep", self.step),
                ("limit", self.limit),
            ]
            return self.flags, begin[0], begin[1], "range", fields
        fields = [("keynumidx", 0), ("firstkey", self.first), ("keystep", self.step)]
        return self.flags, begin[0], begin[1], "keynum", fields


def at(index: int, flags: str, last: int = 0, step: int = 1) -> KeySpec:
    """Keys from argument `index` to `last` (counted from the first key, or from the end where negative)."""
    spec = KeySpec(flags, _INDEX, _RANGE)
    spec.index = index
    spec.last = last
    spec.step = step
    return spec


def counted(index: int, flags: str) -> KeySpec:
    """A number of keys at argument `index`, the keys behind it."""
    spec = KeySpec(flags, _INDEX, _KEYNUM)
    spec.index = index
    spec.first = 1
    return spec


def after(keyword: bytes, start: int, flags: str, last: int = 0, limit: int = 0) -> KeySpec:
    """Keys behind a keyword that is looked for from argument `start` (backwards from the end where negative)."""
    spec = KeySpec(flags, _KEYWORD, _RANGE)
    spec.keyword = keyword
    spec.index = start
    spec.last = last
    spec.limit = limit
    return spec


def somewhere(flags: str) -> KeySpec:
    """Keys that no specification can find."""
    return KeySpec(flags, _UNKNOWN, _RANGE)


READ: Final = at(1, "RO access")
INSPECT: Final = at(1, "RO")
UPDATE: Final = at(1, "RW update")
READ_UPDATE: Final = at(1, "RW access update")
READ_DELETE: Final = at(1, "RW access delete")
OVERWRITE: Final = at(1, "OW update")
INSERT: Final = at(1, "RW insert")
DELETE: Final = at(1, "RW delete")
