"""Texts for commands that are refused before they run.

Theory of operation: pure functions from the request to Redis's words for it.
"""

from typing import Final

from aikv.base.errors import quoted
from aikv.engine.command import Command

# Redis quotes at most this many bytes of a client's own words here.
_QUOTED: Final = 128


def unknown_command(argv: list[bytes]) -> bytes:
    """No such command; the arguments are quoted to help to find the fault in the client."""
    arguments = b""
    for argument in argv[1:]:
        if len(arguments) >= _QUOTED:
            break
        arguments += b"'" + quoted(argument[: _QUOTED - len(arguments)]) + b"' "
    return b"ERR unknown command '%b', with args beginning with: %b" % (quoted(argv[0][:_QUOTED]), arguments)


def unknown_subcommand(parent: Command, argv: list[bytes]) -> bytes:
    """No such subcommand of `parent`."""
    return b"ERR unknown subcommand '%b'. Try %b HELP." % (quoted(argv[1][:_QUOTED]), parent.name.upper().encode())


def wrong_arity(command: Command) -> bytes:
    """Too few or too many arguments."""
    return b"ERR wrong number of arguments for '%b' command" % command.name.encode()
