"""What a handler is given: one client's view of the engine.

Theory of operation: made once per client, so that a command makes no object for it. It holds the shortest way to
everything that commands share: looking a key up (with expiry, statistics, access times), storing it, and reporting the
change. `changed` is the one place from which the journal, WATCH, keyspace events and caching clients learn of a change.
"""

from collections.abc import Sized
from typing import TYPE_CHECKING

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.datatypes.strings import FloatText
from aikv.engine import events
from aikv.engine.client import Client
from aikv.engine.events import Event
from aikv.keyspace.database import Database

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


class Context:
    """The engine as `client` sees it. `db` is the client's selected database."""

    def __init__(self, engine: "Engine", client: Client) -> None:
        self.engine = engine
        self.client = client
        self.db: Database = engine.databases[client.db]
        # The forms in which the running command goes to the journal; None for the form in which it came.
        self.rewritten: list[list[bytes]] | None = None

    def select(self, index: int) -> None:
        """Make database `index` the client's own."""
        self.client.db = index
        self.db = self.engine.databases[index]

    def lookup(self, key: bytes) -> object | None:
        """The value of `key` for a command that reads it: counts a hit or a miss and notes the use."""
        engine = self.engine
        db = self.db
        if db.recent_s is engine.now_s and key == db.recent_key:
            engine.stats.hits += 1
            return db.recent
        value = db.find(key, engine.now_ms)
        if value is None:
            engine.stats.misses += 1
            if engine.notify & events.KEYMISS:
                engine.notifications.announce(db.index, key, events.KEY_MISS)
            return None
        engine.stats.hits += 1
        if not self.client.no_touch:
            if engine.lfu:
                engine.touch(db, key)
            else:
                db.use(key, value, engine.now_s)
        return value

    def look(self, key: bytes) -> object | None:
        """The value of `key` for a command that asks about it: counts a hit or a miss, notes no use."""
        value = self.inspect(key)
        if value is None and self.engine.notify & events.KEYMISS:
            self.engine.notifications.announce(self.db.index, key, events.KEY_MISS)
        return value

    def inspect(self, key: bytes) -> object | None:
        """The value of `key` for a command that asks how it is kept: as `look`, but a miss is not announced."""
        engine = self.engine
        value = self.db.find(key, engine.now_ms)
        if value is None:
            engine.stats.misses += 1
        else:
            engine.stats.hits += 1
        return value

    def peek(self, key: bytes) -> object | None:
        """The value of `key` for a command that writes it: no hit or miss is counted."""
        engine = self.engine
        db = self.db
        if db.recent_s is engine.now_s and key == db.recent_key:
            return db.recent
        value = db.find(key, engine.now_ms)
        if value is not None and not self.client.no_touch:
            if engine.lfu:
                engine.touch(db, key)
            else:
                db.use(key, value, engine.now_s)
        return value

    def glance(self, key: bytes) -> object | None:
        """The value of `key`, leaving no trace: neither statistics nor access time."""
        db = self.db
        if db.recent_s is self.engine.now_s and key == db.recent_key:
            return db.recent
        return db.find(key, self.engine.now_ms)

    def lookup_string(self, key: bytes) -> bytes | None:
        """The string at `key` as bytes, for reading; raises WRONGTYPE for another type."""
        value = self.lookup(key)
        if value is None or type(value) is bytes:
            return value
        return string_bytes(value)

    def put(self, key: bytes, value: object) -> None:
        """Store `value` at `key`; the TTL stays."""
        engine = self.engine
        db = self.db
        if db.recent_s is engine.now_s and key == db.recent_key:
            db.put_recent(value)
        else:
            self._put(key, value)

    def replace(self, key: bytes, value: object) -> None:
        """Store `value` at `key`; the TTL goes, and so, reported, does a predecessor that has run out."""
        db = self.db
        if db.recent_s is self.engine.now_s and key == db.recent_key and not db.recent_has_ttl:
            self._release(db.recent)
            db.put_recent(value)
            return
        if db.expires.used:
            self.forget_expired(key)
            db.persist(key)
        if db.collections:
            self.release(key)
        self._put(key, value)

    def store(self, key: bytes, value: object, event: Event) -> None:
        """`replace` and `changed`, which is what SET and its like do, with fewer calls."""
        engine = self.engine
        db = self.db
        if db.recent_s is engine.now_s and key == db.recent_key and not db.recent_has_ttl:
            if type(db.recent) is not bytes:
                self._release(db.recent)
            db.put_recent(value)
        elif db.expires.used or db.collections:
            self.replace(key, value)
        else:
            self._put(key, value)
        engine.dirty += 1
        if db.watched or db.waiting or engine.tracks or engine.notify:
            self._tell(key, event)

    def release(self, key: bytes) -> None:
        """The value of `key`, if any, is about to be replaced: let it be freed in slices."""
        self._release(self.db.table.get(key))

    def forget_expired(self, key: bytes) -> None:
        """Let `key` go, if it is there only because nobody has looked it up since it ran out."""
        if self.db.expires.used and self.db.is_expired(key, self.engine.now_ms):
            self.glance(key)

    def remove(self, key: bytes) -> bool:
        """Remove `key`; False when it was not there. The caller reports the change."""
        value = self.db.remove(key)
        if value is None:
            return False
        if type(value) is not bytes:
            self.engine.releaser.value(value)
        return True

    def changed(self, key: bytes, event: Event) -> None:
        """Report that `key` of the selected database was changed by the running command."""
        engine = self.engine
        db = self.db
        engine.dirty += 1
        if db.watched or db.waiting or engine.tracks or engine.notify:
            self._tell(key, event)

    def changed_container(self, key: bytes, value: Sized, event: Event, changes: int = 1) -> None:
        """Report that the running command changed `changes` elements of `value`, which is what `key` holds.

        A container that has become empty is removed with its key, and `del` announced after `event`. Nothing is done
        where `changes` is 0.
        """
        if changes == 0:
            return
        engine = self.engine
        db = self.db
        engine.dirty += changes
        emptied = len(value) == 0
        if emptied:
            db.remove(key)
        if db.watched or db.waiting or engine.tracks or engine.notify:
            self._tell(key, event)
            if emptied:
                self.notify(key, events.DEL)

    def grown(self, key: bytes, event: Event, changes: int) -> None:
        """As `changed_container` for a command that only adds, after which nothing can be empty."""
        if changes > 0:
            engine = self.engine
            db = self.db
            engine.dirty += changes
            if db.watched or db.waiting or engine.tracks or engine.notify:
                self._tell(key, event)

    def touched(self, key: bytes) -> None:
        """Report what is no change but counts as one for WATCH and for caching clients; it is not journalled."""
        if self.db.watched:
            self.db.touch_watchers(key)
        if self.engine.tracks:
            self.engine.tracking.changed(key, self.client)

    def notify(self, key: bytes, event: Event) -> None:
        """Announce a further event of a change that `changed` has reported."""
        if self.engine.notify:
            self.engine.notifications.announce(self.db.index, key, event)

    def rewrite(self, argv: list[bytes]) -> None:
        """Let `argv` go to the journal in place of the running command; more calls add more commands."""
        if self.rewritten is None:
            self.rewritten = [argv]
        else:
            self.rewritten.append(argv)

    def _release(self, value: object | None) -> None:
        if value is not None and type(value) is not bytes:
            self.engine.releaser.value(value)

    def _put(self, key: bytes, value: object) -> None:
        engine = self.engine
        db = self.db
        if engine.lfu:
            created = db.put(key, value)
            engine.touch(db, key)
        else:
            created = db.put_used(key, value, engine.now_s)
        if created and engine.notify & events.NEW:
            engine.notifications.announce(db.index, key, events.KEY_NEW)

    def _tell(self, key: bytes, event: Event) -> None:
        """Let those know who want to hear of a change of `key`."""
        engine = self.engine
        db = self.db
        if db.watched:
            db.touch_watchers(key)
        if engine.tracks:
            engine.tracking.changed(key, self.client)
        if db.waiting:
            engine.waits.mark(db, key)
        if engine.notify:
            engine.notifications.announce(db.index, key, event)


def string_bytes(value: object) -> bytes:
    """A string value as bytes; raises WRONGTYPE for a value of another type."""
    if type(value) is bytes:
        return value
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, bytearray | FloatText):
        return bytes(value)
    raise CommandError(WRONGTYPE)
