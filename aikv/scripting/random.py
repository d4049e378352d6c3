"""The random numbers of scripts: the same in every server.

Theory of operation: the generator of POSIX's drand48 (48 bits, linear congruential), of which Redis keeps a copy, so
that `math.random` does not depend on the machine. It begins where drand48 begins that nobody has seeded, and goes on
from script to script; a seed holds for the scripts that follow, too.
Source: https://pubs.opengroup.org/onlinepubs/9699919799/functions/drand48.html
"""

from math import isfinite
from typing import Final

_MULTIPLIER: Final = 0x5DEECE66D
_INCREMENT: Final = 0xB
_MASK: Final = (1 << 48) - 1
_FIRST: Final = 0x1234ABCD330E
# The low bits of a state made from a seed.
_LOW: Final = 0x330E
_GREATEST: Final = (1 << 31) - 1
_SEED_MASK: Final = (1 << 32) - 1


class ScriptRandom:
    """What `math.random` draws from."""

    def __init__(self) -> None:
        self._state = _FIRST

    def seed(self, number: float) -> None:
        """Begin with `number`, of which the low 32 bits count; what is no finite number counts as C casts it."""
        seed = int(number) if isfinite(number) else 0
        self._state = (seed & _SEED_MASK) << 16 | _LOW

    def draw(self) -> float:
        """The next number, at least 0 and below 1."""
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _MASK
        return (self._state >> 17) % _GREATEST / _GREATEST
