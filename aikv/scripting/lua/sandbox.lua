-- The sandbox: what a script sees of Lua, and how one is called.
--
-- Scripts get a table of globals of their own, made of copies of what they may use; Lua's own globals, the debug
-- library and Python stay with this chunk. Lua 5.1 knows no read-only tables, so the globals and each library are
-- seen through an empty table whose metatable reads from the real one and refuses to write. What of Lua would see
-- the difference (rawset, next, table.insert ...) is replaced by a function that looks through it.
--
-- The chunk is named `=[C]`: who looks for the script's line on the stack passes over it as over C functions.

local host = ...

local error, type, select, unpack, tostring = error, type, select, unpack, tostring
local pcall, xpcall, loadstring, setfenv, setmetatable = pcall, xpcall, loadstring, setfenv, setmetatable
local next, rawget, rawset, getmetatable = next, rawget, rawset, getmetatable
local getinfo, metatable_of, sethook = debug.getinfo, debug.getmetatable, debug.sethook
local concat, byte, dump = table.concat, string.byte, string.dump
local insert, remove, sort = table.insert, table.remove, table.sort
local create, resume, wrap = coroutine.create, coroutine.resume, coroutine.wrap
local error_of, tick, random, seed_random = host.error_of, host.tick, host.random, host.seed_random

local READ_ONLY = "Attempt to modify a readonly table"
-- Instructions between two looks at the clock, as in Redis.
local INSTRUCTIONS = 100000

-- The real table behind each read-only one.
local real_of = setmetatable({}, { __mode = "k" })

local function refuse_to_write()
  error(READ_ONLY, 2)
end

local function protected(real, about)
  local shown = {}
  about = about or {}
  about.__index = about.__index or real
  about.__newindex = refuse_to_write
  -- getmetatable gives this: the table seems to have none.
  about.__metatable = about.__metatable or false
  real_of[shown] = real
  return setmetatable(shown, about)
end

local function bad_argument(number, name, expected, got, level)
  error("bad argument #" .. number .. " to '" .. name .. "' (" .. expected .. " expected, got " .. got .. ")", level + 1)
end

local function name_of_type(...)
  if select("#", ...) == 0 then return "no value" end
  return type((...))
end

-- Errors. One that Python raised is an object of Python's here, and must not get into the script's hands.

local killed = false
local KILLED = "ERR Script killed by user with SCRIPT KILL..."

local function as_lua(value)
  if type(value) == "userdata" then
    local text, counted, kills = error_of(value)
    killed = killed or kills
    if text then return { err = text, ignore_error_stats_update = counted or nil } end
  end
  return value
end

-- As in Redis, pcall gives the text of an error reply and not the table.
local function after_pcall(ok, value, ...)
  if ok then return true, value, ... end
  value = as_lua(value)
  if killed then error({ err = KILLED }) end
  if type(value) == "table" then
    local text = rawget(value, "err")
    if type(text) == "string" or type(text) == "number" then value = tostring(text) end
  end
  return false, value
end

local function after_resume(ok, value, ...)
  if ok then return true, value, ... end
  value = as_lua(value)
  if killed then error({ err = KILLED }) end
  return false, value
end

-- The hook belongs to one coroutine, so each gets its own.
local function on_count()
  if tick() then
    killed = true
  end
  if killed then error({ err = KILLED }) end
end

local function check_lua_function(f, name)
  if type(f) ~= "function" or getinfo(f, "S").what == "C" then
    error("bad argument #1 to '" .. name .. "' (Lua function expected)", 3)
  end
end

-- What scripts have.

local globals = { _VERSION = _VERSION }
local shown_globals = protected(globals, {
  __index = setmetatable(globals, {
    __index = function(_, name)
      error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
    end,
  }),
  __metatable = protected({}),
})

for _, name in ipairs({
  "assert", "collectgarbage", "error", "gcinfo", "getmetatable", "ipairs", "rawequal", "select", "tonumber",
  "tostring", "type", "unpack",
}) do
  globals[name] = _G[name]
end

function globals.pcall(...)
  -- Redis's pcall does not ask for a function.
  if select("#", ...) == 0 then return false end
  return after_pcall(pcall(...))
end

function globals.xpcall(...)
  if select("#", ...) < 2 then error("bad argument #2 to 'xpcall' (value expected)", 2) end
  local f, handler = ...
  return after_resume(xpcall(f, function(value)
    value = as_lua(value)
    if killed then return value end
    return handler(value)
  end))
end

function globals.rawget(t, key)
  if type(t) ~= "table" then bad_argument(1, "rawget", "table", name_of_type(t), 2) end
  return rawget(real_of[t] or t, key)
end

function globals.rawset(t, key, value)
  if type(t) ~= "table" then bad_argument(1, "rawset", "table", name_of_type(t), 2) end
  if real_of[t] then error(READ_ONLY, 0) end
  return rawset(t, key, value)
end

function globals.setmetatable(...)
  local t, about = ...
  if type(t) ~= "table" then bad_argument(1, "setmetatable", "table", name_of_type(...), 2) end
  if select("#", ...) < 2 or (about ~= nil and type(about) ~= "table") then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  if real_of[t] then error(READ_ONLY, 0) end
  local present = metatable_of(t)
  if present and rawget(present, "__metatable") ~= nil then error("cannot change a protected metatable", 2) end
  return setmetatable(t, about)
end

function globals.next(t, key)
  if type(t) ~= "table" then bad_argument(1, "next", "table", name_of_type(t), 2) end
  return next(real_of[t] or t, key)
end

function globals.pairs(...)
  local t = ...
  if type(t) ~= "table" then bad_argument(1, "pairs", "table", name_of_type(...), 2) end
  if real_of[t] then return globals.next, t, nil end
  return next, t, nil
end

-- Compiled code is refused, because it can do anything.
local function load_text(text, name)
  if byte(text, 1) == 27 then
    -- The text of Lua's own refusal, where it finds its first letter.
    local _, refusal = loadstring("\1", name)
    return nil, (refusal:gsub("char%(1%)", "char(27)"))
  end
  local f, refusal = loadstring(text, name)
  if f then setfenv(f, shown_globals) end
  return f, refusal
end

function globals.loadstring(...)
  local text, name = ...
  if type(text) == "number" then text = tostring(text) end
  if type(text) ~= "string" then bad_argument(1, "loadstring", "string", name_of_type(...), 2) end
  return load_text(text, name or text)
end

function globals.load(reader, name)
  if type(reader) ~= "function" then bad_argument(1, "load", "function", name_of_type(reader), 2) end
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == "" then break end
    if type(piece) == "number" then piece = tostring(piece) end
    if type(piece) ~= "string" then return nil, "reader function must return a string" end
    insert(pieces, piece)
  end
  return load_text(concat(pieces), name or "=(load)")
end

local libraries = { string = {}, table = {}, math = {}, coroutine = {}, os = { clock = os.clock } }
for _, name in ipairs({ "string", "table", "math", "coroutine" }) do
  for key, value in next, _G[name] do libraries[name][key] = value end
end
for _, name in ipairs({ "bit", "cjson", "cmsgpack", "struct" }) do
  libraries[name] = rawget(_G, name)
end
libraries.redis = host.api

-- Functions that write into a table without a look at its metatable.

local function check_writable(name, ...)
  local t = ...
  if type(t) ~= "table" then bad_argument(1, name, "table", name_of_type(...), 3) end
  if real_of[t] then error(READ_ONLY, 0) end
end

local function check_number(value, number, name)
  if not tonumber(value) then bad_argument(number, name, "number", name_of_type(value), 3) end
end

function libraries.table.insert(...)
  check_writable("insert", ...)
  local count = select("#", ...)
  if count == 3 then
    check_number((select(2, ...)), 2, "insert")
  elseif count ~= 2 then
    error("wrong number of arguments to 'insert'", 2)
  end
  return insert(...)
end

function libraries.table.remove(...)
  check_writable("remove", ...)
  local _, position = ...
  if position ~= nil then check_number(position, 2, "remove") end
  return remove(...)
end

function libraries.table.sort(...)
  check_writable("sort", ...)
  local _, before = ...
  if before ~= nil and type(before) ~= "function" then
    bad_argument(2, "sort", "function", name_of_type(before), 2)
  end
  return sort(...)
end

function libraries.coroutine.create(f)
  check_lua_function(f, "create")
  local co = create(f)
  sethook(co, on_count, "", INSTRUCTIONS)
  return co
end

function libraries.coroutine.wrap(f)
  check_lua_function(f, "wrap")
  return wrap(function(...)
    sethook(on_count, "", INSTRUCTIONS)
    return f(...)
  end)
end

function libraries.coroutine.resume(...)
  if type((...)) ~= "thread" then error("bad argument #1 to 'resume' (coroutine expected)", 2) end
  return after_resume(resume(...))
end

-- Every server draws the same numbers, those of Redis, from its first script on.
function libraries.math.random(...)
  local count = select("#", ...)
  local low, high = ...
  for number = 1, count < 2 and count or 2 do
    local given = select(number, ...)
    if not tonumber(given) then bad_argument(number, "random", "number", type(given), 2) end
  end
  local drawn = random()
  if count == 0 then return drawn end
  if count > 2 then error("wrong number of arguments", 2) end
  low = tonumber(low)
  low = low < 0 and math.ceil(low) or math.floor(low)
  if count == 1 then
    if low < 1 then error("bad argument #1 to 'random' (interval is empty)", 2) end
    return math.floor(drawn * low) + 1
  end
  high = tonumber(high)
  high = high < 0 and math.ceil(high) or math.floor(high)
  if low > high then error("bad argument #2 to 'random' (interval is empty)", 2) end
  return math.floor(drawn * (high - low + 1)) + low
end

function libraries.math.randomseed(...)
  local seed = ...
  if not tonumber(seed) then bad_argument(1, "randomseed", "number", name_of_type(...), 2) end
  seed_random(tonumber(seed))
end

for name, library in next, libraries do
  globals[name] = protected(library)
end
globals._G = shown_globals

local about_strings = getmetatable("")
about_strings.__index = libraries.string
about_strings.__metatable = protected({ __index = globals.string })

-- What is the matter with a script, and in which of its lines.
local function located(value, position)
  value = as_lua(value)
  if type(value) ~= "table" then value = { err = "ERR " .. tostring(value) } end
  if position then
    rawset(value, "source", position.source)
    rawset(value, "line", position.currentline)
  end
  return value
end

local function position_of_error()
  local level = 3
  local position = getinfo(level, "Sl")
  while position and (position.source == "=[C]" or position.what == "tail") do
    level = level + 1
    position = getinfo(level, "Sl")
  end
  return position
end

local function on_error(value)
  if type(value) == "table" and real_of[value] then value = tostring(value) end
  return located(value, position_of_error())
end

function globals.__redis__err__handler(value)
  return on_error(value)
end

-- What Python calls.

local function text_or_nil(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return tostring(value) end
  return nil
end

local function finish(ok, value)
  if ok then return true, value end
  -- Where memory or the stack ran out, nobody has located the error.
  if type(value) ~= "table" then value = located(value) end
  return false, text_or_nil(rawget(value, "err")), text_or_nil(rawget(value, "source")),
    rawget(value, "line"), rawget(value, "ignore_error_stats_update") and true or false
end

local entry = {}

-- Returns the function that `text` is, or nil and why it is none.
function entry.compile(text)
  local f, refusal = load_text(text, "@user_script")
  return f, refusal
end

-- The code of a function as bytes, and a function made of such.
entry.dump = dump
function entry.undump(code)
  local f = assert(loadstring(code, "@user_script"))
  setfenv(f, shown_globals)
  return f
end

function entry.run(f, keys, arguments)
  killed = false
  rawset(globals, "KEYS", keys)
  rawset(globals, "ARGV", arguments)
  return finish(xpcall(f, on_error))
end

-- The same with few arguments, which need no tables made in Python.
function entry.run_few(f, number_of_keys, ...)
  local keys, arguments = {}, { ... }
  if number_of_keys > 0 then
    keys = { unpack(arguments, 1, number_of_keys) }
    arguments = { unpack(arguments, number_of_keys + 1) }
  end
  return entry.run(f, keys, arguments)
end

-- What a table means as a reply: its kind and what belongs to it.
function entry.describe(t)
  local value = rawget(t, "err")
  if type(value) == "string" then return "err", value, rawget(t, "ignore_error_stats_update") and true or false end
  value = rawget(t, "ok")
  if type(value) == "string" then return "ok", value end
  value = rawget(t, "double")
  if type(value) == "number" then return "double", value end
  value = rawget(t, "map")
  if type(value) == "table" then return "map", value end
  value = rawget(t, "set")
  if type(value) == "table" then return "set", value end
  value = rawget(t, "big_number")
  if type(value) == "string" then return "big_number", value end
  value = rawget(t, "verbatim_string")
  if type(value) == "table" then
    local text, format = rawget(value, "string"), rawget(value, "format")
    if type(text) == "string" and type(format) == "string" then return "verbatim_string", text, format end
  end
  local count = 0
  while rawget(t, count + 1) ~= nil do count = count + 1 end
  if count <= 1000 then return "array", count, unpack(t, 1, count) end
  return "array", count
end

function entry.slice(t, first, last)
  return unpack(t, first, last)
end

-- Keys and values in turn; in a table, because there may be many.
function entry.items(t, with_values)
  local items, count = {}, 0
  for key, value in next, real_of[t] or t do
    count = count + 1
    items[count] = key
    if with_values then
      count = count + 1
      items[count] = value
    end
  end
  return items, count
end

function entry.ok(text)
  return { ok = text }
end

function entry.err(text, counted)
  return { err = text, ignore_error_stats_update = counted or nil }
end

function entry.typed(kind, value, format)
  if kind == "verbatim_string" then return { verbatim_string = { string = value, format = format } } end
  return { [kind] = value }
end

entry.fail = host.fail

function entry.memory()
  return collectgarbage("count") * 1024
end

sethook(on_count, "", INSTRUCTIONS)
-- Lupa would call debug.traceback for every error.
debug = nil

return entry
