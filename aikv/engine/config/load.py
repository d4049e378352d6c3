"""A configuration read at start, from files, standard input and the command line.

Theory of operation: `load` applies one line after the other to a `Config`, so that a later line wins, and an
`include` is its file's lines in place of itself. The first line that is refused ends the start with a `ConfigError`
that names it. What can only be judged when everything is read (may the log be written) is judged at the end, and the
rules of `user` lines by whoever keeps the users.
"""

import glob
import os
from typing import Final

from aikv.engine.config.directives import BY_NAME, IGNORED
from aikv.engine.config.errors import ConfigError, InvalidValue
from aikv.engine.config.parse import STANDARD_INPUT, Line, parse_argv, split_lines
from aikv.engine.config.store import Config, ConfiguredUser, RenamedCommand
from aikv.persistence.files import Files

MAX_INCLUDE_DEPTH: Final = 16
BAD_DIRECTIVE: Final = "Bad directive or wrong number of arguments"


def load(argv: list[str], stdin: bytes | None = None, files: Files | None = None) -> Config:
    """The configuration that the program's arguments ask for.

    `argv` is without the program's name; `stdin` is the content of standard input, needed if `argv` holds a `-`.
    Raises `ConfigError`.
    """
    command_line = parse_argv(argv)
    loader = Loader(Config(files))
    if command_line.file:
        loader.config.file = command_line.file
        loader.read(command_line.file)
    if command_line.stdin and stdin is not None:
        loader.apply(split_lines(stdin, STANDARD_INPUT))
    loader.apply(command_line.options)
    loader.finish()
    return loader.config


class Loader:
    """Applies lines to a `Config` that has its defaults."""

    def __init__(self, config: Config) -> None:
        self.config: Final = config
        self._seen: Final[set[str]] = set()
        self._depth = 0

    def read(self, path: str, origin: Line | None = None) -> None:
        """Apply the file at `path`, which the line `origin` includes, if any."""
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError as error:
            reason = f"can't open config file '{path}': {error.strerror}"
            raise ConfigError(reason) if origin is None else origin.error(reason) from error
        self.apply(split_lines(content, path))

    def apply(self, lines: list[Line]) -> None:
        """Apply lines in their order."""
        for line in lines:
            args = line.args()
            if args:
                self._apply_line(line, args[0].decode("latin-1").lower(), args[1:])

    def finish(self) -> None:
        """Judge what no single line decides."""
        log = self.config.path("logfile")
        if log:
            try:
                with open(log, "ab"):
                    pass
            except OSError as error:
                raise ConfigError(f"Can't open the log file: {error.strerror}") from error

    def _apply_line(self, line: Line, name: str, args: list[bytes]) -> None:
        directive = BY_NAME.get(name)
        if directive is not None:
            try:
                self.config.configure(name, args, directive.name not in self._seen)
            except InvalidValue as error:
                raise line.error(error.reason) from error
            self._seen.add(directive.name)
        elif name == "include" and len(args) == 1:
            self._include(line, os.fsdecode(args[0]))
        elif name == "rename-command" and len(args) == 2:
            renamed = RenamedCommand(args[0], args[1], line.source, line.number, line.shown())
            self.config.rename_commands.append(renamed)
        elif name == "user" and args:
            self._add_user(line, args)
        elif name == "loadmodule" and args:
            raise line.error("aikv does not support modules yet")
        elif "." in name:
            missing = len(args) != 1
            raise line.error(
                "Module config specified without value" if missing else "aikv does not support modules yet"
            )
        elif name == "sentinel" and args:
            raise line.error("sentinel directive while not in sentinel mode")
        elif name not in IGNORED or len(args) != 1:
            raise line.error(BAD_DIRECTIVE)

    def _include(self, line: Line, pattern: str) -> None:
        if self._depth == MAX_INCLUDE_DEPTH:
            raise line.error(f"include is nested more than {MAX_INCLUDE_DEPTH} files deep")
        path = os.path.join(self.config.get_str("dir"), pattern)
        paths = [path]
        if any(special in pattern for special in "*?["):
            # An empty conf.d is no error, so a pattern may match nothing.
            paths = sorted(glob.glob(path))
        self._depth += 1
        for path in paths:
            self.read(path, line)
        self._depth -= 1

    def _add_user(self, line: Line, args: list[bytes]) -> None:
        if any(user.name == args[0] for user in self.config.users):
            raise line.error(
                f"Error in user declaration '{os.fsdecode(args[0])}': Duplicate user found. A user can only be defined "
                "once in config files"
            )
        self.config.users.append(ConfiguredUser(args[0], args[1:], line.source, line.number, line.shown()))
