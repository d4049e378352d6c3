"""Requests without their secrets, for whoever shows requests to others: SLOWLOG and MONITOR.

Theory of operation: passwords stand at places that follow from the command. Only those who show a request ask, so a
command costs nothing for it.
"""

from typing import Final

from aikv.engine.command import Command
from aikv.engine.config.store import Config

_REDACTED: Final = b"(redacted)"


def without_secrets(config: Config, command: Command, argv: list[bytes]) -> list[bytes]:
    """`argv`, a request of `command`, or a copy of it without secrets."""
    places = _places(config, command.name, argv)
    if not places:
        return argv
    return [_REDACTED if index in places else argument for index, argument in enumerate(argv)]


def _places(config: Config, name: str, argv: list[bytes]) -> list[int]:
    """Indexes of the secrets in a request of the command called `name`."""
    if name == "auth":
        # With more arguments it is a mistake, and Redis shows it.
        return list(range(1, len(argv))) if len(argv) <= 3 else []
    if name == "hello":
        return _of_hello(argv)
    if name == "acl|setuser":
        # The name, too: it is half of what an intruder has to know.
        return list(range(2, len(argv)))
    if name == "config|set":
        return [index + 1 for index in range(2, len(argv) - 1, 2) if config.is_sensitive(argv[index])]
    if name == "migrate":
        return _of_migrate(argv)
    return []


def _of_hello(argv: list[bytes]) -> list[int]:
    """HELLO's login, as far as its options are understood."""
    found: list[int] = []
    index = 2
    while index < len(argv):
        option = argv[index].upper()
        if option == b"AUTH" and index + 2 < len(argv):
            found += [index + 1, index + 2]
            index += 3
        elif option == b"SETNAME" and index + 1 < len(argv):
            index += 2
        else:
            break
    return found


def _of_migrate(argv: list[bytes]) -> list[int]:
    """MIGRATE's login at the other server; what follows KEYS are keys, whatever they are called."""
    found: list[int] = []
    index = 6
    while index < len(argv):
        option = argv[index].upper()
        if option == b"AUTH" and index + 1 < len(argv):
            found.append(index + 1)
            index += 2
        elif option == b"AUTH2" and index + 2 < len(argv):
            found += [index + 1, index + 2]
            index += 3
        elif option in (b"COPY", b"REPLACE"):
            index += 1
        else:
            break
    return found
