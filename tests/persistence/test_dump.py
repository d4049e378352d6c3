"""DUMP payloads: our own, redis-server's, and damaged ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.crc64 import crc64
from aikv.base.errors import CommandError
from aikv.persistence.dump import BAD_DATA, BAD_FOOTER, decode_dump, encode_dump
from oracle.process import ServerProcess
from persistence.rdb_data import as_text

VALUES = [
    b"", b"a", b"hello", b"0", b"-1", b"127", b"128", b"-129", b"32768", b"2147483647", b"2147483648",
    b"-2147483649", b"9223372036854775807", b"9223372036854775808", b"007", b"-0", b"3.0e3", b"x" * 20, b"x" * 21,
    b"x" * 63, b"x" * 64, b"ab" * 5000, bytes(range(256)), bytes(range(256)) * 300,
]  # fmt: skip


def payload(body: bytes, version: int = 10) -> bytes:
    whole = body + version.to_bytes(2, "little")
    return whole + crc64(whole).to_bytes(8, "little")


@given(st.one_of(st.binary(max_size=100), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=9).map(bytearray)))
def test_a_value_survives(value: bytes | int | bytearray) -> None:
    assert as_text(decode_dump(encode_dump(value))) == as_text(value)


def test_payloads_of_redis_are_read_and_ours_are_the_same(oracle: ServerProcess) -> None:
    with oracle.connect() as redis:
        for value in VALUES:
            redis.command("SET", "dumped", value)
            theirs = bulk(redis.command("DUMP", "dumped"))
            assert as_text(decode_dump(theirs)) == value
            # Two LZF compressors may differ, every other byte may not.
            if theirs[1] != 0xC3:
                assert encode_dump(value) == theirs


def test_our_payloads_are_restored_by_redis(oracle: ServerProcess) -> None:
    with oracle.connect() as redis:
        for value in [*VALUES, 12, -70000, 2**62, bytearray(b"buffer")]:
            for packing in (True, False):
                reply = redis.command("RESTORE", "restored", "0", encode_dump(value, packing), "REPLACE")
                assert reply == b"+OK\r\n"
                assert bulk(redis.command("GET", "restored")) == as_text(value)


def test_damage_is_refused_in_the_words_of_redis(oracle: ServerProcess) -> None:
    good = payload(b"\x00\x05hello")
    damaged = [b"", b"short", good[:-1], good + b"x", good[1:], payload(b"\x00\x05hello", 90), payload(b"")]
    damaged += [payload(b"\x00"), payload(b"\x63\x00"), payload(b"\x00\x80\xff\xff\xff\xffa"), payload(b"\x00\xc4a")]
    damaged += [payload(b"\x00\xc3\x02\x02\x01ab"), payload(b"\x00\x82a")]
    damaged += [good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :] for at in range(len(good))]
    with oracle.connect() as redis:
        for data in damaged:
            with pytest.raises(CommandError) as caught:
                decode_dump(data)
            assert redis.command("RESTORE", "damaged", "0", data) == b"-" + caught.value.text + b"\r\n"


@pytest.mark.parametrize("body", [b"\x00\x05hello!", b"\x00\x06hello", b"\x07\x05hello"])
def test_what_redis_would_guess_at_is_refused(body: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        decode_dump(payload(body))
    assert caught.value.text == BAD_DATA


@pytest.mark.parametrize("version", [0, 1, 9, 10, 11, 12])
def test_every_version_up_to_the_newest_is_read(version: int) -> None:
    assert decode_dump(payload(b"\x00\x01a", version)) == b"a"


def test_a_version_from_the_future_is_refused() -> None:
    with pytest.raises(CommandError) as caught:
        decode_dump(payload(b"\x00\x01a", 13))
    assert caught.value.text == BAD_FOOTER


@given(st.binary(max_size=60))
def test_no_body_makes_the_decoder_fail_otherwise(body: bytes) -> None:
    refusal = BAD_DATA
    value: object = b""
    try:
        value = decode_dump(payload(b"\x00" + body))
    except CommandError as error:
        refusal = error.text
    assert refusal == BAD_DATA
    assert isinstance(value, bytes | int)


def bulk(reply: bytes) -> bytes:
    """Return the text of a bulk reply."""
    return reply[reply.index(b"\r\n") + 2 : -2]
