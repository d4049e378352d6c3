"""DUMP and RESTORE: one value as bytes, and back. The format is told in `persistence.dump`."""

from typing import Final

from aikv.base.errors import BUSYKEY, SYNTAX, CommandError
from aikv.base.numbers import I64_MAX, I64_MIN, to_i64
from aikv.engine import events
from aikv.engine.command import ASKING, DENYOOM, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import OVERWRITE, READ
from aikv.persistence.dump import decode_dump, encode_dump
from aikv.resp.reply import OK

_UNSET: Final = -1
_SYNTAX: Final = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]"
_COMPLEXITY: Final = "O(1) for a string, O(N) for a value of N elements, O(N*log(N)) for a sorted set."


@command(
    "DUMP",
    arity=2,
    flags=READONLY,
    keys=(READ,),
    group="generic",
    since="2.6.0",
    complexity="O(1) for a string, O(N) for a value of N elements.",
    summary="Returns the value of a key as bytes for RESTORE.",
    syntax="key",
    tips=("nondeterministic_output",),
)
def dump(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.lookup(argv[1])
    if value is None:
        return None
    return encode_dump(value, ctx.engine.config.get_bool("rdbcompression"))


@command(
    "RESTORE",
    arity=-4,
    flags=WRITE | DENYOOM,
    keys=(OVERWRITE,),
    group="generic",
    since="2.6.0",
    complexity=_COMPLEXITY,
    summary="Makes a key of what DUMP returned.",
    syntax=_SYNTAX,
    acl="keyspace dangerous",
)
def restore(ctx: Context, argv: list[bytes]) -> object:
    return _restore(ctx, argv)


@command(
    "RESTORE-ASKING",
    arity=-4,
    flags=WRITE | DENYOOM | ASKING,
    keys=(OVERWRITE,),
    group="server",
    since="3.0.0",
    complexity=_COMPLEXITY,
    summary="RESTORE into a slot that is being imported; for the cluster's own use.",
    syntax=_SYNTAX,
    acl="keyspace dangerous",
)
def restore_asking(ctx: Context, argv: list[bytes]) -> object:
    return _restore(ctx, argv)


class _Options:
    """The options of RESTORE; a time or a frequency that is not given is -1."""

    def __init__(self) -> None:
        self.replace = False
        self.absolute = False
        self.idle_s = _UNSET
        self.frequency = _UNSET


def _options(argv: list[bytes]) -> _Options:
    options = _Options()
    index = 4
    while index < len(argv):
        option = argv[index].upper()
        more = index + 1 < len(argv)
        if option == b"REPLACE":
            options.replace = True
        elif option == b"ABSTTL":
            options.absolute = True
        elif option == b"IDLETIME" and more and options.frequency == _UNSET:
            index += 1
            options.idle_s = to_i64(argv[index])
            if options.idle_s < 0:
                raise CommandError(b"ERR Invalid IDLETIME value, must be >= 0")
        elif option == b"FREQ" and more and options.idle_s == _UNSET:
            index += 1
            options.frequency = to_i64(argv[index])
            if not 0 <= options.frequency <= 255:
                raise CommandError(b"ERR Invalid FREQ value, must be >= 0 and <= 255")
        else:
            raise CommandError(SYNTAX)
        index += 1
    return options


def _restore(ctx: Context, argv: list[bytes]) -> object:
    options = _options(argv)
    key = argv[1]
    existed = ctx.glance(key) is not None
    if existed and not options.replace:
        raise CommandError(BUSYKEY)
    ttl = to_i64(argv[2])
    if ttl < 0:
        raise CommandError(b"ERR Invalid TTL value, must be >= 0")
    value = decode_dump(argv[3])
    now_ms = int(ctx.engine.now_ms)
    when = ttl + now_ms if ttl and not options.absolute else ttl
    if when > I64_MAX:
        # Redis lets it wrap, and finds a time that is long past.
        when = I64_MIN
    if ttl and when <= now_ms and not ctx.db.loading:
        if existed:
            ctx.remove(key)
            ctx.rewrite([b"DEL", key])
            ctx.changed(key, events.DEL)
        return OK
    ctx.replace(key, value)
    ctx.db.follow_fields(key, value)
    if ttl:
        ctx.db.set_expire(key, when)
        if not options.absolute:
            ctx.rewrite([*argv[:2], b"%d" % when, *argv[3:], b"ABSTTL"])
    _note_use(ctx, key, options, now_ms // 1000)
    ctx.changed(key, events.RESTORE)
    return OK


def _note_use(ctx: Context, key: bytes, options: _Options, now_s: int) -> None:
    """What counts is what the policy in force measures; the other option is ignored, as in Redis."""
    if ctx.engine.lfu:
        if options.frequency != _UNSET:
            ctx.db.access.set_frequency(key, options.frequency, now_s)
    elif options.idle_s != _UNSET:
        ctx.db.set_idle(key, options.idle_s, now_s)
