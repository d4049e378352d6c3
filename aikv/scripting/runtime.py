"""The Lua interpreter: made once, closed to the outside, and how scripts are compiled and run in it.

Theory of operation: `lua/sandbox.lua` makes the globals of scripts and gives back the functions that are called from
here. All of it happens when the first script comes. Strings are bytes on both sides.

lupa lets Lua read attributes of Python's objects unless it is told not to; it is told so, for every object and every
name, and the functions that make objects out of names are not there at all.
"""

from contextlib import suppress
from importlib import resources
from typing import Any, Final, NoReturn

from aikv.base.errors import CommandError
from aikv.scripting import libraries
from aikv.scripting.tail_calls import without_tail_calls

# Arguments up to this number are passed one by one.
_FEW: Final = 100

# Makes a function of Python's a C function. It must not come back to Python, which would get the bare object again.
_ADOPT: Final = b"""
local as_function = python.as_function
return function(t, name, f) t[name] = as_function(f) end
"""
# What all scripts together may take: one that builds ever longer strings must not take the machine with it.
_MOST_MEMORY: Final = 1 << 31

_LOAD: Final = b"return function(text, ...) return assert(loadstring(text, '=[C]'))(...) end"


class Failure(Exception):
    """An error that a function of ours raises in the script that calls it; `text` is as in `CommandError`.

    Whoever raises it has counted it, or it is no command's.
    """

    def __init__(self, text: bytes, counted: bool = False) -> None:
        super().__init__(text)
        self.text: Final = text
        self.counted: Final = counted


class Killed(Failure):
    """The script is to end, whatever it catches."""

    def __init__(self) -> None:
        super().__init__(b"ERR Script killed by user with SCRIPT KILL...")


class Runtime:
    """One interpreter.

    `functions` are what the sandbox needs of Python; `api` makes the table `redis` out of the runtime.
    """

    def __init__(self, functions: "dict[bytes, Any]", api: "dict[bytes, Any]", constants: "dict[bytes, Any]") -> None:
        from lupa.lua51 import LuaRuntime

        self.lua: Final[Any] = LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_filter=_no_attributes,
            max_memory=_MOST_MEMORY,
        )
        libraries.install(self.lua)
        adopt = self.lua.execute(_ADOPT)
        host = self.lua.table()
        host[b"api"] = self.lua.table()
        for name, value in constants.items():
            host[b"api"][name] = value
        for name, function in functions.items():
            adopt(host, name, function)
        for name, function in api.items():
            adopt(host[b"api"], name, function)
        adopt(host, b"fail", _fail)
        sandbox = resources.files(__package__).joinpath("lua/sandbox.lua").read_bytes()
        entry = self.lua.execute(_LOAD)(sandbox, host)
        self._compile: Final = entry[b"compile"]
        self._dump: Final = entry[b"dump"]
        self._undump: Final = entry[b"undump"]
        self._run: Final = entry[b"run"]
        self._run_few: Final = entry[b"run_few"]
        self._memory: Final = entry[b"memory"]
        self._failing: Final = entry[b"fail"]
        self.describe: Final = entry[b"describe"]
        self.slice: Final = entry[b"slice"]
        self.items: Final = entry[b"items"]
        self.ok: Final = entry[b"ok"]
        self.err: Final = entry[b"err"]
        self.typed: Final = entry[b"typed"]
        self.table_from: Final = self.lua.table_from

    def compile(self, text: bytes) -> Any:
        """The function that the script `text` is; raises CommandError where it is none."""
        function, refusal = self._compile(text)
        if function is None:
            raise CommandError(b"ERR Error compiling script (new function): " + refusal)
        code = without_tail_calls(self._dump(function))
        return function if code is None else self._undump(code)

    def run(self, function: Any, keys: list[bytes], arguments: list[bytes]) -> tuple[Any, ...]:
        """Call a script: True and what it returned, or False and its error.

        The error is a text or None, source and line or None, and whether it has been counted already.
        """
        if len(keys) + len(arguments) <= _FEW:
            result = self._run_few(function, len(keys), *keys, *arguments)
        else:
            result = self._run(function, self.table_from(keys), self.table_from(arguments))
        # A script that returns nothing: Lua gives the True alone.
        return result if isinstance(result, tuple) else (result, None)

    def forget_error(self) -> None:
        """Let go of the last error that a function of ours has raised, and of the frames that it holds.

        lupa keeps it until it has raised it itself, and with it this interpreter, in a circle that is never collected.
        """
        with suppress(Failure):
            self._failing()

    def memory(self) -> int:
        """Bytes that Lua has allocated."""
        return int(self._memory())


def _fail() -> NoReturn:
    raise Failure(b"")


def _no_attributes(_subject: object, _name: object, _setting: bool) -> NoReturn:
    raise AttributeError("scripts see nothing of Python")
