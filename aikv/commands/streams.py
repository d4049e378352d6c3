"""Commands on the entries of streams: XADD, XLEN, XRANGE, XREVRANGE, XDEL, XTRIM, XSETID.

Theory of operation: ids that the server chooses, and trimmings that stop where nodes end, go to the journal as what
came of them, so that a replay gives the same stream whatever its clock and its nodes are.
"""

from typing import Final

from aikv.base.errors import NO_SUCH_KEY, SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.commands.stream_arguments import (
    BY_LENGTH,
    BY_NOTHING,
    Trimming,
    interval_end,
    interval_start,
    parse_trimming,
    strict_id,
)
from aikv.commands.stream_values import ADDED, DELETED, ID_SET, TRIMMED, entries_reply, note, to_change, to_read
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.stream import LARGEST_NODE, Stream
from aikv.datatypes.stream_id import LARGEST, ZERO, id_text, parse_id, parse_partial
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import DELETE, INSPECT, READ, UPDATE
from aikv.resp.reply import NULL_ARRAY, OK

_WRONG_ARITY: Final = b"ERR wrong number of arguments for 'xadd' command"
_ZERO_ID: Final = b"ERR The ID specified in XADD must be greater than 0-0"
_EXHAUSTED: Final = b"ERR The stream has exhausted the last possible ID, unable to add more items"
_NOT_ABOVE: Final = b"ERR The ID specified in XADD is equal or smaller than the target stream top item"
_TOO_LARGE: Final = b"ERR Elements are too large to be stored"
_UNSET: Final = -1


@command(
    "XADD",
    arity=-5,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="stream",
    since="5.0.0",
    complexity="O(1), and O(N) for N entries that are trimmed.",
    summary="Appends an entry to a stream, and may trim it.",
    syntax="key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
    tips=("nondeterministic_output",),
)
def xadd(ctx: Context, argv: list[bytes]) -> object:
    options = parse_trimming(argv, True, ctx.client.internal)
    place = options.next
    given = len(argv) - place - 1
    if given < 2 or given % 2:
        raise CommandError(_WRONG_ARITY)
    text = argv[place]
    if text != b"*" and parse_partial(text) is None and parse_id(text, ZERO) == ZERO:
        raise CommandError(_ZERO_ID)
    key = argv[1]
    stream = to_change(ctx, key)
    created = stream is None
    if stream is None:
        if not options.create:
            return None
        stream = Stream()
    number = _new_id(stream, text, int(ctx.engine.now_ms))
    texts = argv[place + 1 :]
    if sum(map(len, texts)) > LARGEST_NODE:
        raise CommandError(_TOO_LARGE)
    stream.append(number, texts, CONFIGURED)
    if created:
        ctx.put(key, stream)
    ctx.changed(key, ADDED)
    reply = id_text(number)
    rewritten = argv.copy()
    if options.strategy != BY_NOTHING:
        if _trim(stream, options):
            ctx.notify(key, TRIMMED)
        if options.approximate:
            _rewrite_trimming(rewritten, stream, options)
    if text == b"*" or parse_partial(text) is not None:
        rewritten[place] = reply
    ctx.rewrite(rewritten)
    return reply


def _new_id(stream: Stream, text: bytes, now_ms: int) -> int:
    """The id that `text` gives to a new entry, or stands for."""
    if stream.last_id == LARGEST:
        raise CommandError(_EXHAUSTED)
    if text == b"*":
        return stream.next_id(now_ms)
    ms = parse_partial(text)
    number = strict_id(text) if ms is None else stream.next_id_at(ms)
    if number is None or number <= stream.last_id:
        raise CommandError(_NOT_ABOVE)
    return number


def _trim(stream: Stream, options: Trimming) -> int:
    if options.strategy == BY_LENGTH:
        return stream.trim_length(options.length, options.approximate, options.limit)
    return stream.trim_below(options.below, options.approximate, options.limit)


def _rewrite_trimming(argv: list[bytes], stream: Stream, options: Trimming) -> None:
    """Say in `argv` exactly what a trimming with `~` has left."""
    argv[options.argument - 1] = b"="
    if options.strategy == BY_LENGTH:
        argv[options.argument] = b"%d" % len(stream)
    else:
        argv[options.argument] = id_text(stream.first_node_id())


@command(
    "XTRIM",
    arity=-4,
    flags=WRITE,
    keys=(DELETE,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of entries that are removed; removing whole nodes is fast.",
    summary="Removes the oldest entries of a stream.",
    syntax="key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]",
    tips=("nondeterministic_output",),
)
def xtrim(ctx: Context, argv: list[bytes]) -> object:
    options = parse_trimming(argv, False, ctx.client.internal)
    key = argv[1]
    stream = to_change(ctx, key)
    if stream is None:
        return 0
    removed = _trim(stream, options)
    if removed:
        if options.approximate:
            rewritten = argv.copy()
            _rewrite_trimming(rewritten, stream, options)
            ctx.rewrite(rewritten)
        ctx.changed(key, TRIMMED)
        ctx.engine.dirty += removed - 1
    return removed


@command(
    "XLEN",
    arity=2,
    flags=READONLY | FAST,
    keys=(INSPECT,),
    group="stream",
    since="5.0.0",
    complexity="O(1)",
    summary="Counts the entries of a stream.",
    syntax="key",
)
def xlen(ctx: Context, argv: list[bytes]) -> object:
    stream = to_read(ctx, argv[1])
    return 0 if stream is None else len(stream)


@command(
    "XRANGE",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of entries returned.",
    summary="Returns the entries between two ids.",
    syntax="key start end [COUNT count]",
)
def xrange(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, argv[2], argv[3], False)


@command(
    "XREVRANGE",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="stream",
    since="5.0.0",
    complexity="O(N), N being the number of entries returned.",
    summary="Returns the entries between two ids, the last one first.",
    syntax="key end start [COUNT count]",
)
def xrevrange(ctx: Context, argv: list[bytes]) -> object:
    return _range(ctx, argv, argv[3], argv[2], True)


def _range(ctx: Context, argv: list[bytes], first: bytes, last: bytes, backwards: bool) -> object:
    start = interval_start(first)
    end = interval_end(last)
    count = _UNSET
    for index in range(4, len(argv), 2):
        if argv[index].upper() != b"COUNT" or index + 1 == len(argv):
            raise CommandError(SYNTAX)
        # Below zero is zero, which is not the same as no COUNT.
        count = max(0, to_i64(argv[index + 1]))
    stream = to_read(ctx, argv[1])
    if stream is None:
        return []
    if count == 0:
        return NULL_ARRAY
    most = count if count > 0 else len(stream)
    return entries_reply(stream.range_back(start, end, most) if backwards else stream.range(start, end, most))


@command(
    "XDEL",
    arity=-3,
    flags=WRITE | FAST,
    keys=(DELETE,),
    group="stream",
    since="5.0.0",
    complexity="O(log N) for each id, N being the number of nodes.",
    summary="Removes entries of a stream by their ids; returns how many were there.",
    syntax="key id [id ...]",
)
def xdel(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    stream = to_change(ctx, key)
    if stream is None:
        return 0
    numbers = [strict_id(argv[index]) for index in range(2, len(argv))]
    removed = 0
    for number in numbers:
        removed += stream.delete(number)
    if removed:
        ctx.changed(key, DELETED)
        ctx.engine.dirty += removed - 1
    return removed


@command(
    "XSETID",
    arity=-3,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="stream",
    since="5.0.0",
    complexity="O(1)",
    summary="Sets the last id of a stream, for replaying a journal.",
    syntax="key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
)
def xsetid(ctx: Context, argv: list[bytes]) -> object:
    number = strict_id(argv[2])
    added = _UNSET
    deleted = ZERO
    for index in range(3, len(argv), 2):
        word = argv[index].upper()
        if index + 1 == len(argv) or word not in (b"ENTRIESADDED", b"MAXDELETEDID"):
            raise CommandError(SYNTAX)
        if word == b"ENTRIESADDED":
            added = to_i64(argv[index + 1])
            if added < 0:
                raise CommandError(b"ERR entries_added must be positive")
        else:
            deleted = strict_id(argv[index + 1])
            if number < deleted:
                raise CommandError(b"ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
    stream = to_change(ctx, argv[1])
    if stream is None:
        raise CommandError(NO_SUCH_KEY)
    if number < stream.max_deleted_id:
        raise CommandError(b"ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    if len(stream):
        if number < stream.last_live():
            raise CommandError(b"ERR The ID specified in XSETID is smaller than the target stream top item")
        if added != _UNSET and len(stream) > added:
            raise CommandError(b"ERR The entries_added specified in XSETID is smaller than the target stream length")
    stream.set_last_id(number)
    if added != _UNSET:
        stream.entries_added = added
    if deleted != ZERO:
        stream.max_deleted_id = deleted
    note(ctx, argv[1], ID_SET)
    return OK
