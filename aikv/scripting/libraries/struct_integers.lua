-- Integers of `struct` as bytes: 64 bits as two words; what C makes of numbers that are none.

local byte, ceil, char, floor, rep, reverse, sub =
  string.byte, math.ceil, string.char, math.floor, string.rep, string.reverse, string.sub

local WORD, SIGN = 2 ^ 32, 2 ^ 31

-- The high and the low word of `number`, cut towards zero. A number out of the range of signed and unsigned integers
-- is what x86 makes of it.
local function words_of(number)
  if number < 0 then
    if number < -2 ^ 63 then
      return SIGN, 0
    end
    number = ceil(number)
    return floor(number / WORD) % WORD, number % WORD
  elseif number ~= number then
    return SIGN, 0
  elseif number >= 2 ^ 64 then
    return 0, 0
  end
  number = floor(number)
  return floor(number / WORD), number % WORD
end

local function bytes_of_word(word)
  return char(word % 256, floor(word / 256) % 256, floor(word / 65536) % 256, floor(word / 16777216))
end

local integers = {}

-- The bytes of two words, in the order that is asked for.
function integers.bytes_of_words(high, low, big_endian)
  local bytes = bytes_of_word(low) .. bytes_of_word(high)
  return big_endian and reverse(bytes) or bytes
end

function integers.bytes_of_word(word, big_endian)
  local bytes = bytes_of_word(word)
  return big_endian and reverse(bytes) or bytes
end

-- The `size` bytes of the integer that `number` is.
function integers.write(number, size, big_endian)
  local high, low = words_of(number)
  if size == 1 then
    return char(low % 256)
  end
  local bytes = bytes_of_word(low)
  if size > 8 then
    bytes = bytes .. bytes_of_word(high) .. rep("\0", size - 8)
  elseif size > 4 then
    bytes = sub(bytes .. bytes_of_word(high), 1, size)
  elseif size < 4 then
    bytes = sub(bytes, 1, size)
  end
  return big_endian and reverse(bytes) or bytes
end

local function word_at(data, last, first)
  local word = 0
  for place = last, first, -1 do
    word = word * 256 + byte(data, place)
  end
  return word
end

-- The high and the low word of the integer whose `size` bytes, the lowest first, begin at `at`.
local function read_words(data, at, size, big_endian)
  if big_endian then
    data, at = reverse(sub(data, at, at + size - 1)), 1
  end
  local last = at + (size > 8 and 8 or size) - 1
  if size <= 4 then
    return 0, word_at(data, last, at)
  end
  return word_at(data, last, at + 4), word_at(data, at + 3, at)
end
integers.read_words = read_words

-- The number that the `size` bytes at `at` are. Of an integer of more than 64 bits, C takes a bit in the middle for
-- the sign, because the width of a shift is taken modulo 64.
function integers.read(data, at, size, big_endian, signed)
  local high, low = read_words(data, at, size, big_endian)
  local sign_bit = (size * 8 - 1) % 64
  if not signed then
    return high * WORD + low
  elseif sign_bit < 32 then
    local half = 2 ^ sign_bit
    if high > 0 or low >= half then
      return low % half - half
    end
  elseif high >= 2 ^ (sign_bit - 32) then
    local half = 2 ^ (sign_bit - 32)
    return (high % half - half) * WORD + low
  end
  return high * WORD + low
end

return integers
