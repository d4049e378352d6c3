"""Publish and subscribe: who listens to what.

Theory of operation: three registers, for channels, patterns and shard channels, map a name to its listeners in the
order in which they came; a client keeps the names it listens to, in its `Subscriptions`, which is made by the first
one. A message is encoded once per protocol and appended to each listener's output, which its connection sends at the
end of the loop's turn; one that the running command sends to its own client follows its reply, as in Redis 7.2.
CLIENT REPLY OFF and SKIP leave out replies, not messages. Patterns are kept compiled.

A RESP2 client that listens to anything is in subscriber mode (the SUBSCRIBED gate); RESP3 has pushes and needs no mode.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.glob import Glob
from aikv.engine import gates
from aikv.engine.client import NORMAL, PUBSUB, Client
from aikv.resp.encoder import encode, encoded
from aikv.resp.reply import Push

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

CHANNELS: Final = 0
PATTERNS: Final = 1
SHARDS: Final = 2

# The first words of the messages of each kind: when it begins, when it ends, when something is published.
_SUBSCRIBE: Final = (b"subscribe", b"psubscribe", b"ssubscribe")
_UNSUBSCRIBE: Final = (b"unsubscribe", b"punsubscribe", b"sunsubscribe")


class Subscriptions:
    """What one client listens to, by kind, in the order of subscribing."""

    def __init__(self) -> None:
        self.names: Final[list[dict[bytes, None]]] = [{}, {}, {}]

    def total(self) -> int:
        """Number of channels, patterns and shard channels."""
        return len(self.names[CHANNELS]) + len(self.names[PATTERNS]) + len(self.names[SHARDS])

    def counted_with(self, kind: int) -> int:
        """The number that a message about `kind` reports: shard channels are counted apart from the others."""
        if kind == SHARDS:
            return len(self.names[SHARDS])
        return len(self.names[CHANNELS]) + len(self.names[PATTERNS])


class PubSub:
    """All listeners of one engine."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._listeners: Final[list[dict[bytes, dict[int, Client]]]] = [{}, {}, {}]
        self._globs: Final[dict[bytes, Glob]] = {}

    def subscribe(self, client: Client, kind: int, name: bytes) -> None:
        """Let `client` listen to `name`, and tell it so."""
        subscriptions = client.subscriptions
        if subscriptions is None:
            subscriptions = Subscriptions()
            client.subscriptions = subscriptions
        if name not in subscriptions.names[kind]:
            subscriptions.names[kind][name] = None
            self._listeners[kind].setdefault(name, {})[client.id] = client
            if kind == PATTERNS and name not in self._globs:
                self._globs[name] = Glob(name)
        update_mode(client)
        encode(client.out, Push([_SUBSCRIBE[kind], name, subscriptions.counted_with(kind)]), client.resp3)

    def unsubscribe(self, client: Client, kind: int, name: bytes) -> None:
        """Let `client` no longer listen to `name`, and tell it so, whether it did or not."""
        self._remove(client, kind, name)
        self._confirm_end(client, kind, name)

    def unsubscribe_all(self, client: Client, kind: int) -> None:
        """Let `client` listen to nothing of `kind`; it is told of each, or of nothing at all."""
        subscriptions = client.subscriptions
        names = list(subscriptions.names[kind]) if subscriptions is not None else []
        for name in names:
            self.unsubscribe(client, kind, name)
        if not names:
            self._confirm_end(client, kind, None)

    def forget(self, client: Client) -> None:
        """Let `client` listen to nothing, without a word."""
        subscriptions = client.subscriptions
        if subscriptions is not None:
            for kind in (CHANNELS, PATTERNS, SHARDS):
                for name in list(subscriptions.names[kind]):
                    self._remove(client, kind, name)
            client.subscriptions = None
            update_mode(client)

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send `message` to the listeners of `channel` and of patterns that match it; returns how many got it."""
        receivers = 0
        listeners = self._listeners[CHANNELS].get(channel)
        if listeners is not None:
            receivers += self._send(listeners, [b"message", channel, message])
        for pattern, glob in self._globs.items():
            if glob.match(channel):
                receivers += self._send(self._listeners[PATTERNS][pattern], [b"pmessage", pattern, channel, message])
        return receivers

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        """Send `message` to the listeners of the shard channel `channel`; returns how many got it."""
        listeners = self._listeners[SHARDS].get(channel)
        return self._send(listeners, [b"smessage", channel, message]) if listeners is not None else 0

    def names(self, kind: int, pattern: bytes | None) -> list[bytes]:
        """Names of `kind` that somebody listens to, those that match `pattern` if one is given."""
        if pattern is None:
            return list(self._listeners[kind])
        glob = Glob(pattern)
        return [name for name in self._listeners[kind] if glob.match(name)]

    def count(self, kind: int, name: bytes) -> int:
        """How many listen to `name`."""
        return len(self._listeners[kind].get(name, {}))

    def distinct(self, kind: int) -> int:
        """Number of names of `kind` that somebody listens to."""
        return len(self._listeners[kind])

    def _send(self, listeners: dict[int, Client], items: list[object]) -> int:
        """Send one message to each listener."""
        plain = b""
        pushed = b""
        message = Push(items)
        for client in listeners.values():
            if client.resp3:
                if not pushed:
                    pushed = encoded(message, True)
                self._engine.deliver(client, pushed)
            else:
                if not plain:
                    plain = encoded(message, False)
                self._engine.deliver(client, plain)
        return len(listeners)

    def _remove(self, client: Client, kind: int, name: bytes) -> None:
        subscriptions = client.subscriptions
        if subscriptions is None or name not in subscriptions.names[kind]:
            return
        del subscriptions.names[kind][name]
        listeners = self._listeners[kind][name]
        del listeners[client.id]
        if not listeners:
            del self._listeners[kind][name]
            if kind == PATTERNS:
                del self._globs[name]
        update_mode(client)

    def _confirm_end(self, client: Client, kind: int, name: bytes | None) -> None:
        subscriptions = client.subscriptions
        count = subscriptions.counted_with(kind) if subscriptions is not None else 0
        encode(client.out, Push([_UNSUBSCRIBE[kind], name, count]), client.resp3)


def update_mode(client: Client) -> None:
    """Open or close the SUBSCRIBED gate; to be called after a change of subscriptions or of protocol."""
    subscriptions = client.subscriptions
    listens = subscriptions is not None and subscriptions.total() > 0
    if client.kind in (PUBSUB, NORMAL):
        client.kind = PUBSUB if listens else NORMAL
    if listens and not client.resp3:
        client.gates |= gates.SUBSCRIBED
    else:
        client.gates &= ~gates.SUBSCRIBED


def listening(client: Client, kind: int) -> int:
    """How many names of `kind` the client listens to."""
    return len(client.subscriptions.names[kind]) if client.subscriptions is not None else 0
