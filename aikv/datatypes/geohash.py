"""Positions on Earth as the scores of a sorted set, and the search for those within a circle or a box.

Theory of operation: the map, as far north and south as Web Mercator goes, is halved 26 times each in longitude and
latitude; which halves a position falls into are bits that are interleaved, longitude first, into a score of 52 bits
(geohash, Morton 1966). So all positions in a cell of a coarser grid are one range of scores. A search takes the grid
whose cells are about as large as the area, and reads the cell of the centre and those of its eight neighbours that the
area can reach; every position found is then measured. Distances are great circles on a sphere (haversine).

Every formula is computed in Redis's order (geohash.c and geohash_helper.c), so that texts agree to the last digit and
results come in the same order.
"""

import math
from typing import Final

from mypy_extensions import i64

LONGITUDE_LIMIT: Final = 180.0
LATITUDE_LIMIT: Final = 85.05112878
# Halvings in a score.
_STEPS: Final = 26
_SCORE_BITS: Final = 52
_EARTH_RADIUS_M: Final = 6372797.560856
# Half of Earth's circumference in the Mercator projection.
_MERCATOR_M: Final = 20037726.37
_RADIANS: Final = math.pi / 180.0
_EVEN_BITS: Final = 0x5555555555555555
_TWO_TO_63: Final = 1 << 63
_TWO_TO_64: Final = 1 << 64
_COORDINATE_BITS: Final = 0xFFFFFFFF
_ALPHABET: Final = b"0123456789bcdefghjkmnpqrstuvwxyz"
_TEXT_LATITUDE: Final = 90.0
_TEXT_CHARS: Final = 10
# Towards the poles cells become narrow: from these latitudes on they are taken twice and four times as large.
_POLAR: Final = 66.0
_ARCTIC: Final = 80.0


def encode(longitude: float, latitude: float) -> int:
    """The score of a position, which is within the limits."""
    return _interleaved(longitude, latitude, LATITUDE_LIMIT, _STEPS)


def decode(score: float) -> tuple[float, float]:
    """Longitude and latitude of the centre of the smallest cell that `score` stands for; any score stands for some."""
    bits = _unsigned(score)
    area = _Cell(_gathered(bits >> 1 & _EVEN_BITS), _gathered(bits & _EVEN_BITS), _STEPS)
    longitude = (area.west + area.east) / 2
    latitude = (area.south + area.north) / 2
    return (
        max(-LONGITUDE_LIMIT, min(LONGITUDE_LIMIT, longitude)),
        max(-LATITUDE_LIMIT, min(LATITUDE_LIMIT, latitude)),
    )


def text(score: float) -> bytes:
    """The usual geohash of 11 characters, whose latitudes go to the poles; 50 bits decide, so the last one is 0."""
    longitude, latitude = decode(score)
    bits = _interleaved(longitude, latitude, _TEXT_LATITUDE, _STEPS)
    characters: list[int] = []
    for place in range(1, _TEXT_CHARS + 1):
        characters.append(_ALPHABET[bits >> (_SCORE_BITS - 5 * place) & 31])
    return bytes(characters) + b"0"


def distance(longitude: float, latitude: float, other_longitude: float, other_latitude: float) -> float:
    """The distance of two positions in metres."""
    first = latitude * _RADIANS
    second = other_latitude * _RADIANS
    u = math.sin((second - first) / 2)
    v = math.sin((other_longitude * _RADIANS - longitude * _RADIANS) / 2)
    haversine = u * u + math.cos(first) * math.cos(second) * v * v
    # Rounding may take it beyond what an arc sine is of.
    return 2.0 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(haversine)))


class Shape:
    """A circle, or a box whose sides lie along meridians and parallels, around a position.

    Lengths are in units of `unit` metres: the radius of a circle, or, where `radius` is negative, the width and height
    of a box.
    """

    def __init__(
        self, longitude: float, latitude: float, radius: float, width: float, height: float, unit: float
    ) -> None:
        self.longitude: Final = longitude
        self.latitude: Final = latitude
        self.radius: Final = radius
        self.width: Final = width
        self.height: Final = height
        self.unit: Final = unit

    def measure(self, longitude: float, latitude: float) -> float:
        """The distance in metres from the centre to a position in the shape; -1 for one outside."""
        if self.radius < 0:
            across = distance(longitude, latitude, self.longitude, latitude)
            along = distance(longitude, latitude, longitude, self.latitude)
            if across > self.width * self.unit / 2 or along > self.height * self.unit / 2:
                return -1.0
        found = distance(self.longitude, self.latitude, longitude, latitude)
        return -1.0 if self.radius >= 0 and found > self.radius * self.unit else found

    def reach(self) -> float:
        """The distance in metres from the centre to the farthest position in the shape."""
        if self.radius >= 0:
            return self.radius * self.unit
        width = self.width / 2
        height = self.height / 2
        return math.sqrt(width * width + height * height) * self.unit

    def bounds(self) -> "_Bounds":
        """The longitudes and latitudes that the shape reaches."""
        height = self.unit * (self.height / 2 if self.radius < 0 else self.radius)
        width = self.unit * (self.width / 2 if self.radius < 0 else self.radius)
        latitudes = height / _EARTH_RADIUS_M / _RADIANS
        # The parallel that is taken for the width, as Redis does.
        parallel = self.latitude - latitudes if self.latitude < 0 else self.latitude + latitudes
        longitudes = math.inf
        if not math.isinf(parallel):
            longitudes = width / _EARTH_RADIUS_M / math.cos(parallel * _RADIANS) / _RADIANS
        return _Bounds(
            self.longitude - longitudes,
            self.longitude + longitudes,
            self.latitude - latitudes,
            self.latitude + latitudes,
        )


class _Bounds:
    """Longitudes from `west` to `east`, latitudes from `south` to `north`."""

    def __init__(self, west: float, east: float, south: float, north: float) -> None:
        self.west: Final = west
        self.east: Final = east
        self.south: Final = south
        self.north: Final = north


class _Cell(_Bounds):
    """The cell in `column` and `row` of the grid of 2^step columns and rows; both may be one too large at the edge."""

    def __init__(self, column: int, row: int, step: int) -> None:
        self.column: Final = column
        self.row: Final = row
        self.step: Final = step
        cells = 1 << step
        longitudes = 2 * LONGITUDE_LIMIT
        latitudes = 2 * LATITUDE_LIMIT
        super().__init__(
            -LONGITUDE_LIMIT + column / cells * longitudes,
            -LONGITUDE_LIMIT + (column + 1 & _COORDINATE_BITS) / cells * longitudes,
            -LATITUDE_LIMIT + row / cells * latitudes,
            -LATITUDE_LIMIT + (row + 1 & _COORDINATE_BITS) / cells * latitudes,
        )

    def neighbour(self, columns: int, rows: int) -> "_Cell":
        """The cell so many columns east and rows north; the map is round in either direction."""
        last = (1 << self.step) - 1
        column = self.column + columns & last if columns else self.column
        row = self.row + rows & last if rows else self.row
        return _Cell(column, row, self.step)

    def scores(self) -> tuple[int, int]:
        """The scores of the positions in the cell: the first, and the one behind the last."""
        bits: int = _scattered(self.row) | _scattered(self.column) << 1
        shift = _SCORE_BITS - 2 * self.step
        return bits << shift, bits + 1 << shift


# Redis's order, in which results come that are not sorted: columns east and rows north.
_NEIGHBOURS: Final = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))


def score_ranges(shape: Shape) -> list[tuple[int, int]]:
    """The ranges of scores, first and behind the last, that hold all positions in `shape`, and others."""
    bounds = shape.bounds()
    centre = _centre(shape, bounds)
    ranges = [centre.scores()]
    for columns, rows in _NEIGHBOURS:
        if centre.step >= 2 and not _is_reached(centre, bounds, columns, rows):
            continue
        found = centre.neighbour(columns, rows).scores()
        # In a coarse grid neighbours on both sides are the same. The centre is not compared with.
        if len(ranges) == 1 or found != ranges[-1]:
            ranges.append(found)
    return ranges


def _centre(shape: Shape, bounds: _Bounds) -> _Cell:
    """The cell of the centre of `shape`, in the finest grid in which it and its neighbours cover the shape."""
    step = _steps_for(shape.reach(), shape.latitude)
    cell = _cell_at(shape.longitude, shape.latitude, step)
    covered = (
        cell.neighbour(0, 1).north >= bounds.north
        and cell.neighbour(0, -1).south <= bounds.south
        and cell.neighbour(1, 0).east >= bounds.east
        and cell.neighbour(-1, 0).west <= bounds.west
    )
    if covered or step == 1:
        return cell
    return _cell_at(shape.longitude, shape.latitude, step - 1)


def _is_reached(centre: _Cell, bounds: _Bounds, columns: int, rows: int) -> bool:
    """Whether a neighbour of `centre` can hold something within `bounds`."""
    if rows > 0 and centre.north > bounds.north:
        return False
    if rows < 0 and centre.south < bounds.south:
        return False
    if columns > 0 and centre.east > bounds.east:
        return False
    return not (columns < 0 and centre.west < bounds.west)


def _steps_for(reach: float, latitude: float) -> int:
    """How often to halve the map for cells in which a search that reaches so many metres is done."""
    if reach == 0:
        return _STEPS
    step = 1
    while reach < _MERCATOR_M:
        reach *= 2
        step += 1
    step -= 2
    if abs(latitude) > _POLAR:
        step -= 1
        if abs(latitude) > _ARCTIC:
            step -= 1
    return max(1, min(_STEPS, step))


def _cell_at(longitude: float, latitude: float, step: int) -> _Cell:
    return _Cell(
        _place(longitude, LONGITUDE_LIMIT, step),
        _place(latitude, LATITUDE_LIMIT, step),
        step,
    )


def _place(coordinate: float, limit: float, step: int) -> int:
    """Which of 2^step equal parts of -limit to limit `coordinate` is in; the very end is in one more."""
    return int((coordinate - -limit) / (limit - -limit) * (1 << step))


def _interleaved(longitude: float, latitude: float, latitude_limit: float, step: int) -> int:
    bits: int = _scattered(_place(latitude, latitude_limit, step))
    return bits | _scattered(_place(longitude, LONGITUDE_LIMIT, step)) << 1


def _scattered(part: i64) -> i64:
    """The low 32 bits of `part`, of which the highest is not set, with a 0 bit before each."""
    part = (part | part << 16) & 0x0000FFFF0000FFFF
    part = (part | part << 8) & 0x00FF00FF00FF00FF
    part = (part | part << 4) & 0x0F0F0F0F0F0F0F0F
    part = (part | part << 2) & 0x3333333333333333
    return (part | part << 1) & 0x5555555555555555


def _gathered(bits: i64) -> i64:
    """What `_scattered` makes `bits` of."""
    bits = (bits | bits >> 1) & 0x3333333333333333
    bits = (bits | bits >> 2) & 0x0F0F0F0F0F0F0F0F
    bits = (bits | bits >> 4) & 0x00FF00FF00FF00FF
    bits = (bits | bits >> 8) & 0x0000FFFF0000FFFF
    return (bits | bits >> 16) & 0x00000000FFFFFFFF


def _unsigned(score: float) -> int:
    """`score` as C on x86-64 makes an unsigned integer of 64 bits of it, whatever it is."""
    if 0 <= score < _TWO_TO_64:
        return int(score)
    if -_TWO_TO_63 <= score < 0:
        return int(score) % _TWO_TO_64
    return 0 if score > 0 else _TWO_TO_63
