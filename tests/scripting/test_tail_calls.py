"""The main part of a script makes calls where it says `return f(x)`; the functions in it keep their tail calls."""

import pytest

from aikv.scripting.runtime import Runtime
from aikv.scripting.tail_calls import without_tail_calls


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    """An interpreter without a server."""
    return Runtime(dict.fromkeys((b"error_of", b"tick", b"random", b"seed_random"), print), {}, {})


def run(runtime: Runtime, script: bytes) -> tuple[object, ...]:
    """Run a script without arguments."""
    return runtime.run(runtime.compile(script), [], [])


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (b"return cjson.decode('{')", 1),
        (b"\n\nif #KEYS == 0 then return cjson.decode('{') end return 1", 3),
        # A table of so many elements needs a word that is no instruction.
        (b"local t = {" + b"1," * 30_000 + b"}\n\nreturn cjson.decode('{')", 3),
    ],
)
def test_an_error_of_a_library_names_the_line_of_the_script(runtime: Runtime, script: bytes, line: int) -> None:
    ended, text, source, found, _ = run(runtime, script)
    assert not ended
    assert isinstance(text, bytes)
    assert text.startswith(b"ERR user_script:%d: " % line)
    assert (source, found) == (b"@user_script", line)


def test_results_of_a_call_at_the_end_are_those_of_the_call(runtime: Runtime) -> None:
    assert run(runtime, b"local function f() return 'a', 'b' end return f()") == (True, b"a")
    assert run(runtime, b"return tostring(5)") == (True, b"5")
    assert run(runtime, b"return (function(...) return select('#', ...) end)(1, nil, 3)") == (True, 3)


def test_functions_may_call_themselves_at_their_end_for_ever(runtime: Runtime) -> None:
    script = b"local function f(n) if n == 0 then return 'end' end return f(n - 1) end return f(200000)"
    assert run(runtime, script) == (True, b"end")


def test_code_that_is_not_understood_is_left_alone() -> None:
    assert without_tail_calls(b"") is None
    assert without_tail_calls(b"\x1bLua\x52" + b"\0" * 100) is None
