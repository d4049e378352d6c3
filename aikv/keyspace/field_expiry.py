"""Removes the fields of hashes that have run out and that nobody asks for.

Theory of operation: a database knows which hash has the next field to run out (`Database.hash_times`), so what is due
is taken from there, hash by hash, some fields at a time; where nothing is due nothing is visited. A hash that is done
with is noted again under its next time, and one whose times were dropped is forgotten.
"""

from typing import Final

from aikv.base.clock import Clock
from aikv.datatypes.hashes import Hash
from aikv.keyspace.database import Database

# Between two looks at the time. Each may be all that is left on a MiB of memory, which goes back to the system then.
FIELDS_PER_STEP: Final = 16


def expire_due_fields(database: Database, now: int, clock: Clock, deadline: int) -> int:
    """Remove fields whose time is before `now` (Unix ms) until `deadline` (monotonic us); returns how many."""
    removed = 0
    times = database.hash_times
    while times is not None:
        keys = times.take_due(now, 1)
        if not keys:
            break
        value = database.table.get(keys[0])
        if isinstance(value, Hash):
            removed += database.expire_fields(keys[0], value, now, FIELDS_PER_STEP)
        if clock.monotonic_us() >= deadline:
            break
    return removed
