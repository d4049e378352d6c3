"""Streams: entries that are appended and found by their ids, and the groups that consume them.

Theory of operation: entries stand in nodes of some thousand bytes (`stream_node`), and an `IdMap` finds the node of an
id, so that appending costs O(1) and any range O(log n) before its first entry. A node is closed once it has as many
bytes or entries as the limits say, which is where trimming with `~` cuts. A node without living entries is removed.

Besides its entries a stream remembers the last id it gave out, the id of its first entry, the largest id deleted on its
own, and how many entries were ever added. From these follows how far a group is behind (its lag) without counting, and
where it cannot follow, because there may be a gap between the group's last id and the end, the lag is unknown. Source:
t_stream.c of Redis 7.
"""

from typing import Final, cast

from mypy_extensions import i64

from aikv.datatypes import listpack
from aikv.datatypes.kinds import KINDS, Kind
from aikv.datatypes.limits import Limits
from aikv.datatypes.memory import allocated
from aikv.datatypes.stream_group import UNKNOWN, ConsumerGroup
from aikv.datatypes.stream_id import LARGEST, SEQUENCE_BITS, U64_MAX
from aikv.datatypes.stream_index import IdMap
from aikv.datatypes.stream_node import Entry, StreamNode

# No entry takes more, and no node grows beyond it whatever the limits say: Redis's own bound.
LARGEST_NODE: Final = 1 << 30
_ALL: Final = 1 << 62
_NO_ID: Final = LARGEST + 1


class Stream:
    """A stream. n is its number of entries."""

    def __init__(self) -> None:
        self.nodes: Final[IdMap[StreamNode]] = IdMap()
        self.length: i64 = 0
        self.last_id = 0
        self.first_id = 0
        self.max_deleted_id = 0
        self.entries_added = 0
        self.groups: Final[dict[bytes, ConsumerGroup]] = {}

    def __len__(self) -> int:
        return self.length

    def next_id(self, now_ms: int) -> int:
        """The id of an entry that is added at `now_ms`: above all others, even if the clock went back."""
        ms = self.last_id >> SEQUENCE_BITS
        return now_ms << SEQUENCE_BITS if now_ms > ms else self.last_id + 1

    def next_id_at(self, ms: int) -> int | None:
        """The smallest new id of millisecond `ms`, or None where that is past or full."""
        last_ms = self.last_id >> SEQUENCE_BITS
        if ms == last_ms:
            return None if self.last_id & U64_MAX == U64_MAX else self.last_id + 1
        return ms << SEQUENCE_BITS if ms > last_ms else None

    def append(self, number: int, texts: list[bytes], limits: Limits) -> None:
        """Add an entry; `number` is above `last_id`, and `texts` holds fields and values in turn. O(entry)."""
        names: list[bytes] = []
        values: list[bytes] = []
        total: i64 = 0
        for index in range(0, len(texts), 2):
            name = texts[index]
            value = texts[index + 1]
            names.append(listpack.encode_entry(name))
            values.append(listpack.encode_entry(value))
            total += len(name) + len(value)
        fields = b"".join(names)
        node = self.nodes.last()
        if node is None or _is_full(node, total, limits):
            if node is not None and node.fields == fields:
                # One object for all nodes, which mostly have the same fields.
                fields = node.fields
            node = StreamNode(number, fields, len(names))
            self.nodes.put(number, node)
        node.append(number, fields, len(names), names, values)
        self.length += 1
        self.entries_added += 1
        self.last_id = number
        if self.length == 1:
            self.first_id = number

    def has(self, number: int) -> bool:
        """Whether there is an entry `number`. O(log n + node)."""
        node = self.nodes.at_or_before(number)
        return node is not None and node.has(number)

    def has_after(self, number: int) -> bool:
        """Whether there is an entry with an id above `number`. O(1), but for deleted entries at the end."""
        return number < self.last_id and self.length > 0 and self.last_live() > number

    def last_live(self) -> int:
        """The id of the last entry; there is one. O(1), but for deleted entries after it."""
        return cast(StreamNode, self.nodes.last()).last_live()

    def range(self, start: int, end: int, count: i64 = _ALL) -> list[Entry]:
        """Up to `count` entries with ids from `start` to `end`, ascending. O(log n + node + entries)."""
        found: list[Entry] = []
        node = self.nodes.at_or_before(start)
        if node is None or node.last < start:
            node = self.nodes.at_or_after(start)
        while node is not None and node.id <= end and len(found) < count:
            node.collect(start, end, count - len(found), found)
            node = self.nodes.at_or_after(node.id + 1)
        return found

    def range_back(self, start: int, end: int, count: i64 = _ALL) -> list[Entry]:
        """Up to `count` entries with ids from `end` down to `start`, descending. O(log n + node + entries)."""
        found: list[Entry] = []
        node = self.nodes.at_or_before(end)
        while node is not None and node.last >= start and len(found) < count:
            node.collect_back(start, end, count - len(found), found)
            node = self.nodes.at_or_before(node.id - 1)
        return found

    def delete(self, number: int) -> bool:
        """Delete the entry `number`; whether it was there. O(log n + node)."""
        node = self.nodes.at_or_before(number)
        if node is None or not node.delete(number):
            return False
        if node.live == 0:
            self.nodes.pop(node.id)
        self.length -= 1
        self.max_deleted_id = max(self.max_deleted_id, number)
        if number == self.first_id or self.length == 0:
            self._find_first()
        return True

    def trim_length(self, most: int, approximate: bool, limit: int) -> int:
        """Remove the first entries until `most` are left; returns how many were removed. O(nodes removed + node).

        With `approximate` whole nodes only are removed. Before a node by which more than `limit` entries would be
        removed it stops; 0 is no limit.
        """
        removed: i64 = 0
        while self.length > most:
            node = cast(StreamNode, self.nodes.first())
            if limit and removed + node.live > limit:
                break
            if self.length - node.live >= most:
                removed += self._drop(node)
            elif approximate:
                break
            else:
                removed += self._cut(node, self.length - most, _NO_ID)
        if removed:
            self._find_first()
        return removed

    def trim_below(self, number: int, approximate: bool, limit: int) -> int:
        """Remove the entries with ids below `number`; returns how many. The rest is as for `trim_length`."""
        removed: i64 = 0
        node = self.nodes.first()
        while node is not None and node.id < number:
            if limit and removed + node.live > limit:
                break
            if node.last < number:
                removed += self._drop(node)
                node = self.nodes.first()
                continue
            if not approximate:
                removed += self._cut(node, _ALL, number)
            break
        if removed:
            self._find_first()
        return removed

    def set_last_id(self, number: int) -> None:
        """Let the next id be above `number`, which is not below that of any entry. O(1), but for deleted entries."""
        node = self.nodes.last()
        if node is not None and node.last > number:
            # Entries that were deleted may be above it, and ids in a node must ascend.
            node.cut_end()
        self.last_id = number

    def advance(self, group: ConsumerGroup, number: int) -> bool:
        """Let `group` have been given the entry `number`; False where it has been already. O(1)."""
        if number <= group.last_id:
            return False
        if group.entries_read != UNKNOWN and not self._gap_from(number):
            group.entries_read += 1
        elif self.entries_added:
            group.entries_read = self.position(number)
        group.last_id = number
        return True

    def lag(self, group: ConsumerGroup) -> int | None:
        """How many entries `group` has still to be given, or None where that is unknown. O(1)."""
        if not self.entries_added:
            return 0
        read = group.entries_read
        if read == UNKNOWN or self._gap_from(group.last_id):
            read = self.position(group.last_id)
        return None if read == UNKNOWN else self.entries_added - read

    def position(self, number: int) -> int:
        """How many entries were ever added up to id `number`, or UNKNOWN. O(1)."""
        if not self.entries_added:
            return 0
        if self.length == 0 and number <= self.last_id:
            return self.entries_added
        if number >= self.last_id:
            return self.entries_added if number == self.last_id else UNKNOWN
        if self.max_deleted_id == 0 or self.max_deleted_id < self.first_id:
            if number < self.first_id:
                return self.entries_added - self.length
            if number == self.first_id:
                return self.entries_added - self.length + 1
        return UNKNOWN

    def copy(self) -> "Stream":
        """An equal stream that shares nothing with this that can change. O(nodes + pending entries)."""
        copied = Stream()
        for node in self.nodes.some_from(0, len(self.nodes)):
            copied.nodes.put(node.id, node.copy())
        copied.length = self.length
        copied.last_id = self.last_id
        copied.first_id = self.first_id
        copied.max_deleted_id = self.max_deleted_id
        copied.entries_added = self.entries_added
        for name, group in self.groups.items():
            copied.groups[name] = group.copy()
        return copied

    def ordered_groups(self) -> list[tuple[bytes, ConsumerGroup]]:
        """The groups in the order of their names. O(n log n)."""
        return [(name, self.groups[name]) for name in sorted(self.groups)]

    def adopt(self, node: StreamNode) -> None:
        """Take a node that was read from a file; its id is above those of all others. O(1)."""
        self.nodes.put(node.id, node)
        self.length += node.live

    def find_first(self) -> int:
        """The id of the first entry, or 0 in an empty stream. O(deleted entries before it)."""
        node = self.nodes.first()
        return 0 if node is None else node.first_live()

    def first_node_id(self) -> int:
        """The id at which the first node begins: no entry is below it. O(1)."""
        node = self.nodes.first()
        return LARGEST if node is None else node.id

    def _find_first(self) -> None:
        self.first_id = self.find_first()

    def _gap_from(self, number: int) -> bool:
        """Whether an entry from id `number` on may have been deleted on its own."""
        if self.length == 0 or self.max_deleted_id == 0 or self.first_id > self.max_deleted_id:
            return False
        return number <= self.max_deleted_id

    def _drop(self, node: StreamNode) -> i64:
        """Remove the first node."""
        self.nodes.pop(node.id)
        self.length -= node.live
        return node.live

    def _cut(self, node: StreamNode, most: i64, below: int) -> i64:
        """Remove entries from the front of the first node."""
        removed: i64 = node.trim(most, below)
        self.length -= removed
        if node.live == 0:
            self.nodes.pop(node.id)
        return removed

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        self.nodes._check()
        nodes = self.nodes.some_from(0, len(self.nodes))
        before = -1
        for node in nodes:
            node._check()
            assert before < node.id <= node.last
            before = node.last
        assert before <= self.last_id
        assert self.length == sum(node.live for node in nodes)
        assert self.length <= self.entries_added
        assert self.first_id == self.find_first()
        assert self.length == len(self.range(0, LARGEST))
        for group in self.groups.values():
            group._check()


def _is_full(node: StreamNode, more: i64, limits: Limits) -> bool:
    """Whether an entry with `more` bytes of text is to go to a new node."""
    most: i64 = limits.stream_node_bytes
    if most == 0 or most > LARGEST_NODE:
        most = LARGEST_NODE
    if node.size() + more >= most:
        return True
    return limits.stream_node_entries > 0 and node.live + node.dead >= limits.stream_node_entries


class StreamKind(Kind):
    """Streams."""

    def __init__(self) -> None:
        super().__init__(b"stream")

    def encoding(self, value: object) -> bytes:  # noqa: ARG002
        return b"stream"

    def copy(self, value: object) -> object:
        return cast(Stream, value).copy()

    def memory(self, value: object, samples: int) -> int:
        held = cast(Stream, value)
        nodes = held.nodes
        looked_at = nodes.first_values(samples or nodes.used)
        bodies = sum(node.memory() for node in looked_at) * nodes.used // max(1, len(looked_at))
        groups = sum(allocated(name) + group.memory() for name, group in held.groups.items())
        return allocated(held) + nodes.memory() + bodies + allocated(held.groups) + groups


KINDS[Stream] = StreamKind()
