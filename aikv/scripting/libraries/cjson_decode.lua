-- `cjson.decode`: JSON text to values.
--
-- What is usual - short names, strings without escapes, plain numbers, followed by a comma or an end - is found by
-- one pattern for each name and one for each value. Where such a pattern does not match, `token_at` reads one token
-- as lua-cjson does, and says what is wrong with it. Where the next backslash is, is known at each time, so that a
-- pattern need not look for one: a string that ends before it has no escapes. No place of the text is searched more
-- than a fixed number of times.
--
-- `object_at` and `array_at` try their patterns in the same way, each in its own text: one function for both, called
-- for each value, would make decoding a tenth slower.

local arguments, escapes, numbers, null = ...
local byte, concat, find, format, select, sub, tonumber, type =
  string.byte, table.concat, string.find, string.format, select, string.sub, tonumber, type
local bad_argument, fail, text_argument = arguments.bad_argument, arguments.fail, arguments.text
local escaped_characters, unicode_escape = escapes.characters, escapes.unicode
local number_end, is_odd_number = numbers.last_place, numbers.is_odd

local QUOTE, BACKSLASH, MINUS, ZERO, NINE = 34, 92, 45, 48, 57
local NOWHERE = 1 / 0

local PUNCTUATION = {
  [byte("{")] = "T_OBJ_BEGIN",
  [byte("}")] = "T_OBJ_END",
  [byte("[")] = "T_ARR_BEGIN",
  [byte("]")] = "T_ARR_END",
  [byte(":")] = "T_COLON",
  [byte(",")] = "T_COMMA",
}

local NAME = '^[ \t\n\r]*"([^"]*)"[ \t\n\r]*:[ \t\n\r]*'
local STRING_IN_OBJECT = '^"([^"]*)"[ \t\n\r]*([,}])'
local STRING_IN_ARRAY = '^"([^"]*)"[ \t\n\r]*([],])[ \t\n\r]*'
local NUMBER_IN_OBJECT = "^([%d.eE+-]+)[ \t\n\r]*([,}])"
local NUMBER_IN_ARRAY = "^([%d.eE+-]+)[ \t\n\r]*([],])[ \t\n\r]*"
-- What comes before the next quote or backslash, that, and the character after it.
local PIECE = '^([^"\\]*)(["\\]?)(.?)'
-- So many parts of a string are joined, lest they take much more memory than the string.
local MOST_PARTS = 1000
local AFTER_IN_OBJECT = "^[ \t\n\r]*([,}])"
local AFTER_IN_ARRAY = "^[ \t\n\r]*([],])[ \t\n\r]*"

-- How deep C would find room for its values: on the stack of a C function in Lua 5.1.
local STACK_SLOTS = 8000

-- Of the text that is being decoded: the place of the next backslash, and what the settings say.
local next_backslash, lenient, max_depth

-- The string whose first quote is at `at`, as a token.
local function string_token(text, at)
  local joined, joins, parts, count, from = {}, 0, {}, 0, at + 1
  while true do
    local _, last, chunk, mark, letter = find(text, PIECE, from)
    count = count + 1
    parts[count] = chunk
    from = from + #chunk
    if mark == '"' then
      if from > next_backslash then
        next_backslash = find(text, "\\", from, true) or NOWHERE
      end
      joined[joins + 1] = concat(parts, "", 1, count)
      return "T_STRING", concat(joined), at, from
    elseif mark == "" then
      return "T_ERROR", "unexpected end of string", from
    end
    local character = escaped_characters[letter]
    if letter == "u" then
      character, last = unicode_escape(text, from)
      if not character then
        return "T_ERROR", "invalid unicode escape code", from
      end
    elseif not character then
      return "T_ERROR", "invalid escape code", from
    end
    count = count + 1
    parts[count] = character
    from = last + 1
    if count >= MOST_PARTS then
      joins = joins + 1
      joined[joins], count = concat(parts, "", 1, count), 0
    end
  end
end

local function number_token(text, at)
  local last = number_end(text, at)
  if not last then
    return "T_ERROR", "invalid number", at
  end
  return "T_NUMBER", tonumber(sub(text, at, last)), at, last
end

-- The token at `at` or after white space there: its type, its value or what is wrong with it, its place, its last
-- place.
local function token_at(text, at)
  at = find(text, "[^ \t\n\r]", at)
  if not at then
    return "T_END", nil, #text + 1, #text
  end
  local code = byte(text, at)
  local mark = PUNCTUATION[code]
  if mark then
    return mark, nil, at, at
  elseif code == QUOTE then
    return string_token(text, at)
  elseif code == MINUS or (code >= ZERO and code <= NINE) then
    if not lenient and is_odd_number(text, at) then
      return "T_ERROR", "invalid number", at
    end
    return number_token(text, at)
  elseif find(text, "^true", at) then
    return "T_BOOLEAN", true, at, at + 3
  elseif find(text, "^false", at) then
    return "T_BOOLEAN", false, at, at + 4
  elseif find(text, "^null", at) then
    return "T_NULL", null, at, at + 3
  elseif lenient and is_odd_number(text, at) then
    return number_token(text, at)
  end
  return "T_ERROR", "invalid token", at
end

-- Raises the error that the token at `at` is not `expected`.
local function fail_expected(expected, text, at)
  local kind, value, place = token_at(text, at)
  local found = kind == "T_ERROR" and value or kind
  fail(format("Expected %s but found %s at character %d", expected, found, place))
end

local function check_room(depth, slots, at)
  if depth > max_depth or slots > STACK_SLOTS then
    fail(format("Found too many nested data structures (%d) at character %d", depth, at))
  end
end

-- The name of a member at `at`, and the last place of the colon and white space after it.
local function name_at(text, at)
  local kind, name, _, last = token_at(text, at)
  if kind ~= "T_STRING" then
    fail_expected("object key string", text, at)
  end
  local _, colon = find(text, "^[ \t\n\r]*:[ \t\n\r]*", last + 1)
  if not colon then
    fail_expected("colon", text, last + 1)
  end
  return name, colon
end

local object_at, array_at

-- The value at `at` and the place after it. `depth` tables and `slots` places on C's stack are around it.
local function value_at(text, at, depth, slots)
  local kind, value, place, last = token_at(text, at)
  if kind == "T_OBJ_BEGIN" then
    return object_at(text, last + 1, depth + 1, slots)
  elseif kind == "T_ARR_BEGIN" then
    return array_at(text, last + 1, depth + 1, slots)
  elseif value == nil or kind == "T_ERROR" then
    fail_expected("value", text, at)
  end
  return value, last + 1
end

-- The object whose brace is before `at`, and the place after it.
function object_at(text, at, depth, slots)
  check_room(depth, slots + 3, at - 1)
  local object = {}
  if byte(text, at) ~= QUOTE then
    local _, last = find(text, "^[ \t\n\r]*}", at)
    if last then
      return object, last + 1
    end
  end
  while true do
    local _, last, name = find(text, NAME, at)
    if not last or last > next_backslash then
      name, last = name_at(text, at)
    end
    at = last + 1
    local value, after
    local code = byte(text, at)
    if code == QUOTE then
      _, last, value, after = find(text, STRING_IN_OBJECT, at)
      if after and last > next_backslash then
        after = nil
      end
    elseif lenient and code and (code == MINUS or (code >= ZERO and code <= NINE)) then
      _, last, value, after = find(text, NUMBER_IN_OBJECT, at)
      value = value and tonumber(value)
      if not value then
        after = nil
      end
    end
    if not after then
      value, at = value_at(text, at, depth, slots + 2)
      _, last, after = find(text, AFTER_IN_OBJECT, at)
      if not after then
        fail_expected("comma or object end", text, at)
      end
    end
    object[name] = value
    at = last + 1
    if after == "}" then
      return object, at
    end
  end
end

-- The array whose bracket is before `at`, and the place after it.
function array_at(text, at, depth, slots)
  check_room(depth, slots + 2, at - 1)
  local array, length = {}, 0
  local _, last = find(text, "^[ \t\n\r]*]", at)
  if last then
    return array, last + 1
  end
  while true do
    local value, after
    local code = byte(text, at)
    if code == QUOTE then
      _, last, value, after = find(text, STRING_IN_ARRAY, at)
      if after and last > next_backslash then
        after = nil
      end
    elseif lenient and code and (code == MINUS or (code >= ZERO and code <= NINE)) then
      _, last, value, after = find(text, NUMBER_IN_ARRAY, at)
      value = value and tonumber(value)
      if not value then
        after = nil
      end
    end
    if not after then
      value, at = value_at(text, at, depth, slots + 1)
      _, last, after = find(text, AFTER_IN_ARRAY, at)
      if not after then
        fail_expected("comma or array end", text, at)
      end
    end
    length = length + 1
    array[length] = value
    at = last + 1
    if after == "]" then
      return array, at
    end
  end
end

-- Returns a decoder that follows `settings`.
return function(settings)
  return function(...)
    if select("#", ...) ~= 1 then
      bad_argument(1, "expected 1 argument")
    end
    local text = ...
    if type(text) ~= "string" then
      text = text_argument(1, ...)
    end
    local first, second = byte(text, 1, 2)
    if second and (first == 0 or second == 0) then
      fail("JSON parser does not support UTF-16 or UTF-32")
    end
    -- For C, the text ends at the first NUL.
    local nul = find(text, "\0", 1, true)
    if nul then
      text = sub(text, 1, nul - 1)
    end
    next_backslash = find(text, "\\", 1, true) or NOWHERE
    lenient, max_depth = settings.decode_invalid_numbers, settings.decode_max_depth
    local value, at = value_at(text, 1, 0, 1)
    if find(text, "[^ \t\n\r]", at) then
      fail_expected("the end", text, at)
    end
    return value
  end
end
