"""Values that go to another key or database: RENAME, RENAMENX, MOVE, COPY.

Theory of operation: the value's object itself moves, with its TTL; only COPY makes a second one. A key in another
database is written through the client's own context with that database put in for a moment, so that everything that
follows from a change follows here too.
"""

from aikv.base.errors import NO_SUCH_KEY, SAME_OBJECT, SYNTAX, CommandError
from aikv.datatypes.kinds import kind_of
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, WRITE, command
from aikv.engine.context import Context
from aikv.engine.databases import database_index
from aikv.engine.events import Event
from aikv.engine.keyspec import READ, READ_DELETE, READ_UPDATE, at
from aikv.keyspace.database import NO_EXPIRY, Database
from aikv.resp.reply import OK


@command(
    "RENAME",
    arity=3,
    flags=WRITE,
    keys=(READ_DELETE, at(2, "OW update")),
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Gives a key another name; a key that has that name is overwritten.",
    syntax="key newkey",
)
def rename(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.peek(argv[1])
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    if argv[1] != argv[2]:
        # A target that has run out is removed first, so that its end is reported.
        ctx.glance(argv[2])
        _rename(ctx, argv[1], argv[2], value)
    return OK


@command(
    "RENAMENX",
    arity=3,
    flags=WRITE | FAST,
    keys=(READ_DELETE, at(2, "OW insert")),
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Gives a key another name, unless a key has that name already.",
    syntax="key newkey",
)
def renamenx(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.peek(argv[1])
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    if argv[1] == argv[2] or ctx.glance(argv[2]) is not None:
        return 0
    _rename(ctx, argv[1], argv[2], value)
    return 1


def _rename(ctx: Context, source: bytes, target: bytes, value: object) -> None:
    expires_at = ctx.db.expire_of(source)
    ctx.remove(source)
    ctx.remove(target)
    _store(ctx, target, value, expires_at)
    ctx.changed(source, events.RENAME_FROM)
    ctx.changed(target, events.RENAME_TO)


@command(
    "MOVE",
    arity=3,
    flags=WRITE | FAST,
    keys=(READ_UPDATE,),
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Moves a key to another database, unless it has such a key already.",
    syntax="key db",
)
def move(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    home = ctx.db
    target = ctx.engine.databases[database_index(ctx.engine, argv[2])]
    if target is home:
        raise CommandError(SAME_OBJECT)
    value = ctx.peek(key)
    if value is None or target.find(key, ctx.engine.now_ms) is not None:
        return 0
    expires_at = home.expire_of(key)
    ctx.remove(key)
    ctx.changed(key, events.MOVE_FROM)
    _store_in(ctx, target, key, value, expires_at, events.MOVE_TO)
    return 1


@command(
    "COPY",
    arity=-3,
    flags=WRITE | DENYOOM,
    keys=(READ, at(2, "OW update")),
    group="generic",
    since="6.2.0",
    complexity="O(N) for a value of N elements, O(1) for a string.",
    summary="Copies the value of a key to another key.",
    syntax="source destination [DB destination-db] [REPLACE]",
)
def copy(ctx: Context, argv: list[bytes]) -> object:
    target, replace = _copy_options(ctx, argv)
    source_key, target_key = argv[1], argv[2]
    if target is ctx.db and source_key == target_key:
        raise CommandError(SAME_OBJECT)
    value = ctx.lookup(source_key)
    if value is None:
        return 0
    if target.find(target_key, ctx.engine.now_ms) is not None:
        if not replace:
            return 0
        ctx.engine.releaser.value(target.remove(target_key))
    copied = kind_of(value).copy(value)
    _store_in(ctx, target, target_key, copied, ctx.db.expire_of(source_key), events.COPY_TO)
    return 1


def _copy_options(ctx: Context, argv: list[bytes]) -> tuple[Database, bool]:
    target = ctx.db
    replace = False
    index = 3
    while index < len(argv):
        option = argv[index].upper()
        if option == b"REPLACE":
            replace = True
        elif option == b"DB" and index + 1 < len(argv):
            index += 1
            target = ctx.engine.databases[database_index(ctx.engine, argv[index])]
        else:
            raise CommandError(SYNTAX)
        index += 1
    return target, replace


def _store_in(ctx: Context, target: Database, key: bytes, value: object, expires_at: int, event: Event) -> None:
    home = ctx.db
    ctx.db = target
    _store(ctx, key, value, expires_at)
    ctx.changed(key, event)
    ctx.db = home


def _store(ctx: Context, key: bytes, value: object, expires_at: int) -> None:
    ctx.replace(key, value)
    ctx.db.follow_fields(key, value)
    if expires_at != NO_EXPIRY:
        ctx.db.set_expire(key, expires_at)
