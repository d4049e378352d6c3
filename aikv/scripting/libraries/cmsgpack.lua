-- `cmsgpack`: MessagePack for scripts, as lua-cmsgpack 0.4 has it; see cmsgpack_pack.lua and cmsgpack_unpack.lua.

local arguments, pack, unpackers = ...
local export = arguments.export

return {
  pack = export(pack),
  unpack = export(unpackers.unpack),
  unpack_one = export(unpackers.unpack_one),
  unpack_limit = export(unpackers.unpack_limit),
  _NAME = "cmsgpack",
  _VERSION = "lua-cmsgpack 0.4.0",
  _COPYRIGHT = "Copyright (C) 2012, Salvatore Sanfilippo",
  _DESCRIPTION = "MessagePack C implementation for Lua",
}
