"""The options of SET and GETEX.

Theory of operation: options are words in any order and any case; each is one bit. A table says which bits cannot stand
together, and a command says which it takes; everything else is a syntax error. A word may be repeated, and of repeated
times the last counts, as in Redis.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.engine.context import Context
from aikv.engine.expire_time import MILLISECONDS, SECONDS, expire_at

NX: Final = 1 << 0
XX: Final = 1 << 1
GET: Final = 1 << 2
KEEPTTL: Final = 1 << 3
PERSIST: Final = 1 << 4
EX: Final = 1 << 5
PX: Final = 1 << 6
EXAT: Final = 1 << 7
PXAT: Final = 1 << 8

ABSOLUTE: Final = EXAT | PXAT
_TIMED: Final = EX | PX | EXAT | PXAT
_LIFETIMES: Final = _TIMED | KEEPTTL | PERSIST

SET_TAKES: Final = NX | XX | GET | KEEPTTL | _TIMED
GETEX_TAKES: Final = PERSIST | _TIMED

_WORDS: Final[dict[bytes, int]] = {
    b"NX": NX,
    b"XX": XX,
    b"GET": GET,
    b"KEEPTTL": KEEPTTL,
    b"PERSIST": PERSIST,
    b"EX": EX,
    b"PX": PX,
    b"EXAT": EXAT,
    b"PXAT": PXAT,
}


def parse_options(argv: list[bytes], first: int, takes: int) -> tuple[int, int]:
    """The options in `argv` from index `first` on: their bits, and the index of the time argument or 0.

    `takes` are the bits that the command knows. Raises CommandError(SYNTAX).
    """
    flags = 0
    time_index = 0
    index = first
    count = len(argv)
    while index < count:
        option = _WORDS.get(argv[index].upper(), 0) & takes
        if option == 0 or flags & _excludes(option):
            raise CommandError(SYNTAX)
        if option & _TIMED:
            index += 1
            if index == count:
                raise CommandError(SYNTAX)
            time_index = index
        flags |= option
        index += 1
    return flags, time_index


def _excludes(option: int) -> int:
    if option == NX:
        return XX
    if option == XX:
        return NX
    return _LIFETIMES & ~option if option & _LIFETIMES else 0


def moment(ctx: Context, argument: bytes, flags: int, name: str) -> int:
    """Unix ms that the time `argument` of the option in `flags` means; raises CommandError in the name of a command."""
    unit = SECONDS if flags & (EX | EXAT) else MILLISECONDS
    base_ms = 0 if flags & ABSOLUTE else int(ctx.engine.now_ms)
    return expire_at(argument, unit, base_ms, name, positive=True)
