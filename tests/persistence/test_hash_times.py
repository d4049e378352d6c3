"""Times of hash fields outlive the process: in an RDB, in the AOF as it is written, and in its base of commands."""

from pathlib import Path

import pytest

from conftest import StartServer
from oracle.process import AIKV, ServerProcess

# Far from now, so that nothing runs out during a test.
MOMENT = "20000000000000"
FORMS = {
    "rdb": ("--appendonly", "no", "--save", "100", "100"),
    "log": ("--appendonly", "yes"),
    "base of commands": ("--appendonly", "yes", "--aof-use-rdb-preamble", "no"),
}


def fill(server: ServerProcess) -> list[bytes]:
    """Make a small and a large hash with times; returns what is asked of them."""
    with server.connect() as connection:
        connection.command("CONFIG", "SET", "hash-max-listpack-entries", "64")
        connection.command("HSET", "small", "a", "1", "b", "2")
        connection.command("HPEXPIREAT", "small", MOMENT, "FIELDS", "1", "a")
        connection.command("HSET", "large", *[str(number) for number in range(1000)])
        connection.command("HPEXPIREAT", "large", MOMENT, "FIELDS", "2", "0", "2")
    return ask(server)


def ask(server: ServerProcess) -> list[bytes]:
    """Return replies that tell the whole dataset."""
    with server.connect() as connection:
        return [
            connection.command("DEBUG", "DIGEST"),
            connection.command("HPEXPIRETIME", "small", "FIELDS", "2", "a", "b"),
            connection.command("HPEXPIRETIME", "large", "FIELDS", "3", "0", "2", "4"),
        ]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_times_are_there_after_a_restart(start_server: StartServer, form: str) -> None:
    server = start_server(AIKV, *FORMS[form], "--enable-debug-command", "yes")
    before = fill(server)
    assert b":20000000000000\r\n:-1\r\n" in before[1]
    if form == "base of commands":
        with server.connect() as connection:
            connection.command("BGREWRITEAOF")
            while b"aof_rewrite_in_progress:1" in (info := connection.command("INFO", "persistence")):
                assert b"aof_enabled:1" in info
    server.stop()
    server.start()
    assert ask(server) == before


@pytest.mark.slow
def test_only_a_dataset_with_times_needs_the_version_of_redis_7_4(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(AIKV)
    versions = []
    with server.connect() as connection:
        for line in ("HSET h a 1 b 2", "HEXPIRE h 1000 FIELDS 1 a", "HPERSIST h FIELDS 1 a"):
            connection.command(*line.split())
            connection.command("SAVE")
            versions.append((tmp_path / "server" / "dump.rdb").read_bytes()[:9])
    assert versions == [b"REDIS0010", b"REDIS0012", b"REDIS0010"]
