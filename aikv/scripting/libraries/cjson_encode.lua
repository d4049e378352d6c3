-- `cjson.encode`: values to JSON text.
--
-- The text is collected in a table of parts and joined once at the end. A table is an array if all its keys are
-- positive integers, which is found by going through them; else it is an object, whose members come in the order of
-- `next`. Names of members are mostly the same few, so their quoted forms are kept, a bounded number of them.

local arguments, null = ...
local char, concat, find, floor, format, gsub, next, rawget, select, type =
  string.char, table.concat, string.find, math.floor, string.format, string.gsub, next, rawget, select, type
local bad_argument, fail = arguments.bad_argument, arguments.fail

local INFINITY = 1 / 0

-- What is written with an escape: control characters, quote, slash, backslash, DEL. Text without them is told by one
-- match for all of it, which is five times as fast as looking for them; the ranges with the most frequent characters
-- come first, because a class is searched from its beginning for every character.
local ESCAPED = "[^]-~0-[ !#-.\128-\255]"
local PLAIN = "^[]-~0-[ !#-.\128-\255]*$"

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["/"] = "\\/", ["\127"] = "\\u007f" }
for code = 0, 31 do
  ESCAPES[char(code)] = format("\\u%04x", code)
end
for letter, character in next, { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" } do
  ESCAPES[character] = "\\" .. letter
end

-- How deep C would find room for its values: on the stack of a C function in Lua 5.1.
local STACK_SLOTS, STACK_RESERVE = 8000, 3

-- Quoted names, alone and after a comma; forgotten when there are too many.
local KEPT_NAMES, LONGEST_KEPT = 512, 64
local names, later_names, kept = {}, {}, 0

local function keep_name(key)
  local name = key
  if not find(key, PLAIN) then
    name = gsub(key, ESCAPED, ESCAPES)
  end
  name = '"' .. name .. '":'
  if #key > LONGEST_KEPT then
    return name
  end
  if kept >= KEPT_NAMES then
    names, later_names, kept = {}, {}, 0
  end
  names[key], later_names[key], kept = name, "," .. name, kept + 1
  return name
end

local function number_text(settings, number)
  if number > 0 and number < settings.integers_below and number % 1 == 0 then
    return format("%d", number)
  elseif number ~= number or number == INFINITY or number == -INFINITY then
    local allowed = settings.encode_invalid_numbers
    if not allowed then
      fail("Cannot serialise number: must not be NaN or Inf")
    elseif allowed == "null" then
      return "null"
    elseif number ~= number then
      return "nan"
    end
  end
  return format(settings.number_format, number)
end

local function name_text(settings, key)
  local kind = type(key)
  if kind == "string" then
    return keep_name(key)
  elseif kind == "number" then
    return '"' .. number_text(settings, key) .. '":'
  end
  fail("Cannot serialise " .. kind .. ": table key must be a number or string")
end

-- What C makes of a number whose integer part may not be an int.
local function as_int(number)
  return number < 2147483648 and number or -2147483648
end

-- The length of the array that `value` is, and whether it has holes; nil if it is an object.
local function array_length(settings, value)
  local longest, items = 0, 0
  for key in next, value do
    if type(key) ~= "number" or key < 1 or floor(key) ~= key then
      return nil
    end
    if key > longest then
      longest = as_int(key)
    end
    items = items + 1
  end
  if longest <= 0 then
    return nil
  end
  local ratio = settings.sparse_ratio
  if ratio > 0 and longest > items * ratio and longest > settings.sparse_safe then
    if not settings.sparse_convert then
      fail("Cannot serialise table: excessively sparse array")
    end
    return nil
  end
  return longest, longest ~= items
end

local append

local function append_array(settings, parts, count, value, length, holes, depth, slots)
  local before = "["
  for index = 1, length do
    parts[count + 1] = before
    local item
    if holes then
      item = rawget(value, index)
    else
      item = value[index]
    end
    count = append(settings, parts, count + 1, item, depth, slots)
    before = ","
  end
  parts[count + 1] = "]"
  return count + 1
end

local function append_object(settings, parts, count, value, depth, slots)
  parts[count + 1] = "{"
  count = count + 1
  local first = true
  for key, item in next, value do
    count = count + 1
    if first then
      parts[count] = names[key] or name_text(settings, key)
      first = false
    else
      local name = later_names[key]
      if name then
        parts[count] = name
      else
        parts[count] = ","
        count = count + 1
        parts[count] = name_text(settings, key)
      end
    end
    if type(item) == "string" then
      if not find(item, PLAIN) then
        item = gsub(item, ESCAPED, ESCAPES)
      end
      parts[count + 1], parts[count + 2], parts[count + 3] = '"', item, '"'
      count = count + 3
    elseif type(item) == "number" then
      count = count + 1
      parts[count] = number_text(settings, item)
    else
      count = append(settings, parts, count, item, depth, slots)
    end
  end
  parts[count + 1] = "}"
  return count + 1
end

-- Appends the text of `value` to `parts`, which has `count`; returns how many it has then. `depth` tables and `slots`
-- places on C's stack are around the value.
function append(settings, parts, count, value, depth, slots)
  local kind = type(value)
  if kind == "string" then
    if not find(value, PLAIN) then
      value = gsub(value, ESCAPED, ESCAPES)
    end
    parts[count + 1], parts[count + 2], parts[count + 3] = '"', value, '"'
    return count + 3
  elseif kind == "number" then
    parts[count + 1] = number_text(settings, value)
  elseif kind == "table" then
    depth = depth + 1
    if depth > settings.encode_max_depth or slots + STACK_RESERVE > STACK_SLOTS then
      fail(format("Cannot serialise, excessive nesting (%d)", depth))
    end
    local length, holes = array_length(settings, value)
    if length then
      return append_array(settings, parts, count, value, length, holes, depth, slots + 1)
    end
    return append_object(settings, parts, count, value, depth, slots + 2)
  elseif kind == "boolean" then
    parts[count + 1] = value and "true" or "false"
  elseif value == nil or value == null then
    parts[count + 1] = "null"
  else
    fail("Cannot serialise " .. kind .. ": type not supported")
  end
  return count + 1
end

-- Returns an encoder that follows `settings`.
return function(settings)
  return function(...)
    if select("#", ...) ~= 1 then
      bad_argument(1, "expected 1 argument")
    end
    local parts = {}
    append(settings, parts, 0, (...), 0, 1)
    return (concat(parts))
  end
end
