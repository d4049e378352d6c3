"""MEMORY DOCTOR: what is remarkable about the server's memory, in words.

Theory of operation: a pure function from figures to text.
"""

from typing import Final

from aikv.engine.memory import STARTUP_BYTES, MemoryFigures

# With less data than this, in bytes, proportions say nothing.
_LITTLE: Final = 5 << 20
_HIGH_PEAK: Final = 1.5
_LARGE_CLIENT: Final = 200 << 10

_EMPTY: Final = "There is next to no data, so there is nothing to judge by.\n"
_FINE: Final = "Nothing about the memory is remarkable.\n"
_PEAK: Final = (
    "Peak: the server once took more than one and a half times as much memory as now. What was freed since may be "
    "scattered; MEMORY PURGE gives back what it can, a restart gives back all."
)
_CLIENTS: Final = (
    "Clients: on average they hold more than 200 KiB each. Look for large omem and qbuf in CLIENT LIST: subscribers or "
    "monitors that read too slowly, or huge requests."
)


def report(figures: MemoryFigures, clients: int) -> str:
    """The report on `figures` of a server with so many `clients`."""
    if figures.used - STARTUP_BYTES < _LITTLE:
        return _EMPTY
    found: list[str] = []
    if figures.peak > figures.used * _HIGH_PEAK:
        found.append(_PEAK)
    if clients and figures.clients // clients > _LARGE_CLIENT:
        found.append(_CLIENTS)
    return "".join(f"- {each}\n" for each in found) or _FINE
