-- `bit`: operations on 32-bit integers, as LuaBitOp has them (facts: https://bitop.luajit.org/semantics.html).
--
-- Lua 5.1 has no such operations, so they are arithmetic: a word is a number from 0 to 2^32-1, a shift is a
-- multiplication or division, and what is common to two words is looked up byte by byte in a table of 65,536 results,
-- made when the first script needs it. The other two operations follow from it: a|b = a+b-(a&b), a^b = a+b-2(a&b).

local arguments = ...
local floor, format, frexp, select, sub, type = math.floor, string.format, math.frexp, select, string.sub, type
local export, number = arguments.export, arguments.number

local WORD = 2 ^ 32
local SIGN = 2 ^ 31

-- Adding 1.5 * 2^52 rounds a number to an integer, half to even, which is then in the low bits of its mantissa.
local ROUND = 1.5 * 2 ^ 52
local ROUNDED_FROM, ROUNDED_TO = 2 ^ 52, 2 ^ 53

-- The low 32 bits of the mantissa of `rounded`, a number too large for ROUND to have made an integer of it.
local function mantissa_word(rounded)
  if rounded ~= rounded or rounded == 1 / 0 or rounded == -1 / 0 or rounded == 0 then
    return 0
  end
  local fraction = frexp(rounded)
  return (fraction < 0 and -fraction or fraction) * 2 ^ 53 % WORD
end

-- The word of `value`; nil if that is no number.
local function word(value)
  if type(value) ~= "number" then
    return nil
  end
  local rounded = value + ROUND
  if rounded >= ROUNDED_FROM and rounded < ROUNDED_TO then
    return rounded % WORD
  end
  return mantissa_word(rounded)
end

-- The word of the first argument, and that of the second.
local function first(...)
  return word((...)) or word(number(1, ...))
end

local function second(...)
  local _, value = ...
  return word(value) or word(number(2, ...))
end

-- The words of two arguments that are numbers of a usual size; nil for others, and for fewer or more.
local function usual_two(...)
  local a, b = ...
  if select("#", ...) == 2 and type(a) == "number" and type(b) == "number" then
    a, b = a + ROUND, b + ROUND
    if a >= ROUNDED_FROM and a < ROUNDED_TO and b >= ROUNDED_FROM and b < ROUNDED_TO then
      return a % WORD, b % WORD
    end
  end
  return nil
end

-- A word as the signed number that scripts are given.
local function signed(unsigned)
  if unsigned >= SIGN then
    return unsigned - WORD
  end
  return unsigned
end

local common_of_bytes

-- common_of_bytes[a * 256 + b] = a & b, each row from the one that has half its number.
local function fill_common_of_bytes()
  common_of_bytes = { [0] = 0 }
  for b = 1, 255 do
    common_of_bytes[b] = 0
  end
  for a = 1, 255 do
    local lowest = a % 2
    local half, row = (a - lowest) * 128, a * 256
    for b = 0, 254, 2 do
      local doubled = 2 * common_of_bytes[half + b / 2]
      common_of_bytes[row + b] = doubled
      common_of_bytes[row + b + 1] = doubled + lowest
    end
  end
end

-- The bits that are set in both words.
local function common(a, b)
  if not common_of_bytes then
    fill_common_of_bytes()
  end
  local lookup = common_of_bytes
  local a0, b0 = a % 256, b % 256
  local bits = lookup[a0 * 256 + b0]
  if a < 256 or b < 256 then
    return bits
  end
  a, b = (a - a0) / 256, (b - b0) / 256
  a0, b0 = a % 256, b % 256
  bits = bits + lookup[a0 * 256 + b0] * 256
  if a < 256 or b < 256 then
    return bits
  end
  a, b = (a - a0) / 256, (b - b0) / 256
  a0, b0 = a % 256, b % 256
  return bits + lookup[a0 * 256 + b0] * 65536 + lookup[(a - a0) + (b - b0) / 256] * 16777216
end

local bit = {}

bit.tobit = export(function(...)
  return (signed(first(...)))
end)

bit.bnot = export(function(...)
  return (signed(WORD - 1 - first(...)))
end)

-- Makes a function that combines words two by two. After the first argument, the last one is read, then those before
-- it: so an error is about the same one.
local function combining(combine)
  return export(function(...)
    local a, b = usual_two(...)
    if a then
      return (signed(combine(a, b)))
    end
    local given, result = { ... }, first(...)
    for index = select("#", ...), 2, -1 do
      result = combine(result, word(given[index]) or word(number(index, ...)))
    end
    return (signed(result))
  end)
end

bit.band = combining(common)

bit.bor = combining(function(a, b)
  return a + b - common(a, b)
end)

bit.bxor = combining(function(a, b)
  return a + b - 2 * common(a, b)
end)

bit.lshift = export(function(...)
  local value = first(...)
  return (signed(value * 2 ^ (second(...) % 32) % WORD))
end)

bit.rshift = export(function(...)
  local value = first(...)
  return (signed(floor(value / 2 ^ (second(...) % 32))))
end)

bit.arshift = export(function(...)
  local value = signed(first(...))
  return (floor(value / 2 ^ (second(...) % 32)))
end)

local function rotated(value, places)
  local shifted = value * 2 ^ places
  local low = shifted % WORD
  return signed(low + (shifted - low) / WORD)
end

bit.rol = export(function(...)
  local value = first(...)
  return (rotated(value, second(...) % 32))
end)

bit.ror = export(function(...)
  local value = first(...)
  return (rotated(value, -second(...) % 32))
end)

bit.bswap = export(function(...)
  local value = first(...)
  local b0 = value % 256
  local b1 = (value - b0) / 256 % 256
  local b2 = floor(value / 65536) % 256
  local b3 = floor(value / 16777216)
  return (signed(((b0 * 256 + b1) * 256 + b2) * 256 + b3))
end)

bit.tohex = export(function(...)
  local value = first(...)
  local digits = 8
  if select("#", ...) > 1 then
    digits = signed(second(...))
  end
  local layout = "%08x"
  if digits < 0 then
    digits, layout = -digits, "%08X"
  end
  if digits >= 8 then
    return (format(layout, value))
  end
  return (sub(format(layout, value), 9 - digits))
end)

return bit
