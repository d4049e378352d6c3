"""MEMORY: what keys and the server take. How that is found out is told in `engine.memory` and `datatypes.memory`."""

from typing import Final

from aikv.base.errors import NOT_AN_INTEGER, SYNTAX, CommandError
from aikv.base.numbers import parse_i64
from aikv.engine.command import LOADING, READONLY, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.keyspec import at
from aikv.engine.memory import (
    STARTUP_BYTES,
    MemoryFigures,
    allocator_report,
    key_memory,
    percentage,
    purge,
)
from aikv.engine.memory_doctor import report
from aikv.resp.reply import OK, Pairs, Verbatim

_SAMPLES: Final = 5
_TIPS: Final = ("nondeterministic_output", "request_policy:all_shards", "response_policy:special")

container(
    "MEMORY",
    group="server",
    since="4.0.0",
    summary="Holds commands on memory.",
)


@command(
    "MEMORY|USAGE",
    arity=-3,
    flags=READONLY,
    keys=(at(2, "RO"),),
    group="server",
    since="4.0.0",
    complexity="O(N) where N is the number of samples.",
    summary="Returns the bytes that a key and its value take; of many elements only some are looked at (0: all).",
    syntax="key [SAMPLES count]",
)
def memory_usage(ctx: Context, argv: list[bytes]) -> object:
    samples = _SAMPLES
    for index in range(3, len(argv), 2):
        if argv[index].upper() != b"SAMPLES" or index + 1 == len(argv):
            raise CommandError(SYNTAX)
        number = parse_i64(argv[index + 1])
        if number is None:
            raise CommandError(NOT_AN_INTEGER)
        if number < 0:
            raise CommandError(SYNTAX)
        samples = number
    value = ctx.look(argv[2])
    return None if value is None else key_memory(ctx.db, argv[2], value, samples)


@command(
    "MEMORY|STATS",
    arity=2,
    flags=0,
    group="server",
    since="4.0.0",
    complexity="O(1)",
    summary="Returns figures of the server's memory.",
    tips=_TIPS,
)
def memory_stats(ctx: Context, _argv: list[bytes]) -> object:
    figures = MemoryFigures(ctx.engine)
    used = figures.used
    items: list[object] = [b"peak.allocated", figures.peak, b"total.allocated", used]
    items += [b"startup.allocated", STARTUP_BYTES, b"replication.backlog", 0, b"clients.slaves", 0]
    items += [b"clients.normal", figures.clients, b"cluster.links", 0, b"aof.buffer", figures.log]
    items += [b"lua.caches", ctx.engine.scripting.figures().cache, b"functions.caches", 0]
    for number, main, expires in figures.tables:
        overhead: list[object] = [b"overhead.hashtable.main", main, b"overhead.hashtable.expires", expires]
        items += [b"db.%d" % number, Pairs([*overhead, b"overhead.hashtable.slot-to-keys", 0])]
    of_data = max(0, used - STARTUP_BYTES)
    items += [b"overhead.total", figures.overhead, b"keys.count", figures.keys]
    items += [b"keys.bytes-per-key", of_data // figures.keys if figures.keys else 0]
    items += [b"dataset.bytes", figures.dataset, b"dataset.percentage", percentage(figures.dataset, of_data)]
    items += [b"peak.percentage", percentage(used, figures.peak)]
    items += [b"allocator.allocated", used, b"allocator.active", used, b"allocator.resident", used]
    for name in (b"allocator-fragmentation", b"allocator-rss", b"rss-overhead"):
        items += [name + b".ratio", 1.0, name + b".bytes", 0]
    return Pairs([*items, b"fragmentation", 1.0, b"fragmentation.bytes", 0])


@command(
    "MEMORY|DOCTOR",
    arity=2,
    flags=0,
    group="server",
    since="4.0.0",
    complexity="O(1)",
    summary="Tells in words what is remarkable about the server's memory.",
    tips=_TIPS,
)
def memory_doctor(ctx: Context, _argv: list[bytes]) -> object:
    return Verbatim(b"txt", report(MemoryFigures(ctx.engine), len(ctx.engine.clients)).encode())


@command(
    "MEMORY|MALLOC-STATS",
    arity=2,
    flags=0,
    group="server",
    since="4.0.0",
    complexity="Depends on how much memory is allocated, could be slow",
    summary="Tells about the allocator.",
    tips=_TIPS,
)
def memory_malloc_stats(_ctx: Context, _argv: list[bytes]) -> object:
    return Verbatim(b"txt", allocator_report().encode())


@command(
    "MEMORY|PURGE",
    arity=2,
    flags=0,
    group="server",
    since="4.0.0",
    complexity="Depends on how much memory is allocated, could be slow",
    summary="Gives free memory back to the system.",
    tips=("request_policy:all_shards", "response_policy:all_succeeded"),
)
def memory_purge(_ctx: Context, _argv: list[bytes]) -> object:
    purge()
    return OK


@command(
    "MEMORY|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="server",
    since="4.0.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def memory_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("MEMORY")
