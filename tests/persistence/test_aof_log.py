"""Appending: the three policies, and what happens when the disk fails. No test sleeps."""

import threading
from pathlib import Path

import pytest

from aikv.persistence.aof_format import encode_command
from aikv.persistence.aof_fsync import DiskJob, ThreadRunner
from aikv.persistence.aof_info import aof_info, aof_sizes_info
from aikv.persistence.aof_log import ALWAYS, EVERYSEC, NO, AofFatal
from aikv.persistence.files import Files
from persistence.aof_harness import FOLDER, FaultyFiles, World, load

MISCONF = b"MISCONF Errors writing to the AOF file: No space left on device"
SELECT = encode_command([b"SELECT", b"0"])
SET_A = encode_command([b"SET", b"a", b"1"])


def started(tmp_path: Path, policy: int) -> tuple[World, FaultyFiles]:
    """A world whose log is open, with nothing to write; the calls made so far are forgotten."""
    files = FaultyFiles()
    world = World(tmp_path, policy, files)
    world.start()
    world.aof.flush()
    files.calls.clear()
    return world, files


def incr(tmp_path: Path, seq: int = 1) -> bytes:
    return (tmp_path / FOLDER / f"appendonly.aof.{seq}.incr.aof").read_bytes()


def fail(files: FaultyFiles, how: str = "error", calls: int = 0) -> None:
    """Let the call after `calls` more fail."""
    files.at = len(files.calls) + calls
    files.how = how


def mend(files: FaultyFiles) -> None:
    files.at = -1
    files.failing = ""


def test_one_flush_is_one_write_for_all_commands_of_a_turn(tmp_path: Path) -> None:
    world, files = started(tmp_path, NO)
    for i in range(100):
        world.do(b"SET", b"k%d" % i, b"v")
    assert incr(tmp_path) == SELECT
    world.aof.flush()
    assert files.calls == ["write"]
    assert load(tmp_path)[0].values == world.dataset.values
    world.aof.flush()
    assert files.calls == ["write"]


def test_always_forces_every_turn_to_the_disk_before_it_returns(tmp_path: Path) -> None:
    world, files = started(tmp_path, ALWAYS)
    world.do(b"SET", b"a", b"1")
    world.do(b"SET", b"b", b"1")
    world.aof.flush()
    assert files.calls == ["write", "fsync"]
    assert world.aof.unsynced() == 0


def test_no_never_forces_anything(tmp_path: Path) -> None:
    world, files = started(tmp_path, NO)
    for _ in range(5):
        world.do(b"SET", b"a", b"1")
        world.aof.flush()
        world.clock.advance_ms(1000)
        world.aof.cron()
    assert world.runner.jobs == []
    assert files.calls == ["write"] * 5


def test_everysec_forces_once_a_second_beside_the_loop(tmp_path: Path) -> None:
    world, files = started(tmp_path, EVERYSEC)
    fsyncs = 0
    for _ in range(40):
        world.do(b"SET", b"a", b"1")
        world.aof.flush()
        world.aof.cron()
        fsyncs += world.runner.run()
        world.clock.advance_ms(100)
    assert fsyncs == 3
    assert files.calls.count("write") == 40


def test_everysec_forces_the_last_command_of_a_burst_within_a_second(tmp_path: Path) -> None:
    world, _ = started(tmp_path, EVERYSEC)
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    assert world.runner.jobs == []
    world.clock.advance_ms(1000)
    world.aof.cron()
    assert world.aof.pending_fsync() == 1
    assert world.runner.run() == 1
    assert world.aof.pending_fsync() == 0
    assert world.aof.unsynced() == 0
    world.clock.advance_ms(5000)
    world.aof.cron()
    assert world.runner.jobs == []


def test_a_slow_fsync_holds_nothing_up_and_is_counted_once_per_two_seconds(tmp_path: Path) -> None:
    world, files = started(tmp_path, EVERYSEC)
    world.clock.advance_ms(1000)
    for i in range(45):
        world.do(b"SET", b"a", b"%d" % i)
        world.aof.flush()
        assert incr(tmp_path).endswith(encode_command([b"SET", b"a", b"%d" % i]))
        world.clock.advance_ms(100)
    assert len(world.runner.jobs) == 1
    assert world.aof.delayed_fsync == 2
    world.runner.run()
    world.aof.cron()
    assert world.aof.unsynced() > 0
    assert len(world.runner.jobs) == 1
    assert "fsync" in files.calls


def test_the_policy_can_be_switched_while_running(tmp_path: Path) -> None:
    world, files = started(tmp_path, NO)
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    world.aof.set_policy(ALWAYS)
    # What was written before is forced, too, even if nothing follows.
    world.clock.advance_ms(1000)
    world.aof.cron()
    assert world.runner.run() == 1
    world.do(b"SET", b"a", b"2")
    world.aof.flush()
    assert files.calls == ["write", "fsync", "write", "fsync"]


def test_no_appendfsync_on_rewrite_holds_only_while_a_child_runs(tmp_path: Path) -> None:
    world, files = started(tmp_path, ALWAYS)
    world.aof.no_fsync_on_rewrite = True
    world.aof.child_active = True
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    assert files.calls == ["write"]
    world.aof.child_active = False
    world.do(b"SET", b"a", b"2")
    world.aof.flush()
    assert files.calls == ["write", "write", "fsync"]


@pytest.mark.parametrize("how", ["error", "short"])
@pytest.mark.parametrize("policy", [NO, EVERYSEC])
def test_a_full_disk_keeps_the_data_refuses_writes_and_clears_by_itself(
    policy: int, how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world, files = started(tmp_path, policy)
    world.do(b"SET", b"a", b"1")
    fail(files, how)
    world.aof.flush()
    assert not world.aof.ok
    assert world.aof.misconf() == MISCONF
    assert incr(tmp_path) == SELECT
    assert dict(aof_info(world.aof))["aof_last_write_status"] == "err"
    assert dict(aof_sizes_info(world.aof))["aof_buffer_length"] == str(len(SET_A))
    mend(files)
    world.aof.cron()
    assert world.aof.ok
    assert world.aof.misconf() is None
    assert incr(tmp_path) == SELECT + SET_A
    assert "Error writing to the AOF file: No space left on device" in caplog.text
    assert "aikv can write again" in caplog.text


def test_a_torn_write_that_cannot_be_cut_off_is_completed_later(tmp_path: Path) -> None:
    world, files = started(tmp_path, NO)
    world.do(b"SET", b"a", b"1")
    fail(files, "short")
    files.failing = "truncate"
    world.aof.flush()
    half = SELECT + SET_A[: len(SET_A) // 2]
    assert incr(tmp_path) == half
    files.at = -1
    files.how = "error"
    world.do(b"SET", b"b", b"2")
    world.aof.flush()
    assert incr(tmp_path) == SELECT + SET_A + encode_command([b"SET", b"b", b"2"])
    assert world.aof.ok


def test_errors_are_logged_at_most_every_thirty_seconds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world, files = started(tmp_path, NO)
    world.do(b"SET", b"a", b"1")
    fail(files, "always")
    files.failing = "write"
    for _ in range(45):
        world.aof.cron()
        world.clock.advance_ms(1000)
    assert caplog.text.count("Error writing to the AOF file") == 2


@pytest.mark.parametrize("calls", [0, 1])
def test_always_is_fatal_where_a_write_or_an_fsync_fails_and_stays_so(calls: int, tmp_path: Path) -> None:
    world, files = started(tmp_path, ALWAYS)
    world.do(b"SET", b"a", b"1")
    fail(files, calls=calls)
    with pytest.raises(AofFatal, match=r"'always'.*Exiting"):
        world.aof.flush()
    mend(files)
    for flush in (world.aof.flush, world.aof.cron, world.aof.close):
        with pytest.raises(AofFatal):
            flush()
    assert not world.aof.ok


def failed_fsync(tmp_path: Path) -> tuple[World, FaultyFiles]:
    world, files = started(tmp_path, EVERYSEC)
    world.clock.advance_ms(1000)
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    fail(files)
    world.runner.run()
    mend(files)
    world.aof.cron()
    return world, files


def test_a_failed_fsync_is_not_cleared_by_a_later_one(tmp_path: Path) -> None:
    world, _ = failed_fsync(tmp_path)
    assert world.aof.misconf() == MISCONF
    for _ in range(3):
        world.clock.advance_ms(1000)
        world.aof.append(SET_A)
        world.aof.flush()
        world.aof.cron()
        world.runner.run()
        world.aof.cron()
    assert not world.aof.ok
    assert dict(aof_info(world.aof))["aof_last_write_status"] == "err"


def test_a_failed_fsync_asks_for_a_rewrite_whose_success_clears_it(tmp_path: Path) -> None:
    world, _ = failed_fsync(tmp_path)
    assert world.aof.wants_rewrite(0, 0)
    assert world.begin_rewrite()
    assert not world.aof.ok
    assert world.finish_rewrite()
    assert world.aof.ok
    assert not world.aof.wants_rewrite(0, 0)


def test_an_fsync_of_the_new_file_that_failed_during_the_rewrite_is_not_cleared_by_it(tmp_path: Path) -> None:
    world, files = started(tmp_path, EVERYSEC)
    assert world.begin_rewrite()
    world.runner.run()
    world.clock.advance_ms(1000)
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    fail(files)
    world.runner.run()
    mend(files)
    assert world.finish_rewrite()
    assert world.aof.fsync_failed()
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    assert world.aof.ok


def test_close_writes_forces_and_reports(tmp_path: Path) -> None:
    world, files = started(tmp_path, EVERYSEC)
    world.do(b"SET", b"a", b"1")
    assert world.aof.close()
    assert files.calls == ["write", "fsync", "close"]
    assert incr(tmp_path) == SELECT + SET_A


def test_close_reports_a_disk_that_stays_full(tmp_path: Path) -> None:
    world, files = started(tmp_path, EVERYSEC)
    world.do(b"SET", b"a", b"1")
    fail(files, "always")
    assert not world.aof.close()
    assert incr(tmp_path) == SELECT


def test_the_thread_runs_jobs_in_order_and_stops_after_the_last() -> None:
    class Noting(Files):
        def __init__(self) -> None:
            self.seen: list[tuple[str, int, bool]] = []

        def note(self, what: str, fd: int) -> None:
            self.seen.append((what, fd, threading.current_thread() is threading.main_thread()))

        def fsync(self, fd: int) -> None:
            self.note("fsync", fd)
            raise OSError(5, "Input/output error")

        def close(self, fd: int) -> None:
            self.note("close", fd)

    files = Noting()
    runner = ThreadRunner(files)
    runner.stop()
    jobs = [DiskJob(7, False, 0, 0, 0), DiskJob(7, True, 0, 0, 0)]
    for job in jobs:
        runner.submit(job)
    runner.stop()
    assert files.seen == [("fsync", 7, False), ("close", 7, False)]
    assert [job.done for job in jobs] == [True, True]
    assert jobs[0].error is not None
    assert jobs[1].error is None


def test_sizes_count_all_files_of_the_log(tmp_path: Path) -> None:
    world, _ = started(tmp_path, NO)
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    folder = tmp_path / FOLDER
    on_disk = sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".manifest")
    sizes = dict(aof_sizes_info(world.aof))
    assert sizes["aof_current_size"] == str(on_disk)
    assert sizes["aof_base_size"] == str((folder / "appendonly.aof.1.base.rdb").stat().st_size)
