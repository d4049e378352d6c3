"""The request parser: whatever the pieces in which bytes arrive, the same commands and the same error come out."""

import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aikv.resp.encoder import encode_request
from aikv.resp.output import Output
from aikv.resp.parser import MAX_ARGUMENTS, RequestParser

ARGVS = st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=6), max_size=8)
# Bytes of which requests are made come often, so that noise gets beyond the first byte.
NOISE = st.lists(
    st.one_of(
        st.sampled_from([b"*", b"$", b"\r\n", b"\r", b"\n", b"-", b"0", b"1", b"3", b"12", b"\0", b"'", b'"', b"PING"]),
        st.binary(max_size=8),
    ),
    max_size=40,
).map(b"".join)

WELL_FORMED = [
    b"*1\r\n$4\r\nPING\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n",
    b"PING\r\nPING again\n  \r\n\r\nSET a 'b c'\r\n",
    b"*-5\r\n*0\r\n*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\nPING\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
    b"*2\r\n$4\r\nECHO\r\n$6\r\n\0\r\n$1\r\r\n*1\r\n$1\r\n*\r\n",
    b'"quo\\x41ted" plain\r\n*1\r\n$1\r\nx\r\ninline\r\n',
]
MALFORMED = [
    b"*x\r\n",
    b"*01\r\n",
    b"*+1\r\n",
    b"* 1\r\n",
    b"*1048577\r\n",
    b"*99999999999999999999\r\n",
    b"*-99999999999999999999\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n:1\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n$01\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$99999999999999999999\r\n",
    b"*2\r\n$3\r\nGET\r\n\r\n",
    b"SET a 'b\r\n",
    b'SET a "b"c\r\n',
    b"*",
    b"*1\r\n$",
    b"*1\0x\r\n$4\r\nPING\r\n",
]
INPUTS = WELL_FORMED + MALFORMED + [b"*1\r\n$4\r\nPING\r\n" + bad for bad in MALFORMED]


def parse(chunks: list[bytes], authenticated: bool = True) -> tuple[list[list[bytes]], bytes | None]:
    """Feed `chunks` to a new parser; returns the commands and the error."""
    parser = RequestParser(authenticated=authenticated)
    commands: list[list[bytes]] = []
    for chunk in chunks:
        commands += parser.feed(chunk)
        # A client that has yet to authenticate gets one command at a time.
        while not authenticated and (more := parser.feed(b"")):
            commands += more
    return commands, parser.error


def encoded(argvs: list[list[bytes]]) -> bytes:
    """Return the requests back to back."""
    out = Output()
    for argv in argvs:
        encode_request(out, argv)
    return out.take()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut `data` at the places that lie inside it."""
    inside = sorted({place % (len(data) + 1) for place in places})
    bounds = [0, *inside, len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


@pytest.mark.parametrize("authenticated", [True, False])
@pytest.mark.parametrize("data", INPUTS, ids=lambda data: repr(data[:40]))
def test_cut_at_any_byte_the_same_comes_out(data: bytes, authenticated: bool) -> None:
    whole = parse([data], authenticated)
    for place in range(len(data) + 1):
        assert parse([data[:place], data[place:]], authenticated) == whole, place
    assert parse([bytes([byte]) for byte in data], authenticated) == whole


@pytest.mark.parametrize(
    ("data", "commands"),
    list(
        zip(
            WELL_FORMED,
            [
                [[b"PING"]],
                [[b"SET", b"a", b""]],
                [[b"PING"], [b"PING", b"again"], [b"SET", b"a", b"b c"]],
                [[b"GET", b"\r\n"], [b"PING"]],
                [[b"PING"], [b"PING"]],
                [[b"ECHO", b"\0\r\n$1\r"], [b"*"]],
                [[b"quoAted", b"plain"], [b"x"], [b"inline"]],
            ],
            strict=True,
        )
    ),
    ids=lambda value: repr(value)[:40],
)
def test_what_is_well_formed_is_read(data: bytes, commands: list[list[bytes]]) -> None:
    assert parse([data]) == (commands, None)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"*x\r\n", b"ERR Protocol error: invalid multibulk length"),
        (b"*1048577\r\n", b"ERR Protocol error: invalid multibulk length"),
        (b"*1\r\n$-1\r\n", b"ERR Protocol error: invalid bulk length"),
        (b"*1\r\n$536870913\r\n", b"ERR Protocol error: invalid bulk length"),
        (b"*1\r\n:1\r\n", b"ERR Protocol error: expected '$', got ':'"),
        (b"*1\r\n\r\n\r\n", b"ERR Protocol error: expected '$', got ' '"),
        (b"GET 'a\r\n", b"ERR Protocol error: unbalanced quotes in request"),
        (b"x" * 65537, b"ERR Protocol error: too big inline request"),
        (b"*" + b"1" * 65537, b"ERR Protocol error: too big mbulk count string"),
        (b"*1\r\n$" + b"1" * 65537, b"ERR Protocol error: too big bulk count string"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_is_no_request_has_an_error_and_nothing_is_parsed_after_it(data: bytes, error: bytes) -> None:
    parser = RequestParser()
    assert parser.feed(b"*1\r\n$4\r\nPING\r\n" + data) == [[b"PING"]]
    # A text of one piece, because lines that are too long are noticed before they end.
    if parser.error is None:
        parser.feed(b"")
    assert parser.error == error
    assert parser.feed(b"*1\r\n$4\r\nPING\r\n") == []


def test_a_client_that_has_not_authenticated_may_not_send_much() -> None:
    for data, error in [
        (b"*11\r\n", b"ERR Protocol error: unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", b"ERR Protocol error: unauthenticated bulk length"),
    ]:
        assert parse([data], authenticated=False) == ([], error)
        assert parse([data]) == ([], None)
    fits = encoded([[b"x" * 16384] * 10])
    assert parse([fits], authenticated=False) == ([[b"x" * 16384] * 10], None)


def test_before_authentication_commands_come_one_at_a_time_and_the_limits_end_with_any_of_them() -> None:
    parser = RequestParser(authenticated=False)
    big = [b"x"] * 11
    assert parser.feed(encoded([[b"AUTH", b"x"], big, [b"PING"]])) == [[b"AUTH", b"x"]]
    parser.authenticated = True
    assert parser.feed(b"") == [big, [b"PING"]]


def test_a_header_that_promises_much_takes_no_memory() -> None:
    parser = RequestParser()
    assert parser.feed(b"*%d\r\n$536870912\r\nabc" % MAX_ARGUMENTS) == []
    assert parser.error is None
    assert parser.buffered() == 3


def test_a_large_argument_in_small_pieces_is_gathered_whole() -> None:
    value = random.Random(1).randbytes(300_000)
    data = encoded([[b"SET", b"k", value], [b"PING"]])
    chunks = [data[start : start + 97] for start in range(0, len(data), 97)]
    assert parse(chunks) == ([[b"SET", b"k", value], [b"PING"]], None)


@given(argvs=ARGVS, places=st.lists(st.integers(0, 2000), max_size=12))
@example(argvs=[[b""], [b"\r\n", b"$1\r\n"]], places=[5, 6, 7])
def test_what_is_encoded_is_parsed_again_however_it_is_cut(argvs: list[list[bytes]], places: list[int]) -> None:
    assert parse(cut(encoded(argvs), places)) == (argvs, None)


@given(data=NOISE, places=st.lists(st.integers(0, 400), max_size=6), authenticated=st.booleans())
def test_noise_never_raises_and_cuts_make_no_difference(data: bytes, places: list[int], authenticated: bool) -> None:
    assert parse(cut(data, places), authenticated) == parse([data], authenticated)


@given(argvs=ARGVS.filter(bool), at=st.integers(0, 2000), byte=st.integers(0, 255))
def test_one_changed_byte_never_raises(argvs: list[list[bytes]], at: int, byte: int) -> None:
    data = bytearray(encoded(argvs))
    data[at % len(data)] = byte
    commands, _ = parse([bytes(data)])
    assert all(type(argument) is bytes for argv in commands for argument in argv)


@pytest.mark.slow
def test_a_hundred_thousand_pieces_of_noise_never_raise() -> None:
    source = random.Random(20_24)
    pieces = [b"*", b"$", b"\r\n", b"\n", b"1", b"2", b"9", b"-", b"\0", b"'", b'"', b"\\", b" ", b"PING", b"\xff"]
    for _ in range(100_000):
        data = b"".join(source.choice(pieces) for _ in range(source.randrange(1, 30)))
        place = source.randrange(len(data))
        assert parse([data[:place], data[place:]]) == parse([data]), data
