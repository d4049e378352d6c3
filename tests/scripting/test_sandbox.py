"""Scripts cannot get out of their sandbox, nor leave anything behind in it."""

import pytest

from oracle.process import ServerProcess

# What a script could try to reach Python, Lua's own globals, or what other scripts see. Each has to return nothing
# or an error, but never what is behind.
ESCAPES = [
    # Attributes and methods of what Python has made.
    "return redis.call.__globals__",
    "return redis.call.__self__",
    "return tostring(redis.call.__class__)",
    "return redis.log['__call__']",
    "return getmetatable(redis.call)",
    "return getmetatable(redis.call).__index(redis.call, '__globals__')",
    "for k, v in pairs(redis) do if type(v) == 'userdata' then return k end end",
    "for k, v in pairs(_G) do if type(v) == 'userdata' then return k end end",
    # Errors that came from Python.
    "local ok, e = pcall(redis.call) return type(e) == 'userdata' or nil",
    "local ok, e = pcall(redis.call, 'nosuch') return type(e) == 'userdata' or nil",
    "local _, e = xpcall(redis.call, function(e) return type(e) end) return e == 'userdata' or nil",
    "local _, e = xpcall(function() redis.call({}) end, function(e) return e end) return type(e) == 'userdata' or nil",
    "local _, e = coroutine.resume(coroutine.create(function() redis.call() end)) return type(e) == 'userdata' or nil",
    "local _, e = pcall(coroutine.wrap(function() redis.log() end)) return type(e) == 'userdata' or nil",
    "local _, e = coroutine.resume(coroutine.create(coroutine.wrap(function() redis.call() end))) "
    "return type(e) == 'userdata' or nil",
    "local t = setmetatable({}, {__index = function() redis.call() end}) local _, e = pcall(function() return t.x end) "
    "return type(e) == 'userdata' or nil",
    # Globals that are not the script's.
    "return python",
    "return debug",
    "return io",
    "return package",
    "return require('os')",
    "return os.execute",
    "return os.getenv",
    "return getfenv(1)",
    "return setfenv(1, {})",
    "return loadstring('return python')()",
    "return loadstring('return debug')()",
    "return load(function() return nil end)() or python",
    "local co = coroutine.create(function() return loadstring('return python')() end) "
    "local ok, r = coroutine.resume(co) return ok and r or nil",
    "return rawget(_G, 'python')",
    "return rawget(_G, 'debug')",
    "return rawget(getmetatable(_G), '__index')",
    "return getmetatable(getmetatable(_G))",
    "return newproxy(true)",
    "return getmetatable(coroutine.create(function() end))",
    # Compiled code.
    "return loadstring(string.dump(function() return 1 end))",
    "return loadstring('\\27Lua')",
    "local done return load(function() if done then return nil end done = true return string.dump(function() end) end)",
    "local parts = {'\\27', 'Lua'} return load(function() return table.remove(parts, 1) end)",
    # Writing into what all scripts share.
    "redis.call = nil",
    "redis.pcall = print",
    "_G.redis = nil",
    "_G._G = nil",
    "string.len = nil",
    "math.random = nil",
    "cjson.decode = nil",
    "KEYS = nil",
    "rawset(_G, 'x', 1)",
    "rawset(redis, 'x', 1)",
    "rawset(string, 'x', 1)",
    "table.insert(redis, 1)",
    "table.insert(_G, 1, 1)",
    "table.remove(redis)",
    "table.sort(redis)",
    "setmetatable(_G, nil)",
    "setmetatable(redis, {})",
    "getmetatable('').__index = nil",
    "getmetatable('').__index.len = nil",
    "getmetatable('').__metatable = nil",
    "rawset(getmetatable(''), '__index', nil)",
    "rawset(getmetatable(_G), '__index', nil)",
    "getmetatable(_G).__newindex = nil",
    "for _, t in pairs({pairs(redis)}) do if type(t) == 'table' then t.call = nil end end",
    "local f, s = pairs(_G) s.redis = nil",
    "local f, s = ipairs(redis) s.call = nil",
    "setmetatable({}, {__index = redis, __newindex = redis}).call = nil",
    "return select(2, next({string})).x",
    "table.setn(redis, 5)",
    "table.foreach(redis, function(k, v) return v end).x = 1",
]


def refused(reply: bytes) -> bool:
    """Whether nothing was found or done."""
    return reply == b"$-1\r\n" or reply.startswith(b"-")


@pytest.mark.parametrize("script", ESCAPES)
def test_a_script_stays_in_its_sandbox(aikv_server: ServerProcess, script: str) -> None:
    with aikv_server.connect() as connection:
        reply = connection.command("EVAL", script, "0")
        assert refused(reply), reply
        # Everything is as it was.
        check = "return {type(redis.call), type(_G._G.redis), ('x'):len(), type(cjson.decode), #KEYS, #redis, #_G}"
        assert connection.command("EVAL", check, "0") == (
            b"*7\r\n$8\r\nfunction\r\n$5\r\ntable\r\n:1\r\n$8\r\nfunction\r\n:0\r\n:0\r\n:0\r\n"
        )


def test_a_script_finds_nothing_that_another_has_left(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as connection:
        connection.command("EVAL", "KEYS.left = 1 ARGV[9] = 2 local mine = 3", "1", "k")
        left = "return {KEYS.left or 0, ARGV[9] or 0, rawget(_G, 'mine') or 0}"
        assert connection.command("EVAL", left, "0") == b"*3\r\n:0\r\n:0\r\n:0\r\n"


def test_attributes_of_python_objects_cannot_be_read_from_lua() -> None:
    from aikv.scripting.runtime import Runtime

    runtime = Runtime(dict.fromkeys((b"error_of", b"tick", b"random", b"seed_random"), print), {}, {})
    with pytest.raises(Exception, match="scripts see nothing of Python"):
        runtime.lua.execute(b"local object = ... return object.__class__", object())
