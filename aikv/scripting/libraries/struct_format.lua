-- Formats of `struct`, read option by option.
--
-- The state of a reading is a table: the format, the place in it, the byte order, the alignment. A format ends at its
-- first NUL, as text does for C. An option is followed by a number if it has a size of its own choice.

local arguments = ...
local byte, find, format, sub = string.byte, string.find, string.format, string.sub
local bad_argument, fail, text_argument = arguments.bad_argument, arguments.fail, arguments.text

local MAX_INT = 2 ^ 31 - 1
local LONGEST_INTEGER = 32
local INT_SIZE, NATIVE_ALIGNMENT = 4, 8

local SIZES = { b = 1, B = 1, h = 2, H = 2, l = 8, L = 8, T = 8, f = 4, d = 8, x = 1 }

local formats = {}

-- Begins to read the format that is the first of `...`.
function formats.start(...)
  local text = text_argument(1, ...)
  local nul = find(text, "\0", 1, true)
  return { text = nul and sub(text, 1, nul - 1) or text, at = 1, big_endian = false, alignment = 1 }
end

-- The number at the place that is being read, or `default` if none is there.
local function number_or(state, default)
  local digit = byte(state.text, state.at)
  if not digit or digit < 48 or digit > 57 then
    return default
  end
  local number = 0
  while digit and digit >= 48 and digit <= 57 do
    number = number * 10 + digit - 48
    if number > MAX_INT then
      fail("integral size overflow")
    end
    state.at = state.at + 1
    digit = byte(state.text, state.at)
  end
  return number
end

-- The next option and its size in bytes, 0 if that is not known; nil at the end.
function formats.next_option(state)
  local at = state.at
  local option = sub(state.text, at, at)
  if option == "" then
    return nil
  end
  state.at = at + 1
  local size = SIZES[option]
  if size then
    return option, size
  elseif option == "i" or option == "I" then
    size = number_or(state, INT_SIZE)
    if size > LONGEST_INTEGER then
      fail(format("integral size %d is larger than limit of %d", size, LONGEST_INTEGER))
    end
    return option, size
  elseif option == "c" then
    return option, number_or(state, 1)
  end
  return option, 0
end

-- The bits that are set in both of two integers below 64.
local function common(a, b)
  local bits, place = 0, 1
  while a > 0 and b > 0 do
    local low_a, low_b = a % 2, b % 2
    bits = bits + low_a * low_b * place
    a, b, place = (a - low_a) / 2, (b - low_b) / 2, place * 2
  end
  return bits
end

-- How many bytes stand before an option of `size` bytes at the offset `position`.
function formats.padding(state, option, size, position)
  if size > state.alignment then
    size = state.alignment
  end
  if size <= 1 or option == "c" then
    return 0
  end
  return common(size - common(position % 64, size - 1), size - 1)
end

-- Follows an option that says how others are meant.
function formats.control(state, option)
  if option == "<" or option == ">" then
    state.big_endian = option == ">"
  elseif option == "!" then
    local alignment = number_or(state, NATIVE_ALIGNMENT)
    local power = 1
    while power < alignment do
      power = power * 2
    end
    if power ~= alignment then
      fail(format("alignment %d is not a power of 2", alignment))
    end
    state.alignment = alignment
  elseif option ~= " " then
    bad_argument(1, format("invalid format option '%s'", option))
  end
end

return formats
