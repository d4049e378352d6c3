"""The two errors of a bad configuration.

Theory of operation: what checks one value knows only the value, so it raises `InvalidValue` with the reason; whoever
knows where the value came from turns that into a `ConfigError` (start of the program: file, line number, line) or
into a `CommandError` (CONFIG SET). The report of a `ConfigError` has the shape of redis-server's, which operators
and tools know.
"""

from typing import Final

from aikv.base.errors import AikvError

REDACTED: Final = "(redacted)"


class InvalidValue(ValueError):
    """A value that its directive refuses; `reason` is the sentence for the operator, without a full stop."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Final = reason


class ConfigError(AikvError):
    """A configuration that cannot be used.

    `file` names the source (a path, ``command line`` or ``standard input``; empty if there is none), `line_number`
    counts from 1 (0: the error belongs to no line), `line` is the text of the line with secrets removed, `reason`
    says what is wrong.
    """

    def __init__(self, reason: str, file: str = "", line_number: int = 0, line: str = "") -> None:
        super().__init__(f"{file}:{line_number}: {line!r}: {reason}" if line_number else reason)
        self.reason: Final = reason
        self.file: Final = file
        self.line_number: Final = line_number
        self.line: Final = line

    def report(self, version: str) -> str:
        """The message for the operator's terminal, several lines without a final newline.

        `version` is that of aikv, as in ``0.1.0``.
        """
        lines = [f"*** FATAL CONFIG FILE ERROR (aikv {version}) ***"]
        if self.line_number:
            lines.append(f"Reading the configuration file, at line {self.line_number} of {self.file}")
            lines.append(f">>> '{self.line}'")
        lines.append(self.reason)
        return "\n".join(lines)
