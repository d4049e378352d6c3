"""Replies: Python values in, RESP2 or RESP3 bytes out.

Theory of operation: `encode` writes one reply to the `Output` of a client, which is sent once per turn of the event
loop. Nesting is bounded by what handlers build, never by input.

`encode_request` is the same encoding for a command: it writes the AOF and the replication stream.
"""

from typing import Final

from aikv.base.form import COMPILED
from aikv.base.numbers import format_double
from aikv.resp.output import Output
from aikv.resp.reply import (
    Attributed,
    BigNumber,
    Decimal,
    Digits,
    ErrorReply,
    NoReply,
    NullArray,
    PairedMap,
    PairList,
    Pairs,
    Push,
    Rows,
    SetOf,
    Status,
    Verbatim,
)

CRLF: Final = b"\r\n"
NULL_BULK: Final = b"$-1\r\n"
NULL_ARRAY_WIRE: Final = b"*-1\r\n"
NULL_RESP3: Final = b"_\r\n"

# An array of so many elements is tried as one of nothing but bulk strings.
_MANY: Final = 4

# The type bytes of RESP3's aggregates.
_MAP: Final = 0x25
_SET: Final = 0x7E
_PUSH: Final = 0x3E
_ATTRIBUTE: Final = 0x7C


def encode(out: Output, value: object, resp3: bool) -> None:
    """Append the encoding of one reply to `out`.

    `value` is anything that `resp.reply` names; `resp3` is whether the client chose protocol 3 by HELLO.
    Raises TypeError for a value that is no reply, which is a fault of the handler.
    """
    if type(value) is bytes:
        out.bulk(value)
    elif isinstance(value, Status):
        out.append(value.wire)
    elif value is None:
        out.append(NULL_RESP3 if resp3 else NULL_BULK)
    elif type(value) is int:
        out.integer(value)
    elif isinstance(value, list):
        out.array(len(value))
        # Interpreted, the loop takes twice as long.
        if not COMPILED and len(value) >= _MANY and out.bulks(value):
            return
        for item in value:
            if type(item) is bytes:
                out.bulk(item)
            else:
                encode(out, item, resp3)
    else:
        _encode_rare(out, value, resp3)


def encoded(value: object, resp3: bool) -> bytes:
    """The encoding of one reply by itself, for what is sent to many or later."""
    out = Output()
    encode(out, value, resp3)
    return out.take()


def _encode_rare(out: Output, value: object, resp3: bool) -> None:
    if isinstance(value, Rows):
        out.array(sum([row.count for row in value.rows]))
        for row in value.rows:
            out.append(row.framed(b"$%d\r\n", CRLF))
    elif isinstance(value, bool):
        out.append((b"#t\r\n" if value else b"#f\r\n") if resp3 else (b":1\r\n" if value else b":0\r\n"))
    elif isinstance(value, bytearray):
        # A copy, because the value may be changed before the output is sent.
        out.bulk(bytes(value))
    elif isinstance(value, Pairs):
        _encode_items(out, _MAP, value.items, resp3)
    elif isinstance(value, SetOf):
        _encode_items(out, _SET, value.items, resp3)
    elif isinstance(value, float):
        _encode_double(out, value, resp3)
    elif isinstance(value, PairList):
        _encode_pair_list(out, value.items, resp3)
    elif isinstance(value, PairedMap):
        if resp3:
            _encode_items(out, _MAP, value.items, True)
        else:
            _encode_pairs(out, value.items, False)
    elif isinstance(value, NullArray):
        out.append(NULL_RESP3 if resp3 else NULL_ARRAY_WIRE)
    elif isinstance(value, ErrorReply):
        encode_error(out, value.text)
    elif isinstance(value, Push):
        _encode_items(out, _PUSH, value.items, resp3)
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
    elif isinstance(value, Digits):
        if resp3:
            out.append(b"(" + value.text + CRLF)
        else:
            encode(out, value.text, False)
    elif isinstance(value, Decimal):
        if resp3:
            out.append(b"," + value.text + CRLF)
        else:
            encode(out, value.text, False)
    elif isinstance(value, Attributed):
        if resp3:
            _encode_items(out, _ATTRIBUTE, value.items, True)
        encode(out, value.value, resp3)
    elif isinstance(value, NoReply):
        return
    else:
        raise TypeError(f"not a reply: {type(value).__name__}")


def _encode_items(out: Output, kind: int, items: list[object], resp3: bool) -> None:
    """An aggregate under its RESP3 type byte, or as an array for RESP2."""
    count = len(items)
    if not resp3:
        out.array(count)
    else:
        # Maps and attributes count pairs.
        out.header(kind, count // 2 if kind in (_MAP, _ATTRIBUTE) else count)
    for item in items:
        encode(out, item, resp3)


def _encode_pair_list(out: Output, items: list[object], resp3: bool) -> None:
    if resp3:
        _encode_pairs(out, items, True)
    else:
        out.array(len(items))
        for item in items:
            encode(out, item, False)


def _encode_pairs(out: Output, items: list[object], resp3: bool) -> None:
    """An array of arrays of two."""
    count = len(items)
    out.array(count // 2)
    for index in range(0, count, 2):
        out.array(2)
        encode(out, items[index], resp3)
        encode(out, items[index + 1], resp3)


def _encode_double(out: Output, value: float, resp3: bool) -> None:
    text = format_double(value)
    if resp3:
        out.append(b"," + text + CRLF)
    else:
        encode(out, text, False)


def encode_error(out: Output, text: bytes) -> None:
    """Append an error reply; `text` as in `CommandError`. CR and LF inside become spaces, so the line stays one."""
    if b"\r" in text or b"\n" in text:
        text = text.replace(b"\r", b" ").replace(b"\n", b" ")
    out.append(b"-")
    out.append(text)
    out.append(CRLF)


def encode_request(out: Output, argv: list[bytes]) -> None:
    """Append a command as a RESP array of bulk strings."""
    out.array(len(argv))
    for argument in argv:
        out.bulk(argument)
