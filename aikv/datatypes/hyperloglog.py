"""HyperLogLog: how many different elements were seen, to within 0.81 %, in at most 12 KiB.

Theory of operation: an element's hash chooses one of 16,384 registers with 14 bits; the register keeps the largest
number of zeros, plus one, that any hash had at the low end of its other 50 bits. The value is a string of Redis's own
layout, which GET and DUMP show and SET and RESTORE may bring: a header of 16 bytes, then the registers, sparse while
they are few (`hyperloglog_sparse`) and dense from then on (`hyperloglog_dense`).

    0  "HYLL"
    4  encoding: 0 dense, 1 sparse
    5  three bytes, zero
    8  the last estimate, 64 bits little-endian; its highest bit says that the registers have changed since

Values in place are `bytearray`s: strings that have been changed.
"""

from typing import Final

from mypy_extensions import i64

from aikv.datatypes import hyperloglog_dense as dense
from aikv.datatypes import hyperloglog_sparse as sparse
from aikv.datatypes.hyperloglog_estimate import HASH_BITS, estimate
from aikv.datatypes.murmur import murmur64a

HEADER: Final = 16
DENSE: Final = 0
SPARSE: Final = 1

_MAGIC: Final = b"HYLL"
_DENSE_LENGTH: Final = HEADER + dense.DENSE_BYTES
_SEED: Final = 0xADC83B19
_INDEX_BITS: Final = 14
_STALE: Final = 0x80


class Corrupt(Exception):
    """The string has a HyperLogLog's header, but its registers are not what they must be."""


def new() -> bytearray:
    """An empty HyperLogLog, whose estimate of 0 is right."""
    return bytearray(_MAGIC + bytes([SPARSE]) + bytes(11) + sparse.EMPTY)


def is_hyperloglog(value: bytes | bytearray) -> bool:
    """Whether a string has a HyperLogLog's header, and in the dense form its length."""
    if len(value) < HEADER or value[:4] != _MAGIC or value[4] > SPARSE:
        return False
    return value[4] == SPARSE or len(value) == _DENSE_LENGTH


def is_sparse(value: bytes | bytearray) -> bool:
    """Whether the form is the sparse one."""
    return value[4] == SPARSE


def place(element: bytes) -> tuple[i64, i64]:
    """The register that `element` goes to, and the value that it has there: 1 to 51."""
    bits: i64 = murmur64a(element, _SEED)
    index: i64 = bits & (dense.REGISTERS - 1)
    # The sign bit spreads, but the search ends before it counts.
    bits >>= _INDEX_BITS
    value: i64 = 1
    while value <= HASH_BITS and bits & 1 == 0:
        bits >>= 1
        value += 1
    return index, value


def add(string: bytearray, element: bytes, sparse_limit: i64) -> bool:
    """Add an element; True where a register changed. `sparse_limit` is the longest sparse form in bytes.

    The estimate is left for `invalidate`. Raises Corrupt.
    """
    index, value = place(element)
    if string[4] == DENSE:
        return dense.raise_register(string, HEADER, index, value)
    return raise_sparse(string, index, value, sparse_limit, sparse.Walk(HEADER))


def raise_sparse(string: bytearray, index: i64, value: i64, sparse_limit: i64, walk: sparse.Walk) -> bool:
    """Make a register of a sparse `string` at least `value`, in the dense form where need be; True where it changed."""
    outcome = sparse.raise_register(string, index, value, sparse_limit, walk)
    if outcome == sparse.CORRUPT:
        raise Corrupt
    if outcome == sparse.TOO_LARGE:
        make_dense(string)
        return dense.raise_register(string, HEADER, index, value)
    return outcome == sparse.CHANGED


def registers(value: bytes | bytearray) -> bytes:
    """All registers, a byte each. Raises Corrupt."""
    if value[4] == DENSE:
        return dense.unpack(bytes(value[HEADER:]))
    found = sparse.decode(bytes(value), HEADER)
    if found is None:
        raise Corrupt
    return found


def make_dense(string: bytearray) -> None:
    """Turn the sparse form into the dense one. Raises Corrupt."""
    packed = dense.pack(registers(string))
    string[4] = DENSE
    string[HEADER:] = packed


def merge_into(string: bytearray, merged: bytes, use_dense: bool, sparse_limit: i64) -> None:
    """Store registers, a byte each, that are nowhere less than those of `string`.

    The sparse form is kept if `string` has it, unless `use_dense`, and as long as the limit lets it. Raises Corrupt.
    """
    if use_dense and is_sparse(string):
        make_dense(string)
    if is_sparse(string):
        walk = sparse.Walk(HEADER)
        for index, value in enumerate(merged):
            if value:
                raise_sparse(string, index, value, sparse_limit, walk)
                if not is_sparse(string):
                    break
    if not is_sparse(string):
        string[HEADER:] = dense.pack(merged)
    invalidate(string)


def cardinality(value: bytes | bytearray) -> int:
    """The estimate, made anew from the registers. Raises Corrupt."""
    if value[4] == DENSE:
        return estimate(dense.histogram(dense.unpack(bytes(value[HEADER:]))))
    counts = sparse.histogram(bytes(value), HEADER)
    if counts is None:
        raise Corrupt
    return estimate(counts)


def cardinality_of(merged: bytes) -> int:
    """The estimate for registers that are a byte each."""
    return estimate(dense.histogram(merged))


def cached(value: bytes | bytearray) -> int | None:
    """The estimate in the header, or None where it is out of date."""
    return None if value[15] & _STALE else int.from_bytes(value[8:16], "little")


def cache(string: bytearray, number: int) -> None:
    """Write an estimate into the header."""
    string[8:16] = number.to_bytes(8, "little", signed=True)


def invalidate(string: bytearray) -> None:
    """Say that the estimate in the header is out of date."""
    string[15] |= _STALE
