"""LZF: streams that Redis reads, and streams that nobody should trust."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.crc64 import crc64
from aikv.base.lzf import compress, decompress
from oracle.process import ServerProcess

# Parts that repeat, in other orders: what references are made of.
repetitive = st.lists(
    st.one_of(st.sampled_from([b"abc", b"abcabcabd", b"\x00" * 40, b"hello world "]), st.binary(max_size=5)),
    max_size=60,
).map(b"".join)
long_runs = st.builds(
    lambda unit, count, end: unit * count + end,
    st.binary(min_size=1, max_size=9),
    st.integers(1, 2000),
    st.binary(max_size=3),
)
inputs = st.one_of(st.binary(max_size=300), repetitive, long_runs)


@given(inputs)
def test_what_is_compressed_comes_back_and_is_shorter(data: bytes) -> None:
    packed = compress(data)
    if packed is not None:
        assert len(packed) < len(data)
        assert decompress(packed, len(data)) == data


def test_repetition_is_compressed_and_noise_is_not() -> None:
    packed = compress(b"0123456789" * 1000)
    assert packed is not None
    assert len(packed) < 200
    assert compress(bytes(range(256))) is None
    assert compress(b"") is None


def test_references_reach_8192_bytes_back_and_no_further() -> None:
    block = bytes((7 * i * i + i) % 251 for i in range(300))
    near = block + bytes(8192 - len(block)) + block
    far = block + bytes(9000 - len(block)) + block
    for data in (near, far):
        packed = compress(data)
        assert packed is not None
        assert decompress(packed, len(data)) == data


def test_a_large_input_outlives_the_table_of_positions() -> None:
    data = b"".join(b"%d," % (i * i) for i in range(30_000))
    packed = compress(data)
    assert packed is not None
    assert decompress(packed, len(data)) == data


@given(st.lists(st.text("abc", max_size=60), max_size=8))
def test_what_one_call_has_seen_means_nothing_to_the_next(texts: list[str]) -> None:
    for text in texts:
        data = text.encode()
        packed = compress(data)
        assert packed is None or decompress(packed, len(data)) == data


@given(st.binary(max_size=100), st.integers(0, 2000))
def test_noise_is_refused_or_gives_the_stated_length(stream: bytes, length: int) -> None:
    try:
        data = decompress(stream, length)
    except ValueError:
        return
    assert len(data) == length


@given(inputs, st.data())
def test_a_stream_that_was_cut_or_misstated_is_refused(data: bytes, draw: st.DataObject) -> None:
    packed = compress(data)
    if packed is None:
        return
    cut = draw.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(ValueError, match="LZF"):
        decompress(packed[:cut], len(data))
    for length in (0, len(data) - 1, len(data) + 1, 1 << 60):
        with pytest.raises(ValueError, match="LZF"):
            decompress(packed, length)


@pytest.mark.parametrize(
    ("stream", "length"),
    [
        (b"\x05abc", 6),
        (b"\x20\x00", 3),
        (b"\x00a\x20\x01", 4),
        (b"\x00a\x20", 4),
        (b"\x00a\xe0", 10),
        (b"\x00a\xe0\x00", 10),
        (b"", 1),
        (b"\x00a", -1),
    ],
    ids=["short literal", "nothing behind", "too far", "no offset", "no length", "no offset 2", "empty", "negative"],
)
def test_malformed_streams_are_refused(stream: bytes, length: int) -> None:
    with pytest.raises(ValueError, match="LZF"):
        decompress(stream, length)


def test_a_reference_may_overlap_what_it_writes() -> None:
    assert decompress(b"\x01ab\xe0\x01\x01", 12) == b"abababababab"


def rdb_length(n: int) -> bytes:
    return bytes([n]) if n < 64 else bytes([0x40 | (n >> 8), n & 0xFF])


def read_length(data: bytes, at: int) -> tuple[int, int]:
    if data[at] < 64:
        return data[at], at + 1
    return ((data[at] & 0x3F) << 8) | data[at + 1], at + 2


@given(repetitive.filter(lambda data: len(data) > 20))
def test_redis_reads_our_streams_and_we_read_its(oracle: ServerProcess, data: bytes) -> None:
    with oracle.connect() as connection:
        packed = compress(data)
        if packed is not None:
            payload = b"\x00\xc3" + rdb_length(len(packed)) + rdb_length(len(data)) + packed + b"\x0a\x00"
            payload += crc64(payload).to_bytes(8, "little")
            assert connection.command("RESTORE", "k", "0", payload, "REPLACE") == b"+OK\r\n"
            assert connection.command("GET", "k") == b"$%d\r\n%b\r\n" % (len(data), data)
        connection.command("SET", "k", data)
        reply = connection.command("DUMP", "k")
    dump = reply[reply.index(b"\r\n") + 2 : -2]
    assert crc64(dump[:-8]) == int.from_bytes(dump[-8:], "little")
    if dump[1] == 0xC3:
        size, at = read_length(dump, 2)
        length, at = read_length(dump, at)
        assert length == len(data)
        assert decompress(dump[at : at + size], length) == data
