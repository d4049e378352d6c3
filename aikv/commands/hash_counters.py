"""Numbers in the fields of a hash: HINCRBY, HINCRBYFLOAT.

Theory of operation: as for strings (`counters`), a sum of floats goes to the journal as the text that was stored. A
field keeps its time. HSET drops it, so the journal of such a field gets the time, too.
"""

from typing import Final

from aikv.base.errors import NOT_A_FLOAT, CommandError
from aikv.base.numbers import I64_MAX, I64_MIN, add_long_double, parse_i64, parse_long_double, to_i64
from aikv.commands.hash_lookup import peek_hash, writable_hash
from aikv.datatypes.field_times import NO_TIME
from aikv.datatypes.hashes import Hash
from aikv.datatypes.limits import CONFIGURED
from aikv.engine import events
from aikv.engine.command import DENYOOM, FAST, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ_UPDATE

_NOT_AN_INTEGER: Final = b"ERR hash value is not an integer"
_NOT_A_FLOAT: Final = b"ERR hash value is not a float"
_WOULD_OVERFLOW: Final = b"ERR increment or decrement would overflow"
_INFINITE_INCREMENT: Final = b"ERR value is NaN or Infinity"


@command(
    "HINCRBY",
    arity=4,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="hash",
    since="2.0.0",
    complexity="O(1)",
    summary="Adds a number to the integer in a field of a hash; a missing field counts as 0.",
    syntax="key field increment",
)
def hincrby(ctx: Context, argv: list[bytes]) -> object:
    increment = to_i64(argv[3])
    held = writable_hash(ctx, argv[1])
    text = held.get(argv[2])
    total = 0 if text is None else parse_i64(text)
    if total is None:
        raise CommandError(_NOT_AN_INTEGER)
    total += increment
    if total > I64_MAX or total < I64_MIN:
        raise CommandError(_WOULD_OVERFLOW)
    held.set(argv[2], b"%d" % total, CONFIGURED, keep_time=True)
    ctx.changed_container(argv[1], held, events.HASH_INCRBY)
    return total


@command(
    "HINCRBYFLOAT",
    arity=4,
    flags=WRITE | DENYOOM | FAST,
    keys=(READ_UPDATE,),
    group="hash",
    since="2.6.0",
    complexity="O(1)",
    summary="Adds a floating point number to the value of a field of a hash; a missing field counts as 0.",
    syntax="key field increment",
)
def hincrbyfloat(ctx: Context, argv: list[bytes]) -> object:
    key, field = argv[1], argv[2]
    increment = parse_long_double(argv[3])
    if increment is None:
        raise CommandError(NOT_A_FLOAT)
    if increment.infinite:
        raise CommandError(_INFINITE_INCREMENT)
    held = peek_hash(ctx, key)
    text = None if held is None else held.get(field)
    if text is None:
        text = b"0"
    elif parse_long_double(text) is None:
        raise CommandError(_NOT_A_FLOAT)
    total = add_long_double(text, argv[3])
    if held is None:
        held = Hash()
        ctx.put(key, held)
    held.set(field, total, CONFIGURED, keep_time=True)
    ctx.rewrite([b"HSET", key, field, total])
    when = held.expiry_of(field)
    if when != NO_TIME:
        ctx.rewrite([b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"1", field])
    ctx.changed_container(key, held, events.HASH_INCRBYFLOAT)
    return total
