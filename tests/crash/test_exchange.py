"""Data files of string keys go from redis-server to aikv and back, whole."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import StartServer
from crash.waiting import wait_for_children
from oracle.pair import elements
from oracle.process import AIKV, REDIS, ServerProcess
from oracle.wire import pack

SAVED = ("--save", "", "--appendonly", "no")
# `always`, because under `everysec` redis-server itself may hold a write back for two seconds, and it is killed here.
LOGGED = ("--appendfsync", "always", "--save", "", "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
# A year 3015: nothing runs out during the test.
FAR_MS = 33_000_000_000_123
VALUES = [
    b"",
    b"text",
    b"-9223372036854775808",
    b"12",
    b"300",
    b"70000",
    b"5000000000",
    b"007",
    b"3.0e3",
    b"\x00\r\n\xff",
    b"ab" * 40_000,
    bytes(range(256)) * 70,
]
BOTH_WAYS = pytest.mark.parametrize(("writer", "reader"), [(REDIS, AIKV), (AIKV, REDIS)], ids=["to-aikv", "to-redis"])

Content = dict[tuple[str, bytes], tuple[bytes, bytes]]


def write(server: ServerProcess) -> None:
    """Keys of every encoding in three databases, half of them with a time to live, some of them changed or gone."""
    with server.connect() as connection:
        for db in ("0", "3", "15"):
            connection.command("SELECT", db)
            for index, value in enumerate(VALUES):
                connection.command("SET", b"key:%d:%b" % (index, value[:20]), value)
                connection.command("SET", f"far:{index}", value, "PXAT", str(FAR_MS + index))
            connection.command("SET", "gone", "1")
            connection.command("DEL", "gone")
            connection.command("SET", "past", "1", "PX", "1")
            connection.command("INCRBY", "count", "41")
            connection.command("INCR", "count")
            connection.command("APPEND", "grown", "ab")
            connection.command("SETRANGE", "grown", "5", "cd")
            connection.command("INCRBYFLOAT", "float", "0.1")
            connection.command("SETEX", "moved", "100000", "x")
            connection.command("PERSIST", "moved")
            connection.command("RENAME", "moved", "here")
        connection.command("MULTI")
        connection.command("SET", "a", "1")
        connection.command("SELECT", "4")
        connection.command("SET", "b", "2")
        connection.command("EXEC")


def read(server: ServerProcess) -> Content:
    """Every key with its value and the moment at which it runs out, both as raw replies."""
    found: Content = {}
    with server.connect() as connection:
        for db in ("0", "3", "4", "15"):
            connection.command("SELECT", db)
            for bulk in elements(connection.command("KEYS", "*")):
                key = bulk[bulk.index(b"\r\n") + 2 : -2]
                found[db, key] = (connection.command("GET", key), connection.command("PEXPIRETIME", key))
    return found


def past(content: Content) -> Content:
    """Without the keys whose time has come meanwhile."""
    return {place: what for place, what in content.items() if place[1] != b"past"}


def checks(program: str, path: Path) -> str:
    """What redis-check-rdb or redis-check-aof says of a file that it finds right."""
    said = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@BOTH_WAYS
@pytest.mark.parametrize("compression", ["yes", "no"])
def test_a_snapshot_is_read_with_all_values_and_times(
    writer: Sequence[str], reader: Sequence[str], compression: str, start_server: StartServer
) -> None:
    server = start_server(writer, *SAVED, "--rdbcompression", compression)
    write(server)
    written = past(read(server))
    assert len(written) > 3 * 2 * len(VALUES)
    with server.connect() as connection:
        assert connection.command("SAVE") == b"+OK\r\n"
    server.kill()
    assert "OK" in checks("redis-check-rdb", server.folder / "dump.rdb")
    assert past(read(start_server(reader, *SAVED))) == written


@BOTH_WAYS
@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("rewritten", [True, False], ids=["rewritten", "grown"])
def test_a_log_is_read_and_continued(
    writer: Sequence[str], reader: Sequence[str], preamble: str, rewritten: bool, start_server: StartServer
) -> None:
    arguments = (*LOGGED, "--aof-use-rdb-preamble", preamble)
    server = start_server(writer, *arguments)
    write(server)
    if rewritten:
        with server.connect() as connection:
            connection.command("BGREWRITEAOF")
            wait_for_children(connection)
            connection.command("SELECT", "3")
            connection.command("APPEND", "grown", "after the rewrite")
    written = past(read(server))
    server.kill()
    checks("redis-check-aof", server.folder / "appendonlydir" / "appendonly.aof.manifest")
    second = start_server(reader, *arguments)
    assert past(read(second)) == written
    with second.connect() as connection:
        connection.command("SELECT", "15")
        connection.command("SET", "continued", "yes")
        connection.command("DEL", "here")
    continued = past(read(second))
    assert second.stop() == 0
    checks("redis-check-aof", server.folder / "appendonlydir" / "appendonly.aof.manifest")
    assert past(read(start_server(writer, *arguments))) == continued


def test_a_single_file_log_of_old_is_taken_over(start_server: StartServer) -> None:
    server = start_server(REDIS, *LOGGED, name="source")
    write(server)
    written = past(read(server))
    server.kill()
    incr = (server.folder / "appendonlydir" / "appendonly.aof.1.incr.aof").read_bytes()
    taken = start_server(AIKV, *SAVED, name="taken")
    taken.kill()
    (taken.folder / "appendonly.aof").write_bytes(incr)
    second = start_server(AIKV, *LOGGED, name="taken")
    assert past(read(second)) == written
    assert not (taken.folder / "appendonly.aof").exists()
    second.restart()
    assert past(read(second)) == written


def test_a_time_that_has_passed_removes_nothing_during_the_load(tmp_path: Path, start_server: StartServer) -> None:
    folder = tmp_path / "server" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_bytes(b"file appendonly.aof.1.incr.aof seq 1 type i\n")
    commands = [[b"SET", b"kept", b"x"], [b"PEXPIREAT", b"kept", b"1000"], [b"PERSIST", b"kept"]]
    commands += [[b"SET", b"gone", b"x"], [b"PEXPIREAT", b"gone", b"1000"]]
    (folder / "appendonly.aof.1.incr.aof").write_bytes(b"".join(pack(argv) for argv in commands))
    server = start_server(AIKV, *LOGGED)
    with server.connect() as connection:
        assert connection.command("GET", "kept") == b"$1\r\nx\r\n"
        assert connection.command("GET", "gone") == b"$-1\r\n"
