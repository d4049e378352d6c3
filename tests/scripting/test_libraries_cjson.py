"""`cjson` is as the oracle has it: what it reads and refuses, what it writes, its settings."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripting.library_scripts import BothEngines

DECODE = "local c = cjson.new() local v = c.decode((...)) return v"
DECODE_STRICTLY = "local c = cjson.new() c.decode_invalid_numbers(false) local v = c.decode((...)) return v"
ROUND_TRIP = "local v = cjson.encode(cjson.decode((...))) return v"

TEXTS = [
    "", "1", "1\0x", "\0", "\0\0", "a\0", "[1,\0", "[\0001]", '"\\\0"', '"\\u00\0"', '"a\0b"', "{", "{x", "{,", '{"a"',
    '{"a" 1', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{"a":1 "b"}', "{1:2}", '{"a":}', '{"a"::1}', "{}}", "{]", "[",
    "[1", "[1,", "[1,]", "[,]", "[1}", "[1 2]", "[1:2]", "[1]]", "[]", "[ ]", "{ }", "[[]]", "[{}]", '{"a":{}}', '"',
    '"a', '"a\nb"', '"\\', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"',
    '"\\ud83d\\ude00"', '"\\ud83dx"', '"\\uD83D\\uDE00"', '"\\u0000"', '"\\u007f\\u0080\\u07ff\\u0800\\uffff"',
    '"\\udbff\\udfff"', '"\\ud83d\\u"', '"\\ud83d\\', '"\\U0041"', '"\\/\\b\\f\\n\\r\\t\\"\\\\"', '"\x7f\x01"', '"a"b',
    "+1", "+", "-", "-x", "-inf", "inf", "Infinity", "-Infinityx", "nan", "nan(12)", "NaN", "-nan", "0x10", "0X1F",
    "-0x1", "0x", "01", "1.", ".5", "1.e5", "1e", "1e+", "1e5", "1E5", "1e-5", "1e400", "-1e400", "1e-400", "-0",
    "0x1p3", "0x.8", "0x1.8p1", "0x.", "0xp1", "0x1p", "0x1p+", "0x.1p-1z", "tru", "true", "truex", "nul", "null",
    "nullx", "false", "fals", "x", "1 2", " \t\n\r 1 \t\n\r ", "\x0b1", "\xff", "\\", "a", "n", "i", "I", "N", "-i",
    "-n", "infinit", "infinity1", "nan(", "nan()", "nan(a_1)", "nan(a-1)", "1.e+", "1e5.5", "-.5", "+.5", "-.", "+inf",
    "+nan", "1.5.5", "1..5", "--1", "0x1pp1", "0x1.fg", "00012", "INFINITYINF", "0b1", "1_000", "]", ":", ",", "}",
    "[1,2,3]", "[ 1 , 2 , 3 ]", '["a","b\\n","c"]', '[ "a" , "b\\n" , "c" ]', '{"a":"b","c":"d\\"","e\\"":"f"}',
    ' { "a" : "b" , "c" : 1 , "d" : [ ] , "e" : { } , "f" : null , "g" : true } ', '{"a":1,"a":2}', '{"a":null}',
    '{"":""}', "[null,null]", "[true,false]", '{"a":-1.5e3}', '{"a":.5}', '{"a":+5}', '{"a":0x5}', '{"a":inf}',
    '{"a":01}', "[.5]", "[+5]", "[0x5]", "[inf]", "[01]", "[-]", "[1e]", '{"a":-}', '{"a":1e}', '{"a":1-}', "[1-]",
    '{"a":"b" "c"}', '{"a":"b"]', '["a"}', '{"a":\'b\'}', '[1,2', '["a","b"', '{"a":"b","c"', "12345678901234567890",
    "123456789012345678901234567890e-10", "0.1e1", "1" * 400, "9007199254740993", '{"1":1,"2":2,"x":3}',
]  # fmt: skip

VALUES = [
    "nil", "true", "false", "cjson.null", "1", "-0", "0.1", "1/3", "1e15", "1e14", "123456789012345", "1e100",
    "123456789012345678", "-1.5", "5e-324", "2^53", "1/0", "-1/0", "0/0", "''", "'a/b'", "'\"\\\\'",
    "'\\0\\1\\127\\200'",
    "tostring", "coroutine.create(function() end)", "{}", "{{}}", "{1,2,3}", "{1,nil,3}", "{nil,nil,3}", "{[2]=1}",
    "{[10]=1}", "{[11]=1}", "{[20]=1}", "{1,2,3,4,5,6,[12]=1}", "{1,2,3,4,5,[12]=1}", "{1,2,a=3}", "{[0]=1}",
    "{[-1]=1}",
    "{[1.5]=1}", "{[1e300]=1}", "{[1e300]=1,[1]=2}", "{[2^31]=1}", "{[2^32+5]=1}", "{[1/0]=1}",
    "{[-1/0]=1}", "{[true]=1}", "{[{}]=1}", "{[tostring]=1}", "{[cjson.null]=1}", "{tostring}", "{a=tostring}",
    "{a={b={c={1,{2,{3}}}}}}", "{a=cjson.null}", "{cjson.null,cjson.null}", "{['a/b']=1,['\"']=2,['']=3}",
    "{a='b/c',d='e',f={'g/h','i'}}", "{[1]=1,[2]=2,[3]=3,[4]=nil}",
    "setmetatable({1,nil,3},{__index=function() return 9 end})",
    "setmetatable({},{__index=function() return 9 end,__len=function() return 5 end})", "{x=0/0}", "{x=1/0,y=2}",
    "setmetatable({1,nil,3},{__index=function() return 9 end,__metatable=false})",
    "{[string.rep('k',200)]=string.rep('v',200)}", "'\\226\\130\\172'",
]  # fmt: skip

SETTINGS = [
    "encode_sparse_array", "encode_max_depth", "decode_max_depth", "encode_number_precision", "encode_keep_buffer",
    "encode_invalid_numbers", "decode_invalid_numbers",
]  # fmt: skip
SETTING_VALUES = [
    "", "nil", "nil, nil", "nil, nil, nil", "nil, nil, nil, nil", "0", "1", "2", "14", "15", "-1", "1.9", "'7'", "'on'",
    "'off'", "'null'", "'x'", "''", "true", "false", "{}", "2^31", "2^31-1", "2^32+5", "-2^32+5", "2^53+8", "0/0",
    "1/0", "1e300", "0.5", "-0.5", "true, 3, 4", "nil, 5", "nil, nil, 6", "false, -1", "false, 'x'", "false, 1, -1",
    "true, 0, 0", "true, 2, 10, 1", "true, {}", "nil, 2.7", "'on', '3', '4'", "1, 2", "nil, 1",
]  # fmt: skip


@pytest.mark.parametrize("body", [DECODE, DECODE_STRICTLY, ROUND_TRIP])
def test_texts(both: BothEngines, body: str) -> None:
    for text in TEXTS:
        both.compare(body, text.encode("latin-1"))


@pytest.mark.parametrize("body", [DECODE, DECODE_STRICTLY])
def test_texts_inside_of_others(both: BothEngines, body: str) -> None:
    for text in TEXTS:
        for layout in (b"[%b]", b'{"k":%b}', b'[1,"x",%b , "y"]', b'{"a":1,"k": %b ,"z":"\\n"}', b'"\\n" %b', b"  %b"):
            both.compare(body, layout % text.encode("latin-1"))


@pytest.mark.parametrize(
    "prepare",
    [
        "",
        "c.encode_invalid_numbers(true)",
        "c.encode_invalid_numbers('null')",
        "c.encode_sparse_array(true)",
        "c.encode_sparse_array(false, 0)",
        "c.encode_sparse_array(false, 1, 1)",
        "c.encode_number_precision(3)",
        "c.encode_max_depth(2)",
        "c.encode_keep_buffer(false)",
    ],
)
def test_values(both: BothEngines, prepare: str) -> None:
    for value in VALUES:
        both.compare(f"local c = cjson.new() {prepare} local v = c.encode({value}) return v")
        both.compare(f"local c = cjson.new() {prepare} local v = c.encode({{{value}, {{k = {value}}}}}) return v")


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(both: BothEngines, name: str) -> None:
    for value in SETTING_VALUES:
        both.compare(f"local c = cjson.new() local x, y, z = c.{name}({value}) return x, y, z")
        # What is set, is set; and what is refused, is not.
        both.compare(
            f"local c = cjson.new() pcall(function() c.{name}({value}) end) local x, y, z = c.{name}() return x, y, z"
        )


def test_a_key_that_is_nearly_too_large(both: BothEngines) -> None:
    both.compare("local v = cjson.encode({[2^31-1] = 1}) return v")


def test_what_is_there(both: BothEngines) -> None:
    both.compare(
        """local r = {} for _, c in ipairs{cjson, cjson.new()} do
          local names = {} for name, v in next, c do
            names[#names + 1] = name .. type(v) .. tostring(type(v) ~= 'function' and v)
          end
          table.sort(names) r[#r + 1] = names
        end return r"""
    )
    both.compare(
        "local a, b = cjson.new(), cjson.new() a.encode_max_depth(1) return a.null == b.null, b.encode_max_depth()"
    )
    both.compare(
        "return cjson.null == cjson.decode('null'), cjson.decode('[null]')[1] == cjson.null, getmetatable('').x"
    )
    both.compare("local v = cjson.null.x")
    both.compare("local v = cjson.null .. ''")
    both.compare("cjson.null.x = 1")
    both.compare("local v = cjson.null < cjson.null")
    both.compare("local v = #cjson.null")
    both.compare("local v = cjson.null()")


@pytest.mark.parametrize("name", ["encode", "decode"])
def test_wrong_arguments(both: BothEngines, name: str) -> None:
    both.compare_calls(
        f"cjson.{name}", ["", "nil", "nil, nil", "{}", "1, 2", "true", "1", "1.5", "tostring", "'1'", "cjson.null"]
    )


def test_depth(both: BothEngines) -> None:
    for opening, closing in [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), (" [ ", " ] ")]:
        for depth in (2, 3, 499, 500, 501, 999, 1000, 1001, 1002):
            both.compare(DECODE, opening * depth + "1" + closing * depth)
            both.compare(DECODE, opening * depth)
            both.compare(ROUND_TRIP, opening * depth + "1" + closing * depth)
    both.compare("local c = cjson.new() c.decode_max_depth(2) local v = c.decode('[[1], [[2]]]') return v")
    for depth in (1000, 1001):
        for key in ("1", "'a'"):
            both.compare(
                f"local t = {{}} for i = 2, {depth} do t = {{[{key}] = t}} end local v = cjson.encode(t) return v"
            )
    both.compare("local t = {} t[1] = t local v = cjson.encode(t)")


@pytest.mark.parametrize("prefix", ["", "[", '{"b":', '[{"b":'])
def test_depth_that_the_stack_of_c_does_not_have(both: BothEngines, prefix: str) -> None:
    for opening in ("[", '{"a":', '[{"a":'):
        both.compare(
            "local c = cjson.new() c.decode_max_depth(100000) local v = c.decode((...)) return v",
            prefix + opening * 9000,
        )
    both.compare(
        """local r = {} for _, key in ipairs{1, 'a'} do
          local c, t = cjson.new(), {} local u = t for i = 1, 9000 do u[key] = {} u = u[key] end
          c.encode_max_depth(100000) r[#r + 1] = {pcall(c.encode, t)}
        end return r"""
    )
    both.compare(
        """local c = cjson.new() c.encode_max_depth(100000) c.decode_max_depth(100000) local n = 7990
        local v = c.encode(c.decode(string.rep('[', n) .. string.rep(']', n))) return v"""
    )


def test_many_members_come_in_the_order_of_the_oracle(both: BothEngines) -> None:
    names = [f"name:{number}" for number in range(2000)]
    both.compare(ROUND_TRIP, json.dumps({name: number for number, name in enumerate(names)}))
    both.compare(ROUND_TRIP, json.dumps({str(number): name for number, name in enumerate(names)}))
    both.compare(ROUND_TRIP, json.dumps({name: {name: [name]} for name in names}))


def test_names_that_are_kept_stay_what_they_are(both: BothEngines) -> None:
    fill = "local r = {} for i = 1, 3000 do r['n/' .. i] = i r[i % 7 .. ''] = {a = 1, [i .. ''] = 2} end "
    both.compare(fill + "local v = cjson.encode(r) return v")
    both.compare(fill + "local v = cjson.encode({r, r}) return v")


def test_long_texts(both: BothEngines) -> None:
    for unit in ("x", "\\n", "\\u00e9", "x\\/", "\\\\", '\\"', "é"):
        text = '"' + unit * 50_000 + '"'
        both.compare(ROUND_TRIP, text)
        both.compare(ROUND_TRIP, f"{{{text}:[{text},1]}}")
        both.compare(ROUND_TRIP, f'{{"a":{text}}}')
    both.compare(ROUND_TRIP, "[" + "1," * 50_000 + "2]")
    both.compare(DECODE, "[" * 3 + " " * 100_000)
    both.compare(DECODE, '"' * 100_001)
    both.compare(DECODE, '["' + '\\"' * 50_000)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**64), 2**64),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["id", "name", "a/b", 'q"', "\n"]),
    ),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=6), inner, max_size=6),
    max_leaves=30,
)


@given(json_values, st.booleans(), st.sampled_from([None, 1]))
def test_random_values(both: BothEngines, value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    both.compare(DECODE, text)
    both.compare(
        """local c = cjson.new() c.encode_invalid_numbers(true) c.encode_sparse_array(true)
        local v = c.encode(c.decode((...))) return v, c.decode(v)""",
        text,
    )


@given(json_values, st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=2), st.integers(0, 2)), max_size=3))
def test_damaged_texts(both: BothEngines, value: object, damages: list[tuple[int, bytes, int]]) -> None:
    text = bytearray(json.dumps(value), "ascii")
    for place, insertion, removed in damages:
        place %= len(text) + 1
        text[place : place + removed] = insertion
    both.compare(DECODE, bytes(text))
    both.compare(DECODE_STRICTLY, bytes(text))


@given(st.text(alphabet='{}[]:,"\\ 01-+.eEinfatrulsxu\n\0', max_size=30))
def test_texts_of_json_characters(both: BothEngines, text: str) -> None:
    both.compare(DECODE, text.encode())
    both.compare(DECODE_STRICTLY, text.encode())


@given(st.binary(max_size=60))
def test_random_bytes(both: BothEngines, text: bytes) -> None:
    both.compare(DECODE, text)
    both.compare(ROUND_TRIP, b'"' + text.replace(b'"', b'\\"') + b'"')
    both.compare("local v = cjson.encode({(...), [(...)] = 1}) return v", text)
