-- Errors as C functions of Lua raise them, for library functions that are written in Lua.
--
-- A C function's error begins with the position of its caller, and an argument's error names the function as its
-- caller called it. Here the function that the script has called may be any number of calls away from where the
-- error is found; so each library function is registered with `export`, and an error looks for it on the stack. Only
-- the way of an error pays for this.

local ceil, error, floor, format, getinfo, select, setmetatable, tonumber, type, unpack =
  math.ceil, error, math.floor, string.format, debug.getinfo, select, setmetatable, tonumber, type, unpack

-- The name of all chunks of libraries.
local SOURCE = "=[C]"

-- Weak, because cjson.new makes functions for as long as its result is used.
local exported = setmetatable({}, { __mode = "k" })

-- Whether there is a level, seen from the caller of this function, that a function of a library is on, or that was
-- left by a call in the place of its caller.
local function is_inside(level)
  local about = getinfo(level + 1, "S")
  return about ~= nil and (about.what == "tail" or about.what == "Lua" and about.source == SOURCE)
end

-- The level, seen from the caller of this function, of the library function that the script has called. The levels
-- inside of it are all those of libraries, and there may be thousands: so its place is found by halving.
local function entry_level()
  local inside, outside = 2, 3
  while is_inside(outside) do
    inside, outside = outside, 2 * outside
  end
  while outside - inside > 1 do
    local middle = floor((inside + outside) / 2)
    if is_inside(middle) then
      inside = middle
    else
      outside = middle
    end
  end
  while not exported[getinfo(inside, "f").func] do
    inside = inside - 1
  end
  return inside - 1
end

local arguments = {}

-- Registers `library_function` as one that scripts call, and returns it.
function arguments.export(library_function)
  exported[library_function] = true
  return library_function
end

-- Raises the error `text` at the place where the script has called the library.
function arguments.fail(text)
  error(text, entry_level() + 1)
end

-- Raises "bad argument #`index`" with the reason `text`.
local function bad_argument(index, text)
  local level = entry_level()
  local called = getinfo(level, "n")
  if called.namewhat == "method" then
    index = index - 1
    if index == 0 then
      error(format("calling '%s' on bad self (%s)", called.name, text), level + 1)
    end
  end
  error(format("bad argument #%d to '%s' (%s)", index, called.name or "?", text), level + 1)
end
arguments.bad_argument = bad_argument

-- Raises the error that argument `index` of `...`, all that the script has given, is no `expected`.
local function wrong_type(expected, index, ...)
  local got = index > select("#", ...) and "no value" or type((select(index, ...)))
  bad_argument(index, format("%s expected, got %s", expected, got))
end
arguments.wrong_type = wrong_type

-- Argument `index` of `...` as a number, for which text that reads as one will do.
local function number(index, ...)
  local value = (select(index, ...))
  if type(value) == "string" then
    value = tonumber(value)
  end
  if type(value) ~= "number" then
    wrong_type("number", index, ...)
  end
  return value
end
arguments.number = number

-- Argument `index` of `...` as a 64-bit integer: cut towards zero, and the lowest one if it is out of range.
function arguments.integer(index, ...)
  local given = number(index, ...)
  if given >= -2 ^ 63 and given < 2 ^ 63 then
    return given < 0 and ceil(given) or floor(given)
  end
  return -2 ^ 63
end

-- Argument `index` of `...` as text, for which a number will do.
function arguments.text(index, ...)
  local value = (select(index, ...))
  if type(value) == "number" then
    return value .. ""
  end
  if type(value) ~= "string" then
    wrong_type("string", index, ...)
  end
  return value
end

-- All of `values`, as results. It is not only `unpack` that returns them where they are many, because its own
-- arguments take room on the stack of C that is bounded.
function arguments.unpacked(values, count)
  if count < 3 then
    return unpack(values, 1, count)
  end
  return values[1], values[2], values[3], unpack(values, 4, count)
end

return arguments
