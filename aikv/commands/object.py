"""OBJECT: what is known of a key besides its value."""

from typing import Final

from aikv.base.errors import CommandError
from aikv.datatypes.kinds import STRING, kind_of
from aikv.datatypes.strings import FloatText, string_integer
from aikv.engine.command import LOADING, READONLY, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.keyspec import at

_KEY: Final = at(2, "RO")
# Redis keeps one object for each of these integers, and says so.
_SHARED_INTEGERS: Final = 10_000
_SHARED: Final = (1 << 31) - 1
_WHILE_SWITCHING: Final = (
    b" Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
)
_NO_LFU: Final = b"ERR An LFU maxmemory policy is not selected, access frequency not tracked." + _WHILE_SWITCHING
_LFU: Final = b"ERR An LFU maxmemory policy is selected, idle time not tracked." + _WHILE_SWITCHING

container(
    "OBJECT",
    group="generic",
    since="2.2.3",
    summary="A container for commands that ask about keys.",
    acl="",
)


@command(
    "OBJECT|ENCODING",
    arity=3,
    flags=READONLY,
    keys=(_KEY,),
    group="generic",
    since="2.2.3",
    complexity="O(1)",
    summary="Names the encoding of the value of a key.",
    syntax="key",
    tips=("nondeterministic_output",),
)
def object_encoding(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.inspect(argv[2])
    return None if value is None else kind_of(value).encoding(value)


@command(
    "OBJECT|REFCOUNT",
    arity=3,
    flags=READONLY,
    keys=(_KEY,),
    group="generic",
    since="2.2.3",
    complexity="O(1)",
    summary="Returns how often the value of a key is referred to.",
    syntax="key",
    tips=("nondeterministic_output",),
)
def object_refcount(ctx: Context, argv: list[bytes]) -> object:
    value = ctx.inspect(argv[2])
    if value is None:
        return None
    if kind_of(value) is STRING and not isinstance(value, bytearray | FloatText):
        number = string_integer(value)
        if number is not None and 0 <= number < _SHARED_INTEGERS:
            return _SHARED
    return 1


@command(
    "OBJECT|IDLETIME",
    arity=3,
    flags=READONLY,
    keys=(_KEY,),
    group="generic",
    since="2.2.3",
    complexity="O(1)",
    summary="Returns the seconds since a key was last used.",
    syntax="key",
    tips=("nondeterministic_output",),
)
def object_idletime(ctx: Context, argv: list[bytes]) -> object:
    engine = ctx.engine
    if ctx.inspect(argv[2]) is None:
        return None
    if engine.lfu:
        raise CommandError(_LFU)
    return ctx.db.access.idle(argv[2], engine.now_ms // 1000)


@command(
    "OBJECT|FREQ",
    arity=3,
    flags=READONLY,
    keys=(_KEY,),
    group="generic",
    since="4.0.0",
    complexity="O(1)",
    summary="Returns the logarithmic counter of a key's uses.",
    syntax="key",
    tips=("nondeterministic_output",),
)
def object_freq(ctx: Context, argv: list[bytes]) -> object:
    engine = ctx.engine
    if ctx.inspect(argv[2]) is None:
        return None
    if not engine.lfu:
        raise CommandError(_NO_LFU)
    return ctx.db.access.frequency(argv[2], engine.now_ms // 1000, engine.lfu_decay_minutes)


@command(
    "OBJECT|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="generic",
    since="6.2.0",
    complexity="O(1)",
    summary="Lists the subcommands.",
)
def object_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("OBJECT")
