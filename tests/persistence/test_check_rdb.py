"""check-rdb says in redis-check-rdb's words what a file holds and where it is damaged."""

import subprocess
from pathlib import Path

import pytest

from aikv.persistence.check_rdb import RdbReport, check_rdb
from aikv.persistence.source import Source
from conftest import StartServer
from oracle.process import REDIS
from persistence.rdb_data import Content, rdb_bytes

CONTENT: Content = {0: {b"a": (b"b", -1), b"old": (b"c", 5)}, 3: {b"later": (b"x" * 100, 10**14)}}
NOW_MS = 1_700_000_000_000


def check(data: bytes, name: str = "dump.rdb") -> tuple[RdbReport, list[str]]:
    lines: list[str] = []
    return check_rdb(Source(data, name), NOW_MS, lines.append), lines


def test_a_sound_file_is_described() -> None:
    data = rdb_bytes(CONTENT)
    report, lines = check(data)
    assert report.ok
    assert report.checksum
    assert report.version == 10
    assert lines[0] == "[offset 0] Checking RDB file dump.rdb"
    assert lines[1:3] == [
        "[offset 26] AUX FIELD redis-ver = '7.2.0'",
        "[offset 40] AUX FIELD redis-bits = '64'",
    ]
    assert lines[3] == "[offset 42] Selecting DB ID 0"
    assert lines[4] == "[offset 68] Selecting DB ID 3"
    assert lines[5:] == [
        f"[offset {len(data)}] Checksum OK",
        f"[offset {len(data)}] \\o/ RDB looks OK! \\o/",
        "[info] 3 keys read",
        "[info] 2 expires",
        "[info] 1 already expired",
        "[info] db0: 2 keys, 1 expires, 1 already expired",
        "[info] db3: 1 keys, 1 expires, 0 already expired",
    ]


@pytest.mark.parametrize(
    ("data", "offset", "reason", "doing"),
    [
        (rdb_bytes(CONTENT)[:60], 60, "unexpected end of file", "While doing: read-"),
        (b"REDIS0099\xff" + bytes(8), 9, "Can't handle RDB format version 99", "While doing: start"),
        (b"", 0, "unexpected end of file", "While doing: start"),
        (rdb_bytes(CONTENT)[:-1] + b"\x00", -1, "RDB CRC error", "While doing: check-sum"),
        (b"REDIS0010\x07\x01m\x05", 12, "key 'm' holds a value of type 7", "Reading type 7 (module-value)"),
    ],
)
def test_a_damaged_file_is_described_with_the_offset(data: bytes, offset: int, reason: str, doing: str) -> None:
    report, lines = check(data)
    assert not report.ok
    at = lines.index("--- RDB ERROR DETECTED ---")
    assert report.error_offset == (offset if offset >= 0 else len(data))
    assert lines[at + 1].startswith(f"[offset {report.error_offset}] {reason}")
    assert any(doing in line for line in lines[at:])


def test_a_file_of_redis_gets_the_words_of_redis(start_server: StartServer) -> None:
    server = start_server(REDIS, "--save", "")
    with server.connect() as connection:
        connection.command("SET", "a", "b")
        connection.command("SET", "t", "1", "EX", "1000")
        connection.command("SELECT", "7")
        connection.command("SET", "c", "d" * 100)
        assert connection.command("SAVE") == b"+OK\r\n"
    path = server.folder / "dump.rdb"
    said = subprocess.run(["redis-check-rdb", str(path)], check=True, capture_output=True, text=True).stdout
    ours = check(path.read_bytes(), str(path))[1]
    # Redis gives the offset behind the first byte of the next record for fields, ours the end of this one.
    without_offsets = [line.split("] ", 1)[1] for line in said.splitlines()]
    assert [line.split("] ", 1)[1] for line in ours][: len(without_offsets)] == without_offsets


def test_what_is_checked_is_named_and_counted(tmp_path: Path) -> None:
    report, lines = check(b"REDIS0010\xf5\x03lib\xfe\x02\x00\x01a\x01b\xff" + bytes(8), str(tmp_path))
    assert report.functions == 1
    assert "[info] 1 functions" in lines
    assert "RDB file was saved with checksum disabled: no check performed." in lines[2]
    assert report.databases[2].keys == 1
    assert report.total().keys == 1
