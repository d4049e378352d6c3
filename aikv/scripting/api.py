"""The table `redis`: what scripts may ask of the server, but for redis.call.

Theory of operation: every function here is called by Lua as a C function would be; arguments come as bytes, numbers,
booleans, None, or objects that stand for other values of Lua. An error is raised as `Failure`.
Source: https://redis.io/docs/latest/develop/interact/programmability/lua-api/ (the redis object)
"""

from math import isfinite
from typing import Any, Final

from aikv.base import log
from aikv.base.version import REDIS_VERSION
from aikv.scripting.calls import REPL_AOF, REPL_REPLICA, Calls, number_text
from aikv.scripting.runtime import Failure
from aikv.scripting.script import sha1_hex

_LOGS: Final = (log.debug, log.verbose, log.notice, log.warning)
_WRONG_TEXT: Final = b"ERR wrong number or type of arguments"

_MAJOR, _MINOR, _PATCH = (int(part) for part in REDIS_VERSION.split("."))

CONSTANTS: Final[dict[bytes, Any]] = {
    b"LOG_DEBUG": 0,
    b"LOG_VERBOSE": 1,
    b"LOG_NOTICE": 2,
    b"LOG_WARNING": 3,
    b"REPL_NONE": 0,
    b"REPL_AOF": REPL_AOF,
    b"REPL_SLAVE": REPL_REPLICA,
    b"REPL_REPLICA": REPL_REPLICA,
    b"REPL_ALL": REPL_AOF | REPL_REPLICA,
    b"REDIS_VERSION": REDIS_VERSION.encode(),
    b"REDIS_VERSION_NUM": _MAJOR << 16 | _MINOR << 8 | _PATCH,
}


class Api:
    """The functions; `calls` knows which script runs."""

    def __init__(self, calls: Calls) -> None:
        self._calls: Final = calls

    def functions(self) -> dict[bytes, Any]:
        """By the names that scripts know them by."""
        return {
            b"call": self._calls.call,
            b"pcall": self._calls.pcall,
            b"acl_check_cmd": self._calls.may_call,
            b"error_reply": self.error_reply,
            b"status_reply": self.status_reply,
            b"sha1hex": self.sha1hex,
            b"log": self.log,
            b"setresp": self.setresp,
            b"set_repl": self.set_repl,
            b"replicate_commands": self.replicate_commands,
            b"breakpoint": self.breakpoint,
            b"debug": self.debug,
        }

    def error_reply(self, *arguments: Any) -> Any:
        """A table that is an error as a reply."""
        if len(arguments) != 1 or type(arguments[0]) is not bytes:
            return self._calls.runtime.err(_WRONG_TEXT)
        text = arguments[0].rstrip(b"\r\n").removeprefix(b"-")
        # One word is no code.
        return self._calls.runtime.err(text if b" " in text else b"ERR " + text)

    def status_reply(self, *arguments: Any) -> Any:
        """A table that is a status as a reply."""
        if len(arguments) != 1 or type(arguments[0]) is not bytes:
            return self._calls.runtime.err(_WRONG_TEXT)
        return self._calls.runtime.ok(arguments[0])

    def sha1hex(self, *arguments: Any) -> bytes:
        """The SHA-1 digest of a text."""
        if len(arguments) != 1:
            raise Failure(b"ERR wrong number of arguments")
        return sha1_hex(_text(arguments[0]))

    def log(self, *arguments: Any) -> None:
        """Write into the server's log: a level, then texts."""
        if len(arguments) < 2:
            raise Failure(b"ERR redis.log() requires two arguments or more.")
        level = _number(arguments[0])
        if level is None:
            raise Failure(b"ERR First argument must be a number (log level).")
        if not -1 < level < len(_LOGS):
            raise Failure(b"ERR Invalid debug level.")
        words = [_text(argument) for argument in arguments[1:] if type(argument) in (bytes, int, float)]
        _LOGS[int(level)]("%s", b" ".join(words).decode("utf-8", "backslashreplace"))

    def setresp(self, *arguments: Any) -> None:
        """Choose the protocol of the replies to this script."""
        if len(arguments) != 1:
            raise Failure(b"ERR redis.setresp() requires one argument.")
        version = _number(arguments[0])
        if version is None or not 2 <= version < 4:
            raise Failure(b"ERR RESP version must be 2 or 3.")
        self._calls.running().client.resp3 = int(version) == 3

    def set_repl(self, *arguments: Any) -> None:
        """Choose where the following changes are recorded."""
        if len(arguments) != 1:
            raise Failure(b"ERR redis.set_repl() requires two arguments.")
        number = _number(arguments[0]) or 0
        flags = int(number) if isfinite(number) else -1
        if flags & ~(REPL_AOF | REPL_REPLICA):
            raise Failure(b"ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
        self._calls.running().replicated = flags

    def replicate_commands(self, *_arguments: Any) -> bool:
        """What a script does is recorded in any case, not the script."""
        return True

    def breakpoint(self, *_arguments: Any) -> bool:
        """There is no debugger that would stop here."""
        return False

    def debug(self, *_arguments: Any) -> None:
        """There is no debugger to tell anything to."""


def _number(argument: Any) -> float | None:
    """A number, or a text that is one; None for anything else."""
    if type(argument) is int or type(argument) is float:
        return argument
    if type(argument) is bytes:
        try:
            return float(argument.strip())
        except ValueError:
            return None
    return None


def _text(argument: Any) -> bytes:
    """A text, or a number as Lua writes it; empty for anything else."""
    if type(argument) is bytes:
        return argument
    if type(argument) is int or type(argument) is float:
        return b"%.14g" % argument if abs(argument) >= 1e14 or type(argument) is float else number_text(argument)
    return b""
