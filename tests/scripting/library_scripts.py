"""One script run twice: by the oracle with EVAL, and by lupa with the libraries of aikv.

Theory of operation: a script is the body of a Lua function, whose arguments are `...`. It is called with `pcall`, and
all that it returns or raises is written out as one string: types, numbers with all their digits, tables in the order
of `next`. What is run is the same text under the same name, so that positions in errors are the same too.

Where the order of `next` is no matter of ours, it is not compared: a key that is a table stands where its address says,
and the Lua of Redis has a hash function of its own for strings of 32 bytes and more. And scripts are written without
`return f(...)`: Lua forgets where it has called `f` if that is a Lua function, and remembers if it is a C function.
"""

from lupa.lua51 import LuaRuntime

from aikv.scripting.libraries import install
from oracle.process import ServerProcess
from oracle.wire import RawConnection

SCRIPT = b"""
local function show(value, depth)
  local kind = type(value)
  if kind == 'number' then return string.format('%%.17g', value)
  elseif kind == 'string' then return #value .. ':' .. value
  elseif kind == 'table' then
    if depth > 100 then return 'deep' end
    local parts, ordered = {}, true
    for key, item in next, value do
      parts[#parts + 1] = show(key, depth + 1) .. '=' .. show(item, depth + 1)
      ordered = ordered and type(key) ~= 'table' and (type(key) ~= 'string' or #key < 32)
    end
    if not ordered then table.sort(parts) end
    return '{' .. table.concat(parts, ',') .. '}'
  elseif kind == 'function' then return kind end
  return tostring(value)
end
local function show_all(...)
  local parts = {}
  for index = 1, select('#', ...) do parts[index] = show((select(index, ...)), 0) end
  return table.concat(parts, ' ')
end
return show_all(pcall(function(...)
%b
end, unpack(ARGV)))"""


class BothEngines:
    """The oracle, and one Lua runtime of our own that lives as long."""

    def __init__(self, oracle: ServerProcess) -> None:
        self.connection = RawConnection(oracle.port, 30)
        self.lua = LuaRuntime(encoding=None)
        install(self.lua)

    def ask(self, body: str, *argv: bytes | str) -> bytes:
        """What the oracle makes of a script."""
        script = SCRIPT % body.encode("latin-1")
        reply = self.connection.command(b"EVAL", script, b"0", *argv)
        assert reply[:1] == b"$", reply
        return reply[reply.index(b"\n") + 1 : -2]

    def run(self, body: str, *argv: bytes | str) -> bytes:
        """What we make of it."""
        names = self.lua.globals()
        names[b"ARGV"] = self.lua.table(*(word.encode() if isinstance(word, str) else word for word in argv))
        load = names[b"loadstring"]
        result = load(SCRIPT % body.encode("latin-1"), b"@user_script")()
        assert isinstance(result, bytes)
        return result

    def compare(self, body: str, *argv: bytes | str) -> bytes:
        """Run a script on both, fail where they differ, and return what both make of it."""
        expected = self.ask(body, *argv)
        assert self.run(body, *argv) == expected, f"{body} with {argv}"
        return expected

    def compare_calls(self, function: str, many_arguments: list[str]) -> None:
        """Call a function with each of the arguments, in all ways that show in the errors of Lua."""
        for arguments in many_arguments:
            self.compare(f"local v = {function}({arguments}) return v")
            self.compare(f"local f = {function}\n\nlocal v = f({arguments}) return v")
            self.compare(f"local t = {{m = {function}}} local v = t:m({arguments}) return v and type(v)")
            self.compare(f"local t = {{pcall(function() local v = {function}({arguments}) return v end)}} return t")
            self.compare(f"local t = {{pcall({', '.join(filter(None, [function, arguments]))})}} return t")
