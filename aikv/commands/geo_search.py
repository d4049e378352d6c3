"""Searches for positions in a circle or a box: GEOSEARCH, GEORADIUS and their kin.

Theory of operation: what is wanted is a `GeoQuery`. `_search` reads the ranges of scores that its shape can lie in and
measures each position there; what is found is sorted, cut to COUNT, and returned or stored.
"""

from typing import Final, cast

from aikv.commands.geo_arguments import length_reply, position_reply
from aikv.commands.geo_query import COORDINATES, DESCENDING, MEMBER, OPTIONS, UNSORTED, GeoQuery
from aikv.commands.zset_lookup import lookup_zset
from aikv.commands.zset_store import in_order, store_columns
from aikv.datatypes.geohash import decode, score_ranges
from aikv.datatypes.zset_ranges import ScoreRange
from aikv.datatypes.zsets import SortedSet
from aikv.engine import events
from aikv.engine.command import DENYOOM, MOVABLE_KEYS, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import OVERWRITE, READ, after, at

_OF_SEARCH: Final = "O(N+log(M)) for N members around the area, in a sorted set of M members."
_RESULT: Final = "[WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]"
_STORED_RESULT: Final = "[STORE key | STOREDIST key]"
_RADIUS: Final = "radius <M | KM | FT | MI>"
_AREA: Final = (
    "<FROMMEMBER member | FROMLONLAT longitude latitude> "
    "<BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>>"
)


class _Found:
    """One position of a result; `distance` is in metres."""

    def __init__(self, member: bytes, score: float, distance: float) -> None:
        self.member: Final = member
        self.score: Final = score
        self.distance: Final = distance


def _run(ctx: Context, argv: list[bytes], kind: int, source: int, storing: bool) -> object:
    """Do a search in the sorted set whose key is at index `source`; with `storing`, options may say where to store."""
    held = lookup_zset(ctx, argv[source])
    query = GeoQuery(argv, kind, held, argv[1] if source == 2 else None, storing)
    found: list[_Found] = []
    if held is not None:
        found = _search(held, query)
        if query.order != UNSORTED:
            found.sort(key=_distance, reverse=query.order == DESCENDING)
        if query.count:
            found = found[: query.count]
    if query.target is None:
        return [_reply(one, query) for one in found]
    return _store(ctx, query, query.target, found)


def _search(held: SortedSet, query: GeoQuery) -> list[_Found]:
    shape = query.shape()
    enough = query.count if query.any else 0
    found: list[_Found] = []
    for first, behind in score_ranges(shape):
        start, stop = held.score_ranks(ScoreRange(float(first), False, float(behind), True))
        members, scores = held.columns(start, stop)
        for index in range(len(members)):
            score = cast(float, scores[index])
            longitude, latitude = decode(score)
            distance = shape.measure(longitude, latitude)
            if distance >= 0:
                found.append(_Found(members[index], score, distance))
                if len(found) == enough:
                    return found
    return found


def _distance(found: _Found) -> float:
    return found.distance


def _reply(found: _Found, query: GeoQuery) -> object:
    if not (query.with_distance or query.with_hash or query.with_position):
        return found.member
    reply: list[object] = [found.member]
    if query.with_distance:
        reply.append(length_reply(found.distance / query.unit))
    if query.with_hash:
        reply.append(int(found.score))
    if query.with_position:
        reply.append(position_reply(found.score))
    return reply


def _store(ctx: Context, query: GeoQuery, target: bytes, found: list[_Found]) -> int:
    content: dict[bytes, float] = {}
    for one in found:
        content[one.member] = one.distance / query.unit if query.store_distance else one.score
    members, scores = in_order(content)
    event = events.GEO_SEARCHSTORE if query.kind == OPTIONS else events.GEO_RADIUSSTORE
    return store_columns(ctx, target, members, scores, event)


@command(
    "GEOSEARCH",
    arity=-7,
    flags=READONLY,
    keys=(READ,),
    group="geo",
    since="6.2.0",
    complexity=_OF_SEARCH,
    summary="Returns the members in a circle or a box around a position or a member.",
    syntax=f"key {_AREA} [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
)
def geosearch(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, OPTIONS, 1, False)


@command(
    "GEOSEARCHSTORE",
    arity=-8,
    flags=WRITE | DENYOOM,
    keys=(OVERWRITE, at(2, "RO access")),
    group="geo",
    since="6.2.0",
    complexity=_OF_SEARCH,
    summary="Stores the members in a circle or a box around a position or a member, with their positions or distances.",
    syntax=f"destination source {_AREA} [ASC | DESC] [COUNT count [ANY]] [STOREDIST]",
)
def geosearchstore(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, OPTIONS, 2, False)


@command(
    "GEORADIUS",
    arity=-6,
    flags=WRITE | DENYOOM | MOVABLE_KEYS,
    keys=(READ, after(b"STORE", 6, "OW update"), after(b"STOREDIST", 6, "OW update")),
    group="geo",
    since="3.2.0",
    complexity=_OF_SEARCH,
    summary="Returns or stores the members in a circle around a position.",
    syntax=f"key longitude latitude {_RADIUS} {_RESULT} {_STORED_RESULT}",
)
def georadius(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, COORDINATES, 1, True)


@command(
    "GEORADIUS_RO",
    arity=-6,
    flags=READONLY,
    keys=(READ,),
    group="geo",
    since="3.2.10",
    complexity=_OF_SEARCH,
    summary="Returns the members in a circle around a position.",
    syntax=f"key longitude latitude {_RADIUS} {_RESULT}",
)
def georadius_ro(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, COORDINATES, 1, False)


@command(
    "GEORADIUSBYMEMBER",
    arity=-5,
    flags=WRITE | DENYOOM | MOVABLE_KEYS,
    keys=(READ, after(b"STORE", 5, "OW update"), after(b"STOREDIST", 5, "OW update")),
    group="geo",
    since="3.2.0",
    complexity=_OF_SEARCH,
    summary="Returns or stores the members in a circle around a member.",
    syntax=f"key member {_RADIUS} {_RESULT} {_STORED_RESULT}",
)
def georadiusbymember(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, MEMBER, 1, True)


@command(
    "GEORADIUSBYMEMBER_RO",
    arity=-5,
    flags=READONLY,
    keys=(READ,),
    group="geo",
    since="3.2.10",
    complexity=_OF_SEARCH,
    summary="Returns the members in a circle around a member.",
    syntax=f"key member {_RADIUS} {_RESULT}",
)
def georadiusbymember_ro(ctx: Context, argv: list[bytes]) -> object:
    return _run(ctx, argv, MEMBER, 1, False)
