"""A stream as commands, for an append-only file that begins with commands.

Theory of operation, after Redis's rewriteStreamObject: XADD for each entry, or, for a stream without entries, XADD and
an XTRIM at once, which leaves the empty stream; XSETID for what a stream remembers; then for each group XGROUP CREATE,
for each consumer XGROUP CREATECONSUMER, and for each pending entry an XCLAIM that makes it out of nothing. A pending
entry that has been deleted from the stream cannot be made so, and is lost, as with Redis.
"""

from typing import Final, cast

from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import ConsumerGroup
from aikv.datatypes.stream_id import LARGEST, id_text
from aikv.persistence.aof_format import encode_command
from aikv.persistence.sink import Sink

_PART: Final = 256
# An id must be above 0-0 for XADD.
_SMALLEST: Final = 1


def emit_stream(sink: Sink, key: bytes, value: object) -> None:
    """Write the commands that make the stream `value` at `key`."""
    stream = cast(Stream, value)
    start = 0
    while entries := stream.range(start, LARGEST, _PART):
        for number, texts in entries:
            sink.write(encode_command([b"XADD", key, id_text(number), *texts]))
        start = entries[-1][0] + 1
    if not len(stream):
        number = max(stream.last_id, _SMALLEST)
        sink.write(encode_command([b"XADD", key, b"MAXLEN", b"0", id_text(number), b"x", b"y"]))
    sink.write(
        encode_command(
            [
                b"XSETID",
                key,
                id_text(stream.last_id),
                b"ENTRIESADDED",
                b"%d" % stream.entries_added,
                b"MAXDELETEDID",
                id_text(stream.max_deleted_id),
            ]
        )
    )
    for name, group in stream.ordered_groups():
        _emit_group(sink, key, name, group)


def _emit_group(sink: Sink, key: bytes, name: bytes, group: ConsumerGroup) -> None:
    create = [b"XGROUP", b"CREATE", key, name, id_text(group.last_id), b"ENTRIESREAD", b"%d" % group.entries_read]
    sink.write(encode_command(create))
    for consumer in group.ordered():
        sink.write(encode_command([b"XGROUP", b"CREATECONSUMER", key, name, consumer.name]))
        start = 0
        while part := consumer.pending.some_from(start, _PART):
            for pending in part:
                time = b"%d" % pending.time_ms
                count = b"%d" % pending.count
                claim = [b"XCLAIM", key, name, consumer.name, b"0", id_text(pending.id), b"TIME", time]
                sink.write(encode_command([*claim, b"RETRYCOUNT", count, b"JUSTID", b"FORCE"]))
            start = part[-1].id + 1
