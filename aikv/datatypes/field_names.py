"""Names of fields that large hashes have in common.

Theory of operation: many hashes often have the same fields, as rows of one kind do. So names that were seen lately are
kept, a bounded number of them, and hashes that use an equal one share that object.
"""

from typing import Final

MAX_NAMES: Final = 4096
_MAX_NAME_BYTES: Final = 32
_NAMES: Final[dict[bytes, bytes]] = {}


def shared(field: bytes) -> bytes:
    """`field`, or an equal object that other hashes have."""
    if len(field) > _MAX_NAME_BYTES:
        return field
    known = _NAMES.get(field)
    if known is not None:
        return known
    if len(_NAMES) >= MAX_NAMES:
        # The names of the hashes in use soon come back.
        _NAMES.clear()
    _NAMES[field] = field
    return field
