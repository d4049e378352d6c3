"""Taking a stream node apart that comes from a file or from a client.

Theory of operation: what is done with a node later trusts its counts and walks over its entries, so all is checked
once, entry by entry, while it is counted. The layout is told in `stream_node`.
"""

from typing import Final

from mypy_extensions import i64

from aikv.datatypes import listpack, listpack_check
from aikv.datatypes.listpack import FIRST
from aikv.datatypes.stream_id import SEQUENCE_BITS, U64_MAX
from aikv.datatypes.stream_node import DELETED, SAME_FIELDS, StreamNode

_NONE: Final = -1


def unpack(number: int, pack: bytes) -> StreamNode:
    """The node `number` whose listpack is `pack`, which is not trusted. O(bytes).

    Raises ValueError, with what is wrong, unless everything in it is as Redis writes it.
    """
    reader = _Reader(listpack_check.validated(pack))
    live = reader.count()
    dead = reader.count()
    width = reader.count()
    begin: i64 = reader.offset
    for _ in range(width):
        reader.skip()
    node = StreamNode(number, reader.pack[begin : reader.offset], width)
    if reader.integer() != 0:
        raise ValueError("a stream node whose master entry does not end in 0")
    begin = reader.offset
    reader.elements = 0
    before = _NONE
    while not reader.at_end():
        before = _check_entry(node, reader, before)
    if (reader.live, reader.dead) != (live, dead):
        raise ValueError(f"a stream node of {reader.live} and {reader.dead} entries that says {live} and {dead}")
    if before == _NONE:
        raise ValueError("a stream node without entries")
    node.fill(reader.pack[begin:-1], reader.elements, live, dead, before)
    return node


class _Reader:
    """Walks over a valid listpack; raises ValueError where something else is asked for than what stands there.

    `elements`, `live` and `dead` count what has been passed over.
    """

    def __init__(self, pack: bytes) -> None:
        self.pack: Final = pack
        self.offset: i64 = FIRST
        self.elements: i64 = 0
        self.live: i64 = 0
        self.dead: i64 = 0

    def at_end(self) -> bool:
        """Whether all has been read."""
        return self.offset == len(self.pack) - 1

    def skip(self) -> None:
        """Pass over one element."""
        if self.at_end():
            raise ValueError("a stream node that ends within an entry")
        self.offset += listpack.entry_size(self.pack, self.offset)
        self.elements += 1

    def integer(self) -> int:
        """One element that is an integer."""
        offset: i64 = self.offset
        self.skip()
        if not listpack.is_integer(self.pack, offset):
            raise ValueError("a stream node with a text in the place of a number")
        return listpack.integer_at(self.pack, offset)

    def count(self) -> i64:
        """One element that says how many; no more than the listpack has bytes."""
        number = self.integer()
        if not 0 <= number <= len(self.pack):
            raise ValueError(f"a stream node with a count of {number}")
        return number


def _check_entry(node: StreamNode, reader: _Reader, before: int) -> int:
    """Pass over one entry of `node` and count it; returns its id, which must be above `before`."""
    first: i64 = reader.elements
    flags = reader.integer()
    if not 0 <= flags <= DELETED | SAME_FIELDS:
        raise ValueError(f"a stream entry with flags {flags}")
    ms = (node.id >> SEQUENCE_BITS) + reader.integer() & U64_MAX
    seq = (node.id & U64_MAX) + reader.integer() & U64_MAX
    left: i64 = node.width if flags & SAME_FIELDS else 2 * reader.count()
    while left > 0:
        reader.skip()
        left -= 1
    taken: i64 = reader.elements - first
    if reader.integer() != taken:
        raise ValueError("a stream entry that does not say of how many elements it is")
    number = ms << SEQUENCE_BITS | seq
    if number <= before or number < node.id:
        raise ValueError("a stream entry whose id is not above the one before")
    if flags & DELETED:
        reader.dead += 1
    else:
        reader.live += 1
    return number
