"""The active expiry cycle: removes keys past their time that nobody asks for.

Theory of operation, after Redis's activeExpireCycle: a cycle visits the databases in turn and walks each table of
TTLs by its scan cursor, some keys a step. While a step finds more than a tenth of its keys past their time there is
more to find, so it goes on; otherwise it leaves the database for the next cycle. A budget of time bounds every cycle,
so that no client waits for a million keys that run out at once.
"""

from typing import Final

from aikv.base.clock import Clock
from aikv.keyspace.database import Database

KEYS_PER_STEP: Final = 20
_GO_ON_ABOVE: Final = 10


class ExpiryCycle:
    """Goes round the databases; remembers where it stopped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = 0

    def run(self, databases: list[Database], budget_us: int) -> int:
        """Remove keys past their time for at most about `budget_us`; returns how many were removed."""
        removed = 0
        deadline = self._clock.monotonic_us() + budget_us
        now = self._clock.unix_ms()
        for _ in range(len(databases)):
            database = databases[self._next % len(databases)]
            removed += self._sweep(database, now, deadline)
            if self._clock.monotonic_us() >= deadline:
                break
            self._next += 1
        return removed

    def _sweep(self, database: Database, now: int, deadline: int) -> int:
        removed = 0
        visited = 0
        while database.expires.used:
            cursor, keys = database.expires.scan(database.expire_cursor, KEYS_PER_STEP)
            database.expire_cursor = cursor
            stale = 0
            for key in keys:
                if database.expire_of(key) <= now:
                    database.expire(key)
                    stale += 1
            removed += stale
            visited += len(keys)
            if stale * _GO_ON_ABOVE <= len(keys):
                break
            if visited >= database.expires.used + removed and cursor == 0:
                break
            if self._clock.monotonic_us() >= deadline:
                break
        return removed
