"""The server's log, in Redis's line format: `pid:role dd Mon yyyy HH:MM:SS.mmm level message`.

Theory of operation: all lines go to the standard library's logger `aikv`. Importing this module configures
nothing, so a program that embeds aikv sees the records in its own handlers; only the server calls
`configure`. Redis has five levels where the standard library has others: debug (.), verbose (-), notice (*)
and warning (#) are DEBUG, VERBOSE = 15, INFO and WARNING, and `nothing` lies above all. The role letter says
who writes: M primary, S replica, C child, X sentinel.

The classes here derive from interpreted ones of the standard library, so mypyc must leave them interpreted: compiled,
their memory layout is not the one that the garbage collector walks.

A message may quote what a client sent. Control characters in it are written as escapes, so that no client can
forge a line.
"""

import logging
import logging.handlers
import sys
import time
from typing import Final, TextIO

from mypy_extensions import mypyc_attr

VERBOSE: Final = 15
_NOTHING: Final = logging.CRITICAL + 1
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "verbose": VERBOSE,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "nothing": _NOTHING,
}
_ROLES: Final = ("M", "S", "C", "X")
# Not strftime: its month names follow the locale.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# C0, DEL, C1 and the two Unicode line ends: all that some reader may take for the end of a line or for a
# terminal's command.
_CONTROL_CODES: Final = (*range(32), *range(127, 160), 0x2028, 0x2029)
_SYSLOG_SOCKET: Final = "/dev/log"
_SYSLOG_FACILITIES: Final = ("user", *[f"local{number}" for number in range(8)])
# What the standard library calls a level, and its priority in Redis's use of syslog.
_SYSLOG_PRIORITIES: Final = {"DEBUG": "debug", "VERBOSE": "info", "INFO": "notice", "WARNING": "warning"}

_logger: Final = logging.getLogger("aikv")


def _escapes() -> dict[int, str]:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    table: dict[int, str] = {}
    for code in _CONTROL_CODES:
        form = f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
        table[code] = named.get(chr(code), form)
    return table


_ESCAPES: Final = _escapes()


@mypyc_attr(native_class=False)
class LineFormatter(logging.Formatter):
    """Makes a record one line. `role` is the letter behind the process id."""

    def __init__(self) -> None:
        super().__init__()
        self.role = "M"

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`, without its end."""
        moment = time.localtime(record.created)
        milliseconds = int(record.created * 1000) % 1000
        date = f"{moment.tm_mday:02d} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year}"
        clock = f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}.{milliseconds:03d}"
        return f"{record.process}:{self.role} {date} {clock} {_level_mark(record.levelno)} {_one_line(self, record)}"


@mypyc_attr(native_class=False)
class SyslogFormatter(logging.Formatter):
    """Makes a record the message for syslog, which adds the date itself."""

    def __init__(self, ident: str) -> None:
        super().__init__()
        self.ident: Final = ident

    def format(self, record: logging.LogRecord) -> str:
        """The identity, the process id and the message of `record`."""
        return f"{self.ident}[{record.process}]: {_one_line(self, record)}"


@mypyc_attr(native_class=False)
class StdoutHandler(logging.StreamHandler[TextIO]):
    """Writes to standard output."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Drop the line that cannot be written, as Redis does: a reader that went away stops no server."""


@mypyc_attr(native_class=False)
class FileHandler(logging.handlers.WatchedFileHandler):
    """Appends to a file, and opens it anew after logrotate has moved it away."""

    def __init__(self, path: str) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Drop the line that cannot be written, as Redis does: a full disk stops no server."""


@mypyc_attr(native_class=False)
class SyslogHandler(logging.handlers.SysLogHandler):
    """Sends to the system's log, with Redis's choice of priorities."""

    def mapPriority(self, levelName: str) -> str:  # noqa: N802, N803
        """The syslog priority for the standard library's name of a level."""
        return _SYSLOG_PRIORITIES.get(levelName, "warning")


def _one_line(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    message = record.getMessage()
    if record.exc_info:
        message += "\n" + formatter.formatException(record.exc_info)
    return message.translate(_ESCAPES)


def _level_mark(level: int) -> str:
    if level >= logging.WARNING:
        return "#"
    if level >= logging.INFO:
        return "*"
    return "-" if level >= VERBOSE else "."


_formatter: Final = LineFormatter()


def configure(level: str, logfile: str, syslog_enabled: bool, syslog_ident: str, syslog_facility: str) -> None:
    """Send the log to `logfile`, or to standard output where that is "", and to syslog if enabled.

    `level` is debug, verbose, notice, warning or nothing; `syslog_facility` is user or local0 to local7. May be
    called again: what was set before is closed. Raises OSError where the file cannot be opened, ValueError for an
    unknown level or facility; then everything stays as it was.
    """
    number = _level_number(level)
    handlers: list[logging.Handler] = [FileHandler(logfile) if logfile else StdoutHandler()]
    handlers[0].setFormatter(_formatter)
    if syslog_enabled:
        try:
            handlers.append(_open_syslog(syslog_ident, syslog_facility))
        except ValueError:
            handlers[0].close()
            raise
    for old in list(_logger.handlers):
        _logger.removeHandler(old)
        old.close()
    for handler in handlers:
        _logger.addHandler(handler)
    _logger.setLevel(number)
    # The server's lines are complete: a handler of the root logger would print them twice.
    _logger.propagate = False
    logging.addLevelName(VERBOSE, "VERBOSE")


def _open_syslog(ident: str, facility: str) -> logging.Handler:
    name = facility.lower()
    if name not in _SYSLOG_FACILITIES:
        raise ValueError(f"unknown syslog facility: {facility}")
    handler = SyslogHandler(_SYSLOG_SOCKET, name)
    handler.setFormatter(SyslogFormatter(ident))
    return handler


def _level_number(level: str) -> int:
    number = _LEVELS.get(level.lower())
    if number is None:
        raise ValueError(f"unknown log level: {level}")
    return number


def set_level(level: str) -> None:
    """Show lines from `level` on (debug, verbose, notice, warning, nothing). Raises ValueError for another
    word.
    """
    _logger.setLevel(_level_number(level))


def set_role(letter: str) -> None:
    """Write `letter` behind the process id: M primary, S replica, C child, X sentinel. Raises ValueError
    otherwise.
    """
    if letter not in _ROLES:
        raise ValueError(f"unknown role: {letter}")
    _formatter.role = letter


def debug(msg: str, *args: object) -> None:
    """Log for developers. `args` fill the %-fields of `msg`, only where the line is written."""
    _logger.debug(msg, *args)


def verbose(msg: str, *args: object) -> None:
    """Log what is rarely useful; arguments as in `debug`."""
    _logger.log(VERBOSE, msg, *args)


def notice(msg: str, *args: object) -> None:
    """Log what an operator wants to see; arguments as in `debug`."""
    _logger.info(msg, *args)


def warning(msg: str, *args: object) -> None:
    """Log what an operator must see; arguments as in `debug`."""
    _logger.warning(msg, *args)
