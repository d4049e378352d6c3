"""Whole RDB streams: what is written is read, what is damaged is refused, every record is understood."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aikv.base.crc64 import crc64
from aikv.base.errors import CorruptFile
from aikv.persistence.codec import UnsupportedType
from aikv.persistence.rdb_read import Receiver, read_rdb
from aikv.persistence.rdb_write import RdbWriter
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source
from persistence.rdb_data import ChunkSource, Collector, Content, as_text, collect, rdb_bytes, read_all

SMALL: Content = {
    0: {b"name": (b"value", -1), b"42": (7, 1_900_000_000_000), b"long": (b"ab" * 30, -1)},
    3: {b"n": (-70000, -1), b"text of more than twenty bytes": (bytearray(b"123"), 5)},
}
keys = st.one_of(st.binary(max_size=80), st.integers(-(2**40), 2**40).map(lambda n: b"%d" % n))
values = st.one_of(
    st.binary(max_size=90),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: b"%d" % n),
    st.binary(max_size=40).map(bytearray),
    st.integers(15000, 17000).map(lambda n: b"w" * n),
)
expiries = st.one_of(st.just(-1), st.integers(0, 2**62), st.just(-5))
contents = st.dictionaries(
    st.one_of(st.integers(0, 20), st.just(100_000)),
    st.dictionaries(keys, st.tuples(values, expiries), min_size=1, max_size=12),
    max_size=4,
)


def texts(content: Content) -> dict[int, dict[bytes, tuple[bytes, int]]]:
    return {db: {key: (as_text(value), expire_ms) for key, (value, expire_ms) in content[db].items()} for db in content}


def rdb(records: bytes, version: int = 10) -> bytes:
    """Return a file of `records`, with its header, end mark and right checksum."""
    body = b"REDIS%04d" % version + records + b"\xff"
    return body + crc64(body).to_bytes(8, "little") if version >= 5 else body


@given(contents, st.booleans(), st.booleans())
def test_what_is_written_is_read(content: Content, packing: bool, checksum: bool) -> None:
    data = rdb_bytes(content, packing, checksum)
    collector = collect(data)
    assert texts(collector.content) == texts(content)
    assert collector.fields == {b"redis-ver": b"7.2.0", b"redis-bits": b"64"}
    assert read_all(data).checksum == checksum
    for db, size, expires in collector.hints:
        assert size == len(content[db])
        assert expires == sum(expire_ms != -1 for _, expire_ms in content[db].values())


@given(contents, st.integers(1, 6000))
@settings(max_examples=50)
def test_where_blocks_end_makes_no_difference(content: Content, block: int) -> None:
    data = rdb_bytes(content)
    collector = Collector()
    summary = read_rdb(ChunkSource(data, block), collector)
    assert texts(collector.content) == texts(content)
    assert (summary.version, summary.end, summary.checksum) == (10, len(data), True)
    assert collector.seen == sorted(collector.seen)


def test_the_text_of_an_integer_is_read_as_an_integer() -> None:
    content = collect(rdb_bytes({0: {b"a": (b"12345678901", -1), b"b": (b"-5", -1), b"c": (b"05", -1)}})).content
    assert content == {0: {b"a": (12345678901, -1), b"b": (-5, -1), b"c": (b"05", -1)}}


def test_every_truncation_is_detected() -> None:
    data = rdb_bytes(SMALL)
    for size in range(len(data)):
        with pytest.raises(CorruptFile) as caught:
            read_all(data[:size])
        assert caught.value.offset <= size


def test_every_flipped_bit_is_detected() -> None:
    data = bytearray(rdb_bytes(SMALL))
    for at in range(len(data)):
        for bit in range(8):
            data[at] ^= 1 << bit
            with pytest.raises(CorruptFile):
                read_all(bytes(data))
            data[at] ^= 1 << bit


@given(st.data())
def test_changed_bytes_are_refused_whatever_they_mean(data: st.DataObject) -> None:
    file = bytearray(rdb_bytes(SMALL, checksum=False))
    for _ in range(data.draw(st.integers(1, 3))):
        file[data.draw(st.integers(9, len(file) - 1))] = data.draw(st.integers(0, 255))
    for block in (7, 100_000):
        source = ChunkSource(bytes(file), block)
        try:
            offset = read_rdb(source, Receiver()).end
        except CorruptFile as error:
            offset = error.offset
        assert 0 <= offset <= source.given


@pytest.mark.parametrize("version", range(1, 13))
def test_every_version_is_read(version: int) -> None:
    data = rdb(b"\xfe\x00\x00\x01a\x01b", version)
    assert collect(data).content == {0: {b"a": (b"b", -1)}}
    assert read_all(data).checksum == (version >= 5)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"REDIS0000", "Can't handle RDB format version 0"),
        (b"REDIS0013", "Can't handle RDB format version 13"),
        (b"REDIS9999", "Can't handle RDB format version 9999"),
        (b"REDIS00x1", "Can't handle RDB format version 00x1"),
        (b"VALKEY080", "Wrong signature trying to load DB from file"),
        (b"redis0010", "Wrong signature trying to load DB from file"),
        (b"", "unexpected end of file"),
    ],
)
def test_a_foreign_or_newer_file_is_refused_by_name(head: bytes, reason: str) -> None:
    with pytest.raises(CorruptFile, match=reason):
        read_all(head + b"\xff" + bytes(8) if head else b"")


def test_a_wrong_checksum_is_refused() -> None:
    data = rdb_bytes(SMALL)
    with pytest.raises(CorruptFile, match="RDB CRC error: the file says 0000000000000001"):
        read_all(data[:-8] + b"\x01" + bytes(7))


def test_a_checksum_of_zero_says_that_none_was_kept() -> None:
    data = rdb_bytes(SMALL)
    summary = read_all(data[:-8] + bytes(8))
    assert not summary.checksum


def test_data_behind_the_end_is_refused_unless_expected() -> None:
    data = rdb_bytes(SMALL)
    with pytest.raises(CorruptFile, match=f"at offset {len(data)}: data behind the end of the RDB"):
        read_all(data + b"x")
    for block in (5, 1 << 20):
        source = ChunkSource(data + b"*1\r\n$4\r\nPING\r\n", block)
        summary = read_rdb(source, Receiver(), trailing_allowed=True)
        assert summary.end == len(data) == source.offset()
        assert source.take(14) == b"*1\r\n$4\r\nPING\r\n"


def test_every_record_that_is_no_key_is_understood() -> None:
    module_aux = b"\xf7\x81" + bytes(8) + b"\x02\x01" + b"\x01\x05\x02\x40\x50\x03abcd\x04abcdefgh\x05\x02hi\x00"
    old_function = b"\xf6\x05mylib\x03LUA\x01\x04text\x08return 1"
    records = (
        b"\xfa\x04name\xc0\x05"
        + module_aux
        + b"\xf5\x07#!lua x"
        + old_function
        + b"\xf6\x01a\x03LUA\x00\x01b"
        + b"\xfe\x02\xfb\x05\x01\xf4\x00\x05\x01"
        + b"\xfd\x10\x00\x00\x00\x00\x01a\x01b"
        + b"\xfc\x00\x00\x00\x00\x01\x00\x00\x00\xf8\x40\x64\x00\x01c\xc0\x07"
        + b"\xf9\x09\x00\x01e\x00"
        + b"\xfd\xff\xff\xff\xff\x00\x01f\x01g"
        + b"\x00\x01h\x01i"
    )
    collector = collect(rdb(records))
    assert collector.fields == {b"name": b"5"}
    assert collector.functions == [b"#!lua x", b"#!LUA name=mylib\nreturn 1", b"#!LUA name=a\nb"]
    assert collector.hints == [(2, 5, 1)]
    assert collector.content == {
        2: {
            b"a": (b"b", 16000),
            b"c": (7, 1 << 32),
            b"e": (b"", -1),
            b"f": (b"g", -1),
            b"h": (b"i", -1),
        }
    }
    assert collector.usage == {b"c": (100, -1), b"e": (-1, 9)}


def test_a_ttl_is_kept_for_the_next_key_across_other_records() -> None:
    records = b"\xfc\x05\0\0\0\0\0\0\0\xfa\x01x\x01y\x00\x01a\x01b"
    assert collect(rdb(records)).content == {0: {b"a": (b"b", 5)}}


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (b"\xf7\x05\x01\x01\x00", "does not begin with an integer"),
        (b"\xf7\x05\x02\x01\x09", "unknown field kind 9"),
        (b"\xf3\x01", "Invalid object type: 243"),
        (b"\x08\x01a", "Invalid object type: 8"),
        (b"\x00\x01a\x80\xff\xff\xff\xffab", "4294967295 bytes expected, .*in the value of key 'a'"),
    ],
)
def test_what_no_redis_writes_is_refused(records: bytes, reason: str) -> None:
    with pytest.raises(CorruptFile, match=reason):
        read_all(rdb(records))


def test_a_file_with_another_type_is_refused_by_key_and_type() -> None:
    with pytest.raises(UnsupportedType, match=r"key 'm' holds a value of type 7 \(module-value\)"):
        read_all(rdb(b"\x00\x01a\x01b\x07\x01m\x81" + bytes(8) + b"\x00"))


def test_an_error_of_the_receiver_is_passed_on() -> None:
    class Strict(Receiver):
        def select(self, db: int) -> None:
            raise LookupError(db)

    with pytest.raises(LookupError):
        read_rdb(Source(rdb_bytes(SMALL), "test.rdb"), Strict())


def test_idle_time_frequency_and_functions_are_written() -> None:
    sink = Sink()
    writer = RdbWriter(sink)
    writer.header([])
    writer.function(b"#!lua name=lib\nreturn 1")
    writer.select(0, 2, 0)
    writer.entry(b"a", b"b", idle_s=1000)
    writer.entry(b"c", 5, expire_ms=77, freq=300)
    writer.finish()
    collector = collect(sink.value())
    assert collector.usage == {b"a": (1000, -1), b"c": (-1, 255)}
    assert collector.content == {0: {b"a": (b"b", -1), b"c": (5, 77)}}
    assert collector.functions == [b"#!lua name=lib\nreturn 1"]
    assert writer.keys == 2
