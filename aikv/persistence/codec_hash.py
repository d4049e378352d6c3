"""Hashes in RDB files and DUMP payloads.

Theory of operation: a small hash is written as its listpack, a large one as field and value in turn; both are read by
redis-server 7.0. A hash some of whose fields have times is written as Redis 7.4 does, which no older server reads: a
large one as (time, field, value), where a time is relative to the earliest and 0 stands for none; a small one as a
listpack of (field, value, time), earliest first and those without a time last. Before each stands the earliest time.
Redis 7.4's release candidates did without it, and had absolute times throughout. Ziplists and zipmaps are of old.
A field that stands twice, and a hash without fields, are faults of the file.
"""

from collections.abc import Callable
from typing import Final, cast

from aikv.datatypes import hashes, listpack, listpack_check
from aikv.datatypes.field_times import NO_TIME
from aikv.datatypes.hashes import Hash
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.listpack_distinct import are_distinct
from aikv.persistence.codec import (
    VALUE_READERS,
    VALUE_WRITERS,
    ValueWriter,
    encode_length,
    read_length,
    read_string,
    write_string,
)
from aikv.persistence.codec_ziplist import ziplist_entries
from aikv.persistence.codec_zipmap import zipmap_entries
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

TYPE_HASH: Final = 4
TYPE_HASH_ZIPMAP: Final = 9
TYPE_HASH_ZIPLIST: Final = 13
TYPE_HASH_LISTPACK: Final = 16
TYPE_HASH_TIMES_PRE_RELEASE: Final = 22
TYPE_HASH_LISTPACK_TIMES_PRE_RELEASE: Final = 23
TYPE_HASH_TIMES: Final = 24
TYPE_HASH_LISTPACK_TIMES: Final = 25
# Redis keeps the times of fields in 48 bits, of which it takes the largest for none.
_LATEST: Final = (1 << 48) - 2
_TIME_BYTES: Final = 8
# LZF would find little in a shorter listpack, and take longer than all the rest of writing it.
_PACKED_FROM: Final = 256
# No file has room for more fields; larger numbers would not fit where they are compared.
_MOST: Final = 1 << 48


def read_hash(source: Source) -> object:
    """Type 4: the number of fields, then field and value in turn."""
    count = _read_count(source)
    made = Hash()
    if count <= CONFIGURED.hash_listpack_entries:
        flat: list[bytes] = []
        for _ in range(2 * count):
            flat.append(read_string(source))
        return _from_pairs(source, flat)
    made.prepare(count, CONFIGURED)
    for _ in range(count):
        _set_new(source, made, read_string(source), read_string(source))
    return made


def read_hash_listpack(source: Source) -> object:
    """Type 16: one string, the listpack of fields and values."""
    return _with_distinct_fields(source, _read_pack(source, 2))


def read_hash_ziplist(source: Source) -> object:
    """Type 13: one string, the ziplist of fields and values."""
    return _with_distinct_fields(source, listpack.from_texts(_read_old(source, ziplist_entries)))


def read_hash_zipmap(source: Source) -> object:
    """Type 9: one string, the zipmap."""
    return _from_pairs(source, _read_old(source, zipmap_entries))


def read_hash_times(source: Source) -> object:
    """Type 24: the earliest time, the number of fields, then (time, field, value), times relative to the earliest."""
    return _read_timed(source, _read_time(source) - 1)


def read_hash_times_pre_release(source: Source) -> object:
    """Type 22: as 24, without the earliest time, and times absolute."""
    return _read_timed(source, 0)


def read_hash_listpack_times(source: Source) -> object:
    """Type 25: the earliest time, and one string, the listpack of (field, value, time)."""
    source.take(_TIME_BYTES)
    return read_hash_listpack_times_pre_release(source)


def read_hash_listpack_times_pre_release(source: Source) -> object:
    """Type 23: as 25, without the earliest time."""
    texts = listpack.entries(_read_pack(source, 3))
    flat: list[bytes] = []
    for index in range(0, len(texts), 3):
        flat.append(texts[index])
        flat.append(texts[index + 1])
    made = _with_distinct_fields(source, listpack.from_texts(flat))
    for index in range(0, len(texts), 3):
        text = texts[index + 2]
        # No time that may be stands has more digits.
        if not text.isdigit() or len(text) > 15:
            raise source.corrupt("a hash field with a time that is no number")
        _set_time(source, made, texts[index], int(text))
    return made


class HashWriter(ValueWriter):
    """`Hash`."""

    def type_byte(self, value: object) -> int:
        held = cast(Hash, value)
        if held.next_expiry() == NO_TIME:
            return TYPE_HASH_LISTPACK if held.table is None else TYPE_HASH
        return TYPE_HASH_LISTPACK_TIMES if held.table is None else TYPE_HASH_TIMES

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        held = cast(Hash, value)
        earliest = held.next_expiry()
        if earliest != NO_TIME:
            sink.write(earliest.to_bytes(_TIME_BYTES, "little"))
        table = held.table
        if table is None:
            pack = held.pack if earliest == NO_TIME else _timed_listpack(held)
            write_string(sink, pack, packing and len(pack) >= _PACKED_FROM)
            return
        sink.write(encode_length(table.used))
        for bucket in table.buckets:
            for field, text in bucket.items():
                if earliest != NO_TIME:
                    when = held.expiry_of(field)
                    sink.write(encode_length(0 if when == NO_TIME else when - earliest + 1))
                write_string(sink, field, packing)
                write_string(sink, cast(bytes, text), packing)


VALUE_READERS.update(
    {
        TYPE_HASH: read_hash,
        TYPE_HASH_ZIPMAP: read_hash_zipmap,
        TYPE_HASH_ZIPLIST: read_hash_ziplist,
        TYPE_HASH_LISTPACK: read_hash_listpack,
        TYPE_HASH_TIMES_PRE_RELEASE: read_hash_times_pre_release,
        TYPE_HASH_LISTPACK_TIMES_PRE_RELEASE: read_hash_listpack_times_pre_release,
        TYPE_HASH_TIMES: read_hash_times,
        TYPE_HASH_LISTPACK_TIMES: read_hash_listpack_times,
    }
)
VALUE_WRITERS[Hash] = HashWriter()


def _timed_listpack(held: Hash) -> bytes:
    """The small hash `held` as a listpack of (field, value, time), in the order in which Redis keeps them."""
    timed: list[tuple[int, bytes]] = []
    timeless: list[bytes] = []
    for field in held.fields():
        when = held.expiry_of(field)
        if when == NO_TIME:
            timeless.append(field)
        else:
            timed.append((when, field))
    timed.sort()
    texts: list[bytes] = []
    for when, field in timed:
        texts += [field, held.get(field) or b"", b"%d" % when]
    for field in timeless:
        texts += [field, held.get(field) or b"", b"0"]
    return listpack.from_texts(texts)


def _read_count(source: Source) -> int:
    count = read_length(source)
    if count == 0:
        raise source.corrupt("a hash without fields")
    if count > _MOST:
        raise source.corrupt(f"a hash of {count} fields")
    return count


def _read_time(source: Source) -> int:
    when = int.from_bytes(source.take(_TIME_BYTES), "little")
    if when > _LATEST:
        raise source.corrupt("a hash field with a time beyond the largest")
    return when


def _read_timed(source: Source, origin: int) -> Hash:
    """Fields with times, each of which, unless 0, is so much later than `origin`."""
    count = _read_count(source)
    made = Hash()
    made.prepare(count, CONFIGURED)
    for _ in range(count):
        time = read_length(source)
        field = read_string(source)
        _set_new(source, made, field, read_string(source))
        _set_time(source, made, field, origin + time if time else 0)
    return made


def _read_pack(source: Source, group: int) -> bytes:
    """A string that is a listpack of groups of `group` elements."""
    data = read_string(source)
    try:
        pack = listpack_check.validated(data)
    except ValueError as error:
        raise source.corrupt(str(error)) from error
    if listpack.length(pack) % group:
        raise source.corrupt("a hash that ends within a field")
    return pack


def _read_old(source: Source, parse: Callable[[bytes], list[bytes]]) -> list[bytes]:
    """A string that is fields and values in a form that `parse` reads."""
    data = read_string(source)
    try:
        texts = parse(data)
    except ValueError as error:
        raise source.corrupt(str(error)) from error
    if len(texts) % 2:
        raise source.corrupt("a hash that ends within a field")
    return texts


def _from_pairs(source: Source, flat: list[bytes]) -> Hash:
    made = Hash()
    if made.set_pairs(flat, 0, CONFIGURED) * 2 != len(flat):
        raise source.corrupt("a hash with a field that stands twice")
    if not flat:
        raise source.corrupt("a hash without fields")
    return made


def _with_distinct_fields(source: Source, pack: bytes) -> Hash:
    """The hash that `pack`, fields and values in turn, is."""
    if listpack.length(pack) == 0:
        raise source.corrupt("a hash without fields")
    if not are_distinct(pack, 2):
        raise source.corrupt("a hash with a field that stands twice")
    return hashes.from_listpack(pack, CONFIGURED)


def _set_new(source: Source, made: Hash, field: bytes, value: bytes) -> None:
    if not made.set(field, value, CONFIGURED):
        raise source.corrupt("a hash with a field that stands twice")


def _set_time(source: Source, made: Hash, field: bytes, when: int) -> None:
    """Give `field` the time `when`, unless that is 0."""
    if when > _LATEST:
        raise source.corrupt("a hash field with a time beyond the largest")
    if when > 0:
        made.set_expiry(field, when)
