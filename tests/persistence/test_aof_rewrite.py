"""Starting, rewriting, switching on and off; and the log after a crash or an error at every single call."""

import logging
import os
from pathlib import Path

import pytest

from aikv.base.errors import AikvError
from aikv.persistence.aof_base import BaseOptions, RewriteJob, rewrite_temp_path, write_commands
from aikv.persistence.aof_format import encode_command
from aikv.persistence.aof_info import aof_info, aof_sizes_info
from aikv.persistence.aof_log import ALWAYS, EVERYSEC, NO, OFF, ON, WAIT_REWRITE, AofFatal
from aikv.persistence.background import BackgroundChild
from aikv.persistence.files import Files
from aikv.persistence.sink import Sink
from aikv.persistence.snapshot import SaveOptions
from persistence.aof_harness import FOLDER, FakeDatabase, FaultyFiles, Stopped, World, load

FRESH = "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
REWRITTEN = "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n"


def started(tmp_path: Path, policy: int = NO, rdb: bool = True) -> World:
    world = World(tmp_path, policy, rdb=rdb)
    world.start()
    return world


def names(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / FOLDER))


def limited(world: World) -> bool:
    return world.aof.limit.limited(world.clock.monotonic_us())


def test_a_first_start_makes_base_incr_and_manifest(tmp_path: Path) -> None:
    world = started(tmp_path)
    assert world.manifest() == FRESH
    assert names(tmp_path) == ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest"]
    assert os.listdir(tmp_path) == [FOLDER]


def test_a_restart_appends_to_the_last_incr_file(tmp_path: Path) -> None:
    world = started(tmp_path)
    world.do(b"SET", b"a", b"1")
    assert world.aof.close()
    again = started(tmp_path)
    again.do(b"SET", b"b", b"2")
    assert again.aof.close()
    assert again.manifest() == FRESH
    assert load(tmp_path)[0].values == {(0, b"a"): b"1", (0, b"b"): b"2"}


@pytest.mark.parametrize("rdb", [True, False])
def test_a_rewrite_replaces_all_files(rdb: bool, tmp_path: Path) -> None:
    world = started(tmp_path, rdb=rdb)
    world.do(b"SET", b"a", b"1")
    world.do(b"SELECT", b"3")
    world.do(b"SET", b"b", b"12")
    world.do(b"PEXPIREAT", b"b", b"1900000000000")
    assert world.begin_rewrite()
    world.do(b"APPEND", b"b", b"34")
    world.aof.flush()
    during = load(tmp_path)[0]
    assert during.values == world.dataset.values
    assert world.finish_rewrite()
    suffix = "rdb" if rdb else "aof"
    assert world.manifest() == REWRITTEN.replace("rdb", suffix)
    assert names(tmp_path) == [
        f"appendonly.aof.2.base.{suffix}",
        "appendonly.aof.2.incr.aof",
        "appendonly.aof.manifest",
    ]
    after = load(tmp_path)[0]
    assert (after.values, after.expires) == (world.dataset.values, world.dataset.expires)


def test_a_rewrite_that_is_aborted_leaves_two_incr_files_and_nothing_lost(tmp_path: Path) -> None:
    world = started(tmp_path)
    world.do(b"SET", b"a", b"1")
    assert world.begin_rewrite()
    world.do(b"SET", b"b", b"2")
    world.aof.abort_rewrite(world.temp_path)
    world.do(b"SET", b"c", b"3")
    world.aof.flush()
    assert not Path(world.temp_path).exists()
    assert world.manifest() == FRESH + "file appendonly.aof.2.incr.aof seq 2 type i\n"
    assert load(tmp_path)[0].values == world.dataset.values
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    assert "seq 3 type i" in world.manifest()
    assert load(tmp_path)[0].values == world.dataset.values


def test_a_rewrite_waits_until_the_present_file_has_all_that_came_before_it(tmp_path: Path) -> None:
    files = FaultyFiles()
    world = World(tmp_path, NO, files)
    world.start()
    world.do(b"APPEND", b"k", b"1")
    files.at, files.how = len(files.calls), "always"
    world.aof.flush()
    # Else the command would be in the base and again in the file behind it.
    assert not world.begin_rewrite()
    files.failing = ""
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    world.aof.flush()
    assert load(tmp_path)[0].values == {(0, b"k"): b"1"}


def test_history_that_a_crash_left_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    world = started(tmp_path)
    assert world.aof.close()
    folder = tmp_path / FOLDER
    (folder / "appendonly.aof.0.base.rdb").write_bytes(b"old")
    manifest = folder / "appendonly.aof.manifest"
    manifest.write_text(
        FRESH
        + "file appendonly.aof.0.base.rdb seq 9 type h\nfile gone seq 9 type h\n"
        + "file appendonly.aof.1.base.rdb seq 1 type h\n"
    )
    again = started(tmp_path)
    assert again.manifest() == FRESH
    assert names(tmp_path) == ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest"]


def test_history_that_cannot_be_deleted_is_only_logged_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = FaultyFiles()
    world = World(tmp_path, NO, files)
    world.start()
    assert world.begin_rewrite()
    files.failing = "unlink"
    assert world.finish_rewrite()
    assert "Can't remove" in caplog.text
    assert world.manifest().count("type h") == 2
    files.failing = ""
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    assert len(names(tmp_path)) == 3


@pytest.mark.parametrize("on", [True, False])
def test_what_a_rewrite_replaces_is_deleted_a_second_later(tmp_path: Path, on: bool) -> None:
    world = started(tmp_path)
    if not on:
        world.aof.disable()
    assert world.begin_rewrite()
    assert world.aof.finish_rewrite(world.temp_path, world.rdb)
    for ms, history in ((0, 2), (999, 2), (1, 0)):
        world.clock.advance_ms(ms)
        world.aof.history.expire()
        assert world.manifest().count("type h") == history


def test_the_log_is_switched_on_by_its_first_rewrite(tmp_path: Path) -> None:
    world = World(tmp_path, ALWAYS)
    world.do(b"SET", b"before", b"1")
    assert world.aof.tail.buffer == []
    world.aof.enable()
    assert world.aof.state == WAIT_REWRITE
    assert world.begin_rewrite()
    world.do(b"SET", b"during", b"2")
    world.aof.flush()
    assert not load(tmp_path)[1].existed
    assert world.finish_rewrite()
    assert world.aof.state == ON
    world.do(b"SET", b"after", b"3")
    world.aof.flush()
    assert world.manifest() == FRESH
    assert load(tmp_path)[0].values == world.dataset.values


def test_switching_on_begins_anew_where_the_rewrite_failed(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.enable()
    assert world.begin_rewrite()
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    world.aof.abort_rewrite(world.temp_path)
    assert world.aof.rewrite_scheduled
    assert names(tmp_path) == []
    world.do(b"SET", b"b", b"2")
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    assert load(tmp_path)[0].values == world.dataset.values


def test_the_log_is_switched_off_and_on_again(tmp_path: Path) -> None:
    world = started(tmp_path, EVERYSEC)
    world.do(b"SET", b"a", b"1")
    world.aof.disable()
    assert world.aof.state == OFF
    assert dict(aof_info(world.aof))["aof_enabled"] == "0"
    assert aof_sizes_info(world.aof) == []
    world.do(b"SET", b"b", b"2")
    assert load(tmp_path)[0].values == {(0, b"a"): b"1"}
    world.aof.enable()
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    assert world.manifest() == REWRITTEN
    assert load(tmp_path)[0].values == world.dataset.values


def test_switching_off_ends_a_rewrite(tmp_path: Path) -> None:
    world = started(tmp_path)
    assert world.begin_rewrite()
    world.aof.disable()
    assert not world.aof.rewriting
    assert world.aof.last_rewrite_ok


def test_a_rewrite_while_the_log_is_off_leaves_a_base_alone(tmp_path: Path) -> None:
    world = started(tmp_path)
    world.do(b"SET", b"a", b"1")
    world.aof.disable()
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    assert world.manifest() == "file appendonly.aof.2.base.rdb seq 2 type b\n"
    again = started(tmp_path)
    assert again.manifest().endswith("file appendonly.aof.1.incr.aof seq 1 type i\n")
    assert load(tmp_path)[0].values == world.dataset.values


def test_growth_asks_for_a_rewrite(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = started(tmp_path)
    assert world.begin_rewrite()
    world.aof.flush()
    assert world.finish_rewrite()
    caplog.set_level(logging.INFO, logger="aikv")
    assert not world.aof.wants_rewrite(100, 0)
    world.aof.append(b"x" * 2 * world.aof.base_size)
    world.aof.flush()
    assert not world.aof.wants_rewrite(0, 0)
    assert not world.aof.wants_rewrite(100, 1_000_000)
    assert not world.aof.wants_rewrite(201, 0)
    assert world.aof.wants_rewrite(100, 0)
    assert "Starting automatic rewriting of AOF on 2" in caplog.text
    assert world.begin_rewrite()
    assert not world.aof.wants_rewrite(100, 0)


def test_after_three_failures_automatic_rewrites_pause_for_longer_and_longer(tmp_path: Path) -> None:
    world = started(tmp_path)
    for _ in range(3):
        assert not limited(world)
        assert world.begin_rewrite()
        world.aof.abort_rewrite(world.temp_path)
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        assert limited(world)
        world.clock.advance_ms(minutes * 60_000 - 1)
        assert limited(world)
        world.clock.advance_ms(1)
        assert not limited(world)
    assert dict(aof_info(world.aof))["aof_rewrites_consecutive_failures"] == "3"
    assert world.begin_rewrite()
    assert world.finish_rewrite()
    assert not limited(world)


def test_times_and_states_of_rewrites_are_told(tmp_path: Path) -> None:
    world = started(tmp_path)
    assert world.begin_rewrite()
    world.clock.advance_ms(2500)
    told = dict(aof_info(world.aof))
    assert (told["aof_rewrite_in_progress"], told["aof_current_rewrite_time_sec"]) == ("1", "2")
    world.aof.abort_rewrite(world.temp_path)
    told = dict(aof_info(world.aof))
    assert (told["aof_last_rewrite_time_sec"], told["aof_last_bgrewrite_status"]) == ("2", "err")
    assert (told["aof_current_rewrite_time_sec"], told["aof_rewrites"]) == ("-1", "1")


def test_the_command_form_writes_every_kind_of_string_and_its_ttl() -> None:
    sink = Sink(keep_crc=False)
    databases = [
        FakeDatabase(0, {}),
        FakeDatabase(7, {b"a": b"\r\n", b"b": -5, b"c": bytearray(b"x")}, {b"b": 1_900_000_000_000}),
    ]
    assert write_commands(sink, list(databases)) == 3
    assert sink.value() == b"".join(
        map(
            encode_command,
            [
                [b"SELECT", b"7"],
                [b"SET", b"a", b"\r\n"],
                [b"SET", b"b", b"-5"],
                [b"PEXPIREAT", b"b", b"1900000000000"],
                [b"SET", b"c", b"x"],
            ],
        )
    )


def test_a_forked_child_writes_the_base(tmp_path: Path) -> None:
    world = started(tmp_path)
    world.do(b"SET", b"a", b"1")
    assert world.aof.begin_rewrite()
    child = BackgroundChild()
    job = RewriteJob(
        Files(), str(tmp_path), [FakeDatabase(0, {b"a": 1})], BaseOptions(False, SaveOptions(), 1_700_000_000)
    )
    child.start(job)
    path = rewrite_temp_path(str(tmp_path), child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    outcome = child.poll()
    assert outcome is not None
    assert (outcome.ok, outcome.report) == (True, "1")
    assert Path(path).read_bytes().startswith(b"#TS:1700000000\r\n*2\r\n")
    assert world.aof.finish_rewrite(path, rdb=False)
    assert load(tmp_path)[0].values == {(0, b"a"): b"1"}


def test_a_start_on_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(AikvError, match=r"append-only dir .*: Not a directory"):
        World(tmp_path, NO).start()


# A life of the log in steps; each command appends its number, so what was loaded tells exactly which prefix it is.
LIFE = "..f.f.fB..f.cc.fFc.f.BA.fB.Fc..f.fDE.BfF.f.f"


def live(world: World, journal: list[int]) -> None:
    """Live, and keep in `journal` how many commands were sent and how many acknowledged while the log was on."""
    sent = 0
    for step in LIFE:
        if step == "." and world.aof.ok:
            sent += 1
            world.do(b"APPEND", b"k", b"%d," % sent)
            journal[0] = sent
        elif step in "fc":
            world.aof.flush() if step == "f" else world.aof.cron()
            if world.aof.ok and world.aof.state == ON:
                journal[1] = sent
        elif step == "B":
            world.begin_rewrite()
        elif step == "F" and world.aof.rewriting and Path(world.temp_path).exists():
            world.finish_rewrite()
        elif step == "A" and world.aof.rewriting:
            world.aof.abort_rewrite(world.temp_path, failed=False)
        elif step == "D":
            world.aof.disable()
        elif step == "E":
            # What is acknowledged while the log is off or being switched on is not promised to be in it.
            world.aof.enable()
        world.clock.advance_ms(300)
        world.runner.run()
    world.aof.close()


def check_loaded(tmp_path: Path, journal: list[int]) -> int:
    """What is on disk is a prefix of what was sent, and holds what was acknowledged; returns its length."""
    dataset, _ = load(tmp_path)
    numbers = dataset.values.get((0, b"k"), b"")
    count = numbers.count(b",")
    assert numbers == b"".join(b"%d," % i for i in range(1, count + 1))
    assert journal[1] <= count <= journal[0]
    return count


def calls_of_a_life(tmp_path: Path, policy: int) -> int:
    files = FaultyFiles()
    world = World(tmp_path, policy, files)
    world.start()
    journal = [0, 0]
    live(world, journal)
    assert check_loaded(tmp_path, journal) == LIFE.count(".") == journal[0]
    return len(files.calls)


@pytest.mark.slow
@pytest.mark.parametrize("policy", [NO, EVERYSEC, ALWAYS])
@pytest.mark.parametrize("how", ["before", "after", "error", "short", "always"])
def test_no_call_that_fails_or_is_the_last_loses_an_acknowledged_command(policy: int, how: str, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    count = calls_of_a_life(tmp_path / "whole", policy)
    assert count > 60
    for at in range(count):
        folder = tmp_path / str(at)
        folder.mkdir()
        rdb = at % 2 == 0
        world = World(folder, policy, FaultyFiles(at, how), rdb)
        journal = [0, 0]
        try:
            world.start()
            live(world, journal)
        except (Stopped, AofFatal, AikvError):
            pass
        first = check_loaded(folder, journal)
        # And the next process goes on from there.
        again = World(folder, policy, rdb=rdb)
        again.dataset.values = load(folder)[0].values
        again.start()
        again.do(b"APPEND", b"k", b"%d," % (first + 1))
        again.aof.flush()
        assert check_loaded(folder, [first + 1, first + 1]) == first + 1


@pytest.mark.slow
@pytest.mark.parametrize("policy", [NO, EVERYSEC, ALWAYS])
@pytest.mark.parametrize("how", ["before", "after"])
def test_a_power_cut_at_any_call_leaves_a_log_that_loads(policy: int, how: str, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    count = calls_of_a_life(tmp_path / "whole", policy)
    for at in range(count):
        folder = tmp_path / str(at)
        folder.mkdir()
        files = FaultyFiles(at, how)
        journal = [0, 0]
        try:
            world = World(folder, policy, files)
            world.start()
            live(world, journal)
        except Stopped:
            files.cut_power()
        # Only `always` promises that nothing acknowledged is lost; all promise that what is left is a prefix.
        check_loaded(folder, journal if policy == ALWAYS else [journal[0], 0])
