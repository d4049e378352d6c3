"""String commands that store and fetch whole values; the others are in `counters`, `ranges` and `lcs`.

Theory of operation: a value is stored as the bytes that came, unread. A relative time to live goes to the journal as
the moment that it means, so that a replay later, or a replica with another clock, comes to the same end.

A key past its time is still in its place until somebody looks it up. Whoever overwrites a key without a look at it lets
such a predecessor go first: its end is then counted, announced and recorded as in Redis, and the new value inherits
neither its TTL nor its existence.
"""

from aikv.base.errors import CommandError
from aikv.commands.set_options import (
    ABSOLUTE,
    EX,
    GET,
    GETEX_TAKES,
    KEEPTTL,
    NX,
    PERSIST,
    PX,
    SET_TAKES,
    XX,
    moment,
    parse_options,
)
from aikv.engine import events
from aikv.engine.command import COMMANDS, DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context, string_bytes
from aikv.engine.keyspec import OVERWRITE, READ, READ_DELETE, READ_UPDATE, at
from aikv.engine.refusal import wrong_arity
from aikv.resp.reply import OK


@command(
    "GET",
    arity=2,
    flags=READONLY | FAST,
    keys=(READ,),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns the string value of a key.",
    syntax="key",
)
def get(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.lookup(argv[1])
    return value if type(value) is bytes or value is None else string_bytes(value)


@command(
    "SET",
    arity=-3,
    flags=WRITE | DENYOOM,
    keys=(at(1, "RW access update variable_flags"),),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Sets a key to a string value, whatever it held before.",
    syntax="key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
    "PXAT unix-time-milliseconds | KEEPTTL]",
)
def set_(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) == 3:
        ctx.store(argv[1], argv[2], events.STR_SET)
        return OK
    flags, time_index = parse_options(argv, 3, SET_TAKES)
    when = moment(ctx, argv[time_index], flags, "set") if time_index else 0
    key = argv[1]
    reply: object = OK
    if flags & GET:
        old = ctx.lookup(key)
        reply = None if old is None else string_bytes(old)
    elif flags & (NX | XX):
        old = ctx.peek(key)
    else:
        old = None
        ctx.forget_expired(key)
    if (flags & NX and old is not None) or (flags & XX and old is None):
        return reply if flags & GET else None
    if time_index:
        _store_until(ctx, key, argv[2], when)
        return reply
    if flags & KEEPTTL:
        ctx.release(key)
        ctx.put(key, argv[2])
    else:
        ctx.replace(key, argv[2])
    if flags & GET:
        ctx.rewrite([word for index, word in enumerate(argv) if index < 3 or word.upper() != b"GET"])
    ctx.changed(key, events.STR_SET)
    return reply


@command(
    "SETNX",
    arity=3,
    flags=WRITE | DENYOOM | FAST,
    keys=(at(1, "OW insert"),),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Sets a key to a string value only where the key does not exist.",
    syntax="key value",
)
def setnx(ctx: Context, argv: list[bytes]) -> object:
    if ctx.peek(argv[1]) is not None:
        return 0
    ctx.put(argv[1], argv[2])
    ctx.changed(argv[1], events.STR_SET)
    return 1


@command(
    "SETEX",
    arity=4,
    flags=WRITE | DENYOOM,
    keys=(OVERWRITE,),
    group="string",
    since="2.0.0",
    complexity="O(1)",
    summary="Sets a key to a string value and its time to live in seconds.",
    syntax="key seconds value",
)
def setex(ctx: Context, argv: list[bytes]) -> object:
    when = moment(ctx, argv[2], EX, "setex")
    ctx.forget_expired(argv[1])
    _store_until(ctx, argv[1], argv[3], when)
    return OK


@command(
    "PSETEX",
    arity=4,
    flags=WRITE | DENYOOM,
    keys=(OVERWRITE,),
    group="string",
    since="2.6.0",
    complexity="O(1)",
    summary="Sets a key to a string value and its time to live in milliseconds.",
    syntax="key milliseconds value",
)
def psetex(ctx: Context, argv: list[bytes]) -> object:
    when = moment(ctx, argv[2], PX, "psetex")
    ctx.forget_expired(argv[1])
    _store_until(ctx, argv[1], argv[3], when)
    return OK


@command(
    "GETSET",
    arity=3,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="string",
    since="1.0.0",
    complexity="O(1)",
    summary="Sets a key to a string value and returns the one before.",
    syntax="key value",
)
def getset(ctx: Context, argv: list[bytes]) -> object:
    old = ctx.lookup_string(argv[1])
    ctx.replace(argv[1], argv[2])
    ctx.rewrite([b"SET", argv[1], argv[2]])
    ctx.changed(argv[1], events.STR_SET)
    return old


@command(
    "GETDEL",
    arity=2,
    flags=WRITE | FAST,
    keys=(READ_DELETE,),
    group="string",
    since="6.2.0",
    complexity="O(1)",
    summary="Returns the string value of a key and removes the key.",
    syntax="key",
)
def getdel(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    value = ctx.lookup_string(key)
    if value is not None:
        _delete(ctx, key)
    return value


@command(
    "GETEX",
    arity=-2,
    flags=WRITE | FAST,
    keys=(READ_UPDATE,),
    group="string",
    since="6.2.0",
    complexity="O(1)",
    summary="Returns the string value of a key and sets or drops its time to live.",
    syntax="key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
)
def getex(ctx: Context, argv: list[bytes]) -> object:
    flags, time_index = parse_options(argv, 2, GETEX_TAKES)
    key = argv[1]
    value = ctx.lookup_string(key)
    if value is None:
        return None
    if time_index:
        when = moment(ctx, argv[time_index], flags, "getex")
        if flags & ABSOLUTE and when <= ctx.engine.now_ms:
            _delete(ctx, key)
        else:
            ctx.db.set_expire(key, when)
            ctx.rewrite([b"PEXPIREAT", key, b"%d" % when])
            ctx.changed(key, events.EXPIRE)
    elif flags & PERSIST and ctx.db.persist(key):
        ctx.rewrite([b"PERSIST", key])
        ctx.changed(key, events.PERSIST)
    return value


@command(
    "MGET",
    arity=-2,
    flags=READONLY | FAST,
    keys=(at(1, "RO access", last=-1),),
    group="string",
    since="1.0.0",
    complexity="O(N) where N is the number of keys to retrieve.",
    summary="Returns the string values of several keys; null for a key that holds none.",
    syntax="key [key ...]",
    tips=("request_policy:multi_shard",),
)
def mget(ctx: Context, argv: list[bytes]) -> object:
    values: list[object] = []
    for index in range(1, len(argv)):
        value = ctx.lookup(argv[index])
        if value is None or type(value) is bytes:
            values.append(value)
        elif isinstance(value, int | bytes | bytearray):
            values.append(string_bytes(value))
        else:
            values.append(None)
    return values


@command(
    "MSET",
    arity=-3,
    flags=WRITE | DENYOOM,
    keys=(at(1, "OW update", last=-1, step=2),),
    group="string",
    since="1.0.1",
    complexity="O(N) where N is the number of keys to set.",
    summary="Sets several keys to string values at once.",
    syntax="key value [key value ...]",
    tips=("request_policy:multi_shard", "response_policy:all_succeeded"),
)
def mset(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) % 2 == 0:
        raise CommandError(wrong_arity(COMMANDS[b"mset"]))
    for index in range(1, len(argv), 2):
        ctx.store(argv[index], argv[index + 1], events.STR_SET)
    return OK


@command(
    "MSETNX",
    arity=-3,
    flags=WRITE | DENYOOM,
    keys=(at(1, "OW insert", last=-1, step=2),),
    group="string",
    since="1.0.1",
    complexity="O(N) where N is the number of keys to set.",
    summary="Sets several keys to string values at once, only where none of them exists.",
    syntax="key value [key value ...]",
    tips=("request_policy:multi_shard", "response_policy:agg_min"),
)
def msetnx(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) % 2 == 0:
        raise CommandError(wrong_arity(COMMANDS[b"msetnx"]))
    for index in range(1, len(argv), 2):
        if ctx.peek(argv[index]) is not None:
            return 0
    for index in range(1, len(argv), 2):
        ctx.put(argv[index], argv[index + 1])
        ctx.changed(argv[index], events.STR_SET)
    return 1


def _store_until(ctx: Context, key: bytes, value: bytes, when: int) -> None:
    """Store a string at `key`, which has been looked up, until Unix ms `when`."""
    if ctx.db.collections:
        ctx.release(key)
    ctx.put(key, value)
    ctx.db.set_expire(key, when)
    # A third of the command's time, so it is not spent where nobody reads the journal.
    if ctx.engine.journal.active:
        ctx.rewrite([b"SET", key, value, b"PXAT", b"%d" % when])
    ctx.changed(key, events.STR_SET)
    ctx.notify(key, events.EXPIRE)


def _delete(ctx: Context, key: bytes) -> None:
    """Remove `key`, which exists; recorded as DEL whatever the command was."""
    ctx.remove(key)
    ctx.rewrite([b"DEL", key])
    ctx.changed(key, events.DEL)
