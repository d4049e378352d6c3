"""Arguments and replies that the geo commands share: positions, lengths with their units, and the texts of both."""

from typing import Final

from aikv.base.errors import NOT_A_FLOAT, CommandError
from aikv.base.numbers import parse_double
from aikv.datatypes.geohash import LATITUDE_LIMIT, LONGITUDE_LIMIT, decode
from aikv.resp.reply import Decimal

# In metres.
_UNITS: Final[dict[bytes, float]] = {b"M": 1.0, b"KM": 1000.0, b"FT": 0.3048, b"MI": 1609.34}
_UNSUPPORTED_UNIT: Final = b"ERR unsupported unit provided. please use M, KM, FT, MI"
_NOT_A_RADIUS: Final = b"ERR need numeric radius"
_NEGATIVE_RADIUS: Final = b"ERR radius cannot be negative"
_NOT_A_WIDTH: Final = b"ERR need numeric width"
_NOT_A_HEIGHT: Final = b"ERR need numeric height"
_NEGATIVE_BOX: Final = b"ERR height or width cannot be negative"


def parse_position(argv: list[bytes], index: int) -> tuple[float, float]:
    """The longitude at `index` and the latitude behind it, in degrees. Raises CommandError."""
    longitude = _number(argv[index], NOT_A_FLOAT)
    latitude = _number(argv[index + 1], NOT_A_FLOAT)
    if abs(longitude) > LONGITUDE_LIMIT or abs(latitude) > LATITUDE_LIMIT:
        raise CommandError(b"ERR invalid longitude,latitude pair %f,%f" % (longitude, latitude))
    return longitude, latitude


def parse_unit(argument: bytes) -> float:
    """The metres in a unit of length. Raises CommandError."""
    metres = _UNITS.get(argument.upper())
    if metres is None:
        raise CommandError(_UNSUPPORTED_UNIT)
    return metres


def parse_radius(argv: list[bytes], index: int) -> tuple[float, float]:
    """The radius at `index`, and the metres in its unit, which stands behind it. Raises CommandError."""
    radius = _number(argv[index], _NOT_A_RADIUS)
    if radius < 0:
        raise CommandError(_NEGATIVE_RADIUS)
    return radius, parse_unit(argv[index + 1])


def parse_box(argv: list[bytes], index: int) -> tuple[float, float, float]:
    """The width at `index`, the height behind it, and the metres in their unit. Raises CommandError."""
    width = _number(argv[index], _NOT_A_WIDTH)
    height = _number(argv[index + 1], _NOT_A_HEIGHT)
    if width < 0 or height < 0:
        raise CommandError(_NEGATIVE_BOX)
    return width, height, parse_unit(argv[index + 2])


def position_reply(score: float) -> list[object]:
    """The position that `score` stands for, as a reply."""
    longitude, latitude = decode(score)
    return [Decimal(_degrees(longitude)), Decimal(_degrees(latitude))]


def length_reply(length: float) -> bytes:
    """A length with four decimals."""
    return b"%.4f" % length


def _degrees(degrees: float) -> bytes:
    """Up to seventeen decimals, as C's `%.17Lf` without trailing zeros."""
    text = (b"%.17f" % degrees).rstrip(b"0").rstrip(b".")
    return b"0" if text == b"-0" else text


def _number(argument: bytes, error: bytes) -> float:
    number = parse_double(argument)
    if number is None:
        raise CommandError(error)
    return number
