"""Values as plain Python: what the public interface takes and gives, and what tools print and compare.

Theory of operation: inside, a value is held in the compact form of its type (`aikv.datatypes`). `plain_of` turns that
into what anybody would write in Python, `stored_of` turns it back; each looks the type up in one table.

    string      bytes                        list        list of bytes
    set         set of bytes                 hash        dict of bytes to bytes, or `TimedHash`
    sorted set  `ZSet`, a dict of floats     stream      `StreamValue`

Everything is bytes, ids of stream entries included (b"1700000000000-0"). Times are unix milliseconds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from mypy_extensions import mypyc_attr

from aikv.base.errors import AikvError
from aikv.datatypes import sets, zsets
from aikv.datatypes.hashes import Hash
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.lists import List
from aikv.datatypes.sets import Set
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import NEVER, UNKNOWN, ConsumerGroup
from aikv.datatypes.stream_id import LARGEST, id_text, parse_id
from aikv.datatypes.zsets import SortedSet


class BadValue(AikvError):
    """A value that no data type can hold, such as text instead of bytes; the message says where and why."""


@mypyc_attr(native_class=False)
class ZSet(dict[bytes, float]):
    """A sorted set: members with their scores. As loaded, in the order of the scores and of equal ones' members."""


@mypyc_attr(native_class=False)
class TimedHash(dict[bytes, bytes]):
    """A hash some of whose fields run out: `expires_ms` maps those to unix milliseconds (HPEXPIRETIME)."""

    def __init__(self, fields: dict[bytes, bytes] | None = None, expires_ms: dict[bytes, int] | None = None) -> None:
        super().__init__(fields or {})
        self.expires_ms: dict[bytes, int] = expires_ms or {}

    def __eq__(self, other: object) -> bool:
        """Equal fields with equal times; a dict without times equals a hash without any."""
        times: object = getattr(other, "expires_ms", {})
        return dict.__eq__(self, other) is True and self.expires_ms == times

    # As of any dict: what can change cannot be a key.
    __hash__ = None


@mypyc_attr(native_class=False)
@dataclass
class PendingEntry:
    """An entry that a consumer has been given and has not acknowledged: delivered `deliveries` times, last at unix
    millisecond `delivered_ms`."""

    id: bytes
    delivered_ms: int
    deliveries: int = 1


@mypyc_attr(native_class=False)
@dataclass
class StreamConsumer:
    """A consumer: when it last asked for anything, when it last got something (-1 for never), and what it holds."""

    name: bytes
    seen_ms: int
    active_ms: int = NEVER
    pending: list[PendingEntry] = field(default_factory=list)


@mypyc_attr(native_class=False)
@dataclass
class StreamGroup:
    """A consumer group: the last id delivered, and how many entries there were up to it (-1 where that is unknown)."""

    name: bytes
    last_id: bytes
    entries_read: int = UNKNOWN
    consumers: list[StreamConsumer] = field(default_factory=list)


@mypyc_attr(native_class=False)
@dataclass
class StreamValue:
    """A stream. An entry is its id and its fields, as (name, value) pairs, since a name may stand more than once.

    `last_id` is the largest id that ever was, b"" for that of the last entry; `entries_added` counts all that were ever
    added, -1 for as many as there are.
    """

    entries: list[tuple[bytes, list[tuple[bytes, bytes]]]] = field(default_factory=list)
    last_id: bytes = b""
    max_deleted_id: bytes = b"0-0"
    entries_added: int = -1
    groups: list[StreamGroup] = field(default_factory=list)


Value = bytes | list[bytes] | set[bytes] | dict[bytes, bytes] | ZSet | StreamValue


def _plain_bytes(value: object) -> Value:
    return cast(bytes, value)


def _plain_int(value: object) -> Value:
    return b"%d" % cast(int, value)


def _plain_bytearray(value: object) -> Value:
    return bytes(cast(bytearray, value))


def _plain_list(value: object) -> Value:
    return cast(List, value).elements()


def _plain_set(value: object) -> Value:
    return cast(Set, value).as_set()


def _plain_hash(value: object) -> Value:
    held = cast(Hash, value)
    pairs = held.pairs()
    made = dict(zip(pairs[::2], pairs[1::2], strict=True))
    times = held.times
    return TimedHash(made, dict(times.items())) if times is not None and len(times) else made


def _plain_sorted_set(value: object) -> Value:
    held = cast(SortedSet, value)
    members, scores = held.columns(0, len(held))
    return ZSet(zip(members, cast(list[float], scores), strict=True))


def _plain_stream(value: object) -> Value:
    held = cast(Stream, value)
    made = StreamValue([], id_text(held.last_id), id_text(held.max_deleted_id), held.entries_added)
    for number, texts in held.range(0, LARGEST):
        made.entries.append((id_text(number), list(zip(texts[::2], texts[1::2], strict=True))))
    for name, group in held.ordered_groups():
        consumers: list[StreamConsumer] = []
        for consumer in group.ordered():
            pending = [
                PendingEntry(id_text(entry.id), entry.time_ms, entry.count)
                for entry in consumer.pending.some_from(0, len(consumer.pending))
            ]
            consumers.append(StreamConsumer(consumer.name, consumer.seen_ms, consumer.active_ms, pending))
        made.groups.append(StreamGroup(name, id_text(group.last_id), group.entries_read, consumers))
    return made


_PLAIN: Final[dict[type, Callable[[object], Value]]] = {
    bytes: _plain_bytes,
    int: _plain_int,
    bytearray: _plain_bytearray,
    List: _plain_list,
    Set: _plain_set,
    Hash: _plain_hash,
    SortedSet: _plain_sorted_set,
}
_PLAIN[Stream] = _plain_stream


def plain_of(value: object) -> Value:
    """The value `value` of a keyspace as plain Python; it shares nothing that can change with it. O(n)."""
    return _PLAIN[type(value)](value)


def stored_of(value: object) -> object:
    """The plain `value` in the form in which a keyspace holds it. Raises `BadValue`. O(n), sorted sets O(n log n)."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, list | tuple):
        return _stored_list(list(value))
    if isinstance(value, set | frozenset):
        members = [_bytes(member, "a member of a set") for member in value]
        return sets.gather(_some(members, "a set"), CONFIGURED)
    if isinstance(value, ZSet):
        return _stored_sorted_set(value)
    if isinstance(value, dict):
        return _stored_hash(value)
    if isinstance(value, StreamValue):
        return _stored_stream(value)
    raise BadValue(
        f"a value of type {type(value).__name__} cannot be saved: use bytes, list, set, dict, ZSet or StreamValue"
    )


def _stored_list(value: list[object]) -> List:
    made = List()
    made.push_tail(_some([_bytes(element, "an element of a list") for element in value], "a list"), 0, CONFIGURED)
    return made


def _stored_hash(value: dict[object, object]) -> Hash:
    flat: list[bytes] = []
    for name, text in value.items():
        flat += [_bytes(name, "a field of a hash"), _bytes(text, "the value of a field of a hash")]
    made = Hash()
    made.set_pairs(_some(flat, "a hash"), 0, CONFIGURED)
    if isinstance(value, TimedHash):
        for name, when in value.expires_ms.items():
            if name not in value or when < 0:
                raise BadValue(f"the time {when} of field {name!r} is negative, or there is no such field")
            made.set_expiry(name, when)
    return made


def _stored_sorted_set(value: ZSet) -> SortedSet:
    scores: dict[bytes, float] = {}
    # As objects: where this is compiled, what is of another type than it should be would be a TypeError.
    for member, score in cast(dict[object, object], value).items():
        if not isinstance(score, int | float) or math.isnan(score):
            raise BadValue(f"the score of {member!r} is {score!r}, which is no number")
        scores[_bytes(member, "a member of a sorted set")] = float(score)
    if not scores:
        raise BadValue("a sorted set without members cannot be saved: leave the key out")
    return zsets.from_scores(scores, CONFIGURED)


def _stored_stream(value: StreamValue) -> Stream:
    made = Stream()
    for text, fields in value.entries:
        number = _id(text)
        if number <= made.last_id or not fields:
            raise BadValue(f"entry {text!r} of a stream is not above the one before it, or has no fields")
        flat: list[bytes] = []
        for name, content in fields:
            flat += [_bytes(name, "a field of a stream"), _bytes(content, "the value of a field of a stream")]
        made.append(number, flat, CONFIGURED)
    if value.last_id:
        last_id = _id(value.last_id)
        if last_id < made.last_id:
            raise BadValue(f"the last id {value.last_id!r} of a stream is below that of its last entry")
        made.last_id = last_id
    made.max_deleted_id = _id(value.max_deleted_id)
    if value.entries_added >= 0:
        made.entries_added = value.entries_added
    for group in value.groups:
        _add_group(made, group)
    return made


def _add_group(stream: Stream, group: StreamGroup) -> None:
    held = ConsumerGroup(_id(group.last_id), group.entries_read)
    if group.name in stream.groups:
        raise BadValue(f"the group {group.name!r} of a stream stands twice")
    stream.groups[_bytes(group.name, "the name of a group")] = held
    for consumer in group.consumers:
        if held.find(consumer.name) is not None:
            raise BadValue(f"the consumer {consumer.name!r} of a group stands twice")
        twin = held.create(_bytes(consumer.name, "the name of a consumer"), consumer.seen_ms)
        twin.active_ms = consumer.active_ms
        for entry in consumer.pending:
            number = _id(entry.id)
            if held.pending.get(number) is not None:
                raise BadValue(f"the pending entry {entry.id!r} of a group stands twice")
            held.add(number, twin, entry.delivered_ms, entry.deliveries)


def _id(text: bytes) -> int:
    number = parse_id(_bytes(text, "an id of a stream"), 0)
    if number is None:
        raise BadValue(f"{text!r} is no id of a stream entry")
    return number


def _bytes(value: object, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise BadValue(f"{what} is {value!r}, which is not bytes")
    return value


def _some(elements: list[bytes], what: str) -> list[bytes]:
    """`elements`, which must not be none: Redis removes a collection that has become empty, and so has no such."""
    if not elements:
        raise BadValue(f"{what} without elements cannot be saved: leave the key out")
    return elements
