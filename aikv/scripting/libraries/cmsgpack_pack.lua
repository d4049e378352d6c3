-- `cmsgpack.pack`: values to MessagePack (format: https://github.com/msgpack/msgpack/blob/master/spec.md).
--
-- A number without a fraction, in the range of 64-bit integers, is an integer, the shortest that holds it; another is
-- a float if that holds it, else a double. A table whose keys are 1, 2, ... is an array, the empty one too; another is
-- a map, in the order of `next`. What MessagePack does not have is nil, and so are tables that are nested too deep.

local arguments, floats = ...
local char, concat, floor, next, select, type =
  string.char, table.concat, math.floor, next, select, type
local bad_argument = arguments.bad_argument
local is_single, to_double, to_single = floats.is_single, floats.to_double, floats.to_single

local MAX_NESTING = 16
-- So many values C finds room for twice, on the stack of a C function in Lua 5.1.
local MAX_VALUES = 4000

local BYTES = {}
for code = 0, 255 do
  BYTES[code] = char(code)
end

-- A type's byte and an integer of two or four bytes after it.
local function with_half(kind, integer)
  local low = integer % 256
  return char(kind, (integer - low) / 256 % 256, low)
end

local function with_word(kind, word)
  return char(kind, floor(word / 16777216), floor(word / 65536) % 256, floor(word / 256) % 256, word % 256)
end

local function with_words(kind, high, low)
  return with_word(kind, high)
    .. char(floor(low / 16777216), floor(low / 65536) % 256, floor(low / 256) % 256, low % 256)
end

local function integer_bytes(number)
  if number >= 0 then
    if number < 128 then
      return BYTES[number]
    elseif number < 256 then
      return char(0xcc, number)
    elseif number < 65536 then
      return with_half(0xcd, number)
    elseif number < 2 ^ 32 then
      return with_word(0xce, number)
    end
    return with_words(0xcf, floor(number / 2 ^ 32), number % 2 ^ 32)
  elseif number >= -32 then
    return BYTES[number + 256]
  elseif number >= -128 then
    return char(0xd0, number + 256)
  elseif number >= -32768 then
    return with_half(0xd1, number + 65536)
  elseif number >= -2 ^ 31 then
    return with_word(0xd2, number + 2 ^ 32)
  end
  return with_words(0xd3, floor(number / 2 ^ 32) + 2 ^ 32, number % 2 ^ 32)
end

local function number_bytes(number)
  if floor(number) == number and number >= -2 ^ 63 and number < 2 ^ 63 then
    return integer_bytes(number)
  end
  if is_single(number) then
    return with_word(0xca, to_single(number))
  end
  return with_words(0xcb, to_double(number))
end

-- What stands before text of `length` bytes, more than 31, and before an array or a map of `length` items.
local function text_head(length)
  if length < 256 then
    return char(0xd9, length)
  elseif length < 65536 then
    return with_half(0xda, length)
  end
  return with_word(0xdb, length)
end

local function items_head(length, short, half, word)
  if length < 16 then
    return BYTES[short + length]
  elseif length < 65536 then
    return with_half(half, length)
  end
  return with_word(word, length)
end

-- How many items a table has, and whether it is an array.
local function count_items(value)
  local items, longest = 0, 0
  for key in next, value do
    if longest and type(key) == "number" and key > 0 and floor(key) == key then
      if key > longest then
        longest = key
      end
    else
      longest = nil
    end
    items = items + 1
  end
  return items, longest == items
end

local append

local function append_table(parts, count, value, level)
  local items, is_array = count_items(value)
  count = count + 1
  if is_array then
    parts[count] = items_head(items, 0x90, 0xdc, 0xdd)
    for index = 1, items do
      count = append(parts, count, value[index], level)
    end
  else
    parts[count] = items_head(items, 0x80, 0xde, 0xdf)
    for key, item in next, value do
      if type(key) == "string" and #key < 32 then
        parts[count + 1], parts[count + 2] = BYTES[0xa0 + #key], key
        count = count + 2
      else
        count = append(parts, count, key, level)
      end
      count = append(parts, count, item, level)
    end
  end
  return count
end

-- Appends the bytes of `value`, which `level` tables are around, to `parts`, which has `count`; returns how many it
-- has then.
function append(parts, count, value, level)
  local kind = type(value)
  count = count + 1
  if kind == "string" then
    local length = #value
    parts[count] = length < 32 and BYTES[0xa0 + length] or text_head(length)
    count = count + 1
    parts[count] = value
  elseif kind == "number" then
    parts[count] = number_bytes(value)
  elseif kind == "table" and level < MAX_NESTING then
    return append_table(parts, count - 1, value, level + 1)
  elseif kind == "boolean" then
    parts[count] = value and "\195" or "\194"
  else
    parts[count] = "\192"
  end
  return count
end

return function(...)
  local values = select("#", ...)
  if values == 0 then
    bad_argument(0, "MessagePack pack needs input.")
  elseif values > MAX_VALUES then
    bad_argument(0, "Too many arguments for MessagePack pack.")
  end
  local given, parts, count = { ... }, {}, 0
  for index = 1, values do
    count = append(parts, count, given[index], 0)
  end
  return (concat(parts))
end
