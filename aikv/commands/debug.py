"""DEBUG: for tests and for looking inside.

Theory of operation: one command with its own table of subcommands, as in Redis, where it is no container. Some of them
stop or change the server, so `enable-debug-command` must let the client in.
"""

import time
from collections.abc import Callable
from typing import Final

from aikv.base import log
from aikv.base.errors import NO_SUCH_KEY, CommandError, quoted
from aikv.base.numbers import parse_double, parse_i64
from aikv.commands import debug_structures
from aikv.datatypes.kinds import kind_of
from aikv.engine.command import ADMIN, LOADING, NOSCRIPT, STALE, command
from aikv.engine.context import Context
from aikv.engine.digest import dataset_digest, key_digest
from aikv.engine.help import help_reply
from aikv.engine.origin import is_allowed
from aikv.engine.samples import sample_reply
from aikv.keyspace.database import Database
from aikv.persistence.codec import writer_of
from aikv.persistence.sink import Sink
from aikv.resp.encoder import encode
from aikv.resp.reply import OK, ErrorReply, Push, Status

_NOT_ALLOWED: Final = (
    b'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local '
    b"connection, otherwise you need to set this option in the configuration file, and then restart the server."
)
# Redis quotes at most this many bytes of a wrong word.
_QUOTED: Final = 128
_NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
_RELOAD_OPTIONS: Final = (b"MERGE", b"NOFLUSH", b"NOSAVE")
_LRU_CLOCK_MASK: Final = (1 << 24) - 1

Subcommand = Callable[[Context, list[bytes]], object]


class Entry:
    """A subcommand: who runs it, how many arguments it has (DEBUG and its name included), and its help."""

    def __init__(self, run: Subcommand, least: int, most: int, syntax: str, summary: str) -> None:
        self.run: Final = run
        self.least: Final = least
        self.most: Final = most
        self.syntax: Final = syntax
        self.summary: Final = summary


@command(
    "DEBUG",
    arity=-2,
    flags=ADMIN | NOSCRIPT | LOADING | STALE,
    group="server",
    since="1.0.0",
    complexity="Depends on subcommand.",
    summary="Serves tests of the server.",
    syntax="subcommand [arg [arg ...]]",
)
def debug(ctx: Context, argv: list[bytes]) -> object:
    if not is_allowed(ctx.engine.config.get_bytes("enable-debug-command"), ctx.client):
        raise CommandError(_NOT_ALLOWED)
    entry = _ENTRIES.get(argv[1].upper())
    if entry is None or not entry.least <= len(argv) <= entry.most:
        name = quoted(argv[1][:_QUOTED])
        raise CommandError(b"ERR unknown subcommand or wrong number of arguments for '" + name + b"'. Try DEBUG HELP.")
    return entry.run(ctx, argv)


def _sleep(_ctx: Context, argv: list[bytes]) -> object:
    # What is no number counts as 0, as with C's strtod.
    time.sleep(max(0.0, parse_double(argv[2]) or 0.0))
    return OK


def _object(ctx: Context, argv: list[bytes]) -> object:
    key = argv[2]
    value = ctx.glance(key)
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    sink = Sink()
    writer_of(value).write(sink, value, ctx.engine.config.get_bool("rdbcompression"))
    now_s = ctx.engine.now_ms // 1000
    idle_s = ctx.db.access.idle(key, now_s)
    return Status(
        b"Value at:0x%x refcount:1 encoding:%b serializedlength:%d lru:%d lru_seconds_idle:%d"
        % (id(value), kind_of(value).encoding(value), len(sink.value()), (now_s - idle_s) & _LRU_CLOCK_MASK, idle_s)
    )


def _populate(ctx: Context, argv: list[bytes]) -> object:
    count = _count(argv[2])
    prefix = argv[3] if len(argv) > 3 else b"key"
    size = _count(argv[4]) if len(argv) > 4 else 0
    for number in range(count):
        _put_sample(ctx.db, b"%b:%d" % (prefix, number), b"value:%d" % number, size)
    return OK


def _put_sample(database: Database, key: bytes, value: bytes, size: int) -> None:
    """Store `value`, cut or filled with zeros to `size` bytes (0: as it is), where `key` is not there yet."""
    if database.table.get(key) is None:
        database.put(key, value[:size].ljust(size, b"\0") if size else value)


def _count(argument: bytes) -> int:
    number = parse_i64(argument)
    if number is None or number < 0:
        raise CommandError(_NOT_POSITIVE)
    return number


def _digest(ctx: Context, _argv: list[bytes]) -> object:
    return Status(dataset_digest(ctx.engine))


def _digest_value(ctx: Context, argv: list[bytes]) -> object:
    return [Status(key_digest(ctx.db, key, ctx.glance(key))) for key in argv[2:]]


def _set_active_expire(ctx: Context, argv: list[bytes]) -> object:
    ctx.engine.active_expire = parse_i64(argv[2]) not in (None, 0)
    return OK


def _reload(ctx: Context, argv: list[bytes]) -> object:
    options = {option.upper() for option in argv[2:]}
    if not options <= set(_RELOAD_OPTIONS):
        raise CommandError(b"ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    return ctx.engine.persistence.reload(b"NOSAVE" not in options, b"NOFLUSH" not in options)


def _load_aof(ctx: Context, _argv: list[bytes]) -> object:
    return ctx.engine.persistence.load_aof()


def _error(_ctx: Context, argv: list[bytes]) -> object:
    return ErrorReply(argv[2].replace(b"\r", b" ").replace(b"\n", b" "))


def _log(_ctx: Context, argv: list[bytes]) -> object:
    log.warning("DEBUG LOG: %s", argv[2].decode("utf-8", "backslashreplace"))
    return OK


def _protocol(ctx: Context, argv: list[bytes]) -> object:
    reply = sample_reply(argv[2].lower(), ctx.client.resp3)
    if isinstance(reply, Push):
        # A push answers nothing, so an answer follows it.
        encode(ctx.client.out, reply, True)
        return b"Some real reply following the push reply"
    return reply


def _help(_ctx: Context, _argv: list[bytes]) -> object:
    entries = [(name.decode(), entry.syntax, entry.summary) for name, entry in _ENTRIES.items() if name != b"HELP"]
    return help_reply("DEBUG", entries)


_ANY: Final = 1 << 20
_ENTRIES: Final[dict[bytes, Entry]] = {
    b"DIGEST": Entry(_digest, 2, 2, "", "Returns a checksum of the whole dataset."),
    b"DIGEST-VALUE": Entry(_digest_value, 2, _ANY, "key [key ...]", "Returns a checksum of each value."),
    b"ERROR": Entry(_error, 3, 3, "message", "Answers with this error."),
    b"HTSTATS": Entry(debug_structures.tables, 3, 3, "dbid", "Tells how full the tables of a database are."),
    b"HTSTATS-KEY": Entry(
        debug_structures.table_of_key, 3, 3, "key", "Tells how full the table is that a value is held in."
    ),
    b"LISTPACK": Entry(debug_structures.listpack, 3, 3, "key", "Answers whether a value is a listpack."),
    b"LOADAOF": Entry(_load_aof, 2, 2, "", "Empties the databases and loads the append-only file."),
    b"LOG": Entry(_log, 3, 3, "message", "Writes to the server's log."),
    b"OBJECT": Entry(_object, 3, 3, "key", "Tells how a value is held."),
    b"POPULATE": Entry(
        _populate,
        3,
        5,
        "count [prefix] [size]",
        "Makes strings named prefix:0, prefix:1 and so on (key:0 without a prefix), where they are not there yet. "
        "They are not written to the append-only file.",
    ),
    b"PROTOCOL": Entry(_protocol, 3, 3, "type", "Answers with a sample of a type of the protocol."),
    b"QUICKLIST": Entry(debug_structures.quicklist, 3, 4, "key [<0 | 1>]", "Answers whether a value is a quicklist."),
    b"QUICKLIST-PACKED-THRESHOLD": Entry(
        debug_structures.packed_threshold, 3, 3, "size", "Has no effect: elements of lists have one form only."
    ),
    b"RELOAD": Entry(
        _reload,
        2,
        _ANY,
        "[MERGE] [NOFLUSH] [NOSAVE]",
        "Saves the dataset (not with NOSAVE), empties the databases (not with NOFLUSH) and loads it.",
    ),
    b"SDSLEN": Entry(debug_structures.string_sizes, 3, 3, "key", "Tells the sizes of a key and its string."),
    b"SET-ACTIVE-EXPIRE": Entry(
        _set_active_expire, 3, 3, "<0 | 1>", "Whether keys past their time are removed though nobody asks for them."
    ),
    b"SLEEP": Entry(_sleep, 3, 3, "seconds", "Stops the server for so long; decimals are allowed."),
    b"HELP": Entry(_help, 2, 2, "", ""),
}
