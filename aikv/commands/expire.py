"""Times to live: setting, asking, dropping them.

Theory of operation: all four commands that set one come down to the moment, in Unix milliseconds, at which the key runs
out, and that is what the journal gets. A moment that has already passed removes the key at once.
"""

from typing import Final

from aikv.base.errors import CommandError, quoted
from aikv.engine import events
from aikv.engine.command import FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.expire_time import MILLISECONDS, SECONDS, expire_at
from aikv.engine.keyspec import READ, at
from aikv.keyspace.database import NO_EXPIRY

_UPDATE: Final = at(1, "RW update")
_CONDITIONS: Final = "[NX | XX | GT | LT]"
_NX: Final = 1
_XX: Final = 2
_GT: Final = 4
_LT: Final = 8
_OPTIONS: Final[dict[bytes, int]] = {b"NX": _NX, b"XX": _XX, b"GT": _GT, b"LT": _LT}
_NO_SUCH_KEY: Final = -2


@command(
    "EXPIRE",
    arity=-3,
    flags=WRITE | FAST,
    keys=(_UPDATE,),
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Lets a key run out in a number of seconds.",
    syntax="key seconds " + _CONDITIONS,
)
def expire(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, SECONDS, int(ctx.engine.now_ms), "expire")


@command(
    "PEXPIRE",
    arity=-3,
    flags=WRITE | FAST,
    keys=(_UPDATE,),
    group="generic",
    since="2.6.0",
    complexity="O(1)",
    summary="Lets a key run out in a number of milliseconds.",
    syntax="key milliseconds " + _CONDITIONS,
)
def pexpire(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, MILLISECONDS, int(ctx.engine.now_ms), "pexpire")


@command(
    "EXPIREAT",
    arity=-3,
    flags=WRITE | FAST,
    keys=(_UPDATE,),
    group="generic",
    since="1.2.0",
    complexity="O(1)",
    summary="Lets a key run out at a Unix time in seconds.",
    syntax="key unix-time-seconds " + _CONDITIONS,
)
def expireat(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, SECONDS, 0, "expireat")


@command(
    "PEXPIREAT",
    arity=-3,
    flags=WRITE | FAST,
    keys=(_UPDATE,),
    group="generic",
    since="2.6.0",
    complexity="O(1)",
    summary="Lets a key run out at a Unix time in milliseconds.",
    syntax="key unix-time-milliseconds " + _CONDITIONS,
)
def pexpireat(ctx: Context, argv: list[bytes]) -> object:
    return _expire(ctx, argv, MILLISECONDS, 0, "pexpireat")


def _expire(ctx: Context, argv: list[bytes], unit: int, base_ms: int, name: str) -> int:
    conditions = _conditions(argv) if len(argv) > 3 else 0
    when = expire_at(argv[2], unit, base_ms, name, positive=False)
    key = argv[1]
    if ctx.peek(key) is None or (conditions and not _holds(ctx.db.expire_of(key), when, conditions)):
        return 0
    # While a file is loaded what it says is taken as it is: a later command of it may still need the key.
    if when <= ctx.engine.now_ms and not ctx.db.loading:
        ctx.remove(key)
        ctx.rewrite([b"DEL", key])
        ctx.changed(key, events.DEL)
        return 1
    ctx.db.set_expire(key, when)
    if unit == SECONDS or base_ms:
        ctx.rewrite([b"PEXPIREAT", key, b"%d" % when, *argv[3:]])
    ctx.changed(key, events.EXPIRE)
    return 1


def _conditions(argv: list[bytes]) -> int:
    conditions = 0
    for index in range(3, len(argv)):
        option = _OPTIONS.get(argv[index].upper())
        if option is None:
            raise CommandError(b"ERR Unsupported option " + quoted(argv[index]))
        conditions |= option
    if conditions & _NX and conditions != _NX:
        raise CommandError(b"ERR NX and XX, GT or LT options at the same time are not compatible")
    if conditions & _GT and conditions & _LT:
        raise CommandError(b"ERR GT and LT options at the same time are not compatible")
    return conditions


def _holds(current: int, when: int, conditions: int) -> bool:
    """Whether a key that runs out at `current` may be made to run out at `when`; no TTL counts as an infinite one."""
    if current == NO_EXPIRY:
        return not conditions & (_XX | _GT)
    if conditions & _NX:
        return False
    if conditions & _GT:
        return when > current
    return not conditions & _LT or when < current


@command(
    "PERSIST",
    arity=2,
    flags=WRITE | FAST,
    keys=(_UPDATE,),
    group="generic",
    since="2.2.0",
    complexity="O(1)",
    summary="Drops the time to live of a key.",
    syntax="key",
)
def persist(ctx: Context, argv: list[bytes]) -> object:
    if ctx.peek(argv[1]) is None or not ctx.db.persist(argv[1]):
        return 0
    ctx.changed(argv[1], events.PERSIST)
    return 1


@command(
    "TTL",
    arity=2,
    flags=READONLY | FAST,
    keys=(READ,),
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns the seconds until a key runs out; -1 without a time to live, -2 without the key.",
    syntax="key",
    tips=("nondeterministic_output",),
)
def ttl(ctx: Context, argv: list[bytes]) -> object:
    return _seconds(_remaining(ctx, argv[1]))


@command(
    "PTTL",
    arity=2,
    flags=READONLY | FAST,
    keys=(READ,),
    group="generic",
    since="2.6.0",
    complexity="O(1)",
    summary="Returns the milliseconds until a key runs out; -1 without a time to live, -2 without the key.",
    syntax="key",
    tips=("nondeterministic_output",),
)
def pttl(ctx: Context, argv: list[bytes]) -> object:
    return _remaining(ctx, argv[1])


@command(
    "EXPIRETIME",
    arity=2,
    flags=READONLY | FAST,
    keys=(READ,),
    group="generic",
    since="7.0.0",
    complexity="O(1)",
    summary="Returns the Unix time in seconds at which a key runs out; -1 without a time to live, -2 without the key.",
    syntax="key",
)
def expiretime(ctx: Context, argv: list[bytes]) -> object:
    return _seconds(_moment(ctx, argv[1]))


@command(
    "PEXPIRETIME",
    arity=2,
    flags=READONLY | FAST,
    keys=(READ,),
    group="generic",
    since="7.0.0",
    complexity="O(1)",
    summary="Returns the Unix time in milliseconds at which a key runs out; "
    "-1 without a time to live, -2 without the key.",
    syntax="key",
)
def pexpiretime(ctx: Context, argv: list[bytes]) -> object:
    return _moment(ctx, argv[1])


def _moment(ctx: Context, key: bytes) -> int:
    if ctx.look(key) is None:
        return _NO_SUCH_KEY
    return ctx.db.expire_of(key)


def _remaining(ctx: Context, key: bytes) -> int:
    when = _moment(ctx, key)
    return max(0, when - int(ctx.engine.now_ms)) if when >= 0 else when


def _seconds(milliseconds: int) -> int:
    """Rounded to the nearest, as Redis does; the two special answers stay."""
    return (milliseconds + 500) // 1000 if milliseconds >= 0 else milliseconds
