"""The judge is judged: what reads, splits and compares replies does so correctly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.language import Step, parse_steps
from oracle.pair import same
from oracle.wire import pack, reply_end

REPLIES = st.recursive(
    st.one_of(
        st.binary(max_size=9).map(lambda blob: b"$%d\r\n%b\r\n" % (len(blob), blob)),
        st.sampled_from([b"+OK\r\n", b":-1\r\n", b"$-1\r\n", b"*-1\r\n", b"_\r\n", b",1.5\r\n", b"=5\r\ntxt:x\r\n"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: b"*%d\r\n" % len(parts) + b"".join(parts)),
        st.lists(inner, max_size=4).map(lambda parts: b"%%%d\r\n" % len(parts) + b"".join(parts * 2)),
        inner.map(lambda part: b"|1\r\n+k\r\n+v\r\n" + part),
    ),
    max_leaves=12,
)


@given(REPLIES, st.binary(max_size=5))
def test_a_reply_ends_where_it_was_made_to_end_and_never_before(reply: bytes, more: bytes) -> None:
    assert reply_end(reply + more) == len(reply)
    assert all(reply_end(reply[:cut]) == -1 for cut in range(len(reply)))


def test_what_is_no_resp_is_refused() -> None:
    with pytest.raises(ValueError, match="no RESP type"):
        reply_end(b"hello\r\n")


def test_words_of_a_case() -> None:
    line = r"""SET "a\r\n\x00\"" 'b;\'c' d;e ; [near, other] TTL k;"""
    assert parse_steps(line) == (
        Step((b"SET", b'a\r\n\x00"', b"b;'c", b"d")),
        Step((b"e",)),
        Step((b"TTL", b"k"), "near", other=True),
    )


@pytest.mark.parametrize("line", ["GET 'a", 'GET "a"b', "[upside-down] GET a", "[sideways] GET a", "GET a;;GET b"])
def test_a_case_that_cannot_be_understood_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"mark|command"):
        parse_steps(line)


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=5))
def test_requests_are_arrays_of_bulk_strings(argv: list[bytes]) -> None:
    packed = pack(argv)
    assert packed.startswith(b"*%d\r\n" % len(argv))
    assert reply_end(packed) == len(packed)


@pytest.mark.parametrize(
    ("comparison", "theirs", "ours", "expected"),
    [
        ("exact", b":1\r\n", b":1\r\n", True),
        ("exact", b":1\r\n", b"$1\r\n1\r\n", False),
        ("unordered", b"*2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+a\r\n", True),
        ("unordered", b"*2\r\n+a\r\n+a\r\n", b"*2\r\n+b\r\n+a\r\n", False),
        ("unordered", b"~2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+a\r\n", False),
        ("unordered", b"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", b"%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n", True),
        ("unordered", b"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", b"%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n", False),
        ("unordered", b"-ERR\r\n", b"*0\r\n", False),
        ("near", b":5000\r\n", b":4100\r\n", True),
        ("near", b":5000\r\n", b":3900\r\n", False),
        ("near", b":5000\r\n", b"+5000\r\n", False),
        ("shape", b"*2\r\n:1\r\n$2\r\nab\r\n", b"*2\r\n:22\r\n$3\r\nabc\r\n", True),
        ("shape", b"*2\r\n:1\r\n$2\r\nab\r\n", b"*2\r\n:1\r\n$-1\r\n", False),
        ("code", b"-ERR one\r\n", b"-ERR other\r\n", True),
        ("code", b"-ERR one\r\n", b"-WRONGTYPE one\r\n", False),
        ("code", b"+OK yes\r\n", b"+OK no\r\n", False),
        ("kind", b":1\r\n", b":2\r\n", True),
        ("kind", b":1\r\n", b"+1\r\n", False),
        ("any", b":1\r\n", b"+1\r\n", True),
    ],
)
def test_comparisons(comparison: str, theirs: bytes, ours: bytes, expected: bool) -> None:
    assert same(comparison, theirs, ours) is expected
