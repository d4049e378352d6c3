"""Publishing keyspace events to whoever has subscribed to their channels.

Theory of operation: `Engine.notify` has the classes of events that `notify-keyspace-events` asks for, as bits of
`engine.events`; who changes a key asks `announce` only where there are any, so that events that nobody wants cost one
comparison.
"""

from typing import TYPE_CHECKING

from aikv.engine import events
from aikv.engine.events import Event

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


class Notifications:
    """The events of one engine."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._read_classes()
        engine.config.on_change("notify-keyspace-events", self._read_classes)

    def announce(self, db: int, key: bytes, event: Event) -> None:
        """Publish an event of `key` in database `db`, if its class has been asked for."""
        engine = self._engine
        if not engine.notify & event.kind:
            return
        if engine.notify & events.KEYSPACE:
            engine.pubsub.publish(b"__keyspace@%d__:%b" % (db, key), event.name)
        if engine.notify & events.KEYEVENT:
            engine.pubsub.publish(b"__keyevent@%d__:%b" % (db, event.name), key)

    def _read_classes(self) -> None:
        self._engine.notify = events.parse_classes(self._engine.config.get_str("notify-keyspace-events"))
