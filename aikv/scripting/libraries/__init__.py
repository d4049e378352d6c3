"""The libraries that scripts have beside Lua's own: `bit`, `cjson`, `cmsgpack`, `struct`.

Theory of operation: each is written in Lua, in a file beside this one: a call from Lua to Python costs more (0.6 us,
and tables on top) than what most of these functions do, and so no Python object can be reached through them. A file
is a chunk whose arguments are the parts that it needs and whose result is what it makes. Each takes what it uses of
Lua into local variables when it is loaded, so that what becomes of globals later does not matter to it. That
includes `debug`, which scripts do not have: an error names the function as the script has called it, and the line.

The chunks are named `=[C]`: who looks for the script's line on the stack passes over them as over C functions.
"""

from functools import cache
from importlib import resources
from typing import Any, Protocol

__all__ = ["install"]

CHUNK_NAME = b"=[C]"
LOAD = b"function(source, name, ...) return assert(loadstring(source, name))(...) end"
# JSON's null is told from others by identity. In C it is a null pointer, and says so as text.
MAKE_NULL = b"""
local null = newproxy(true)
local about = getmetatable(null)
about.__tostring = function() return "userdata: (nil)" end
about.__metatable = false
return null
"""


class Runtime(Protocol):
    """What is needed of a `lupa.lua51.LuaRuntime`."""

    def eval(self, code: bytes) -> Any:
        """Return the value of a Lua expression."""

    def execute(self, code: bytes) -> Any:
        """Run a chunk and return what it returns."""

    def globals(self) -> Any:
        """Return the table of globals."""


@cache
def source(name: str) -> bytes:
    """Return the text of the Lua file `name` of this package."""
    return resources.files(__name__).joinpath(f"{name}.lua").read_bytes()


def install(lua: Runtime) -> None:
    """Put the globals `bit`, `cjson`, `cmsgpack` and `struct` into `lua`, a `LuaRuntime` with `encoding=None`.

    It must still have all of Lua's own libraries; none is needed afterwards.
    """
    load = lua.eval(LOAD)

    def part(name: str, *needs: object) -> Any:
        return load(source(name), CHUNK_NAME, *needs)

    arguments, floats = part("arguments"), part("floats")
    null = lua.execute(MAKE_NULL)
    names = lua.globals()
    names[b"bit"] = part("bit", arguments)
    decoder = part("cjson_decode", arguments, part("cjson_escapes"), part("cjson_numbers"), null)
    names[b"cjson"] = part("cjson", arguments, part("cjson_encode", arguments, null), decoder, null)
    names[b"cmsgpack"] = part(
        "cmsgpack", arguments, part("cmsgpack_pack", arguments, floats), part("cmsgpack_unpack", arguments, floats)
    )
    names[b"struct"] = part("struct", arguments, floats, part("struct_format", arguments), part("struct_integers"))
