"""Ziplists for tests: what versions of Redis before 7 wrote."""


def ziplist_of(texts: list[bytes]) -> bytes:
    """Return the ziplist of `texts`, each below 16384 bytes, and a 16-bit number as such."""
    body = b""
    previous = last = 0
    for text in texts:
        last = len(body)
        before = bytes((previous,)) if previous < 254 else b"\xfe" + previous.to_bytes(4, "little")
        entry = before + _encoded(text)
        body += entry
        previous = len(entry)
    size = 11 + len(body)
    return b"".join(
        (
            size.to_bytes(4, "little"),
            (10 + last).to_bytes(4, "little"),
            len(texts).to_bytes(2, "little"),
            body,
            b"\xff",
        )
    )


def _encoded(text: bytes) -> bytes:
    if text.isdigit() and text[:1] != b"0" and 12 < int(text) < 0x8000:
        return b"\xc0" + int(text).to_bytes(2, "little")
    if len(text) < 64:
        return bytes((len(text),)) + text
    return (0x4000 | len(text)).to_bytes(2, "big") + text
