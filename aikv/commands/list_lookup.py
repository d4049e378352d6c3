"""Lists in the keyspace: what the commands on lists have in common."""

from aikv.base.errors import SYNTAX, WRONGTYPE, CommandError
from aikv.datatypes.lists import List
from aikv.engine.context import Context


def lookup_list(ctx: Context, key: bytes) -> List | None:
    """The list at `key`, for reading; None where there is no key. Raises WRONGTYPE."""
    value = ctx.lookup(key)
    if value is None or isinstance(value, List):
        return value
    raise CommandError(WRONGTYPE)


def peek_list(ctx: Context, key: bytes) -> List | None:
    """The list at `key`, for writing; None where there is no key. Raises WRONGTYPE."""
    value = ctx.peek(key)
    if value is None or isinstance(value, List):
        return value
    raise CommandError(WRONGTYPE)


def is_head(word: bytes) -> bool:
    """Whether `word` is LEFT, the other choice being RIGHT. Raises CommandError."""
    upper = word.upper()
    if upper == b"LEFT":
        return True
    if upper == b"RIGHT":
        return False
    raise CommandError(SYNTAX)
