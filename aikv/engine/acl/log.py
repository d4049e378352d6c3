"""ACL LOG: what was refused lately.

Theory of operation: the newest entry stands first. What happens again within a minute to the same user, for the same
reason and object in the same context, is counted in its entry, which moves to the front; only the first few entries are
searched, so that a flood of refusals costs little. `acllog-max-len` is looked at when an entry is added. Of a very long
key or name the beginning is kept, because whoever is refused must not fill the memory.
Source of the fields: https://redis.io/docs/latest/commands/acl-log/
"""

from typing import Final

from aikv.engine.acl.check import AUTH, CHANNEL, COMMAND, KEY

TOPLEVEL: Final = b"toplevel"
MULTI: Final = b"multi"
LUA: Final = b"lua"

REASONS: Final[dict[int, bytes]] = {COMMAND: b"command", KEY: b"key", CHANNEL: b"channel", AUTH: b"auth"}
_GROUPED_FOR_MS: Final = 60_000
_SEARCHED: Final = 10
# Bytes of a key, channel or user name.
_KEPT: Final = 64 * 1024


class Entry:
    """One thing that was refused `count` times; `thing` is the command, key or channel it was about."""

    def __init__(
        self, number: int, reason: int, context: bytes, thing: bytes, user: bytes, client: bytes, now_ms: int
    ) -> None:
        self.number: Final = number
        self.count = 1
        self.reason: Final = reason
        self.context: Final = context
        self.thing: Final = thing
        self.user: Final = user
        # The last client it happened to, as a line of CLIENT LIST.
        self.client = client
        self.created_ms: Final = now_ms
        self.updated_ms = now_ms


class AclLog:
    """The entries of one engine, newest first."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._next = 0

    def add(
        self, reason: int, context: bytes, thing: bytes, user: bytes, client: bytes, now_ms: int, limit: int
    ) -> None:
        """Note a refusal at Unix time `now_ms`, and keep at most `limit` entries."""
        thing = thing[:_KEPT]
        user = user[:_KEPT]
        if limit > 0:
            for place, entry in enumerate(self.entries[:_SEARCHED]):
                if (
                    entry.reason == reason
                    and entry.context == context
                    and abs(now_ms - entry.updated_ms) <= _GROUPED_FOR_MS
                    and entry.thing == thing
                    and entry.user == user
                ):
                    entry.client = client
                    entry.updated_ms = now_ms
                    entry.count += 1
                    self.entries.insert(0, self.entries.pop(place))
                    return
            self.entries.insert(0, Entry(self._next, reason, context, thing, user, client, now_ms))
            self._next += 1
        del self.entries[limit:]

    def reset(self) -> None:
        """Forget all entries."""
        self.entries = []
