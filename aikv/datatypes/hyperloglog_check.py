"""The check of the HyperLogLog that PFSELFTEST runs: is this build's arithmetic right?

Theory of operation: registers of random values must come through the dense form unharmed; then the same random
elements go into one HyperLogLog that begins sparse and one that is dense throughout, which must agree in every
register, and whose estimate must lie within four standard errors of the truth at every power of ten.
"""

import math
from typing import Final

from aikv.base.random import Random
from aikv.datatypes import hyperloglog as hll
from aikv.datatypes import hyperloglog_dense as dense

_ROUNDS: Final = 10
_ELEMENTS: Final = 10_000
_SPARSE_LIMIT: Final = 3000
_STANDARD_ERROR: Final = 1.04 / math.sqrt(dense.REGISTERS)


def failure(random: Random) -> bytes | None:
    """What is wrong, or None."""
    for _ in range(_ROUNDS):
        drawn = bytes([byte & 63 for byte in random.bytes(dense.REGISTERS)])
        if dense.unpack(dense.pack(drawn)) != drawn:
            return b"dense registers do not keep their values"
    grown = hll.new()
    flat = hll.new()
    hll.make_dense(flat)
    seed = random.bytes(8)
    checkpoint = 1
    for number in range(1, _ELEMENTS + 1):
        element = seed + number.to_bytes(8, "little")
        hll.add(grown, element, _SPARSE_LIMIT)
        hll.add(flat, element, _SPARSE_LIMIT)
        if number == checkpoint:
            checkpoint *= 10
            if hll.registers(grown) != hll.registers(flat):
                return b"sparse and dense registers differ after %d elements" % number
            found = hll.cardinality(flat)
            # With few elements one more or less is within what may happen.
            if abs(found - number) > max(1.0, 4 * _STANDARD_ERROR * number):
                return b"%d elements were taken for %d" % (number, found)
    return None
