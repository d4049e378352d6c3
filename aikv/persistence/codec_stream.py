"""Streams in RDB files and DUMP payloads.

Theory of operation: the nodes, each as its id in 16 bytes and its listpack; the number of entries and the ids that a
stream remembers; then the groups, each with all its pending entries and, consumer by consumer, the ids of those it
holds. Type 15 (Redis 5) lacks the first id, the largest deleted id and the counts of entries added and read, which are
derived; type 19 (Redis 7.0) is what is written; type 21 (Redis 7.2) also says when a consumer last got anything.

Numbers are lengths as `codec` has them, of up to 64 bits; times are 8 bytes, little endian; pending ids are 16 bytes,
big endian, without a length.
"""

from typing import Final, cast

from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import UNKNOWN, ConsumerGroup, Pending
from aikv.datatypes.stream_id import SEQUENCE_BITS, U64_MAX
from aikv.datatypes.stream_index import IdMap
from aikv.datatypes.stream_unpack import unpack
from aikv.persistence.codec import (
    VALUE_READERS,
    VALUE_WRITERS,
    ValueWriter,
    encode_length,
    read_length,
    read_string,
    write_string,
)
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

TYPE_STREAM: Final = 15
TYPE_STREAM_2: Final = 19
TYPE_STREAM_3: Final = 21

_ID_BYTES: Final = 16
_TIME_BYTES: Final = 8
# What stands for a number that is not known: -1 as C widens it.
_UNKNOWN_READ: Final = U64_MAX
_I64_MAX: Final = (1 << 63) - 1
# Pending entries are written in parts, so that a long list is not copied.
_PART: Final = 1024


def read_stream(source: Source) -> object:
    """Type 15."""
    return _read(source, 1)


def read_stream_2(source: Source) -> object:
    """Type 19."""
    return _read(source, 2)


def read_stream_3(source: Source) -> object:
    """Type 21."""
    return _read(source, 3)


def _read(source: Source, version: int) -> Stream:
    stream = Stream()
    _read_nodes(source, stream)
    length = read_length(source)
    if length != stream.length:
        raise source.corrupt(f"a stream of {stream.length} entries that says {length}")
    stream.last_id = _read_id(source)
    last = stream.nodes.last()
    if last is not None and last.last > stream.last_id:
        raise source.corrupt("a stream with an entry above its last id")
    stream.first_id = stream.find_first()
    if version == 1:
        stream.entries_added = length
    else:
        # The first id follows from the entries, whatever is said.
        _read_id(source)
        stream.max_deleted_id = _read_id(source)
        stream.entries_added = _read_count(source)
    for _ in range(read_length(source)):
        _read_group(source, stream, version)
    return stream


def _read_nodes(source: Source, stream: Stream) -> None:
    before = -1
    for _ in range(read_length(source)):
        key = read_string(source)
        if len(key) != _ID_BYTES:
            raise source.corrupt("a stream node whose id has not 16 bytes")
        number = int.from_bytes(key, "big")
        if number <= before:
            raise source.corrupt("a stream node whose id is not above the entries before it")
        try:
            node = unpack(number, read_string(source))
        except ValueError as error:
            raise source.corrupt(str(error)) from error
        before = node.last
        # Redis may leave a node in which every entry is deleted.
        if node.live:
            stream.adopt(node)


def _read_group(source: Source, stream: Stream, version: int) -> None:
    name = read_string(source)
    if name in stream.groups:
        raise source.corrupt("a stream with a consumer group that stands twice")
    last_id = _read_id(source)
    if version == 1:
        entries_read = stream.position(last_id)
    else:
        entries_read = read_length(source)
        if entries_read > _I64_MAX:
            entries_read = UNKNOWN
    group = ConsumerGroup(last_id, entries_read)
    stream.groups[name] = group
    delivered: IdMap[Pending] = IdMap()
    for _ in range(read_length(source)):
        number = _read_pending_id(source)
        time_ms = _read_time(source)
        if not delivered.put(number, Pending(number, b"", time_ms, read_length(source))):
            raise source.corrupt("a consumer group with a pending entry that stands twice")
    for _ in range(read_length(source)):
        _read_consumer(source, group, delivered, version)
    if len(group.pending) != len(delivered):
        raise source.corrupt("a consumer group with a pending entry that no consumer holds")


def _read_consumer(source: Source, group: ConsumerGroup, delivered: IdMap[Pending], version: int) -> None:
    name = read_string(source)
    if group.find(name) is not None:
        raise source.corrupt("a consumer group with a consumer that stands twice")
    consumer = group.create(name, _read_time(source))
    # Redis's own guess for the older files.
    consumer.active_ms = _read_time(source) if version == 3 else consumer.seen_ms
    for _ in range(read_length(source)):
        number = _read_pending_id(source)
        pending = delivered.get(number)
        if pending is None or group.pending.get(number) is not None:
            raise source.corrupt("a consumer that holds an entry that is not pending, or not its own")
        group.add(number, consumer, pending.time_ms, pending.count)


def _read_id(source: Source) -> int:
    ms = read_length(source)
    return ms << SEQUENCE_BITS | read_length(source)


def _read_pending_id(source: Source) -> int:
    return int.from_bytes(source.take(_ID_BYTES), "big")


def _read_time(source: Source) -> int:
    return int.from_bytes(source.take(_TIME_BYTES), "little", signed=True)


def _read_count(source: Source) -> int:
    count = read_length(source)
    if count > _I64_MAX:
        raise source.corrupt(f"a stream to which {count} entries were added")
    return count


_TYPES: Final = (TYPE_STREAM, TYPE_STREAM_2, TYPE_STREAM_3)


class StreamWriter(ValueWriter):
    """`Stream`, as the type of Redis 5 (`version` 1), 7.0 (2) or 7.2 (3)."""

    def __init__(self, version: int) -> None:
        self._version: Final = version

    def type_byte(self, value: object) -> int:  # noqa: ARG002
        return _TYPES[self._version - 1]

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        stream = cast(Stream, value)
        sink.write(encode_length(len(stream.nodes)))
        start = 0
        while nodes := stream.nodes.some_from(start, _PART):
            for node in nodes:
                write_string(sink, node.id.to_bytes(_ID_BYTES, "big"), packing)
                write_string(sink, node.pack(), packing)
            start = nodes[-1].id + 1
        sink.write(encode_length(stream.length))
        _write_id(sink, stream.last_id)
        if self._version > 1:
            _write_id(sink, stream.first_id)
            _write_id(sink, stream.max_deleted_id)
            sink.write(encode_length(stream.entries_added))
        sink.write(encode_length(len(stream.groups)))
        for name, group in stream.ordered_groups():
            write_string(sink, name, packing)
            _write_id(sink, group.last_id)
            if self._version > 1:
                sink.write(encode_length(_UNKNOWN_READ if group.entries_read == UNKNOWN else group.entries_read))
            _write_pending(sink, group.pending, True)
            sink.write(encode_length(len(group.consumers)))
            for consumer in group.ordered():
                write_string(sink, consumer.name, packing)
                _write_time(sink, consumer.seen_ms)
                if self._version > 2:
                    _write_time(sink, consumer.active_ms)
                _write_pending(sink, consumer.pending, False)


def _write_pending(sink: Sink, entries: IdMap[Pending], deliveries: bool) -> None:
    """The ids of `entries`, each with when and how often it was delivered if `deliveries`."""
    sink.write(encode_length(len(entries)))
    start = 0
    while part := entries.some_from(start, _PART):
        for pending in part:
            sink.write(pending.id.to_bytes(_ID_BYTES, "big"))
            if deliveries:
                _write_time(sink, pending.time_ms)
                sink.write(encode_length(pending.count))
        start = part[-1].id + 1


def _write_id(sink: Sink, number: int) -> None:
    sink.write(encode_length(number >> SEQUENCE_BITS) + encode_length(number & U64_MAX))


def _write_time(sink: Sink, time_ms: int) -> None:
    sink.write(time_ms.to_bytes(_TIME_BYTES, "little", signed=True))


VALUE_READERS[TYPE_STREAM] = read_stream
VALUE_READERS[TYPE_STREAM_2] = read_stream_2
VALUE_READERS[TYPE_STREAM_3] = read_stream_3
# Version 2 is what redis-server 7.0 reads.
VALUE_WRITERS[Stream] = StreamWriter(2)
