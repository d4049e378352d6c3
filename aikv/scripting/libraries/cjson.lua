-- `cjson`: JSON for scripts, as lua-cjson 2.1 has it, with its settings.
--
-- Each instance (`cjson` itself and what `cjson.new` returns) has settings of its own, a table that its encoder and
-- its decoder read; see cjson_encode.lua and cjson_decode.lua. A setting is read by calling its function without an
-- argument or with nil, and checked as C does it: an integer is the low 32 bits of what is given,
-- a switch is true, false, or a word.

local arguments, make_encoder, make_decoder, null = ...
local format, select, type = string.format, select, type
local export, bad_argument, integer, text =
  arguments.export, arguments.bad_argument, arguments.integer, arguments.text

local MAX_INT = 2 ^ 31 - 1
local SWITCH = { off = false, on = true }
local SWITCH_OR_NULL = { off = false, on = true, null = "null" }

local function refuse_more_than(allowed, ...)
  if select("#", ...) > allowed then
    bad_argument(allowed + 1, "found too many arguments")
  end
end

-- Sets settings[name] to the integer that argument `index` is, if it is there. An integer out of range is always said
-- to be the first argument, as lua-cjson says it.
local function set_integer(settings, name, lowest, highest, index, ...)
  if (select(index, ...)) ~= nil then
    local given = (integer(index, ...) + 2 ^ 31) % 2 ^ 32 - 2 ^ 31
    if given < lowest or given > highest then
      bad_argument(1, format("expected integer between %d and %d", lowest, highest))
    end
    settings[name] = given
  end
end

-- Sets settings[name] to what argument `index` says, if it is there: true, false, or a key of `words`.
local function set_switch(settings, name, words, index, ...)
  local given = (select(index, ...))
  if given ~= nil then
    if type(given) ~= "boolean" then
      local word = text(index, ...)
      given = words[word]
      if given == nil then
        bad_argument(index, format("invalid option '%s'", word))
      end
    end
    settings[name] = given
  end
end

local function integer_setting(settings, name, lowest, highest)
  return export(function(...)
    refuse_more_than(1, ...)
    set_integer(settings, name, lowest, highest, 1, ...)
    return settings[name]
  end)
end

local function switch_setting(settings, name, words)
  return export(function(...)
    refuse_more_than(1, ...)
    set_switch(settings, name, words, 1, ...)
    return settings[name]
  end)
end

local function new()
  local settings = {
    sparse_convert = false,
    sparse_ratio = 2,
    sparse_safe = 10,
    encode_max_depth = 1000,
    decode_max_depth = 1000,
    number_format = "%.14g",
    precision = 14,
    -- Below this, an integer has no exponent.
    integers_below = 1e14,
    keep_buffer = true,
    encode_invalid_numbers = false,
    decode_invalid_numbers = true,
  }
  local cjson = {}
  cjson.encode = export(make_encoder(settings))
  cjson.decode = export(make_decoder(settings))
  cjson.encode_sparse_array = export(function(...)
    refuse_more_than(3, ...)
    set_switch(settings, "sparse_convert", SWITCH, 1, ...)
    set_integer(settings, "sparse_ratio", 0, MAX_INT, 2, ...)
    set_integer(settings, "sparse_safe", 0, MAX_INT, 3, ...)
    return settings.sparse_convert, settings.sparse_ratio, settings.sparse_safe
  end)
  cjson.encode_max_depth = integer_setting(settings, "encode_max_depth", 1, MAX_INT)
  cjson.decode_max_depth = integer_setting(settings, "decode_max_depth", 1, MAX_INT)
  cjson.encode_number_precision = export(function(...)
    refuse_more_than(1, ...)
    set_integer(settings, "precision", 1, 14, 1, ...)
    settings.number_format = format("%%.%dg", settings.precision)
    settings.integers_below = 10 ^ settings.precision
    return settings.precision
  end)
  -- The encoder has no buffer to keep: the setting is only remembered.
  cjson.encode_keep_buffer = switch_setting(settings, "keep_buffer", SWITCH)
  cjson.encode_invalid_numbers = switch_setting(settings, "encode_invalid_numbers", SWITCH_OR_NULL)
  cjson.decode_invalid_numbers = switch_setting(settings, "decode_invalid_numbers", SWITCH)
  cjson.new = export(new)
  cjson.null = null
  cjson._NAME = "cjson"
  cjson._VERSION = "2.1.0"
  return cjson
end

return new()
