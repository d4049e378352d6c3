"""Client-side caching by prefixes: which keys have changed in this turn of the event loop, and who wants to know.

Theory of operation: a `PrefixState` is one prefix with the clients that named it and the keys below it that have
changed, each with the client that changed it last (who, in NOLOOP mode, is not told). A key is looked for under its own
beginning once for every length that a prefix has, so that a change costs the same for one prefix and for thousands. At
the end of the turn `Tracking.broadcast` sends one message per prefix and client.
"""

from typing import TYPE_CHECKING, Final

from aikv.engine.client import Client

if TYPE_CHECKING:
    from aikv.engine.tracking import Tracker


class PrefixState:
    """One prefix: `listeners` by client number, and the changed keys with the client that changed them, if one did."""

    def __init__(self) -> None:
        self.listeners: dict[int, Tracker] = {}
        self.keys: dict[bytes, Client | None] = {}


class Prefixes:
    """All prefixes that somebody wants to know of, and which of them have something to tell."""

    def __init__(self) -> None:
        self.states: Final[dict[bytes, PrefixState]] = {}
        # Length of prefixes -> how many have it.
        self._lengths: Final[dict[int, int]] = {}
        self.due: dict[bytes, None] = {}

    def join(self, prefix: bytes, number: int, tracker: "Tracker") -> None:
        """Let client `number` know of the keys that begin with `prefix`."""
        state = self.states.get(prefix)
        if state is None:
            state = PrefixState()
            self.states[prefix] = state
            self._lengths[len(prefix)] = self._lengths.get(len(prefix), 0) + 1
        state.listeners[number] = tracker

    def leave(self, prefix: bytes, number: int) -> None:
        """Let client `number`, which has joined, know no more."""
        state = self.states[prefix]
        del state.listeners[number]
        if state.listeners:
            return
        del self.states[prefix]
        self.due.pop(prefix, None)
        left = self._lengths[len(prefix)] - 1
        if left:
            self._lengths[len(prefix)] = left
        else:
            del self._lengths[len(prefix)]

    def collect(self, key: bytes, changer: Client | None) -> None:
        """Note that `key` has been changed by `changer`, or has run out."""
        for length in self._lengths:
            if length > len(key):
                continue
            prefix = key[:length]
            state = self.states.get(prefix)
            if state is None:
                continue
            if not self.due:
                # Whoever changed the key may have no output that would bring the end of the turn about.
                _wake_one(state)
            self.due[prefix] = None
            state.keys[key] = changer

    def take_due(self) -> list[PrefixState]:
        """The prefixes with something to tell, in the order of their names; they are no longer due then."""
        due = [self.states[prefix] for prefix in sorted(self.due)]
        self.due = {}
        return due


def _wake_one(state: PrefixState) -> None:
    for tracker in state.listeners.values():
        if tracker.client is not None:
            tracker.client.link.wake()
            return


def overlap(first: bytes, second: bytes) -> bool:
    """Whether a key may begin with both."""
    return first.startswith(second) or second.startswith(first)
