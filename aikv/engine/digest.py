"""DEBUG DIGEST: one SHA-1 for a whole dataset, equal to redis-server's for the same data.

Theory of operation, after Redis's debug.c: the digest of a key is built by mixing in, in order, its name, the
number of its type, its value, and a word where it has a TTL (not the TTL itself). The digest of the dataset is the
exclusive or of all keys' digests, each hashed once more, so that order does not matter; the number of each database
that is not empty is mixed in before its keys.
"""

import hashlib
from typing import TYPE_CHECKING, Final

from aikv.datatypes.kinds import STRING, kind_of
from aikv.engine.context import string_bytes
from aikv.keyspace.database import NO_EXPIRY, Database

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

_SIZE: Final = 20
_NOTHING: Final = bytes(_SIZE)
_EXPIRES: Final = b"!!expire!!"
_STRING_TYPE: Final = 0


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
    digest = _mix(digest, _type_number(value).to_bytes(4, "big"))
    digest = _mix(digest, string_bytes(value))
    if database.expire_of(key) != NO_EXPIRY:
        digest = _xor(digest, _EXPIRES)
    return digest


def _type_number(value: object) -> int:
    if kind_of(value) is not STRING:
        raise NotImplementedError(f"no digest for {type(value).__name__}")
    return _STRING_TYPE


def _xor(digest: bytes, data: bytes) -> bytes:
    """Take `data` in so that it does not matter in which order such data come."""
    other = hashlib.sha1(data, usedforsecurity=False).digest()
    return (int.from_bytes(digest, "big") ^ int.from_bytes(other, "big")).to_bytes(_SIZE, "big")


def _mix(digest: bytes, data: bytes) -> bytes:
    """Take `data` in so that the order matters."""
    return hashlib.sha1(_xor(digest, data), usedforsecurity=False).digest()
