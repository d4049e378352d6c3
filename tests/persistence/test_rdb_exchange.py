"""RDB files are exchanged with a real redis-server, both ways."""

import subprocess
from pathlib import Path

from aikv.persistence.dump import encode_dump
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import load_rdb
from aikv.persistence.snapshot import SaveOptions, describing_fields, save_rdb
from conftest import StartServer
from oracle.process import REDIS
from persistence.rdb_data import Collector, Content, as_text, databases

FAR_MS = 33_000_000_000_123
TEXTS = [
    b"", b"a", b"0", b"-1", b"127", b"-128", b"128", b"32767", b"-32768", b"32768", b"2147483647", b"-2147483648",
    b"2147483648", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"007", b"-0", b"1.5",
    b"x" * 20, b"x" * 21, b"y" * 63, b"y" * 64, b"ab" * 8191, b"z" * 16383, b"z" * 16384, bytes(range(256)),
    bytes(range(256)) * 300, b"\r\n$-1\r\n",
]  # fmt: skip
CONTENT: Content = {
    db: {
        **{b"key:%d" % number: (text, -1) for number, text in enumerate(TEXTS)},
        **{b"ttl:%d" % number: (text, FAR_MS + number) for number, text in enumerate(TEXTS)},
        # Keys take the same encodings as values.
        **dict.fromkeys(TEXTS, (b"value", -1)),
    }
    for db in (0, 1, 15)
}


def texts(content: Content) -> dict[int, dict[bytes, tuple[bytes, int]]]:
    return {db: {key: (as_text(value), expire_ms) for key, (value, expire_ms) in content[db].items()} for db in content}


def test_a_file_of_redis_loads_with_the_same_content(start_server: StartServer) -> None:
    for compression in ("yes", "no"):
        server = start_server(REDIS, "--save", "", "--rdbcompression", compression, name=compression)
        with server.connect() as redis:
            for db, entries in CONTENT.items():
                redis.command("SELECT", str(db))
                for key, (value, expire_ms) in entries.items():
                    redis.command("SET", key, as_text(value), *([] if expire_ms == -1 else ["PXAT", str(expire_ms)]))
            redis.command("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
            assert redis.command("SAVE") == b"+OK\r\n"
        collector = Collector()
        summary = load_rdb(Files(), str(server.folder / "dump.rdb"), collector)
        assert texts(collector.content) == texts(CONTENT)
        assert summary.checksum
        assert collector.fields[b"redis-ver"].startswith(b"7.")
        assert collector.functions == [b"#!lua name=lib\nredis.register_function('f', function() return 1 end)"]


def test_idle_times_and_frequencies_of_redis_are_read(start_server: StartServer) -> None:
    for policy in ("allkeys-lru", "allkeys-lfu"):
        server = start_server(REDIS, "--save", "", "--maxmemory-policy", policy, name=policy)
        with server.connect() as redis:
            redis.command(
                "RESTORE", "k", "0", encode_dump(b"v"), "FREQ" if policy.endswith("lfu") else "IDLETIME", "77"
            )
            assert redis.command("SAVE") == b"+OK\r\n"
        collector = Collector()
        load_rdb(Files(), str(server.folder / "dump.rdb"), collector)
        assert collector.content == {0: {b"k": (b"v", -1)}}
        assert collector.usage[b"k"] in ([(-1, 77)] if policy.endswith("lfu") else [(77, -1), (78, -1)])


def test_our_file_is_checked_and_loaded_by_redis(start_server: StartServer, tmp_path: Path) -> None:
    for checksum, packing in ((True, True), (False, False)):
        folder = tmp_path / f"ours{checksum}"
        folder.mkdir()
        path = folder / "dump.rdb"
        options = SaveOptions(
            packing,
            checksum,
            aux=describing_fields("7.2.0", "0.1.0", 1_700_000_000, 1_000_000, aof_base=False),
            functions=[b"#!lua name=lib\nredis.register_function('f', function() return 1 end)"],
        )
        save_rdb(Files(), str(path), databases(CONTENT), options)
        said = subprocess.run(["redis-check-rdb", str(path)], check=True, capture_output=True, text=True).stdout
        assert "RDB looks OK" in said
        assert ("Checksum OK" in said) == checksum
        server = start_server(REDIS, "--save", "", name=folder.name)
        with server.connect() as redis:
            for db, entries in CONTENT.items():
                redis.command("SELECT", str(db))
                assert redis.command("DBSIZE") == b":%d\r\n" % len(entries)
                for key, (value, expire_ms) in entries.items():
                    text = as_text(value)
                    assert redis.command("GET", key) == b"$%d\r\n%b\r\n" % (len(text), text)
                    assert redis.command("PEXPIRETIME", key) == b":%d\r\n" % expire_ms
                    redis.command("SET", "again", text)
                    assert redis.command("DUMP", key) == redis.command("DUMP", "again")
            assert redis.command("FCALL", "f", "0") == b":1\r\n"


def test_a_function_of_a_release_candidate_is_restored_as_redis_would(start_server: StartServer) -> None:
    """The header that we put before the code is one that FUNCTION LOAD takes."""
    code = b"redis.register_function('g', function() return 2 end)"
    server = start_server(REDIS, "--save", "")
    path = server.folder / "old.rdb"
    path.write_bytes(b"REDIS0010\xf6\x03old\x03LUA\x00%c%b\xff" % (len(code), code) + bytes(8))
    collector = Collector()
    load_rdb(Files(), str(path), collector)
    with server.connect() as redis:
        assert redis.command("FUNCTION", "LOAD", collector.functions[0]) == b"$3\r\nold\r\n"
        assert redis.command("FCALL", "g", "0") == b":2\r\n"
