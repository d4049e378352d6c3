"""Reading an RDB stream.

Theory of operation: `read_rdb` walks the records of a `Source` and calls a `Receiver` for what they mean. The loop in
`_RdbReader.records` holds the block and the position in locals, and handles in place the record that most datasets
consist of: a string under a short key, with or without a TTL, that lies wholly within the block. Every other key, and
every one that something is wrong with, goes through `_key_and_value`, what is no key through `_other_record`, both
field by field, so that errors are worded in one place.

What is refused: a wrong magic, a version outside 1 to 12, an unknown type or opcode, a file that ends early, a wrong
checksum, and bytes behind the end unless the caller expects them (the RDB preamble of an AOF). A checksum of zero says
that the writer kept none. Whether an expired key, a key met twice or a database number is acceptable is the receiver's
decision.
"""

import os
from typing import Final

from librt.strings import read_i64_le
from mypy_extensions import i64, mypyc_attr

from aikv.base.errors import CorruptFile
from aikv.base.numbers import parse_i64
from aikv.persistence.codec import UnsupportedType, read_length, read_string, read_value, shown
from aikv.persistence.files import Files
from aikv.persistence.rdb_fields import read_old_function, skip_module_aux, small_int
from aikv.persistence.rdb_format import (
    CHECKSUM_BYTES,
    ENC_INT8,
    ENC_INT32,
    FIRST_VERSION_WITH_CHECKSUM,
    MAGIC,
    NEWEST_VERSION,
    OLDEST_VERSION,
    OP_AUX,
    OP_EOF,
    OP_EXPIRETIME,
    OP_EXPIRETIME_MS,
    OP_FREQ,
    OP_FUNCTION2,
    OP_FUNCTION_PRE_GA,
    OP_IDLE,
    OP_MODULE_AUX,
    OP_RESIZEDB,
    OP_SELECTDB,
    OP_SLOT_INFO,
    TYPE_NAMES,
    TYPE_STRING,
)
from aikv.persistence.source import FileSource, Source

# Unread bytes below which the next block is fetched: most records fit, and so are handled without leaving the loop.
_LOW_WATER: Final = 4096
# A length byte and the longest integer encoding: what may be looked at behind a key before the value's end is known.
_VALUE_HEAD: Final = 5
_INT64_TEXT: Final = 20
_LAST_DIGIT: Final = 0x39
# For each first byte of a record, 1 where it is a type: a look-up without a call.
_IS_TYPE: Final = bytes([1 if byte in TYPE_NAMES else 0 for byte in range(256)])


@mypyc_attr(allow_interpreted_subclasses=True)
class Receiver:
    """Takes what an RDB stream holds, in the order of the stream. The methods here ignore it."""

    def aux(self, name: bytes, value: bytes) -> None:
        """A field that describes the file, such as redis-ver."""

    def select(self, db: int) -> None:
        """The keys that follow belong to database `db`; before the first call it is 0."""

    def resize(self, db_size: int, expires_size: int) -> None:
        """The present database will hold about so many keys and TTLs. A hint from the file, not to be trusted."""

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        """One key. `expire_ms` in unix ms, `idle_s` seconds since last use, `freq` 0 to 255; -1 where not given."""

    def function(self, code: bytes) -> None:
        """One function library, as FUNCTION LOAD takes it."""

    def progress(self, offset: int) -> None:
        """Called about once per block with the number of bytes read."""


class RdbSummary:
    """What `read_rdb` found besides the data.

    `version` is the file's, `end` the offset behind its last byte, `checksum` whether one stood there and was right.
    """

    def __init__(self, version: int, end: int, checksum: bool) -> None:
        self.version: Final = version
        self.end: Final = end
        self.checksum: Final = checksum


class ReadState:
    """Where a reader is, for whoever reports an error: `doing` in redis-check-rdb's words, the last `key` and type."""

    def __init__(self) -> None:
        self.doing: str = "start"
        self.key: bytes | None = None
        self.type_byte: int = 0


def read_rdb(
    source: Source, receiver: Receiver, trailing_allowed: bool = False, state: ReadState | None = None
) -> RdbSummary:
    """Read the RDB stream that begins at `source`, and leave `source` right behind it.

    `trailing_allowed` says that other data may follow, as in an AOF with an RDB preamble. `state`, if given, is
    kept up to date for error reports. Raises `CorruptFile` with the offset, and whatever the receiver raises; the
    receiver has then been given everything before that point.
    """
    reader = _RdbReader(source, receiver, state if state is not None else ReadState())
    version = reader.header()
    reader.records()
    checksum = reader.footer(version)
    if not trailing_allowed and not source.at_end():
        raise source.corrupt("data behind the end of the RDB")
    return RdbSummary(version, source.offset(), checksum)


def load_rdb(
    files: Files, path: str, receiver: Receiver, verify: bool = True, trailing_allowed: bool = False
) -> RdbSummary:
    """Read the RDB with which the file `path` begins; `verify` False does not compute the checksum.

    `trailing_allowed` is as in `read_rdb`. Raises `OSError` if the file cannot be read, else as `read_rdb`.
    """
    fd = files.open(path, os.O_RDONLY)
    try:
        return read_rdb(FileSource(files, fd, path, verify), receiver, trailing_allowed)
    finally:
        files.close(fd)


class _RdbReader:
    def __init__(self, source: Source, receiver: Receiver, state: ReadState) -> None:
        self._source: Final = source
        self._receiver: Final = receiver
        self._state: Final = state
        self._expire_ms: int = -1
        self._idle_s: int = -1
        self._freq: int = -1

    def header(self) -> int:
        """Check the magic; returns the version."""
        magic = self._source.take(len(MAGIC) + 4)
        if magic[: len(MAGIC)] != MAGIC:
            raise self._source.corrupt("Wrong signature trying to load DB from file")
        digits = magic[len(MAGIC) :]
        version = int(digits) if digits.isdigit() else 0
        if not OLDEST_VERSION <= version <= NEWEST_VERSION:
            named = str(version) if digits.isdigit() else shown(digits)
            raise self._source.corrupt(f"Can't handle RDB format version {named}")
        return version

    def records(self) -> None:
        """Read up to and including the end mark."""
        source = self._source
        receiver = self._receiver
        buffer = source.buffer
        pos: i64 = source.pos
        end: i64 = len(buffer)
        # No TTL, idle time or frequency has been read for the next key.
        bare = True
        while True:
            if end - pos < _LOW_WATER and not source.ended:
                source.pos = pos
                source.fill(_LOW_WATER)
                buffer = source.buffer
                pos = source.pos
                end = len(buffer)
                receiver.progress(source.offset())
            op: i64 = buffer[pos] if pos < end else -1
            if op == TYPE_STRING and pos + 1 < end:
                key_end: i64 = pos + 2 + buffer[pos + 1]
                if buffer[pos + 1] < 0x40 and key_end + _VALUE_HEAD <= end:
                    head: i64 = buffer[key_end]
                    value_at: i64 = key_end + 1
                    value_end: i64 = end + 1
                    value: object = None
                    if head < 0x40:
                        value_end = value_at + head
                    elif head < 0x80:
                        value_at = key_end + 2
                        value_end = value_at + ((head & 0x3F) << 8 | buffer[key_end + 1])
                    elif ENC_INT8 <= head <= ENC_INT32:
                        value_end = value_at + (1 << (head - ENC_INT8))
                    if value_end <= end:
                        if head >= 0x80:
                            value = small_int(buffer, value_at, head)
                        elif 0 < value_end - value_at <= _INT64_TEXT and buffer[value_at] <= _LAST_DIGIT:
                            text = buffer[value_at:value_end]
                            number = parse_i64(text)
                            value = text if number is None else number
                        else:
                            value = buffer[value_at:value_end]
                        key = buffer[pos + 2 : key_end]
                        pos = value_end
                        if bare:
                            receiver.put(key, value, -1, -1, -1)
                        else:
                            self._put(key, value)
                            bare = True
                        continue
            elif op == OP_EXPIRETIME_MS and pos + 9 <= end:
                self._expire_ms = read_i64_le(buffer, pos + 1)
                bare = False
                pos += 9
                continue
            if op >= 0 and _IS_TYPE[op]:
                source.pos = pos + 1
                self._key_and_value(op)
                bare = True
            else:
                source.pos = pos
                if op == OP_EOF:
                    source.pos += 1
                    return
                bare = self._other_record()
            buffer = source.buffer
            pos = source.pos
            end = len(buffer)

    def footer(self, version: int) -> bool:
        """Check the checksum, if this version has one and the writer kept it; returns whether that was so."""
        self._state.doing = "check-sum"
        self._state.key = None
        if version < FIRST_VERSION_WITH_CHECKSUM:
            return False
        computed = self._source.crc()
        stored = int.from_bytes(self._source.take(CHECKSUM_BYTES), "little")
        if stored == 0 or not self._source.keep_crc:
            return False
        if stored != computed:
            raise self._source.corrupt(f"RDB CRC error: the file says {stored:016x}, its data {computed:016x}")
        return True

    def _put(self, key: bytes, value: object) -> None:
        self._receiver.put(key, value, self._expire_ms, self._idle_s, self._freq)
        self._expire_ms = self._idle_s = self._freq = -1

    def _other_record(self) -> bool:
        """Read a record that holds no key; returns whether the next key still has no TTL, idle time or frequency."""
        source = self._source
        state = self._state
        state.doing = "read-type"
        state.key = None
        began = source.offset()
        op = source.byte()
        if op == OP_EXPIRETIME_MS:
            self._expire_ms = int.from_bytes(source.take(8), "little", signed=True)
        elif op == OP_EXPIRETIME:
            seconds = int.from_bytes(source.take(4), "little", signed=True)
            self._expire_ms = -1 if seconds == -1 else seconds * 1000
        elif op == OP_IDLE:
            self._idle_s = read_length(source)
        elif op == OP_FREQ:
            self._freq = source.byte()
        elif op == OP_SELECTDB:
            self._receiver.select(read_length(source))
        elif op == OP_RESIZEDB:
            keys = read_length(source)
            self._receiver.resize(keys, read_length(source))
        elif op == OP_AUX:
            name = read_string(source)
            self._receiver.aux(name, read_string(source))
        elif op == OP_FUNCTION2:
            self._receiver.function(read_string(source))
        elif op == OP_FUNCTION_PRE_GA:
            self._receiver.function(read_old_function(source))
        elif op == OP_MODULE_AUX:
            state.doing = "read-module-aux"
            skip_module_aux(source)
        elif op == OP_SLOT_INFO:
            read_length(source)
            read_length(source)
            read_length(source)
        else:
            state.type_byte = op
            raise CorruptFile(source.name, began, f"Invalid object type: {op}")
        return self._expire_ms == -1 and self._idle_s < 0 and self._freq < 0

    def _key_and_value(self, type_byte: int) -> None:
        """Read the rest of a record that begins with a type."""
        state = self._state
        state.key = None
        state.type_byte = type_byte
        state.doing = "read-key"
        key = read_string(self._source)
        state.key = key
        state.doing = "read-object-value"
        try:
            value = read_value(self._source, type_byte, key)
        except UnsupportedType:
            raise
        except CorruptFile as error:
            reason = f"{error.reason} (in the value of key '{shown(key)}')"
            raise CorruptFile(error.path, error.offset, reason) from error
        self._put(key, value)
