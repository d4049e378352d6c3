"""`aikv backup` and `aikv verify`: copies of running servers, and what is found out about whole and damaged ones."""

import json
import shutil
from pathlib import Path

import pytest

from cli.running import run
from conftest import StartServer
from crash.waiting import wait_for_children, wait_until
from oracle.process import AIKV, REDIS, ServerProcess
from oracle.wire import pack
from persistence.aof_harness import FILENAME, FOLDER

LOGGED = ("--appendonly", "yes", "--save", "", "--appendfsync", "always")
SAVED = ("--appendonly", "no", "--save", "")


def fill(server: ServerProcess) -> None:
    """Some keys of every type, in two databases."""
    with server.connect() as connection:
        connection.command("SET", "text", "value", "EX", "100000")
        connection.command("RPUSH", "list", "a", "b")
        connection.command("SADD", "set", "a", "b")
        connection.command("HSET", "hash", "f", "v")
        connection.command("SELECT", "3")
        connection.command("ZADD", "zset", "1.5", "m")
        connection.command("XADD", "stream", "1-1", "f", "v")


def backed_up(server: ServerProcess, target: Path, *arguments: str) -> str:
    """Make a backup; returns what was said."""
    status, said = run(server.folder, "backup", "--from", f":{server.port}", "--to", str(target), *arguments)
    assert status == 0, said
    return said


@pytest.fixture(scope="module")
def of_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of an append-only log that has been rewritten, written by aikv."""
    folder = tmp_path_factory.mktemp("logged")
    server = ServerProcess(AIKV, folder, (*LOGGED, "--aikv-aof-history-seconds", "1000"))
    server.start()
    try:
        fill(server)
        with server.connect() as connection:
            connection.command("BGREWRITEAOF")
            wait_for_children(connection)
            connection.command("SET", "late", "1")
        backed_up(server, folder / "copy")
    finally:
        server.kill()
    return folder / "copy"


@pytest.fixture
def copy(of_log: Path, tmp_path: Path) -> Path:
    """A copy of that backup, to damage."""
    return Path(shutil.copytree(of_log, tmp_path / "copy"))


def test_a_backup_of_a_log_is_served_by_both(copy: Path, start_server: StartServer) -> None:
    shutil.move(copy, copy.parent / "server")
    for program in (AIKV, REDIS):
        server = start_server(program, *LOGGED)
        with server.connect() as connection:
            assert connection.command("DBSIZE") == b":5\r\n"
            assert connection.command("GET", "late") == b"$1\r\n1\r\n"
        server.kill()


def test_what_a_backup_holds_is_proven(copy: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in (copy / FOLDER).iterdir()}
    status, said = run(tmp_path, "verify", str(copy))
    assert status == 0, said
    assert "every SHA-256 is right" in said
    assert "7 keys loaded" in said
    assert f"ok   {FILENAME}.1.incr.aof: history, readable" in said
    assert before == {path.name: path.read_bytes() for path in (copy / FOLDER).iterdir()}


def test_the_list_says_what_was_copied_from_where(copy: Path) -> None:
    listed = json.loads((copy / "backup.json").read_text())
    assert listed["kind"] == "aof"
    assert listed["server"].startswith("aikv ")
    assert {entry["path"]: entry["size"] for entry in listed["files"]} == {
        f"{FOLDER}/{path.name}": path.stat().st_size for path in (copy / FOLDER).iterdir()
    }


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_a_snapshot_is_copied_where_there_is_no_log(
    program: tuple[str, ...], start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(program, *SAVED)
    fill(server)
    backed_up(server, tmp_path / "copy")
    # What comes later is not in it.
    with server.connect() as connection:
        connection.command("FLUSHALL")
        connection.command("SAVE")
    server.kill()
    status, said = run(tmp_path, "verify", str(tmp_path / "copy"))
    assert status == 0, said
    assert "6 keys loaded" in said
    again = start_server(REDIS, *SAVED, name="copy")
    with again.connect() as connection:
        assert connection.command("DBSIZE") == b":4\r\n"


def test_a_rewrite_meanwhile_takes_no_file_away(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    fill(server)
    folder = server.folder / FOLDER
    with server.connect() as copier, server.connect() as other:
        reply = copier.command("AIKV.BACKUP", "BEGIN")
        assert f"{FILENAME}.1.incr.aof".encode() in reply
        other.command("BGREWRITEAOF")
        wait_for_children(other)
        assert (folder / f"{FILENAME}.2.base.rdb").exists()
        assert (folder / f"{FILENAME}.1.incr.aof").exists()
        assert copier.command("AIKV.BACKUP", "END") == b"+OK\r\n"
        wait_until(lambda: not (folder / f"{FILENAME}.1.incr.aof").exists(), "the files go once they are copied")


def test_files_go_when_who_copies_them_has_gone(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    folder = server.folder / FOLDER
    with server.connect() as other:
        with server.connect() as copier:
            copier.command("AIKV.BACKUP", "BEGIN")
            other.command("BGREWRITEAOF")
            wait_for_children(other)
            assert (folder / f"{FILENAME}.1.incr.aof").exists()
        wait_until(lambda: not (folder / f"{FILENAME}.1.incr.aof").exists(), "the files go with the client")
    assert "went away while it copied" in server.log()


def test_what_cannot_be_copied_is_refused(start_server: StartServer) -> None:
    server = start_server(AIKV, *SAVED)
    with server.connect() as connection:
        reply = connection.command("AIKV.BACKUP", "BEGIN")
        assert reply == b"-ERR the append only file is off, or has no base yet\r\n"
        assert connection.command("AIKV.BACKUP", "NOSUCH").startswith(b"-ERR unknown subcommand 'NOSUCH'")
        assert connection.command("AIKV.BACKUP", "END") == b"+OK\r\n"
        assert b"BEGIN" in connection.command("AIKV.BACKUP", "HELP")


def test_a_password_comes_from_the_environment(
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(AIKV, *SAVED, "--requirepass", "secret")
    target = str(tmp_path / "copy")
    words = ("backup", "--from", f"127.0.0.1:{server.port}", "--to", target)
    status, said = run(tmp_path, *words)
    assert status == 2
    assert "wants a password: set AIKV_PASSWORD" in said
    status, said = run(tmp_path, "backup", "--from", f"redis://:secret@localhost:{server.port}", "--to", target)
    assert status == 2
    assert "leave the password out of the address" in said
    assert "secret" not in said
    monkeypatch.setenv("AIKV_PASSWORD", "wrong")
    status, said = run(tmp_path, *words)
    assert status == 2
    assert "WRONGPASS" in said
    assert not list(tmp_path.glob("copy*"))
    monkeypatch.setenv("AIKV_PASSWORD", "secret")
    status, said = run(tmp_path, *words)
    assert status == 0, said


def test_a_unix_socket_is_an_address(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(AIKV, *SAVED, "--unixsocket", str(tmp_path / "s"))
    for number, address in enumerate((f"{tmp_path}/s", f"unix://{tmp_path}/s")):
        status, said = run(server.folder, "backup", "--from", address, "--to", str(tmp_path / f"copy{number}"))
        assert status == 0, said


def test_nothing_is_overwritten_and_nothing_half_made_is_left(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    status, said = run(tmp_path, "backup", "--to", str(tmp_path / "there"))
    assert status == 2
    assert "never overwritten" in said
    status, said = run(tmp_path, "backup", "--to", str(tmp_path / "new"), "--from", "127.0.0.1:1")
    assert status == 2
    assert "no server answers at 127.0.0.1:1" in said
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


DAMAGES = ["a flipped bit", "a cut file", "a missing file", "no manifest", "no checksums", "a damaged list"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_found(damage: str, copy: Path, tmp_path: Path) -> None:
    incr = copy / FOLDER / f"{FILENAME}.2.incr.aof"
    if damage == "a flipped bit":
        data = bytearray(incr.read_bytes())
        data[-4] ^= 1
        incr.write_bytes(data)
    elif damage == "a cut file":
        incr.write_bytes(incr.read_bytes()[:-3])
    elif damage == "a missing file":
        (copy / FOLDER / f"{FILENAME}.2.base.rdb").unlink()
    elif damage == "no manifest":
        (copy / FOLDER / f"{FILENAME}.manifest").unlink()
    elif damage == "no checksums":
        text = (copy / "backup.json").read_text()
        (copy / "backup.json").write_text(text.replace("sha256", "sha1"))
    else:
        (copy / "backup.json").write_text("{")
    status, said = run(tmp_path, "verify", str(copy))
    assert status == 1, said
    assert "\nbad  " in "\n" + said
    assert "NOT complete" in said


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_data_folder_is_verified_without_checksums(
    preamble: str, program: tuple[str, ...], start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(program, *LOGGED, "--aof-use-rdb-preamble", preamble)
    fill(server)
    with server.connect() as connection:
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
        connection.command("SAVE")
    server.kill()
    status, said = run(tmp_path, "verify", str(server.folder))
    assert status == 0, said
    assert "ok   dump.rdb: RDB version 10" in said
    assert "ok   appendonly.aof: 2 files" in said
    assert said.count("6 keys loaded") == 2
    path = server.folder / "dump.rdb"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    status, said = run(tmp_path, "verify", str(server.folder))
    assert status == 1
    assert f"bad  {path}: at offset " in said


def test_a_command_that_cannot_be_applied_is_found(copy: Path, tmp_path: Path) -> None:
    """Well-formed, and yet no server would start on it."""
    (copy / "backup.json").unlink()
    incr = copy / FOLDER / f"{FILENAME}.2.incr.aof"
    incr.write_bytes(incr.read_bytes() + b"*3\r\n$4\r\nLPOP\r\n$4\r\nhash\r\n$1\r\n1\r\n")
    status, said = run(tmp_path, "verify", str(copy))
    assert status == 1
    assert "the command 'LPOP' failed" in said


def test_a_log_with_a_script_in_it_loads_as_in_a_server(tmp_path: Path) -> None:
    script = pack([b"EVAL", b"return redis.call('SET', KEYS[1], ARGV[1])", b"1", b"key", b"value"])
    (tmp_path / FILENAME).write_bytes(pack([b"SELECT", b"0"]) + script)
    status, said = run(tmp_path, "verify", str(tmp_path))
    assert status == 0, said
    assert "2 commands replayed, 1 key loaded" in said


@pytest.mark.parametrize("what", ["missing", "empty", "a file"])
def test_where_there_is_nothing_to_verify_the_status_is_2(what: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    if what == "empty":
        path.mkdir()
    elif what == "a file":
        path.touch()
    status, said = run(tmp_path, "verify", str(path))
    assert status == 2
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
