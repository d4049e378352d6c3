"""One script: its text, its name, and what its first line says of it.

Theory of operation: a script may begin with a line such as `#!lua flags=no-writes,allow-oom`; one without is run by the
rules of before there was such a line (`compatible`). The line is cut off but for its end, so that the numbers of the
lines stay. Source: https://redis.io/docs/latest/develop/interact/programmability/lua-api/ (script flags)
"""

import hashlib
from typing import Any, Final

from aikv.base.errors import CommandError
from aikv.base.quote import split_args

NO_WRITES: Final = 1
ALLOW_OOM: Final = 2
ALLOW_STALE: Final = 4
NO_CLUSTER: Final = 8
ALLOW_CROSS_SLOT: Final = 16

_FLAGS: Final[dict[bytes, int]] = {
    b"no-writes": NO_WRITES,
    b"allow-oom": ALLOW_OOM,
    b"allow-stale": ALLOW_STALE,
    b"no-cluster": NO_CLUSTER,
    b"allow-cross-slot-keys": ALLOW_CROSS_SLOT,
}


class Script:
    """A script that has been compiled; `function` is Lua's."""

    def __init__(self, text: bytes, function: Any, flags: int, compatible: bool) -> None:
        self.text: Final = text
        self.sha: Final = sha1_hex(text)
        self.function: Any = function
        self.flags: Final = flags
        self.compatible: Final = compatible


def sha1_hex(text: bytes) -> bytes:
    """The name of the script `text`: its SHA-1 digest in hexadecimal."""
    # No secret is kept by it: it only names.
    return hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()


def split_shebang(text: bytes) -> tuple[bytes, int, bool]:
    """The part of `text` that is Lua, its flags, and whether it has no first line of this kind.

    Raises CommandError for such a line that is wrong.
    """
    if not text.startswith(b"#!"):
        return text, 0, True
    end = text.find(b"\n")
    if end < 0:
        raise CommandError(b"ERR Invalid script shebang")
    words = split_args(text[:end])
    if words is None or not words:
        raise CommandError(b"ERR Invalid engine in script shebang")
    if words[0] != b"#!lua":
        raise CommandError(b"ERR Unexpected engine in script shebang: " + words[0])
    flags = 0
    for word in words[1:]:
        if not word.startswith(b"flags="):
            raise CommandError(b"ERR Unknown lua shebang option: " + word)
        names = word.removeprefix(b"flags=")
        for name in names.split(b",") if names else ():
            if name not in _FLAGS:
                raise CommandError(b"ERR Unexpected flag in script shebang: " + name)
            flags |= _FLAGS[name]
    return text[end:], flags, False
