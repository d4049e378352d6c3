"""Consumer groups: XGROUP, XACK, XPENDING.

Theory of operation: a group has a place in its stream, behind which nothing has been handed out, and a list of entries
that have been and are not acknowledged, each with the consumer that holds it (`datatypes.stream_group`). XGROUP changes
groups and consumers, XACK takes entries off the list, XPENDING shows it. Reading through a group is told in
`stream_read`, claiming what another consumer holds in `stream_claim`.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.commands.stream_arguments import interval_end, interval_start, strict_id
from aikv.commands.stream_values import (
    CONSUMER_CREATED,
    CONSUMER_DELETED,
    GROUP_CREATED,
    GROUP_DESTROYED,
    GROUP_ID_SET,
    group_to_read,
    no_group,
    note,
    to_change,
    to_read,
)
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import UNKNOWN, ConsumerGroup, Pending
from aikv.datatypes.stream_id import LARGEST, ZERO, id_text
from aikv.engine.command import DENYOOM, FAST, LOADING, READONLY, STALE, WRITE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.keyspec import READ, UPDATE, at
from aikv.resp.reply import NULL_ARRAY, OK

_INSERTED: Final = at(2, "RW insert")
_UPDATED: Final = at(2, "RW update")
_DELETED: Final = at(2, "RW delete")
_NO_KEY: Final = (
    b"ERR The XGROUP subcommand requires the key to exist. "
    b"Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
)
# Pending entries are looked at in parts, so that a long list is not copied for a few of them.
_PART: Final = 256

container("XGROUP", group="stream", since="5.0.0", summary="Commands on consumer groups.", acl="")


@command(
    "XGROUP|CREATE",
    arity=-5,
    flags=WRITE | DENYOOM,
    keys=(_INSERTED,),
    group="stream",
    since="5.0.0",
    complexity="O(1)",
    summary="Makes a consumer group.",
    syntax="key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
)
def xgroup_create(ctx: Context, argv: list[bytes]) -> object:
    make = False
    read = UNKNOWN
    index = 5
    while index < len(argv):
        word = argv[index].upper()
        if word == b"MKSTREAM":
            make = True
        elif word == b"ENTRIESREAD" and index + 1 < len(argv):
            index += 1
            read = _entries_read(argv[index])
        else:
            raise _wrong_form(argv)
        index += 1
    key = argv[2]
    stream = to_change(ctx, key)
    if stream is None and not make:
        raise CommandError(_NO_KEY)
    if len(argv) > 8:
        raise _wrong_form(argv)
    last_id = _group_id(argv[4], stream, False)
    if stream is None:
        stream = Stream()
        ctx.put(key, stream)
        ctx.changed(key, GROUP_CREATED)
    elif argv[3] in stream.groups:
        raise CommandError(b"BUSYGROUP Consumer Group name already exists")
    else:
        note(ctx, key, GROUP_CREATED)
    stream.groups[argv[3]] = ConsumerGroup(last_id, read)
    return OK


@command(
    "XGROUP|SETID",
    arity=-5,
    flags=WRITE,
    keys=(_UPDATED,),
    group="stream",
    since="5.0.0",
    complexity="O(1)",
    summary="Sets the last id that a consumer group was given.",
    syntax="key group <id | $> [ENTRIESREAD entries-read]",
)
def xgroup_setid(ctx: Context, argv: list[bytes]) -> object:
    read = UNKNOWN
    for index in range(5, len(argv), 2):
        if argv[index].upper() != b"ENTRIESREAD" or index + 1 == len(argv):
            raise _wrong_form(argv)
        read = _entries_read(argv[index + 1])
    stream, group = _existing(ctx, argv)
    if len(argv) > 7:
        raise _wrong_form(argv)
    group.last_id = _group_id(argv[4], stream, True)
    group.entries_read = read
    note(ctx, argv[2], GROUP_ID_SET)
    return OK


@command(
    "XGROUP|DESTROY",
    arity=4,
    flags=WRITE,
    keys=(_DELETED,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of pending entries.",
    summary="Removes a consumer group.",
    syntax="key group",
)
def xgroup_destroy(ctx: Context, argv: list[bytes]) -> object:
    key = argv[2]
    stream = _existing_stream(ctx, key)
    group = stream.groups.pop(argv[3], None)
    if group is None:
        return 0
    ctx.engine.releaser.group(group)
    note(ctx, key, GROUP_DESTROYED)
    # Whoever waits for the group is to learn that it is gone.
    ctx.engine.waits.mark(ctx.db, key)
    return 1


@command(
    "XGROUP|CREATECONSUMER",
    arity=5,
    flags=WRITE | DENYOOM,
    keys=(_INSERTED,),
    group="stream",
    since="6.2.0",
    complexity="O(1)",
    summary="Makes a consumer in a group.",
    syntax="key group consumer",
)
def xgroup_createconsumer(ctx: Context, argv: list[bytes]) -> object:
    _, group = _existing(ctx, argv)
    if group.find(argv[4]) is not None:
        return 0
    group.create(argv[4], int(ctx.engine.now_ms))
    note(ctx, argv[2], CONSUMER_CREATED)
    return 1


@command(
    "XGROUP|DELCONSUMER",
    arity=5,
    flags=WRITE,
    keys=(_DELETED,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of entries that the consumer holds.",
    summary="Removes a consumer from a group; returns how many pending entries went with it.",
    syntax="key group consumer",
)
def xgroup_delconsumer(ctx: Context, argv: list[bytes]) -> object:
    _, group = _existing(ctx, argv)
    if group.find(argv[4]) is None:
        return 0
    note(ctx, argv[2], CONSUMER_DELETED)
    return group.remove(argv[4])


@command(
    "XGROUP|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="stream",
    since="5.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def xgroup_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("XGROUP")


def _wrong_form(argv: list[bytes]) -> CommandError:
    text = b"ERR unknown subcommand or wrong number of arguments for '%b'. Try XGROUP HELP."
    return CommandError(text % argv[1][:128])


def _entries_read(text: bytes) -> int:
    read = to_i64(text)
    if read < 0 and read != UNKNOWN:
        raise CommandError(b"ERR value for ENTRIESREAD must be positive or -1")
    return read


def _group_id(text: bytes, stream: Stream | None, bounds: bool) -> int:
    """The id that a group goes on from; `bounds` allows `-` and `+`, as XGROUP SETID does and CREATE does not."""
    if text == b"$":
        return 0 if stream is None else stream.last_id
    if bounds and text in (b"-", b"+"):
        return ZERO if text == b"-" else LARGEST
    return strict_id(text)


def _existing_stream(ctx: Context, key: bytes) -> Stream:
    stream = to_change(ctx, key)
    if stream is None:
        raise CommandError(_NO_KEY)
    return stream


def _existing(ctx: Context, argv: list[bytes]) -> tuple[Stream, ConsumerGroup]:
    stream = _existing_stream(ctx, argv[2])
    group = stream.groups.get(argv[3])
    if group is None:
        raise no_group(argv[3], argv[2])
    return stream, group


@command(
    "XACK",
    arity=-4,
    flags=WRITE | FAST,
    keys=(UPDATE,),
    group="stream",
    since="5.0.0",
    complexity="O(log N) for each id, N being the number of pending entries.",
    summary="Acknowledges pending entries of a group; returns how many were pending.",
    syntax="key group id [id ...]",
)
def xack(ctx: Context, argv: list[bytes]) -> object:
    stream = to_read(ctx, argv[1])
    group = None if stream is None else stream.groups.get(argv[2])
    if group is None:
        return 0
    numbers = [strict_id(argv[index]) for index in range(3, len(argv))]
    acknowledged = 0
    for number in numbers:
        if group.acknowledge(number):
            acknowledged += 1
            note(ctx, argv[1], None)
    return acknowledged


@command(
    "XPENDING",
    arity=-3,
    flags=READONLY,
    keys=(READ,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of entries returned, or looked at because of IDLE; O(1) for the summary.",
    summary="Tells which entries of a group are pending.",
    syntax="key group [[IDLE min-idle-time] start end count [consumer]]",
    tips=("nondeterministic_output",),
)
def xpending(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) == 3:
        _, group = group_to_read(ctx, argv[1], argv[2])
        return _summary(group)
    if not 6 <= len(argv) <= 9:
        raise CommandError(SYNTAX)
    first = 3
    idle_ms = 0
    if argv[3].upper() == b"IDLE":
        idle_ms = to_i64(argv[4])
        if len(argv) < 8:
            raise CommandError(SYNTAX)
        first = 5
    count = to_i64(argv[first + 2])
    start = interval_start(argv[first])
    end = interval_end(argv[first + 1])
    _, group = group_to_read(ctx, argv[1], argv[2])
    listed = group.pending
    if first + 3 < len(argv):
        consumer = group.find(argv[first + 3])
        if consumer is None:
            return []
        listed = consumer.pending
    now_ms = int(ctx.engine.now_ms)
    reply: list[object] = []
    while len(reply) < count:
        part = listed.some_from(start, min(_PART, count))
        for pending in part:
            if pending.id > end or len(reply) == count:
                return reply
            if not idle_ms or now_ms - pending.time_ms >= idle_ms:
                reply.append(_described(pending, now_ms))
        if not part or part[-1].id == LARGEST:
            return reply
        start = part[-1].id + 1
    return reply


def _summary(group: ConsumerGroup) -> list[object]:
    first = group.pending.first()
    last = group.pending.last()
    if first is None or last is None:
        return [0, None, None, NULL_ARRAY]
    holders: list[object] = []
    for consumer in group.ordered():
        if len(consumer.pending):
            holders.append([consumer.name, b"%d" % len(consumer.pending)])
    return [len(group.pending), id_text(first.id), id_text(last.id), holders]


def _described(pending: Pending, now_ms: int) -> list[object]:
    return [id_text(pending.id), pending.consumer, max(0, now_ms - pending.time_ms), pending.count]
