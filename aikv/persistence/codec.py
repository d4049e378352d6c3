"""Values as bytes: the one codec of RDB files, the AOF base, DUMP payloads and offline tools.

Theory of operation: the format has two primitives, the length and the string; every value is built from them. A
length takes 1, 2, 5 or 9 bytes; a string is a length and its bytes, or an integer of 8, 16 or 32 bits where its text is
such an integer, or an LZF block. `VALUE_READERS` maps an RDB type byte to the function that reads such a value, and
`VALUE_WRITERS` maps a Python class to the `ValueWriter` that writes it: a new data type adds an entry to each. A type
that Redis knows but `VALUE_READERS` does not is refused by name, since skipping it would serve less than was given.
"""

from collections.abc import Callable
from typing import Final, cast

from mypy_extensions import i64

from aikv.base.errors import CorruptFile
from aikv.base.lzf import compress, decompress
from aikv.base.numbers import parse_i64
from aikv.datatypes.strings import FloatText
from aikv.persistence.rdb_format import (
    ENC_INT8,
    ENC_INT16,
    ENC_INT32,
    ENC_LZF,
    LEN_32,
    LEN_64,
    TYPE_NAMES,
    TYPE_STRING,
)
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

# The longest text of a signed 32-bit integer, and of a signed 64-bit one.
INT32_TEXT: Final = 11
INT64_TEXT: Final = 20
# A shorter string never shrinks by LZF, and one that saves less than this is not worth its two lengths.
LZF_MIN_LENGTH: Final = 20
LZF_MIN_SAVING: Final = 4
# An LZF reference of 3 bytes yields 264 at most, so no honest block grows by more than this factor.
LZF_MAX_FACTOR: Final = 88
_SHOWN_KEY_BYTES: Final = 128
# The lengths that take one byte.
_SHORT: Final = 0x40
_SHORT_LENGTHS: Final[list[bytes]] = [bytes((length,)) for length in range(_SHORT)]


class UnsupportedType(CorruptFile):
    """A value of a type that Redis knows and this version cannot hold; the file itself may be sound.

    `key` is the value's key, `type_byte` the RDB type.
    """

    def __init__(self, path: str, offset: int, key: bytes, type_byte: int) -> None:
        super().__init__(
            path,
            offset,
            f"key '{shown(key)}' holds a value of type {type_byte} ({TYPE_NAMES[type_byte]}), "
            "which this version does not support",
        )
        self.key: Final = key
        self.type_byte: Final = type_byte


def shown(text: bytes) -> str:
    """`text` for a message to the operator: readable, on one line, of bounded length."""
    cut = text[:_SHOWN_KEY_BYTES].decode("utf-8", "backslashreplace")
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return safe + "..." if len(text) > _SHOWN_KEY_BYTES else safe


def read_length(source: Source) -> int:
    """A length, which may be as large as 2**64 - 1. Raises `CorruptFile` where a specially encoded string stands."""
    buffer = source.buffer
    at: i64 = source.pos
    if at + 1 < len(buffer):
        # A short one, as most are, without a call.
        head: i64 = buffer[at]
        if head < _SHORT:
            source.pos = at + 1
            return head
        if head < LEN_32:
            source.pos = at + 2
            return (head & 0x3F) << 8 | buffer[at + 1]
    first = source.byte()
    return first if first < _SHORT else _longer_length(source, first)


def read_string(source: Source) -> bytes:
    """A string in any encoding, as its bytes."""
    # A short one within the block, as most are, without a call.
    buffer = source.buffer
    start: i64 = source.pos + 1
    size: i64 = len(buffer)
    if start <= size:
        short: i64 = buffer[start - 1]
        if short < _SHORT and start + short <= size:
            source.pos = start + short
            return buffer[start : start + short]
    first = source.byte()
    if first < 0x40:
        return source.take(first)
    if first < 0xC0:
        return source.take(_longer_length(source, first))
    if first == ENC_LZF:
        return _read_lzf(source)
    return b"%d" % _read_encoded_int(source, first)


def read_string_value(source: Source) -> object:
    """A string value: an `int` where its text is a canonical 64-bit integer, as SET keeps it, else `bytes`."""
    first = source.byte()
    if first < 0x40:
        text = source.take(first)
    elif first < 0xC0:
        text = source.take(_longer_length(source, first))
    elif first == ENC_LZF:
        text = _read_lzf(source)
    else:
        return _read_encoded_int(source, first)
    if 0 < len(text) <= INT64_TEXT:
        number = parse_i64(text)
        if number is not None:
            return number
    return text


def _longer_length(source: Source, first: int) -> int:
    if first < 0x80:
        return (first & 0x3F) << 8 | source.byte()
    if first == LEN_32:
        return int.from_bytes(source.take(4), "big")
    if first == LEN_64:
        return int.from_bytes(source.take(8), "big")
    raise source.corrupt(f"unknown length encoding {first:#04x}")


def _read_encoded_int(source: Source, first: int) -> int:
    if first == ENC_INT8:
        size = 1
    elif first == ENC_INT16:
        size = 2
    elif first == ENC_INT32:
        size = 4
    else:
        raise source.corrupt(f"unknown string encoding {first & 0x3F}")
    return int.from_bytes(source.take(size), "little", signed=True)


def _read_lzf(source: Source) -> bytes:
    packed_length = read_length(source)
    length = read_length(source)
    if length > packed_length * LZF_MAX_FACTOR:
        raise source.corrupt(f"an LZF string of {packed_length} bytes cannot hold {length}")
    packed = source.take(packed_length)
    try:
        return decompress(packed, length)
    except ValueError as error:
        raise source.corrupt("invalid LZF compressed string") from error


VALUE_READERS: Final[dict[int, Callable[[Source], object]]] = {TYPE_STRING: read_string_value}


def read_value(source: Source, type_byte: int, key: bytes) -> object:
    """The value of RDB type `type_byte` at `source`; `key` is for error messages.

    Raises `UnsupportedType` for a type of Redis that cannot be held, `CorruptFile` for an unknown one.
    """
    reader = VALUE_READERS.get(type_byte)
    if reader is None:
        if type_byte in TYPE_NAMES:
            raise UnsupportedType(source.name, source.offset(), key, type_byte)
        raise source.corrupt(f"Invalid object type: {type_byte}")
    return reader(source)


def encode_length(length: int) -> bytes:
    """The shortest form of a length below 2**64."""
    if length < _SHORT:
        return _SHORT_LENGTHS[length]
    if length < 0x4000:
        return bytes((0x40 | length >> 8, length & 0xFF))
    if length < 1 << 32:
        return b"\x80" + length.to_bytes(4, "big")
    return b"\x81" + length.to_bytes(8, "big")


def encode_int(number: int) -> bytes:
    """The string that is the decimal text of the 64-bit `number`: 2, 3 or 5 bytes where 32 bits hold it, else text."""
    if -0x80 <= number < 0x80:
        return bytes((ENC_INT8, number & 0xFF))
    if -0x8000 <= number < 0x8000:
        return bytes((ENC_INT16, number & 0xFF, number >> 8 & 0xFF))
    if -0x80000000 <= number < 0x80000000:
        return bytes((ENC_INT32, number & 0xFF, number >> 8 & 0xFF, number >> 16 & 0xFF, number >> 24 & 0xFF))
    text = b"%d" % number
    return bytes((len(text),)) + text


def write_string(sink: Sink, text: bytes, packing: bool) -> None:
    """Write `text` in the encoding that Redis chooses: integer, LZF (only if `packing`), or plain."""
    length = len(text)
    # Nothing but a minus sign or a digit begins an integer, and most texts begin with neither.
    if 0 < length <= INT32_TEXT and text[0] <= 0x39:
        number = parse_i64(text)
        if number is not None and -0x80000000 <= number < 0x80000000:
            sink.write(encode_int(number))
            return
    elif packing and length > LZF_MIN_LENGTH:
        packed = compress(text)
        if packed is not None and len(packed) <= length - LZF_MIN_SAVING:
            sink.write(b"\xc3" + encode_length(len(packed)) + encode_length(length))
            sink.write(packed)
            return
    if length < _SHORT:
        sink.write(_SHORT_LENGTHS[length] + text)
    else:
        sink.write(encode_length(length))
        sink.write(text)


class ValueWriter:
    """Writes the values of one Python class."""

    def type_byte(self, value: object) -> int:
        """The RDB type under which `write` will put `value`."""
        raise NotImplementedError

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        """Write `value` without its type; `packing` allows LZF."""
        raise NotImplementedError


class BytesWriter(ValueWriter):
    """`bytes`."""

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return TYPE_STRING

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        write_string(sink, cast(bytes, value), packing)


class BytearrayWriter(ValueWriter):
    """`bytearray`, a string that has been changed in place."""

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return TYPE_STRING

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        write_string(sink, bytes(cast(bytearray, value)), packing)


class IntWriter(ValueWriter):
    """`int`, a string that is the text of a 64-bit integer."""

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return TYPE_STRING

    def write(self, sink: Sink, value: object, packing: bool) -> None:  # noqa: ARG002
        sink.write(encode_int(cast(int, value)))


VALUE_WRITERS: Final[dict[type, ValueWriter]] = {
    bytes: BytesWriter(),
    int: IntWriter(),
    bytearray: BytearrayWriter(),
    FloatText: BytesWriter(),
}


def writer_of(value: object) -> ValueWriter:
    """The writer of `value`'s class. Raises `TypeError` if a data type was added without one."""
    writer = VALUE_WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"no RDB writer for values of class {type(value).__name__}")
    return writer


# Each of these adds its data type to the tables above, which is why they come last.
import aikv.persistence.codec_hash  # noqa: E402
import aikv.persistence.codec_list  # noqa: E402
import aikv.persistence.codec_set  # noqa: E402
import aikv.persistence.codec_stream  # noqa: E402
import aikv.persistence.codec_zset  # noqa: E402, F401
