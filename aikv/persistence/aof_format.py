"""What an append-only file consists of: commands as RESP arrays of bulk strings, and annotation lines.

    *3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nk\\r\\n$1\\r\\nv\\r\\n    a command
    #TS:1700000000\\r\\n                               an annotation, skipped by loading: the unix second

There is exactly one way to write a given command, which is why its length in the file follows from its
arguments. Format: Redis's AOF of version 7.0.
"""

from typing import Final

# Longest annotation line that Redis reads, its newline included.
ANNOTATION_MAX: Final = 1024
TIMESTAMP: Final = b"#TS:"


def encode_command(argv: list[bytes]) -> bytes:
    """The bytes of one command in the file."""
    parts = [b"*%d\r\n" % len(argv)]
    for arg in argv:
        parts.append(b"$%d\r\n" % len(arg))
        parts.append(arg)
        parts.append(b"\r\n")
    return b"".join(parts)


def encoded_length(argv: list[bytes]) -> int:
    """How many bytes `encode_command` makes of `argv`."""
    length = 3 + len(str(len(argv)))
    for arg in argv:
        size = len(arg)
        length += 5 + len(str(size)) + size
    return length


def timestamp_annotation(unix_s: int) -> bytes:
    """The line that dates what follows it: `unix_s` in seconds since 1970."""
    return b"#TS:%d\r\n" % unix_s
