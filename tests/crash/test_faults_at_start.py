"""A server that cannot serve all that it was given does not start, says why, and changes no file."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartServer
from crash.starting import contents, refused
from oracle.process import AIKV

LOGGED = ("--appendonly", "yes", "--save", "")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that not even root may write to: a read-only mount."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "none", str(folder)], check=False, capture_output=True
    )
    if made.returncode != 0:
        pytest.skip("only root can mount a read-only folder")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(tmp_path, "--port", str(port))
    assert f"Could not create server TCP listening socket 127.0.0.1:{port}: Address already in use" in said
    assert contents(tmp_path) == {}


def test_a_taken_port_is_found_before_anything_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").write_bytes(b"not even an RDB")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refused(tmp_path, "--port", str(taken.getsockname()[1]))
    assert "Address already in use" in said
    assert "RDB" not in said


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, "--bind", "198.51.100.7")
    assert "198.51.100.7" in said
    assert "Cannot assign requested address" in said


def test_a_name_that_is_no_address_is_named(tmp_path: Path) -> None:
    assert "socket ::g:" in refused(tmp_path, "--bind", "::g")


def test_a_unix_socket_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "aikv.sock"
    assert f"Opening Unix socket {path}: No such file or directory" in refused(tmp_path, "--unixsocket", str(path))


def test_a_unix_socket_in_place_of_a_file_is_refused_and_the_file_kept(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    assert f"Opening Unix socket {path}: Address already in use" in refused(tmp_path, "--unixsocket", str(path))
    assert path.read_text() == "data"


def test_nowhere_to_listen_is_no_server(tmp_path: Path) -> None:
    assert "Configured to not listen anywhere" in refused(tmp_path, "--port", "0")


def test_a_missing_folder_is_a_bad_directive(tmp_path: Path) -> None:
    said = refused(tmp_path / "missing")
    assert "FATAL CONFIG FILE ERROR" in said
    assert "No such file or directory" in said


def test_a_file_in_place_of_the_folder_is_a_bad_directive(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "Not a directory" in refused(tmp_path / "file" / "below")


@pytest.mark.parametrize("arguments", [("--save", "60", "1"), ("--appendonly", "yes")])
def test_a_folder_that_cannot_be_written_stops_a_start_that_would_write(
    arguments: tuple[str, ...], read_only: Path
) -> None:
    assert f"The data directory {read_only} is not writable" in refused(read_only, *arguments)


def test_a_folder_that_cannot_be_written_is_fine_where_nothing_is_written(
    read_only: Path, start_server: StartServer
) -> None:
    server = start_server(AIKV, "--dir", str(read_only), "--save", "", "--appendonly", "no")
    with server.connect() as connection:
        assert connection.command("SAVE").startswith(b"-ERR")
        assert connection.command("SET", "a", "b") == b"+OK\r\n"


def snapshot(start_server: StartServer) -> Path:
    """The path of a dump.rdb with a few keys, its server gone."""
    server = start_server(AIKV, "--save", "", "--appendonly", "no")
    with server.connect() as connection:
        for index in range(20):
            connection.command("SET", f"key:{index}", "value" * index)
        connection.command("SAVE")
    server.kill()
    return server.folder / "dump.rdb"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("empty", "0"),
        ("cut", "end"),
        ("flipped", "crc error"),
        ("magic", "signature"),
        ("version", "version"),
        ("garbage", "type"),
        ("folder", "directory"),
    ],
)
def test_a_damaged_snapshot_stops_the_start_and_stays(damage: str, reason: str, start_server: StartServer) -> None:
    path = snapshot(start_server)
    whole = path.read_bytes()
    at = whole.index(b"key:9")
    damaged = {
        "empty": b"",
        "cut": whole[:-20],
        "flipped": whole[:at] + b"KEY" + whole[at + 3 :],
        "magic": b"RODIS" + whole[5:],
        "version": b"REDIS9999" + whole[9:],
        "garbage": whole[: at - 2] + b"\x63" + whole[at - 1 :],
        "folder": b"",
    }[damage]
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(damaged)
    before = contents(path.parent)
    said = refused(path.parent, "--save", "", "--appendonly", "no")
    assert str(path) in said
    assert reason in said.lower()
    assert damage == "folder" or "at offset " in said
    assert contents(path.parent) == before


def logged(start_server: StartServer, commands: int = 20) -> Path:
    """The folder of a log with a few commands, its server gone."""
    server = start_server(AIKV, *LOGGED)
    with server.connect() as connection:
        for index in range(commands):
            connection.command("SET", f"key:{index}", "value")
    server.kill()
    return server.folder / "appendonlydir"


def test_garbage_in_the_log_is_named_with_its_offset(start_server: StartServer) -> None:
    folder = logged(start_server)
    incr = folder / "appendonly.aof.1.incr.aof"
    whole = incr.read_bytes()
    at = whole.index(b"*3\r\n$3\r\nSET\r\n$5\r\nkey:9")
    incr.write_bytes(whole[:at] + b"!" + whole[at + 1 :])
    before = contents(folder)
    said = refused(folder.parent, *LOGGED)
    assert f"{incr}: at offset {at}:" in said
    assert contents(folder) == before


def test_a_command_of_the_log_that_fails_is_named_with_its_offset(start_server: StartServer) -> None:
    folder = logged(start_server)
    incr = folder / "appendonly.aof.1.incr.aof"
    at = incr.stat().st_size
    with incr.open("ab") as file:
        file.write(b"*2\r\n$5\r\nNOSUC\r\n$1\r\na\r\n")
    before = contents(folder)
    said = refused(folder.parent, *LOGGED)
    assert f"{incr}: at offset {at}:" in said
    assert "NOSUC" in said
    assert contents(folder) == before


def test_a_cut_log_is_refused_where_it_must_not_be_truncated(start_server: StartServer) -> None:
    folder = logged(start_server)
    incr = folder / "appendonly.aof.1.incr.aof"
    incr.write_bytes(incr.read_bytes()[:-3])
    before = contents(folder)
    said = refused(folder.parent, *LOGGED, "--aof-load-truncated", "no")
    assert str(incr) in said
    assert "check-aof --fix" in said
    assert contents(folder) == before


@pytest.mark.parametrize("manifest", [b"", b"nonsense\n", b"file a.aof seq 1 type x\n", b"file a.aof seq 1 type i"])
def test_a_damaged_manifest_stops_the_start_and_stays(manifest: bytes, start_server: StartServer) -> None:
    folder = logged(start_server)
    path = folder / "appendonly.aof.manifest"
    path.write_bytes(manifest)
    before = contents(folder)
    assert str(path) in refused(folder.parent, *LOGGED)
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["appendonly.aof.1.incr.aof", "appendonly.aof.1.base.rdb", "appendonly.aof.manifest"])
def test_a_missing_part_of_the_log_stops_the_start(name: str, start_server: StartServer) -> None:
    folder = logged(start_server)
    (folder / name).unlink()
    before = contents(folder)
    assert str(folder) in refused(folder.parent, *LOGGED)
    assert contents(folder) == before


def test_a_damaged_base_of_the_log_stops_the_start(start_server: StartServer) -> None:
    folder = logged(start_server)
    base = folder / "appendonly.aof.1.base.rdb"
    base.write_bytes(base.read_bytes()[:-9])
    before = contents(folder)
    assert f"{base}: at offset " in refused(folder.parent, *LOGGED)
    assert contents(folder) == before


def test_a_value_of_a_redis_module_is_refused_by_name(tmp_path: Path) -> None:
    module_value = 7
    (tmp_path / "dump.rdb").write_bytes(
        b"REDIS0010\xfe\x00" + bytes([module_value]) + b"\x08a module\x00\xff" + bytes(8)
    )
    before = contents(tmp_path)
    said = refused(tmp_path, "--save", "")
    assert "'a module'" in said
    assert "at offset " in said
    assert contents(tmp_path) == before


def test_more_databases_than_there_are_is_said(start_server: StartServer) -> None:
    server = start_server(AIKV, "--save", "")
    with server.connect() as connection:
        connection.command("SELECT", "9")
        connection.command("SET", "a", "b")
        connection.command("SAVE")
    server.kill()
    assert "start with `databases 10` or more" in refused(server.folder, "--databases", "4")
