"""The power is cut before and after every call that changes the disk: what is left loads, and nothing promised is gone.

What is promised, and proven here for every image of `power.disk`:

- `always`: everything that was acknowledged is there.
- `everysec`: everything that was acknowledged more than `BOUND_MS` ago is there, and all that the last finished fsync
  covered. (Redis promises two seconds.)
- `no`: what is there is some prefix.
- All: a prefix, every transaction whole or absent; a cut end is told; a start is refused only where zeros stand in
  front of data that did arrive, and loads a prefix after `aikv check-aof --fix`. A killed process loses nothing.
- Snapshots: one of those that were begun, and none older than the last that was reported to have succeeded.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random

import pytest

from crash.power.disk import DATA, NAMES, Disk
from crash.power.judge import Counts, Judge
from crash.power.life import CRON_MS, LOGGED, SAVED, Life, Past
from crash.power.memory import Call, Stamp

Record = Callable[[str, object], None]

# A second; the cron's period, which a turn of the loop may exceed; and the fsync itself, which takes one turn here.
BOUND_MS = 1000 + CRON_MS + 90 + 90
# For the last two seconds and more nothing but the policy brings the log to the disk.
EVENTS = {
    6: b"BGREWRITEAOF",
    13: b"BGSAVE",
    18: b"FLUSHALL",
    21: b"BGREWRITEAOF",
    30: b"SAVE",
    34: b"CONFIG SET appendonly no",
    38: b"CONFIG SET appendonly yes",
    48: b"BGREWRITEAOF",
}
SNAPSHOTS = {3: b"SAVE", 10: b"BGSAVE", 24: b"FLUSHALL", 28: b"BGSAVE", 45: b"SAVE", 50: b"BGSAVE", 70: b"BGSAVE"}
EVERY_KIND = [(names, data) for names in NAMES for data in DATA]
# The extremes at every call, and some of the rest by turns.
ALWAYS_TRIED = [("none", "none"), ("all", "all"), ("all", "none"), ("none", "all")]


@pytest.fixture
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether much is to be tried."""
    return bool(request.config.getoption("--deep"))


def cuts(calls: list[Call], end: Stamp) -> Iterator[tuple[int, Stamp]]:
    """How many calls were made, and the journal at that moment: behind each call, and before the next."""
    for count, call in enumerate(calls):
        if count > 0:
            yield count, calls[count - 1].stamp
        yield count, call.stamp
    yield len(calls), end


def promises(policy: str, calls: list[Call], end: Stamp) -> Callable[[int, Stamp], int]:
    """A function of a cut that says how many commands must be there."""
    stamps = [*[call.stamp for call in calls], end]

    def promised(count: int, stamp: Stamp) -> int:
        if policy == "always":
            return stamp.acknowledged
        if policy == "no":
            return 0
        old = [past.acknowledged for past in stamps[:count] if past.now_ms <= stamp.now_ms - BOUND_MS]
        forced = [call.stamp.acknowledged for call in calls[:count] if call.name == "fsync" and ".incr." in call.path]
        return max([0, *old[-1:], *forced[-1:]])

    return promised


def cut_everywhere(life: Life, judge: Judge, disk: Disk, promised: Callable[[int, Stamp], int], deep: bool) -> None:
    """Cut at every call of `life`, whose disk was `disk` at its beginning."""
    chance = Random(1)
    rest = [kind for kind in EVERY_KIND if kind not in ALWAYS_TRIED]
    applied = 0
    for count, stamp in cuts(life.files.calls, life.witness()):
        if count > applied:
            disk.apply(life.files.calls[count - 1])
            applied = count
        judge.counts.points += 1
        kinds = EVERY_KIND if deep else [*ALWAYS_TRIED[: 4 * (count % 3 == 0)], *chance.sample(rest, 2)]
        for image in disk.images(chance, kinds):
            alive = (image.names, image.data) == ("all", "all")
            judge.check(image, life, stamp, stamp.acknowledged if alive else promised(count, stamp))


def note(record: Record, counts: Counts) -> None:
    """Tell how much was tried."""
    record("crash points", counts.points)
    record("images of a power cut", counts.images)
    record("different images loaded", counts.distinct)
    record("images whose cut end was dropped and told", counts.cut)
    record("images refused because of a gap, then repaired", counts.refused)


@pytest.mark.parametrize(
    ("policy", "preamble"),
    [
        ("always", "yes"),
        ("always", "no"),
        ("everysec", "yes"),
        ("no", "yes"),
        pytest.param("everysec", "no", marks=pytest.mark.slow),
        pytest.param("no", "no", marks=pytest.mark.slow),
    ],
)
def test_the_log(policy: str, preamble: str, deep: bool, record_property: Record) -> None:
    settings = {**LOGGED, "appendfsync": policy, "aof-use-rdb-preamble": preamble}
    life = Life(settings, 5)
    life.start()
    life.live(110, EVENTS)
    life.end()
    judge = Judge(settings)
    cut_everywhere(life, judge, Disk(), promises(policy, life.files.calls, life.witness()), deep)
    assert judge.counts.points > 400
    assert judge.counts.cut > 0
    note(record_property, judge.counts)


def test_snapshots(deep: bool, record_property: Record) -> None:
    life = Life(SAVED, 3)
    life.start()
    life.live(90, SNAPSHOTS)
    life.end()
    # Only these may be found.
    begun = {0, *life.snapshots}
    life.states = [state if number in begun else "" for number, state in enumerate(life.states)]
    judge = Judge(SAVED)
    cut_everywhere(life, judge, Disk(), lambda _, stamp: stamp.acknowledged, deep)
    assert judge.counts.points > 60
    note(record_property, judge.counts)


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_a_power_cut_after_a_kill(policy: str, deep: bool, record_property: Record) -> None:
    # What the killed process had not forced to the disk was still seen by the one after it, which built upon it.
    settings = {**LOGGED, "appendfsync": policy}
    first = Life(settings, 7)
    first.start()
    first.live(30, {10: b"BGREWRITEAOF"})
    first.end()
    judge = Judge(settings)
    calls = first.files.calls
    # The worst moments: a name is there, and only the kernel knows.
    for killed_at in [at for at in range(1, len(calls)) if deep or calls[at - 1].name in ("rename", "mkdir")]:
        disk = Disk()
        for call in calls[:killed_at]:
            disk.apply(call)
        second = Life(settings, 8, disk.live(), Past(first, calls[killed_at].stamp))
        second.start()
        second.live(8, {5: b"BGREWRITEAOF"})
        second.end()
        # The first life's promise for what a power cut leaves is not judged here: it holds for its own end.
        promised = promises(policy, second.files.calls, second.witness())
        cut_everywhere(second, judge, deepcopy(disk), promised, False)
    assert judge.counts.points > 250
    note(record_property, judge.counts)


@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_the_next_server_goes_on_from_what_was_left(policy: str, deep: bool) -> None:
    settings = {**LOGGED, "appendfsync": policy}
    life = Life(settings, 11)
    life.start()
    life.live(60, {20: b"BGREWRITEAOF"})
    life.end()
    disk = Disk()
    chance = Random(2)
    for count, call in enumerate(life.files.calls):
        disk.apply(call)
        if count % (1 if deep else 9):
            continue
        for image in disk.images(chance, [("all", "torn"), ("some", "zeros")]):
            second = Life({**settings, "appendfsync": "always"}, count, image.tree)
            second.start()
            second.live(4, {2: b"BGREWRITEAOF"})
            second.end()
            third = Life(settings, count, second.files.tree())
            third.start()
            assert third.states[-1] == second.states[-1]


def test_switching_the_log_on_beside_an_old_one(deep: bool, record_property: Record) -> None:
    # A server that was started without its log must not mix its dataset with what the log holds.
    first = Life({**LOGGED, "appendfsync": "always"}, 7)
    first.start()
    first.live(12, {})
    first.end()
    disk = Disk()
    for call in first.files.calls:
        disk.apply(call)
    settings = {**LOGGED, "appendfsync": "always"}
    second = Life({**settings, "appendonly": "no"}, 8, disk.live(), Past(first, first.witness()))
    second.start()
    second.live(25, {4: b"CONFIG SET appendonly yes"})
    second.end()
    judge = Judge(settings)
    cut_everywhere(second, judge, disk, promises("always", second.files.calls, second.witness()), deep)
    assert second.acknowledged == len(second.states) - 1
    note(record_property, judge.counts)
