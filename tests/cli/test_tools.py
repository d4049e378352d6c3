"""`aikv check-rdb` and `aikv check-aof`: what they say of good, damaged and foreign files."""

from pathlib import Path

import pytest

from cli.running import run
from conftest import StartServer
from oracle.process import AIKV, REDIS

# `always`: under `everysec` redis-server itself may hold a write back for two seconds, and it is killed here.
LOGGED = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")


def saved(program: tuple[str, ...], start_server: StartServer) -> Path:
    """A dump.rdb with some keys."""
    server = start_server(program, "--save", "")
    with server.connect() as connection:
        for index in range(10):
            connection.command("SET", f"key:{index}", "value", "EX", "1000")
        connection.command("SAVE")
    server.kill()
    return server.folder / "dump.rdb"


def logged(program: tuple[str, ...], start_server: StartServer) -> Path:
    """The manifest of a log with some keys."""
    server = start_server(program, *LOGGED)
    with server.connect() as connection:
        for index in range(10):
            connection.command("SET", f"key:{index}", "value")
    server.kill()
    return server.folder / "appendonlydir" / "appendonly.aof.manifest"


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_a_good_snapshot_is_found_good(program: tuple[str, ...], start_server: StartServer) -> None:
    path = saved(program, start_server)
    before = path.read_bytes()
    status, said = run(path.parent, "check-rdb", str(path))
    assert status == 0, said
    assert "[info] 10 keys read" in said
    assert "RDB looks OK" in said
    assert path.read_bytes() == before


def test_a_damaged_snapshot_is_found_with_its_offset(start_server: StartServer) -> None:
    path = saved(AIKV, start_server)
    damaged = path.read_bytes()[:-30]
    path.write_bytes(damaged)
    status, said = run(path.parent, "check-rdb", str(path))
    assert status == 1
    assert "[offset " in said
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("tool", ["check-rdb", "check-aof"])
@pytest.mark.parametrize("what", ["missing", "folder", "empty", "noise"])
def test_what_is_no_data_file_is_refused(tool: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if what == "folder":
        path.mkdir()
    elif what != "missing":
        path.write_bytes(b"" if what == "empty" else bytes(range(256)) * 40)
    status, said = run(tmp_path, tool, str(path))
    # Redis, too, takes an empty log for a whole one.
    assert status == (0 if (tool, what) == ("check-aof", "empty") else 1), said
    assert said


@pytest.mark.parametrize("arguments", [(), ("--nosuch", "x"), ("a", "b")])
@pytest.mark.parametrize("tool", ["check-rdb", "check-aof"])
def test_wrong_arguments_are_answered_with_usage(tool: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    status, said = run(tmp_path, tool, *arguments)
    assert status == 2
    assert said.startswith(f"Usage: aikv {tool} ")


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_a_good_log_is_found_good(program: tuple[str, ...], start_server: StartServer) -> None:
    manifest = logged(program, start_server)
    status, said = run(manifest.parent, "check-aof", str(manifest))
    assert status == 0, said
    assert "valid" in said


def test_a_cut_log_is_mended_only_when_asked_and_confirmed(start_server: StartServer) -> None:
    manifest = logged(AIKV, start_server)
    incr = manifest.parent / "appendonly.aof.1.incr.aof"
    whole = incr.read_bytes()
    last = whole.rindex(b"*3\r\n")
    cut = whole[:-4]
    incr.write_bytes(cut)
    status, said = run(manifest.parent, "check-aof", str(manifest))
    assert status == 1
    assert "--fix" in said
    assert incr.read_bytes() == cut
    status, _ = run(manifest.parent, "check-aof", "--fix", str(manifest), stdin="n\n")
    assert status == 1
    assert incr.read_bytes() == cut
    status, said = run(manifest.parent, "check-aof", "--fix", str(manifest), stdin="y\n")
    assert status == 0, said
    assert incr.read_bytes() == whole[:last]
    server = start_server(AIKV, *LOGGED, "--aof-load-truncated", "no")
    with server.connect() as connection:
        assert connection.command("DBSIZE") == b":9\r\n"


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_what_is_whole_of_a_damaged_snapshot_is_salvaged(program: tuple[str, ...], start_server: StartServer) -> None:
    path = saved(program, start_server)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"key:") + 2])
    rescued = path.parent / "rescued" / "dump.rdb"
    rescued.parent.mkdir()
    status, said = run(path.parent, "check-rdb", "--salvage", str(rescued), str(path))
    assert status == 1
    assert f"[info] 9 keys written to {rescued}" in said
    assert [entry.name for entry in rescued.parent.iterdir()] == ["dump.rdb"]
    server = start_server(REDIS, "--save", "", "--dir", str(rescued.parent), name="again")
    with server.connect() as connection:
        assert connection.command("DBSIZE") == b":9\r\n"
    status, said = run(path.parent, "check-rdb", "--salvage", str(rescued), str(path))
    assert status == 1
    assert "is there already" in said
