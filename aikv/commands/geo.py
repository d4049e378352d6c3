"""Positions on Earth, kept in sorted sets. Searches are in `geo_search`.

Theory of operation: the score of a member is its position (`datatypes.geohash`), so all commands on sorted sets work on
these, too, and any score is a position. GEOADD is a ZADD, as which it goes to the journal.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.commands.geo_arguments import length_reply, parse_position, parse_unit, position_reply
from aikv.commands.zset_add import CH, add_members
from aikv.commands.zset_lookup import lookup_zset
from aikv.datatypes.geohash import decode, distance, encode, text
from aikv.datatypes.zsets import NX, XX
from aikv.engine.command import DENYOOM, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ, UPDATE
from aikv.resp.reply import NULL_ARRAY

_OPTIONS: Final[dict[bytes, int]] = {b"NX": NX, b"XX": XX, b"CH": CH}
_OF_EACH: Final = "O(N) for N members given."


@command(
    "GEOADD",
    arity=-5,
    flags=WRITE | DENYOOM,
    keys=(UPDATE,),
    group="geo",
    since="3.2.0",
    complexity="O(M*log(N)) for M members given and a sorted set of N members.",
    summary="Gives members of a sorted set, which is made if need be, their positions.",
    syntax="key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]",
)
def geoadd(ctx: Context, argv: list[bytes]) -> object:
    flags = 0
    first = 2
    count = len(argv)
    while first < count:
        option = _OPTIONS.get(argv[first].upper(), 0)
        if option == 0:
            break
        flags |= option
        first += 1
    if first == count or (count - first) % 3 or (flags & NX and flags & XX):
        raise CommandError(SYNTAX)
    record = [b"zadd", *argv[1:first]]
    members: list[bytes] = []
    scores: list[float] = []
    for index in range(first, count, 3):
        longitude, latitude = parse_position(argv, index)
        score = encode(longitude, latitude)
        members.append(argv[index + 2])
        scores.append(float(score))
        record += [b"%d" % score, argv[index + 2]]
    ctx.rewrite(record)
    return add_members(ctx, argv[1], members, scores, flags)


@command(
    "GEOPOS",
    arity=-2,
    flags=READONLY,
    keys=(READ,),
    group="geo",
    since="3.2.0",
    complexity=_OF_EACH,
    summary="Returns the positions of members, longitude first.",
    syntax="key [member [member ...]]",
)
def geopos(ctx: Context, argv: list[bytes]) -> object:
    positions: list[object] = []
    for score in _scores(ctx, argv):
        positions.append(NULL_ARRAY if score is None else position_reply(score))
    return positions


@command(
    "GEOHASH",
    arity=-2,
    flags=READONLY,
    keys=(READ,),
    group="geo",
    since="3.2.0",
    complexity=_OF_EACH,
    summary="Returns the positions of members as geohash texts.",
    syntax="key [member [member ...]]",
)
def geohash(ctx: Context, argv: list[bytes]) -> object:
    texts: list[object] = []
    for score in _scores(ctx, argv):
        texts.append(None if score is None else text(score))
    return texts


def _scores(ctx: Context, argv: list[bytes]) -> list[float | None]:
    """The scores of the members in `argv` from index 2 on."""
    held = lookup_zset(ctx, argv[1])
    scores: list[float | None] = []
    for index in range(2, len(argv)):
        scores.append(None if held is None else held.score(argv[index]))
    return scores


@command(
    "GEODIST",
    arity=-4,
    flags=READONLY,
    keys=(READ,),
    group="geo",
    since="3.2.0",
    complexity="O(1)",
    summary="Returns the distance of two members.",
    syntax="key member1 member2 [M | KM | FT | MI]",
)
def geodist(ctx: Context, argv: list[bytes]) -> object:
    unit = 1.0
    if len(argv) == 5:
        unit = parse_unit(argv[4])
    elif len(argv) > 5:
        raise CommandError(SYNTAX)
    held = lookup_zset(ctx, argv[1])
    first = None if held is None else held.score(argv[2])
    second = None if held is None else held.score(argv[3])
    if first is None or second is None:
        return None
    longitude, latitude = decode(first)
    other_longitude, other_latitude = decode(second)
    return length_reply(distance(longitude, latitude, other_longitude, other_latitude) / unit)
