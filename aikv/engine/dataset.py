"""Filling the databases from a file.

Theory of operation: the loaders of `persistence` know the formats and hand over what they read; `DatasetReceiver` puts
it into the databases. A key that ran out before the load is left out on the way in, except from the base of an AOF,
whose later commands may still refer to it.
"""

from typing import Final

from aikv.base import log
from aikv.base.errors import AikvError
from aikv.engine.engine import Engine
from aikv.keyspace.database import NO_EXPIRY, Database
from aikv.persistence.rdb_read import Receiver

# Bytes read between two lines of progress in the log.
PROGRESS_EVERY: Final = 64 * 1024 * 1024
# A type, an empty key and an empty value.
_SMALLEST_KEY: Final = 3


class DatasetReceiver(Receiver):
    """Puts what an RDB holds into `engine`'s databases.

    `keep_expired` takes keys past their time, too; `merge` lets a key replace one that is there, where otherwise a key
    that is met twice is a fault of the file. `size` is the file's, in bytes, for the report of progress; `name` is what
    errors call it.
    """

    def __init__(self, engine: Engine, keep_expired: bool, merge: bool, size: int, name: str = "the data file") -> None:
        self._engine = engine
        self._keep_expired = keep_expired
        self._merge = merge
        self._size = size
        self._name = name
        self._now_ms = engine.clock.unix_ms()
        self._db: Database = engine.databases[0]
        self._next_report = PROGRESS_EVERY
        self.loaded = 0
        self.expired = 0

    def select(self, db: int) -> None:
        if db >= len(self._engine.databases):
            raise AikvError(
                f"{self._name} holds database {db}, but only {len(self._engine.databases)} are configured: "
                f"start with `databases {db + 1}` or more"
            )
        self._db = self._engine.databases[db]

    def resize(self, db_size: int, expires_size: int) -> None:
        # No key takes fewer bytes, and nobody else vouches for the numbers.
        most = self._size // _SMALLEST_KEY
        self._db.table.reserve(min(db_size, most))
        self._db.expires.reserve(min(expires_size, most))

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        if expire_ms != NO_EXPIRY and expire_ms < self._now_ms and not self._keep_expired:
            self.expired += 1
            return
        database = self._db
        if not database.put(key, value):
            if not self._merge:
                raise AikvError(f"{self._name} holds the key {key!r} of database {database.index} twice")
            database.persist(key)
        database.follow_fields(key, value)
        self.loaded += 1
        if expire_ms != NO_EXPIRY:
            database.set_expire(key, expire_ms)
        if idle_s >= 0:
            database.set_idle(key, idle_s, self._now_ms // 1000)
        if freq >= 0:
            database.access.set_frequency(key, freq, self._now_ms // 1000)

    def finish(self) -> None:
        """The file has been read, or as much of it as will be: what was announced and did not come is given up."""
        for database in self._engine.databases:
            database.table.fit()
            database.expires.fit()

    def progress(self, offset: int) -> None:
        if offset >= self._next_report:
            self._next_report = offset + PROGRESS_EVERY
            log.notice("Loading: %d of %d MB, %d keys", offset >> 20, self._size >> 20, self.loaded)
