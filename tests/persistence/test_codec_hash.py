"""Hashes as DUMP payloads and RDB files: every encoding, damage, and exchange with a real redis-server."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import CorruptFile
from aikv.datatypes import listpack
from aikv.datatypes.hashes import Hash
from aikv.datatypes.limits import CONFIGURED
from aikv.persistence.codec import encode_length, read_value, writer_of
from aikv.persistence.codec_ziplist import ziplist_entries
from aikv.persistence.codec_zipmap import zipmap_entries
from aikv.persistence.dump import decode_dump, encode_dump
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source
from conftest import StartServer
from oracle.process import ServerProcess
from persistence.exchange import exchange_files

Content = dict[bytes, bytes]
Times = dict[bytes, int]

TEXTS = st.one_of(st.binary(max_size=70), st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number))
CONTENTS = st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=12)
EXAMPLES: dict[bytes, Content] = {
    b"one": {b"a": b"b"},
    b"numbers": {b"%d" % number: b"%d" % -number for number in (0, 1, 127, 128, 4096, 70000, 2**31, 2**62)},
    b"full": {b"field:%d" % number: b"value" for number in range(512)},
    b"many": {b"field:%d" % number: b"%d" % number for number in range(513)},
    b"large": {b"field:%d" % number: b"v" * (number % 50) for number in range(3000)},
    b"long value": {b"a": b"v" * 65},
    b"long field": {b"f" * 300: b"ab" * 5000},
    b"binary": {bytes(range(60)): bytes(range(256)), b"": b""},
}


def made(content: Content, times: Times | None = None) -> Hash:
    """Return the hash of `content`."""
    value = Hash()
    value.set_pairs([text for pair in content.items() for text in pair], 0, CONFIGURED)
    for field, when in (times or {}).items():
        value.set_expiry(field, when)
    return value


def content_of(value: object) -> Content:
    """Return the fields and values of a hash, after a check that it is sound."""
    assert isinstance(value, Hash)
    value._check()
    return dict(zip(value.fields(), value.values(), strict=True))


def times_of(value: object) -> Times:
    """Return the times of a hash's fields."""
    assert isinstance(value, Hash)
    return {field: value.expiry_of(field) for field in value.fields() if value.expiry_of(field) != -1}


def read(type_byte: int, body: bytes) -> object:
    """Return the value of type `type_byte` in `body`, all of which it takes."""
    source = Source(body, "test")
    value = read_value(source, type_byte, b"key")
    assert source.at_end()
    return value


def text(data: bytes) -> bytes:
    """Return `data` as a plain string of the format."""
    return encode_length(len(data)) + data


def type_of(value: Hash) -> int:
    """Return the RDB type under which `value` is written."""
    return writer_of(value).type_byte(value)


@given(CONTENTS, st.booleans(), st.data())
def test_a_hash_survives_in_both_forms_with_and_without_times(
    content: Content, large: bool, data: st.DataObject
) -> None:
    times = data.draw(st.dictionaries(st.sampled_from(sorted(content)), st.integers(1, 2**48 - 2), max_size=4))
    value = made(content | ({b"long": b"x" * 65} if large else {}), times)
    for packing in (True, False):
        read_back = decode_dump(encode_dump(value, packing))
        assert content_of(read_back) == content_of(value)
        assert times_of(read_back) == times
        assert isinstance(read_back, Hash)
        assert read_back.encoding() == value.encoding()


def test_each_form_is_written_under_its_type() -> None:
    assert type_of(made(EXAMPLES[b"full"])) == 16
    assert type_of(made(EXAMPLES[b"many"])) == 4
    assert type_of(made(EXAMPLES[b"full"], {b"field:1": 5})) == 25
    assert type_of(made(EXAMPLES[b"many"], {b"field:1": 5})) == 24
    persisted = made(EXAMPLES[b"one"], {b"a": 5})
    persisted.persist_field(b"a")
    assert type_of(persisted) == 16


def test_times_are_laid_out_as_redis_7_4_does() -> None:
    content = {b"a": b"1", b"b": b"2", b"c": b"3"}
    small, large = Sink(), Sink()
    value = made(content, {b"c": 1000, b"b": 1007})
    writer_of(value).write(small, value, packing=False)
    pack = listpack.from_texts([b"c", b"3", b"1000", b"b", b"2", b"1007", b"a", b"1", b"0"])
    assert small.value() == (1000).to_bytes(8, "little") + text(pack)
    value = made({b"a": b"v" * 65, b"b": b"2"}, {b"b": 1007})
    writer_of(value).write(large, value, packing=False)
    entries = [b"\x00" + text(b"a") + text(b"v" * 65), b"\x01" + text(b"b") + b"\xc0\x02"]
    head = (1007).to_bytes(8, "little") + b"\x02"
    assert large.value() in (head + entries[0] + entries[1], head + entries[1] + entries[0])


def test_times_of_the_release_candidates_are_absolute() -> None:
    value = read(22, b"\x02" + b"\x43\xe8" + text(b"a") + text(b"1") + b"\x00" + text(b"b") + text(b"2"))
    assert (content_of(value), times_of(value)) == ({b"a": b"1", b"b": b"2"}, {b"a": 1000})
    value = read(23, text(listpack.from_texts([b"a", b"1", b"1000", b"b", b"2", b"0"])))
    assert (content_of(value), times_of(value)) == ({b"a": b"1", b"b": b"2"}, {b"a": 1000})


def ziplist(entries: list[bytes]) -> bytes:
    """Return the ziplist of `entries`, encodings and data without the size of the previous."""
    body = b""
    previous = last = 0
    for entry in entries:
        last = len(body)
        whole = (bytes((previous,)) if previous < 254 else b"\xfe" + previous.to_bytes(4, "little")) + entry
        body += whole
        previous = len(whole)
    size = 11 + len(body)
    return size.to_bytes(4, "little") + (10 + last).to_bytes(4, "little") + bytes((len(entries), 0)) + body + b"\xff"


ZIPLIST = ziplist(
    [
        b"\x01a", b"\xf1", b"\x01b", b"\xfd", b"\x01c", b"\xfe\x80", b"\x01d", b"\xc0\xff\x7f", b"\x01e",
        b"\xf0\0\0\x80",
        b"\x01f", b"\xd0\xff\xff\xff\x7f", b"\x01g", b"\xe0" + (-(2**63)).to_bytes(8, "little", signed=True), b"\x01h",
        b"\x41\x2c" + b"x" * 300, b"\x01i", b"\x80\0\0\0\x02yz",
    ]
)  # fmt: skip
ZIPPED = {
    b"a": b"0", b"b": b"12", b"c": b"-128", b"d": b"32767", b"e": b"-8388608", b"f": b"2147483647",
    b"g": b"-9223372036854775808", b"h": b"x" * 300, b"i": b"yz",
}  # fmt: skip
ZIPMAP = b"\x03\x01a\x01\x00b\x03key\x05\x02valueXX\x00\xfe\x2c\x01\0\0\x00" + b"e" * 300 + b"\xff"
MAPPED = {b"a": b"b", b"key": b"value", b"": b"e" * 300}


def test_every_old_encoding_is_read(oracle: ServerProcess) -> None:
    assert content_of(read(13, text(ZIPLIST))) == ZIPPED
    assert content_of(read(9, text(ZIPMAP))) == MAPPED
    # The real server reads them alike, so the examples are right.
    with oracle.connect() as redis:
        for type_byte, data, content in ((13, ZIPLIST, ZIPPED), (9, ZIPMAP, MAPPED)):
            payload = resealed(encode_dump(made({b"a": b"b"})), bytes((type_byte,)) + text(data))
            assert redis.command("RESTORE", "old", "0", payload, "REPLACE") == b"+OK\r\n"
            for field, value in content.items():
                assert redis.command("HGET", "old", field) == b"$%d\r\n%b\r\n" % (len(value), value)
            assert content_of(decode_dump(payload)) == content


def resealed(payload: bytes, body: bytes) -> bytes:
    """Return `body` with the footer of a payload that fits it."""
    sink = Sink()
    sink.write(body + payload[-10:-8])
    return sink.value() + sink.crc().to_bytes(8, "little")


@given(st.sampled_from([ZIPLIST, ZIPMAP]), st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=3))
def test_a_damaged_old_blob_is_refused_or_read(data: bytes, changes: list[tuple[int, int]]) -> None:
    broken = bytearray(data)
    for place, byte in changes:
        broken[place % len(broken)] = byte
    parse, complaint = (ziplist_entries, "ziplist") if data is ZIPLIST else (zipmap_entries, "zipmap")
    texts: list[bytes] = []
    said = complaint
    try:
        texts = parse(bytes(broken))
    except ValueError as error:
        said = str(error)
    assert complaint in said
    assert sum(len(each) for each in texts) <= 20 * len(broken)


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for type_byte in (4, 9, 13, 16, 22, 23, 24, 25):
        for body in (data, text(data), bytes(8) + data, bytes(8) + text(data)):
            reason = "fault"
            try:
                content_of(read_value(Source(body, "test"), type_byte, b"key"))
            except CorruptFile as error:
                reason = error.reason
            assert reason


TWICE = [b"a", b"1", b"a", b"2"]


@pytest.mark.parametrize(
    ("type_byte", "body"),
    [
        (4, b"\0"), (4, b"\x02" + b"\x01a\x011" * 2), (4, b"\x02\x01a\x011"), (4, b"\x81" + b"\xff" * 8),
        (4, b"\x80\xff\xff\xff\xff\x01a"), (16, text(listpack.EMPTY)), (16, text(listpack.from_texts(TWICE))),
        (16, text(listpack.from_texts([b"a"]))), (16, text(b"junk")), (13, text(ziplist([]))),
        (13, text(ziplist([b"\x01a"]))), (13, text(ziplist([b"\x01a", b"\xf1"] * 2))), (9, text(b"\0\xff")),
        (9, text(b"\x02\x01a\x01\x00b\x01a\x01\x00c\xff")), (24, bytes(8) + b"\0"),
        (24, b"\xff" * 8 + b"\x01\x01\x01a\x01b"),
        (24, bytes(8) + b"\x02" + b"\x01\x01a\x01b" * 2), (22, b"\x01\x81" + b"\xff" * 8 + b"\x01a\x01b"),
        (23, text(listpack.from_texts([b"a", b"1", b"x"]))), (23, text(listpack.from_texts([b"a", b"1", b"-1"]))),
        (23, text(listpack.from_texts([b"a", b"1", b"999999999999999"]))),
        (23, text(listpack.from_texts([b"a", b"1"]))),
        (25, bytes(8) + text(listpack.EMPTY)), (25, b""),
    ],
)  # fmt: skip
def test_what_is_no_hash_is_refused(type_byte: int, body: bytes) -> None:
    with pytest.raises(CorruptFile):
        read(type_byte, body)


def test_payloads_are_exchanged_with_redis(oracle: ServerProcess) -> None:
    with oracle.connect() as redis:
        for name, content in EXAMPLES.items():
            redis.command("DEL", name)
            redis.command("HSET", name, *(each for pair in content.items() for each in pair))
            reply = redis.command("DUMP", name)
            theirs = reply[reply.index(b"\r\n") + 2 : -2]
            value = decode_dump(theirs)
            assert content_of(value) == content
            assert isinstance(value, Hash)
            assert redis.command("OBJECT", "ENCODING", name).split()[1] == value.encoding()
            for packing in (True, False):
                assert (
                    redis.command("RESTORE", "ours", "0", encode_dump(made(content), packing), "REPLACE") == b"+OK\r\n"
                )
                redis.command("DEL", "copy")
                redis.command("COPY", name, "copy")
                assert redis.command("HLEN", "ours") == b":%d\r\n" % len(content)
                digests = [redis.command("DEBUG", "DIGEST-VALUE", key) for key in ("ours", name)]
                assert digests[0] == digests[1]
                assert redis.command("OBJECT", "ENCODING", "ours").split()[1] == value.encoding()
            if value.encoding() == b"listpack" and theirs[1] < 0xC0:
                assert encode_dump(made(content)) == theirs


def test_files_are_exchanged_with_redis(start_server: StartServer, tmp_path: Path) -> None:
    def filling(name: bytes, content: Content) -> list[bytes]:
        return [b"HSET", name, *(each for pair in content.items() for each in pair)]

    exchange_files(start_server, tmp_path, EXAMPLES, filling, made, content_of)
