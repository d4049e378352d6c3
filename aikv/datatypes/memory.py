"""How much memory values take: what MEMORY USAGE is made of.

Theory of operation: Python says how large each object is (`sys.getsizeof`, which counts what a list or dict has
allocated, and the collector's header); its allocator deals in units of 16 bytes. Each type of value (`Kind.memory`)
adds up the objects that it consists of. Where there are many of a kind, only some are looked at and the rest is taken
to be like them. Objects that are shared with others (small integers, names of hash fields) count in full wherever they
are.
"""

import sys
from collections.abc import Iterable
from itertools import islice
from typing import Final

from aikv.datatypes.table import Table

_UNIT: Final = 16
_BUCKETS: Final = 64


def allocated(held: object) -> int:
    """Bytes that object `held` takes by itself, without those that it refers to."""
    return (sys.getsizeof(held) + _UNIT - 1) // _UNIT * _UNIT


def mean_of(objects: Iterable[object], samples: int) -> float:
    """The mean size in bytes of the first `samples` of `objects`, of all where that is 0; 0.0 without any."""
    total = 0
    count = 0
    for held in islice(objects, samples or None):
        total += allocated(held)
        count += 1
    return total / count if count else 0.0


def sampled(objects: Iterable[object], count: int, samples: int) -> int:
    """Bytes of `count` objects like the first `samples` of `objects` (0: all of them are looked at)."""
    return int(mean_of(objects, samples) * count)


def table_memory(table: Table, samples: int) -> int:
    """Bytes of a table with its keys, but not with its values, which may be shared or none at all."""
    buckets = sampled(table.buckets, len(table.buckets), samples)
    return allocated(table) + allocated(table.buckets) + buckets + sampled(table.keys(), table.used, samples)


def entry_share(table: Table, key: bytes) -> int:
    """Bytes of `table` that are there for `key`, which is in it, besides the key itself."""
    bucket = table.bucket_of(key)
    return allocated(bucket) // len(bucket)


def table_overhead(table: Table) -> int:
    """Bytes of `table` without keys and values; of a large one a few buckets are looked at."""
    return allocated(table) + allocated(table.buckets) + sampled(table.buckets, len(table.buckets), _BUCKETS)
