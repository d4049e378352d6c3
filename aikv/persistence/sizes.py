"""How large a key is: its elements, and an estimate of the memory that redis-server would hold it in.

Theory of operation: the memory of a value follows from its encoding and the lengths of what it holds, by the sizes of
Redis 7's structures on a 64-bit machine, each rounded up as jemalloc does: 16 bytes for the object, 24 for an entry of
a hash table and 8 for its bucket, 1 to 17 for the header of a string, and so on. It is what MEMORY USAGE with SAMPLES 0
counts, and the place in the tables of the database besides. Nothing here asks what the key costs in aikv.
"""

from collections.abc import Callable
from typing import Final, cast

from aikv.datatypes.hashes import Hash
from aikv.datatypes.lists import List
from aikv.datatypes.sets import Set
from aikv.datatypes.stream import Stream
from aikv.datatypes.zsets import SortedSet

_OBJECT: Final = 16
# An entry of a hash table with its bucket: 24 bytes in a class of 32, and a pointer.
_ENTRY: Final = 32 + 8
_DICT: Final = 56
_QUICKLIST: Final = 48
_QUICKLIST_NODE: Final = 32
# A node of a skip list: member, score, way back and, on average, one level and a third.
_SKIPLIST_NODE: Final = 48
_SKIPLIST: Final = 32 + 32 + 544
_STREAM: Final = 96
# An id in a radix tree with what it leads to.
_TREE_LEAF: Final = 64
_GROUP: Final = 160
_PENDING: Final = 32 + 2 * _TREE_LEAF
_EMBEDDED: Final = 44
_SMALL_CLASSES: Final = (8, 16, 32, 48, 64, 80, 96, 112, 128)
_PART: Final = 1024


def _allocated(size: int) -> int:
    """What jemalloc gives for `size` bytes: the next of its classes, of which there are four per doubling."""
    if size <= _SMALL_CLASSES[-1]:
        for fits in _SMALL_CLASSES:
            if size <= fits:
                return fits
    step: int = 1 << ((size - 1).bit_length() - 3)
    return (size + step - 1) // step * step


def _text(size: int) -> int:
    """A string of `size` bytes with its header and the zero behind it."""
    header = 1 if size < 32 else 3 if size < 256 else 5 if size < 65536 else 9
    return _allocated(size + header + 1)


def _string(value: object) -> int:
    if isinstance(value, int):
        return _OBJECT
    size = len(cast(bytes, value))
    return _allocated(_OBJECT + 3 + size + 1) if size <= _EMBEDDED else _OBJECT + _text(size)


def _list(value: object) -> int:
    packs = cast(List, value).packs()
    return _OBJECT + _QUICKLIST + sum([_QUICKLIST_NODE + _allocated(len(pack)) for pack in packs])


def _set(value: object) -> int:
    held = cast(Set, value)
    if held.table is None:
        return _OBJECT + _allocated(len(held.pack))
    return _OBJECT + _DICT + sum([_ENTRY + _text(len(member)) for member in held.members()])


def _hash(value: object) -> int:
    held = cast(Hash, value)
    times = 0 if held.times is None else len(held.times) * _ENTRY
    if held.table is None:
        return _OBJECT + _allocated(len(held.pack)) + times
    pairs = held.pairs()
    return _OBJECT + _DICT + len(held) * _ENTRY + sum([_text(len(text)) for text in pairs]) + times


def _sorted_set(value: object) -> int:
    held = cast(SortedSet, value)
    if held.ordered is None:
        return _OBJECT + _allocated(len(held.pack))
    members, _ = held.columns(0, len(held))
    each = _ENTRY + _SKIPLIST_NODE
    return _OBJECT + _DICT + _SKIPLIST + sum([each + _text(len(member)) for member in members])


def _stream(value: object) -> int:
    held = cast(Stream, value)
    total = _OBJECT + _STREAM
    start = 0
    while nodes := held.nodes.some_from(start, _PART):
        total += sum([_TREE_LEAF + _allocated(len(node.pack())) for node in nodes])
        start = nodes[-1].id + 1
    for name, group in held.ordered_groups():
        total += _GROUP + len(name) + len(group.pending) * _PENDING + len(group.consumers) * _GROUP
    return total


_MEMORY: Final[dict[type, Callable[[object], int]]] = {
    bytes: _string,
    int: _string,
    bytearray: _string,
    List: _list,
    Set: _set,
    Hash: _hash,
    SortedSet: _sorted_set,
}
_MEMORY[Stream] = _stream


def memory_of(key: bytes, value: object, expire_ms: int = -1) -> int:
    """About how many bytes of memory `key` takes in redis-server, its TTL included. O(n)."""
    place = _ENTRY + _text(len(key)) + (_ENTRY if expire_ms != -1 else 0)
    return place + _MEMORY[type(value)](value)


def elements_of(value: object) -> int:
    """How many elements, members, fields or entries `value` has; 1 for a string."""
    if isinstance(value, bytes | int | bytearray):
        return 1
    if isinstance(value, List | Set | Hash | SortedSet):
        return len(value)
    return len(cast(Stream, value))
