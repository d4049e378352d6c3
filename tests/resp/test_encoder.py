"""Replies: what is encoded is read by a client (hiredis) as the value that was meant, in both protocols."""

import math
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.numbers import format_double
from aikv.base.row import Row
from aikv.resp.encoder import encode, encode_error, encode_request
from aikv.resp.output import Output
from aikv.resp.reply import (
    NO_REPLY,
    NULL_ARRAY,
    OK,
    Attributed,
    BigNumber,
    ErrorReply,
    PairedMap,
    PairList,
    Pairs,
    Push,
    Rows,
    SetOf,
    Status,
    Verbatim,
)

I64 = st.integers(-(2**63), 2**63 - 1)
LEAVES = st.one_of(
    st.binary(max_size=30),
    st.binary(max_size=30).map(bytearray),
    I64,
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.sampled_from([OK, Status(b"QUEUED"), NULL_ARRAY]),
    st.binary(max_size=30).map(lambda text: Verbatim(b"txt", text)),
    st.integers(-(2**200), 2**200).map(BigNumber),
)
REPLIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(SetOf),
        st.lists(
            st.tuples(st.integers(0, 99).map(lambda n: b"%d" % n), inner), max_size=4, unique_by=lambda p: p[0]
        ).map(lambda pairs: Pairs([item for pair in pairs for item in pair])),
    ),
    max_leaves=12,
)


def wire(value: object, resp3: bool) -> bytes:
    """Return the encoding of one reply."""
    out = Output()
    encode(out, value, resp3)
    return out.take()


def read(data: bytes) -> Any:
    """Let hiredis read one reply, and see that nothing is left over."""
    reader = hiredis.Reader()
    reader.feed(data)
    value = reader.gets()
    assert not reader.has_data()
    return value


def meant(value: object, resp3: bool) -> object:
    """Return what a client is to get for a reply."""
    if isinstance(value, Status):
        return value.text
    if isinstance(value, bytearray):
        return bytes(value)
    if value is NULL_ARRAY:
        return None
    if isinstance(value, bool):
        return value if resp3 else int(value)
    if isinstance(value, float):
        return value if resp3 else format_double(value)
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, BigNumber):
        # hiredis leaves it to its user to make an integer of a big number's digits.
        return b"%d" % value.value
    if isinstance(value, list):
        return [meant(item, resp3) for item in value]
    if isinstance(value, SetOf):
        return [meant(item, resp3) for item in value.items]
    if isinstance(value, Pairs):
        items = [meant(item, resp3) for item in value.items]
        return dict(zip(items[::2], items[1::2], strict=True)) if resp3 else items
    return value


@given(value=REPLIES, resp3=st.booleans())
def test_a_client_reads_what_was_meant(value: object, resp3: bool) -> None:
    assert read(wire(value, resp3)) == meant(value, resp3)


@pytest.mark.parametrize("number", [0, 1, 9, 10, 1023, 1024, -1, -1024, 2**63 - 1, -(2**63)])
def test_integers_at_the_edges_of_what_is_prepared(number: int) -> None:
    assert wire(number, False) == b":%d\r\n" % number


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025])
def test_headers_at_the_edges_of_what_is_prepared(size: int) -> None:
    assert wire(b"x" * size, False) == b"$%d\r\n" % size + b"x" * size + b"\r\n"
    assert wire([None] * size, True) == b"*%d\r\n" % size + b"_\r\n" * size


@pytest.mark.parametrize(
    ("value", "resp2", "resp3"),
    [
        (None, b"$-1\r\n", b"_\r\n"),
        (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
        (True, b":1\r\n", b"#t\r\n"),
        (False, b":0\r\n", b"#f\r\n"),
        (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
        (math.inf, b"$3\r\ninf\r\n", b",inf\r\n"),
        (-math.inf, b"$4\r\n-inf\r\n", b",-inf\r\n"),
        (math.nan, b"$3\r\nnan\r\n", b",nan\r\n"),
        (3.0, b"$1\r\n3\r\n", b",3\r\n"),
        (BigNumber(2**64), b"$20\r\n18446744073709551616\r\n", b"(18446744073709551616\r\n"),
        (Verbatim(b"mkd", b"*a*"), b"$3\r\n*a*\r\n", b"=7\r\nmkd:*a*\r\n"),
        (Pairs([b"a", 1]), b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n:1\r\n"),
        (Pairs([]), b"*0\r\n", b"%0\r\n"),
        (PairedMap([b"a", 1]), b"*1\r\n*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n:1\r\n"),
        (PairedMap([]), b"*0\r\n", b"%0\r\n"),
        (PairList([b"a", 1]), b"*2\r\n$1\r\na\r\n:1\r\n", b"*1\r\n*2\r\n$1\r\na\r\n:1\r\n"),
        (PairList([]), b"*0\r\n", b"*0\r\n"),
        (SetOf([b"a"]), b"*1\r\n$1\r\na\r\n", b"~1\r\n$1\r\na\r\n"),
        (Push([b"a", 1]), b"*2\r\n$1\r\na\r\n:1\r\n", b">2\r\n$1\r\na\r\n:1\r\n"),
        (Attributed([b"k", 1], b"v"), b"$1\r\nv\r\n", b"|1\r\n$1\r\nk\r\n:1\r\n$1\r\nv\r\n"),
        ([ErrorReply(b"ERR no"), OK], b"*2\r\n-ERR no\r\n+OK\r\n", b"*2\r\n-ERR no\r\n+OK\r\n"),
        (NO_REPLY, b"", b""),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else type(value).__name__,
)
def test_every_kind_of_reply_has_its_bytes_in_both_protocols(value: object, resp2: bytes, resp3: bytes) -> None:
    assert wire(value, False) == resp2
    assert wire(value, True) == resp3


@given(text=st.binary(max_size=60), inside=st.booleans())
def test_an_error_stays_one_line_whatever_is_quoted_in_it(text: bytes, inside: bool) -> None:
    out = Output()
    if inside:
        encode(out, ErrorReply(b"ERR " + text), False)
    else:
        encode_error(out, b"ERR " + text)
    data = out.take()
    assert data.endswith(b"\r\n")
    assert not {13, 10} & set(data[:-2])


def test_a_value_that_changes_after_it_was_encoded_is_sent_as_it_was() -> None:
    value = bytearray(b"before")
    out = Output()
    encode(out, value, False)
    value[:] = b"after!"
    assert out.take() == b"$6\r\nbefore\r\n"


def test_what_is_no_reply_is_a_fault() -> None:
    with pytest.raises(TypeError, match="not a reply: object"):
        wire(object(), False)


@given(argv=st.lists(st.binary(max_size=30), min_size=1, max_size=8))
def test_a_request_is_an_array_of_bulk_strings(argv: list[bytes]) -> None:
    out = Output()
    encode_request(out, argv)
    assert read(out.take()) == argv


@pytest.mark.parametrize("resp3", [False, True])
def test_rows_are_an_array_of_bulk_strings(resp3: bool) -> None:
    out = Output()
    encode(out, Rows([Row(b"-ab-cd-", 1, 3, 2, 2), Row(b"efg", 0, 3, 3, 1)]), resp3)
    assert out.take() == b"*3\r\n$2\r\nab\r\n$2\r\ncd\r\n$3\r\nefg\r\n"
