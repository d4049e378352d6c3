"""Quoted arguments: what an inline command splits into, and printed bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.quote import repr_bytes, split_args
from oracle.process import ServerProcess

lines = st.text("ab\\\"' \t\v\fxn4z\r", max_size=14).map(str.encode)


@given(st.lists(lines, min_size=1, max_size=20))
def test_lines_split_as_inline_commands_do(oracle: ServerProcess, many: list[bytes]) -> None:
    for line in many:
        with oracle.connect() as connection:
            connection.command("DEL", "words")
            # A closing x: Redis cuts a carriage return at the end of the line off before it splits.
            connection.send_raw(b"RPUSH words " + line + b" x\r\n")
            reply = connection.read_reply()
            words = split_args(line + b" x")
            if words is None:
                assert reply == b"-ERR Protocol error: unbalanced quotes in request\r\n", line
            else:
                assert reply == b":%d\r\n" % len(words), line
                expected = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
                assert connection.command("LRANGE", "words", "0", "-1") == b"*%d\r\n%b" % (len(words), expected)


@given(st.lists(st.binary()))
def test_printed_arguments_are_read_back(words: list[bytes]) -> None:
    assert split_args(b" ".join(repr_bytes(word) for word in words)) == words


def test_bytes_are_printed_as_redis_prints_them(oracle: ServerProcess) -> None:
    with oracle.connect() as monitor, oracle.connect() as client:
        monitor.command("MONITOR")
        client.command("ECHO", bytes(range(256)))
        line = monitor.read_reply()
    assert line.endswith(b'"ECHO" ' + repr_bytes(bytes(range(256))) + b"\r\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", []),
        (b" \t ", []),
        (b"set a  b", [b"set", b"a", b"b"]),
        (b'a "b c"', [b"a", b"b c"]),
        (rb'"\x41\n\"\q"', [b'A\n"q']),
        (rb"'\x41 \' \n'", [rb"\x41 ' \n"]),
        (b'""', [b""]),
        (b'a"b"', [b"ab"]),
        (b'"\\x4"', [b"x4"]),
        (b"a\x00b", [b"a"]),
    ],
)
def test_quotes_and_escapes(line: bytes, words: list[bytes]) -> None:
    assert split_args(line) == words


@pytest.mark.parametrize("line", [b'"', b"'", b'"a', b'"a"b', b"'a'b", b'"\\"', b'"a\x00"', b"a 'b"])
def test_a_quote_that_is_not_closed_before_a_blank_is_refused(line: bytes) -> None:
    assert split_args(line) is None
