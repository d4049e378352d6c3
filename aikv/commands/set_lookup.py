"""Sets in the keyspace: what the commands on sets have in common."""

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.datatypes.sets import Set
from aikv.engine.context import Context


def lookup_set(ctx: Context, key: bytes) -> Set | None:
    """The set at `key`, for reading; None where there is no key. Raises WRONGTYPE."""
    value = ctx.lookup(key)
    if value is None or isinstance(value, Set):
        return value
    raise CommandError(WRONGTYPE)


def peek_set(ctx: Context, key: bytes) -> Set | None:
    """The set at `key`, for writing; None where there is no key. Raises WRONGTYPE."""
    value = ctx.peek(key)
    if value is None or isinstance(value, Set):
        return value
    raise CommandError(WRONGTYPE)
