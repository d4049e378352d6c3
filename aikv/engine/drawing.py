"""LOLWUT's picture: a range of hills at night, another one every time.

Theory of operation: each hill line is a walk that goes up or down by at most one row a column; whatever lies under the
lowest line that covers it is filled with that line's own shade. Above the hills are a few stars.
"""

from typing import Final

from aikv.base.errors import NOT_AN_INTEGER, CommandError
from aikv.base.numbers import parse_i64
from aikv.base.random import Random
from aikv.base.version import REDIS_VERSION, VERSION

_COLUMNS: Final = 66
_ROWS: Final = 12
_LARGEST: Final = 200
_SHADES: Final = (":", "+", "#")
_STARS: Final = ".*'"
_STAR_EVERY: Final = 24


def size_argument(argument: bytes) -> int:
    """An integer among LOLWUT's arguments; raises CommandError for anything else."""
    number = parse_i64(argument)
    if number is None:
        raise CommandError(NOT_AN_INTEGER)
    return number


def drawing(random: Random, arguments: list[bytes]) -> bytes:
    """The picture, with a line about the versions. `arguments` are columns and rows, each optional."""
    columns = _size(arguments, 0, _COLUMNS)
    rows = _size(arguments, 1, _ROWS)
    picture = [[_sky(random) for _ in range(columns)] for _ in range(rows)]
    for number, shade in enumerate(_SHADES):
        # The farther a line of hills, the higher it starts and the earlier it is drawn.
        height = rows * (len(_SHADES) - number) // (len(_SHADES) + 1)
        for column in range(columns):
            height = min(rows, max(1, height + random.below(3) - 1))
            for row in range(rows - height, rows):
                picture[row][column] = shade
    lines = ["".join(row).rstrip() for row in picture]
    return "\n".join([*lines, "", f"Redis ver. {REDIS_VERSION} (aikv {VERSION})", ""]).encode()


def _size(arguments: list[bytes], position: int, usual: int) -> int:
    if position >= len(arguments):
        return usual
    return min(_LARGEST, max(1, size_argument(arguments[position])))


def _sky(random: Random) -> str:
    return _STARS[random.below(len(_STARS))] if random.below(_STAR_EVERY) == 0 else " "
