"""How SORT ALPHA compares texts: by the locale of the process, as C's `strcoll` does.

Theory of operation: a locale belongs to a whole process, so it is set once for all (`use_locale`). In the C locale,
and in C.UTF-8, texts are compared as bytes. Elsewhere each becomes a key (`strxfrm`) such that comparing two keys gives
what `strcoll` gives for the texts; they are read as UTF-8, as the locales of today are. A NUL ends a text, as in C.
"""

import locale
from typing import Final

_BYTEWISE: Final = ("C", "POSIX")


class _Collation:
    def __init__(self) -> None:
        self.bytewise = True


_CURRENT: Final = _Collation()


def use_locale(name: str) -> bool:
    """Compare by the locale called `name` from now on, the environment's where it is empty; False where there is none.

    Nothing changes then.
    """
    try:
        chosen = locale.setlocale(locale.LC_COLLATE, name)
    except locale.Error:
        return False
    _CURRENT.bytewise = chosen.partition(".")[0] in _BYTEWISE
    return True


def collation_key(text: bytes) -> bytes:
    """What stands for `text` in comparisons with the keys of other texts that were made in the same locale."""
    seen = text.partition(b"\0")[0]
    if _CURRENT.bytewise:
        return seen
    # UTF-8 keeps the order of the characters, and bytes need no further distinction from those above.
    return locale.strxfrm(seen.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")
