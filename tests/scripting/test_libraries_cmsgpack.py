"""`cmsgpack` is as the oracle has it: every type byte, limits and offsets, damaged input."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripting.library_scripts import BothEngines

PACK = "local v = cmsgpack.pack({}) return v"
UNPACK = (
    "return (function(...) return ... end)((function(...) local t = {pcall(cmsgpack.unpack, ...)} return t end)(...))"
)

NUMBERS = [
    *(f"{sign}{number}" for sign in ("", "-") for number in (
        0, 1, 31, 32, 33, 127, 128, 129, 255, 256, 32767, 32768, 32769, 65535, 65536, 2**31 - 1, 2**31, 2**31 + 1,
        2**32 - 1, 2**32, 2**53 - 1, 2**53, "2^63", "2^64", "(2^63-1024)", 0.5, 0.1, 1.5e10, 1e300, 5e-324, 1e-45,
        "2^-149", "2^-150", "1.5*2^-149", "2^-126", "2^-1022", "2^-1074", "3.4028234663852886e38", "3.5e38", "2^128",
        "1/0", "(0/0)", "16777217.5", "(2^52+0.5)", "1/3",
    )),
]  # fmt: skip
VALUES = [
    "nil", "true", "false", "cjson.null", "tostring", "''", "'x'", "('x'):rep(31)", "('x'):rep(32)", "('x'):rep(255)",
    "('x'):rep(256)", "('x'):rep(65535)", "('x'):rep(65536)", "'10'", "{}", "{1}", "{a=1}", "{1,2,nil,4}", "{[0]=1}",
    "{[1.5]=1}", "{nil,2}", "{[2]=1}", "{[3]=1,[2]=1,[1]=1}", "{[-1]=1,[2^53]=2,[true]={}}", "{{},{{}},{a={}}}",
    "{1,2,3,a=1}", "{[1/0]=1}", "{[1e300]=1}", "{tostring,cjson.null,{}}", "{[tostring]=1}", "{[{}]={}}",
    "setmetatable({1,2},{__index=function() return 7 end,__len=function() return 9 end})", "{true,false}",
    "{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15}", "{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}",
]  # fmt: skip


@pytest.mark.parametrize("layout", ["{}", "{{{}}}", "{{{{k = {}}}, {}}}", "{{[{}] = {}}}"])
def test_values(both: BothEngines, layout: str) -> None:
    for value in VALUES + NUMBERS:
        if value in ("nil", "(0/0)", "-(0/0)") and layout.startswith("{{["):
            continue
        packed = "cmsgpack.pack(" + layout.format(value, value) + ")"
        both.compare(f"local v = {packed} return v")
        both.compare(f"return (cmsgpack.unpack({packed}))")


def test_several_values(both: BothEngines) -> None:
    both.compare(PACK.format("1, nil, 'x', {}, nil"))
    both.compare("local t = {cmsgpack.unpack(cmsgpack.pack(1, nil, 'x', {}, false))} return t")
    for count in (1, 2, 3, 4, 17, 3998, 3999, 4000, 4001):
        both.compare(f"local t = {{}} for i = 1, {count} do t[i] = i end local v = cmsgpack.pack(unpack(t)) return v")
    for count in (1, 2, 3, 4, 17, 7990, 7998, 7999, 8000, 9000):
        both.compare(f"local s = string.rep('\\1', {count}) local v = select('#', cmsgpack.unpack(s)) return v")
        both.compare(f"local s = string.rep('\\1', {count - 1}) .. '\\2' local v = {{cmsgpack.unpack(s)}} return v")


def test_large_tables(both: BothEngines) -> None:
    for count in (15, 16, 65535, 65536):
        both.compare(f"local t = {{}} for i = 1, {count} do t[i] = i end local v = cmsgpack.pack(t) return v")
        both.compare(f"local t = {{}} for i = 1, {count} do t['k' .. i] = i end local v = cmsgpack.pack(t) return v")
        both.compare(
            f"""local t = {{}} for i = 1, {count} do t['k' .. i] = i end
            t = cmsgpack.unpack(cmsgpack.pack(t)) local v = cmsgpack.pack(t) return v"""
        )


def test_nesting(both: BothEngines) -> None:
    for depth in (14, 15, 16, 17, 18, 30):
        for key in ("1", "'a'"):
            both.compare(
                f"local t = 1 for i = 1, {depth} do t = {{[{key}] = t}} end local v = cmsgpack.pack(t) return v"
            )
    both.compare("local t = {} t[1] = t t.a = 1 local v = cmsgpack.pack(t) return v")
    for unit in (b"\x91", b"\x81\x01", b"\x81", b"\x92\x01", b"\x82\x01\x02", b"\x91\x81", b"\xdc\0\1"):
        for depth in (10, 3998, 3999, 4000, 4001, 7998, 7999, 8000, 20000):
            both.compare(UNPACK, unit * depth)
            both.compare(UNPACK, b"\x01" + unit * depth)
            both.compare("local v = cmsgpack.unpack_one((...), 0) return 1", unit * depth)


def test_every_first_byte(both: BothEngines) -> None:
    for first in range(256):
        for rest in (b"", b"\0", b"\1", b"\xff", b"\0\3abc", b"\1\2\3\4\5\6\7\x08", b"\xff" * 8, b"\x80" + b"\0" * 8):
            both.compare("local t = {pcall(cmsgpack.unpack, (...))} return t", bytes([first]) + rest)
            both.compare("local v = cmsgpack.unpack((...)) return v", bytes([first]) + rest)
        both.compare("local t = {pcall(cmsgpack.unpack, (...))} return t", bytes([first]) + b"\1\2\3" * 100)


def test_limits_and_offsets(both: BothEngines) -> None:
    numbers = ["nil", "-1", "0", "1", "2", "3", "4", "5", "6", "1.7", "-0.5", "'1'", "'x'", "{}", "true", "1e300",
               "-1e300", "2^31", "2^32", "2^32+1", "2^63", "0/0", "1/0"]  # fmt: skip
    for text in ("", "\\1\\2\\3", "\\1\\193\\3", "\\1\\162x", "\\146\\1\\2\\3", "\\1\\2\\3\\4\\5\\6"):
        for number in numbers:
            both.compare(f"local t = {{cmsgpack.unpack_one('{text}', {number})}} return t")
            both.compare(f"local t = {{cmsgpack.unpack_limit('{text}', {number})}} return t")
            both.compare(f"local t = {{cmsgpack.unpack_limit('{text}', 2, {number})}} return t")
            both.compare(f"local t = {{cmsgpack.unpack_limit('{text}', {number}, 1)}} return t")
            both.compare(f"local t = {{cmsgpack.unpack_limit('{text}', {number}, 0)}} return t")
        both.compare(f"local t = {{cmsgpack.unpack('{text}', 1, 2)}} return t")
        both.compare(f"local t = {{cmsgpack.unpack_one('{text}')}} return t")
        both.compare(f"local t = {{cmsgpack.unpack_one('{text}', 0, 1, 2)}} return t")


@pytest.mark.parametrize("name", ["pack", "unpack", "unpack_one", "unpack_limit"])
def test_wrong_arguments(both: BothEngines, name: str) -> None:
    both.compare_calls(
        f"cmsgpack.{name}",
        ["", "nil", "{}", "1", "1.5", "true", "nil, nil", "{}, {}", "'\\1', {}", "nil, 'x'", "nil, 1, 'x'"],
    )


def test_keys_that_tables_do_not_have(both: BothEngines) -> None:
    for key in (b"\xc0", b"\xcb\x7f\xf8" + b"\0" * 6, b"\xcb\xff\xf8" + b"\0" * 6, b"\xca\x7f\xc0\0\0"):
        both.compare("local v = cmsgpack.unpack((...)) return v", b"\x81" + key + b"\x01")
        both.compare("local v = cmsgpack.unpack((...)) return v", b"\x81" + key + b"\xc0")
        both.compare("local v = cmsgpack.unpack((...)) return v", b"\x81" + key)
        both.compare("local v = cmsgpack.unpack((...)) return v", b"\x82\x01\x02" + key + b"\xc1")


def test_what_is_there(both: BothEngines) -> None:
    both.compare(
        """local names = {} for name, v in next, cmsgpack do
          names[#names + 1] = name .. type(v) .. tostring(type(v) ~= 'function' and v)
        end table.sort(names) return names"""
    )


@given(st.one_of(st.floats(), st.floats(width=32), st.integers(-(2**65), 2**65)))
def test_random_numbers(both: BothEngines, number: float) -> None:
    text = repr(float(number))
    both.compare("local v = cmsgpack.pack(tonumber((...))) return v, (cmsgpack.unpack(v))", text)
    both.compare("return (cmsgpack.unpack((...)))", b"\xcb" + struct.pack(">d", number))
    both.compare("return (cmsgpack.unpack((...)))", b"\xca" + struct.pack(">d", number)[:4])


def packed(value: object) -> bytes:
    """Encode a value, numbers and text always in the same, not in the shortest form."""
    if isinstance(value, list):
        return struct.pack(">BH", 0xDC, len(value)) + b"".join(map(packed, value))
    if isinstance(value, dict):
        return struct.pack(">BH", 0xDE, len(value)) + b"".join(packed(part) for item in value.items() for part in item)
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xDB, len(value)) + value
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, bool) or value is None:
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    assert isinstance(value, int)
    return struct.pack(">Bq", 0xD3, value)


keys = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary(max_size=8))
msgpack_values = st.recursive(
    st.none() | keys,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)


@given(msgpack_values)
def test_random_values(both: BothEngines, value: object) -> None:
    both.compare("local v = cmsgpack.unpack((...)) return v, cmsgpack.pack(v)", packed(value))
    both.compare(
        "local a = cmsgpack.pack(cmsgpack.unpack((...))) local b = cmsgpack.pack(cmsgpack.unpack(a)) return a, b",
        packed(value),
    )


@given(msgpack_values, st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=2), st.integers(0, 2)), max_size=4))
def test_damaged_values(both: BothEngines, value: object, damages: list[tuple[int, bytes, int]]) -> None:
    data = bytearray(packed(value))
    for place, insertion, removed in damages:
        place %= len(data) + 1
        data[place : place + removed] = insertion
    both.compare("local t = {cmsgpack.unpack((...))} return t", bytes(data))
    both.compare("local t = {cmsgpack.unpack_limit((...), 2, 1)} return t", bytes(data))


@given(st.binary(max_size=80))
def test_random_bytes(both: BothEngines, data: bytes) -> None:
    both.compare("local t = {cmsgpack.unpack((...))} return t", data)
    both.compare("local t = {cmsgpack.unpack_one((...), 3)} return t", data)
