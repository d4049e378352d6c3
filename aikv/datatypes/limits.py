"""How large a small collection may be, as `hash-max-listpack-entries` and its like say.

Theory of operation: the methods that may have to change the form of a value are given a `Limits`. `CONFIGURED` is the
one that stands for the configuration of this process: who reads the configuration writes it, and who has no other to
go by, as a reader of files, takes it. The defaults are Redis 7.2's.
"""

from typing import Final

from mypy_extensions import i64


class Limits:
    """Largest number of elements, and largest length of an element in bytes, that a compact form takes."""

    def __init__(self) -> None:
        self.hash_listpack_entries: i64 = 512
        self.hash_listpack_value: i64 = 64
        self.set_intset_entries: i64 = 512
        self.set_listpack_entries: i64 = 128
        self.set_listpack_value: i64 = 64
        self.zset_listpack_entries: i64 = 128
        self.zset_listpack_value: i64 = 64
        # Positive: elements; -1 to -5: 4, 8, 16, 32 or 64 KiB.
        self.list_listpack_size: i64 = -2
        # Of one node of a stream; 0 is no limit.
        self.stream_node_bytes: i64 = 4096
        self.stream_node_entries: i64 = 100
        # Of a HyperLogLog of few runs of registers.
        self.hll_sparse_bytes: i64 = 3000


CONFIGURED: Final = Limits()
