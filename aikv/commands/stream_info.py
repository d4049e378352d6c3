"""XINFO: what is known of a stream, of its groups and of their consumers.

Theory of operation: `radix-tree-keys` is the number of nodes that hold entries, as in Redis; `radix-tree-nodes` is what
Redis's tree over them would have (`datatypes.stream_shape`). `inactive` and `active-time` are those of Redis 7.2.
"""

from typing import Final

from aikv.base.errors import NO_SUCH_KEY, CommandError
from aikv.base.numbers import to_i64
from aikv.commands.stream_values import entries_reply, entry_reply, no_group, to_read
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import NEVER, UNKNOWN, Consumer, ConsumerGroup
from aikv.datatypes.stream_id import LARGEST, id_text
from aikv.datatypes.stream_shape import tree_nodes
from aikv.engine.command import LOADING, READONLY, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.keyspec import at
from aikv.resp.reply import Pairs

_KEY: Final = at(2, "RO access")
_WRONG_FORM: Final = b"ERR unknown subcommand or wrong number of arguments for '%b'. Try XINFO HELP."
# How many entries FULL shows of each list, unless COUNT says otherwise.
_SHOWN: Final = 10

container("XINFO", group="stream", since="5.0.0", summary="Commands that describe streams.", acl="")


@command(
    "XINFO|STREAM",
    arity=-3,
    flags=READONLY,
    keys=(_KEY,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of nodes, up to some thousand, and of entries shown.",
    summary="Describes a stream.",
    syntax="key [FULL [COUNT count]]",
)
def xinfo_stream(ctx: Context, argv: list[bytes]) -> object:
    stream = _existing(ctx, argv[2])
    if len(argv) == 3:
        return Pairs(_described(stream) + _ends(stream))
    if len(argv) not in (4, 6) or argv[3].upper() != b"FULL":
        raise CommandError(_WRONG_FORM % argv[1][:128])
    count = _SHOWN
    if len(argv) == 6:
        if argv[4].upper() != b"COUNT":
            raise CommandError(_WRONG_FORM % argv[1][:128])
        count = to_i64(argv[5])
        if count < 0:
            count = _SHOWN
    # 0 shows everything.
    shown = count if count > 0 else 1 << 62
    groups = [_group_in_full(stream, name, group, shown) for name, group in stream.ordered_groups()]
    entries = entries_reply(stream.range(0, LARGEST, shown))
    return Pairs([*_described(stream), b"entries", entries, b"groups", list[object](groups)])


@command(
    "XINFO|GROUPS",
    arity=3,
    flags=READONLY,
    keys=(_KEY,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of groups.",
    summary="Describes the consumer groups of a stream.",
    syntax="key",
)
def xinfo_groups(ctx: Context, argv: list[bytes]) -> object:
    stream = _existing(ctx, argv[2])
    return [
        Pairs(
            [
                b"name",
                name,
                b"consumers",
                len(group.consumers),
                b"pending",
                len(group.pending),
                b"last-delivered-id",
                id_text(group.last_id),
                b"entries-read",
                _known(group.entries_read),
                b"lag",
                stream.lag(group),
            ]
        )
        for name, group in stream.ordered_groups()
    ]


@command(
    "XINFO|CONSUMERS",
    arity=4,
    flags=READONLY,
    keys=(_KEY,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of consumers.",
    summary="Describes the consumers of a group.",
    syntax="key group",
    tips=("nondeterministic_output",),
)
def xinfo_consumers(ctx: Context, argv: list[bytes]) -> object:
    stream = _existing(ctx, argv[2])
    group = stream.groups.get(argv[3])
    if group is None:
        raise no_group(argv[3], argv[2])
    now_ms = int(ctx.engine.now_ms)
    return [
        Pairs(
            [
                b"name",
                consumer.name,
                b"pending",
                len(consumer.pending),
                b"idle",
                max(0, now_ms - consumer.seen_ms),
                b"inactive",
                NEVER if consumer.active_ms == NEVER else max(0, now_ms - consumer.active_ms),
            ]
        )
        for consumer in group.ordered()
    ]


@command(
    "XINFO|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="stream",
    since="5.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def xinfo_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("XINFO")


def _existing(ctx: Context, key: bytes) -> Stream:
    stream = to_read(ctx, key)
    if stream is None:
        raise CommandError(NO_SUCH_KEY)
    return stream


def _known(entries_read: int) -> int | None:
    return None if entries_read == UNKNOWN else entries_read


def _described(stream: Stream) -> list[object]:
    return [
        b"length",
        len(stream),
        b"radix-tree-keys",
        len(stream.nodes),
        b"radix-tree-nodes",
        tree_nodes(stream),
        b"last-generated-id",
        id_text(stream.last_id),
        b"max-deleted-entry-id",
        id_text(stream.max_deleted_id),
        b"entries-added",
        stream.entries_added,
        b"recorded-first-entry-id",
        id_text(stream.first_id),
    ]


def _ends(stream: Stream) -> list[object]:
    first = stream.range(0, LARGEST, 1)
    last = stream.range_back(0, LARGEST, 1)
    return [
        b"groups",
        len(stream.groups),
        b"first-entry",
        entry_reply(first[0]) if first else None,
        b"last-entry",
        entry_reply(last[0]) if last else None,
    ]


def _group_in_full(stream: Stream, name: bytes, group: ConsumerGroup, shown: int) -> Pairs:
    pending: list[object] = [
        [id_text(entry.id), entry.consumer, int(entry.time_ms), entry.count]
        for entry in group.pending.some_from(0, shown)
    ]
    return Pairs(
        [
            b"name",
            name,
            b"last-delivered-id",
            id_text(group.last_id),
            b"entries-read",
            _known(group.entries_read),
            b"lag",
            stream.lag(group),
            b"pel-count",
            len(group.pending),
            b"pending",
            pending,
            b"consumers",
            [_consumer_in_full(consumer, shown) for consumer in group.ordered()],
        ]
    )


def _consumer_in_full(consumer: Consumer, shown: int) -> Pairs:
    pending: list[object] = [
        [id_text(entry.id), int(entry.time_ms), entry.count] for entry in consumer.pending.some_from(0, shown)
    ]
    return Pairs(
        [
            b"name",
            consumer.name,
            b"seen-time",
            consumer.seen_ms,
            b"active-time",
            consumer.active_ms,
            b"pel-count",
            len(consumer.pending),
            b"pending",
            pending,
        ]
    )
