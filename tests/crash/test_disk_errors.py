"""Every call that changes the disk fails, once, a few times or for ever, with ENOSPC or EIO: nothing promised is lost.

What is promised, whichever call it is:

- The server never ends by any other error than the one of `always`, and under `always` nothing is answered that is
  not on the disk.
- What was acknowledged is there for the next start, and after a power cut, too, as far as an fsync covered it.
- After an fsync of the log has failed writes are refused, INFO and the log say so, and no later fsync changes that:
  only a rewrite into new files does. After a snapshot in the background has failed the same holds until one succeeds.
"""

import errno
from collections.abc import Callable
from random import Random

import pytest

from aikv.base.errors import AikvError
from aikv.persistence.aof_log import OFF, ON, AofFatal
from crash.power.disk import Disk
from crash.power.judge import Judge
from crash.power.life import LOGGED, SAVED, Life, Past
from crash.power.memory import Fault
from crash.power.world import Heard

Record = Callable[[str, object], None]

TURNS = 34
LOG_EVENTS = {3: b"BGREWRITEAOF", 8: b"BGSAVE", 12: b"FLUSHALL", 30: b"BGREWRITEAOF"}
SWITCH_EVENTS = {4: b"CONFIG SET appendonly no", 8: b"CONFIG SET appendonly yes", 20: b"BGREWRITEAOF"}
SAVE_EVENTS = {3: b"SAVE", 8: b"BGSAVE", 14: b"FLUSHALL", 17: b"BGSAVE", 24: b"SAVE", 29: b"BGSAVE"}
LEFT = [("none", "none"), ("all", "none"), ("all", "torn"), ("some", "torn"), ("first", "all")]
Ways = pytest.mark.parametrize(
    ("times", "partly"),
    [(1, False), (1, True), (2, False), pytest.param(3, False, marks=pytest.mark.slow), (1 << 30, False)],
)


@pytest.fixture
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether every call is to be tried."""
    return bool(request.config.getoption("--deep"))


def tried(settings: dict[str, str], events: dict[int, bytes], partly: bool, deep: bool) -> list[int]:
    """The numbers of the calls to fail, out of those of a life without faults: all, or some of each kind."""
    life = Life(settings, 5)
    life.start(at_once=True)
    life.live(TURNS, events)
    life.end()
    kinds: dict[tuple[str, bool], list[int]] = {}
    for number, call in enumerate(life.files.calls):
        if not partly or call.name == "write":
            kinds.setdefault((call.name, ".incr." in call.path), []).append(number)
    chance = Random(1)
    some = [numbers if deep else chance.sample(numbers, min(len(numbers), 2)) for numbers in kinds.values()]
    return sorted(number for numbers in some for number in numbers)


def faulty_life(settings: dict[str, str], events: dict[int, bytes], fault: Fault) -> tuple[Life, bool]:
    """A life with `fault`; and whether the server is still there at its end."""
    life = Life(settings, 5)
    life.files.fault = fault
    try:
        life.start(at_once=True)
    except AikvError:
        assert not life.states
        return life, False
    try:
        life.live(TURNS, events)
        life.end()
    except AofFatal:
        assert settings["appendfsync"] == "always"
        return life, False
    return life, True


def check_left(life: Life, judge: Judge, forced_only: bool) -> None:
    """What is on the disk after `life` was killed, or the power cut."""
    if not life.states:
        # It never served anybody.
        assert not judge.load(life.files.tree()).refused
        return
    stamp = life.witness()
    disk = Disk()
    for call in life.files.calls:
        disk.apply(call)
    forced = [call.stamp.acknowledged for call in life.files.calls if covers_the_log(call.name, call.path, call.failed)]
    promised = max(forced[-1:], default=0) if forced_only else life.acknowledged
    chance = Random(3)
    for image in disk.images(chance, LEFT):
        judge.check(image, life, stamp, promised)
    verdict = judge.load(life.files.tree())
    assert not verdict.refused, verdict.refused
    assert verdict.state in life.states[life.acknowledged :]


def covers_the_log(name: str, path: str, failed: bool) -> bool:
    """Whether this call has forced the log to the disk."""
    return name == "fsync" and not failed and ".incr." in path


def check_refusals(life: Life, said: list[str]) -> None:
    """A server that refuses writes says so; one that does not, takes them; and a rewrite or a save heals it."""
    world = life.world
    assert world is not None
    life.files.fault = None
    life.files.failing = ""
    aof = world.persistence.log.aof
    if aof.fsync_failed():
        assert any("Fail to fsync the AOF file" in line for line in said)
        life.watch()
        for _ in range(60):
            # Time passes and the disk works again, but only a rewrite may make up for what failed.
            life.pass_time()
            life.watch()
            if not aof.fsync_failed():
                break
            assert world.info("aof_last_write_status") == "err"
            assert world.run(b"SET", b"refused", b"1").startswith(b"-MISCONF Errors writing to the AOF file")
    if aof.state != OFF:
        if not aof.rewriting:
            world.run(b"BGREWRITEAOF")
        life.end()
        assert aof.state == ON
        assert not aof.fsync_failed()
        assert world.info("aof_last_bgrewrite_status") == "ok"
    else:
        if world.info("rdb_last_bgsave_status") == "err":
            assert world.run(b"SET", b"refused", b"1").startswith(b"-MISCONF Redis is configured to save RDB snapshots")
        world.run(b"BGSAVE")
        life.end()
        assert world.info("rdb_last_bgsave_status") == "ok"
    world.persistence.cron()
    assert life.turn([[b"SET", b"taken", b"%d" % len(life.states)]]) == [b"+OK\r\n"]
    assert world.info("aof_last_write_status") == "ok"


@Ways
@pytest.mark.parametrize(
    ("policy", "switched"),
    [("always", False), ("always", True), ("everysec", False), ("everysec", True), ("no", False)],
)
def test_the_log(policy: str, switched: bool, times: int, partly: bool, deep: bool, record_property: Record) -> None:
    settings = {**LOGGED, "appendfsync": policy}
    events = SWITCH_EVENTS if switched else LOG_EVENTS
    judge = Judge(settings)
    failures = 0
    for at in tried(settings, events, partly, deep):
        for number in (errno.ENOSPC, errno.EIO) if deep else [(errno.ENOSPC, errno.EIO)[at % 2]]:
            with Heard() as heard:
                life, alive = faulty_life(settings, events, Fault(at, number, times, partly))
                failures += life.files.failures
                assert life.files.failures > 0
                check_left(life, judge, policy != "always")
                if alive:
                    check_refusals(life, heard.lines)
                    check_left(life, judge, policy != "always")
    record_property("disk errors survived", failures)


def test_the_server_after_a_failed_fsync_builds_on_nothing_that_is_not_on_the_disk(deep: bool) -> None:
    settings = {**LOGGED, "appendfsync": "always"}
    life = Life(settings, 5)
    life.start()
    life.live(12, {})
    fsyncs = [number for number, call in enumerate(life.files.calls) if covers_the_log(call.name, call.path, False)]
    judge = Judge(settings)
    for at in fsyncs if deep else fsyncs[1::4]:
        first, alive = faulty_life(settings, {}, Fault(at, errno.EIO))
        assert not alive
        disk = Disk()
        for call in first.files.calls:
            disk.apply(call)
        second = Life(settings, 6, disk.live(), Past(first, first.witness()))
        second.start()
        assert second.states[-1] == first.states[first.acknowledged]
        second.live(6, {})
        for call in second.files.calls:
            disk.apply(call)
            for image in disk.images(Random(at), [("none", "none"), ("all", "torn")]):
                judge.check(image, second, call.stamp, call.stamp.acknowledged)


@Ways
def test_snapshots(times: int, partly: bool, deep: bool, record_property: Record) -> None:
    settings = {**SAVED, "appendfsync": "always"}
    judge = Judge(settings)
    failures = 0
    for at in tried(settings, SAVE_EVENTS, partly, deep):
        with Heard() as heard:
            number = (errno.ENOSPC, errno.EIO)[at % 2]
            life, alive = faulty_life(settings, SAVE_EVENTS, Fault(at, number, times, partly))
            failures += life.files.failures
            assert life.files.failures > 0
            assert alive
            assert any("Failed saving" in line or "saving error" in line for line in heard.lines)
            check_left(life, judge, False)
            check_refusals(life, heard.lines)
    record_property("disk errors survived", failures)
