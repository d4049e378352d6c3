"""Hashes in the keyspace: what the commands on hashes have in common."""

from aikv.base.errors import WRONGTYPE, CommandError
from aikv.datatypes.hashes import Hash
from aikv.engine.context import Context


def lookup_hash(ctx: Context, key: bytes) -> Hash | None:
    """The hash at `key`, for reading; None where there is no key. Raises WRONGTYPE."""
    value = ctx.lookup(key)
    if value is None or isinstance(value, Hash):
        return value
    raise CommandError(WRONGTYPE)


def peek_hash(ctx: Context, key: bytes) -> Hash | None:
    """The hash at `key`, for writing; None where there is no key. Raises WRONGTYPE."""
    value = ctx.peek(key)
    if value is None or isinstance(value, Hash):
        return value
    raise CommandError(WRONGTYPE)


def writable_hash(ctx: Context, key: bytes) -> Hash:
    """The hash at `key`, which is made where there is no key: something must be put into it then. Raises WRONGTYPE."""
    value = ctx.peek(key)
    if isinstance(value, Hash):
        return value
    if value is not None:
        raise CommandError(WRONGTYPE)
    held = Hash()
    ctx.put(key, held)
    return held
