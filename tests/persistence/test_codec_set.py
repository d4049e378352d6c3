"""Sets as DUMP payloads and RDB files: every encoding, damage, and exchange with a real redis-server."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import CorruptFile
from aikv.datatypes import intset, listpack
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.sets import Set, gather
from aikv.persistence.codec import encode_length, read_value, writer_of
from aikv.persistence.dump import decode_dump, encode_dump
from aikv.persistence.source import Source
from conftest import StartServer
from oracle.process import ServerProcess
from persistence.exchange import exchange_files

NUMBERS = st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number)
EXAMPLES: dict[bytes, set[bytes]] = {
    b"one": {b"a"},
    b"one number": {b"7"},
    b"16 bits": {b"%d" % number for number in range(-100, 100)},
    b"32 bits": {b"%d" % (number * 70000) for number in range(512)},
    b"64 bits": {b"%d" % (sign * 2**power) for power in range(63) for sign in (1, -1)},
    b"many numbers": {b"%d" % number for number in range(513)},
    b"small": {b"m:%d" % number for number in range(128)},
    b"mixed": {b"%d" % number for number in range(100)} | {b"x", b"007", b"", bytes(range(64))},
    b"large": {b"m:%d" % number * (number % 5 + 1) for number in range(3000)},
    b"long": {b"ab" * 5000, b"c"},
}


def made(members: set[bytes]) -> Set:
    """Return the set of `members`."""
    return gather(sorted(members), CONFIGURED)


def members_of(value: object) -> set[bytes]:
    """Return the members of a set, after a check that it is sound."""
    assert isinstance(value, Set)
    value._check()
    return value.as_set()


def read(type_byte: int, body: bytes) -> Set:
    """Return the value of type `type_byte` in `body`, all of which it takes."""
    source = Source(body, "test")
    value = read_value(source, type_byte, b"key")
    assert source.at_end()
    assert isinstance(value, Set)
    return value


def text(data: bytes) -> bytes:
    """Return `data` as a plain string of the format."""
    return encode_length(len(data)) + data


@given(st.one_of(st.sets(NUMBERS, min_size=1), st.sets(st.binary(max_size=70), min_size=1)), st.booleans())
def test_a_set_survives(members: set[bytes], large: bool) -> None:
    value = made(members | ({b"x" * 65} if large else set()))
    for packing in (True, False):
        read_back = decode_dump(encode_dump(value, packing))
        assert members_of(read_back) == value.as_set()
        assert isinstance(read_back, Set)
        assert read_back.encoding() == value.encoding()


def test_what_redis_7_0_does_not_know_is_written_in_the_old_way() -> None:
    types = {value.encoding(): writer_of(value).type_byte(value) for value in map(made, EXAMPLES.values())}
    assert types == {b"intset": 11, b"listpack": 2, b"hashtable": 2}


def test_the_listpack_of_redis_7_2_is_read() -> None:
    small = read(20, text(listpack.from_texts([b"a", b"12", b"bcd"])))
    assert (members_of(small), small.encoding()) == ({b"a", b"12", b"bcd"}, b"listpack")
    members = {b"m%d" % number for number in range(129)}
    large = read(20, text(listpack.from_texts(sorted(members))))
    assert (members_of(large), large.encoding()) == (members, b"hashtable")


def test_an_intset_that_is_too_large_for_the_limit_becomes_a_table() -> None:
    numbers = list(range(513))
    value = read(11, text(intset.from_numbers(numbers)))
    assert value.encoding() == b"hashtable"
    assert members_of(value) == {b"%d" % number for number in numbers}


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for type_byte in (2, 11, 20):
        for body in (data, text(data)):
            reason = "fault"
            try:
                members_of(read_value(Source(body, "test"), type_byte, b"key"))
            except CorruptFile as error:
                reason = error.reason
            assert reason


@pytest.mark.parametrize(
    ("type_byte", "body"),
    [
        (2, b"\0"), (2, b"\x02\x01a\x01a"), (2, b"\x02\x01a"), (2, b"\x81" + b"\xff" * 8), (2, b"\x80\0\1\0\0\x01a"),
        (2, encode_length(600) + b"\x01a" * 600), (11, text(intset.EMPTY)), (11, text(b"junk")),
        (11, text(struct.pack("<IIhh", 2, 2, 5, 5))), (20, text(listpack.EMPTY)), (20, text(b"x")),
        (20, text(listpack.from_texts([b"a", b"a"]))),
    ],
)  # fmt: skip
def test_what_is_no_set_is_refused(type_byte: int, body: bytes) -> None:
    with pytest.raises(CorruptFile):
        read(type_byte, body)


def test_payloads_are_exchanged_with_redis(oracle: ServerProcess) -> None:
    with oracle.connect() as redis:
        for name, members in EXAMPLES.items():
            redis.command("DEL", name)
            redis.command("SADD", name, *members)
            reply = redis.command("DUMP", name)
            theirs = reply[reply.index(b"\r\n") + 2 : -2]
            value = decode_dump(theirs)
            assert members_of(value) == members
            for packing in (True, False):
                payload = encode_dump(made(members), packing)
                assert redis.command("RESTORE", "ours", "0", payload, "REPLACE") == b"+OK\r\n"
                digests = [redis.command("DEBUG", "DIGEST-VALUE", key) for key in ("ours", name)]
                assert digests[0] == digests[1]
            assert isinstance(value, Set)
            if value.encoding() == b"intset" and theirs[1] < 0xC0:
                assert encode_dump(value) == theirs


def test_files_are_exchanged_with_redis(start_server: StartServer, tmp_path: Path) -> None:
    exchange_files(start_server, tmp_path, EXAMPLES, lambda name, members: [b"SADD", name, *members], made, members_of)
