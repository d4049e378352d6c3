"""The active expiry cycle: it finds what nobody asks for, within its budget, and takes nothing else."""

from itertools import pairwise

import pytest

from aikv.base.clock import Clock, ManualClock
from aikv.keyspace.database import Database, Watcher
from aikv.keyspace.expiry import KEYS_PER_CYCLE, ExpiryCycle

LONG_US = 1_000_000


class Counting(Watcher):
    """Counts what has run out."""

    def __init__(self) -> None:
        self.count = 0

    def expired(self, database: Database, key: bytes) -> None:  # noqa: ARG002
        self.count += 1


class WornClock(Clock):
    """A clock that stands still but for the time that a look at it takes."""

    def __init__(self, us_per_look: int) -> None:
        self.us_per_look = us_per_look
        self.spent_us = 0
        self.now_ms = 1_700_000_000_000

    def unix_ms(self) -> int:
        return self.now_ms

    def monotonic_us(self) -> int:
        self.spent_us += self.us_per_look
        return self.spent_us


def filled(clock: Clock, count: int, stale: int, index: int = 0) -> Database:
    """Return a database of `count` keys with TTLs of which the first `stale` run out in one millisecond."""
    database = Database(index, Counting())
    for number in range(count):
        key = b"%d" % number
        database.put(key, number)
        database.set_expire(key, clock.unix_ms() + (0 if number < stale else 1_000_000))
    return database


def test_keys_that_run_out_at_once_are_removed_in_one_cycle_where_time_allows() -> None:
    clock = ManualClock()
    database = filled(clock, 20_000, 20_000)
    cycle = ExpiryCycle(clock)
    assert cycle.run([database], LONG_US) == 0
    clock.advance_ms(1)
    assert cycle.run([database], LONG_US) == 20_000
    assert (len(database), database.expires_count()) == (0, 0)
    watcher = database.watcher
    assert isinstance(watcher, Counting)
    assert watcher.count == 20_000


def test_keys_with_time_left_and_keys_without_a_ttl_stay() -> None:
    clock = ManualClock()
    database = filled(clock, 3000, 1000)
    for number in range(500):
        database.put(b"for ever %d" % number, 1)
    clock.advance_ms(1)
    cycle = ExpiryCycle(clock)
    assert sum(cycle.run([database], LONG_US) for _ in range(20)) == 1000
    assert len(database) == 2500
    database.table._check()
    database.expires._check()


@pytest.mark.parametrize("stale", [1, 50, 5000])
def test_every_stale_key_is_found_in_the_end_however_few_they_are(stale: int) -> None:
    clock = ManualClock()
    database = filled(clock, 20_000, stale)
    clock.advance_ms(1)
    cycle = ExpiryCycle(clock)
    cycles = 20_000 // KEYS_PER_CYCLE + 1
    # A cycle visits so many keys at the least, so this many cycles have visited all.
    assert sum(cycle.run([database], LONG_US) for _ in range(cycles)) == stale


def test_a_database_with_little_to_remove_is_left_after_a_few_steps() -> None:
    clock = ManualClock()
    database = filled(clock, 50_000, 50)
    clock.advance_ms(1)
    ExpiryCycle(clock).run([database], LONG_US)
    assert database.expire_cursor != 0
    # The cursor is a reversed fraction of the way; so far it has gone over less than an eighth of it.
    assert int(f"{database.expire_cursor:048b}"[::-1], 2) < 1 << 45


def test_the_budget_ends_a_cycle_and_the_next_goes_on() -> None:
    clock = WornClock(us_per_look=100)
    database = filled(clock, 10_000, 10_000)
    clock.now_ms += 2
    cycle = ExpiryCycle(clock)
    first = cycle.run([database], 500)
    assert 0 < first < 10
    cycles = 1
    while len(database):
        assert cycle.run([database], 500) > 0
        cycles += 1
    assert cycles > 3


class LookedAt(WornClock):
    """Notes how many keys `watcher` had seen run out at each look at the time."""

    def __init__(self, watcher: Counting) -> None:
        super().__init__(us_per_look=0)
        self.watcher = watcher
        self.seen = [0]

    def monotonic_us(self) -> int:
        self.seen.append(self.watcher.count)
        return super().monotonic_us()


def test_the_time_is_looked_at_after_each_key_even_where_the_last_ones_crowd_in_few_buckets() -> None:
    watcher = Counting()
    clock = LookedAt(watcher)
    database = filled(clock, 20_000, 20_000)
    database.watcher = watcher
    clock.now_ms += 1
    assert ExpiryCycle(clock).run([database], LONG_US) == 20_000
    assert max(later - earlier for earlier, later in pairwise(clock.seen)) <= 1


def test_a_step_that_finds_nothing_looks_at_the_time_too() -> None:
    clock = WornClock(us_per_look=100)
    database = filled(clock, 20_000, 0)
    ExpiryCycle(clock).run([database], 0)
    # One bucket's keys are gone over, and then it is found that the time is over.
    assert len(database) == 20_000
    assert int(f"{database.expire_cursor:048b}"[::-1], 2) < 1 << 43


@pytest.mark.parametrize("change", ["remove", "persist", "renew", "clear"])
def test_keys_that_the_budget_left_for_later_may_change_meanwhile(change: str) -> None:
    clock = WornClock(us_per_look=100)
    database = filled(clock, 2000, 2000)
    clock.now_ms += 2
    cycle = ExpiryCycle(clock)
    cycle.run([database], 500)
    rest = list(database.expire_next)
    assert rest
    if change == "clear":
        database.clear(0)
        assert not database.expire_next
    for key in rest:
        if change == "remove":
            database.remove(key)
        elif change == "persist":
            database.persist(key)
        else:
            database.put(key, 1)
            database.set_expire(key, clock.unix_ms() + 1000)
    while database.expires_count() > (len(rest) if change in ("renew", "clear") else 0):
        cycle.run([database], LONG_US)
    assert len(database) == (0 if change == "remove" else len(rest))


def test_a_database_that_takes_the_whole_budget_does_not_starve_the_others() -> None:
    clock = WornClock(us_per_look=1000)
    databases = [filled(clock, 5000, 5000, 0), filled(clock, 5000, 5000, 1)]
    clock.now_ms += 2
    cycle = ExpiryCycle(clock)
    cycle.run(databases, 1)
    cycle.run(databases, 1)
    assert all(0 < len(database) < 5000 for database in databases)


def test_nothing_is_removed_while_keys_may_not_expire() -> None:
    clock = ManualClock()
    database = filled(clock, 100, 100)
    clock.advance_ms(1)
    database.keep_expired = True
    assert ExpiryCycle(clock).run([database], LONG_US) == 0
    assert len(database) == 100


def test_an_empty_database_costs_no_step() -> None:
    clock = ManualClock()
    assert ExpiryCycle(clock).run([Database(0, Counting()), Database(1, Counting())], LONG_US) == 0
