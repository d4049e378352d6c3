"""The public interface: plain Python in and out, files exchanged with redis-server, errors that say what is wrong."""

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import hiredis
import pytest

from aikv.persistence import (
    AikvError,
    AofFailed,
    AofSyncPolicy,
    AofWriter,
    BadConfig,
    BadValue,
    CorruptFile,
    Databases,
    Entry,
    FileAccess,
    LoadedDatabases,
    PendingEntry,
    PersistenceConfig,
    StreamConsumer,
    StreamGroup,
    StreamValue,
    TimedHash,
    ZSet,
    load_aof,
    load_rdb,
    save_rdb,
)
from aikv.persistence.files import Files
from conftest import StartServer
from crash.waiting import wait_for_children, wait_until
from oracle.process import AIKV, REDIS, ServerProcess

FAR_MS = 33_000_000_000_123
STREAM = StreamValue(
    [(b"1-1", [(b"f", b"v"), (b"f", b"again")]), (b"2-0", [(b"\xff", b"")])],
    b"7-7",
    b"1-5",
    9,
    [StreamGroup(b"g", b"1-1", 1, [StreamConsumer(b"c", 5000, 5000, [PendingEntry(b"1-1", 6000, 2)])])],
)
CONTENT: LoadedDatabases = {
    0: {
        b"text": b"with\r\nlines \x00\xff",
        b"number": b"12345678901",
        b"\xff\x00": b"",
        b"list": [b"a", b"b", b"a", b"1"],
        b"long list": [b"%d" % number for number in range(5000)],
        b"set": {b"a", b"\xff"},
        b"intset": {b"%d" % number for number in range(100)},
        b"large set": {b"member:%d" % number for number in range(2000)},
        b"hash": {b"f": b"v", b"\x00": b"1"},
        b"large hash": {b"field:%d" % number: b"v" for number in range(2000)},
        b"zset": ZSet({b"low": -1.5, b"high": 1e300}),
        b"infinite": ZSet({b"least": float("-inf"), b"most": float("inf")}),
        b"large zset": ZSet({b"member:%04d" % number: float(number) for number in range(2000)}),
        b"ttl": Entry(b"v", FAR_MS),
        b"list with ttl": Entry([b"a"], FAR_MS),
    },
    15: {b"stream": STREAM},
}


def ask(server: ServerProcess, *commands: list[str | bytes]) -> list[object]:
    """The replies to some commands, as values."""
    reader = hiredis.Reader()
    with server.connect() as connection:
        for command in commands:
            reader.feed(connection.command(*command))
    return [reader.gets() for _ in commands]


def check_served(server: ServerProcess) -> None:
    """See that a server holds `CONTENT`."""
    found = ask(
        server,
        ["DBSIZE"],
        ["GET", b"text"],
        ["LRANGE", "long list", "0", "-1"],
        ["SMEMBERS", "large set"],
        ["HGETALL", "hash"],
        ["ZRANGE", "zset", "0", "-1", "WITHSCORES"],
        ["ZSCORE", "infinite", "most"],
        ["PEXPIRETIME", "ttl"],
        ["PEXPIRETIME", "list with ttl"],
        ["PEXPIRETIME", "text"],
        ["SELECT", "15"],
        ["XRANGE", "stream", "-", "+"],
        ["XPENDING", "stream", "g"],
        ["XADD", "stream", "7-7", "f", "v"],
    )
    assert found[:3] == [15, CONTENT[0][b"text"], CONTENT[0][b"long list"]]
    assert set(found[3]) == CONTENT[0][b"large set"]  # type: ignore[call-overload]
    assert set(found[4]) == {b"f", b"v", b"\x00", b"1"}  # type: ignore[call-overload]
    assert [found[5][0], found[5][2], found[6]] == [b"low", b"high", b"inf"]  # type: ignore[index]
    assert found[7:10] == [FAR_MS, FAR_MS, -1]
    assert found[11] == [[b"1-1", [b"f", b"v", b"f", b"again"]], [b"2-0", [b"\xff", b""]]]
    assert found[12] == [1, b"1-1", b"1-1", [[b"c", b"1"]]]
    assert "smaller than the target stream top item" in str(found[13])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = str(tmp_path / "dump.rdb")
    save_rdb(path, CONTENT)
    loaded = load_rdb(path)
    assert loaded == CONTENT
    assert type(loaded[0][b"zset"]) is ZSet
    assert list(loaded[0][b"zset"]) == [b"low", b"high"]
    assert list(tmp_path.iterdir()) == [tmp_path / "dump.rdb"]


@pytest.mark.parametrize("compress", [True, False])
def test_redis_serves_what_is_saved_and_what_it_saves_is_loaded(
    compress: bool, tmp_path: Path, start_server: StartServer
) -> None:
    (tmp_path / "server").mkdir()
    path = str(tmp_path / "server" / "dump.rdb")
    save_rdb(path, CONTENT, compress=compress, checksum=compress)
    server = start_server(REDIS, "--save", "")
    check_served(server)
    assert ask(server, ["SAVE"]) == [b"OK"]
    loaded = load_rdb(path)
    assert loaded == CONTENT


def test_aikv_serves_what_is_saved(tmp_path: Path, start_server: StartServer) -> None:
    (tmp_path / "server").mkdir()
    timed = TimedHash({b"stays": b"1", b"goes": b"2"}, {b"goes": FAR_MS})
    save_rdb(str(tmp_path / "server" / "dump.rdb"), {**CONTENT, 1: {b"timed": timed}})
    server = start_server(AIKV, "--save", "")
    check_served(server)
    assert ask(server, ["SELECT", "1"], ["HPEXPIRETIME", "timed", "FIELDS", "2", "stays", "goes"]) == [
        b"OK",
        [-1, FAR_MS],
    ]
    ask(server, ["SAVE"])
    loaded = load_rdb(str(server.folder / "dump.rdb"))
    assert loaded == {**CONTENT, 1: {b"timed": timed}}
    assert loaded[1] != {b"timed": {b"stays": b"1", b"goes": b"2"}}


def test_nothing_at_all_is_saved_and_loaded(tmp_path: Path) -> None:
    path = str(tmp_path / "dump.rdb")
    empty: list[Databases] = [{}, {0: {}}]
    for nothing in empty:
        save_rdb(path, nothing)
        assert load_rdb(path) == {}


# What a type checker would not let through.
SOON: Any = "soon"
TEXT: Any = "1-1"
SINGLE: Any = (b"f",)
BAD_VALUES = [
    ({0: {"text": b"v"}}, "the key 'text' is not bytes"),
    ({0: {b"k": "text"}}, "the key b'k' of database 0: a value of type str cannot be saved"),
    ({0: {b"k": 1}}, "a value of type int cannot be saved"),
    ({0: {b"k": []}}, "a list without elements cannot be saved: leave the key out"),
    ({0: {b"k": set()}}, "a set without elements"),
    ({0: {b"k": {}}}, "a hash without elements"),
    ({0: {b"k": ZSet()}}, "a sorted set without members"),
    ({0: {b"k": ["text"]}}, "an element of a list is 'text', which is not bytes"),
    ({0: {b"k": {b"f": 1}}}, "the value of a field of a hash is 1, which is not bytes"),
    ({0: {b"k": ZSet({b"m": float("nan")})}}, "which is no number"),
    ({0: {b"k": Entry(b"v", -5)}}, "the key b'k' of database 0: it runs out at -5"),
    ({0: {b"k": Entry(b"v", SOON)}}, "the key b'k' of database 0: "),
    ({0: {b"k": ZSet({"m": 1.0})}}, "a member of a sorted set is 'm', which is not bytes"),
    ({0: {b"k": StreamValue([(TEXT, [(b"f", b"v")])])}}, "the key b'k' of database 0: "),
    ({0: {b"k": StreamValue([(b"1-1", [SINGLE])])}}, "the key b'k' of database 0: "),
    ({0: {b"k": TimedHash({b"f": b"v"}, {b"g": 1})}}, "there is no such field"),
    ({0: {b"k": StreamValue([(b"1-1", [(b"f", b"v")]), (b"1-1", [(b"f", b"v")])])}}, "not above the one before"),
    ({0: {b"k": StreamValue([(b"x", [(b"f", b"v")])])}}, "b'x' is no id"),
    ({0: {b"k": StreamValue([(b"5-1", [(b"f", b"v")])], b"4-0")}}, "below that of its last entry"),
    ({-1: {}}, "-1 is no number of a database"),
]


@pytest.mark.parametrize(("databases", "reason"), BAD_VALUES, ids=[reason for _, reason in BAD_VALUES])
def test_what_cannot_be_saved_is_refused_before_anything_is_written(
    databases: Databases, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(b"the old one")
    with pytest.raises(BadValue) as caught:
        save_rdb(str(path), databases)
    assert reason in str(caught.value)
    assert path.read_bytes() == b"the old one"


def test_a_file_that_cannot_be_written_or_read_is_an_error_of_aikv(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere" / "dump.rdb")
    for attempt in (
        lambda: save_rdb(missing, {}),
        lambda: load_rdb(missing),
        lambda: AofWriter(missing),
    ):
        with pytest.raises(FileAccess, match="No such file or directory") as caught:
            attempt()
        assert isinstance(caught.value, AikvError)
        assert caught.value.error.errno == errno.ENOENT
    with pytest.raises(AikvError, match="No such file or directory"):
        load_aof(missing)


def test_every_flipped_bit_of_a_snapshot_is_found(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    save_rdb(str(path), {0: {b"k": b"some text", b"l": [b"a"]}})
    whole = path.read_bytes()
    for at in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[at // 8] ^= 1 << at % 8
        path.write_bytes(damaged)
        # Zeros for a checksum would mean that there is none; no single flip makes those.
        with pytest.raises(AikvError):
            load_rdb(str(path))


COMMANDS = [
    [b"SET", b"a", b"with\r\nlines"],
    [b"MULTI"],
    [b"APPEND", b"a", b"!"],
    [b"EXEC"],
    [b"SELECT", b"3"],
    [b"SADD", b"s", b"m"],
]
PLAIN_COMMANDS = [argv for argv in COMMANDS if argv[0] not in (b"MULTI", b"EXEC")]


@pytest.mark.parametrize("policy", AofSyncPolicy)
def test_what_is_logged_is_loaded_and_served(policy: AofSyncPolicy, tmp_path: Path, start_server: StartServer) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    path = str(folder / "appendonly.aof")
    with AofWriter(path, policy) as log:
        for command in COMMANDS[:3]:
            log.log_command(command)
    # The transaction is open: nobody else may go on there.
    with pytest.raises(CorruptFile):
        AofWriter(path, policy)
    Path(path).unlink()
    with AofWriter(path, policy) as log:
        log.log_command(COMMANDS[0])
    with AofWriter(path, policy) as log:
        for command in COMMANDS[1:]:
            log.log_command(command)
    assert load_aof(path) == PLAIN_COMMANDS
    server = start_server(REDIS, "--appendonly", "yes", "--save", "")
    assert ask(server, ["GET", "a"], ["SELECT", "3"], ["SMEMBERS", "s"]) == [b"with\r\nlines!", b"OK", [b"m"]]
    # redis-server has made a multi-part log of it.
    assert load_aof(str(folder)) == PLAIN_COMMANDS


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_the_log_of_a_server_is_loaded_as_commands(program: tuple[str, ...], start_server: StartServer) -> None:
    server = start_server(program, "--appendonly", "yes", "--save", "", "--appendfsync", "always")
    ask(server, ["RPUSH", "l", "a", "b"], ["PEXPIREAT", "l", str(FAR_MS)], ["SELECT", "2"], ["SET", "n", "1"])
    with server.connect() as connection:
        connection.command("BGREWRITEAOF")
        wait_for_children(connection)
    ask(server, ["SELECT", "2"], ["INCR", "n"])
    server.kill()
    expected = [
        [b"RPUSH", b"l", b"a", b"b"],
        [b"PEXPIREAT", b"l", b"%d" % FAR_MS],
        [b"SELECT", b"2"],
        [b"SET", b"n", b"1"],
        [b"INCR", b"n"],
    ]
    assert load_aof(str(server.folder)) == expected
    assert load_aof(str(server.folder / "appendonlydir" / "appendonly.aof.manifest")) == expected


def test_a_cut_log_is_damaged_unless_that_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "log.aof"
    with AofWriter(str(path)) as log:
        log.log_command([b"SET", b"a", b"1"])
        log.log_command([b"SET", b"b", b"1"])
    cut = path.read_bytes()[:-3]
    path.write_bytes(cut)
    with pytest.raises(CorruptFile) as caught:
        load_aof(str(path))
    assert caught.value.offset == 27
    with pytest.raises(CorruptFile):
        AofWriter(str(path))
    assert load_aof(str(path), allow_cut_end=True) == [[b"SET", b"a", b"1"]]
    assert path.read_bytes() == cut


@pytest.mark.parametrize("command", [[], ["SET", "a", "b"], [b"SET", 1]])
def test_what_is_no_command_is_not_logged(command: list[bytes], tmp_path: Path) -> None:
    with AofWriter(str(tmp_path / "log.aof")) as log, pytest.raises(BadValue, match="is no command"):
        log.log_command(command)
    assert load_aof(str(tmp_path / "log.aof")) == []


class Disk(Files):
    """The real files, whose next write or fsync may fail; counts the fsyncs."""

    def __init__(self) -> None:
        self.fail = ""
        self.synced = threading.Event()

    def write(self, fd: int, data: bytes) -> int:
        if self.fail == "write":
            if len(data) < 5:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(fd, data[: len(data) - 4])
        return super().write(fd, data)

    def fsync(self, fd: int) -> None:
        if self.fail == "fsync":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().fsync(fd)
        self.synced.set()


def test_a_full_disk_leaves_whole_commands_and_can_be_written_to_later(tmp_path: Path) -> None:
    path, disk = str(tmp_path / "log.aof"), Disk()
    with AofWriter(path, AofSyncPolicy.ALWAYS, disk) as log:
        log.log_command([b"SET", b"a", b"1"])
        disk.fail = "write"
        with pytest.raises(FileAccess, match="No space left"):
            log.log_command([b"SET", b"b", b"1"])
        disk.fail = ""
        log.log_command([b"SET", b"c", b"1"])
    assert load_aof(path) == [[b"SET", b"a", b"1"], [b"SET", b"c", b"1"]]


@pytest.mark.parametrize("policy", [AofSyncPolicy.ALWAYS, AofSyncPolicy.EVERY_SECOND])
def test_a_failed_fsync_ends_the_writer(policy: AofSyncPolicy, tmp_path: Path) -> None:
    disk = Disk()
    log = AofWriter(str(tmp_path / "log.aof"), policy, disk)
    disk.fail = "fsync"

    def refused() -> bool:
        try:
            log.log_command([b"SET", b"a", b"1"])
        except AofFailed:
            return True
        return False

    wait_until(refused, "the failure is told")
    disk.fail = ""
    assert refused(), "a later fsync makes nothing good"
    with pytest.raises(AofFailed, match="the last commands may be lost"):
        log.close()


def test_every_second_forces_to_the_disk_without_another_command(tmp_path: Path) -> None:
    disk = Disk()
    with AofWriter(str(tmp_path / "log.aof"), AofSyncPolicy.EVERY_SECOND, disk) as log:
        log.log_command([b"SET", b"a", b"1"])
        began = time.monotonic()
        assert disk.synced.wait(20)
        assert time.monotonic() - began > 0.5, "commands are gathered"
        disk.synced.clear()
        log.flush()
    with pytest.raises(AofFailed, match="has been closed"):
        log.log_command([b"SET", b"a", b"1"])
    log.close()


def test_a_configuration_is_directives_of_a_server(tmp_path: Path, start_server: StartServer) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    config = PersistenceConfig(
        enable_rdb=True,
        rdb_path=str(folder / "my.rdb"),
        rdb_save_interval=900,
        enable_aof=True,
        aof_path=str(folder / "my.aof"),
        aof_sync_policy=AofSyncPolicy.ALWAYS,
    )
    directives = config.directives()
    assert directives["dir"] == str(folder)
    conf = folder / "server.conf"
    conf.write_text("".join(f"{name} {value}\n" for name, value in directives.items()))
    for program in (AIKV, REDIS):
        server = start_server((*program, str(conf)))
        for name, value in directives.items():
            assert ask(server, ["CONFIG", "GET", name]) == [[name.encode(), value.encode()]]
        server.kill()


def test_a_configuration_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(BadConfig, match="rdb_save_interval is -1 seconds"):
        PersistenceConfig(rdb_save_interval=-1)
    with pytest.raises(BadConfig, match="aof_path is empty"):
        PersistenceConfig(enable_aof=True, aof_path="")
    with pytest.raises(BadConfig, match="in one folder"):
        PersistenceConfig(rdb_path="/a/dump.rdb", enable_aof=True, aof_path="/b/appendonly.aof").directives()
    assert PersistenceConfig(enable_rdb=False).directives() == {"save": "", "appendonly": "no"}


def test_the_package_is_typed() -> None:
    import aikv

    assert (Path(str(aikv.__file__)).parent / "py.typed").exists()
