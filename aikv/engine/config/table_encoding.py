"""Directives: up to which size a collection stays in its compact form."""

from typing import Final

from aikv.engine.config.directive import STORED, Section, number
from aikv.engine.config.kinds import INT_MAX, LONG_MAX, MEMORY

_ENTRIES: Final = "Entries up to which"
_BYTES: Final = "Bytes of the longest entry up to which"

ENCODING: Final = [
    Section(
        "Compact forms of collections",
        [
            number(
                "hash-max-listpack-entries",
                512,
                0,
                LONG_MAX,
                f"{_ENTRIES} a hash is compact.",
                alias="hash-max-ziplist-entries",
            ),
            number(
                "hash-max-listpack-value",
                64,
                0,
                LONG_MAX,
                f"{_BYTES} a hash is compact.",
                alias="hash-max-ziplist-value",
                unit=MEMORY,
            ),
            number(
                "list-max-listpack-size",
                -2,
                -INT_MAX - 1,
                INT_MAX,
                "Size of one node of a list: entries, or -1 to -5 for 4 to 64 kb.",
                alias="list-max-ziplist-size",
            ),
            number(
                "list-compress-depth",
                0,
                0,
                INT_MAX,
                "Nodes at each end of a list that are not compressed; 0 compresses none.",
                STORED,
            ),
            number("set-max-intset-entries", 512, 0, LONG_MAX, f"{_ENTRIES} a set of integers is compact."),
            number("set-max-listpack-entries", 128, 0, LONG_MAX, f"{_ENTRIES} a set is compact."),
            number("set-max-listpack-value", 64, 0, LONG_MAX, f"{_BYTES} a set is compact.", unit=MEMORY),
            number(
                "zset-max-listpack-entries",
                128,
                0,
                LONG_MAX,
                f"{_ENTRIES} a sorted set is compact.",
                alias="zset-max-ziplist-entries",
            ),
            number(
                "zset-max-listpack-value",
                64,
                0,
                LONG_MAX,
                f"{_BYTES} a sorted set is compact.",
                alias="zset-max-ziplist-value",
                unit=MEMORY,
            ),
            number(
                "hll-sparse-max-bytes", 3000, 0, LONG_MAX, "Bytes up to which a HyperLogLog is sparse.", unit=MEMORY
            ),
            number(
                "stream-node-max-bytes", 4096, 0, LONG_MAX, "Bytes in one node of a stream; 0 is no limit.", unit=MEMORY
            ),
            number("stream-node-max-entries", 100, 0, LONG_MAX, "Entries in one node of a stream; 0 is no limit."),
        ],
    ),
]
