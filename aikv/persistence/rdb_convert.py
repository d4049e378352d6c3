"""An RDB file of one version turned into one of another.

Theory of operation: the reader hands over key by key, and a writer puts each into the types that the wanted version
knows, so memory is bounded by the largest value. Version 10 and its types are what aikv writes anyway. Version 9
(Redis 5 and 6) knows no listpacks, hence lists, hashes and sorted sets are written element by element, which every
Redis loads and brings into the form it likes; streams lose what Redis 7 added to them. Version 11 (Redis 7.2) says when
a consumer of a stream was last given anything. What a version cannot hold at all is refused, never dropped silently:
functions before version 10, times of hash fields before version 12.
"""

import os
import struct
from typing import Final, cast

from aikv.base.errors import AikvError
from aikv.datatypes.field_times import NO_TIME
from aikv.datatypes.hashes import Hash
from aikv.datatypes.lists import List
from aikv.datatypes.stream import Stream
from aikv.datatypes.zsets import SortedSet
from aikv.persistence.codec import VALUE_WRITERS, ValueWriter, encode_length, shown, write_string
from aikv.persistence.codec_hash import TYPE_HASH
from aikv.persistence.codec_list import TYPE_LIST
from aikv.persistence.codec_stream import StreamWriter
from aikv.persistence.codec_zset import TYPE_ZSET_2
from aikv.persistence.files import Files
from aikv.persistence.rdb_format import FIELD_TIMES_VERSION
from aikv.persistence.rdb_read import Receiver
from aikv.persistence.rdb_write import RdbWriter
from aikv.persistence.sink import FileSink, Sink
from aikv.persistence.snapshot import remove_temporary

_FIRST_WITH_FUNCTIONS: Final = 10
_FIRST_WITH_STREAM_3: Final = 11
_SCORE: Final = struct.Struct("<d")


class CannotConvert(AikvError):
    """The wanted version cannot hold what the file holds."""


class PlainListWriter(ValueWriter):
    """A list, element by element."""

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return TYPE_LIST

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        elements = cast(List, value).elements()
        sink.write(encode_length(len(elements)))
        for element in elements:
            write_string(sink, element, packing)


class PlainHashWriter(ValueWriter):
    """A hash, field by field."""

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return TYPE_HASH

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        pairs = cast(Hash, value).pairs()
        sink.write(encode_length(len(pairs) // 2))
        for text in pairs:
            write_string(sink, text, packing)


class PlainSortedSetWriter(ValueWriter):
    """A sorted set, member by member, the highest first."""

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return TYPE_ZSET_2

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        held = cast(SortedSet, value)
        members, scores = held.columns(0, len(held))
        sink.write(encode_length(len(members)))
        for place in range(len(members) - 1, -1, -1):
            write_string(sink, members[place], packing)
            sink.write(_SCORE.pack(cast(float, scores[place])))


_OLD_WRITERS: Final[dict[type, ValueWriter]] = {
    List: PlainListWriter(),
    Hash: PlainHashWriter(),
    SortedSet: PlainSortedSetWriter(),
}
_OLD_WRITERS[Stream] = StreamWriter(1)
_NEW_STREAM: Final = StreamWriter(3)


class VersionWriter(RdbWriter):
    """Writes the types that `version`, 9 to 12, knows."""

    def __init__(self, sink: Sink, packing: bool, version: int) -> None:
        super().__init__(sink, packing)
        self._version: Final = version

    def writer_of(self, key: bytes, value: object) -> ValueWriter:
        if isinstance(value, Hash) and value.next_expiry() != NO_TIME and self._version < FIELD_TIMES_VERSION:
            raise CannotConvert(
                f"the hash '{shown(key)}' has fields with times, which version {self._version} cannot hold: convert to "
                f"version {FIELD_TIMES_VERSION}"
            )
        if self._version >= _FIRST_WITH_STREAM_3 and isinstance(value, Stream):
            return _NEW_STREAM
        if self._version < _FIRST_WITH_FUNCTIONS:
            return _OLD_WRITERS.get(type(value)) or VALUE_WRITERS[type(value)]
        return VALUE_WRITERS[type(value)]


class Converter(Receiver):
    """Writes what it is given to `sink`; call `finish` at the end. Raises `CannotConvert`."""

    def __init__(self, sink: Sink, version: int, packing: bool = True) -> None:
        self._writer: Final = VersionWriter(sink, packing, version)
        self._version: Final = version
        self._aux: Final[list[tuple[bytes, bytes]]] = []
        self._begun: bool = False
        # The database whose keys come next, until its first one has come.
        self._db: int = 0
        self._sizes: tuple[int, int] = (0, 0)
        self._selected: int = -1

    @property
    def keys(self) -> int:
        """How many keys have been written."""
        return self._writer.keys

    def aux(self, name: bytes, value: bytes) -> None:
        if not self._begun:
            self._aux.append((name, value))

    def function(self, code: bytes) -> None:
        if self._version < _FIRST_WITH_FUNCTIONS:
            raise CannotConvert(
                f"the file holds functions, which version {self._version} cannot hold: delete them first "
                f"(FUNCTION FLUSH), or convert to version {_FIRST_WITH_FUNCTIONS}"
            )
        self._begin()
        self._writer.function(code)

    def select(self, db: int) -> None:
        self._db = db
        self._sizes = (0, 0)

    def resize(self, db_size: int, expires_size: int) -> None:
        self._sizes = (db_size, expires_size)

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        if self._selected != self._db:
            self._begin()
            self._selected = self._db
            self._writer.select(self._db, self._sizes[0], self._sizes[1])
        self._writer.entry(key, value, expire_ms, idle_s, freq)

    def finish(self) -> None:
        """Write the end."""
        self._begin()
        self._writer.finish()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._writer.header(self._aux, self._version)


class NewFile:
    """A file that gets its name `path` when it is whole; until then nothing is there, or what was there before."""

    def __init__(self, files: Files, path: str) -> None:
        self._files: Final = files
        self._path: Final = path
        self._temporary: Final = f"{path}.partial-{os.getpid()}"
        self._fd: Final = files.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        self.sink: Final = FileSink(files, self._fd)

    def commit(self) -> None:
        """Everything has been written: force it to the disk and give it its name. Raises `OSError`."""
        self.sink.flush()
        self._files.fsync(self._fd)
        self._files.close(self._fd)
        self._files.rename(self._temporary, self._path)
        self._files.fsync_dir(os.path.dirname(self._path) or ".")

    def abandon(self, cause: BaseException) -> None:
        """Remove what was written, because of `cause`."""
        remove_temporary(self._files, self._temporary, cause)
