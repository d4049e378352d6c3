"""What `install` leaves behind: four tables of Lua functions, and no way from them to anything else."""

import gc
import tracemalloc
from importlib import resources

import pytest
from lupa.lua51 import LuaError, LuaRuntime

import aikv.scripting.libraries
from aikv.scripting.libraries import install

# Everything that can be reached from the libraries: through tables, metatables and environments, what is neither
# Lua's nor one of their functions.
REACHABLE = b"""
local environment, metatable, info = ...
local seen, strange = {}, {}
local function walk(value, path)
  local kind = type(value)
  if seen[value] or kind == 'string' or kind == 'number' or kind == 'boolean' then return end
  seen[value] = true
  if kind == 'table' then
    for key, item in next, value do walk(key, path .. '.key') walk(item, path .. '.' .. tostring(key)) end
  elseif kind == 'function' then
    if info(value, 'S').what ~= 'Lua' then strange[#strange + 1] = path .. ' is ' .. info(value, 'S').what end
  elseif path:sub(-5) ~= '.null' then
    strange[#strange + 1] = path .. ' is ' .. kind
  end
  local about = metatable(value)
  if about and kind ~= 'userdata' then strange[#strange + 1] = path .. ' has a metatable' end
end
for _, name in ipairs{'bit', 'cjson', 'cmsgpack', 'struct'} do walk(_G[name], name) end
return table.concat(strange, '\\n')
"""


@pytest.fixture
def lua() -> LuaRuntime:
    runtime = LuaRuntime(encoding=None)
    install(runtime)
    return runtime


def test_only_lua_functions_are_reachable(lua: LuaRuntime) -> None:
    environment, metatable, info = lua.execute(b"return getfenv, debug.getmetatable, debug.getinfo")
    assert lua.execute(REACHABLE, environment, metatable, info) == b""


def test_nothing_else_is_changed(lua: LuaRuntime) -> None:
    names = b"local r = {} for name in next, _G do r[#r + 1] = name end table.sort(r) return table.concat(r, ' ')"
    before = set(LuaRuntime(encoding=None).execute(names).split())
    assert set(lua.execute(names).split()) - before == {b"bit", b"cjson", b"cmsgpack", b"struct"}


def test_null_gives_nothing_away(lua: LuaRuntime) -> None:
    assert lua.execute(b"return tostring(getmetatable(cjson.null))") == b"false"
    assert lua.execute(b"return tostring(cjson.null)") == b"userdata: (nil)"
    with pytest.raises(LuaError, match="table expected"):
        lua.execute(b"setmetatable(cjson.null, {})")


def test_libraries_do_not_need_what_the_sandbox_takes_away(lua: LuaRuntime) -> None:
    use = b"""
      local s = cjson.encode(cjson.decode('{"a":[1,"b\\\\n",0x10,null]}')) .. cmsgpack.pack({1, 0.1, {a = 'b'}})
      s = s .. struct.pack('>bsd', 1, 'x', 0.5) .. bit.tohex(bit.bxor(1, 2, 3))
      local ok, text = pcall(function() local v = cjson.decode('[') end)
      return s .. text .. select(2, pcall(function() local v = bit.band('x') end))
    """
    expected = lua.execute(use)
    lua.execute(b"""
      for _, library in ipairs{string, table, math, debug, os, io, package, coroutine} do
        for name in next, library do if not (library == string and name == 'rep') then library[name] = nil end end
      end
      local kept = {cjson = 1, cmsgpack = 1, struct = 1, bit = 1, select = 1, pcall = 1}
      local globals, next = _G, next
      for name in next, globals do if not kept[name] then globals[name] = nil end end
    """)
    assert lua.execute(use) == expected


@pytest.mark.parametrize(
    "script",
    [
        b"return cjson.decode(string.rep('[', 200000))",
        b"return cjson.decode(string.rep(' ', 200000))",
        b"return cjson.decode('\"' .. string.rep('\\\\', 200000))",
        b"return cjson.decode(string.rep('\"', 200000))",
        b"return cmsgpack.unpack('\\221\\255\\255\\255\\255' .. string.rep('\\193', 1000))",
        b"return cmsgpack.unpack('\\219\\255\\255\\255\\255' .. string.rep('a', 1000))",
        b"return cmsgpack.unpack(string.rep('\\145', 200000))",
        b"return struct.pack('c2147483647', 'a')",
        b"return struct.unpack('c2147483647', 'a')",
        b"return struct.pack('!1073741824bc0', 1, '') .. cjson.decode('')",
    ],
)
def test_bad_input_ends_soon_and_takes_no_memory(lua: LuaRuntime, script: bytes) -> None:
    count = lua.eval(b"collectgarbage")
    with pytest.raises(LuaError):
        lua.execute(script)
    count(b"collect")
    before = count(b"count")
    for _ in range(5):
        with pytest.raises(LuaError):
            lua.execute(script)
    assert count(b"count") < before + 6_000
    count(b"collect")
    assert count(b"count") < before + 200


def test_a_runtime_that_is_gone_leaves_nothing() -> None:
    def make() -> None:
        install(LuaRuntime(encoding=None))

    make()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(20):
        make()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000


def test_new_instances_are_forgotten(lua: LuaRuntime) -> None:
    count = lua.eval(b"collectgarbage")
    lua.execute(b"for i = 1, 1000 do cjson.new() end")
    count(b"collect")
    before = count(b"count")
    lua.execute(b"for i = 1, 10000 do cjson.new() end")
    count(b"collect")
    count(b"collect")
    assert count(b"count") < before + 100


def test_every_lua_file_opens_with_its_theory_of_operation() -> None:
    files = [file for file in resources.files(aikv.scripting.libraries).iterdir() if file.name.endswith(".lua")]
    assert len(files) == 14
    for file in files:
        lines = file.read_text().splitlines()
        assert lines[0].startswith("-- ")
        assert len(lines) < 300
        assert max(map(len, lines)) <= 120
