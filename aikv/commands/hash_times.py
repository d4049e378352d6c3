"""Times at which fields of a hash run out (Redis 7.4): setting, asking, dropping them.

Theory of operation: as for keys (`expire`), all four commands that set a time come down to the moment, in Unix
milliseconds, at which the fields run out; a moment that has passed removes them at once. The journal gets that moment
and those fields that took it, without the condition, and the HDEL of fields that are removed.
Source of the replies and texts: https://redis.io/docs/latest/commands/hexpire/ and its neighbours.
"""

from typing import Final

from aikv.base.errors import CommandError
from aikv.base.numbers import parse_i64, to_i64
from aikv.commands.hash_lookup import lookup_hash, peek_hash
from aikv.datatypes.field_times import NO_TIME
from aikv.datatypes.hashes import Hash
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.expire_time import MILLISECONDS, SECONDS, invalid_expire
from aikv.engine.keyspec import READ, UPDATE

_SINCE: Final = "7.4.0"
_COMPLEXITY: Final = "O(N) for N fields."
_FIELDS: Final = "FIELDS numfields field [field ...]"
_CONDITIONS: Final = (b"NX", b"XX", b"GT", b"LT")
_LATEST: Final = (1 << 46) - 1
_VARYING: Final = ("nondeterministic_output",)

_NO_FIELD: Final = -2
_NO_TTL: Final = -1
_NOT_MET: Final = 0
_DONE: Final = 1
_DELETED: Final = 2

_NO_FIELDS_WORD: Final = b"ERR Mandatory argument FIELDS is missing or not at the right position"
_FEW_FIELDS: Final = b"ERR Parameter `numFields` should be greater than 0"
_NOT_POSITIVE: Final = b"ERR Number of fields must be a positive integer"
_OTHER_COUNT: Final = b"ERR The `numfields` parameter must match the number of arguments"
_NEGATIVE: Final = b"ERR invalid expire time, must be >= 0"


@command(
    "HEXPIRE",
    arity=-6,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Lets fields of a hash run out in a number of seconds.",
    syntax="key seconds [NX | XX | GT | LT] " + _FIELDS,
)
def hexpire(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, SECONDS, int(ctx.engine.now_ms), "hexpire")


@command(
    "HPEXPIRE",
    arity=-6,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Lets fields of a hash run out in a number of milliseconds.",
    syntax="key milliseconds [NX | XX | GT | LT] " + _FIELDS,
)
def hpexpire(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, MILLISECONDS, int(ctx.engine.now_ms), "hpexpire")


@command(
    "HEXPIREAT",
    arity=-6,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Lets fields of a hash run out at a Unix time in seconds.",
    syntax="key unix-time-seconds [NX | XX | GT | LT] " + _FIELDS,
)
def hexpireat(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, SECONDS, 0, "hexpireat")


@command(
    "HPEXPIREAT",
    arity=-6,
    flags=WRITE | DENYOOM | FAST,
    keys=(UPDATE,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Lets fields of a hash run out at a Unix time in milliseconds.",
    syntax="key unix-time-milliseconds [NX | XX | GT | LT] " + _FIELDS,
)
def hpexpireat(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, MILLISECONDS, 0, "hpexpireat")


def _expire(ctx: Context, argv: list[bytes], unit: int, base_ms: int, name: str) -> object:
    key = argv[1]
    held = peek_hash(ctx, key)
    when = _moment(argv[2], unit, base_ms, name)
    condition = argv[3].upper()
    if condition in _CONDITIONS:
        first = _first_field(argv, 4, _FEW_FIELDS)
    else:
        condition = b""
        first = _first_field(argv, 3, _FEW_FIELDS)
    if held is None:
        return [_NO_FIELD] * (len(argv) - first)
    # While a file is loaded what it says is taken as it is: a later command of it may still need the field.
    past = when <= ctx.engine.now_ms and not ctx.db.loading
    replies: list[int] = []
    taken: list[bytes] = []
    for index in range(first, len(argv)):
        field = argv[index]
        reply = _NOT_MET
        if field not in held:
            reply = _NO_FIELD
        elif _holds(held.expiry_of(field), when, condition):
            taken.append(field)
            if past:
                held.delete(field)
                reply = _DELETED
            else:
                held.set_expiry(field, when)
                reply = _DONE
        replies.append(reply)
    if taken:
        _report(ctx, key, held, when, taken, past)
    return replies


def _report(ctx: Context, key: bytes, held: Hash, when: int, taken: list[bytes], past: bool) -> None:
    """Make known that the fields `taken` run out at `when`, or have been removed because that is `past`."""
    if past:
        ctx.rewrite([b"HDEL", key, *taken])
        ctx.changed_container(key, held, events.HASH_DEL, len(taken))
        return
    ctx.db.follow_fields(key, held)
    ctx.rewrite([b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"%d" % len(taken), *taken])
    ctx.changed_container(key, held, events.HASH_EXPIRE, len(taken))


def _moment(argument: bytes, unit: int, base_ms: int, name: str) -> int:
    """Unix ms at which fields are to run out; as `expire_time.expire_at`, with the smaller range that fields have."""
    value = to_i64(argument)
    if value < 0:
        raise CommandError(_NEGATIVE)
    when = value * unit + base_ms
    if when > _LATEST:
        raise invalid_expire(name)
    return when


def _holds(current: int, when: int, condition: bytes) -> bool:
    """Whether a field that runs out at `current` may be made to run out at `when`; no time counts as the latest."""
    if condition == b"":
        return True
    if current == NO_TIME:
        return condition in (b"NX", b"LT")
    if condition == b"GT":
        return when > current
    return condition == b"XX" or (condition == b"LT" and when < current)


def _first_field(argv: list[bytes], word: int, bad_count: bytes) -> int:
    """The index of the first field in `argv`, with FIELDS at index `word`. Raises CommandError, e.g. `bad_count`."""
    if argv[word].upper() != b"FIELDS":
        raise CommandError(_NO_FIELDS_WORD)
    count = parse_i64(argv[word + 1])
    if count is None or count < 1:
        raise CommandError(bad_count)
    if count != len(argv) - word - 2:
        raise CommandError(_OTHER_COUNT)
    return word + 2


@command(
    "HTTL",
    arity=-5,
    flags=READONLY | FAST,
    keys=(READ,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Returns the seconds until fields of a hash run out; -1 for no time, -2 for no such field.",
    syntax="key " + _FIELDS,
    tips=_VARYING,
)
def httl(ctx: Context, argv: list[bytes]) -> object:
    return _times(ctx, argv, SECONDS, int(ctx.engine.now_ms))


@command(
    "HPTTL",
    arity=-5,
    flags=READONLY | FAST,
    keys=(READ,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Returns the milliseconds until fields of a hash run out; -1 for no time, -2 for no such field.",
    syntax="key " + _FIELDS,
    tips=_VARYING,
)
def hpttl(ctx: Context, argv: list[bytes]) -> object:
    return _times(ctx, argv, MILLISECONDS, int(ctx.engine.now_ms))


@command(
    "HEXPIRETIME",
    arity=-5,
    flags=READONLY | FAST,
    keys=(READ,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Returns the Unix times in seconds at which fields of a hash run out; -1 for none, -2 for no such field.",
    syntax="key " + _FIELDS,
)
def hexpiretime(ctx: Context, argv: list[bytes]) -> object:
    return _times(ctx, argv, SECONDS, 0)


@command(
    "HPEXPIRETIME",
    arity=-5,
    flags=READONLY | FAST,
    keys=(READ,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Returns the Unix times in milliseconds at which fields of a hash run out; "
    "-1 for none, -2 for no such field.",
    syntax="key " + _FIELDS,
)
def hpexpiretime(ctx: Context, argv: list[bytes]) -> object:
    return _times(ctx, argv, MILLISECONDS, 0)


def _times(ctx: Context, argv: list[bytes], unit: int, base_ms: int) -> object:
    held = lookup_hash(ctx, argv[1])
    first = _first_field(argv, 2, _NOT_POSITIVE)
    replies: list[int] = []
    for index in range(first, len(argv)):
        reply = _NO_FIELD
        if held is not None and argv[index] in held:
            when = held.expiry_of(argv[index])
            # Rounded up, as Redis does.
            reply = _NO_TTL if when == NO_TIME else (when - base_ms + unit - 1) // unit
        replies.append(reply)
    return replies


@command(
    "HPERSIST",
    arity=-5,
    flags=WRITE | FAST,
    keys=(UPDATE,),
    group="hash",
    since=_SINCE,
    complexity=_COMPLEXITY,
    summary="Drops the times at which fields of a hash run out.",
    syntax="key " + _FIELDS,
)
def hpersist(ctx: Context, argv: list[bytes]) -> object:
    held = peek_hash(ctx, argv[1])
    first = _first_field(argv, 2, _NOT_POSITIVE)
    replies: list[int] = []
    persisted = 0
    for index in range(first, len(argv)):
        reply = _NO_FIELD
        if held is not None and argv[index] in held:
            reply = _NO_TTL
            if held.persist_field(argv[index]):
                reply = _DONE
                persisted += 1
        replies.append(reply)
    if held is not None:
        ctx.changed_container(argv[1], held, events.HASH_PERSIST, persisted)
    return replies
