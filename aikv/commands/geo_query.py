"""The arguments of searches for positions: GEOSEARCH, GEORADIUS and their kin.

Theory of operation: a `GeoQuery` is what the arguments of any of these commands say. As in Redis, the source has been
looked up before, since a member of it may be the centre; where it is missing, that is told only after all arguments
have been read.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.commands.geo_arguments import parse_box, parse_position, parse_radius
from aikv.datatypes.geohash import Shape, decode
from aikv.datatypes.zsets import SortedSet

# What a command takes: the centre as coordinates, as a member, or either by an option, which then also gives the shape.
COORDINATES: Final = 0
MEMBER: Final = 1
OPTIONS: Final = 2

UNSORTED: Final = 0
ASCENDING: Final = 1
DESCENDING: Final = 2

_NO_MEMBER: Final = b"ERR could not decode requested zset member"
_COUNT: Final = b"ERR COUNT must be > 0"
_ANY_ALONE: Final = b"ERR the ANY argument requires COUNT argument"
_STORED_WITH: Final = b"ERR %b is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
_NO_CENTRE: Final = b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %b"
_NO_SHAPE: Final = b"ERR exactly one of BYRADIUS and BYBOX can be specified for %b"


class GeoQuery:
    """What the arguments of a search in `held` say. Raises CommandError.

    `kind` is what the command takes; `target` is where the result goes, None for the client. With `storing`, options
    may name the target.
    """

    def __init__(
        self, argv: list[bytes], kind: int, held: SortedSet | None, target: bytes | None, storing: bool
    ) -> None:
        self.target = target
        self.store_distance = False
        self.with_distance = False
        self.with_hash = False
        self.with_position = False
        self.order = UNSORTED
        # 0 for all.
        self.count = 0
        self.any = False
        self.longitude = 0.0
        self.latitude = 0.0
        # Negative for a box.
        self.radius = -1.0
        self.width = 0.0
        self.height = 0.0
        self.unit = 1.0
        self._held: Final = held
        self.kind: Final = kind
        self._storing: Final = storing
        self._by_member = False
        self._by_position = False
        self._by_radius = False
        self._by_box = False
        index = self._fixed(argv)
        while index < len(argv):
            index = self._option(argv, index, argv[index].upper()) + 1
        self._check(argv[0])
        if self.count and self.order == UNSORTED and not self.any:
            # The nearest are wanted.
            self.order = ASCENDING

    def shape(self) -> Shape:
        """The area to search."""
        return Shape(self.longitude, self.latitude, self.radius, self.width, self.height, self.unit)

    def _fixed(self, argv: list[bytes]) -> int:
        """Read the arguments before the options; returns the index of the first of these."""
        if self.kind == COORDINATES:
            self.longitude, self.latitude = parse_position(argv, 2)
            self.radius, self.unit = parse_radius(argv, 4)
            return 6
        if self.kind == MEMBER:
            if self._held is not None:
                self._centre_on(self._held, argv[2])
                self.radius, self.unit = parse_radius(argv, 3)
            return 5
        return 2 if self.target is None else 3

    def _option(self, argv: list[bytes], index: int, word: bytes) -> int:
        """Read the option at `index`, in upper case `word`; returns the index of its last argument."""
        left = len(argv) - index - 1
        if word == b"WITHDIST":
            self.with_distance = True
        elif word == b"WITHHASH":
            self.with_hash = True
        elif word == b"WITHCOORD":
            self.with_position = True
        elif word == b"ANY":
            self.any = True
        elif word == b"ASC":
            self.order = ASCENDING
        elif word == b"DESC":
            self.order = DESCENDING
        elif word == b"COUNT" and left >= 1:
            self.count = to_i64(argv[index + 1])
            if self.count <= 0:
                raise CommandError(_COUNT)
            return index + 1
        elif self.kind == OPTIONS:
            return self._area_option(argv, index, word, left)
        elif word in (b"STORE", b"STOREDIST") and left >= 1 and self._storing:
            self.target = argv[index + 1]
            self.store_distance = word == b"STOREDIST"
            return index + 1
        else:
            raise CommandError(SYNTAX)
        return index

    def _area_option(self, argv: list[bytes], index: int, word: bytes, left: int) -> int:
        if word == b"STOREDIST" and self.target is not None:
            self.store_distance = True
            return index
        if word == b"FROMMEMBER" and left >= 1 and not self._by_position:
            if self._held is not None:
                self._centre_on(self._held, argv[index + 1])
            self._by_member = True
            return index + 1
        if word == b"FROMLONLAT" and left >= 2 and not self._by_member:
            self.longitude, self.latitude = parse_position(argv, index + 1)
            self._by_position = True
            return index + 2
        if word == b"BYRADIUS" and left >= 2 and not self._by_box:
            self.radius, self.unit = parse_radius(argv, index + 1)
            self._by_radius = True
            return index + 2
        if word == b"BYBOX" and left >= 3 and not self._by_radius:
            self.width, self.height, self.unit = parse_box(argv, index + 1)
            self._by_box = True
            return index + 3
        raise CommandError(SYNTAX)

    def _centre_on(self, held: SortedSet, member: bytes) -> None:
        score = held.score(member)
        if score is None:
            raise CommandError(_NO_MEMBER)
        self.longitude, self.latitude = decode(score)

    def _check(self, name: bytes) -> None:
        if self.target is not None and (self.with_distance or self.with_hash or self.with_position):
            told = b"GEOSEARCHSTORE" if self.kind == OPTIONS else b"STORE option in GEORADIUS"
            raise CommandError(_STORED_WITH % told)
        if self.kind == OPTIONS:
            if not (self._by_member or self._by_position):
                raise CommandError(_NO_CENTRE % name)
            if not (self._by_radius or self._by_box):
                raise CommandError(_NO_SHAPE % name)
        if self.any and not self.count:
            raise CommandError(_ANY_ALONE)
