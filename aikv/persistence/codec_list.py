"""Lists in RDB files and DUMP payloads.

Theory of operation: every list is written as a quicklist of listpacks, one for the small form, one per chunk for the
large one, which redis-server 7.0 reads. Of old there are lists of strings, ziplists and quicklists of ziplists. Chunks
are read as they are, so a list keeps its shape; the last step is Redis's own choice of form for a list that was just
read. A list without elements is a fault of the file. A chunk without any is passed over: some versions of Redis wrote
such.
"""

from typing import Final, cast

from aikv.datatypes import listpack, listpack_check, lists
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.lists import List
from aikv.datatypes.quicklist import Quicklist
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
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

TYPE_LIST: Final = 1
TYPE_LIST_ZIPLIST: Final = 10
TYPE_LIST_QUICKLIST: Final = 14
TYPE_LIST_QUICKLIST_2: Final = 18
# How the elements of a chunk stand in type 18: a single one as it is, or a listpack.
PLAIN: Final = 1
PACKED: Final = 2
# LZF would find little in a shorter listpack, and take longer than all the rest of writing it.
_PACKED_FROM: Final = 256


def read_list(source: Source) -> object:
    """Type 1: the number of elements, then each."""
    count = read_length(source)
    quick = Quicklist()
    for _ in range(count):
        quick.push_tail(read_string(source), CONFIGURED.list_listpack_size)
    return _settled(source, quick)


def read_list_ziplist(source: Source) -> object:
    """Type 10: one string, the ziplist of all elements."""
    quick = Quicklist()
    _push(quick, _read_ziplist(source))
    return _settled(source, quick)


def read_list_quicklist(source: Source) -> object:
    """Type 14: the number of chunks, then each as one string, a ziplist."""
    count = read_length(source)
    quick = Quicklist()
    for _ in range(count):
        _push(quick, _read_ziplist(source))
    return _settled(source, quick)


def read_list_quicklist_2(source: Source) -> object:
    """Type 18: the number of chunks, then for each how it stands and one string."""
    count = read_length(source)
    quick = Quicklist()
    for _ in range(count):
        container = read_length(source)
        if container == PLAIN:
            _push(quick, listpack.from_texts([read_string(source)]))
        elif container == PACKED:
            pack = _read_listpack(source)
            if count == 1 and listpack.length(pack) > 0:
                # As nearly all are, and spared the way through a chunk.
                return lists.from_listpack(pack, CONFIGURED)
            _push(quick, pack)
        else:
            raise source.corrupt(f"a list with a chunk of unknown kind {container}")
    return _settled(source, quick)


class ListWriter(ValueWriter):
    """`List`."""

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return TYPE_LIST_QUICKLIST_2

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        packs = cast(List, value).packs()
        sink.write(encode_length(len(packs)))
        kind = encode_length(PACKED)
        for pack in packs:
            sink.write(kind)
            write_string(sink, pack, packing and len(pack) >= _PACKED_FROM)


VALUE_READERS.update(
    {
        TYPE_LIST: read_list,
        TYPE_LIST_ZIPLIST: read_list_ziplist,
        TYPE_LIST_QUICKLIST: read_list_quicklist,
        TYPE_LIST_QUICKLIST_2: read_list_quicklist_2,
    }
)
VALUE_WRITERS[List] = ListWriter()


def _settled(source: Source, quick: Quicklist) -> List:
    if quick.count == 0:
        raise source.corrupt("a list without elements")
    made = List()
    made.quick = quick
    made.settle(CONFIGURED)
    return made


def _push(quick: Quicklist, pack: bytes) -> None:
    if listpack.length(pack) > 0:
        quick.push_pack(pack)


def _read_listpack(source: Source) -> bytes:
    data = read_string(source)
    try:
        return listpack_check.validated(data)
    except ValueError as error:
        raise source.corrupt(str(error)) from error


def _read_ziplist(source: Source) -> bytes:
    data = read_string(source)
    try:
        return listpack.from_texts(ziplist_entries(data))
    except ValueError as error:
        raise source.corrupt(str(error)) from error
