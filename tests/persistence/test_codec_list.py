"""Lists as DUMP payloads and RDB files: every encoding, damage, and exchange with a real redis-server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import CorruptFile
from aikv.datatypes import listpack
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.lists import List
from aikv.persistence.codec import encode_length, read_value, writer_of
from aikv.persistence.dump import decode_dump, encode_dump
from aikv.persistence.source import Source
from conftest import StartServer
from oracle.process import ServerProcess
from persistence.exchange import exchange_files
from persistence.ziplists import ziplist_of

TEXTS = st.one_of(st.binary(max_size=70), st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number))
EXAMPLES: dict[bytes, list[bytes]] = {
    b"one": [b"a"],
    b"empty text": [b"", b""],
    b"numbers": [b"%d" % (sign * 2**power) for power in range(63) for sign in (1, -1)],
    b"small": [b"element:%d" % number for number in range(100)],
    b"large": [b"element:%d" % number * (number % 5 + 1) for number in range(5000)],
    b"long": [b"ab" * 5000, b"c", b"x" * 20000],
    b"bytes": [bytes(range(size)) for size in range(256)],
}


def made(texts: list[bytes]) -> List:
    """Return the list of `texts`."""
    value = List()
    value.push_tail(texts, 0, CONFIGURED)
    return value


def texts_of(value: object) -> list[bytes]:
    """Return the elements of a list, after a check that it is sound."""
    assert isinstance(value, List)
    value._check()
    return value.elements()


def read(type_byte: int, body: bytes) -> List:
    """Return the value of type `type_byte` in `body`, all of which it takes."""
    source = Source(body, "test")
    value = read_value(source, type_byte, b"key")
    assert source.at_end()
    assert isinstance(value, List)
    return value


def text(data: bytes) -> bytes:
    """Return `data` as a plain string of the format."""
    return encode_length(len(data)) + data


@pytest.fixture
def three_a_chunk() -> Iterator[None]:
    """Let lists be large from the fourth element on."""
    before = CONFIGURED.list_listpack_size
    CONFIGURED.list_listpack_size = 3
    yield
    CONFIGURED.list_listpack_size = before


@given(st.lists(TEXTS, min_size=1, max_size=30), st.booleans())
def test_a_list_survives(texts: list[bytes], large: bool) -> None:
    value = made(texts + ([b"x" * 5000, b"y" * 5000] if large else []))
    assert writer_of(value).type_byte(value) == 18
    for packing in (True, False):
        read_back = decode_dump(encode_dump(value, packing))
        assert texts_of(read_back) == value.elements()
        assert isinstance(read_back, List)
        assert read_back.encoding() == value.encoding()
        assert read_back.packs() == value.packs()


def test_every_old_encoding_is_read() -> None:
    texts = [b"a", b"300", b"", b"x" * 300, b"-1"]
    others = [b"b", b"17"]
    assert texts_of(read(1, encode_length(5) + b"".join(map(text, texts)))) == texts
    assert texts_of(read(10, text(ziplist_of(texts)))) == texts
    assert texts_of(read(14, b"\x02" + text(ziplist_of(texts)) + text(ziplist_of(others)))) == texts + others


def test_chunks_of_redis_may_be_plain_packed_and_empty() -> None:
    pack = listpack.from_texts([b"a", b"12"])
    body = b"\x03\x02" + text(pack) + b"\x01" + text(b"x" * 100) + b"\x02" + text(listpack.EMPTY)
    assert texts_of(read(18, body)) == [b"a", b"12", b"x" * 100]
    assert texts_of(read(14, b"\x02" + text(ziplist_of([])) + text(ziplist_of([b"a"])))) == [b"a"]


@pytest.mark.usefixtures("three_a_chunk")
def test_the_form_of_what_is_read_follows_the_limit() -> None:
    for texts, encoding in (([b"a"] * 3, b"listpack"), ([b"a"] * 4, b"quicklist")):
        assert read(1, encode_length(len(texts)) + b"".join(map(text, texts))).encoding() == encoding
        assert read(10, text(ziplist_of(texts))).encoding() == encoding
        assert read(14, b"\x01" + text(ziplist_of(texts))).encoding() == encoding
        assert read(18, b"\x01\x02" + text(listpack.from_texts(texts))).encoding() == encoding
    # Two chunks stay two, however small.
    assert read(14, b"\x02" + text(ziplist_of([b"a"])) + text(ziplist_of([b"b"]))).encoding() == b"quicklist"


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for type_byte in (1, 10, 14, 18):
        for body in (data, text(data), b"\x01" + text(data), b"\x01\x02" + text(data)):
            reason = "fault"
            try:
                texts_of(read_value(Source(body, "test"), type_byte, b"key"))
            except CorruptFile as error:
                reason = error.reason
            assert reason


@pytest.mark.parametrize(
    ("type_byte", "body"),
    [
        (1, b"\0"), (1, b"\x02\x01a"), (1, b"\x81" + b"\xff" * 8), (10, text(ziplist_of([]))), (10, text(b"junk")),
        (14, b"\0"), (14, b"\x01" + text(ziplist_of([]))), (14, b"\x02" + text(ziplist_of([b"a"]))),
        (18, b"\0"), (18, b"\x01\x02" + text(listpack.EMPTY)), (18, b"\x01\x03" + text(listpack.from_texts([b"a"]))),
        (18, b"\x01\x02" + text(listpack.from_texts([b"a"])[:-1])), (18, b"\x81" + b"\xff" * 8 + b"\x02"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(type_byte: int, body: bytes) -> None:
    with pytest.raises(CorruptFile):
        read(type_byte, body)


def test_payloads_are_exchanged_with_redis(oracle: ServerProcess) -> None:
    with oracle.connect() as redis:
        for name, texts in EXAMPLES.items():
            redis.command("DEL", name)
            redis.command("RPUSH", name, *texts)
            reply = redis.command("DUMP", name)
            theirs = reply[reply.index(b"\r\n") + 2 : -2]
            value = decode_dump(theirs)
            assert texts_of(value) == texts
            for ours in (value, made(texts)):
                for packing in (True, False):
                    payload = encode_dump(ours, packing)
                    assert redis.command("RESTORE", "ours", "0", payload, "REPLACE") == b"+OK\r\n"
                    digests = [redis.command("DEBUG", "DIGEST-VALUE", key) for key in ("ours", name)]
                    assert digests[0] == digests[1]


def test_chunks_are_those_of_redis(oracle: ServerProcess) -> None:
    """Both fill chunks alike, so that payloads without LZF are equal."""
    texts = [b"element:%d" % number for number in range(3000)]
    value = List()
    value.push_tail([b"first"], 0, CONFIGURED)
    with oracle.connect() as redis:
        assert redis.command("CONFIG", "SET", "rdbcompression", "no") == b"+OK\r\n"
        redis.command("DEL", "chunks")
        redis.command("RPUSH", "chunks", "first")
        for index, each in enumerate(texts):
            if index % 3:
                redis.command("RPUSH", "chunks", each)
                value.push_tail([each], 0, CONFIGURED)
            else:
                redis.command("LPUSH", "chunks", each)
                value.push_head([each], 0, CONFIGURED)
        for pivot in range(5, 3000, 7):
            where = ("BEFORE", "AFTER")[pivot % 2]
            redis.command("LINSERT", "chunks", where, texts[pivot], b"inserted" * (pivot % 9))
            value.insert(texts[pivot], b"inserted" * (pivot % 9), where == "AFTER", CONFIGURED)
        redis.command("LREM", "chunks", "30", b"inserted" * 2)
        value.remove(b"inserted" * 2, 30, CONFIGURED)
        redis.command("LTRIM", "chunks", "40", "-90")
        value.trim(40, -90, CONFIGURED)
        reply = redis.command("DUMP", "chunks")
        redis.command("CONFIG", "SET", "rdbcompression", "yes")
    theirs = reply[reply.index(b"\r\n") + 2 : -2]
    assert value.packs() == decode_packs(theirs)
    assert encode_dump(value, False) == theirs


def decode_packs(payload: bytes) -> list[bytes]:
    value = decode_dump(payload)
    assert isinstance(value, List)
    return value.packs()


def test_files_are_exchanged_with_redis(start_server: StartServer, tmp_path: Path) -> None:
    exchange_files(start_server, tmp_path, EXAMPLES, lambda name, texts: [b"RPUSH", name, *texts], made, texts_of)
