"""Errors name the place and the function as the oracle does, whoever calls a library function."""

import pytest

from scripting.library_scripts import BothEngines


@pytest.mark.parametrize(
    "body",
    [
        "local ok, e = pcall(string.gsub, '[', '.+', cjson.decode) return e",
        "local v = string.gsub('[1]', '.+', cjson.decode)",
        "local ok, e = pcall(string.gsub, 'x', '.+', bit.band) return e",
        "local v = string.gsub('x', '.+', struct.pack)",
        "local ok, e = xpcall(function() local x = cjson.decode('[') end, function(m) return 'h' .. m end) return e",
        "local t = setmetatable({}, {__index = bit.band}) local v = t.x",
        "local t = setmetatable({}, {__newindex = bit.band}) t.x = 1",
        "local t = setmetatable({}, {__add = bit.band}) local v = t + 1",
        "local t = setmetatable({}, {__call = cjson.decode}) local v = t()",
        "local t = setmetatable({}, {__call = cmsgpack.unpack}) local v = t('x')",
        "for x in cjson.decode do end",
        "for x in bit.band, 1 do end",
        "for x in cmsgpack.unpack, {} do end",
        "table.sort({3, 1, 2}, bit.band)",
        "table.sort({{}, {}, {}}, bit.band)",
        "local co = coroutine.create(function()\n local v = cjson.decode('{') end) return coroutine.resume(co)",
        "local co = coroutine.wrap(function() local v = struct.unpack('i', 'x') end)\n\nco()",
        "local co = coroutine.wrap(function()\n pcall(cjson.decode, '[') local v = bit.tobit() end)\n\nco()",
        "local f\nf = function(n) if n == 0 then cjson.decode(']') end local v = f(n - 1) return v end f(50)",
        "local function f(n) if n == 0 then local v = cmsgpack.unpack('\\193') else return f(n - 1) end end f(500)",
        "local ok, e = pcall(function()\n\n local v = cjson.encode({[{}] = 1}) end)\nerror(e)",
        "local ok, e = pcall(pcall, pcall, cjson.decode, '[') return ok, e",
        "local ok, e, m = pcall(pcall, cjson.decode, '[') return ok, e, m",
        "local v = bit.band(1, select(2, pcall(cjson.decode, '[')))",
        "local v = cjson.encode({1, 2, {x = tostring}})",
        "local long_name = {inner = {f = cmsgpack.pack}}\nlocal v = long_name.inner.f()",
        "local long_name = {inner = {f = cmsgpack.pack}}\nlocal v = long_name.inner['f']()",
        "local v = (bit.band)(nil)",
        "local v = ({bit.band})[1](nil)",
    ],
)
def test_callers(both: BothEngines, body: str) -> None:
    both.compare(body)
