"""What the commands on streams share: looking streams and groups up, reporting changes, the form of replies.

Theory of operation: as in Redis only a change of the entries is one of the key, of which WATCH and caching clients are
told (`Context.changed`); what happens in a group counts as a change for the journal and for saving, and is
announced, but spoils no transaction. `note` reports such a change.
"""

from typing import Final

from aikv.base.errors import WRONGTYPE, CommandError, quoted
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import Consumer, ConsumerGroup, Pending
from aikv.datatypes.stream_id import id_text
from aikv.datatypes.stream_node import Entry
from aikv.engine.context import Context
from aikv.engine.events import STREAM, Event

KIND: Final = b"stream"

ADDED: Final = Event(b"xadd", STREAM)
DELETED: Final = Event(b"xdel", STREAM)
TRIMMED: Final = Event(b"xtrim", STREAM)
ID_SET: Final = Event(b"xsetid", STREAM)
GROUP_CREATED: Final = Event(b"xgroup-create", STREAM)
GROUP_ID_SET: Final = Event(b"xgroup-setid", STREAM)
GROUP_DESTROYED: Final = Event(b"xgroup-destroy", STREAM)
CONSUMER_CREATED: Final = Event(b"xgroup-createconsumer", STREAM)
CONSUMER_DELETED: Final = Event(b"xgroup-delconsumer", STREAM)


def to_read(ctx: Context, key: bytes) -> Stream | None:
    """The stream at `key` for a command that reads it. Raises WRONGTYPE."""
    return checked(ctx.lookup(key))


def to_change(ctx: Context, key: bytes) -> Stream | None:
    """The stream at `key` for a command that changes it. Raises WRONGTYPE."""
    return checked(ctx.peek(key))


def checked(value: object | None) -> Stream | None:
    """`value` if it is a stream or None. Raises WRONGTYPE."""
    if value is None or isinstance(value, Stream):
        return value
    raise CommandError(WRONGTYPE)


def group_to_read(ctx: Context, key: bytes, name: bytes, command: bytes = b"") -> tuple[Stream, ConsumerGroup]:
    """The stream at `key` and its group `name`. Raises WRONGTYPE or NOGROUP; `command` ends the text of that."""
    stream = to_read(ctx, key)
    group = None if stream is None else stream.groups.get(name)
    if stream is None or group is None:
        raise CommandError(b"NOGROUP No such key '%b' or consumer group '%b'%b" % (quoted(key), quoted(name), command))
    return stream, group


def no_group(name: bytes, key: bytes) -> CommandError:
    """The error where `key` has no group `name`."""
    return CommandError(b"NOGROUP No such consumer group '%b' for key name '%b'" % (quoted(name), quoted(key)))


def note(ctx: Context, key: bytes, event: Event | None) -> None:
    """Report a change of a group of `key`, or of what the stream remembers; the entries are as they were."""
    ctx.engine.dirty += 1
    if event is not None:
        ctx.notify(key, event)


def consumer_of(ctx: Context, key: bytes, group: ConsumerGroup, name: bytes) -> tuple[Consumer, bool]:
    """The consumer `name`, which is made where it is missing, and whether it was; it has been seen now."""
    now_ms = int(ctx.engine.now_ms)
    consumer = group.find(name)
    if consumer is not None:
        consumer.seen_ms = now_ms
        return consumer, False
    consumer = group.create(name, now_ms)
    note(ctx, key, CONSUMER_CREATED)
    return consumer, True


def journal_nothing(ctx: Context) -> None:
    """Keep the running command itself from the journal; what `Context.rewrite` is given takes its place."""
    ctx.rewritten = []


def journal_claim(ctx: Context, key: bytes, name: bytes, group: ConsumerGroup, pending: Pending) -> None:
    """Journal what became of one pending entry of group `name`, in the one form from which it follows."""
    ctx.rewrite(
        [
            b"XCLAIM",
            key,
            name,
            pending.consumer,
            b"0",
            id_text(pending.id),
            b"TIME",
            b"%d" % pending.time_ms,
            b"RETRYCOUNT",
            b"%d" % pending.count,
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            id_text(group.last_id),
        ]
    )


def journal_group_id(ctx: Context, key: bytes, name: bytes, group: ConsumerGroup) -> None:
    """Journal how far group `name` is."""
    read = b"%d" % group.entries_read
    ctx.rewrite([b"XGROUP", b"SETID", key, name, id_text(group.last_id), b"ENTRIESREAD", read])


def journal_consumer(ctx: Context, key: bytes, name: bytes, consumer: Consumer) -> None:
    """Journal that group `name` has a consumer."""
    ctx.rewrite([b"XGROUP", b"CREATECONSUMER", key, name, consumer.name])


def entry_reply(entry: Entry) -> list[object]:
    """One entry: its id, and its fields and values."""
    return [id_text(entry[0]), list[object](entry[1])]


def entries_reply(entries: list[Entry]) -> list[object]:
    """Several entries."""
    return [entry_reply(entry) for entry in entries]
