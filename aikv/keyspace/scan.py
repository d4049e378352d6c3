"""Walking the keys of a database: SCAN's step and its options, KEYS, RANDOMKEY.

Theory of operation: the guarantee of SCAN is the table's (`datatypes.table`); here keys that have run out are left out
(and removed, as by any look), and what does not match is filtered. The arguments of SCAN are those of HSCAN, SSCAN and
ZSCAN too, so their parsing is offered to all of them. A cursor is what C's `strtoul` takes, signs included.
"""

from typing import Final

from aikv.base.errors import INVALID_CURSOR, SYNTAX, CommandError
from aikv.base.glob import Glob
from aikv.base.numbers import to_i64
from aikv.base.random import Random
from aikv.datatypes.kinds import type_name
from aikv.keyspace.database import Database

_DEFAULT_COUNT: Final = 10
_CURSORS: Final = 1 << 64
_CURSOR_DIGITS: Final = 20
# Draws after which RANDOMKEY gives up among keys that have all run out and may not be removed.
_DRAWS: Final = 100


class ScanOptions:
    """COUNT, MATCH (None matches everything) and TYPE (None: any; in lower case)."""

    def __init__(self, count: int, glob: Glob | None, type_name: bytes | None) -> None:
        self.count: Final = count
        self.glob: Final = glob
        self.type_name: Final = type_name


def parse_cursor(argument: bytes) -> int:
    """The cursor in `argument`; raises CommandError(INVALID_CURSOR)."""
    negative = argument[:1] == b"-"
    digits = argument[1:] if argument[:1] in (b"+", b"-") else argument
    if not digits.isdigit():
        if argument:
            raise CommandError(INVALID_CURSOR)
        return 0
    digits = digits.lstrip(b"0")
    cursor = int(digits) if 0 < len(digits) <= _CURSOR_DIGITS else len(digits) * _CURSORS
    if cursor >= _CURSORS:
        raise CommandError(INVALID_CURSOR)
    # strtoul negates within 64 bits.
    return _CURSORS - cursor if negative and cursor else cursor


def parse_scan(argv: list[bytes], first: int, typed: bool) -> ScanOptions:
    """The options in `argv` from index `first` on; `typed` says whether TYPE is one. Raises CommandError."""
    count = _DEFAULT_COUNT
    glob: Glob | None = None
    wanted: bytes | None = None
    for index in range(first, len(argv), 2):
        option = argv[index].upper()
        if index + 1 == len(argv):
            raise CommandError(SYNTAX)
        argument = argv[index + 1]
        if option == b"COUNT":
            count = to_i64(argument)
            if count < 1:
                raise CommandError(SYNTAX)
        elif option == b"MATCH":
            glob = glob_of(argument)
        elif option == b"TYPE" and typed:
            wanted = argument.lower()
        else:
            raise CommandError(SYNTAX)
    return ScanOptions(count, glob, wanted)


def glob_of(pattern: bytes) -> Glob | None:
    """The pattern of KEYS or MATCH; None for a lone star, which matches even the empty key."""
    return None if pattern == b"*" else Glob(pattern)


def scan_keys(database: Database, cursor: int, options: ScanOptions, now_ms: int) -> tuple[int, list[bytes]]:
    """One step of SCAN: the next cursor, and those keys of the step that are alive and wanted."""
    cursor, keys = database.table.scan(cursor, options.count)
    glob = options.glob
    if glob is not None:
        keys = [key for key in keys if glob.match(key)]
    if database.expires.used or database.hash_times is not None:
        keys = [key for key in keys if database.find(key, now_ms) is not None]
    wanted = options.type_name
    if wanted is not None:
        keys = [key for key in keys if _has_type(database, key, wanted)]
    return cursor, keys


def _has_type(database: Database, key: bytes, wanted: bytes) -> bool:
    value = database.table.get(key)
    return value is not None and type_name(value) == wanted


def matching_keys(database: Database, glob: Glob | None, now_ms: int) -> list[bytes]:
    """All keys that are alive and match."""
    found: list[bytes] = []
    if glob is not None and glob.literal is not None:
        if database.table.get(glob.literal) is not None:
            found.append(glob.literal)
    else:
        for bucket in database.table.buckets:
            if glob is None:
                found.extend(bucket)
            else:
                for key in bucket:
                    if glob.match(key):
                        found.append(key)
    if database.expires.used:
        # Hidden, not removed: a command that walks all keys shall not also report a million removals.
        return [key for key in found if not database.is_expired(key, now_ms)]
    return found


def random_key(database: Database, random: Random, now_ms: int) -> bytes | None:
    """A key that is alive, each as likely as any other; None where there is none."""
    draws = 0
    while draws < _DRAWS or not database.keep_expired:
        key = database.table.random_key(random)
        if key is None or database.find(key, now_ms) is not None:
            return key
        draws += 1
    return None
