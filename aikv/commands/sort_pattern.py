"""What SORT's BY and GET name: for each element another value.

Theory of operation: a pattern with a `*` becomes the name of a key once an element has taken the star's place; with
`->field` behind the star it means that field of the hash there. `#` is the element itself, and a pattern with neither
names nothing. A key that is not there, or holds a value of another type, gives nothing, without an error.

Redis reads patterns as C strings: behind a NUL byte neither star nor arrow is seen, though what stands there belongs to
the name.
"""

from typing import Final

from aikv.datatypes.hashes import Hash
from aikv.engine.context import Context, string_bytes

_ARROW: Final = b"->"


class Pattern:
    """A pattern of BY or GET. `is_constant`: there is no star, so that every element would give the same."""

    def __init__(self, text: bytes) -> None:
        seen = text.partition(b"\0")[0]
        star = seen.find(b"*")
        self.is_constant: Final = star < 0
        self._is_element: Final = seen == b"#"
        arrow = seen.find(_ARROW, star + 1)
        # An arrow that points to nothing is a part of the name.
        dereferences = arrow >= 0 and arrow + len(_ARROW) < len(seen)
        self._before: Final = text[:star]
        self._behind: Final = text[star + 1 : arrow] if dereferences else text[star + 1 :]
        self._field: Final[bytes | None] = text[arrow + len(_ARROW) :] if dereferences else None

    def value(self, ctx: Context, element: bytes) -> bytes | None:
        """What the pattern means for `element`; None where that is nothing."""
        if self._is_element:
            return element
        if self.is_constant:
            return None
        found = ctx.lookup(self._before + element + self._behind)
        if self._field is not None:
            return found.get(self._field) if isinstance(found, Hash) else None
        return string_bytes(found) if isinstance(found, (bytes, int, bytearray)) else None
