"""`bit` is as the oracle has it: every function, numbers of all sizes, wrong arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripting.library_scripts import BothEngines

UNARY = ["tobit", "bnot", "bswap", "tohex"]
SHIFTS = ["lshift", "rshift", "arshift", "rol", "ror"]
FOLDS = ["band", "bor", "bxor"]

NUMBERS = [
    "0", "-0", "1", "-1", "2", "255", "256", "65535", "65536", "0x7fffffff", "0x80000000", "0xffffffff", "0x100000000",
    "-0x80000000", "-0x80000001", "0.5", "1.5", "2.5", "-0.5", "-1.5", "-2.5", "0.49999999999999994", "2^31-0.5",
    "2^51-1", "2^51", "2^51+1", "2^52", "2^52+1", "2^53", "2^53-1", "2^54+4", "2^60+2^20", "2^63", "2^84", "1e300",
    "-2^51", "-2^51-1", "-2^52", "-2^52-1", "-1.5*2^52", "-1.5*2^52+1", "-2^53", "-2^60-2^20", "-1e300", "1/0", "-1/0",
    "0/0", "5e-324", "'10'", "'0x10'", "' 7 '", "'1e2'", "0x12345678", "0xdeadbeef",
]  # fmt: skip
WRONG = ["nil", "'x'", "''", "true", "{}", "bit.band", "'1x'"]


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(both: BothEngines, name: str) -> None:
    for number in NUMBERS:
        both.compare(f"local x = bit.{name}({number}) return x")


@pytest.mark.parametrize("name", SHIFTS)
def test_shifts(both: BothEngines, name: str) -> None:
    for number in NUMBERS:
        both.compare(f"local r = {{}} for n = -33, 65 do r[n] = bit.{name}({number}, n) end return r")
    for places in NUMBERS:
        both.compare(f"local x = bit.{name}(0x87654321, {places}) return x")


@pytest.mark.parametrize("name", FOLDS)
def test_functions_of_many_numbers(both: BothEngines, name: str) -> None:
    for number in NUMBERS:
        list_of_numbers = ", ".join(NUMBERS)
        both.compare(
            f"local r = {{}} for i, n in ipairs{{{list_of_numbers}}} do r[i] = bit.{name}({number}, n) end return r"
        )
        both.compare(f"local x = bit.{name}({number}) return x")
        both.compare(f"local x = bit.{name}(0xfff0ff, {number}, 0x3ff03f, -2) return x")


def test_digits(both: BothEngines) -> None:
    for digits in [*range(-10, 11), "2^31", "-2^31", "0.5", "1.5", "'3'"]:
        both.compare(f"local x, y = bit.tohex(0x89abcdef, {digits}), bit.tohex(-1, {digits}) return x, y")


@pytest.mark.parametrize("name", UNARY + SHIFTS + FOLDS)
def test_wrong_arguments(both: BothEngines, name: str) -> None:
    for wrong in WRONG:
        both.compare(f"local x = bit.{name}({wrong}) return x")
        both.compare(f"local x = bit.{name}(7, {wrong}) return x")
        both.compare(f"local x = bit.{name}(7, 8, {wrong}) return x")
        both.compare(f"local x = bit.{name}({wrong}, {wrong}, {wrong}) return x")
    both.compare(f"local x = bit.{name}() return x")
    both.compare(f"local f = bit.{name} local x = f() return x")
    both.compare(f"local t = {{m = bit.{name}}} local x = t:m(1) return x")
    both.compare(f"local t = {{m = bit.{name}}} local x = t.m(1, nil) return x")
    both.compare(f"local x, y = pcall(bit.{name}, nil) return x, y")
    both.compare(f"\n\nlocal f = function() local x = bit.{name}('z') end f()")


def test_all_arguments_that_a_call_can_have(both: BothEngines) -> None:
    both.compare("local t = {} for i = 1, 7000 do t[i] = i * 1234567 end local x = bit.bxor(unpack(t)) return x")


numbers = st.one_of(
    st.integers(-(2**32), 2**32),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.floats(-(2**33), 2**33),
)


@given(st.lists(numbers, min_size=2, max_size=6))
def test_random_numbers(both: BothEngines, values: list[float]) -> None:
    both.compare(
        """local a = {} for i, v in ipairs{...} do a[i] = tonumber(v) end
        local r = {bit.band(unpack(a)), bit.bor(unpack(a)), bit.bxor(unpack(a))}
        for _, name in ipairs{'lshift', 'rshift', 'arshift', 'rol', 'ror', 'tohex'} do
          r[#r + 1] = bit[name](a[1], a[2])
        end
        for _, name in ipairs{'tobit', 'bnot', 'bswap', 'tohex'} do r[#r + 1] = bit[name](a[1]) end
        return r""",
        *(repr(float(value) if abs(value) < 1e300 else value) for value in values),
    )
