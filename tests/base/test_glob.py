"""Glob patterns: Redis's answers, on its own test ground."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.glob import Glob, glob_match
from oracle.process import ServerProcess
from oracle.wire import RawConnection

patterns = st.one_of(
    st.text("ab*?[]^-\\c", max_size=10).map(str.encode),
    st.lists(
        st.sampled_from(
            [b"*", b"?", b"a", b"b", b"[ab]", b"[^a]", b"[a-c]", b"[c-a]", b"\\*", b"[\\]]", b"[", b"\xff"]
        ),
        max_size=8,
    ).map(b"".join),
    st.lists(st.sampled_from([b"[", b"]", b"a", b"-", b"^", b"\\", b"\xff", b"\x80", b"z", b"*"]), max_size=10).map(
        b"".join
    ),
)
texts = st.one_of(st.text("ab*?[]^-\\c", max_size=6).map(str.encode), st.binary(max_size=4))


def array(reply: bytes) -> set[bytes]:
    """The elements of an array of bulk strings; the elements hold no line ends."""
    return set(reply.split(b"\r\n")[2:-1:2])


def keys(connection: RawConnection, pattern: bytes) -> set[bytes]:
    return array(connection.command("KEYS", pattern))


@given(st.lists(patterns, min_size=1, max_size=12), st.lists(texts, min_size=1, max_size=12))
def test_the_matches_are_those_of_redis(oracle: ServerProcess, globs: list[bytes], names: list[bytes]) -> None:
    names = [name for name in names if b"\r" not in name and b"\n" not in name]
    with oracle.connect() as connection:
        connection.command("FLUSHALL")
        for name in names:
            connection.command("SET", name, "")
        for pattern in globs:
            if pattern == b"*":
                continue
            glob = Glob(pattern)
            assert {name for name in names if glob.match(name)} == keys(connection, pattern), pattern


@given(st.lists(st.text("gGeEtT*?[]^-\\zZ@`", max_size=7).map(str.encode), min_size=1, max_size=20))
def test_matches_without_case_are_those_of_redis(oracle: ServerProcess, globs: list[bytes]) -> None:
    with oracle.connect() as connection:
        names = array(connection.command("COMMAND", "LIST"))
        for pattern in globs:
            glob = Glob(pattern, nocase=True)
            reply = connection.command("COMMAND", "LIST", "FILTERBY", "PATTERN", pattern)
            assert {name for name in names if glob.match(name)} == array(reply), pattern


@given(st.text("ab", max_size=12).map(str.encode), st.text("ab*?", max_size=8).map(str.encode))
def test_stars_and_question_marks_mean_what_they_say(text: bytes, pattern: bytes) -> None:
    assert glob_match(pattern, text) == (reference(pattern, text) and (text != b"" or pattern == b""))


def reference(pattern: bytes, text: bytes) -> bool:
    """The textbook recursion, for `*`, `?` and letters."""
    if not pattern:
        return not text
    if pattern[:1] == b"*":
        return reference(pattern[1:], text) or (text != b"" and reference(pattern, text[1:]))
    return text != b"" and pattern[:1] in (b"?", text[:1]) and reference(pattern[1:], text[1:])


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (b"h[ae]llo", b"hello", True),
        (b"h[^e]llo", b"hello", False),
        (b"h[^e]llo", b"hallo", True),
        (b"[a-]x", b"^x", False),
        (b"[abc", b"c", True),
        (b"[", b"[", False),
        (b"[^", b"x", True),
        (b"\\", b"\\", True),
        (b"a\\*", b"a*", True),
        (b"a\\*", b"ab", False),
        (b"[\x80-a]", b"\xff", True),
        (b"a*", b"a", True),
        (b"*a*", b"a", True),
        (b"a*a", b"a", False),
        (b"*", b"", False),
        (b"", b"", True),
    ],
)
def test_the_peculiarities_of_redis(pattern: bytes, text: bytes, expected: bool) -> None:
    assert glob_match(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [(b"HeLLo", b"hEllO", True), (b"[A-C]", b"b", True), (b"[\\A]", b"a", False), (b"[Z-a]", b"z", False)],
)
def test_case_is_ignored_on_request_except_after_a_backslash(pattern: bytes, text: bytes, expected: bool) -> None:
    assert glob_match(pattern, text, nocase=True) is expected


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [(b"user:1", b"user:1"), (b"a\\*b", b"a*b"), (b"", b""), (b"a*", None), (b"a?", None), (b"[a]", None)],
)
def test_a_pattern_without_choice_says_its_only_text(pattern: bytes, literal: bytes | None) -> None:
    assert Glob(pattern).literal == literal


def test_letters_are_no_literal_where_case_is_ignored() -> None:
    assert Glob(b"abc", nocase=True).literal is None
    assert Glob(b"123", nocase=True).literal == b"123"


@pytest.mark.parametrize("pattern", [b"a*" * 500 + b"b", b"*" + b"?*" * 500 + b"b", b"[ab]*" * 500 + b"c"])
def test_a_hostile_pattern_is_answered(pattern: bytes) -> None:
    # A backtracking matcher does not return from this within a lifetime.
    assert glob_match(pattern, b"a" * 3000) is False
