"""Sorted sets in the keyspace: what the commands on sorted sets have in common."""

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.datatypes.zsets import SortedSet
from aikv.engine.context import Context


def lookup_zset(ctx: Context, key: bytes) -> SortedSet | None:
    """The sorted set at `key`, for reading; None where there is no key. Raises WRONGTYPE."""
    value = ctx.lookup(key)
    if value is None or isinstance(value, SortedSet):
        return value
    raise CommandError(WRONGTYPE)


def peek_zset(ctx: Context, key: bytes) -> SortedSet | None:
    """The sorted set at `key`, for writing; None where there is no key. Raises WRONGTYPE."""
    value = ctx.peek(key)
    if value is None or isinstance(value, SortedSet):
        return value
    raise CommandError(WRONGTYPE)
