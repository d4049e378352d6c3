"""Times in the log, and the files that a rewrite replaced: noted, kept, deleted when their time is over."""

from pathlib import Path

import pytest

from aikv.persistence.aof_format import encode_command
from aikv.persistence.aof_history import generations
from aikv.persistence.aof_log import NO
from aikv.persistence.aof_manifest import parse_manifest
from conftest import StartServer
from crash.waiting import wait_for_children, wait_until
from oracle.process import AIKV, REDIS
from persistence.aof_harness import FILENAME, FOLDER, World, load

MS = 1000


def stamps(world: World, name: str) -> list[bytes]:
    """The lines of an incr file that say a time, and the names of the commands between them."""
    lines = (world.directory / FOLDER / name).read_bytes().split(b"\r\n")
    return [line for line in lines if line.startswith(b"#") or line in (b"SELECT", b"SET")]


def history_of(world: World) -> list[str]:
    return [part.name for part in parse_manifest(world.manifest().encode(), "m").history]


def rewrite(world: World) -> None:
    assert world.begin_rewrite()
    assert world.finish_rewrite()


def test_a_time_is_noted_once_a_second_and_at_the_start_of_each_file(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.timestamps = True
    world.start()
    world.do(b"SET", b"a", b"1")
    world.clock.advance_ms(999)
    world.do(b"SET", b"b", b"1")
    world.clock.advance_ms(1)
    world.do(b"SET", b"c", b"1")
    world.clock.advance_ms(-5 * MS)
    world.do(b"SET", b"d", b"1")
    rewrite(world)
    world.do(b"SET", b"e", b"1")
    world.aof.flush()
    assert stamps(world, f"{FILENAME}.2.incr.aof") == [b"#TS:1700000001", b"SELECT", b"SET"]
    dataset, _ = load(tmp_path)
    assert len(dataset.values) == 5


def test_the_first_file_is_dated_too(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.timestamps = True
    world.start()
    world.do(b"SET", b"a", b"1")
    world.clock.advance_ms(1000)
    world.do(b"SET", b"b", b"1")
    world.aof.flush()
    expected = [b"#TS:1700000000", b"SELECT", b"SET", b"#TS:1700000001", b"SET"]
    assert stamps(world, f"{FILENAME}.1.incr.aof") == expected


def test_no_time_is_noted_unless_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.start()
    world.do(b"SET", b"a", b"1")
    world.aof.flush()
    assert stamps(world, f"{FILENAME}.1.incr.aof") == [b"SELECT", b"SET"]


def test_history_is_deleted_when_its_time_is_over_and_not_before(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.history.keep_s = 10
    world.start()
    rewrite(world)
    kept = [f"{FILENAME}.1.incr.aof", f"{FILENAME}.1.base.rdb"]
    assert history_of(world) == kept
    world.clock.advance_ms(5 * MS)
    rewrite(world)
    world.clock.advance_ms(5 * MS - 1)
    world.aof.history.expire()
    assert len(history_of(world)) == 4
    world.clock.advance_ms(1 * MS)
    world.aof.history.expire()
    assert history_of(world) == [f"{FILENAME}.2.incr.aof", f"{FILENAME}.2.base.rdb"]
    assert not any((tmp_path / FOLDER / name).exists() for name in kept)
    world.clock.advance_ms(5 * MS)
    world.aof.history.expire()
    assert history_of(world) == []


def test_history_outlives_a_restart(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.history.keep_s = 10
    world.start()
    rewrite(world)
    assert world.aof.close()
    again = World(tmp_path, NO)
    again.aof.history.keep_s = 10
    again.clock.now_us = world.clock.now_us + 9_999_999
    again.start()
    assert len(history_of(again)) == 2
    assert again.aof.close()
    third = World(tmp_path, NO)
    third.start()
    assert history_of(third) == []


def test_nothing_is_deleted_while_somebody_copies_or_with_minus_one(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.history.pinned = True
    world.start()
    rewrite(world)
    assert len(history_of(world)) == 2
    world.aof.history.pinned = False
    world.aof.history.keep_s = -1
    world.clock.advance_ms(10**9)
    world.aof.history.expire()
    assert len(history_of(world)) == 2
    world.aof.history.keep_s = 0
    world.clock.advance_ms(1 * MS)
    world.aof.history.expire()
    assert history_of(world) == []


def test_every_base_begins_a_whole_log(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.history.keep_s = -1
    world.start()
    for _ in range(2):
        rewrite(world)
    # A rewrite that comes to nothing leaves one more incr file.
    assert world.begin_rewrite()
    world.aof.abort_rewrite(world.temp_path)
    rewrite(world)
    logs = generations(world.aof.manifest)
    described = [([log.base.seq if log.base else 0], [part.seq for part in log.incr]) for log in logs]
    assert described == [([4], [5]), ([3], [3, 4, 5]), ([2], [2, 3, 4, 5]), ([1], [1, 2, 3, 4, 5])]
    assert parse_manifest(world.manifest().encode(), "m").text().startswith(world.manifest().encode())


def test_a_log_that_was_switched_off_meanwhile_has_no_past(tmp_path: Path) -> None:
    world = World(tmp_path, NO)
    world.aof.history.keep_s = -1
    world.start()
    rewrite(world)
    world.aof.disable()
    world.dataset.execute([b"SET", b"not", b"logged"])
    world.aof.enable()
    rewrite(world)
    assert len(generations(world.aof.manifest)) == 1


def test_redis_takes_a_log_with_history_over(tmp_path: Path, start_server: StartServer) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    world = World(folder, NO)
    world.aof.history.keep_s = 1000
    world.aof.timestamps = True
    world.start()
    world.do(b"SET", b"a", b"1")
    rewrite(world)
    world.do(b"SET", b"b", b"2")
    world.aof.flush()
    server = start_server(REDIS, "--appendonly", "yes", "--save", "")
    with server.connect() as connection:
        assert connection.command("MGET", "a", "b") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    server.kill()
    assert history_of(world) == []


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_both_servers_note_times_in_the_same_places(program: tuple[str, ...], start_server: StartServer) -> None:
    server = start_server(
        program, "--appendonly", "yes", "--save", "", "--aof-timestamp-enabled", "yes", "--appendfsync", "always"
    )
    with server.connect() as connection:
        connection.command("SET", "a", "1")
    server.kill()
    incr = (server.folder / FOLDER / f"{FILENAME}.1.incr.aof").read_bytes()
    stamp, rest = incr.split(b"\r\n", 1)
    assert stamp.startswith(b"#TS:")
    assert rest == encode_command([b"SELECT", b"0"]) + encode_command([b"SET", b"a", b"1"])


def test_the_server_keeps_history_as_long_as_it_is_told(start_server: StartServer) -> None:
    server = start_server(AIKV, "--appendonly", "yes", "--save", "", "--aikv-aof-history-seconds", "1000")
    folder = server.folder / FOLDER
    with server.connect() as connection:
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
        assert (folder / f"{FILENAME}.1.incr.aof").exists()
        assert connection.command("CONFIG", "SET", "aof-disable-auto-gc", "yes") == b"+OK\r\n"
        assert connection.command("CONFIG", "SET", "aikv-aof-history-seconds", "0") == b"+OK\r\n"
        assert (folder / f"{FILENAME}.1.incr.aof").exists()
        assert connection.command("CONFIG", "SET", "aof-disable-auto-gc", "no") == b"+OK\r\n"
        manifest = folder / f"{FILENAME}.manifest"
        wait_until(lambda: "type h" not in manifest.read_text(), "the history goes")
    assert not (folder / f"{FILENAME}.1.incr.aof").exists()
