"""The configuration of one server: its values, CONFIG GET and CONFIG SET.

Theory of operation: `Config` keeps one text per directive, in the form that CONFIG GET answers. A text has been
checked and made canonical by the directive's `Kind` before it is stored, so a reader converts it without checking,
and a rollback is the old text put back. Nothing reads the configuration per command: who needs a value copies it, and
registers a hook to copy it again when CONFIG SET has changed it.

No value is applied to the process. `dir` above all is kept as an absolute path, and there is no chdir, because a
server can be embedded in a program that has a working directory of its own; `path` resolves file names against it.
"""

import os
from collections.abc import Callable
from typing import Final

from aikv.base.errors import AikvError, CommandError, quoted
from aikv.base.glob import glob_match
from aikv.base.quote import split_args
from aikv.engine.config.directive import DENY_LOADING, HIDDEN, IMMUTABLE, PROTECTED, SENSITIVE, Directive
from aikv.engine.config.directives import BY_NAME, DIRECTIVES
from aikv.engine.config.errors import ConfigError, InvalidValue
from aikv.engine.config.kinds import Number
from aikv.engine.config.rewrite import write_config
from aikv.persistence.files import Files

LOADING: Final = b"LOADING Redis is loading the dataset in memory"
NO_CONFIG_FILE: Final = b"ERR The server is running without a config file"

Hook = Callable[[], None]


class OutputLimit:
    """One class of `client-output-buffer-limit`: sizes in bytes, time in seconds; 0 is no limit."""

    def __init__(self, hard: int, soft: int, soft_seconds: int) -> None:
        self.hard: Final = hard
        self.soft: Final = soft
        self.soft_seconds: Final = soft_seconds


class RenamedCommand:
    """One `rename-command` line: `command` is to answer to `target` only, or to nothing if `target` is empty."""

    def __init__(self, command: bytes, target: bytes, file: str, line_number: int, line: str) -> None:
        self.command: Final = command
        self.target: Final = target
        self._file: Final = file
        self._line_number: Final = line_number
        self._line: Final = line

    def error(self, reason: str) -> ConfigError:
        """The error to raise where the command does not exist or the target is taken."""
        return ConfigError(reason, self._file, self._line_number, self._line)


class ConfiguredUser:
    """One `user` line: a name and ACL rules as they stand there."""

    def __init__(self, name: bytes, rules: list[bytes], file: str, line_number: int, line: str) -> None:
        self.name: Final = name
        self.rules: Final = rules
        self._file: Final = file
        self._line_number: Final = line_number
        self._line: Final = line

    def error(self, reason: str) -> ConfigError:
        """The error to raise where the rules cannot be applied."""
        return ConfigError(reason, self._file, self._line_number, self._line)


class Config:
    """All directives of one server. `Config()` has Redis's defaults and belongs to no file.

    `files` writes the file of CONFIG REWRITE. `file` is the absolute path that CONFIG REWRITE writes to, empty if the
    server has none. `rename_commands` holds the `rename-command` lines in order, for whoever keeps the command table,
    and `users` the `user` lines for whoever keeps the users.
    """

    def __init__(self, files: Files | None = None) -> None:
        self.file: str = ""
        self.rename_commands: list[RenamedCommand] = []
        self.users: list[ConfiguredUser] = []
        self._files: Files = files if files is not None else Files()
        self._hooks: dict[str, list[Hook]] = {}
        self._texts: dict[str, bytes] = {directive.name: directive.default for directive in DIRECTIVES}
        self._texts["dir"] = os.fsencode(os.getcwd())

    def get_bytes(self, name: str) -> bytes:
        """The value of directive `name` as CONFIG GET answers it."""
        return self._texts[name]

    def get_str(self, name: str) -> str:
        """The value of directive `name` as CONFIG GET answers it; bytes that are no UTF-8 become surrogates."""
        return os.fsdecode(self._texts[name])

    def get_int(self, name: str) -> int:
        """The value of a directive that is a number: sizes in bytes, a percentage as a negative number."""
        kind = BY_NAME[name].kind
        if not isinstance(kind, Number):
            raise KeyError(name)
        return kind.value(self._texts[name])

    def get_bool(self, name: str) -> bool:
        """Whether directive `name` is `yes`."""
        return self._texts[name] == b"yes"

    def path(self, name: str) -> str:
        """The absolute path of the file that directive `name` names, relative names starting at `dir`; or empty."""
        value = self.get_str(name)
        return os.path.join(self.get_str("dir"), value) if value else ""

    @property
    def save_points(self) -> list[tuple[int, int]]:
        """`save` as pairs: after this many seconds, if at least this many keys changed."""
        words = self._texts["save"].split()
        return [(int(words[i]), int(words[i + 1])) for i in range(0, len(words), 2)]

    @property
    def bind(self) -> list[str]:
        """The addresses to listen on; a leading `-` marks one that may be unavailable, `*` is every address."""
        return self.get_str("bind").split()

    @property
    def client_output_buffer_limits(self) -> dict[str, OutputLimit]:
        """The limits of the client classes `normal`, `replica` and `pubsub`."""
        words = self._texts["client-output-buffer-limit"].split()
        numbers = [OutputLimit(int(words[i + 1]), int(words[i + 2]), int(words[i + 3])) for i in (0, 4, 8)]
        return {"normal": numbers[0], "replica": numbers[1], "pubsub": numbers[2]}

    @property
    def oom_score_adj_values(self) -> list[int]:
        """Scores of a primary, a replica and a background child."""
        return [int(word) for word in self._texts["oom-score-adj-values"].split()]

    @property
    def latency_tracking_info_percentiles(self) -> list[float]:
        """The percentiles that INFO latencystats reports, 0 to 100."""
        return [float(word) for word in self._texts["latency-tracking-info-percentiles"].split()]

    def on_change(self, name: str, hook: Hook) -> None:
        """Call `hook` whenever CONFIG SET has changed directive `name` (its primary name).

        The hook reads the new values from this object. It refuses them by raising ConfigError, ValueError or OSError,
        and is then called again after the old values are back. One hook given for several names runs once.
        """
        self._hooks.setdefault(BY_NAME[name].name, []).append(hook)

    def configure(self, name: str, args: list[bytes], first: bool = False) -> None:
        """Set a directive as a line of a configuration file does, immutable ones included; no hook runs.

        `first` tells a directive whose lines add up that this is the first of them, which replaces the default.
        Raises `InvalidValue`, and `KeyError` for a name that is not in the table.
        """
        directive = BY_NAME[name]
        if directive.kind.multi and len(args) == 1 and args[0]:
            # All arguments quoted as one, as in `--save "60 1000"`.
            args = split_args(args[0]) or args
        current = b"" if first and directive.kind.accumulates else self._texts[directive.name]
        self._texts[directive.name] = directive.check(args, current)

    def set_many(self, pairs: list[tuple[bytes, bytes]], local: bool = False, loading: bool = False) -> None:
        """CONFIG SET: set all pairs of name and value, or none.

        `local` says that the client came over loopback or a unix socket, `loading` that a data set is being loaded.
        Raises `CommandError` with redis-server's texts; nothing has then changed.
        """
        found = self._settable(pairs, local, loading)
        staged: dict[str, bytes] = {}
        for (name, value), directive in zip(pairs, found, strict=True):
            args = [value]
            if directive.kind.multi:
                args = value.split(b" ") if value else []
            # CONFIG SET replaces what lines of a file would add up to.
            current = b"" if directive.kind.accumulates else staged.get(directive.name, self._texts[directive.name])
            try:
                staged[directive.name] = directive.check(args, current)
            except InvalidValue as error:
                raise _set_failed(name.lower(), error.reason) from error
        old = {name: self._texts[name] for name in staged}
        self._texts.update(staged)
        self._run_hooks(old)

    def match(self, patterns: list[bytes]) -> list[tuple[bytes, bytes]]:
        """CONFIG GET: names that a pattern matches, aliases included, with their values; each name once."""
        found: list[tuple[bytes, bytes]] = []
        seen: set[bytes] = set()
        for pattern in patterns:
            for name in self._matching(pattern):
                if name.lower() not in seen:
                    seen.add(name.lower())
                    found.append((name, self._texts[BY_NAME[_decoded(name)].name]))
        return found

    def is_sensitive(self, name: bytes) -> bool:
        """Whether the value of the directive called `name` must not be shown in logs."""
        directive = BY_NAME.get(_decoded(name))
        return directive is not None and directive.flags & SENSITIVE != 0

    def rewrite(self, users: list[bytes] | None = None) -> None:
        """CONFIG REWRITE: bring the file up to date. Raises `CommandError`; the file is then as it was.

        `users` are the `user` lines that the file is to have; None leaves those that it has.
        """
        if not self.file:
            raise CommandError(NO_CONFIG_FILE)
        try:
            write_config(self._files, self.file, self._texts, users)
        except OSError as error:
            raise CommandError(b"ERR Rewriting config file: " + os.fsencode(error.strerror or str(error))) from error

    def _settable(self, pairs: list[tuple[bytes, bytes]], local: bool, loading: bool) -> list[Directive]:
        allowed = self.get_str("enable-protected-configs")
        protected = PROTECTED if allowed == "no" or (allowed == "local" and not local) else 0
        found: list[Directive] = []
        seen: set[bytes] = set()
        for name, _ in pairs:
            directive = BY_NAME.get(_decoded(name))
            if directive is None:
                text = b"ERR Unknown option or number of arguments for CONFIG SET - '%s'"
                raise CommandError(text % _one_line(quoted(name)))
            if directive.flags & IMMUTABLE:
                raise _set_failed(name, "can't set immutable config")
            if directive.flags & protected:
                raise _set_failed(name, "can't set protected config")
            if loading and directive.flags & DENY_LOADING:
                raise CommandError(LOADING)
            # An alias beside its primary name is no duplicate to redis-server: the later one wins.
            if name.lower() in seen:
                raise _set_failed(name, "duplicate parameter")
            seen.add(name.lower())
            found.append(directive)
        return found

    def _run_hooks(self, old: dict[str, bytes]) -> None:
        ran: list[Hook] = []
        for name, text in old.items():
            if text == self._texts[name]:
                continue
            for hook in self._hooks.get(name, []):
                if hook in ran:
                    continue
                ran.append(hook)
                try:
                    hook()
                except (AikvError, ValueError, OSError) as error:
                    self._texts.update(old)
                    raise _set_failed(name.encode(), _reason(error) + _run_again(ran)) from error

    def _matching(self, pattern: bytes) -> list[bytes]:
        if not any(special in pattern for special in (b"*", b"?", b"[")):
            return [pattern] if _decoded(pattern) in BY_NAME else []
        visible = [name.encode() for name, directive in BY_NAME.items() if not directive.flags & HIDDEN]
        return [name for name in visible if glob_match(pattern, name, True)]


def _run_again(hooks: list[Hook]) -> str:
    """Call hooks after a rollback; returns what to add to the reason if one of them cannot go back."""
    trouble = ""
    for hook in hooks:
        try:
            hook()
        except (AikvError, ValueError, OSError) as error:
            trouble += f"; going back failed: {_reason(error)}"
    return trouble


def _reason(error: Exception) -> str:
    if isinstance(error, (ConfigError, InvalidValue)):
        return error.reason
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _set_failed(name: bytes, reason: str) -> CommandError:
    text = b"ERR CONFIG SET failed (possibly related to argument '%s') - %s"
    return CommandError(_one_line(text % (name, os.fsencode(reason))))


def _one_line(text: bytes) -> bytes:
    """An error reply ends at the first line break, so none may be in it."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")


def _decoded(name: bytes) -> str:
    return name.decode("latin-1").lower()
