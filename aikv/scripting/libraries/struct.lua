-- `struct`: binary formats, as struct 0.2 has them (http://www.inf.puc-rio.br/~roberto/struct/), on a machine whose
-- longs have 64 bits and whose lowest byte is first.
--
-- See struct_format.lua for formats and their options, struct_integers.lua for integers. Between two options stand as
-- many bytes as the alignment asks for, which is none unless `!` is given.

local arguments, floats, formats, integers = ...
local concat, find, floor, format, rep, select, sub, tonumber, type =
  table.concat, string.find, math.floor, string.format, string.rep, select, string.sub, tonumber, type
local bad_argument, export, fail = arguments.bad_argument, arguments.export, arguments.fail
local control, next_option, padding = formats.control, formats.next_option, formats.padding

-- The stack of a C function in Lua 5.1, and how many places of it are wanted for each result.
local STACK_SLOTS, STACK_RESERVE = 8000, 2

-- Whether an integer has a sign, by its option.
local SIGNED = { b = true, B = false, h = true, H = false, l = true, L = false, T = false, i = true, I = false }

-- `value`, argument `index` of pack, as a number or as text. One that is missing counts as nil.
local function as_number(value, index)
  if type(value) == "string" then
    value = tonumber(value) or value
  end
  if type(value) ~= "number" then
    bad_argument(index, format("number expected, got %s", type(value)))
  end
  return value
end

local function as_text(value, index)
  if type(value) == "number" then
    return value .. ""
  elseif type(value) ~= "string" then
    bad_argument(index, format("string expected, got %s", type(value)))
  end
  return value
end

local function pack_float(number, size, big_endian)
  if size == 4 then
    return integers.bytes_of_word(floats.to_single(number), big_endian)
  end
  local high, low = floats.to_double(number)
  return integers.bytes_of_words(high, low, big_endian)
end

local function pack_text(text, option, size, index)
  if size == 0 then
    size = #text
  end
  if #text < size then
    bad_argument(index + 1, "string too short")
  end
  text = sub(text, 1, size)
  return option == "s" and text .. "\0" or text
end

local struct = {}

struct.pack = export(function(...)
  local state, given = formats.start(...), { ... }
  local parts, count, length, index = {}, 0, 0, 2
  for option, size in next_option, state do
    local gap = state.alignment > 1 and padding(state, option, size, length) or 0
    local part
    if SIGNED[option] ~= nil then
      part = integers.write(as_number(given[index], index), size, state.big_endian)
      index = index + 1
    elseif option == "f" or option == "d" then
      part = pack_float(as_number(given[index], index), size, state.big_endian)
      index = index + 1
    elseif option == "c" or option == "s" then
      part = pack_text(as_text(given[index], index), option, size, index)
      index = index + 1
    elseif option == "x" then
      part = "\0"
    else
      control(state, option)
    end
    if part then
      if gap > 0 then
        part = rep("\0", gap) .. part
      end
      count = count + 1
      parts[count] = part
      length = length + #part
    end
  end
  return (concat(parts))
end)

-- The number at the offset `position` of `data`.
local function unpack_float(data, position, size, big_endian)
  local high, low = integers.read_words(data, position + 1, size, big_endian)
  if size == 4 then
    return floats.from_single(low)
  end
  return floats.from_double(high, low)
end

-- Fails if `data` has no `size` bytes at the offset `position`, which may be negative: for C, that is very large.
local function check_length(data, position, size)
  if position < 0 or position + size > #data then
    bad_argument(2, "data string too short")
  end
end

-- The size that a text of option c0 has: the last result, `value`, as C makes a size of it.
local function size_before(value)
  local size = type(value) == "string" and tonumber(value) or value
  if type(size) ~= "number" then
    fail("format 'c0' needs a previous size")
  elseif size ~= size or size <= -1 then
    bad_argument(2, "data string too short")
  elseif size < 0 or size >= 2 ^ 64 then
    return 0
  end
  return (floor(size))
end

local function start_of(...)
  if (select(3, ...)) == nil then
    return 0
  end
  local place = arguments.integer(3, ...)
  if place == 0 then
    bad_argument(3, "offset must be 1 or greater")
  end
  return place - 1
end

-- The results of unpack, and how many there are.
local function unpack_values(state, data, position, slots)
  local values, count = {}, 0
  for option, size in next_option, state do
    if state.alignment > 1 then
      position = position + padding(state, option, size, position)
    end
    check_length(data, position, size)
    if slots + count + STACK_RESERVE > STACK_SLOTS then
      fail("stack overflow (too many results)")
    end
    local value
    if SIGNED[option] ~= nil then
      value = integers.read(data, position + 1, size, state.big_endian, SIGNED[option])
    elseif option == "f" or option == "d" then
      value = unpack_float(data, position, size, state.big_endian)
    elseif option == "c" then
      if size == 0 then
        size = size_before(values[count])
        count = count - 1
        check_length(data, position, size)
      end
      value = sub(data, position + 1, position + size)
    elseif option == "s" then
      local nul = find(data, "\0", position + 1, true)
      if not nul then
        fail("unfinished string in data")
      end
      value = sub(data, position + 1, nul - 1)
      size = nul - position
    elseif option ~= "x" then
      control(state, option)
    end
    if value then
      count = count + 1
      values[count] = value
    end
    position = position + size
  end
  values[count + 1] = position + 1
  return values, count + 1
end

struct.unpack = export(function(...)
  local state = formats.start(...)
  local data = arguments.text(2, ...)
  local values, count = unpack_values(state, data, start_of(...), (select("#", ...)))
  return arguments.unpacked(values, count)
end)

struct.size = export(function(...)
  local state = formats.start(...)
  local position = 0
  for option, size in next_option, state do
    position = position + padding(state, option, size, position) + size
    if option == "s" or (option == "c" and size == 0) then
      bad_argument(1, format("option '%s' has no fixed size", option == "s" and option or "c0"))
    elseif not find(option, "^%w") then
      control(state, option)
    end
  end
  return position
end)

return struct
