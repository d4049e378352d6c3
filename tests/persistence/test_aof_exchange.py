"""The log's folder is exchanged with a real redis-server, both ways."""

import shutil
import subprocess
from pathlib import Path

import pytest

from aikv.persistence.aof_log import NO
from conftest import StartServer
from oracle.process import REDIS
from persistence.aof_harness import FILENAME, FOLDER, World, load

APPEND_ONLY = ("--appendonly", "yes", "--save", "", "--auto-aof-rewrite-percentage", "0")


def fill(world: World) -> None:
    world.do(b"SET", b"text", b"with\r\nlines \x00\xff")
    world.do(b"SET", b"number", b"12345678901")
    world.do(b"SELECT", b"9")
    world.do(b"SET", b"long", b"ab" * 50_000)
    world.do(b"PEXPIREAT", b"long", b"4102444800000")


@pytest.mark.parametrize("rdb", [True, False])
@pytest.mark.parametrize("rewrite", ["none", "begun", "finished"])
def test_redis_loads_the_folder(rdb: bool, rewrite: str, tmp_path: Path, start_server: StartServer) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    world = World(folder, NO, rdb=rdb)
    world.start()
    fill(world)
    if rewrite != "none":
        assert world.begin_rewrite()
        world.do(b"APPEND", b"long", b"after")
    if rewrite == "finished":
        assert world.finish_rewrite()
    world.aof.flush()
    checker = shutil.which("redis-check-aof")
    assert checker is not None
    manifest = folder / FOLDER / (FILENAME + ".manifest")
    said = subprocess.run([checker, str(manifest)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout
    server = start_server(REDIS, *APPEND_ONLY)
    with server.connect() as connection:
        for (db, key), value in world.dataset.values.items():
            connection.command("SELECT", str(db))
            assert connection.command("GET", key.decode()) == b"$%d\r\n%b\r\n" % (len(value), value)
            expire_ms = world.dataset.expires.get((db, key), -1)
            assert connection.command("PEXPIRETIME", key.decode()) == b":%d\r\n" % expire_ms


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_the_folder_of_redis_is_loaded_and_continued(preamble: str, tmp_path: Path, start_server: StartServer) -> None:
    server = start_server(REDIS, *APPEND_ONLY, "--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes")
    with server.connect() as connection:
        # Under everysec Redis may hold a write back, and the kill below would take it.
        connection.command("CONFIG", "SET", "appendfsync", "always")
        connection.command("SET", "text", "with\r\nlines")
        connection.command("BGREWRITEAOF")
        while b"aof_rewrite_in_progress:1" in connection.command("INFO", "persistence"):
            pass
        connection.command("MULTI")
        connection.command("SET", "b", "2")
        connection.command("APPEND", "b", "3")
        connection.command("EXEC")
        connection.command("SELECT", "4")
        connection.command("SET", "a", "1", "PXAT", "4102444800000")
    server.kill()
    folder = tmp_path / "server"
    dataset, _ = load(folder)
    expected = {(0, b"text"): b"with\r\nlines", (0, b"b"): b"23", (4, b"a"): b"1"}
    assert dataset.values == expected
    world = World(folder, NO)
    world.dataset.values = dict(expected)
    world.start()
    world.do(b"SET", b"mine", b"x")
    assert world.aof.close()
    server.start()
    with server.connect() as connection:
        assert connection.command("GET", "mine") == b"$1\r\nx\r\n"
        assert connection.command("GET", "b") == b"$2\r\n23\r\n"
        connection.command("SELECT", "4")
        assert connection.command("PEXPIRETIME", "a") == b":4102444800000\r\n"
