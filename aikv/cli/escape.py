"""Bytes as text on one line, without loss: what keys and values look like in listings, JSON and CSV.

Theory of operation: printable UTF-8 stands as it is. Every other byte, be it a control character or not UTF-8 at all,
becomes `\\xHH`, and a backslash becomes two, so that the way back is unambiguous: whatever has no backslash is itself.
"""

import re

_ESCAPED = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")


def escape(raw: bytes) -> str:
    """`raw` as printable text."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        # A byte that is not UTF-8 becomes a lone surrogate for the moment.
        text = raw.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join([_shown(letter) for letter in text])


def unescape(text: str) -> bytes:
    """The bytes that `escape` made `text` of."""
    return _ESCAPED.sub(_byte, text.encode())


def _shown(letter: str) -> str:
    if letter == "\\":
        return "\\\\"
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))


def _byte(found: re.Match[bytes]) -> bytes:
    return b"\\" if found[1] is None else bytes((int(found[1], 16),))
