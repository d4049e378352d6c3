"""The syntax of configuration files and of the command line.

Theory of operation: both become lines, in the order in which they take effect: the file, standard input, then the
options, each of which is a line of its own (``--save 60 1`` is ``save "60" "1"``). A `Line` remembers where it stood,
for the report of an error. The rules are those of redis-server 7.0:

- an argument that does not start with `-`, in the first place, is the configuration file;
- `-`, in the first or the last place, means standard input;
- ``--name`` starts an option, unless the option before it has no value yet: ``--requirepass --x`` sets a password;
- ``--save`` with no value before the next option or the end means ``save ""``;
- name and values can stand in one argument (``"--save 60 1"``); ``--name=value`` is no option.
"""

import difflib
import os
import re
from typing import Final

from aikv.base.quote import repr_bytes, split_args
from aikv.engine.config.directive import SENSITIVE
from aikv.engine.config.directives import BY_NAME
from aikv.engine.config.errors import REDACTED, ConfigError

COMMAND_LINE: Final = "the command line"
STANDARD_INPUT: Final = "standard input"
UNBALANCED: Final = "Unbalanced quotes in configuration line"

_SEPARATORS: Final = re.compile(rb"[\"'=:]")
_SECRETS: Final = [name for name, directive in BY_NAME.items() if directive.flags & SENSITIVE]


class Line:
    """One line with its place: `source` names the file, `number` counts from 1, `text` has no blanks around it."""

    def __init__(self, source: str, number: int, text: bytes) -> None:
        self.source: Final = source
        self.number: Final = number
        self.text: Final = text

    def args(self) -> list[bytes]:
        """The words of the line, quotes resolved. Raises `ConfigError` where they do not end."""
        args = split_args(self.text)
        if args is None:
            raise self.error(UNBALANCED)
        return args

    def shown(self) -> str:
        """The line as it may be shown to anybody."""
        return redacted(self.text)

    def error(self, reason: str) -> ConfigError:
        """The error that says `reason` of this line."""
        return ConfigError(reason, self.source, self.number, self.shown())


class CommandLine:
    """What the arguments of the program ask for: a file (or empty), standard input, options."""

    def __init__(self, file: str, stdin: bool, options: list[Line]) -> None:
        self.file: Final = file
        self.stdin: Final = stdin
        self.options: Final = options


def split_lines(content: bytes, source: str) -> list[Line]:
    """The lines of `content` that are neither blank nor comments."""
    lines: list[Line] = []
    for number, raw in enumerate(content.split(b"\n"), 1):
        text = raw.strip(b" \t\r\n")
        if text and not text.startswith(b"#"):
            lines.append(Line(source, number, text))
    return lines


def parse_argv(argv: list[str]) -> CommandLine:
    """Sort out the program's arguments, without the program's name."""
    file = ""
    start = 0
    if argv and not argv[0].startswith("-"):
        file, start = os.path.abspath(argv[0]), 1
    stdin = False
    options: list[bytes] = []
    # An argument before any option is a line that starts with a quoted word, and refused as such.
    complete = True
    for position in range(start, len(argv)):
        argument = os.fsencode(argv[position])
        if argument == b"-" and position in (0, len(argv) - 1):
            stdin = True
        elif complete and argument.startswith(b"--"):
            options.append(argument[2:])
            complete = not _waits_for_value(argv, position)
            if complete and argument.lower().strip() == b"--save":
                options[-1] = b'save ""'
        else:
            options[-1:] = [b" ".join([*options[-1:], repr_bytes(argument)])]
            complete = True
    lines = [Line(COMMAND_LINE, number, text.strip(b" \t\r\n")) for number, text in enumerate(options, 1)]
    return CommandLine(file, stdin, [line for line in lines if line.text])


def _waits_for_value(argv: list[str], position: int) -> bool:
    """Whether the option at `position` has a name only, so that whatever comes next is its value."""
    words = split_args(os.fsencode(argv[position]))
    if words is None or len(words) > 1:
        return False
    last = position == len(argv) - 1
    return not (words[0].lower() == b"--save" and (last or argv[position + 1].startswith("--")))


def redacted(text: bytes) -> str:
    """A line for people: what follows the name of a secret is left out.

    A misspelt `requirepass` holds a password too, so any unknown name that looks like one is treated as such.
    """
    words = [word.decode("latin-1").lstrip("-") for word in _SEPARATORS.sub(b" ", text).lower().split()]
    if len(words) < 2:
        return os.fsdecode(text)
    for name in words:
        if name in _SECRETS:
            return f"{name} {REDACTED}"
    name = words[0]
    if name == "user":
        return f"user {REDACTED}"
    if name not in BY_NAME and (
        any(hint in name for hint in ("pass", "auth", "secret")) or difflib.get_close_matches(name, _SECRETS)
    ):
        return REDACTED
    return os.fsdecode(text)
