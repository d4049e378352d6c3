-- Where a number ends in JSON text: lua-cjson reads it with strtod, which takes more than JSON has.

local find, lower, sub = string.find, string.lower, string.sub

-- The last place of the hexadecimal number whose digits begin at `at`; nil if there are none.
local function hexadecimal_end(text, at)
  local _, last = find(text, "^%x*%.?%x*", at)
  if not find(text, "^%.?%x", at) then
    return nil
  end
  local _, power = find(text, "^[pP][+-]?%d+", last + 1)
  return power or last
end

-- The last place of the number at `at`, as strtod reads one; nil if there is none.
local function number_end(text, at)
  if find(text, "^[+-]", at) then
    at = at + 1
  end
  if find(text, "^0[xX]", at) then
    return hexadecimal_end(text, at + 2) or at
  end
  if find(text, "^%.?%d", at) then
    local _, last = find(text, "^%d*%.?%d*", at)
    local _, power = find(text, "^[eE][+-]?%d+", last + 1)
    return power or last
  end
  local word = lower(sub(text, at, at + 7))
  if word == "infinity" then
    return at + 7
  elseif find(word, "^inf") then
    return at + 2
  elseif find(word, "^nan") then
    local _, last = find(text, "^%([%w_]*%)", at + 3)
    return last or at + 2
  end
  return nil
end

-- Whether the number at `at` is none that JSON has: with a plus, hexadecimal, with a leading zero, infinite, or no
-- number.
local function is_odd_number(text, at)
  if find(text, "^%+", at) or find(text, "^-?0[xX%d]", at) then
    return true
  end
  local word = find(text, "^-", at) and sub(text, at + 1, at + 3) or sub(text, at, at + 2)
  word = lower(word)
  return word == "inf" or word == "nan"
end

return { last_place = number_end, is_odd = is_odd_number }
