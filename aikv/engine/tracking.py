"""Client-side caching: who has read which keys, and who is told when they change.

Theory of operation: a client that tracks has a `Tracker`. In the default mode the TRACKING gate is closed for it, so
that after a command that reads `engine.admission` has the keys remembered here: `Tracking` maps each key, whatever its
database, to the trackers that have read it. Whoever changes a key takes its entry out and tells them, once; they will
be told again when they have read it again. In BCAST mode nothing is remembered of reads: all changes below a prefix are
collected by `tracking_broadcast` and told at the end of the event loop's turn.

A message is a push, to a RESP3 client or to the client that it is redirected to; a redirect's target that speaks RESP2
gets it as a message of the channel `__redis__:invalidate`, provided that it listens to anything. What a client has to
know of its own changes waits until its command, or transaction, has been answered (`send_pending`).

`Engine.tracks` is false while there is nothing to tell anybody, so a server without caching clients pays one test for
each change. Entries of clients that have gone are dropped when the key changes, when a key has gathered many of them,
or when no client is left that has ever tracked.
Source: https://redis.io/docs/latest/develop/reference/client-side-caching/

Two things differ from Redis, which would leave clients with stale values or unreadable replies there: a null goes out
in the protocol of whoever receives it, and who is told because the table is full is told in NOLOOP mode, too.
"""

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from aikv.datatypes.table import Table
from aikv.engine import gates
from aikv.engine.client import PUBSUB, Client
from aikv.engine.command import Command
from aikv.engine.tracking_broadcast import Prefixes
from aikv.resp.encoder import encoded
from aikv.resp.reply import Push

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

# How a message begins; the keys follow.
_PUSHED: Final = b">2\r\n$10\r\ninvalidate\r\n"
_PUBLISHED: Final = b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"

# From so many trackers of one key on it is looked whether they are still there, each time they have doubled.
_MANY_TRACKERS: Final = 64
# Entries that are given up at once when the table is too large.
_EFFORT: Final = 100


class Modes:
    """What can be chosen by CLIENT TRACKING ON; `redirect` is the number of the client that is told, 0 for itself."""

    def __init__(self) -> None:
        self.broadcast = False
        self.opt_in = False
        self.opt_out = False
        self.no_loop = False
        self.redirect = 0
        self.prefixes: list[bytes] = []


class Tracker:
    """What one client has asked for; kept from its first CLIENT TRACKING ON until it leaves.

    `modes.prefixes` are all that it has given so far.
    """

    def __init__(self, client: Client) -> None:
        # None once the client has left.
        self.client: Client | None = client
        self.on = False
        self.modes = Modes()
        # The client to be told instead has been found to be missing.
        self.broken = False


class Tracking:
    """All caching clients of one engine."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.prefixes: Final = Prefixes()
        # key -> the tracker that has read it, or the set of those.
        self._readers = Table()
        # Pairs of a key and a tracker.
        self.items: i64 = 0
        # Clients that track, by number; and how many have ever done so and are still there.
        self.active: dict[int, Tracker] = {}
        self._known = 0
        # Keys that the client whose command runs has changed itself; None stands for all keys.
        self._own: list[bytes | None] = []
        self._max_keys = 0
        self._rounds_in_vain = 0
        engine.config.on_change("tracking-table-max-keys", self._read_limit)
        self._read_limit()

    @property
    def keys(self) -> int:
        """Number of keys that are remembered."""
        return self._readers.used

    # Clients.

    def begin(self, client: Client, modes: Modes) -> None:
        """Let `client` track in new `modes`, whose prefixes are added to those that it has given before."""
        tracker = client.tracker
        if tracker is None:
            tracker = Tracker(client)
            client.tracker = tracker
            self._known += 1
        for prefix in modes.prefixes:
            self.prefixes.join(prefix, client.id, tracker)
        modes.prefixes += [prefix for prefix in tracker.modes.prefixes if prefix not in modes.prefixes]
        tracker.modes = modes
        tracker.on = True
        tracker.broken = False
        if not modes.broadcast:
            client.gates |= gates.TRACKING
        self.active[client.id] = tracker
        self._engine.tracks = True

    def end(self, client: Client) -> None:
        """Let `client` track no more; harmless where it does not."""
        tracker = client.tracker
        if tracker is None or not tracker.on:
            return
        for prefix in tracker.modes.prefixes:
            self.prefixes.leave(prefix, client.id)
        tracker.modes = Modes()
        tracker.on = False
        tracker.broken = False
        client.gates &= ~(gates.TRACKING | gates.CACHING)
        del self.active[client.id]
        self._see_whether_anybody_is_left()

    def forget(self, client: Client) -> None:
        """A client has left."""
        tracker = client.tracker
        if tracker is None:
            return
        self.end(client)
        client.tracker = None
        tracker.client = None
        self._known -= 1
        if self._known == 0:
            self._drop_table()

    # Reading.

    def remember(self, client: Client, command: Command, argv: list[bytes]) -> None:
        """Note that `client`, which is not in BCAST mode, has read the keys in `argv`."""
        tracker = client.tracker
        assert tracker is not None
        is_caching = client.gates & gates.CACHING != 0
        if (tracker.modes.opt_in and not is_caching) or (tracker.modes.opt_out and is_caching):
            return
        positions = command.key_positions(argv)
        if positions is None:
            return
        for position in positions:
            self._add(argv[position], tracker)
        if self._max_keys and self._readers.used > self._max_keys:
            self._make_room()

    def _add(self, key: bytes, tracker: Tracker) -> None:
        readers = self._readers.get(key)
        if readers is None:
            self._readers.set(key, tracker)
        elif isinstance(readers, set):
            if tracker in readers:
                return
            count = len(readers)
            if count >= _MANY_TRACKERS and count & (count - 1) == 0:
                gone = {each for each in readers if each.client is None}
                readers -= gone
                self.items -= len(gone)
            readers.add(tracker)
        elif readers is tracker:
            return
        else:
            self._readers.set(key, {readers, tracker})
        self.items += 1

    # Changing.

    def changed(self, key: bytes, changer: Client | None) -> None:
        """`key` of some database has been changed by `changer`, or has run out."""
        if self.prefixes.states:
            self.prefixes.collect(key, changer)
        readers = self._readers.pop(key)
        if readers is None:
            return
        if isinstance(readers, Tracker):
            self.items -= 1
            self._tell_of(key, readers, True)
        elif isinstance(readers, set):
            self.items -= len(readers)
            for tracker in readers:
                self._tell_of(key, tracker, True)
        self._see_whether_anybody_is_left()

    def flushed(self) -> None:
        """Databases have been emptied: every caching client is told to forget everything."""
        for tracker in self.active.values():
            client = tracker.client
            assert client is not None
            if client.running:
                self._keep_for_later(None)
            else:
                self._send(tracker, None)
        self._drop_table()

    def send_pending(self, client: Client) -> None:
        """The command or transaction of `client` has been answered: tell it what it has changed itself."""
        own = self._own
        if not own:
            return
        self._own = []
        tracker = client.tracker
        if tracker is None:
            return
        for key in own:
            self._send(tracker, None if key is None else _wire([key]))

    def broadcast(self) -> None:
        """Tell BCAST clients what has changed in this turn of the event loop."""
        for state in self.prefixes.take_due():
            keys = sorted(state.keys)
            wire = _wire(keys)
            for tracker in state.listeners.values():
                if tracker.modes.no_loop:
                    others = [key for key in keys if state.keys[key] is not tracker.client]
                    if others:
                        self._send(tracker, _wire(others))
                else:
                    self._send(tracker, wire)
            state.keys = {}

    def _tell_of(self, key: bytes, tracker: Tracker, heeds_loop: bool) -> None:
        client = tracker.client
        # Who has changed to BCAST is told in that way, of the keys below its prefixes.
        if client is None or not tracker.on or tracker.modes.broadcast:
            return
        if not client.running:
            self._send(tracker, _wire([key]))
        elif not (heeds_loop and tracker.modes.no_loop):
            self._keep_for_later(key)

    def _keep_for_later(self, key: bytes | None) -> None:
        self._own.append(key)
        self._engine.unfinished = True

    def _send(self, tracker: Tracker, keys: bytes | None) -> None:
        """Send `keys`, an encoded array, or null for all keys, to whoever is to get them."""
        receiver = tracker.client
        assert receiver is not None
        redirect = tracker.modes.redirect
        if redirect:
            found = self._engine.clients.get(redirect)
            if found is None:
                self._report_broken_redirect(tracker, receiver)
                return
            receiver = found
        if receiver.resp3:
            message = _PUSHED
        elif redirect and receiver.kind == PUBSUB:
            message = _PUBLISHED
        else:
            # RESP2 has no messages among replies.
            return
        what = encoded(None, receiver.resp3) if keys is None else keys
        self._engine.deliver(receiver, message + what)

    def _report_broken_redirect(self, tracker: Tracker, client: Client) -> None:
        tracker.broken = True
        if client.resp3:
            message = Push([b"tracking-redir-broken", tracker.modes.redirect])
            self._engine.deliver(client, encoded(message, True))

    # Keeping the table small.

    def _read_limit(self) -> None:
        self._max_keys = self._engine.config.get_int("tracking-table-max-keys")
        if self._max_keys and self._readers.used > self._max_keys:
            self._make_room()

    def _make_room(self) -> None:
        """Give up keys at random until the limit is kept, but not too many at once.

        The more often that was not enough, the more.
        """
        for _ in range(_EFFORT * (self._rounds_in_vain + 1)):
            key = self._readers.random_key(self._engine.random)
            assert key is not None
            readers = self._readers.pop(key)
            if isinstance(readers, set):
                self.items -= len(readers)
                for tracker in readers:
                    self._tell_of(key, tracker, False)
            elif isinstance(readers, Tracker):
                self.items -= 1
                self._tell_of(key, readers, False)
            if self._readers.used <= self._max_keys:
                self._rounds_in_vain = 0
                return
        self._rounds_in_vain += 1

    def _drop_table(self) -> None:
        self._engine.releaser.database(self._readers.clear())
        self.items = 0
        self._see_whether_anybody_is_left()

    def _see_whether_anybody_is_left(self) -> None:
        # The entries of a client that has ended tracking count: it may begin again, and must not be told of changes
        # that were made in between.
        self._engine.tracks = bool(self.active) or self._readers.used > 0


def _wire(keys: list[bytes]) -> bytes:
    """An array of keys, which both protocols write in the same way."""
    items: list[object] = []
    items += keys
    return encoded(items, False)
