"""`aikv aof cat` and `aikv aof stats` on logs of both servers."""

import shlex
import subprocess
from pathlib import Path

import pytest

from cli.running import run
from conftest import StartServer
from crash.waiting import wait_for_children
from oracle.process import AIKV, REDIS
from persistence.aof_harness import FILENAME, FOLDER, only_incr

LOGGED = ("--appendonly", "yes", "--save", "", "--appendfsync", "always", "--aof-timestamp-enabled", "yes")
DATED = (
    b"#TS:1700000000\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
    b"#TS:1700000060\r\n*3\r\n$6\r\nAPPEND\r\n$1\r\na\r\n$4\r\n\r\n\xff \r\n*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n"
)


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_logs_of_both_servers_are_shown(program: tuple[str, ...], start_server: StartServer) -> None:
    server = start_server(program, *LOGGED)
    with server.connect() as connection:
        connection.command("RPUSH", "list", "a", "b c")
        connection.command("SELECT", "3")
        connection.command("SET", "a", "1")
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
        connection.command("MULTI")
        connection.command("INCR", "a")
        connection.command("INCR", "a")
        connection.command("EXEC")
    server.kill()
    status, said = run(server.folder, "aof", "cat", "--base", str(server.folder))
    assert status == 0, said
    commands = [line for line in said.splitlines() if not line.startswith("#")]
    assert commands[:3] == ['RPUSH list a "b c"', "SELECT 3", "SET a 1"]
    assert commands[3:] == ["MULTI", "INCR a", "INCR a", "EXEC"]
    assert f"# {FILENAME}.2.base.rdb, " in said
    # The harness's line reader would be no judge of what redis-cli reads.
    assert shlex.split(commands[0]) == ["RPUSH", "list", "a", "b c"]
    status, said = run(server.folder, "aof", "stats", str(server.folder / FOLDER))
    assert status == 0, said
    assert "base: an RDB of 2 keys" in said
    assert [line.split()[1] for line in said.splitlines() if line.startswith("INCR ")] == ["2"]


def test_times_choose_what_is_shown_and_the_database_is_named(tmp_path: Path) -> None:
    only_incr(tmp_path, DATED)
    status, said = run(tmp_path, "aof", "cat", str(tmp_path))
    assert status == 0
    assert said.splitlines() == [
        f"# {FILENAME}.1.incr.aof, {len(DATED)} bytes",
        "# 2023-11-14T22:13:20Z",
        "SELECT 5",
        "SET a 1",
        "# 2023-11-14T22:14:20Z",
        'APPEND a "\\r\\n\\xff "',
        "DEL b",
    ]
    said = run(tmp_path, "aof", "cat", "--since", "2023-11-14T22:14:00", str(tmp_path))[1]
    assert said.splitlines()[1:] == ["# 2023-11-14T22:14:20Z", "SELECT 5", 'APPEND a "\\r\\n\\xff "', "DEL b"]
    said = run(tmp_path, "aof", "cat", "--until", "1700000059", "--match", "s*", str(tmp_path))[1]
    assert said.splitlines()[1:] == ["# 2023-11-14T22:13:20Z", "SELECT 5", "SET a 1"]


def test_commands_come_out_as_they_stand_in_the_log(tmp_path: Path, start_server: StartServer) -> None:
    path = only_incr(tmp_path, DATED)
    ended = subprocess.run([*AIKV, "aof", "cat", "--resp", str(path)], capture_output=True, check=True)
    assert ended.stdout == b"".join(part.split(b"\r\n", 1)[1] for part in DATED.split(b"#TS:")[1:])
    server = start_server(REDIS, "--save", "")
    piped = subprocess.run(
        ["redis-cli", "-p", str(server.port), "--pipe"], input=ended.stdout, capture_output=True, check=True
    )
    assert b"errors: 0, replies: 4" in piped.stdout


def test_stats_say_sizes_times_and_the_largest(tmp_path: Path) -> None:
    path = only_incr(tmp_path, DATED)
    status, said = run(tmp_path, "aof", "stats", str(path))
    assert status == 0
    lines = said.splitlines()
    assert lines[0] == (
        f"{FILENAME}.1.incr.aof: {len(DATED)} bytes, 4 commands, 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z"
    )
    assert lines[2].split() == ["APPEND", "1", "33"]
    assert "largest: 33 bytes, APPEND a" in lines


@pytest.mark.parametrize(("tool", "damage"), [("cat", "cut"), ("stats", "cut"), ("cat", "noise"), ("stats", "noise")])
def test_a_damaged_log_is_shown_up_to_the_damage(tool: str, damage: str, tmp_path: Path) -> None:
    data = DATED[:-3] if damage == "cut" else DATED + b"noise\r\n"
    path = only_incr(tmp_path, data)
    ended = subprocess.run([*AIKV, "aof", tool, str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "APPEND" in ended.stdout
    offset = len(DATED) if damage == "noise" else DATED.rindex(b"*2")
    assert f"at offset {offset}" in ended.stderr
    assert "aikv check-aof" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("tool", ["cat", "stats"])
def test_where_there_is_no_log_it_says_so(tool: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, "aof", tool, str(tmp_path))
    assert status == 2
    assert said.startswith("Error: There is no append-only log in ")
    status, said = run(tmp_path, "aof", tool, str(tmp_path / "missing.aof"))
    assert status == 2
    assert "No such file" in said


@pytest.mark.parametrize(
    "tool", [("rdb",), ("aof",), ("restore",), ("backup",), ("verify",), ("convert",), ("rdb", "top")]
)
def test_every_tool_explains_itself(tool: tuple[str, ...], tmp_path: Path) -> None:
    status, said = run(tmp_path, *tool, "--help")
    assert status == 0
    assert said.startswith(f"Usage: aikv {' '.join(tool)} ")
    assert len(said.splitlines()) > 8
