"""What clients may call themselves and their libraries.

Theory of operation: such names stand in the lines of CLIENT LIST, between blanks, so they may hold printable ASCII
without blanks only.
"""

from aikv.base.errors import CommandError


def checked_name(name: bytes) -> bytes:
    """A connection's name, as it is; raises CommandError for one that would spoil CLIENT LIST."""
    if not is_plain(name):
        raise CommandError(b"ERR Client names cannot contain spaces, newlines or special characters.")
    return name


def is_plain(text: bytes) -> bool:
    """Whether `text` is printable ASCII without blanks; empty is."""
    return all(33 <= byte <= 126 for byte in text)
