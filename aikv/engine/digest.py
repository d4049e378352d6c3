"""DEBUG DIGEST: one SHA-1 for a whole dataset, equal to redis-server's for the same data.

Theory of operation, after Redis's debug.c: the digest of a key is built by mixing in, in order, its name, the
number of its type, its value, and a word where it has a TTL (not the TTL itself). The digest of the dataset is the
exclusive or of all keys' digests, each hashed once more, so that order does not matter; the number of each database
that is not empty is mixed in before its keys. How the elements of a value are taken in is looked up by its type in
`_ELEMENTS`, with the type's number.
"""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from aikv.datatypes.field_times import NO_TIME
from aikv.datatypes.hashes import Hash
from aikv.datatypes.lists import List
from aikv.datatypes.sets import Set
from aikv.datatypes.stream import Stream
from aikv.datatypes.stream_id import LARGEST, SEQUENCE_BITS, U64_MAX
from aikv.datatypes.strings import FloatText
from aikv.datatypes.zsets import SortedSet
from aikv.engine.context import string_bytes
from aikv.keyspace.database import NO_EXPIRY, Database

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

_SIZE: Final = 20
_NOTHING: Final = bytes(_SIZE)
_EXPIRES: Final = b"!!expire!!"
_FIELD_EXPIRES: Final = b"!!hexpire!!"

# A digest and a value: the digest with the value's elements taken in.
Elements = Callable[[bytes, object], bytes]


def dataset_digest(engine: "Engine") -> bytes:
    """The digest of all databases, in hexadecimal; keys past their time that are still there count."""
    total = _NOTHING
    for database in engine.databases:
        if len(database):
            total = _mix(total, database.index.to_bytes(4, "big"))
            for bucket in database.buckets():
                for key, value in bucket.items():
                    total = _xor(total, _value_digest(_mix(_NOTHING, key), database, key, value))
    return total.hex().encode()


def key_digest(database: Database, key: bytes, value: object | None) -> bytes:
    """The digest of one value, in hexadecimal, without its name; zeros for none."""
    if value is None:
        return _NOTHING.hex().encode()
    return _value_digest(_NOTHING, database, key, value).hex().encode()


def _value_digest(digest: bytes, database: Database, key: bytes, value: object) -> bytes:
    kind = _ELEMENTS.get(type(value))
    if kind is None:
        raise NotImplementedError(f"no digest for {type(value).__name__}")
    number, elements = kind
    digest = elements(_mix(digest, number.to_bytes(4, "big")), value)
    if database.expire_of(key) != NO_EXPIRY:
        digest = _xor(digest, _EXPIRES)
    return digest


def _string(digest: bytes, value: object) -> bytes:
    return _mix(digest, string_bytes(value))


def _list(digest: bytes, value: object) -> bytes:
    for element in cast(List, value).elements():
        digest = _mix(digest, element)
    return digest


def _set(digest: bytes, value: object) -> bytes:
    for member in cast(Set, value).members():
        digest = _xor(digest, member)
    return digest


def _hash(digest: bytes, value: object) -> bytes:
    held = cast(Hash, value)
    pairs = held.pairs()
    for index in range(0, len(pairs), 2):
        element = _mix(_mix(_NOTHING, pairs[index]), pairs[index + 1])
        if held.expiry_of(pairs[index]) != NO_TIME:
            element = _xor(element, _FIELD_EXPIRES)
        digest = _xor(digest, element)
    return digest


def _sorted_set(digest: bytes, value: object) -> bytes:
    held = cast(SortedSet, value)
    members, scores = held.columns(0, len(held))
    for index in range(len(members)):
        # The text of a score in C's `%.17g`.
        text = f"{cast(float, scores[index]):.17g}".encode()
        digest = _xor(digest, _mix(_mix(_NOTHING, members[index]), text))
    return digest


def _stream(digest: bytes, value: object) -> bytes:
    for number, texts in cast(Stream, value).range(0, LARGEST):
        digest = _mix(digest, b"%d.%d" % (number >> SEQUENCE_BITS, number & U64_MAX))
        for text in texts:
            digest = _mix(digest, text)
    return digest


def _xor(digest: bytes, data: bytes) -> bytes:
    """Take `data` in so that it does not matter in which order such data come."""
    other = hashlib.sha1(data, usedforsecurity=False).digest()
    return (int.from_bytes(digest, "big") ^ int.from_bytes(other, "big")).to_bytes(_SIZE, "big")


def _mix(digest: bytes, data: bytes) -> bytes:
    """Take `data` in so that the order matters."""
    return hashlib.sha1(_xor(digest, data), usedforsecurity=False).digest()


_ELEMENTS: Final[dict[type, tuple[int, Elements]]] = {
    bytes: (0, _string),
    int: (0, _string),
    bytearray: (0, _string),
    FloatText: (0, _string),
    List: (1, _list),
    Set: (2, _set),
    SortedSet: (3, _sorted_set),
    Hash: (4, _hash),
    Stream: (6, _stream),
}
