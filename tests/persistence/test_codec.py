"""Lengths and strings: every encoding, both ways, and lengths that lie."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import CorruptFile
from aikv.persistence.codec import (
    UnsupportedType,
    encode_int,
    encode_length,
    read_length,
    read_string,
    read_string_value,
    read_value,
    shown,
    write_string,
    writer_of,
)
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source
from persistence.rdb_data import ChunkSource, as_text

strings = st.one_of(
    st.binary(max_size=300),
    st.integers(-(2**64), 2**64).map(lambda n: b"%d" % n),
    st.tuples(st.binary(min_size=1, max_size=9), st.integers(1, 4000)).map(lambda t: t[0] * t[1]),
    st.sampled_from([b"", b"-", b"-0", b"00", b"+1", b" 1", b"1 ", b"9223372036854775808", b"2147483648", b"1e5"]),
)


def source(data: bytes) -> Source:
    return Source(data, "test")


def written(text: bytes, packing: bool = True) -> bytes:
    sink = Sink()
    write_string(sink, text, packing)
    return sink.value()


@pytest.mark.parametrize(
    ("length", "data"),
    [
        (0, b"\x00"),
        (63, b"\x3f"),
        (64, b"\x40\x40"),
        (16383, b"\x7f\xff"),
        (16384, b"\x80\x00\x00\x40\x00"),
        (2**32 - 1, b"\x80\xff\xff\xff\xff"),
        (2**32, b"\x81\x00\x00\x00\x01\x00\x00\x00\x00"),
        (2**64 - 1, b"\x81" + b"\xff" * 8),
    ],
)
def test_a_length_takes_its_shortest_form(length: int, data: bytes) -> None:
    assert encode_length(length) == data
    assert read_length(source(data)) == length


@pytest.mark.parametrize("data", [b"\x81\0\0\0\0\0\0\0\x05", b"\x80\0\0\0\x05", b"\x40\x05", b"\x05"])
def test_a_length_may_take_more_room_than_it_needs(data: bytes) -> None:
    assert read_length(source(data)) == 5
    assert read_string(source(data + b"hello")) == b"hello"


@pytest.mark.parametrize("first", [0x82, 0xA0, 0xBF, 0xC0, 0xC3, 0xC4, 0xFF])
def test_a_byte_that_begins_no_length_is_refused(first: int) -> None:
    with pytest.raises(CorruptFile, match=f"unknown length encoding {first:#04x}"):
        read_length(source(bytes((first,)) + bytes(8)))


@pytest.mark.parametrize("first", [0x82, 0xC4, 0xFF])
@pytest.mark.parametrize("read", [read_string, read_string_value])
def test_a_byte_that_begins_no_string_is_refused(first: int, read: object) -> None:
    assert callable(read)
    with pytest.raises(CorruptFile, match=r"unknown (string|length) encoding"):
        read(source(bytes((first,)) + bytes(8)))


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (0, b"\xc0\x00"),
        (127, b"\xc0\x7f"),
        (-128, b"\xc0\x80"),
        (128, b"\xc1\x80\x00"),
        (-129, b"\xc1\x7f\xff"),
        (32767, b"\xc1\xff\x7f"),
        (-32769, b"\xc2\xff\x7f\xff\xff"),
        (2147483647, b"\xc2\xff\xff\xff\x7f"),
        (-2147483648, b"\xc2\x00\x00\x00\x80"),
        (2147483648, b"\x0a2147483648"),
        (-9223372036854775808, b"\x14-9223372036854775808"),
    ],
)
def test_an_integer_is_encoded_as_redis_does(number: int, data: bytes) -> None:
    assert encode_int(number) == data
    assert written(b"%d" % number) == data
    assert read_string(source(data)) == b"%d" % number
    assert read_string_value(source(data)) == number


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_survives(number: int) -> None:
    assert read_string_value(source(encode_int(number))) == number


@given(strings, st.booleans(), st.integers(1, 20))
def test_every_string_survives_wherever_blocks_end(text: bytes, packing: bool, block: int) -> None:
    data = written(text, packing)
    assert read_string(ChunkSource(data, block)) == text
    whole = source(data)
    assert as_text(read_string_value(whole)) == text
    assert whole.at_end()


def test_only_the_canonical_text_of_an_integer_is_read_as_one() -> None:
    for text in (b"007", b"+7", b"-0", b"7 ", b"9223372036854775808", b"", b"7.0"):
        assert read_string_value(source(encode_length(len(text)) + text)) == text
    assert read_string_value(source(b"\x13" + b"9223372036854775807")) == 2**63 - 1


def test_a_string_is_packed_only_if_it_is_long_and_shrinks_and_packing_is_on() -> None:
    assert written(b"a" * 20) == b"\x14" + b"a" * 20
    assert written(b"a" * 21)[0] == 0xC3
    assert written(b"a" * 21, packing=False) == b"\x15" + b"a" * 21
    assert written(bytes(range(64))) == b"\x40\x40" + bytes(range(64))


@pytest.mark.parametrize(
    "data",
    [
        b"\xc3\x02\x02\x01ab",  # a literal cut short
        b"\xc3\x03\x03\x01ab",  # less than announced
        b"\xc3\x03\x01\x01ab",  # more than announced
        b"\xc3\x02\x05\x20\xff",  # a reference to before the start
        b"\xc3\x01\x02\xe0",  # a reference cut short
    ],
)
def test_a_damaged_lzf_string_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptFile, match="invalid LZF compressed string"):
        read_string(source(data))


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\xff\xff\xff\xffabc",
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xffabc",
        b"\xc3\x80\xff\xff\xff\xff\x80\xff\xff\xff\xff\x01ab",
        b"\xc3\x03\x80\xff\xff\xff\xff\x01ab",
        b"\xc3\x03\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01ab",
    ],
)
def test_a_length_beyond_the_input_fails_without_taking_its_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(CorruptFile):
            read_string(ChunkSource(data, 4))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=40))
def test_no_bytes_make_a_string_reader_fail_otherwise(data: bytes) -> None:
    for read in (read_string, read_string_value, read_length):
        offset = 0
        try:
            read(source(data))
        except CorruptFile as error:
            offset = error.offset
        assert 0 <= offset <= len(data)


def test_a_type_of_redis_that_cannot_be_held_is_refused_with_key_and_name() -> None:
    with pytest.raises(UnsupportedType, match=r"key 'queue' holds a value of type 7 \(module-value\)") as caught:
        read_value(source(b"\x00"), 7, b"queue")
    assert (caught.value.key, caught.value.type_byte) == (b"queue", 7)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(CorruptFile, match="Invalid object type: 99"):
        read_value(source(b"\x00"), 99, b"key")


def test_a_class_without_a_writer_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="no RDB writer for values of class object"):
        writer_of(object())


def test_a_key_in_a_message_is_readable_and_bounded() -> None:
    assert shown(b"user:1") == "user:1"
    assert shown(b"a\r\nb\xff") == "a\\r\\nb\\xff"
    assert shown(b"x" * 500) == "x" * 128 + "..."
