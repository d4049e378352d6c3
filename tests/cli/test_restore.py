"""`aikv restore`: the dataset of a moment, across bases, incremental files and kept history."""

import shutil
import time
from pathlib import Path

import pytest

from aikv.persistence.aof_log import NO
from cli.running import run
from conftest import StartServer
from crash.waiting import wait_for_children
from oracle.process import AIKV, REDIS
from oracle.wire import RawConnection
from persistence.aof_harness import FILENAME, FOLDER, World, only_incr

BEGAN_S = 1_700_000_000
LOGGED = ("--appendonly", "yes", "--save", "", "--appendfsync", "always", "--aof-timestamp-enabled", "yes")


def at(seconds: int) -> str:
    """The moment so many seconds after the log of `history` began."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BEGAN_S + seconds))


def history(folder: Path, keep_s: int = 10_000, rdb: bool = True) -> World:
    """A log that is rewritten at second 10 and at 30, and written to at 0, 5, 15, 20, 25 and 40."""
    folder.mkdir()
    world = World(folder, NO, rdb=rdb)
    world.aof.timestamps = True
    world.aof.history.keep_s = keep_s
    world.start()
    for second in (0, 5, 10, 15, 20, 25, 30, 40):
        world.clock.now_us = (BEGAN_S + second) * 1_000_000
        if second in (10, 30):
            assert world.begin_rewrite()
            assert world.finish_rewrite()
        else:
            world.do(b"SET", b"key:%d" % second, b"%d" % second)
            world.do(b"APPEND", b"all", b".")
            world.aof.flush()
    return world


def date_bases(folder: Path) -> None:
    """Give the bases of `history`, which the harness writes without the fields of a server, times: as commands."""
    for number, second in ((1, 0), (2, 10), (3, 30)):
        path = folder / FOLDER / f"{FILENAME}.{number}.base.aof"
        if path.exists():
            path.write_bytes(b"#TS:%d\r\n" % (BEGAN_S + second) + path.read_bytes())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The data folder with `history`."""
    folder = tmp_path / "source"
    history(folder, rdb=False)
    date_bases(folder)
    return folder


def content(start_server: StartServer, name: str, program: tuple[str, ...] = AIKV) -> tuple[bytes, bytes]:
    """How many keys a server finds in folder `name`, and the value that grew with every change."""
    server = start_server(program, "--appendonly", "yes", "--save", "", name=name)
    with server.connect() as connection:
        found = connection.command("DBSIZE"), connection.command("GET", "all")
    server.kill()
    return found


@pytest.mark.parametrize(
    ("second", "base", "changes"),
    [
        (0, 1, 1),
        (4, 1, 1),
        (5, 1, 2),
        (9, 1, 2),
        (10, 2, 2),
        (16, 2, 3),
        (24, 2, 4),
        (29, 2, 5),
        (30, 3, 5),
        (99, 3, 6),
    ],
)
def test_every_moment_comes_back(
    second: int, base: int, changes: int, source: Path, tmp_path: Path, start_server: StartServer
) -> None:
    before = {path.name: path.read_bytes() for path in (source / FOLDER).iterdir()}
    status, said = run(tmp_path, "restore", "--at", at(second), "--from", str(source), "--to", str(tmp_path / "back"))
    assert status == 0, said
    assert f"{FILENAME}.{base}.base.aof" in said
    text = b"$%d\r\n%b\r\n" % (changes, b"." * changes)
    assert content(start_server, "back") == (b":%d\r\n" % (changes + 1), text)
    assert before == {path.name: path.read_bytes() for path in (source / FOLDER).iterdir()}


def test_redis_serves_what_was_restored(source: Path, tmp_path: Path, start_server: StartServer) -> None:
    status, said = run(tmp_path, "restore", "--at", at(20), "--from", str(source), "--to", str(tmp_path / "back"))
    assert status == 0, said
    assert content(start_server, "back", REDIS) == (b":5\r\n", b"$4\r\n....\r\n")


def test_a_snapshot_is_written_on_demand(source: Path, tmp_path: Path, start_server: StartServer) -> None:
    target = tmp_path / "back"
    run(tmp_path, "restore", "--at", at(20), "--from", str(source), "--to", str(target), "--format", "rdb")
    assert [path.name for path in target.iterdir()] == ["dump.rdb"]
    server = start_server(REDIS, "--save", "", name="back")
    with server.connect() as connection:
        assert connection.command("GET", "all") == b"$4\r\n....\r\n"


def test_a_dry_run_says_what_would_be_kept_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "back"
    status, said = run(tmp_path, "restore", "--at", at(16), "--from", str(source), "--to", str(target), "--dry-run")
    assert status == 0
    assert f"The dataset of {at(16)}Z:" in said
    assert f"  {FILENAME}.2.base.aof: " in said
    assert f"  {FILENAME}.3.incr.aof: left out" in said
    assert "Kept: 2 files, " in said
    assert "4 keys (db0 4)" in said
    assert f"Last timestamp: {at(15)}Z" in said
    assert not target.exists()


@pytest.mark.parametrize(
    ("written", "second"),
    [(str(BEGAN_S + 16), 16), (at(16) + "Z", 16), (at(3616) + "+01:00", 16), (at(16) + ".9", 16)],
)
def test_a_moment_is_utc_unless_it_names_a_zone(written: str, second: int, source: Path, tmp_path: Path) -> None:
    status, said = run(tmp_path, "restore", "--at", written, "--from", str(source), "--to", "back", "--dry-run")
    assert status == 0
    assert f"The dataset of {at(second)}Z:" in said


def test_what_is_no_moment_is_told_how_to_write_one(tmp_path: Path) -> None:
    status, said = run(tmp_path, "restore", "--at", "yesterday", "--from", str(tmp_path), "--to", "back")
    assert status == 2
    assert "2026-11-20T10:00:00 (UTC)" in said


def test_a_moment_before_the_oldest_base_is_refused_with_the_earliest(source: Path, tmp_path: Path) -> None:
    status, said = run(tmp_path, "restore", "--at", at(-1), "--from", str(source), "--to", "back")
    assert status == 2
    assert f"the earliest moment that can be restored is {at(0)}Z" in said
    assert not (tmp_path / "back").exists()


def test_history_that_is_gone_is_not_guessed_at(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    history(folder, keep_s=0, rdb=False)
    date_bases(folder)
    status, said = run(tmp_path, "restore", "--at", at(16), "--from", str(folder), "--to", "back")
    assert status == 2
    assert f"the earliest moment that can be restored is {at(30)}Z" in said


def test_a_transaction_that_the_moment_parts_is_left_out_whole(tmp_path: Path, start_server: StartServer) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    whole = b"#TS:1700000000\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
    parted = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n#TS:1700000005\r\n*1\r\n$4\r\nEXEC\r\n"
    only_incr(folder, whole + parted)
    status, said = run(tmp_path, "restore", "--at", at(1), "--from", str(folder), "--to", str(tmp_path / "back"))
    assert status == 0, said
    assert (tmp_path / "back" / FOLDER / f"{FILENAME}.1.incr.aof").read_bytes() == whole
    server = start_server(REDIS, "--appendonly", "yes", name="back")
    with server.connect() as connection:
        assert connection.command("DBSIZE") == b":1\r\n"


def test_a_cut_end_counts_up_to_its_last_whole_command(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    whole = b"#TS:1700000000\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
    path = only_incr(folder, whole + b"*3\r\n$3\r\nSE")
    status, said = run(tmp_path, "restore", "--at", at(1), "--from", str(folder), "--to", str(tmp_path / "back"))
    assert status == 0, said
    assert "is cut off" in said
    assert path.stat().st_size == len(whole) + 10
    assert (tmp_path / "back" / FOLDER / f"{FILENAME}.1.incr.aof").read_bytes() == whole


def test_a_log_without_times_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    only_incr(folder, b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n")
    status, said = run(tmp_path, "restore", "--at", at(1), "--from", str(folder), "--to", "back")
    assert status == 2
    assert "aof-timestamp-enabled yes" in said


def test_a_damaged_log_is_not_restored(source: Path, tmp_path: Path) -> None:
    path = source / FOLDER / f"{FILENAME}.2.incr.aof"
    path.write_bytes(path.read_bytes().replace(b"APPEND", b"NOSUCH"))
    status, said = run(tmp_path, "restore", "--at", at(20), "--from", str(source), "--to", str(tmp_path / "back"))
    assert status == 1
    assert f"{path}: at offset " in said
    assert not list(tmp_path.glob("back*"))


@pytest.mark.parametrize("taken", ["file", "full"])
def test_nothing_is_overwritten(taken: str, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "back"
    if taken == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").touch()
    status, said = run(tmp_path, "restore", "--at", at(20), "--from", str(source), "--to", str(target))
    assert status == 2
    assert "nothing is ever overwritten" in said
    assert target.read_text() == "mine" if taken == "file" else (target / "mine").exists()


def test_an_empty_folder_may_be_the_target(source: Path, tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    status, said = run(tmp_path, "restore", "--at", at(20), "--from", str(source), "--to", str(tmp_path / "back"))
    assert status == 0, said


@pytest.mark.parametrize("what", ["missing", "empty", "no log"])
def test_where_there_is_no_log_it_says_so(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    if what != "missing":
        folder.mkdir()
    if what == "no log":
        (folder / "dump.rdb").write_bytes(b"REDIS0010\xff")
    status, said = run(tmp_path, "restore", "--at", at(20), "--from", str(folder), "--to", "back")
    assert status == 2
    assert "does not exist" in said if what == "missing" else "There is no append-only log in" in said


def next_second(connection: RawConnection) -> int:
    """Wait until the server is in another second; returns the one before."""
    before = connection.command("TIME").split(b"\r\n")[2]
    while connection.command("TIME").split(b"\r\n")[2] == before:
        time.sleep(0.01)
    return int(before)


@pytest.mark.parametrize("producer", [AIKV, REDIS], ids=["aikv", "redis"])
def test_logs_of_both_servers_are_restored(
    producer: tuple[str, ...], start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(producer, *LOGGED)
    with server.connect() as connection:
        connection.command("SET", "before", "1")
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
        next_second(connection)
        connection.command("HSET", "h", "f", "v")
        connection.command("SELECT", "5")
        connection.command("XADD", "s", "*", "f", "v")
        wanted = next_second(connection)
        connection.command("FLUSHALL")
    server.kill()
    status, said = run(tmp_path, "restore", "--at", str(wanted), "--from", str(server.folder), "--to", "back")
    assert status == 0, said
    assert "3 keys (db0 2, db5 1)" in said
    back = start_server(REDIS, *LOGGED, name="back")
    with back.connect() as connection:
        assert connection.command("HGET", "h", "f") == b"$1\r\nv\r\n"
        assert connection.command("SELECT", "5") == b"+OK\r\n"
        assert connection.command("XLEN", "s") == b":1\r\n"


def test_a_single_file_of_old_is_restored(tmp_path: Path, start_server: StartServer) -> None:
    path = tmp_path / "appendonly.aof"
    path.write_bytes(
        b"#TS:1700000000\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n#TS:1700000005\r\n*1\r\n$8\r\nFLUSHALL\r\n"
    )
    status, said = run(tmp_path, "restore", "--at", at(4), "--from", str(path), "--to", str(tmp_path / "back"))
    assert status == 0, said
    assert path.exists()
    server = start_server(AIKV, "--appendonly", "yes", name="back")
    with server.connect() as connection:
        assert connection.command("GET", "a") == b"$1\r\n1\r\n"
    shutil.rmtree(tmp_path / "back")


def test_a_backup_is_a_source_too(tmp_path: Path, start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED, "--aikv-aof-history-seconds", "1000")
    with server.connect() as connection:
        connection.command("SET", "before", "1")
        wanted = next_second(connection)
        connection.command("FLUSHALL")
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
    status, said = run(tmp_path, "backup", "--from", f":{server.port}", "--to", str(tmp_path / "copy"))
    assert status == 0, said
    server.kill()
    shutil.rmtree(server.folder)
    status, said = run(tmp_path, "restore", "--at", str(wanted), "--from", str(tmp_path / "copy"), "--to", "back")
    assert status == 0, said
    assert "1 key (db0 1)" in said
