"""What can be saved of a damaged RDB file: the keys before the first fault.

Theory of operation: behind a fault nothing in an RDB can be trusted, because where a record begins follows from the one
before it. So while check-rdb reads, each key that was read whole is written to a new file too, which is ended properly
where the reading ended.
"""

from collections.abc import Callable

from aikv.persistence.check_rdb import Counter
from aikv.persistence.files import Files
from aikv.persistence.rdb_convert import Converter, NewFile
from aikv.persistence.rdb_format import MAGIC, NEWEST_VERSION, WRITTEN_VERSION
from aikv.persistence.source import Source


class SalvagingCounter(Counter):
    """Counts, and hands what it counts on to a `Converter`."""

    def __init__(self, source: Source, now_ms: int, line: Callable[[str], None], into: Converter) -> None:
        super().__init__(source, now_ms, line)
        self._into = into

    def aux(self, name: bytes, value: bytes) -> None:
        super().aux(name, value)
        self._into.aux(name, value)

    def function(self, code: bytes) -> None:
        super().function(code)
        self._into.function(code)

    def select(self, db: int) -> None:
        super().select(db)
        self._into.select(db)

    def resize(self, db_size: int, expires_size: int) -> None:
        super().resize(db_size, expires_size)
        self._into.resize(db_size, expires_size)

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        super().put(key, value, expire_ms, idle_s, freq)
        self._into.put(key, value, expire_ms, idle_s, freq)


class Salvage:
    """The new file `path`, and the `converter` that writes it; `head` is how the damaged file begins."""

    def __init__(self, path: str, head: bytes) -> None:
        digits = head[len(MAGIC) : len(MAGIC) + 4]
        said = int(digits) if digits.isdigit() else WRITTEN_VERSION
        # No newer than need be, so that the server that wrote the file reads it.
        version = said if WRITTEN_VERSION < said <= NEWEST_VERSION else WRITTEN_VERSION
        self._file = NewFile(Files(), path)
        self.converter = Converter(self._file.sink, version)

    def finish(self) -> int:
        """End the file and give it its name; returns the number of keys. Raises `OSError`."""
        self.converter.finish()
        self._file.commit()
        return self.converter.keys

    def abandon(self, cause: BaseException) -> None:
        """Leave nothing behind, because of `cause`."""
        self._file.abandon(cause)
