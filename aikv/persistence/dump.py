"""The payload of DUMP, RESTORE and MIGRATE: one value with its type, the RDB version and a checksum.

Theory of operation: type byte, value as in an RDB file, the RDB version in two little-endian bytes, and the CRC64 of
all that precedes it in eight. The version is the oldest that holds the value, so that an older server can restore it.
Unlike redis-server, `decode_dump` refuses bytes between the value and the footer, and never reads the footer as a
part of the value: no server writes such a payload, and restoring it would be a guess.
"""

from typing import Final

from aikv.base.crc64 import crc64
from aikv.base.errors import CommandError, CorruptFile
from aikv.persistence.codec import read_value, writer_of
from aikv.persistence.rdb_format import (
    CHECKSUM_BYTES,
    FIELD_TIMES_VERSION,
    FIRST_TYPE_WITH_FIELD_TIMES,
    NEWEST_VERSION,
    WRITTEN_VERSION,
)
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

BAD_FOOTER: Final = b"ERR DUMP payload version or checksum are wrong"
BAD_DATA: Final = b"ERR Bad data format"
_VERSION_BYTES: Final = 2


def encode_dump(value: object, packing: bool = True) -> bytes:
    """`value` as a payload; `packing` (rdbcompression) allows LZF."""
    sink = Sink()
    writer = writer_of(value)
    type_byte = writer.type_byte(value)
    sink.write(bytes((type_byte,)))
    writer.write(sink, value, packing)
    version = FIELD_TIMES_VERSION if type_byte >= FIRST_TYPE_WITH_FIELD_TIMES else WRITTEN_VERSION
    sink.write(version.to_bytes(_VERSION_BYTES, "little"))
    sink.write(sink.crc().to_bytes(CHECKSUM_BYTES, "little"))
    return sink.value()


def decode_dump(payload: bytes) -> object:
    """The value in `payload`. Raises `CommandError` with RESTORE's texts."""
    body_end = len(payload) - _VERSION_BYTES - CHECKSUM_BYTES
    if body_end < 0:
        raise CommandError(BAD_FOOTER)
    version = int.from_bytes(payload[body_end : body_end + _VERSION_BYTES], "little")
    stored = int.from_bytes(payload[-CHECKSUM_BYTES:], "little")
    if version > NEWEST_VERSION or crc64(payload[:-CHECKSUM_BYTES]) != stored:
        raise CommandError(BAD_FOOTER)
    source = Source(payload[:body_end], "payload", keep_crc=False)
    try:
        value = read_value(source, source.byte(), b"")
    except CorruptFile as error:
        raise CommandError(BAD_DATA) from error
    if not source.at_end():
        raise CommandError(BAD_DATA)
    return value
