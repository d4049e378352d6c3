"""Writing an RDB stream.

Theory of operation: `RdbWriter` turns calls into records on a `Sink` in the order of the file: `header`, then for
each database `select` and its entries, then `finish`. `write_databases` does all of that for a dataset, which it knows
only by the small interface `SavedDatabase`. A key without a TTL whose key and value are short costs a few list
appends; everything else goes through the codec.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from aikv.persistence.background import read_apart
from aikv.persistence.codec import (
    INT32_TEXT,
    LZF_MIN_LENGTH,
    ValueWriter,
    encode_int,
    encode_length,
    write_string,
    writer_of,
)
from aikv.persistence.rdb_format import (
    CHECKSUM_BYTES,
    FIELD_TIMES_VERSION,
    MAGIC,
    OP_AUX,
    OP_EOF,
    OP_EXPIRETIME_MS,
    OP_FREQ,
    OP_FUNCTION2,
    OP_IDLE,
    OP_RESIZEDB,
    OP_SELECTDB,
    TYPE_STRING,
    WRITTEN_VERSION,
)
from aikv.persistence.sink import Sink

_OP: Final = [bytes((n,)) for n in range(256)]
# What a text that may be an integer's begins with, a minus sign included, is no greater than this.
_LAST_DIGIT: Final = 0x39
_MAX_FREQ: Final = 255


class SavedDatabase(Protocol):
    """What a snapshot asks of one numbered database; it must not change while it is written."""

    @property
    def index(self) -> int:
        """Its number, as SELECT takes it."""

    def __len__(self) -> int:
        """How many keys it holds, expired ones not yet removed included."""

    def expires_count(self) -> int:
        """How many of its keys have a TTL."""

    def buckets(self) -> list[dict[bytes, object]]:
        """Its keys and values, in the buckets of its table."""

    def expire_of(self, key: bytes) -> int:
        """Unix time in ms at which `key` expires, -1 if never."""

    def has_field_times(self) -> bool:
        """Whether a field of any hash has a time at which it expires."""


class RdbWriter:
    """Writes one RDB stream; `packing` is rdbcompression, and the sink's `keep_crc` is rdbchecksum."""

    def __init__(self, sink: Sink, packing: bool = True) -> None:
        self._sink: Final = sink
        self._packing: Final = packing
        self.keys: int = 0

    def header(self, aux: list[tuple[bytes, bytes]], version: int = WRITTEN_VERSION) -> None:
        """The magic with the format's version, and the (name, value) fields that describe the file."""
        self._sink.write(MAGIC + b"%04d" % version)
        for name, value in aux:
            self._sink.write(_OP[OP_AUX])
            write_string(self._sink, name, False)
            write_string(self._sink, value, False)

    def function(self, code: bytes) -> None:
        """One function library, as FUNCTION LOAD takes it; before any key."""
        self._sink.write(_OP[OP_FUNCTION2])
        write_string(self._sink, code, self._packing)

    def select(self, index: int, keys: int, expires: int) -> None:
        """Begin database `index`, which will hold about `keys` keys, `expires` of them with a TTL."""
        self._sink.write(_OP[OP_SELECTDB] + encode_length(index))
        self._sink.write(_OP[OP_RESIZEDB] + encode_length(keys) + encode_length(expires))

    def entry(self, key: bytes, value: object, expire_ms: int = -1, idle_s: int = -1, freq: int = -1) -> None:
        """One key: `expire_ms` in unix ms, `idle_s` seconds since last use, `freq` 0 to 255; -1 leaves a field out."""
        sink = self._sink
        if expire_ms != -1:
            sink.write(_OP[OP_EXPIRETIME_MS] + expire_ms.to_bytes(8, "little", signed=True))
        if idle_s >= 0:
            sink.write(_OP[OP_IDLE] + encode_length(idle_s))
        if freq >= 0:
            sink.write(_OP[OP_FREQ] + _OP[min(freq, _MAX_FREQ)])
        self.keys += 1
        if not self._short_entry(key, value):
            writer = self.writer_of(key, value)
            sink.write(_OP[writer.type_byte(value)])
            write_string(sink, key, self._packing)
            writer.write(sink, value, self._packing)

    def writer_of(self, key: bytes, value: object) -> ValueWriter:  # noqa: ARG002
        """What writes `value`, which is at `key`."""
        return writer_of(value)

    def finish(self) -> None:
        """The end mark and the checksum (zeros if none is kept), and everything out of the sink's buffer."""
        self._sink.write(_OP[OP_EOF])
        self._sink.write(self._sink.crc().to_bytes(CHECKSUM_BYTES, "little"))
        self._sink.flush()

    def _short_entry(self, key: bytes, value: object) -> bool:
        """Write a short key with a short string in one part, if neither can be an integer's text nor shrink by LZF."""
        length = len(key)
        if not 0 < length <= LZF_MIN_LENGTH or (key[0] <= _LAST_DIGIT and length <= INT32_TEXT):
            return False
        if isinstance(value, int):
            tail = encode_int(value)
        elif isinstance(value, bytes):
            size = len(value)
            if size > LZF_MIN_LENGTH or (0 < size <= INT32_TEXT and value[0] <= _LAST_DIGIT):
                return False
            tail = _OP[size] + value
        else:
            return False
        self._sink.write(b"".join((_OP[TYPE_STRING], _OP[length], key, tail)))
        return True


def version_of(databases: Sequence[SavedDatabase]) -> int:
    """The oldest version of the format that holds `databases`."""
    for database in databases:
        if database.has_field_times():
            return FIELD_TIMES_VERSION
    return WRITTEN_VERSION


def write_databases(writer: RdbWriter, databases: Sequence[SavedDatabase], in_child: bool = False) -> None:
    """Write every database that is not empty; the header must have been written.

    `in_child` spares a forked child the memory of the pages that it would copy by reading them.
    """
    for database in databases:
        keys = len(database)
        if keys > 0:
            expires = database.expires_count()
            writer.select(database.index, keys, expires)
            for shared in database.buckets():
                bucket = read_apart(shared) if in_child else shared
                if expires > 0:
                    for key, value in bucket.items():
                        writer.entry(key, value, database.expire_of(key))
                else:
                    for key, value in bucket.items():
                        writer.entry(key, value)
