"""The active expiry cycle: removes keys past their time that nobody asks for.

Theory of operation, after Redis's activeExpireCycle: a cycle visits the databases in turn and walks each table of
TTLs by its scan cursor, a bucket's worth of keys a step, because a step goes through a whole bucket in any case. Some
keys are visited in every cycle; beyond them a database is gone on with only while a step finds more than a tenth of its
keys past their time. A budget of time bounds every cycle, so that no client waits for a million keys that run out at
once, and the next cycle begins with the next database, so that none waits for another.

The last keys of many take longest. Each may be all that is left on a MiB of memory, its value on another and its time
on a third, and Python gives these back to the system at once, in a tenth of a millisecond each or, on a busy machine,
in three. So the time is looked at after each key, which is a twentieth of the work.
"""

from typing import Final

from aikv.base.clock import Clock
from aikv.keyspace.database import Database
from aikv.keyspace.field_expiry import expire_due_fields

KEYS_PER_STEP: Final = 256
# At ten cycles a second, a million TTLs are gone through in less than two minutes, for well below a percent of a core.
KEYS_PER_CYCLE: Final = 1024
_GO_ON_ABOVE: Final = 10


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
        over = False
        while visited < size and database.expires.used and not over:
            # What the cycle before had no time for comes first.
            if not database.expire_next:
                found = database.expires.scan(database.expire_cursor, KEYS_PER_STEP)
                database.expire_cursor, database.expire_next = found
            keys = database.expire_next
            count = len(keys)
            stale = 0
            # Where nearly all keys have gone, those that are left crowd in few buckets, and a step may bring thousands.
            while keys and not over:
                # Not by an iteration: the list would hold all keys until its end, and let them go at once.
                key = keys.pop()
                if database.is_expired(key, now):
                    database.expire(key)
                    stale += 1
                    over = self._clock.monotonic_us() >= deadline
            if stale == 0:
                over = self._clock.monotonic_us() >= deadline
            removed += stale
            visited += count
            if visited >= KEYS_PER_CYCLE and stale * _GO_ON_ABOVE <= count:
                break
        return removed
