"""Replies: Python values in, RESP2 or RESP3 bytes out.

Theory of operation: `encode` appends the pieces of one reply to a client's output list; the list is joined once per
socket write, so a large value is copied once and a small one costs three list appends. Headers of common lengths and
integers are made at import, because formatting one costs more than the rest of the reply. Nesting is bounded by what
handlers build, never by input.

`encode_request` is the same encoding for a command: it writes the AOF and the replication stream.
"""

from typing import Final

from aikv.base.numbers import format_double
from aikv.resp.reply import (
    Attributed,
    BigNumber,
    Decimal,
    ErrorReply,
    NoReply,
    NullArray,
    PairList,
    Pairs,
    Push,
    SetOf,
    Status,
    Verbatim,
)

CRLF: Final = b"\r\n"
NULL_BULK: Final = b"$-1\r\n"
NULL_ARRAY_WIRE: Final = b"*-1\r\n"
NULL_RESP3: Final = b"_\r\n"

_KNOWN: Final = 1024
_BULK_HEADERS: Final[list[bytes]] = [b"$%d\r\n" % n for n in range(_KNOWN)]
_ARRAY_HEADERS: Final[list[bytes]] = [b"*%d\r\n" % n for n in range(_KNOWN)]
_INTEGERS: Final[list[bytes]] = [b":%d\r\n" % n for n in range(_KNOWN)]

_I64_MIN: Final = -(1 << 63)
_I64_MAX: Final = (1 << 63) - 1


def bulk_header(size: int) -> bytes:
    """`$size` CR LF."""
    if size < _KNOWN:
        return _BULK_HEADERS[size]
    return b"$%d\r\n" % size


def array_header(count: int) -> bytes:
    """`*count` CR LF."""
    if count < _KNOWN:
        return _ARRAY_HEADERS[count]
    return b"*%d\r\n" % count


def encode(out: list[bytes], value: object, resp3: bool) -> None:
    """Append the encoding of one reply to `out`.

    `value` is anything that `resp.reply` names; `resp3` is whether the client chose protocol 3 by HELLO.
    Raises TypeError for a value that is no reply, which is a fault of the handler.
    """
    if type(value) is bytes:
        out.append(bulk_header(len(value)))
        out.append(value)
        out.append(CRLF)
    elif isinstance(value, Status):
        out.append(value.wire)
    elif value is None:
        out.append(NULL_RESP3 if resp3 else NULL_BULK)
    elif isinstance(value, bool):
        out.append((b"#t\r\n" if value else b"#f\r\n") if resp3 else (b":1\r\n" if value else b":0\r\n"))
    elif isinstance(value, int):
        encode_integer(out, value)
    elif isinstance(value, list):
        out.append(array_header(len(value)))
        for item in value:
            encode(out, item, resp3)
    else:
        _encode_rare(out, value, resp3)


def encode_integer(out: list[bytes], value: int) -> None:
    """Append `:value` CR LF."""
    if 0 <= value < _KNOWN:
        out.append(_INTEGERS[value])
    else:
        out.append(b":%d\r\n" % value)


def _encode_rare(out: list[bytes], value: object, resp3: bool) -> None:
    if isinstance(value, bytearray):
        out.append(bulk_header(len(value)))
        # A copy, because the value may be changed before the output is sent.
        out.append(bytes(value))
        out.append(CRLF)
    elif isinstance(value, Pairs):
        _encode_items(out, b"%", value.items, resp3)
    elif isinstance(value, SetOf):
        _encode_items(out, b"~", value.items, resp3)
    elif isinstance(value, float):
        _encode_double(out, value, resp3)
    elif isinstance(value, PairList):
        _encode_pair_list(out, value.items, resp3)
    elif isinstance(value, NullArray):
        out.append(NULL_RESP3 if resp3 else NULL_ARRAY_WIRE)
    elif isinstance(value, ErrorReply):
        encode_error(out, value.text)
    elif isinstance(value, Push):
        _encode_items(out, b">", value.items, resp3)
    elif isinstance(value, Verbatim):
        if resp3:
            out.append(b"=%d\r\n%b:" % (len(value.text) + 4, value.kind))
            out.append(value.text)
            out.append(CRLF)
        else:
            encode(out, value.text, False)
    elif isinstance(value, BigNumber):
        digits = b"%d" % value.value
        if resp3:
            out.append(b"(" + digits + CRLF)
        else:
            encode(out, digits, False)
    elif isinstance(value, Decimal):
        if resp3:
            out.append(b"," + value.text + CRLF)
        else:
            encode(out, value.text, False)
    elif isinstance(value, Attributed):
        if resp3:
            _encode_items(out, b"|", value.items, True)
        encode(out, value.value, resp3)
    elif isinstance(value, NoReply):
        return
    else:
        raise TypeError(f"not a reply: {type(value).__name__}")


def _encode_items(out: list[bytes], kind: bytes, items: list[object], resp3: bool) -> None:
    """An aggregate under its RESP3 type byte, or as an array for RESP2."""
    count = len(items)
    if not resp3:
        out.append(array_header(count))
    else:
        # Maps and attributes count pairs.
        out.append(b"%b%d\r\n" % (kind, count // 2 if kind in (b"%", b"|") else count))
    for item in items:
        encode(out, item, resp3)


def _encode_pair_list(out: list[bytes], items: list[object], resp3: bool) -> None:
    count = len(items)
    out.append(array_header(count // 2 if resp3 else count))
    for index in range(0, count, 2):
        if resp3:
            out.append(array_header(2))
        encode(out, items[index], resp3)
        encode(out, items[index + 1], resp3)


def _encode_double(out: list[bytes], value: float, resp3: bool) -> None:
    text = format_double(value)
    if resp3:
        out.append(b"," + text + CRLF)
    else:
        encode(out, text, False)


def encode_error(out: list[bytes], text: bytes) -> None:
    """Append an error reply; `text` as in `CommandError`. CR and LF inside become spaces, so the line stays one."""
    if b"\r" in text or b"\n" in text:
        text = text.replace(b"\r", b" ").replace(b"\n", b" ")
    out.append(b"-" + text + CRLF)


def encode_request(out: list[bytes], argv: list[bytes]) -> None:
    """Append a command as a RESP array of bulk strings."""
    out.append(array_header(len(argv)))
    for argument in argv:
        out.append(bulk_header(len(argument)))
        out.append(argument)
        out.append(CRLF)
