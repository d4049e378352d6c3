"""Reading the entries behind an id, and waiting for them: XREAD and XREADGROUP.

Theory of operation: both take a list of streams with an id for each, and answer with those that have entries behind it;
only if there are none, and BLOCK is given, the client waits. A waiting client's command is run again when a stream
changes, so `$` is replaced by the last id of the moment when it first ran.

XREADGROUP with `>` hands out entries that the group has not been given yet, and notes them as pending with the consumer
unless NOACK is given; with an id it shows the consumer's own pending entries again. It is journalled as the changes of
pending entries and of the group's last id that come of it. As in Redis 7.2 a consumer is made, and seen, even where
there is nothing for it; other than there that is journalled too, or it would be gone after a restart. When the group,
or its key, is removed the clients that wait for it learn so by NOGROUP.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import parse_i64, to_i64
from aikv.commands.stream_arguments import strict_id
from aikv.commands.stream_values import (
    KIND,
    consumer_of,
    entries_reply,
    entry_reply,
    group_to_read,
    journal_claim,
    journal_consumer,
    journal_group_id,
    journal_nothing,
    to_read,
)
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import Consumer, ConsumerGroup
from aikv.datatypes.stream_id import LARGEST, id_text
from aikv.engine.command import BLOCKING, MOVABLE_KEYS, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import after
from aikv.engine.waiting import wait_for_keys
from aikv.resp.reply import NULL_ARRAY, PairedMap

_NO_BLOCK: Final = -1
# Some 35 years. What is longer is for ever, and would be too long for a timer.
_LONGEST_MS: Final = 1 << 40
_ALL: Final = 1 << 62
_ONLY_IN_GROUP: Final = b"ERR The %b option is only supported by XREADGROUP. You called XREAD instead."
_UNBALANCED: Final = b"ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
_NEW_IN_XREAD: Final = (
    b"ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)
_LAST_IN_GROUP: Final = (
    b"ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
    b"specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
)


@command(
    "XREAD",
    arity=-4,
    flags=READONLY | BLOCKING | MOVABLE_KEYS,
    keys=(after(b"STREAMS", 1, "RO access", last=-1, limit=2),),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of entries returned.",
    summary="Returns the entries of streams behind given ids; may wait for them.",
    syntax="[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
)
def xread(ctx: Context, argv: list[bytes]) -> object:
    options = _parse(argv, False, ctx.client.scripted)
    waiting = argv
    found: list[object] = []
    starts: list[int] = []
    for index in range(options.streams):
        place = options.ids + index
        stream = to_read(ctx, argv[options.keys + index])
        if argv[place] == b"$":
            starts.append(0 if stream is None else stream.last_id)
            if waiting is argv:
                waiting = argv.copy()
            waiting[place] = id_text(starts[index])
        elif argv[place] == b">":
            raise CommandError(_NEW_IN_XREAD)
        else:
            starts.append(strict_id(argv[place]))
    for index in range(options.streams):
        key = argv[options.keys + index]
        stream = to_read(ctx, key)
        start = starts[index]
        if stream is not None and stream.has_after(start):
            found += [key, entries_reply(stream.range(start + 1, LARGEST, options.count))]
    return _answer(ctx, options, waiting, found, False)


@command(
    "XREADGROUP",
    arity=-7,
    flags=WRITE | BLOCKING | MOVABLE_KEYS,
    keys=(after(b"STREAMS", 4, "RO access", last=-1, limit=2),),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of entries returned.",
    summary="Hands entries of streams to a consumer of a group, or shows those that it holds; may wait for new ones.",
    syntax="GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]",
)
def xreadgroup(ctx: Context, argv: list[bytes]) -> object:
    options = _parse(argv, True, ctx.client.scripted)
    journal_nothing(ctx)
    read: list[_GroupRead] = []
    for index in range(options.streams):
        key = argv[options.keys + index]
        stream, group = group_to_read(ctx, key, options.group, b" in XREADGROUP with GROUP option")
        text = argv[options.ids + index]
        if text == b"$":
            raise CommandError(_LAST_IN_GROUP)
        start = LARGEST if text == b">" else strict_id(text)
        read.append(_GroupRead(ctx, key, options, stream, group, start))
    found: list[object] = []
    for one in read:
        # The look-up that Redis makes a second time counts.
        ctx.lookup(one.key)
        reply = one.run()
        if reply is not None:
            found += [one.key, reply]
            ctx.engine.dirty += 1
    return _answer(ctx, options, argv, found, True)


class _Options:
    """What stands before the keys; `keys` and `ids` are the indexes of the first key and the first id."""

    def __init__(self) -> None:
        self.count = _ALL
        self.block_ms = _NO_BLOCK
        self.acknowledged = False
        self.group = b""
        self.consumer = b""
        self.streams = 0
        self.keys = 0
        self.ids = 0


def _parse(argv: list[bytes], grouped: bool, scripted: bool) -> _Options:
    options = _Options()
    has_group = False
    index = 1
    while index < len(argv):
        word = argv[index].upper()
        more = len(argv) - index - 1
        if word == b"BLOCK" and more:
            if scripted:
                raise CommandError(b"ERR " + argv[0] + b" command is not allowed with BLOCK option from scripts")
            index += 1
            options.block_ms = _timeout(argv[index])
        elif word == b"COUNT" and more:
            index += 1
            count = to_i64(argv[index])
            options.count = count if 0 < count < _ALL else _ALL
        elif word == b"STREAMS" and more:
            if more % 2:
                raise CommandError(_UNBALANCED)
            options.streams = more // 2
            options.keys = index + 1
            options.ids = options.keys + options.streams
            break
        elif word == b"GROUP" and more >= 2:
            if not grouped:
                raise CommandError(_ONLY_IN_GROUP % word)
            has_group = True
            options.group = argv[index + 1]
            options.consumer = argv[index + 2]
            index += 2
        elif word == b"NOACK":
            if not grouped:
                raise CommandError(_ONLY_IN_GROUP % word)
            options.acknowledged = True
        else:
            raise CommandError(SYNTAX)
        index += 1
    if not options.streams:
        raise CommandError(SYNTAX)
    if grouped and not has_group:
        raise CommandError(b"ERR Missing GROUP option for XREADGROUP")
    return options


def _timeout(text: bytes) -> int:
    """Milliseconds to wait, 0 for ever."""
    timeout = parse_i64(text)
    if timeout is None:
        raise CommandError(b"ERR timeout is not an integer or out of range")
    if timeout < 0:
        raise CommandError(b"ERR timeout is negative")
    return timeout if timeout < _LONGEST_MS else 0


def _answer(ctx: Context, options: _Options, argv: list[bytes], found: list[object], grouped: bool) -> object:
    """The reply from keys and entries in turn, or the beginning of waiting."""
    if found:
        return PairedMap(found)
    if options.block_ms == _NO_BLOCK:
        return NULL_ARRAY
    keys = argv[options.keys : options.ids]
    return wait_for_keys(ctx, keys, KIND, argv, options.block_ms, NULL_ARRAY, gone=grouped)


class _GroupRead:
    """The part of one XREADGROUP that concerns one stream; `start` is an id, or LARGEST for `>`."""

    def __init__(
        self, ctx: Context, key: bytes, options: _Options, stream: Stream, group: ConsumerGroup, start: int
    ) -> None:
        self.key: Final = key
        self._ctx: Final = ctx
        self._options: Final = options
        self._stream: Final = stream
        self._group: Final = group
        self._start: Final = start

    def run(self) -> list[object] | None:
        """The entries, or None where there is nothing to answer yet."""
        ctx = self._ctx
        group = self._group
        consumer, created = consumer_of(ctx, self.key, group, self._options.consumer)
        new = self._start == LARGEST and self._stream.has_after(group.last_id)
        if created and (self._options.acknowledged or not new):
            # A consumer that gets nothing to hold is known from no other record.
            journal_consumer(ctx, self.key, self._options.group, consumer)
        if self._start != LARGEST:
            return self._held(consumer)
        return self._new(consumer) if new else None

    def _held(self, consumer: Consumer) -> list[object]:
        """The consumer's own pending entries behind `start`, each counted as delivered once more."""
        reply: list[object] = []
        now_ms = int(self._ctx.engine.now_ms)
        for pending in consumer.pending.some_from(self._start + 1, self._options.count):
            entries = self._stream.range(pending.id, pending.id, 1)
            if entries:
                reply.append(entry_reply(entries[0]))
                pending.time_ms = now_ms
                pending.count += 1
            else:
                # It has been deleted from the stream.
                reply.append([id_text(pending.id), NULL_ARRAY])
        return reply

    def _new(self, consumer: Consumer) -> list[object]:
        """Entries that the group has not been given."""
        ctx = self._ctx
        key = self.key
        name = self._options.group
        group = self._group
        stream = self._stream
        now_ms = int(ctx.engine.now_ms)
        entries = stream.range(group.last_id + 1, LARGEST, self._options.count)
        for number, _ in entries:
            stream.advance(group, number)
            if not self._options.acknowledged:
                pending = group.deliver(number, consumer, now_ms)
                consumer.active_ms = now_ms
                journal_claim(ctx, key, name, group, pending)
        journal_group_id(ctx, key, name, group)
        return entries_reply(entries)
