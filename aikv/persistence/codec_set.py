"""Sets in RDB files and DUMP payloads.

Theory of operation: a set of integers is written as its intset, any other as its members one by one, which redis-server
7.0 reads; the listpack that Redis 7.2 writes is read only. A member that stands twice, and a set without members, are
faults of the file.
"""

from typing import Final, cast

from mypy_extensions import i64

from aikv.datatypes import intset, listpack, listpack_check, sets
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.listpack_distinct import are_distinct
from aikv.datatypes.listpack_row import from_row, row_size
from aikv.datatypes.sets import Set
from aikv.datatypes.table import Table
from aikv.persistence.codec import (
    VALUE_READERS,
    VALUE_WRITERS,
    ValueWriter,
    encode_length,
    read_length,
    read_string,
    write_string,
)
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

TYPE_SET: Final = 2
TYPE_SET_INTSET: Final = 11
TYPE_SET_LISTPACK: Final = 20
# LZF would find little in a shorter intset, and take longer than all the rest of writing it.
_PACKED_FROM: Final = 256
# No file has room for more members; larger numbers would not fit where they are compared.
_MOST: Final = 1 << 48
_TWICE: Final = "a set with a member that stands twice"
_EMPTY: Final = "a set without members"


def read_set(source: Source) -> object:
    """Type 2: the number of members, then each."""
    count = read_length(source)
    if count == 0:
        raise source.corrupt(_EMPTY)
    if count > _MOST:
        raise source.corrupt(f"a set of {count} members")
    if count > max(CONFIGURED.set_intset_entries, CONFIGURED.set_listpack_entries):
        made = Set()
        table = Table()
        for _ in range(count):
            if not table.set(read_string(source), True):
                raise source.corrupt(_TWICE)
        made.hold(table)
        return made
    pack = _from_row(source, count) if count <= CONFIGURED.set_listpack_entries else None
    if pack is not None:
        return _from_listpack(source, pack)
    members: list[bytes] = []
    for _ in range(count):
        members.append(read_string(source))
    if len(set(members)) != count:
        raise source.corrupt(_TWICE)
    return sets.gather(members, CONFIGURED)


def read_set_intset(source: Source) -> object:
    """Type 11: one string, the intset."""
    data = read_string(source)
    try:
        pack = intset.validated(data)
    except ValueError as error:
        raise source.corrupt(str(error)) from error
    if intset.length(pack) == 0:
        raise source.corrupt(_EMPTY)
    return sets.from_intset(pack, CONFIGURED)


def read_set_listpack(source: Source) -> object:
    """Type 20: one string, the listpack of members."""
    data = read_string(source)
    try:
        pack = listpack_check.validated(data)
    except ValueError as error:
        raise source.corrupt(str(error)) from error
    return _from_listpack(source, pack)


class SetWriter(ValueWriter):
    """`Set`."""

    def type_byte(self, value: object) -> int:
        return TYPE_SET_INTSET if cast(Set, value).is_intset else TYPE_SET

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        held = cast(Set, value)
        if held.is_intset:
            write_string(sink, held.pack, packing and len(held.pack) >= _PACKED_FROM)
            return
        sink.write(encode_length(len(held)))
        for member in held.members():
            write_string(sink, member, packing)


VALUE_READERS.update({TYPE_SET: read_set, TYPE_SET_INTSET: read_set_intset, TYPE_SET_LISTPACK: read_set_listpack})
VALUE_WRITERS[Set] = SetWriter()


def _from_listpack(source: Source, pack: bytes) -> Set:
    if listpack.length(pack) == 0:
        raise source.corrupt(_EMPTY)
    if not are_distinct(pack, 1):
        raise source.corrupt(_TWICE)
    return sets.from_listpack(pack, CONFIGURED)


def _from_row(source: Source, count: i64) -> bytes | None:
    """The listpack of the `count` members at `source`, if that is made without looking at each; else nothing is read.

    So it is where all of them are short texts and stand in the source's block, as those of most small sets do.
    """
    start: i64 = source.pos
    pack = from_row(source.buffer, start, count, CONFIGURED.set_listpack_value)
    if pack is not None:
        source.pos = start + row_size(pack, count)
    return pack
