"""Randomness as an argument.

Everything whose effect may be random (SPOP, RANDOMKEY, eviction sampling) takes a `Random`, so that a test
that gives a seed sees the same choices again. What must be unguessable or unique among servers (`run_id`)
never comes from it but from the operating system.
"""

import builtins
import random
import secrets
from typing import Final

from mypy_extensions import mypyc_attr

_RUN_ID_BYTES: Final = 20


@mypyc_attr(allow_interpreted_subclasses=True)
class Random:
    """A generator of uniform choices. Without a `seed` it starts from the operating system's entropy."""

    def __init__(self, seed: int | None = None) -> None:
        self._generator: Final = random.Random(seed)

    def below(self, n: int) -> int:
        """A uniform integer from 0 to n - 1; `n` is at least 1."""
        if n < 1:
            raise ValueError(f"no integer from 0 to {n - 1}")
        bits = n.bit_length()
        # Drawing again keeps the choice uniform; a draw fails less than every second time.
        drawn = self._generator.getrandbits(bits)
        while drawn >= n:
            drawn = self._generator.getrandbits(bits)
        return drawn

    def bytes(self, n: int) -> builtins.bytes:
        """`n` random bytes, not for secrets."""
        return self._generator.randbytes(n)


def run_id() -> str:
    """40 hexadecimal characters that no other server has: run ids, replication ids, node ids."""
    return secrets.token_hex(_RUN_ID_BYTES)
