"""`struct` is as the oracle has it: every option, alignments, sizes, what numbers become that are no integers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripting.library_scripts import BothEngines

INTEGERS = ["b", "B", "h", "H", "l", "L", "T", "i", "I", *(f"{kind}{size}" for kind in "iI" for size in range(33))]
NUMBERS = [
    "0", "-0", "1", "-1", "127", "128", "255", "-128", "-129", "65535", "70000", "2^31", "-2^31", "2^32+5", "2^53",
    "-2^53", "2^63", "2^63-1024", "-2^63", "-2^63-2048", "2^64", "2^64-2048", "2^65", "1e300", "-1e300", "1/0", "-1/0",
    "0/0", "-(0/0)", "0.5", "-0.5", "1.9", "-1.9", "'12'", "'0x10'",
]  # fmt: skip
FORMATS = [
    "", " ", "b", "bBhHlLTiIfd", "!bBhHlLTiIfd", ">bBhHlLTiIfd", "<bhi>bhi", "bi", "!bi", "!1bi", "!2bi", "!4bl",
    "!8bl",
    "!16bl", "!32bd", "!64bd", "!bi16", "!16bi16", "!32bi32", "!3bi", "!0bi", "!33bi", "!i3i", "!4i3", "!16bi3i",
    "!bxi",
    "!bx i", "x", "xx", "x3", "=bi", "q", "y", "@", "\0b", "b\0b", "b1", "h2", "d8", "f4", "s3", "c", "c0", "c1", "c3",
    "c-1", "i0", "I0", "i33", "i2147483647", "i2147483648", "i214748364", "c2147483647", "c99999999999", "!2147483648",
    "!1073741824bi", "s", "ss", "!bsi", "!bc4i", "bc0", "Bc0c0", "!b!2i!1i", "\xff", "b\xff", "!bf!bd", "lc0", "Lc0",
    "dc0",
    "fc0", "sc0", "xc0", "bxc0", "b c0", "<!>c2", "!i5i6i7l", "!bi5bi6bi7bi9bi17bi31",
]  # fmt: skip


@pytest.mark.parametrize("order", ["", ">", "<", "!", ">!"])
def test_integers(both: BothEngines, order: str) -> None:
    for option in INTEGERS:
        list_of_numbers = ", ".join(NUMBERS)
        both.compare(
            f"""local r = {{}} for i, n in ipairs{{{list_of_numbers}}} do
              local s = struct.pack('{order}b{option}', 1, n) r[i] = {{s, struct.unpack('{order}b{option}', s)}}
            end return r"""
        )


def test_floats(both: BothEngines) -> None:
    for option in ("f", "d", ">f", ">d"):
        for number in [*NUMBERS, "0.1", "1/3", "5e-324", "2^-149", "2^-150", "2^-1074", "1e-40", "3.5e38", "16777217",
                       "3.4028235677973366e38", "3.4028235677973362e38", "2^-126", "2^-1022",
                       "1.5*2^-149"]:  # fmt: skip
            both.compare(f"local s = struct.pack('{option}', {number}) return s, struct.unpack('{option}', s)")


ARGUMENTS = [
    "", "nil", "1", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13", "-1, -2, -3, -4, -5, -6, -7, -8, -9", "'ab', 'cd'",
    "'', ''", "1, 'abcd', 3", "'a\\0b', 'c'", "{}", "true", "'x'", "1, nil", "1, {}", "1.5, 'abc', 2.5",
]  # fmt: skip
DATA = [
    b"", b"\0", b"\1", b"\xff", b"\2ab", b"\1\2\3\4\5\6\7\x08" * 8, b"\xff" * 64, b"ab\0cd\0", b"3\0abcdef",
    b"\0\0\0\x40ab", b"\0\0\0\xc0ab",
    b"\0\0\0\0\0\0\xf0\x3fabc", b"\0\0\0\0\0\0\xf8\x3fabc", b"\0\0\0\0\0\0\xf8\x7fabc", b"\0\0\0\0\0\0\xf0\x7fabc",
    b"\0\0\0\0\0\0\xf0\xbfabc", b"\0\0\0\0\0\0\xe0\xbfabc", b"\1" * 20, b"\x80" * 40, b"0x2\0abc",
]  # fmt: skip


def test_formats(both: BothEngines) -> None:
    for text in FORMATS:
        quoted = "".join(f"\\{ord(character):03}" for character in text)
        both.compare(f"local v = struct.size('{quoted}') return v")
        for arguments in ARGUMENTS:
            both.compare(f"local v = struct.pack('{quoted}', {arguments or 'nil'}) return v")
        both.compare(f"local v = struct.pack('{quoted}') return v")
        for data in DATA:
            both.compare(f"local t = {{struct.unpack('{quoted}', (...))}} return t", data)


def test_places(both: BothEngines) -> None:
    places = ["nil", "1", "2", "3", "4", "0", "-1", "-2", "-3", "1.7", "0.5", "-0.5", "'2'", "'x'", "{}", "1e300",
    "-1e300",
              "2^31", "2^32+1", "2^63", "2^64", "0/0", "1/0"]  # fmt: skip
    for text in ("", "b", "bb", " ", "!i", "!4i3", "i0", "s", "c0", "bc0", "x"):
        for data in ("", "\\1", "\\1\\2\\3\\0\\5\\6\\7\\8\\9"):
            for place in places:
                both.compare(f"local t = {{struct.unpack('{text}', '{data}', {place})}} return t")


def test_many_results(both: BothEngines) -> None:
    for count in (1, 2, 3, 4, 100, 7995, 7996, 7997, 7998, 9000):
        for more in ("", ", 1", ", 1, 2, 3"):
            body = (
                f"local n = {count} local t = {{struct.unpack(string.rep('b', n), string.rep('a', n){more})}} return #t"
            )
            both.compare(body)
            both.compare(body.replace("'b', n)", "'bx ', n)").replace("'a', n)", "'a', 2 * n)"))
    both.compare(
        "local t = {} for i = 1, 7000 do t[i] = i end local v = struct.pack(string.rep('h', 7000), unpack(t)) return v"
    )


@pytest.mark.parametrize("name", ["pack", "unpack", "size"])
def test_wrong_arguments(both: BothEngines, name: str) -> None:
    both.compare_calls(
        f"struct.{name}",
        ["", "nil", "{}", "1", "1.5", "true", "nil, nil", "'b', nil", "'b', {}", "'s', {}", "'q', 1", "'b', '', 0"],
    )


def test_what_is_there(both: BothEngines) -> None:
    both.compare("local r = {} for name in next, struct do r[#r + 1] = name end table.sort(r) return r")


options = st.one_of(
    st.sampled_from(list("bBhHlLTfdsxc <>!iI")),
    st.sampled_from(["c0", "c3", "!2", "!4", "!16", "i3", "I5", "i12"]),
)
formats = st.lists(options, max_size=12).map("".join)
arguments = st.lists(
    st.one_of(st.integers(-(2**66), 2**66).map(float), st.floats(), st.binary(max_size=8)), min_size=8, max_size=12
)


@given(formats, arguments)
def test_random_formats(both: BothEngines, text: str, values: list[float | bytes]) -> None:
    both.compare(
        """local a = {...} for i = 2, #a do a[i] = tonumber(a[i]) or a[i] end
        local v = struct.pack(unpack(a)) return v, {pcall(struct.unpack, a[1], v)}, {pcall(struct.size, a[1])}""",
        text,
        *(repr(value) if isinstance(value, float) else value for value in values),
    )


@given(formats, st.lists(st.integers(0, 100), min_size=12, max_size=12))
def test_round_trips(both: BothEngines, text: str, values: list[int]) -> None:
    both.compare(
        "local a = {...} local v = struct.pack((...), unpack(a, 2)) return v, struct.unpack((...), v)",
        text,
        *(f"{value:03}" for value in values),
    )


@given(formats, st.binary(max_size=60), st.integers(-3, 20))
def test_random_bytes(both: BothEngines, text: str, data: bytes, place: int) -> None:
    both.compare("local f, d, at = ... local t = {struct.unpack(f, d, at)} return t", text, data, str(place))
    both.compare("local f, d = ... local t = {struct.unpack(f, d)} return t", data, text)
    both.compare("local v = struct.size((...)) return v", data)
