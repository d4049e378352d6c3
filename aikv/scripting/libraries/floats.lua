-- IEEE 754 numbers as 32-bit words, for libraries that write and read bytes.
--
-- Lua has but arithmetic for it: math.frexp takes a number apart into a fraction from 1/2 to 1 and an exponent, and
-- math.ldexp puts one together. Of a NaN, its sign is kept, which Lua shows when it prints one.

local floor, format, frexp, ldexp, sub = math.floor, string.format, math.frexp, math.ldexp, string.sub

local WORD, SIGN = 2 ^ 32, 2 ^ 31
local INFINITY = 1 / 0
-- An operation of x86 without a result makes a NaN that is negative.
local NEGATIVE_NAN = INFINITY - INFINITY
if sub(format("%g", NEGATIVE_NAN), 1, 1) ~= "-" then
  NEGATIVE_NAN = -NEGATIVE_NAN
end
local NAN = -NEGATIVE_NAN

local SINGLE_INFINITY, SINGLE_NAN = 0x7f800000, 0x7fc00000
local DOUBLE_INFINITY, DOUBLE_NAN = 0x7ff00000, 0x7ff80000

local function is_negative(number)
  if number ~= number then
    return sub(format("%g", number), 1, 1) == "-"
  end
  return number < 0 or (number == 0 and 1 / number < 0)
end

local floats = {}

-- The single-precision number nearest to `number`, half to even, as a word.
function floats.to_single(number)
  local sign = is_negative(number) and SIGN or 0
  if number ~= number then
    return sign + SINGLE_NAN
  elseif number == INFINITY or number == -INFINITY then
    return sign + SINGLE_INFINITY
  elseif number == 0 then
    return sign
  end
  local fraction, power = frexp(number < 0 and -number or number)
  local exponent = power + 126
  if exponent >= 255 then
    return sign + SINGLE_INFINITY
  elseif exponent < 1 then
    -- Subnormal: adding 2^52 and taking it away rounds to an integer.
    return sign + (ldexp(fraction, power + 149) + 2 ^ 52 - 2 ^ 52)
  end
  -- Rounding up to 2^24 makes the exponent one more, as it should.
  return sign + (exponent - 1) * 2 ^ 23 + (fraction * 2 ^ 24 + 2 ^ 52 - 2 ^ 52)
end

-- Whether `number` is one of single precision.
function floats.is_single(number)
  if number ~= number then
    return false
  elseif number == INFINITY or number == -INFINITY then
    return true
  end
  local fraction, power = frexp(number)
  if power < -125 then
    return ldexp(fraction, power + 149) % 1 == 0
  end
  return power <= 128 and fraction * 2 ^ 24 % 1 == 0
end

-- The number that these say: a sign, a mantissa of so many `digits`, an exponent from 0 to `highest`.
local function assembled(negative, mantissa, digits, exponent, highest)
  local number
  -- The exponent of a number from 1 to 2, whose mantissa is read as an integer.
  local shift = (highest - 1) / 2 + digits
  if exponent == highest and mantissa ~= 0 then
    return negative and NEGATIVE_NAN or NAN
  elseif exponent == highest then
    number = INFINITY
  elseif exponent == 0 then
    number = ldexp(mantissa, 1 - shift)
  else
    number = ldexp(mantissa + 2 ^ digits, exponent - shift)
  end
  return negative and -number or number
end

-- The number that a word says in single precision.
function floats.from_single(word)
  return assembled(word >= SIGN, word % 2 ^ 23, 23, floor(word / 2 ^ 23) % 256, 255)
end

-- A number in double precision as two words, the high one first.
function floats.to_double(number)
  local sign = is_negative(number) and SIGN or 0
  if number ~= number then
    return sign + DOUBLE_NAN, 0
  elseif number == INFINITY or number == -INFINITY then
    return sign + DOUBLE_INFINITY, 0
  elseif number == 0 then
    return sign, 0
  end
  local fraction, power = frexp(number < 0 and -number or number)
  local exponent, mantissa = power + 1022, fraction * 2 ^ 53
  if exponent < 1 then
    exponent, mantissa = 1, ldexp(fraction, power + 1074)
  end
  local low = mantissa % WORD
  -- The leading bit of the mantissa, which is not written, adds one to the exponent; a subnormal number has none.
  return sign + (exponent - 1) * 2 ^ 20 + (mantissa - low) / WORD, low
end

-- The number that two words say in double precision.
function floats.from_double(high, low)
  return assembled(high >= SIGN, high % 2 ^ 20 * WORD + low, 52, floor(high / 2 ^ 20) % 2048, 2047)
end

return floats
