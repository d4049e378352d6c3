"""What the commands on bits share: offsets, and strings to read or to change bits in.

Theory of operation: as in `ranges`, a string whose bits are changed becomes a `bytearray` and is changed where it is.
Readers get it uncopied and must be done with it when they return.
"""

from typing import Final

from aikv.base.errors import CommandError
from aikv.base.numbers import parse_i64
from aikv.engine.context import Context, string_bytes

_BAD_OFFSET: Final = b"ERR bit offset is not an integer or out of range"
# proto-max-bulk-len cannot be set lower, so offsets within that many bytes are let pass without asking.
_ALWAYS_ALLOWED: Final = 1024 * 1024 * 8


def bit_offset(ctx: Context, argument: bytes, width: int = 0) -> int:
    """The bit that `argument` names; with a `width` also in the form `#N`, the Nth field of so many bits.

    Raises CommandError where it is no integer or lies beyond the longest string that the client may make.
    """
    if width and argument[:1] == b"#":
        number = parse_i64(argument[1:])
        offset = -1 if number is None else number * width
    else:
        number = parse_i64(argument)
        offset = -1 if number is None else number
    if offset < 0:
        raise CommandError(_BAD_OFFSET)
    if offset < _ALWAYS_ALLOWED or ctx.client.internal:
        return offset
    if offset >> 3 >= ctx.engine.config.get_int("proto-max-bulk-len"):
        raise CommandError(_BAD_OFFSET)
    return offset


def readable(value: object) -> bytes | bytearray:
    """A string value in a form whose bytes can be read; raises WRONGTYPE for a value of another type."""
    return value if isinstance(value, bytearray) else string_bytes(value)


def writable(ctx: Context, key: bytes, size: int) -> tuple[bytearray, bool]:
    """The string at `key`, made if need be, in the form that is changed in place and at least `size` bytes long.

    Also returns whether it is new or has grown. Raises WRONGTYPE.
    """
    value = ctx.peek(key)
    if value is None:
        string = bytearray(size)
        ctx.put(key, string)
        return string, True
    if isinstance(value, bytearray):
        string = value
    else:
        string = bytearray(string_bytes(value))
        ctx.put(key, string)
    missing = size - len(string)
    if missing > 0:
        string += bytes(missing)
        return string, True
    return string, False
