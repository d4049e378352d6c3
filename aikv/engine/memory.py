"""What memory the server takes: the figures behind INFO memory, MEMORY STATS and MEMORY DOCTOR.

Theory of operation: `used_memory` is the resident set of the process, asked from the system when somebody wants to
know. It is the one figure that covers everything (values, the interpreter, sockets' buffers) and costs commands
nothing. The alternatives are worse: adding up allocations would cost every command; `sys.getallocatedblocks` counts
blocks without their sizes and walks all pools for it; `mallinfo` sees only what is larger than 512 bytes, because
CPython's allocator maps its arenas itself; `sys._debugmallocstats` writes to stderr. So there is no difference between
allocated and resident memory to report, and all ratios of fragmentation are 1. Freed memory goes back to the system
once a whole arena of 256 KiB (large objects: what malloc trims) is free, so the figure falls later than the data.

Overhead is what would be there without data, and what tables and clients take beside the data. Tables are sampled.
"""

import ctypes
import gc
import os
import resource
import sys
from typing import TYPE_CHECKING, Final

from aikv.datatypes.kinds import kind_of
from aikv.datatypes.memory import allocated, entry_share, table_overhead
from aikv.engine.client_line import client_bytes
from aikv.engine.process import resident_bytes
from aikv.keyspace.database import Database

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

# Taken when the code has been loaded, before there is any data.
STARTUP_BYTES: Final = resident_bytes()


class MemoryFigures:
    """Bytes, at one moment."""

    def __init__(self, engine: "Engine") -> None:
        self.used: Final = resident_bytes()
        self.peak: Final = max(self.used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        self.clients: Final = sum(client_bytes(client) for client in engine.clients.values())
        self.log: Final = _log_buffer(engine)
        # Of each database that is not empty: number, its table's overhead, that of the table of times to live.
        self.tables: Final[list[tuple[int, int, int]]] = [
            (database.index, table_overhead(database.table), table_overhead(database.expires))
            for database in engine.databases
            if len(database)
        ]
        self.overhead: Final = (
            STARTUP_BYTES + self.clients + self.log + sum(main + expires for _, main, expires in self.tables)
        )
        self.dataset: Final = max(0, self.used - self.overhead)
        self.keys: Final = sum(len(database) for database in engine.databases)


def _log_buffer(engine: "Engine") -> int:
    """Bytes on their way to the append-only file."""
    waiting = len(engine.journal.out)
    return waiting + sum(len(piece) for piece in engine.persistence.log.aof.tail.buffer)


def percentage(part: int, whole: int) -> float:
    """`part` of `whole` in per cent; 0.0 of nothing."""
    return 100 * part / whole if whole > 0 else 0.0


def total_system_memory() -> int:
    """Bytes of memory that the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def key_memory(database: Database, key: bytes, value: object, samples: int) -> int:
    """Bytes that `key` and its `value` take in `database`, with their share of its tables (MEMORY USAGE)."""
    total = allocated(key) + kind_of(value).memory(value, samples) + entry_share(database.table, key)
    when = database.expires.get(key)
    if when is not None:
        total += allocated(when) + entry_share(database.expires, key)
    return total


def purge() -> None:
    """Give free memory back to the system, as far as its C library knows how."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def allocator_report() -> str:
    """What can be said of the allocator (MEMORY MALLOC-STATS)."""
    counts = gc.get_count()
    lines = [
        "aikv's memory comes from CPython's allocator: arenas for objects of up to 512 bytes, malloc for larger ones.",
        f"Blocks in use in arenas: {sys.getallocatedblocks()}",
        f"Resident memory: {resident_bytes()} bytes, {STARTUP_BYTES} of them at the start",
        f"Objects that the garbage collector has yet to look at, by generation: {counts[0]}, {counts[1]}, {counts[2]}",
    ]
    return "\n".join(lines) + "\n"
