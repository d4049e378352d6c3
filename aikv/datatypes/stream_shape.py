"""How many nodes Redis's radix tree has for the nodes of a stream: `radix-tree-nodes` of XINFO STREAM.

Theory of operation: Redis finds stream nodes by a radix tree over their ids of 16 bytes. There is none here, but its
size follows from the ids alone: a leaf for each id, a node wherever ids part, and one more on each way between those
that is longer than the byte by which it is chosen. Where ids part is the length of the prefix that neighbours have in
common, so one walk over the ids in order counts it all. Long streams are extrapolated from their last nodes.
"""

from typing import Final

from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_node import StreamNode

_KEY_BYTES: Final = 16
# Above the root.
_NOWHERE: Final = -1
_COUNTED: Final = 4096


def tree_nodes(stream: Stream) -> int:
    """The nodes that the radix tree of `stream` would have. O(nodes), but no more than some thousand."""
    total = len(stream.nodes)
    if total == 0:
        return 1
    if total <= _COUNTED:
        return _count(stream.nodes.some_from(0, total))
    last = stream.nodes.last()
    assert last is not None
    return _count(stream.nodes.some_back_from(last.id, _COUNTED)) * total // _COUNTED


def _count(nodes: list[StreamNode]) -> int:
    """The tree's nodes for ids that ascend or descend."""
    count = 0
    # Depths in bytes at which the ids so far part, on the way to the present one.
    path: list[int] = []
    before = _NOWHERE
    for index in range(len(nodes)):
        following = _NOWHERE
        if index + 1 < len(nodes):
            following = _common_bytes(nodes[index].id, nodes[index + 1].id)
        count += _with_way(max(before, following), _KEY_BYTES)
        while path and path[-1] > following:
            depth = path.pop()
            count += _with_way(max(path[-1] if path else _NOWHERE, following), depth)
        if following != _NOWHERE and (not path or path[-1] < following):
            path.append(following)
        before = following
    return count


def _with_way(parent: int, depth: int) -> int:
    """A node at `depth` whose parent parts at depth `parent`, and what lies between."""
    return 2 if depth - parent > 1 else 1


def _common_bytes(first: int, second: int) -> int:
    return _KEY_BYTES - ((first ^ second).bit_length() + 7) // 8
