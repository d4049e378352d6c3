"""Ids of stream entries: one integer each, and its text.

Theory of operation: an id is two unsigned 64-bit numbers, milliseconds and a sequence number, of which the first
counts more. Here it is one integer, `ms << 64 | seq`, so that ids compare, and their neighbours are found, by plain
arithmetic. Its text is `ms-seq`; a text without a sequence number means the first or the last id of that millisecond,
as who asks says.

What is a number is decided as Redis decides it: canonical 64-bit integers, and then whatever C's `strtoull` takes
besides, which is leading blanks and zeros, and signs.
"""

import re
from typing import Final

from aikv.base.numbers import parse_i64

ZERO: Final = 0
SEQUENCE_BITS: Final = 64
U64_MAX: Final = (1 << 64) - 1
LARGEST: Final = (1 << 128) - 1

_MAX_CHARS: Final = 127
_LOOSE: Final = re.compile(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)")


def id_text(number: int) -> bytes:
    """The text of id `number`."""
    return b"%d-%d" % (number >> SEQUENCE_BITS, number & U64_MAX)


def parse_id(text: bytes, missing: int) -> int | None:
    """The id that `text` gives in full, or by its milliseconds, `missing` being the sequence number then; or None."""
    if len(text) > _MAX_CHARS:
        return None
    text = _c_string(text)
    dash = text.find(b"-")
    ms = parse_u64(text if dash < 0 else text[:dash])
    if ms is None:
        return None
    seq: int | None = missing if dash < 0 else parse_u64(text[dash + 1 :])
    return None if seq is None else ms << SEQUENCE_BITS | seq


def parse_bound(text: bytes, missing: int) -> int | None:
    """As `parse_id`; `-` and `+` are the smallest id and the largest."""
    if text == b"-":
        return ZERO
    if text == b"+":
        return LARGEST
    return parse_id(text, missing)


def parse_partial(text: bytes) -> int | None:
    """The milliseconds of an id whose sequence number is to be chosen (`ms-*`), or None for any other text."""
    if len(text) > _MAX_CHARS:
        return None
    text = _c_string(text)
    dash = text.find(b"-")
    if dash < 0 or text[dash + 1 :] != b"*":
        return None
    return parse_u64(text[:dash])


def parse_u64(text: bytes) -> int | None:
    """The unsigned 64-bit number that `text` is to Redis (`string2ull`), or None."""
    number = parse_i64(text)
    if number is not None:
        return number if number >= 0 else None
    match = _LOOSE.fullmatch(text)
    if match is None:
        return None
    magnitude = int(match[2])
    if magnitude > U64_MAX:
        return None
    # C negates within 64 bits.
    return -magnitude & U64_MAX if match[1] == b"-" else magnitude


def _c_string(text: bytes) -> bytes:
    """What C sees of `text`: nothing behind a zero byte."""
    end = text.find(b"\0")
    return text if end < 0 else text[:end]
