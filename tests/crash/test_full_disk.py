"""The disk is full: clients are told, what was saved stays whole, and the server goes on once there is room."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from conftest import StartServer
from crash.disks import SHORT, LimitedFiles, SmallDisk
from crash.starting import contents, refused
from crash.waiting import info, wait_for_children, wait_until
from oracle.pair import answer
from oracle.process import AIKV

Disk = SmallDisk | LimitedFiles
AnyDisk = TypeVar("AnyDisk", SmallDisk, LimitedFiles)
SAVED = ("--appendonly", "no", "--save", "100000", "1000000")
LOGGED = ("--appendonly", "yes", "--save", "", "--auto-aof-rewrite-percentage", "0")


@pytest.fixture(params=[SmallDisk, LimitedFiles])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk to fill, of both kinds."""
    yield from opened(request.param, tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk to fill, where it must be a real one."""
    yield from opened(SmallDisk, tmp_path)


def opened(kind: type[AnyDisk], tmp_path: Path) -> Iterator[AnyDisk]:
    """Make a disk, and close it after the test."""
    try:
        disk = kind(tmp_path / "disk")
    except (PermissionError, FileNotFoundError):
        pytest.skip("only root can mount a small disk")
    yield disk
    disk.close()


def too_long() -> bytes:
    """A value for which there is no room on a disk that is full."""
    return os.urandom(2 * SHORT)


def test_save_fails_with_the_reason_and_the_old_file_stays(disk: Disk, start_server: StartServer) -> None:
    server = start_server(AIKV, *SAVED, "--dir", str(disk.folder))
    with server.connect() as connection:
        connection.command("MSET", "a", "1", "long", too_long())
        assert connection.command("SAVE") == b"+OK\r\n"
        before = contents(disk.folder)
        connection.command("SET", "a", "2")
        disk.fill(server)
        assert connection.command("SAVE") == b"-ERR %b\r\n" % disk.reason.encode()
        # As with redis-server, only a save in the background has writes refused.
        assert connection.command("SET", "a", "3") == b"+OK\r\n"
        disk.free(server)
        assert contents(disk.folder) == before
        assert f"Failed saving the DB to {disk.folder}/dump.rdb: {disk.reason}" in server.log()
        assert connection.command("SAVE") == b"+OK\r\n"
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        assert connection.command("GET", "a") == b"$1\r\n3\r\n"


def test_after_a_failed_bgsave_writes_are_refused_until_one_succeeds(disk: Disk, start_server: StartServer) -> None:
    server = start_server(AIKV, *SAVED, "--dir", str(disk.folder))
    with server.connect() as connection:
        connection.command("MSET", "a", "1", "long", too_long())
        connection.command("SAVE")
        before = contents(disk.folder)
        disk.fill(server)
        connection.command("BGSAVE")
        wait_for_children(connection)
        assert info(connection, "rdb_last_bgsave_status") == "err"
        assert connection.command("SET", "a", "2").startswith(b"-MISCONF Redis is configured to save RDB snapshots")
        assert connection.command("GET", "a") == b"$1\r\n1\r\n"
        assert disk.reason in server.log()
        disk.free(server)
        assert contents(disk.folder) == before
        connection.command("BGSAVE")
        wait_for_children(connection)
        assert connection.command("SET", "a", "2") == b"+OK\r\n"
    assert "Traceback" not in server.log()


def test_a_refusal_because_of_bgsave_can_be_switched_off(disk: Disk, start_server: StartServer) -> None:
    server = start_server(AIKV, *SAVED, "--dir", str(disk.folder), "--stop-writes-on-bgsave-error", "no")
    with server.connect() as connection:
        connection.command("SET", "long", too_long())
        disk.fill(server)
        connection.command("BGSAVE")
        wait_for_children(connection)
        assert info(connection, "rdb_last_bgsave_status") == "err"
        assert connection.command("SET", "a", "2") == b"+OK\r\n"
        assert connection.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes") == b"+OK\r\n"
        wait_until(lambda: connection.command("SET", "a", "3").startswith(b"-MISCONF"), "writes are refused")


@pytest.mark.parametrize("policy", ["everysec", "no"])
def test_writes_are_refused_while_the_log_cannot_grow(policy: str, disk: Disk, start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED, "--appendfsync", policy, "--dir", str(disk.folder))
    with server.connect() as connection:
        connection.command("SET", "before", "1")
        disk.fill(server)
        # What meets the error first was carried out before the disk was asked; it is kept and written later.
        acknowledged = 0
        while connection.command("SET", f"key:{acknowledged}", "v" * 500) == b"+OK\r\n":
            acknowledged += 1
            assert acknowledged < 100
        refusal = b"-MISCONF Errors writing to the AOF file: %b\r\n" % disk.reason.encode()
        assert connection.command("SET", "refused", "1") == refusal
        assert connection.command("MULTI") == b"+OK\r\n"
        assert connection.command("SET", "refused", "1") == refusal
        assert connection.command("EXEC").startswith(b"-EXECABORT")
        assert connection.command("GET", "before") == b"$1\r\n1\r\n"
        assert info(connection, "aof_last_write_status") == "err"
        disk.free(server)
        wait_until(lambda: connection.command("SET", "after", "1") == b"+OK\r\n", "writes are taken again")
        assert info(connection, "aof_last_write_status") == "ok"
    assert f"Error writing to the AOF file: {disk.reason}" in server.log()
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        keys = ["before", "after", *(f"key:{index}" for index in range(acknowledged))]
        assert connection.command("EXISTS", *keys) == b":%d\r\n" % len(keys)
        assert connection.command("EXISTS", "refused") == b":0\r\n"
    assert "Traceback" not in server.log()


def test_under_always_a_log_that_cannot_grow_ends_the_server_before_it_lies(
    disk: Disk, start_server: StartServer
) -> None:
    server = start_server(AIKV, *LOGGED, "--appendfsync", "always", "--dir", str(disk.folder))
    acknowledged = 0
    with server.connect() as connection:
        connection.command("SET", "before", "1")
        disk.fill(server)
        while (reply := answer(connection, (b"SET", b"key:%d" % acknowledged, b"v" * 500))) == b"+OK\r\n":
            acknowledged += 1
        assert reply == b"(closed) "
    assert server.process is not None
    assert server.process.wait(10) == 1
    assert f"Error writing to the AOF file: {disk.reason}" in server.log()
    assert "Can't recover from AOF write error when the AOF fsync policy is 'always'" in server.log()
    assert "Traceback" not in server.log()
    (disk.folder / "filling").unlink(missing_ok=True)
    server.start()
    with server.connect() as connection:
        assert connection.command("DBSIZE") == b":%d\r\n" % (acknowledged + 1)


@pytest.mark.parametrize("command", ["BGREWRITEAOF", "SHUTDOWN"])
def test_under_always_no_other_way_to_the_disk_lets_a_reply_out(
    command: str, disk: Disk, start_server: StartServer
) -> None:
    server = start_server(AIKV, *LOGGED, "--appendfsync", "always", "--dir", str(disk.folder))
    with server.connect() as connection:
        connection.command("SET", "before", "1")
        disk.fill(server)
        connection.send_raw(b"SET a %b\r\n%b\r\nPING\r\n" % (b"v" * 2 * SHORT, command.encode()))
        assert connection.read_until_closed() == b""
    assert server.process is not None
    assert server.process.wait(10) == 1
    assert "Traceback" not in server.log()


def test_a_rewrite_that_finds_no_room_leaves_the_log_as_it_was(
    small_disk: SmallDisk, start_server: StartServer
) -> None:
    server = start_server(AIKV, *LOGGED, "--dir", str(small_disk.folder))
    with server.connect() as connection:
        for index in range(30):
            connection.command("SET", "same", os.urandom(30_000))
            connection.command("SET", f"key:{index}", os.urandom(30_000))
        # Room for the new file and its first writes, not for the base.
        small_disk.fill(server)
        os.truncate(small_disk.folder / "filling", 1 << 16)
        with (small_disk.folder / "filling").open("r+b") as file:
            room = os.statvfs(small_disk.folder).f_bavail * 4096
            file.truncate(0)
            file.write(bytes((1 << 16) + room - 100_000))
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
        assert info(connection, "aof_last_bgrewrite_status") == "err"
        assert connection.command("SET", "after", "1") == b"+OK\r\n"
        small_disk.free(server)
        digest = connection.command("DBSIZE")
    assert not list(small_disk.folder.rglob("temp-*"))
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        assert connection.command("DBSIZE") == digest
        assert connection.command("GET", "after") == b"$1\r\n1\r\n"
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
        assert info(connection, "aof_last_bgrewrite_status") == "ok"
    assert "Traceback" not in server.log()


def test_a_shutdown_that_cannot_save_is_refused_and_the_server_goes_on(disk: Disk, start_server: StartServer) -> None:
    server = start_server(AIKV, *SAVED, "--dir", str(disk.folder))
    with server.connect() as connection:
        connection.command("MSET", "a", "1", "long", too_long())
        disk.fill(server)
        assert connection.command("SHUTDOWN") == b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n"
        assert connection.command("GET", "a") == b"$1\r\n1\r\n"
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: "errors trying to shut down the server" in server.log(), "the signal is answered")
        assert connection.command("GET", "a") == b"$1\r\n1\r\n"
        connection.send("SHUTDOWN", "FORCE")
        assert connection.read_until_closed() == b""
    assert server.process is not None
    assert server.process.wait(10) == 0


def test_a_log_that_cannot_be_made_stops_the_start(small_disk: SmallDisk) -> None:
    small_disk.fill()
    said = refused(small_disk.folder, *LOGGED)
    assert "No space left on device" in said


def test_switching_the_log_on_without_room_tells_why_and_the_server_goes_on(
    disk: Disk, start_server: StartServer
) -> None:
    server = start_server(AIKV, "--appendonly", "no", "--save", "", "--dir", str(disk.folder))
    with server.connect() as connection:
        connection.command("SET", "long", too_long())
        disk.fill(server)
        connection.command("CONFIG", "SET", "appendonly", "yes")
        wait_until(lambda: disk.reason in server.log(), "the log says why")
        disk.free(server)
        assert connection.command("SET", "a", "1") == b"+OK\r\n"
    assert "Traceback" not in server.log()
