"""HELP of a container: its subcommands, in the layout that Redis's tools print.

Theory of operation: a heading, then for every subcommand a line with its syntax and an indented line with its summary,
all of it from the command table. HELP itself comes last, whatever the order of declaration.
"""

from typing import Final

from aikv.engine.command import COMMANDS
from aikv.resp.reply import Status

_WIDTH: Final = 78
_INDENT: Final = "    "


def help_lines(container: str) -> list[object]:
    """The reply of `container` HELP; `container` is its name in upper case."""
    subcommands = COMMANDS[container.lower().encode()].subcommands
    assert subcommands is not None
    entries = [
        (name.decode().upper(), command.syntax, command.summary)
        for name, command in subcommands.items()
        if name != b"help"
    ]
    return help_reply(container, entries)


def help_reply(container: str, entries: list[tuple[str, str, str]]) -> list[object]:
    """The reply of HELP from entries of name, syntax and summary."""
    lines: list[object] = [_line(f"{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")]
    for name, syntax, summary in entries:
        lines.append(_line(f"{name} {syntax}".rstrip()))
        lines += [_line(_INDENT + part) for part in _wrapped(summary)]
    return [*lines, _line("HELP"), _line(_INDENT + "Prints this help.")]


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) + len(_INDENT) >= _WIDTH:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _line(text: str) -> Status:
    return Status(text.encode())
