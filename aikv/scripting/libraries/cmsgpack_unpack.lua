-- `cmsgpack.unpack`, `unpack_one`, `unpack_limit`: MessagePack to values.
--
-- One value is read by its first byte. What is known of C's stack, on which the values stand there, is counted along,
-- because it bounds how many values are returned and how deep they are nested. The types of MessagePack that came
-- later (binary, extensions) are a bad format, as they are to lua-cmsgpack 0.4.

local arguments, floats = ...
local byte, error, format, select, sub, type = string.byte, error, string.format, select, string.sub, type
local fail, integer, text_argument, unpacked = arguments.fail, arguments.integer, arguments.text, arguments.unpacked
local from_double, from_single = floats.from_double, floats.from_single

-- The stack of a C function in Lua 5.1.
local STACK_SLOTS = 8000

-- Fails if not all of the bytes from `at` to `last` are there.
local function need(text, last)
  if last > #text then
    fail("Missing bytes in input.")
  end
end

local function word_at(text, at)
  need(text, at + 3)
  local a, b, c, d = byte(text, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function half_at(text, at)
  need(text, at + 1)
  local a, b = byte(text, at, at + 1)
  return a * 256 + b
end

local function byte_at(text, at)
  need(text, at)
  return (byte(text, at))
end

local function text_of(text, at, length)
  local after = at + length
  if after > #text + 1 then
    fail("Missing bytes in input.")
  end
  return sub(text, at, after - 1), after
end

local function signed(number, half)
  if number >= half then
    return number - 2 * half
  end
  return number
end

local value_at

local function array_at(text, at, length, slots)
  if slots + 2 > STACK_SLOTS then
    fail("stack overflow (in function mp_decode_to_lua_array)")
  end
  local array = {}
  for index = 1, length do
    array[index], at = value_at(text, at, slots + 2)
  end
  return array, at
end

local function map_at(text, at, length, slots)
  local map = {}
  for _ = 1, length do
    local key, value
    key, at = value_at(text, at, slots + 1)
    value, at = value_at(text, at, slots + 2)
    -- As Lua says it of a C function, that is without a position.
    if key == nil then
      error("table index is nil", 0)
    elseif key ~= key then
      error("table index is NaN", 0)
    end
    map[key] = value
  end
  return map, at
end

-- Readers by the first byte: each gets the place after it, returns the value and the place after that.
local READERS = {
  [0xc0] = function(_, at)
    return nil, at
  end,
  [0xc2] = function(_, at)
    return false, at
  end,
  [0xc3] = function(_, at)
    return true, at
  end,
  [0xca] = function(text, at)
    return from_single(word_at(text, at)), at + 4
  end,
  [0xcb] = function(text, at)
    need(text, at + 7)
    return from_double(word_at(text, at), word_at(text, at + 4)), at + 8
  end,
  [0xcc] = function(text, at)
    return byte_at(text, at), at + 1
  end,
  [0xcd] = function(text, at)
    return half_at(text, at), at + 2
  end,
  [0xce] = function(text, at)
    return word_at(text, at), at + 4
  end,
  [0xd0] = function(text, at)
    return signed(byte_at(text, at), 128), at + 1
  end,
  [0xd1] = function(text, at)
    return signed(half_at(text, at), 32768), at + 2
  end,
  [0xd2] = function(text, at)
    return signed(word_at(text, at), 2 ^ 31), at + 4
  end,
  [0xd3] = function(text, at)
    need(text, at + 7)
    return signed(word_at(text, at), 2 ^ 31) * 2 ^ 32 + word_at(text, at + 4), at + 8
  end,
  [0xd9] = function(text, at)
    return text_of(text, at + 1, byte_at(text, at))
  end,
  [0xda] = function(text, at)
    return text_of(text, at + 2, half_at(text, at))
  end,
  [0xdb] = function(text, at)
    return text_of(text, at + 4, word_at(text, at))
  end,
  [0xdc] = function(text, at, slots)
    return array_at(text, at + 2, half_at(text, at), slots)
  end,
  [0xdd] = function(text, at, slots)
    return array_at(text, at + 4, word_at(text, at), slots)
  end,
  [0xde] = function(text, at, slots)
    return map_at(text, at + 2, half_at(text, at), slots)
  end,
  [0xdf] = function(text, at, slots)
    return map_at(text, at + 4, word_at(text, at), slots)
  end,
}
-- An unsigned integer of 64 bits becomes a signed one, which is what Lua of Redis has.
READERS[0xcf] = READERS[0xd3]

-- The value at `at` and the place after it. `slots` of C's stack are taken.
function value_at(text, at, slots)
  local kind = byte(text, at)
  if not kind then
    fail("Missing bytes in input.")
  elseif slots >= STACK_SLOTS then
    fail("stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)")
  elseif kind < 0x80 then
    return kind, at + 1
  elseif kind < 0x90 then
    return map_at(text, at + 1, kind - 0x80, slots)
  elseif kind < 0xa0 then
    return array_at(text, at + 1, kind - 0x90, slots)
  elseif kind < 0xc0 then
    return text_of(text, at + 1, kind - 0xa0)
  elseif kind >= 0xe0 then
    return kind - 256, at + 1
  end
  local reader = READERS[kind]
  if not reader then
    fail("Bad data format in input.")
  end
  return reader(text, at + 1, slots)
end

-- As C prints an integer that may be too large for an int.
local function as_int(number)
  return (number + 2 ^ 31) % 2 ^ 32 - 2 ^ 31
end

-- The values of `text` from `offset` on, at most `limit`, after `slots` values on C's stack: a table and its length.
-- The first is where to go on, -1 at the end, unless all values are asked for.
local function values_of(text, limit, offset, slots)
  if limit < 0 or offset < 0 then
    fail(format("Invalid request to unpack with offset of %d and limit of %d.", as_int(offset), #text))
  elseif offset > #text then
    fail(format("Start offset %d greater than input length %d.", as_int(offset), #text))
  end
  local all = limit == 0 and offset == 0
  local values, before, count, at = {}, all and 0 or 1, 0, offset + 1
  while at <= #text and (all or count < limit) do
    values[before + count + 1], at = value_at(text, at, slots + count)
    count = count + 1
  end
  if not all then
    values[1] = at > #text and -1 or at - 1
  end
  return values, before + count
end

local function optional_integer(index, ...)
  if (select(index, ...)) == nil then
    return 0
  end
  return integer(index, ...)
end

local function text_from(...)
  local text = ...
  return type(text) == "string" and text or text_argument(1, ...)
end

local unpackers = {}

-- None of these may end in a call that can fail: a function that has made way for another is not on the stack.
function unpackers.unpack(...)
  local values, count = values_of(text_from(...), 0, 0, (select("#", ...)))
  return unpacked(values, count)
end

function unpackers.unpack_one(...)
  local offset = optional_integer(2, ...)
  local values, count = values_of(text_from(...), 1, offset, 1)
  return unpacked(values, count)
end

function unpackers.unpack_limit(...)
  local limit, offset = integer(2, ...), optional_integer(3, ...)
  local values, count = values_of(text_from(...), limit, offset, 1)
  return unpacked(values, count)
end

return unpackers
