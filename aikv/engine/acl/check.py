"""Whether a user may make a request: a decision, and nothing else.

Theory of operation: one selector must allow the command, all of its keys for what it does with them, and all of its
channels. Where none does, the denial that is told and logged is the one of the selector that came farthest: a channel
before a key before the command, and among equals the argument that stands last. What the keys are and what happens to
them is said by the command's key specifications.

A pattern that a client wants to listen by is allowed where exactly this pattern is, because what it matches cannot be
known to be a part of what another pattern matches.
"""

from typing import Final

from aikv.base.glob import Glob
from aikv.engine.acl.selector import Selector
from aikv.engine.acl.users import User
from aikv.engine.command import NO_AUTH, Command
from aikv.engine.command_docs import positions_with_flags
from aikv.engine.keyspec import MAY_READ, permission_for

# Reasons, in the order of which Redis prefers them.
COMMAND: Final = 1
KEY: Final = 2
AUTH: Final = 3
CHANNEL: Final = 4

_FIRST: Final = 0
_ALL: Final = 1
_ALL_PATTERNS: Final = 2
# Commands that name channels: which of their arguments, and whether these are patterns.
_CHANNELS: Final[dict[str, int]] = {
    "publish": _FIRST,
    "spublish": _FIRST,
    "subscribe": _ALL,
    "ssubscribe": _ALL,
    "psubscribe": _ALL_PATTERNS,
}


class Denial:
    """A request is refused for `reason`, because of the argument at `position`."""

    def __init__(self, reason: int, position: int) -> None:
        self.reason: Final = reason
        self.position: Final = position


class Request:
    """One request, and its keys once somebody has asked for them."""

    def __init__(self, command: Command, argv: list[bytes]) -> None:
        self.command: Final = command
        self.argv: Final = argv
        self._keys: list[tuple[int, int]] | None = None

    def key_needs(self) -> list[tuple[int, int]]:
        """Places of the keys, and what the command must be allowed to do with each."""
        if self._keys is None:
            self._keys = _keys(self.command, self.argv)
        return self._keys


def denial(user: User, command: Command, argv: list[bytes]) -> Denial | None:
    """Why `user` may not make the request `argv` of `command`; None where it may."""
    request = Request(command, argv)
    reason = COMMAND
    position = 0
    for selector in user.selectors:
        found = _selector_denial(selector, request)
        if found is None:
            return None
        if found.reason > reason or (found.reason == reason and found.position > position):
            reason = found.reason
            position = found.position
    return Denial(reason, position)


def may_read_all_keys(user: User, command: Command, argv: list[bytes]) -> bool:
    """Whether a selector allows the request and the reading of any key besides, as SORT with BY or GET needs it."""
    request = Request(command, argv)
    for selector in user.selectors:
        everything = selector.keys.get(b"*")
        readable = selector.all_keys or (everything is not None and everything.permission & MAY_READ != 0)
        if readable and _selector_denial(selector, request) is None:
            return True
    return False


def channel_allowed(patterns: list[Glob], channel: bytes, is_pattern: bool) -> bool:
    """Whether one of `patterns` allows `channel`, or to listen by the pattern `channel`."""
    for allowed in patterns:  # noqa: SIM110 (a generator is slower once compiled)
        if allowed.pattern == channel if is_pattern else allowed.match(channel):
            return True
    return False


def _selector_denial(selector: Selector, request: Request) -> Denial | None:
    if not _command_allowed(selector, request):
        return Denial(COMMAND, 0)
    argv = request.argv
    if not selector.all_keys:
        for position, permission in request.key_needs():
            if not _key_allowed(selector, argv[position], permission):
                return Denial(KEY, position)
    if not selector.all_channels:
        which = _CHANNELS.get(request.command.name)
        if which is not None:
            patterns = list(selector.channels.values())
            for position in range(1, 2 if which == _FIRST else len(argv)):
                if not channel_allowed(patterns, argv[position], which == _ALL_PATTERNS):
                    return Denial(CHANNEL, position)
    return None


def _command_allowed(selector: Selector, request: Request) -> bool:
    command = request.command
    if selector.all_commands or command.flags & NO_AUTH or selector.allowed >> command.number & 1:
        return True
    words = selector.first_arguments.get(command.number)
    return words is not None and len(request.argv) > 1 and request.argv[1].lower() in words


def _key_allowed(selector: Selector, key: bytes, permission: int) -> bool:
    for pattern in selector.keys.values():
        if pattern.permission & permission == permission and pattern.glob.match(key):
            return True
    return False


def _keys(command: Command, argv: list[bytes]) -> list[tuple[int, int]]:
    """Places of the keys with the permissions needed; of arguments that are wrong, as many as can be found.

    The command itself will refuse such arguments.
    """
    found: list[tuple[int, int]] = []
    plain = command.keys_of is None
    for spec in command.specs:
        plain = plain and not spec.varies
    if not plain:
        for position, flags in positions_with_flags(command, argv) or []:
            found.append((position, permission_for(flags)))
        return found
    for spec in command.specs:
        if spec.is_key:
            for position in spec.positions(argv) or []:
                found.append((position, spec.permission))
    return found
