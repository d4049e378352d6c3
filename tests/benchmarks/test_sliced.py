"""The snapshot in slices that benchmarks compare with a forked child: its file holds what was there at its start."""

from pathlib import Path

import pytest
from background import Background, background_table
from datasets import fill, strings
from hypothesis import given
from hypothesis import strategies as st
from sliced import SlicedSnapshot
from snapshots import QUIET, SLICED, one_hash, snapshot

from aikv.datatypes.hashes import Hash
from aikv.keyspace.database import Database, Watcher
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import load_rdb
from aikv.persistence.snapshot import SaveOptions
from oracle.process import ServerProcess
from oracle.wire import pack
from persistence.rdb_data import Collector, Content

KEYS = 1000


def databases() -> list[Database]:
    """Two databases with keys, the second small, and an empty one."""
    made = [Database(index, Watcher()) for index in range(3)]
    for number in range(KEYS):
        made[0].put(b"key:%d" % number, b"value %d" % number)
        if number < 3:
            made[2].put(b"%d" % number, number)
    return made


def content_of(held: list[Database]) -> Content:
    return {
        database.index: {key: (value, -1) for bucket in database.buckets() for key, value in bucket.items()}
        for database in held
        if len(database)
    }


def loaded(path: Path) -> Content:
    collector = Collector()
    load_rdb(Files(), str(path), collector)
    return collector.content


STEP = st.tuples(st.sampled_from(["set", "remove", "step"]), st.sampled_from([0, 2]), st.integers(0, 3 * KEYS))


@given(changes=st.lists(STEP, max_size=60), more=st.sampled_from([0, 1500]), fewer=st.booleans())
def test_what_is_written_is_the_dataset_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, int]], more: int, fewer: bool
) -> None:
    held = databases()
    wanted = content_of(held)
    path = tmp_path_factory.mktemp("sliced") / "dump.rdb"
    taken = SlicedSnapshot(Files(), str(path), held, SaveOptions())
    # Enough to have buckets split, or merged.
    changes += [("set", 0, number) for number in range(KEYS, KEYS + more)]
    changes += [("remove", 0, number) for number in range(KEYS + more)] if fewer else []
    for what, index, number in changes:
        if what == "step":
            taken.step(0.0)
            continue
        key = b"key:%d" % number if index == 0 else b"%d" % number
        taken.before_change(held[index], key)
        if what == "set":
            held[index].put(key, b"changed")
        else:
            held[index].remove(key)
    while taken.step(0.0):
        pass
    taken.finish()
    assert loaded(path) == wanted
    assert [file.name for file in path.parent.iterdir()] == ["dump.rdb"]


def test_what_is_beyond_the_experiment_is_refused(tmp_path: Path) -> None:
    held = databases()
    held[0].set_expire(b"key:1", 10**13)
    with pytest.raises(ValueError, match="run out"):
        SlicedSnapshot(Files(), str(tmp_path / "dump.rdb"), held, SaveOptions())
    held = databases()
    held[2].put(b"hash", Hash())
    taken = SlicedSnapshot(Files(), str(tmp_path / "dump.rdb"), held, SaveOptions())
    with pytest.raises(TypeError, match="no string"):
        taken.step(60.0)


@pytest.mark.parametrize("way", ["CHILD", "SLICES"])
def test_the_server_takes_both_kinds_of_snapshot_while_it_is_written_to(tmp_path: Path, way: str) -> None:
    server = ServerProcess(SLICED, tmp_path, QUIET)
    server.start()
    try:
        fill(server, strings(KEYS))
        with server.connect() as connection:
            changes = [[b"SET", b"key:%012d" % number, b"x"] for number in range(KEYS)]
            connection.send_raw(b"".join(pack(command) for command in [[b"SNAPSHOT", way.encode()], *changes]))
            assert {connection.read_reply() for _ in range(KEYS + 1)} == {b"+OK\r\n"}
        snapshot_ended(server)
        found = loaded(tmp_path / "dump.rdb")
        assert found[0] == {command[1]: (command[2], -1) for command in strings(KEYS)}
    finally:
        server.kill()


def snapshot_ended(server: ServerProcess) -> None:
    with server.connect() as connection:
        while connection.command("SNAPSHOT", "RUNNING") != b":0\r\n":
            pass


def test_a_way_that_is_not_known_is_refused(tmp_path: Path) -> None:
    server = ServerProcess(SLICED, tmp_path, QUIET)
    server.start()
    try:
        with pytest.raises(Exception, match="CHILD, SLICES or RUNNING"):
            snapshot(server, "SIDEWAYS")
    finally:
        server.kill()


def test_a_hash_is_made_of_all_its_fields() -> None:
    commands = list(one_hash(1234))
    assert sum(len(command) // 2 - 1 for command in commands) == 1234
    assert {command[1] for command in commands} == {b"huge"}


def test_the_snapshot_of_the_middle_stall_is_shown() -> None:
    runs = [Background(2.0, stall, 1.0, 100.0, 200.0, 10.0, 20.0) for stall in (30.0, 5.0, 11.0)]
    head, rule, line = background_table("snapshot of | way", {"a few": {"child": runs}}).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert line == "| a few | child | 2.00 | 11.0 (1.0) | 100 (200) | 20 (10) |"
