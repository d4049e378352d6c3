"""Sorted sets in RDB files and DUMP payloads.

Theory of operation: a small sorted set is written as its listpack, a large one as members with scores of eight bytes,
highest first, as Redis writes them and loads them fastest. Of old there are scores as text, and ziplists. What is read
is put in order if it is not, and its scores are brought to the text that is kept here. NaN for a score, a member that
stands twice, and a sorted set without members are faults of the file.
"""

import math
import struct
from typing import Final, cast

from aikv.base.numbers import parse_double
from aikv.datatypes import listpack, listpack_check, zsets
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.zset_pack import is_kept_form, pack_of
from aikv.datatypes.zsets import SortedSet
from aikv.persistence.codec import (
    VALUE_READERS,
    VALUE_WRITERS,
    ValueWriter,
    encode_length,
    read_length,
    read_string,
    write_string,
)
from aikv.persistence.codec_ziplist import ziplist_entries
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source

TYPE_ZSET: Final = 3
TYPE_ZSET_2: Final = 5
TYPE_ZSET_ZIPLIST: Final = 12
TYPE_ZSET_LISTPACK: Final = 17
_SCORE: Final = struct.Struct("<d")
# In type 3 a score is the length of its text and the text, or one of these.
_TEXT_NAN: Final = 253
_TEXT_INFINITY: Final = 254
_TEXT_MINUS_INFINITY: Final = 255
# LZF would find little in a shorter listpack, and take longer than all the rest of writing it.
_PACKED_FROM: Final = 256
_NAN: Final = "a sorted set with a score that is no number"


def read_zset(source: Source) -> object:
    """Type 3: the number of members, then each with its score as text."""
    members: list[bytes] = []
    scores: list[object] = []
    for _ in range(read_length(source)):
        members.append(read_string(source))
        scores.append(_read_text_score(source))
    return _gathered(source, members, scores)


def read_zset_2(source: Source) -> object:
    """Type 5: the number of members, then each with its score as a little-endian double."""
    members: list[bytes] = []
    scores: list[object] = []
    for _ in range(read_length(source)):
        members.append(read_string(source))
        score: float = _SCORE.unpack(source.take(_SCORE.size))[0]
        if math.isnan(score):
            raise source.corrupt(_NAN)
        scores.append(score)
    return _gathered(source, members, scores)


def read_zset_ziplist(source: Source) -> object:
    """Type 12: one string, the ziplist of members and scores."""
    data = read_string(source)
    try:
        texts = ziplist_entries(data)
    except ValueError as error:
        raise source.corrupt(str(error)) from error
    return _from_texts(source, texts)


def read_zset_listpack(source: Source) -> object:
    """Type 17: one string, the listpack of members and scores."""
    data = read_string(source)
    try:
        pack = listpack_check.validated(data)
    except ValueError as error:
        raise source.corrupt(str(error)) from error
    if listpack.length(pack) > 0 and is_kept_form(pack):
        # As nearly all are: to make the listpack anew takes ten times as long.
        return zsets.from_listpack(pack, CONFIGURED)
    return _from_texts(source, listpack.entries(pack))


class SortedSetWriter(ValueWriter):
    """`SortedSet`."""

    def type_byte(self, value: object) -> int:
        return TYPE_ZSET_LISTPACK if cast(SortedSet, value).ordered is None else TYPE_ZSET_2

    def write(self, sink: Sink, value: object, packing: bool) -> None:
        held = cast(SortedSet, value)
        ordered = held.ordered
        if ordered is None:
            write_string(sink, held.pack, packing and len(held.pack) >= _PACKED_FROM)
            return
        sink.write(encode_length(len(held)))
        for number in range(len(ordered.leaves) - 1, -1, -1):
            leaf = ordered.leaves[number]
            for place in range(len(leaf.members) - 1, -1, -1):
                write_string(sink, leaf.members[place], packing)
                sink.write(_SCORE.pack(leaf.scores[place]))


VALUE_READERS.update(
    {
        TYPE_ZSET: read_zset,
        TYPE_ZSET_2: read_zset_2,
        TYPE_ZSET_ZIPLIST: read_zset_ziplist,
        TYPE_ZSET_LISTPACK: read_zset_listpack,
    }
)
VALUE_WRITERS[SortedSet] = SortedSetWriter()


def _read_text_score(source: Source) -> float:
    size = source.byte()
    if size == _TEXT_INFINITY:
        return math.inf
    if size == _TEXT_MINUS_INFINITY:
        return -math.inf
    score = None if size == _TEXT_NAN else parse_double(source.take(size))
    if score is None:
        raise source.corrupt(_NAN)
    return score


def _from_texts(source: Source, texts: list[bytes]) -> SortedSet:
    """Members and scores in turn, of a small sorted set."""
    if len(texts) % 2:
        raise source.corrupt("a sorted set that ends within a pair")
    scores: list[object] = []
    for text in texts[1::2]:
        score = parse_double(text)
        if score is None:
            raise source.corrupt(_NAN)
        scores.append(score)
    ordered = _in_order(source, texts[::2], scores)
    return zsets.from_listpack(pack_of(ordered[0], ordered[1]), CONFIGURED)


def _gathered(source: Source, members: list[bytes], scores: list[object]) -> SortedSet:
    ordered = _in_order(source, members, scores)
    return zsets.from_columns(ordered[0], ordered[1], CONFIGURED)


def _in_order(source: Source, members: list[bytes], scores: list[object]) -> tuple[list[bytes], list[object]]:
    """`members` and `scores` in order, with the faults of the file found."""
    if not members:
        raise source.corrupt("a sorted set without members")
    if len(set(members)) != len(members):
        raise source.corrupt("a sorted set with a member that stands twice")
    if _is_ordered(members, scores):
        return members, scores
    members.reverse()
    scores.reverse()
    if _is_ordered(members, scores):
        return members, scores
    pairs = sorted(zip(cast("list[float]", scores), members, strict=True))
    return [member for _, member in pairs], [score for score, _ in pairs]


def _is_ordered(members: list[bytes], scores: list[object]) -> bool:
    before = cast(float, scores[0])
    for index in range(1, len(members)):
        score = cast(float, scores[index])
        if score < before or (score == before and members[index] < members[index - 1]):
            return False
        before = score
    return True
