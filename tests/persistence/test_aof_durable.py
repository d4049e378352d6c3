"""Which appends are known to be on the disk, and which slow writes and fsyncs the latency monitor hears of."""

from pathlib import Path

from aikv.base.clock import ManualClock
from aikv.persistence.aof_log import ALWAYS, EVERYSEC, NO
from aikv.persistence.files import Files
from persistence.aof_harness import FaultyFiles, World


class SlowFiles(Files):
    """Files whose writes and fsyncs take 30 and 50 ms of a clock that is set later."""

    def __init__(self) -> None:
        super().__init__()
        self.clock: ManualClock | None = None

    def write(self, fd: int, data: bytes) -> int:
        if self.clock is not None:
            self.clock.advance_ms(30)
        return super().write(fd, data)

    def fsync(self, fd: int) -> None:
        if self.clock is not None:
            self.clock.advance_ms(50)
        super().fsync(fd)


def started(tmp_path: Path, policy: int, files: Files) -> World:
    world = World(tmp_path, policy, files)
    world.start()
    world.aof.flush()
    return world


def write(world: World, number: int) -> None:
    """Append a command as number `number` and hand it to the kernel."""
    world.do(b"SET", b"a", b"%d" % number)
    world.aof.appended = number
    world.aof.flush()


def test_under_everysec_an_fsync_makes_durable_what_was_written_when_it_began(tmp_path: Path) -> None:
    world = started(tmp_path, EVERYSEC, Files())
    write(world, 1)
    world.clock.advance_ms(1000)
    write(world, 2)
    assert world.aof.pending_fsync() == 1
    write(world, 3)
    assert world.aof.durable == 0
    world.runner.run()
    world.aof.cron()
    assert world.aof.durable == 2


def test_under_always_what_is_written_is_durable(tmp_path: Path) -> None:
    world = started(tmp_path, ALWAYS, Files())
    write(world, 1)
    assert world.aof.durable == 1


def test_without_fsyncs_nothing_is_until_the_file_is_left(tmp_path: Path) -> None:
    world = started(tmp_path, NO, Files())
    write(world, 1)
    world.clock.advance_ms(5000)
    world.aof.cron()
    assert world.aof.durable == 0
    # A rewrite goes on in another file, and forces this one to the disk before.
    assert world.begin_rewrite()
    assert world.aof.durable == 1


def test_a_failed_fsync_makes_nothing_durable(tmp_path: Path) -> None:
    files = FaultyFiles()
    world = started(tmp_path, EVERYSEC, files)
    world.clock.advance_ms(1000)
    write(world, 1)
    files.at = len(files.calls)
    files.how = "error"
    world.runner.run()
    world.aof.cron()
    assert world.aof.fsync_failed()
    assert world.aof.durable == 0
    files.at = -1
    files.failing = ""
    world.clock.advance_ms(2000)
    write(world, 2)
    world.runner.run()
    world.aof.cron()
    # A later fsync cannot make up for what the kernel may have dropped.
    assert world.aof.durable == 0


def test_a_failed_write_is_not_written(tmp_path: Path) -> None:
    files = FaultyFiles()
    world = started(tmp_path, EVERYSEC, files)
    files.at = len(files.calls)
    files.how = "error"
    write(world, 1)
    assert world.aof.written == 0
    files.at = -1
    files.failing = ""
    world.aof.flush()
    assert world.aof.written == 1


def test_slow_writes_and_fsyncs_are_events(tmp_path: Path) -> None:
    files = SlowFiles()
    world = started(tmp_path, ALWAYS, files)
    world.aof.latency.threshold_ms = 20
    files.clock = world.clock
    write(world, 1)
    events = world.aof.latency.events
    assert {name: event.worst_ms for name, event in events.items()} == {
        "aof-write-alone": 30,
        "aof-write": 30,
        "aof-fsync-always": 50,
    }
    world.aof.child_active = True
    write(world, 2)
    assert events["aof-write-active-child"].worst_ms == 30


def test_a_write_beside_an_fsync_is_an_event_of_its_own(tmp_path: Path) -> None:
    files = SlowFiles()
    world = started(tmp_path, EVERYSEC, files)
    world.aof.latency.threshold_ms = 20
    world.clock.advance_ms(1000)
    write(world, 1)
    assert world.aof.pending_fsync() == 1
    files.clock = world.clock
    write(world, 2)
    assert set(world.aof.latency.events) == {"aof-write-pending-fsync", "aof-write"}


def test_nothing_is_measured_while_the_monitor_is_off(tmp_path: Path) -> None:
    files = SlowFiles()
    world = started(tmp_path, ALWAYS, files)
    files.clock = world.clock
    write(world, 1)
    assert world.aof.latency.events == {}
