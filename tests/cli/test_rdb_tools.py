"""`aikv rdb` and `aikv convert` on files that a real redis-server wrote."""

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aikv.cli.escape import escape, unescape
from aikv.cli.rdb_top import Top
from aikv.persistence import Entry, StreamValue, ZSet, load_rdb, save_rdb
from cli.running import run
from conftest import StartServer
from oracle.process import AIKV, REDIS, ServerProcess

FAR_MS = 33_000_000_000_000
MEMBERS = 2000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A file of redis-server, and what that says of the memory of its keys."""
    server = ServerProcess(REDIS, tmp_path_factory.mktemp("redis"), ("--save", ""))
    server.start()
    try:
        with server.connect() as connection:
            send = connection.command
            send("SET", "user:1:name", "Ann\\", "PXAT", str(FAR_MS))
            send("SET", "user:2:name", b"\xff\x00\n")
            send("SET", "text", "x" * 5000)
            send("SET", "number", "12345")
            send("RPUSH", "list", *[f"element {number}" for number in range(500)])
            send("SADD", "user:1:set", *[f"member:{number}" for number in range(MEMBERS)])
            send("SADD", "ints", *[str(number) for number in range(100)])
            send("HSET", "hash", "f", "v", "g", "ü")
            send("HSET", "large:hash", *[word for n in range(MEMBERS) for word in (f"field:{n}", f"value:{n}")])
            send("ZADD", "zset", "1.5", "low", "inf", "high")
            send("ZADD", "large:zset", *[word for n in range(MEMBERS) for word in (str(n), f"member:{n}")])
            send("SELECT", "7")
            send("XADD", "stream", "1-1", "f", "v", "f", "w")
            send("XADD", "stream", "2-1", "f", "x")
            send("XGROUP", "CREATE", "stream", "group", "0")
            send("XREADGROUP", "GROUP", "group", "ann", "COUNT", "1", "STREAMS", "stream", ">")
            send("SAVE")
            memory = {}
            for db, keys in (
                (0, ("text", "number", "list", "user:1:set", "hash", "large:hash", "large:zset")),
                (7, ()),
            ):
                send("SELECT", str(db))
                for key in keys:
                    memory[key] = int(send("MEMORY", "USAGE", key, "SAMPLES", "0")[1:-2])
    finally:
        server.kill()
    return server.folder / "dump.rdb", memory


@pytest.fixture
def dump(made: tuple[Path, dict[str, int]]) -> str:
    """The path of that file."""
    return str(made[0])


def records(said: str) -> dict[str, Any]:
    """The lines of a JSON export, by key."""
    return {record["key"]: record for record in map(json.loads, said.splitlines())}


@pytest.mark.parametrize(
    "raw", [b"", b"plain", b"a\\b", b"\\x41", b"\xff\xc3\xa4\x00\n", "ü\u2028\u202e".encode(), bytes(range(256))]
)
def test_text_is_escaped_without_loss(raw: bytes) -> None:
    shown = escape(raw)
    assert shown.isprintable() or not shown
    assert unescape(shown) == raw


def test_info_counts_by_database_and_type(dump: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, "rdb", "info", dump)
    assert status == 0, said
    assert said.startswith("version 10, ")
    assert "CRC64 is right" in said
    assert "redis-ver 7." in said
    assert "db0: 11 keys, 1 with a TTL, " in said
    assert f"  set: 2 keys, {MEMBERS + 100} elements, " in said
    assert "db7: 1 key, 0 with a TTL, " in said


def test_keys_are_listed_and_filtered(dump: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, "rdb", "keys", dump)
    assert status == 0
    assert len(said.splitlines()) == 12
    assert set(run(tmp_path, "rdb", "keys", "--match", "user:*", "--type", "string", dump)[1].splitlines()) == {
        "user:1:name",
        "user:2:name",
    }
    assert run(tmp_path, "rdb", "keys", "--db", "7", dump)[1] == "stream\n"
    line = run(tmp_path, "rdb", "keys", "--long", "--match", "user:1:name", dump)[1]
    assert line.rstrip("\n").split("\t")[:5] == ["0", "string", "embstr", str(FAR_MS), "1"]


def test_the_estimate_of_memory_is_near_what_redis_says(made: tuple[Path, dict[str, int]], tmp_path: Path) -> None:
    said = run(tmp_path, "rdb", "keys", "--long", "--db", "0", str(made[0]))[1]
    ours = {line.split("\t")[6]: int(line.split("\t")[5]) for line in said.splitlines()}
    for key, theirs in made[1].items():
        # MEMORY USAGE leaves out the bucket, and what the allocator adds to an entry of the table.
        assert abs(ours[key] - theirs) <= max(24, theirs / 4), (key, ours[key], theirs)


def test_json_has_everything(dump: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, "rdb", "export", dump)
    assert status == 0, said
    found = records(said)
    assert found["user:1:name"] == {
        "db": 0, "key": "user:1:name", "type": "string", "expires_ms": FAR_MS, "value": "Ann\\\\"
    }  # fmt: skip
    assert found["user:2:name"]["value"] == "\\xff\\x00\\x0a"
    assert found["hash"]["value"] == {"f": "v", "g": "ü"}
    assert found["zset"]["value"] == [["low", 1.5], ["high", "inf"]]
    assert found["list"]["value"][:2] == ["element 0", "element 1"]
    assert len(found["user:1:set"]["value"]) == MEMBERS
    assert found["stream"]["db"] == 7
    assert found["stream"]["value"]["entries"] == [["1-1", [["f", "v"], ["f", "w"]]], ["2-1", [["f", "x"]]]]
    assert found["stream"]["value"]["groups"][0]["consumers"][0]["pending"][0][0] == "1-1"


def test_csv_has_a_row_for_each_element(dump: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, "rdb", "export", "--format", "csv", "--type", "zset", "--type", "stream", dump)
    assert status == 0
    rows = list(csv.DictReader(said.splitlines()))
    assert len(rows) == 2 + MEMBERS + 2
    assert {"db": "0", "key": "zset", "type": "zset", "expires_ms": "", "element": "low", "value": "1.5"} in rows
    assert rows[-1]["element"] == "2-1"
    assert json.loads(rows[-1]["value"]) == [["f", "x"]]


def test_commands_are_taken_by_redis_cli_and_make_the_same_dataset(
    dump: str, tmp_path: Path, start_server: StartServer
) -> None:
    server = start_server(REDIS, "--save", "")
    exported = subprocess.run([*AIKV, "rdb", "export", "--format", "resp", dump], capture_output=True, check=True)
    piped = subprocess.run(
        ["redis-cli", "-p", str(server.port), "--pipe"], input=exported.stdout, capture_output=True, check=True
    )
    assert b"errors: 0" in piped.stdout
    with server.connect() as connection:
        connection.command("SAVE")
    status, said = run(tmp_path, "rdb", "diff", dump, str(server.folder / "dump.rdb"))
    assert status == 0, said
    assert "12 the same" in said


def test_top_shows_the_largest_keys_and_prefixes(dump: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, "rdb", "top", "-n", "2", dump)
    assert status == 0, said
    lines = said.splitlines()
    by_memory = lines[lines.index("Keys by memory (bytes):") + 1 :][:2]
    assert {line.split()[-1] for line in by_memory} == {"large:zset", "large:hash"}
    by_prefix = lines[lines.index("Prefixes by elements:") + 1 :][:2]
    assert [line.split()[0] for line in by_prefix] == [str(2 * MEMBERS), str(MEMBERS + 2)]
    assert [line.split()[-1] for line in by_prefix] == ["large:", "user:"]


def test_the_table_of_prefixes_is_bounded_and_keeps_what_is_large() -> None:
    found = Top(3, b":", 2, prefixes=100)
    for number in range(5000):
        found.key(0, b"small%d:x" % number, b"v", -1)
        found.key(0, b"large:%d" % number, b"v" * 1000, -1)
    assert found.dropped
    assert len(found.groups) <= 100
    assert found.groups[0, b"large:"].keys == 5000


def test_differences_are_found_whatever_the_order_and_the_encoding(tmp_path: Path) -> None:
    first, second = str(tmp_path / "a.rdb"), str(tmp_path / "b.rdb")
    stream = StreamValue([(b"1-1", [(b"f", b"v")])])
    save_rdb(
        first,
        {
            0: {
                b"same": {b"1", b"2", b"x"},
                b"zset": ZSet({b"m": 1.0, b"n": 1.0}),
                b"hash": {b"a": b"1", b"b": b"2"},
                b"stream": stream,
                b"gone": b"v",
                b"value": [b"a", b"b"],
                b"kind": b"v",
                b"ttl": Entry(b"v", FAR_MS),
            }
        },
    )
    save_rdb(
        second,
        {
            0: {
                b"hash": {b"b": b"2", b"a": b"1"},
                b"zset": ZSet({b"n": 1.0, b"m": 1.0}),
                b"same": {b"x", b"2", b"1"},
                b"stream": stream,
                b"value": [b"b", b"a"],
                b"kind": [b"v"],
                b"ttl": b"v",
            },
            1: {b"new\xff": b"v"},
        },
    )
    status, said = run(tmp_path, "rdb", "diff", first, second)
    assert status == 1, said
    assert set(said.splitlines()[:-1]) == {
        "- db0 string gone",
        "+ db1 string new\\xff",
        "~ db0 list value: the value",
        "~ db0 string kind: it is a list in B",
        "~ db0 string ttl: the TTL, 3015-09-24T10:40:00Z and none",
    }
    assert said.splitlines()[-1] == "1 key only in A, 1 only in B, 3 different, 4 the same"
    assert run(tmp_path, "rdb", "diff", first, first)[0] == 0
    status, said = run(tmp_path, "rdb", "diff", "--ignore-ttl", "--quiet", "--match", "ttl", first, second)
    assert (status, said) == (0, "0 keys only in A, 0 only in B, 0 different, 1 the same\n")
    assert run(tmp_path, "rdb", "diff", first, str(tmp_path / "missing.rdb"))[0] == 2
    Path(second).write_bytes(b"REDIS0010\xfe")
    assert run(tmp_path, "rdb", "diff", first, second)[0] == 2


@pytest.mark.parametrize("version", ["9", "10", "11", "12"])
def test_a_converted_file_holds_the_same(version: str, dump: str, tmp_path: Path, start_server: StartServer) -> None:
    target = tmp_path / "server" / "dump.rdb"
    target.parent.mkdir()
    status, said = run(tmp_path, "convert", "--rdb-version", version, dump, str(target))
    assert status == 0, said
    assert said == f"12 keys, from version 10 to {version}: {target}\n"
    assert target.read_bytes()[:9] == b"REDIS%04d" % int(version)
    assert os.listdir(target.parent) == ["dump.rdb"]
    original, converted = load_rdb(dump), load_rdb(str(target))
    if version == "9":
        # Redis 5 did not know these: they are derived from the rest.
        for databases in (original, converted):
            stream = databases[7][b"stream"]
            assert isinstance(stream, StreamValue)
            stream.groups[0].entries_read = -1
    assert original == converted
    if int(version) <= 10:
        # This redis-server reads what is no newer than itself.
        server = start_server(REDIS, "--save", "")
        with server.connect() as connection:
            assert connection.command("DBSIZE") == b":11\r\n"
            assert connection.command("LLEN", "list") == b":500\r\n"
            assert connection.command("ZSCORE", "large:zset", "member:77") == b"$2\r\n77\r\n"
            assert connection.command("HGET", "large:hash", "field:7") == b"$7\r\nvalue:7\r\n"
            assert connection.command("SELECT", "7") == b"+OK\r\n"
            assert connection.command("XLEN", "stream") == b":2\r\n"


def test_what_a_version_cannot_hold_is_refused_and_nothing_is_left(tmp_path: Path, start_server: StartServer) -> None:
    server = start_server(REDIS, "--save", "")
    with server.connect() as connection:
        connection.command("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
        connection.command("SET", "a", "b")
        connection.command("SAVE")
    dump, target = str(server.folder / "dump.rdb"), tmp_path / "out.rdb"
    status, said = run(tmp_path, "convert", "--rdb-version", "9", dump, str(target))
    assert status == 2
    assert "functions, which version 9 cannot hold" in said
    assert not list(tmp_path.glob("out.rdb*"))
    assert run(tmp_path, "convert", "--rdb-version", "10", dump, str(target))[0] == 0
    status, said = run(tmp_path, "convert", "--rdb-version", "10", dump, str(target))
    assert status == 2
    assert "--force" in said
    assert run(tmp_path, "convert", "--rdb-version", "11", "--force", dump, str(target))[0] == 0


@pytest.mark.parametrize("tool", [("rdb", "info"), ("rdb", "keys"), ("rdb", "export"), ("rdb", "top")])
@pytest.mark.parametrize("what", ["missing", "folder", "empty", "noise", "cut"])
def test_what_cannot_be_read_is_one_line(tool: tuple[str, str], what: str, dump: str, tmp_path: Path) -> None:
    path = tmp_path / "file.rdb"
    if what == "folder":
        path.mkdir()
    elif what != "missing":
        path.write_bytes({"empty": b"", "noise": bytes(range(256)), "cut": Path(dump).read_bytes()[:-9]}[what])
    ended = subprocess.run([*AIKV, *tool, str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == (2 if what in ("missing", "folder") else 1)
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1
    assert ended.returncode == 2 or "at offset " in ended.stderr


def test_a_reader_that_goes_away_ends_the_tool_quietly(dump: str) -> None:
    shell = f"{' '.join(AIKV)} rdb export --format csv {dump} {dump and ''} | head -n 1"
    ended = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert ended.stdout == "db,key,type,expires_ms,element,value\n"
    assert ended.stderr == ""


def test_standard_input_is_a_file_too(dump: str) -> None:
    with Path(dump).open("rb") as file:
        ended = subprocess.run([*AIKV, "rdb", "keys", "-"], stdin=file, capture_output=True, check=True)
    assert len(ended.stdout.splitlines()) == 12


def test_progress_is_drawn_on_a_terminal_only(dump: str, tmp_path: Path) -> None:
    controlling, terminal = os.openpty()
    with (tmp_path / "out").open("wb") as out:
        ended = subprocess.run([*AIKV, "rdb", "keys", dump], stdout=out, stderr=terminal, check=True)
    os.close(terminal)
    shown = os.read(controlling, 65536)
    os.close(controlling)
    assert ended.returncode == 0
    assert b"Reading" in shown
    assert b"100%" in shown
    assert len((tmp_path / "out").read_bytes().splitlines()) == 12
    quiet = subprocess.run([*AIKV, "rdb", "keys", dump], capture_output=True, check=True)
    assert quiet.stderr == b""


def peak_kib(*words: str) -> int:
    """The most memory that a tool had while it ran, in KiB."""
    process = subprocess.Popen([*AIKV, *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = str(tmp_path / "small.rdb"), str(tmp_path / "large.rdb")
    save_rdb(small, {0: {b"key": b"v"}})
    save_rdb(large, {0: {b"prefix:%d:key" % number: b"%d" % number + b"." * 400 for number in range(50_000)}}, False)
    size_kib = os.stat(large).st_size // 1024
    assert size_kib > 20_000
    for words in (["rdb", "export"], ["rdb", "top"], ["convert", "--force", "--rdb-version", "9"], ["rdb", "diff"]):
        more = [str(tmp_path / "out.rdb")] if words[0] == "convert" else []
        peaks = [peak_kib(*words, *([path] if words[1] == "diff" else []), path, *more) for path in (small, large)]
        # A block of the file is a megabyte, and a few of them are held at a time.
        assert peaks[1] - peaks[0] < size_kib // 2, (words, peaks)
