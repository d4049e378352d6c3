"""What follows from a key, or a field of a hash, that has run out.

Theory of operation: expiry is the one change that no command makes, so `Context.changed` does not see it. A database
tells its `Watcher` instead, and this one does what `changed` and the journal would do for a command: the removal is
recorded, as if a client had asked for it, and watching, caching, waiting and subscribed clients get to know.
"""

from typing import TYPE_CHECKING

from aikv.engine import events
from aikv.keyspace.database import Database, Watcher

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


class Expired(Watcher):
    """Told of what runs out in the databases of one engine."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def expired(self, database: Database, key: bytes) -> None:
        """A key has run out."""
        engine = self._engine
        engine.stats.expired += 1
        engine.journal.record(database.index, [b"DEL", key])
        self._touched(database, key)
        if database.waiting:
            engine.waits.mark(database, key)
        if engine.notify:
            engine.notifications.announce(database.index, key, events.KEY_EXPIRED)
        self._end()

    def fields_expired(self, database: Database, key: bytes, fields: list[bytes], emptied: bool) -> None:
        """Fields of a hash have run out, and the whole hash where `emptied`."""
        engine = self._engine
        engine.journal.record(database.index, [b"HDEL", key, *fields])
        self._touched(database, key)
        if engine.notify:
            engine.notifications.announce(database.index, key, events.HASH_EXPIRED)
            if emptied:
                engine.notifications.announce(database.index, key, events.DEL)
        self._end()

    def run_out(self, value: object) -> None:
        """A value has run out: it is freed in slices."""
        self._engine.releaser.value(value)

    def _touched(self, database: Database, key: bytes) -> None:
        if database.watched:
            database.touch_watchers(key)
        if self._engine.tracks:
            self._engine.tracking.changed(key, None)

    def _end(self) -> None:
        """What runs out while a command runs is in the command's unit of the journal."""
        if self._engine.unit_depth() == 0:
            self._engine.journal.commit()
