"""Server commands: the time, saving, the end, and a drawing.

Theory of operation: saving and ending are the business of `engine.persistence` and `engine.lifecycle`; here are
only the arguments.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.engine import gates
from aikv.engine.admission import BUSY
from aikv.engine.command import (
    ADMIN,
    ALLOW_BUSY,
    FAST,
    LOADING,
    NO_ASYNC_LOADING,
    NO_MULTI,
    NOSCRIPT,
    READONLY,
    STALE,
    command,
)
from aikv.engine.context import Context
from aikv.engine.drawing import drawing, size_argument
from aikv.resp.reply import NO_REPLY, OK, Verbatim

_SAVING: Final = ADMIN | NOSCRIPT | NO_ASYNC_LOADING


@command(
    "TIME",
    arity=1,
    flags=LOADING | STALE | FAST,
    group="server",
    since="2.6.0",
    complexity="O(1)",
    summary="Returns the server's time: Unix seconds, and microseconds of the second.",
    tips=("nondeterministic_output",),
)
def time_(ctx: Context, _argv: list[bytes]) -> object:
    now_us = ctx.client.time_us or ctx.engine.now_ns // 1000
    return [b"%d" % (now_us // 1_000_000), b"%d" % (now_us % 1_000_000)]


@command(
    "LASTSAVE",
    arity=1,
    flags=LOADING | STALE | FAST,
    group="server",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns the Unix time of the last successful save.",
    acl="admin dangerous",
    tips=("nondeterministic_output",),
)
def lastsave(ctx: Context, _argv: list[bytes]) -> object:
    return ctx.engine.persistence.last_save_s


@command(
    "SAVE",
    arity=1,
    flags=_SAVING | NO_MULTI,
    group="server",
    since="1.0.0",
    complexity="O(N) where N is the total number of keys in all databases",
    summary="Writes the dataset to the disk; nobody is served meanwhile.",
)
def save(ctx: Context, _argv: list[bytes]) -> object:
    ctx.engine.persistence.save()
    return OK


@command(
    "BGSAVE",
    arity=-1,
    flags=_SAVING,
    group="server",
    since="1.0.0",
    complexity="O(1)",
    summary="Writes the dataset to the disk in the background.",
    syntax="[SCHEDULE]",
)
def bgsave(ctx: Context, argv: list[bytes]) -> object:
    schedule = len(argv) == 2 and argv[1].upper() == b"SCHEDULE"
    if len(argv) > 1 and not schedule:
        raise CommandError(SYNTAX)
    return ctx.engine.persistence.bgsave(schedule)


@command(
    "BGREWRITEAOF",
    arity=1,
    flags=_SAVING,
    group="server",
    since="1.0.0",
    complexity="O(1)",
    summary="Rewrites the append-only file in the background, in the shortest form.",
)
def bgrewriteaof(ctx: Context, _argv: list[bytes]) -> object:
    return ctx.engine.persistence.bgrewriteaof()


@command(
    "SHUTDOWN",
    arity=-1,
    flags=ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY,
    group="server",
    since="1.0.0",
    complexity="O(N) when saving, where N is the total number of keys in all databases, otherwise O(1)",
    summary="Saves the dataset where that is wanted, and ends the server.",
    syntax="[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
)
def shutdown(ctx: Context, argv: list[bytes]) -> object:
    words = {word.upper() for word in argv[1:]}
    if not words <= {b"NOSAVE", b"SAVE", b"NOW", b"FORCE", b"ABORT"}:
        raise CommandError(SYNTAX)
    if {b"SAVE", b"NOSAVE"} <= words or (b"ABORT" in words and len(words) > 1):
        raise CommandError(SYNTAX)
    lifecycle = ctx.engine.lifecycle
    if b"ABORT" in words:
        lifecycle.abort_shutdown()
        return OK
    if ctx.engine.gates & gates.BUSY and b"NOSAVE" not in words:
        # What a script has half done is not to be saved.
        raise CommandError(BUSY)
    saved = True if b"SAVE" in words else False if b"NOSAVE" in words else None
    lifecycle.shutdown(saved, b"NOW" in words, b"FORCE" in words)
    # Nobody is told that it worked: the end of the connection says so.
    return NO_REPLY


@command(
    "LOLWUT",
    arity=-1,
    flags=READONLY | FAST,
    group="server",
    since="5.0.0",
    complexity="",
    summary="Draws a picture, and names the version.",
    syntax="[VERSION version] [columns] [rows]",
    acl="",
)
def lolwut(ctx: Context, argv: list[bytes]) -> object:
    arguments = argv[1:]
    if len(arguments) > 1 and arguments[0].upper() == b"VERSION":
        size_argument(arguments[1])
        arguments = arguments[2:]
    return Verbatim(b"txt", drawing(ctx.engine.random, arguments))
