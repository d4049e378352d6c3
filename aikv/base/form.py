"""Which of its two forms this aikv runs in: compiled by mypyc, or as interpreted Python.

The same sources make both. A compiled module's `__file__` is its shared object, which is how a module can tell.
"""

from typing import Final

COMPILED: Final = not __file__.endswith(".py")
