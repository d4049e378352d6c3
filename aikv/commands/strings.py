"""String commands.

Theory of operation: a string is `bytes`, an `int` once a counter has touched it (so that INCR parses nothing), or a
`bytearray` once it has been changed in place. Commands that read want bytes and get them from `Context.lookup_string`.
"""

from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ, at
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
    return ctx.lookup_string(argv[1])


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
    ctx.replace(argv[1], argv[2])
    ctx.changed(argv[1], events.STR_SET)
    return OK
