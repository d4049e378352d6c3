"""Streams as DUMP payloads, RDB files and commands: all encodings, damage, and exchange with a real redis-server."""

import subprocess
from pathlib import Path
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import CorruptFile
from aikv.datatypes import listpack
from aikv.datatypes.limits import Limits
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import UNKNOWN, ConsumerGroup
from aikv.datatypes.stream_id import LARGEST, U64_MAX
from aikv.persistence.aof_base import write_commands
from aikv.persistence.codec import encode_length, read_value, writer_of
from aikv.persistence.dump import decode_dump, encode_dump
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import load_rdb
from aikv.persistence.sink import Sink
from aikv.persistence.snapshot import SaveOptions, save_rdb
from aikv.persistence.source import Source
from conftest import StartServer
from oracle.process import REDIS, VOLATILE, ServerProcess
from oracle.wire import RawConnection
from persistence.rdb_data import Collector, PlainDatabase, databases
from served import Served

# Times before now, so that XCLAIM takes them as they are.
EARLY_MS = 1_600_000_000_000
HALVES = st.sampled_from([0, 1, 2, 300, (1 << 63) + 1, U64_MAX])
IDS = st.builds(lambda ms, seq: ms << 64 | seq, HALVES, HALVES).filter(bool)
TEXTS = st.one_of(st.binary(max_size=70), st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number))


def at(ms: int, seq: int = 0) -> int:
    return ms << 64 | seq


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Draw a stream with a past: entries deleted and trimmed, groups, pending entries, some of them deleted."""
    stream = Stream()
    limits = Limits()
    limits.stream_node_entries = draw(st.sampled_from([1, 3, 100]))
    numbers = sorted(draw(st.sets(IDS, max_size=10)))
    for number in numbers:
        stream.append(number, draw(st.lists(TEXTS, min_size=1, max_size=3)) * 2, limits)
    for name in draw(st.sets(TEXTS, max_size=2)):
        group = ConsumerGroup(draw(IDS), draw(st.sampled_from([UNKNOWN, 0, 5])))
        stream.groups[name] = group
        for consumer in draw(st.sets(TEXTS, max_size=3)):
            group.create(consumer, EARLY_MS + len(consumer)).active_ms = EARLY_MS + len(consumer)
        for number in numbers if group.consumers else []:
            holder = draw(st.sampled_from(sorted(group.consumers)))
            group.add(number, group.consumers[holder], EARLY_MS + draw(st.integers(0, 9)), draw(st.integers(0, 300)))
    for number in draw(st.lists(st.sampled_from(numbers), max_size=3)) if numbers else []:
        stream.delete(number)
    stream.trim_length(draw(st.integers(0, 10)), draw(st.booleans()), 0)
    return stream


def content_of(value: object) -> Any:
    """Return all that a stream holds, after a check that it is sound."""
    assert isinstance(value, Stream)
    value._check()
    groups = {}
    for name, group in value.groups.items():
        consumers = {
            consumer.name: (consumer.seen_ms, consumer.active_ms, [one.id for one in consumer.pending.some_from(0, 99)])
            for consumer in group.consumers.values()
        }
        pending = [(one.id, one.consumer, one.time_ms, one.count) for one in group.pending.some_from(0, 99)]
        groups[name] = (group.last_id, group.entries_read, consumers, pending)
    remembered = (value.last_id, value.first_id, value.max_deleted_id, value.entries_added)
    return value.range(0, LARGEST), remembered, groups


def read(type_byte: int, body: bytes) -> object:
    """Return the value of type `type_byte` in `body`, all of which it takes."""
    source = Source(body, "test")
    value = read_value(source, type_byte, b"key")
    assert source.at_end()
    return value


def written(value: Stream) -> bytes:
    """Return the body of `value`, uncompressed."""
    sink = Sink()
    writer_of(value).write(sink, value, False)
    return sink.value()


@given(streams(), st.booleans())
def test_what_is_written_is_read(value: Stream, packing: bool) -> None:
    assert content_of(decode_dump(encode_dump(value, packing))) == content_of(value)


def node(number: int, *elements: bytes | int) -> bytes:
    """A node of the format: its id and its listpack."""
    pack = listpack.from_entries(
        [listpack.encode_entry(one) if isinstance(one, bytes) else listpack.encode_integer(one) for one in elements]
    )
    return b"\x10" + number.to_bytes(16, "big") + encode_length(len(pack)) + pack


# Three entries, of which the second is deleted.
NODE = node(at(5), 2, 1, 1, b"f", 0, 2, 0, 0, b"v", 4, 3, 0, 1, b"v", 4, 2, 1, 0, 7, 4)
LENGTHS = b"\x01" + NODE + b"\x02" + b"\x09\x01"
REST = b"\x05\x00" + b"\x05\x01" + b"\x03"
TIME = EARLY_MS.to_bytes(8, "little")
PENDING = at(5).to_bytes(16, "big")
ONE_PENDING = b"\x01" + PENDING + TIME + b"\x07"


def test_a_stream_of_redis_5_is_read_and_the_rest_derived() -> None:
    body = LENGTHS + b"\x01" + b"\x01g" + b"\x05\x00" + ONE_PENDING + b"\x01" + b"\x01c" + TIME + b"\x01" + PENDING
    group = (at(5), 1, {b"c": (EARLY_MS, EARLY_MS, [at(5)])}, [(at(5), b"c", EARLY_MS, 7)])
    entries = [(at(5), [b"f", b"v"]), (at(6), [b"f", b"7"])]
    assert content_of(read(15, body)) == (entries, (at(9, 1), at(5), 0, 2), {b"g": group})


def test_a_stream_of_redis_7_0_and_of_7_2_is_read() -> None:
    head = LENGTHS + REST + b"\x01" + b"\x01g" + b"\x05\x00" + b"\x02" + ONE_PENDING + b"\x01" + b"\x01c" + TIME
    for type_byte, active, active_ms in ((19, b"", EARLY_MS), (21, (EARLY_MS - 1).to_bytes(8, "little"), EARLY_MS - 1)):
        group = (at(5), 2, {b"c": (EARLY_MS, active_ms, [at(5)])}, [(at(5), b"c", EARLY_MS, 7)])
        entries = [(at(5), [b"f", b"v"]), (at(6), [b"f", b"7"])]
        found = content_of(read(type_byte, head + active + b"\x01" + PENDING))
        assert found == (entries, (at(9, 1), at(5), at(5, 1), 3), {b"g": group})


def test_a_node_in_which_all_is_deleted_is_left_out() -> None:
    dead = node(at(5), 0, 1, 1, b"f", 0, 3, 0, 0, b"v", 4)
    value = read(19, b"\x01" + dead + b"\x00" + b"\x09\x00" + b"\x00\x00" + b"\x05\x00" + b"\x01" + b"\x00")
    assert content_of(value) == ([], (at(9), 0, at(5), 1), {})


GROUP = b"\x01g\x05\x00\x02"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x01\x05short", "16 bytes"),
        (b"\x02" + NODE + NODE, "not above"),
        (b"\x01\x10" + bytes(16) + b"\x03abc", "without an end"),
        (b"\x01" + NODE + b"\x03\x09\x00", "of 2 entries that says 3"),
        (b"\x01" + NODE + b"\x02\x05\x05", "above its last id"),
        (LENGTHS + b"\x05\x00\x05\x01\x81" + b"\xff" * 8 + b"\x00", "entries were added"),
        (LENGTHS + REST + b"\x02" + (GROUP + b"\x00\x00") * 2, "a consumer group that stands twice"),
        (
            LENGTHS + REST + b"\x01" + GROUP + b"\x02" + (PENDING + TIME + b"\x01") * 2,
            "pending entry that stands twice",
        ),
        (LENGTHS + REST + b"\x01" + GROUP + ONE_PENDING + b"\x00", "that no consumer holds"),
        (
            LENGTHS + REST + b"\x01" + GROUP + ONE_PENDING + b"\x02" + (b"\x01c" + TIME + b"\x00") * 2,
            "a consumer that stands twice",
        ),
        (
            LENGTHS + REST + b"\x01" + GROUP + b"\x00" + b"\x01" + b"\x01c" + TIME + b"\x01" + PENDING,
            "not pending, or not its own",
        ),
        (
            LENGTHS + REST + b"\x01" + GROUP + ONE_PENDING + b"\x01" + b"\x01c" + TIME + b"\x02" + PENDING * 2,
            "not pending, or not its own",
        ),
        (b"\x81" + b"\xff" * 8, "unexpected end"),
        (LENGTHS + REST + b"\x81" + b"\xff" * 8, "unexpected end"),
        (LENGTHS + REST + b"\x01" + GROUP + b"\x81" + b"\xff" * 8, "unexpected end"),
    ],
)
def test_what_redis_would_not_write_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(CorruptFile, match=reason):
        read(19, body)


@given(streams(), st.integers(0, 10_000), st.integers(0, 255))
def test_damage_is_refused_or_harmless(value: Stream, place: int, byte: int) -> None:
    body = bytearray(written(value))
    body[place % len(body)] = byte
    for data in (bytes(body), bytes(body)[: place % len(body)]):
        try:
            found: object = read_value(Source(data, "test"), 19, b"key")
        except CorruptFile:
            continue
        content_of(found)


def example() -> Stream:
    """A stream with everything in it."""
    limits = Limits()
    limits.stream_node_entries = 4
    stream = Stream()
    for number in range(1, 30):
        stream.append(
            at(number, number % 3), [b"field", b"%d" % number, *([b"x", b"long" * number] * (number % 2))], limits
        )
    for name, known in ((b"g", 5), (b"", UNKNOWN)):
        group = ConsumerGroup(at(9), known)
        stream.groups[name] = group
        for consumer in (b"c", b"binary \x00\xff", b"123"):
            group.create(consumer, EARLY_MS)
        for number in range(1, 12):
            holder = sorted(group.consumers)[number % 2]
            group.add(at(number, number % 3), group.consumers[holder], EARLY_MS + number, number)
    stream.delete(at(13, 1))
    stream.delete(at(29, 2))
    stream.trim_length(24, False, 0)
    return stream


def emptied() -> Stream:
    """A stream without entries, which remembers that it had some."""
    stream = example()
    stream.trim_length(0, False, 0)
    return stream


VALUES = {b"example": example(), b"emptied": emptied(), b"new": Stream()}


def asked(connection: RawConnection, key: bytes) -> list[Any]:
    """Return what a server says of a stream."""
    said = []
    for line in ("XINFO STREAM", "XINFO GROUPS", "XRANGE - +", "XPENDING g - + 99", "XPENDING \x00 - + 99"):
        words = [b"" if word == "\x00" else word.encode() for word in line.split(" ")]
        words.insert(2 if words[0] == b"XINFO" else 1, key)
        reader = hiredis.Reader()
        reader.feed(connection.command(*words))
        reply = reader.gets()
        if words[0] == b"XPENDING" and isinstance(reply, list):
            # The time that has passed since is not the same each time.
            reply = [[number, consumer, count] for number, consumer, _, count in reply]
        said.append(str(reply))
    return said


def as_commands(key: bytes, value: Stream) -> list[list[bytes]]:
    """Return the commands that make `value` at `key`."""
    sink = Sink()
    write_commands(sink, [PlainDatabase(0, {key: (value, -1)})])
    reader = hiredis.Reader()
    reader.feed(sink.value())
    commands = []
    while (argv := reader.gets()) is not False:
        commands.append(argv)
    return commands


def fill(server: ServerProcess) -> None:
    """Put `VALUES` into a server by their commands."""
    with server.connect() as connection:
        for key, value in VALUES.items():
            for argv in as_commands(key, value):
                assert not connection.command(*argv).startswith(b"-"), argv


def test_commands_make_the_same_stream_but_for_pending_entries_that_are_gone() -> None:
    for key, value in VALUES.items():
        served = Served()
        for argv in as_commands(key, value):
            assert not served.run(*argv).startswith(b"-"), argv
        found = content_of(served.engine.databases[0].table.get(key))
        expected = content_of(value)
        assert found[:2] == expected[:2]
        for name, (last_id, entries_read, consumers, pending) in expected[2].items():
            assert found[2][name][:2] == (last_id, entries_read)
            assert found[2][name][2].keys() == consumers.keys()
            assert found[2][name][3] == [one for one in pending if value.has(one[0])]


def test_dumps_of_redis_are_read_and_written_back_the_same(start_server: StartServer) -> None:
    server = start_server(REDIS, *VOLATILE, "--rdbcompression", "no", "--stream-node-max-entries", "4")
    fill(server)
    with server.connect() as redis:
        redis.command("XDEL", "example", "20-2")
        redis.command("XTRIM", "example", "MAXLEN", "19")
        for key in VALUES:
            reader = hiredis.Reader()
            reader.feed(redis.command("DUMP", key))
            payload: bytes = reader.gets()
            assert encode_dump(decode_dump(payload), packing=False) == payload


@pytest.mark.parametrize("packing", [True, False])
def test_redis_restores_our_dumps(packing: bool, start_server: StartServer) -> None:
    server = start_server(REDIS, *VOLATILE, "--sanitize-dump-payload", "yes")
    with server.connect() as redis:
        for key, value in VALUES.items():
            assert redis.command("RESTORE", key, "0", encode_dump(value, packing)) == b"+OK\r\n"
            reader = hiredis.Reader()
            reader.feed(redis.command("DUMP", key))
            assert content_of(decode_dump(reader.gets())) == content_of(decode_dump(encode_dump(value)))


def test_rdb_files_are_exchanged_both_ways(start_server: StartServer, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    path = folder / "dump.rdb"
    save_rdb(Files(), str(path), databases({0: {key: (value, -1) for key, value in VALUES.items()}}), SaveOptions())
    said = subprocess.run(["redis-check-rdb", str(path)], check=True, capture_output=True, text=True).stdout
    assert "RDB looks OK" in said
    server = start_server(REDIS, "--save", "")
    with server.connect() as redis:
        before = [asked(redis, key) for key in VALUES]
        assert redis.command("SAVE") == b"+OK\r\n"
    collector = Collector()
    load_rdb(Files(), str(path), collector)
    for key, value in VALUES.items():
        assert content_of(collector.content[0][key][0]) == content_of(decode_dump(encode_dump(value)))
    assert all(reply for replies in before for reply in replies)
