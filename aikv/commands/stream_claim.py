"""Taking over pending entries that another consumer of a group has left lying: XCLAIM, XAUTOCLAIM.

Theory of operation: an entry is claimed if it has not been delivered for long enough. One that has been deleted from
the stream meanwhile is no more pending, then. Each change of a pending entry is journalled as an XCLAIM that says all
of it, which is why that has options that nobody else needs.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError, quoted
from aikv.base.numbers import parse_i64
from aikv.commands.stream_arguments import interval_start, strict_id
from aikv.commands.stream_values import (
    consumer_of,
    entry_reply,
    group_to_read,
    journal_claim,
    journal_consumer,
    journal_group_id,
    journal_nothing,
    note,
)
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_group import Consumer, ConsumerGroup, Pending
from aikv.datatypes.stream_id import LARGEST, ZERO, id_text, parse_id
from aikv.engine.command import FAST, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import DELETE, UPDATE

_UNSET: Final = -1
_DEFAULT_COUNT: Final = 100
# XAUTOCLAIM looks at so many entries for each that it may return.
_ATTEMPTS: Final = 10
_LARGEST_COUNT: Final = ((1 << 63) - 1) // 16
_PART: Final = 256


@command(
    "XCLAIM",
    arity=-6,
    flags=WRITE | FAST,
    keys=(UPDATE,),
    group="stream",
    since="5.0.0",
    complexity="O(log N) for each id, N being the number of pending entries.",
    summary="Gives pending entries of a group to a consumer.",
    syntax="key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] "
    "[FORCE] [JUSTID] [LASTID lastid]",
    tips=("nondeterministic_output",),
)
def xclaim(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    stream, group = group_to_read(ctx, key, argv[2])
    idle_ms = _min_idle(argv[4], b"XCLAIM")
    options = _ClaimOptions(argv, int(ctx.engine.now_ms))
    journal_nothing(ctx)
    last_id_is_new = options.last_id > group.last_id
    if last_id_is_new:
        group.last_id = options.last_id
    claim = _Claim(ctx, argv, stream, group, options.just_id)
    for number in options.numbers:
        pending = group.pending.get(number)
        if not stream.has(number):
            if pending is not None:
                claim.forget(pending)
            continue
        if pending is None:
            if not options.force:
                continue
            pending = group.add(number, claim.consumer, options.time_ms, 1)
        elif idle_ms and claim.now_ms - pending.time_ms < idle_ms:
            continue
        pending.time_ms = options.time_ms
        if options.count != _UNSET:
            pending.count = options.count
        elif not options.just_id:
            pending.count += 1
        claim.take(pending)
    if last_id_is_new and not claim.journalled:
        journal_group_id(ctx, key, argv[2], group)
        note(ctx, key, None)
    claim.finish()
    return claim.reply


@command(
    "XAUTOCLAIM",
    arity=-6,
    flags=WRITE | FAST,
    keys=(DELETE,),
    group="stream",
    since="6.2.0",
    complexity="O(1) for a small COUNT.",
    summary="Gives those pending entries of a group to a consumer that have been delivered long ago.",
    syntax="key group consumer min-idle-time start [COUNT count] [JUSTID]",
    tips=("nondeterministic_output",),
)
def xautoclaim(ctx: Context, argv: list[bytes]) -> object:
    idle_ms = _min_idle(argv[4], b"XAUTOCLAIM")
    start = interval_start(argv[5])
    count = _DEFAULT_COUNT
    just_id = False
    index = 6
    while index < len(argv):
        word = argv[index].upper()
        if word == b"COUNT" and index + 1 < len(argv):
            index += 1
            count = _count(argv[index])
        elif word == b"JUSTID":
            just_id = True
        else:
            raise CommandError(SYNTAX)
        index += 1
    stream, group = group_to_read(ctx, argv[1], argv[2])
    journal_nothing(ctx)
    claim = _Claim(ctx, argv, stream, group, just_id)
    deleted: list[object] = []
    attempts = count * _ATTEMPTS
    part = group.pending.some_from(start, _PART)
    place = 0
    while attempts and count and part:
        pending = part[place]
        if not stream.has(pending.id):
            claim.forget(pending)
            deleted.append(id_text(pending.id))
            count -= 1
        elif not idle_ms or claim.now_ms - pending.time_ms >= idle_ms:
            pending.time_ms = claim.now_ms
            if not just_id:
                pending.count += 1
            claim.take(pending)
            count -= 1
        attempts -= 1
        place += 1
        if place == len(part):
            part = group.pending.some_from(pending.id + 1, _PART) if pending.id < LARGEST else []
            place = 0
    claim.finish()
    following = part[place].id if part else ZERO
    return [id_text(following), claim.reply, deleted]


def _min_idle(text: bytes, name: bytes) -> int:
    idle_ms = parse_i64(text)
    if idle_ms is None:
        raise CommandError(b"ERR Invalid min-idle-time argument for " + name)
    return max(0, idle_ms)


def _count(text: bytes) -> int:
    count = parse_i64(text)
    if count is None or not 1 <= count <= _LARGEST_COUNT:
        raise CommandError(b"ERR COUNT must be > 0")
    return count


class _ClaimOptions:
    """Ids and options of XCLAIM; what is not given is -1, and the time of delivery is now."""

    def __init__(self, argv: list[bytes], now_ms: int) -> None:
        self.numbers: Final[list[int]] = []
        self.time_ms = _UNSET
        self.count = _UNSET
        self.force = False
        self.just_id = False
        self.last_id = ZERO
        index = 5
        while index < len(argv):
            number = parse_id(argv[index], ZERO)
            if number is None:
                break
            self.numbers.append(number)
            index += 1
        while index < len(argv):
            index += self._take(argv, index, now_ms)
        # A time that makes no sense, as by clocks that differ, is no error.
        if not 0 <= self.time_ms <= now_ms:
            self.time_ms = now_ms

    def _take(self, argv: list[bytes], index: int, now_ms: int) -> int:
        """Read the option at `index`; returns how many arguments it takes."""
        word = argv[index].upper()
        if word == b"FORCE":
            self.force = True
            return 1
        if word == b"JUSTID":
            self.just_id = True
            return 1
        if index + 1 < len(argv):
            value = argv[index + 1]
            if word == b"IDLE":
                self.time_ms = now_ms - _option(value, word)
                return 2
            if word == b"TIME":
                self.time_ms = _option(value, word)
                return 2
            if word == b"RETRYCOUNT":
                self.count = max(_UNSET, _option(value, word))
                return 2
            if word == b"LASTID":
                self.last_id = strict_id(value)
                return 2
        raise CommandError(b"ERR Unrecognized XCLAIM option '%b'" % quoted(argv[index]))


def _option(text: bytes, word: bytes) -> int:
    number = parse_i64(text)
    if number is None:
        raise CommandError(b"ERR Invalid %b option argument for XCLAIM" % word)
    return number


class _Claim:
    """One claiming: the consumer that takes, what is replied, and whether the journal has got anything."""

    def __init__(self, ctx: Context, argv: list[bytes], stream: Stream, group: ConsumerGroup, just_id: bool) -> None:
        self._ctx: Final = ctx
        self._key: Final = argv[1]
        self._name: Final = argv[2]
        self._stream: Final = stream
        self._group: Final = group
        self._just_id: Final = just_id
        self.now_ms: Final = int(ctx.engine.now_ms)
        self.reply: Final[list[object]] = []
        self.journalled = False
        self._taken = False
        consumer, created = consumer_of(ctx, argv[1], group, argv[3])
        self.consumer: Final[Consumer] = consumer
        self._created: Final[bool] = created

    def forget(self, pending: Pending) -> None:
        """Drop an entry that is no more in the stream."""
        self._journal(pending)
        self._group.acknowledge(pending.id)

    def take(self, pending: Pending) -> None:
        """Let the consumer hold an entry, and reply with it."""
        self._group.move(pending, self.consumer)
        self.consumer.active_ms = self.now_ms
        if self._just_id:
            self.reply.append(id_text(pending.id))
        else:
            self.reply.append(entry_reply(self._stream.range(pending.id, pending.id, 1)[0]))
        self._taken = True
        self._journal(pending)

    def finish(self) -> None:
        """Journal the consumer where no other record names it."""
        if self._created and not self._taken:
            journal_consumer(self._ctx, self._key, self._name, self.consumer)

    def _journal(self, pending: Pending) -> None:
        journal_claim(self._ctx, self._key, self._name, self._group, pending)
        note(self._ctx, self._key, None)
        self.journalled = True
