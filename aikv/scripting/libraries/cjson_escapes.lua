-- What stands behind a backslash in JSON text.

local char, find, floor, tonumber = string.char, string.find, math.floor, tonumber

-- By the letter after the backslash.
local ESCAPES = {
  ['"'] = '"',
  ["\\"] = "\\",
  ["/"] = "/",
  b = "\b",
  f = "\f",
  n = "\n",
  r = "\r",
  t = "\t",
}

local function utf8(code)
  if code < 128 then
    return char(code)
  elseif code < 2048 then
    return char(192 + floor(code / 64), 128 + code % 64)
  elseif code < 65536 then
    return char(224 + floor(code / 4096), 128 + floor(code / 64) % 64, 128 + code % 64)
  end
  return char(240 + floor(code / 262144), 128 + floor(code / 4096) % 64, 128 + floor(code / 64) % 64, 128 + code % 64)
end

-- The character of the escape \uXXXX, or of a pair of them, whose backslash is at `at`, and its last place; nil if
-- it is none.
local function unicode_escape(text, at)
  local _, last, digits = find(text, "^u(%x%x%x%x)", at + 1)
  if not digits then
    return nil
  end
  local code = tonumber(digits, 16)
  if code >= 0xDC00 and code <= 0xDFFF then
    return nil
  elseif code >= 0xD800 and code <= 0xDBFF then
    _, last, digits = find(text, "^\\u(%x%x%x%x)", last + 1)
    local low = digits and tonumber(digits, 16)
    if not low or low < 0xDC00 or low > 0xDFFF then
      return nil
    end
    code = 0x10000 + (code - 0xD800) * 1024 + low - 0xDC00
  end
  return utf8(code), last
end

return { characters = ESCAPES, unicode = unicode_escape }
