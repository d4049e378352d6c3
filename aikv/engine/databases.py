"""Databases as wholes: their numbers in arguments, emptying and exchanging them.

Theory of operation: emptying a database takes its table away and puts a new one in its place, which costs the same
for ten keys and ten million; the old buckets go to the `Releaser`, which frees them in slices. So FLUSHALL never
pauses the server, SYNC or not.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.errors import DB_OUT_OF_RANGE, CommandError
from aikv.base.numbers import parse_i64, to_i64
from aikv.engine.watching import touch_all
from aikv.keyspace.database import Database

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

_INT_MIN: Final = -(1 << 31)
_INT_MAX: Final = (1 << 31) - 1
_NO_C_INT: Final = b"ERR value is out of range, value must between %d and %d" % (_INT_MIN, _INT_MAX)


def database_index(engine: "Engine", argument: bytes) -> int:
    """The database number in `argument`; raises CommandError where it is none, or no such database is configured."""
    index = to_i64(argument)
    if not _INT_MIN <= index <= _INT_MAX:
        raise CommandError(_NO_C_INT)
    if not 0 <= index < len(engine.databases):
        raise CommandError(DB_OUT_OF_RANGE)
    return index


def small_integer(argument: bytes) -> int | None:
    """The 32-bit integer in `argument`, or None."""
    number = parse_i64(argument)
    return number if number is not None and _INT_MIN <= number <= _INT_MAX else None


def empty(engine: "Engine", database: Database) -> int:
    """Remove all keys of `database`; returns how many there were."""
    count = len(database)
    if database.watched:
        touch_all(database, None, engine.now_ms)
    clear(engine, database)
    engine.waits.mark_all(database)
    return count


def clear(engine: "Engine", database: Database) -> None:
    """Remove all keys of `database`, telling nobody; they are freed in slices."""
    engine.releaser.times(database.hash_times)
    engine.releaser.database(database.clear(engine.now_ms // 1000))


def exchange(engine: "Engine", first: Database, second: Database) -> None:
    """Exchange the contents of two databases; who waits for a key may find it now."""
    touch_all(first, second, engine.now_ms)
    touch_all(second, first, engine.now_ms)
    first.swap(second)
    engine.waits.mark_all(first)
    engine.waits.mark_all(second)
