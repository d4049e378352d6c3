"""Sorted sets as DUMP payloads and RDB files: every encoding, damage, and exchange with a real redis-server."""

import math
import struct
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import CorruptFile
from aikv.datatypes import listpack
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.zsets import SortedSet, from_scores
from aikv.persistence.codec import encode_length, read_value, writer_of
from aikv.persistence.dump import decode_dump, encode_dump
from aikv.persistence.source import Source
from conftest import StartServer
from oracle.process import ServerProcess
from persistence.exchange import exchange_files
from persistence.ziplists import ziplist_of

Content = dict[bytes, float]

TEXTS = st.one_of(st.binary(max_size=70), st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number))
CONTENTS = st.dictionaries(TEXTS, st.floats(allow_nan=False), min_size=1, max_size=12)
SCORES = [
    0.0, 1.0, -1.0, 0.1, 1 / 3, 3.5, 1e20, -1e20, 1e300, 5e-324, 4611686018427387904.0, -4611686018427387904.0,
    4611686018427388928.0, 9223372036854775808.0, 123456789.123, 1e-7, math.inf, -math.inf,
]  # fmt: skip
EXAMPLES: dict[bytes, Content] = {
    b"one": {b"a": 1.0},
    b"scores": {b"m:%d" % number: score for number, score in enumerate(SCORES)},
    b"many scores": {b"m:%d" % number: SCORES[number % len(SCORES)] for number in range(300)},
    b"one score": {b"%d" % number: 0.0 for number in range(-60, 60)},
    b"full": {b"m:%d" % number: number / 7 for number in range(128)},
    b"many": {b"m:%d" % number: -number / 7 for number in range(129)},
    b"large": {b"m:%d" % number * (number % 5 + 1): float(number % 77) for number in range(3000)},
    b"long": {b"ab" * 5000: 2.0, b"c": 1.0},
}


def scores_of(value: object) -> Content:
    """Return members and scores of a sorted set, after a check that it is sound."""
    assert isinstance(value, SortedSet)
    value._check()
    members, scores = value.columns(0, len(value))
    return {member: cast(float, score) for member, score in zip(members, scores, strict=True)}


def made(content: Content) -> SortedSet:
    """Return the sorted set of `content`."""
    return from_scores(content, CONFIGURED)


def filling(name: bytes, content: Content) -> list[bytes]:
    """Return the command that stores `content` under `name`."""
    return [b"ZADD", name, *(each for member, score in content.items() for each in (repr(score).encode(), member))]


def read(type_byte: int, body: bytes) -> SortedSet:
    """Return the value of type `type_byte` in `body`, all of which it takes."""
    source = Source(body, "test")
    value = read_value(source, type_byte, b"key")
    assert source.at_end()
    assert isinstance(value, SortedSet)
    return value


def text(data: bytes) -> bytes:
    """Return `data` as a plain string of the format."""
    return encode_length(len(data)) + data


def doubles(content: Content) -> bytes:
    """Return `content` as type 5 in its own order."""
    pairs = (text(member) + struct.pack("<d", score) for member, score in content.items())
    return encode_length(len(content)) + b"".join(pairs)


@given(CONTENTS, st.booleans())
def test_a_sorted_set_survives(content: Content, large: bool) -> None:
    value = made({**content, b"x" * 75: 1.0} if large else content)
    assert writer_of(value).type_byte(value) == (17 if value.encoding() == b"listpack" else 5)
    for packing in (True, False):
        read_back = decode_dump(encode_dump(value, packing))
        assert scores_of(read_back) == scores_of(value)
        assert isinstance(read_back, SortedSet)
        assert read_back.encoding() == value.encoding()


def test_every_old_encoding_is_read() -> None:
    texts = (
        text(b"b")
        + b"\x031.5"
        + text(b"a")
        + b"\xff"
        + text(b"c")
        + b"\xfe"
        + text(b"d")
        + b"\x17"
        + b"1.5"
        + b"0" * 20
    )
    assert read(3, b"\x04" + texts).pairs(0, 4) == [b"a", -math.inf, b"b", 1.5, b"d", 1.5, b"c", math.inf]
    zipped = read(12, text(ziplist_of([b"a", b"-inf", b"b", b"300", b"c", b"1e+20"])))
    assert zipped.pairs(0, 3) == [b"a", -math.inf, b"b", 300.0, b"c", 1e20]
    assert zipped.encoding() == b"listpack"


def test_what_is_out_of_order_is_put_in_order() -> None:
    content = {b"%d" % (number * 7919 % 1000): float(number * 31 % 17) for number in range(1000)}
    assert scores_of(read(5, doubles(content))) == content
    pack = listpack.from_texts([b"a", b"2", b"b", b"1", b"aa", b"2"])
    assert read(17, text(pack)).pairs(0, 3) == [b"b", 1.0, b"a", 2.0, b"aa", 2.0]


def test_scores_of_redis_7_0_are_kept_in_the_text_of_7_2() -> None:
    value = read(17, text(listpack.from_texts([b"a", b"0.10000000000000001", b"b", b"0x10", b"c", b"1e2"])))
    assert listpack.entries(value.pack) == [b"a", b"0.1", b"b", b"16", b"c", b"100"]


def test_the_form_of_what_is_read_follows_the_limits() -> None:
    for count, encoding in ((128, b"listpack"), (129, b"skiplist")):
        content = {b"m:%03d" % number: float(number) for number in range(count)}
        flat = [each for member, score in content.items() for each in (member, b"%d" % score)]
        assert read(5, doubles(content)).encoding() == encoding
        assert read(17, text(listpack.from_texts(flat))).encoding() == encoding
        assert read(12, text(ziplist_of(flat))).encoding() == encoding
    assert read(5, doubles({b"x" * 65: 1.0})).encoding() == b"skiplist"
    # Redis does not look at the length of members that come in a listpack.
    assert read(17, text(listpack.from_texts([b"x" * 65, b"1"]))).encoding() == b"listpack"


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for type_byte in (3, 5, 12, 17):
        for body in (data, text(data), b"\x01" + data):
            reason = "fault"
            try:
                scores_of(read_value(Source(body, "test"), type_byte, b"key"))
            except CorruptFile as error:
                reason = error.reason
            assert reason


@pytest.mark.parametrize(
    ("type_byte", "body"),
    [
        (3, b"\0"), (3, b"\x01\x01a\xfd"), (3, b"\x01\x01a\x01x"), (3, b"\x02\x01a\x011"), (3, b"\x01\x01a\x00"),
        (5, b"\0"), (5, b"\x01\x01a" + struct.pack("<d", math.nan)), (5, b"\x81" + b"\xff" * 8),
        (5, doubles({b"a": 1.0}).replace(b"\x01", b"\x02", 1) + text(b"a") + struct.pack("<d", 2.0)),
        (12, text(ziplist_of([]))), (12, text(ziplist_of([b"a"]))), (12, text(b"junk")),
        (17, text(listpack.EMPTY)), (17, text(listpack.from_texts([b"a"]))),
        (17, text(listpack.from_texts([b"a", b"b"]))), (17, text(listpack.from_texts([b"a", b"nan"]))),
        (17, text(listpack.from_texts([b"a", b"1", b"a", b"2"]))), (17, text(b"x")),
    ],
)  # fmt: skip
def test_what_is_no_sorted_set_is_refused(type_byte: int, body: bytes) -> None:
    with pytest.raises(CorruptFile):
        read(type_byte, body)


def test_payloads_are_exchanged_with_redis(oracle: ServerProcess) -> None:
    with oracle.connect() as redis:
        for name, content in EXAMPLES.items():
            redis.command("DEL", name)
            redis.command(*filling(name, content))
            reply = redis.command("DUMP", name)
            theirs = reply[reply.index(b"\r\n") + 2 : -2]
            value = decode_dump(theirs)
            assert scores_of(value) == content
            assert isinstance(value, SortedSet)
            encoding = redis.command("OBJECT", "ENCODING", name)
            assert encoding == b"$8\r\n" + value.encoding() + b"\r\n"
            for packing in (True, False):
                payload = encode_dump(made(content), packing)
                assert redis.command("RESTORE", "ours", "0", payload, "REPLACE") == b"+OK\r\n"
                digests = [redis.command("DEBUG", "DIGEST-VALUE", key) for key in ("ours", name)]
                assert digests[0] == digests[1]


def test_files_are_exchanged_with_redis(start_server: StartServer, tmp_path: Path) -> None:
    exchange_files(start_server, tmp_path, EXAMPLES, filling, made, scores_of)
