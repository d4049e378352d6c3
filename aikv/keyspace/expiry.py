"""The active expiry cycle: removes keys past their time that nobody asks for.

Theory of operation, after Redis's activeExpireCycle: a cycle visits the databases in turn and walks each table of
TTLs by its scan cursor, a bucket's worth of keys a step, because a step goes through a whole bucket in any case. Some
keys are visited in every cycle; beyond them a database is gone on with only while a step finds more than a tenth of its
keys past their time. A budget of time bounds every cycle, so that no client waits for a million keys that run out at
once, and the next cycle begins with the next database, so that none waits for another.

The last keys of many take longest: the memory that lay around each goes back to the system with it, up to a tenth of a
millisecond for a key and its value. So the time is looked at after a few keys.
"""

from typing import Final

from aikv.base.clock import Clock
from aikv.keyspace.database import Database
from aikv.keyspace.field_expiry import expire_due_fields

KEYS_PER_STEP: Final = 256
# At ten cycles a second, a million TTLs are gone through in less than two minutes, for well below a percent of a core.
KEYS_PER_CYCLE: Final = 1024
_GO_ON_ABOVE: Final = 10
# Keys between two looks at the time.
KEYS_PER_LOOK: Final = 8


class ExpiryCycle:
    """Goes round the databases; remembers where it stopped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = 0

    def run(self, databases: list[Database], budget_us: int) -> int:
        """Remove keys and fields past their time for at most about `budget_us`; returns how many were removed."""
        removed = 0
        deadline = self._clock.monotonic_us() + budget_us
        now = self._clock.unix_ms()
        for _ in range(len(databases)):
            database = databases[self._next % len(databases)]
            self._next += 1
            if database.keep_expired:
                continue
            if database.expires.used:
                removed += self._sweep(database, now, deadline)
            if database.hash_times is not None:
                removed += expire_due_fields(database, now, self._clock, deadline)
            if self._clock.monotonic_us() >= deadline:
                break
        return removed

    def _sweep(self, database: Database, now: int, deadline: int) -> int:
        removed = 0
        visited = 0
        size = database.expires_count()
        while visited < size:
            cursor, keys = database.expires.scan(database.expire_cursor, KEYS_PER_STEP)
            stale = 0
            seen = 0
            over = False
            # Where nearly all keys have gone, those that are left crowd in few buckets, and a step may bring thousands.
            while not over:
                for key in keys[seen : seen + KEYS_PER_LOOK]:
                    if database.is_expired(key, now):
                        database.expire(key)
                        stale += 1
                seen += KEYS_PER_LOOK
                over = self._clock.monotonic_us() >= deadline
                if seen >= len(keys):
                    break
            if seen >= len(keys):
                database.expire_cursor = cursor
            removed += stale
            visited += len(keys)
            if over or not database.expires.used:
                break
            if visited >= KEYS_PER_CYCLE and stale * _GO_ON_ABOVE <= len(keys):
                break
        return removed
