"""Numbers of the RDB format: opcodes, value types, length and string encodings, and their names.

Theory of operation: an RDB file is `REDIS` and four decimal digits of version, then records. A record's first byte
is an opcode (243 and above) or a value type (those of `TYPE_NAMES`); after `EOF` stand, from version 5 on, the eight
little-endian bytes of a CRC64 over all that precedes them, or eight zeros if the writer was told not to compute it.
DUMP payloads use the same value types. The numbers are those of `rdb.h` in Redis 7.4 and of Valkey 8.
"""

from typing import Final

MAGIC: Final = b"REDIS"
OLDEST_VERSION: Final = 1
NEWEST_VERSION: Final = 12
# The oldest version that holds what redis-server 7.0 knows, so that it can take the file over.
WRITTEN_VERSION: Final = 10
# Of Redis 7.4: fields of hashes with times.
FIELD_TIMES_VERSION: Final = 12
FIRST_VERSION_WITH_CHECKSUM: Final = 5
CHECKSUM_BYTES: Final = 8

OP_SLOT_INFO: Final = 244
OP_FUNCTION2: Final = 245
OP_FUNCTION_PRE_GA: Final = 246
OP_MODULE_AUX: Final = 247
OP_IDLE: Final = 248
OP_FREQ: Final = 249
OP_AUX: Final = 250
OP_RESIZEDB: Final = 251
OP_EXPIRETIME_MS: Final = 252
OP_EXPIRETIME: Final = 253
OP_SELECTDB: Final = 254
OP_EOF: Final = 255

MODULE_EOF: Final = 0
MODULE_SINT: Final = 1
MODULE_UINT: Final = 2
MODULE_FLOAT: Final = 3
MODULE_DOUBLE: Final = 4
MODULE_STRING: Final = 5

# A length's first byte: its two high bits choose the form, except that 10xxxxxx knows two exact bytes only.
LEN_32: Final = 0x80
LEN_64: Final = 0x81
# 11xxxxxx is no length but a string in a special encoding, named by the six low bits.
ENC_INT8: Final = 0xC0
ENC_INT16: Final = 0xC1
ENC_INT32: Final = 0xC2
ENC_LZF: Final = 0xC3

TYPE_STRING: Final = 0
# Of this type and those above it are hashes some of whose fields have times.
FIRST_TYPE_WITH_FIELD_TIMES: Final = 22

TYPE_NAMES: Final = {
    0: "string",
    1: "list-linked",
    2: "set-hashtable",
    3: "zset-v1",
    4: "hash-hashtable",
    5: "zset-v2",
    6: "module-pre-release",
    7: "module-value",
    9: "hash-zipmap",
    10: "list-ziplist",
    11: "set-intset",
    12: "zset-ziplist",
    13: "hash-ziplist",
    14: "quicklist",
    15: "stream",
    16: "hash-listpack",
    17: "zset-listpack",
    18: "quicklist-v2",
    19: "stream-v2",
    20: "set-listpack",
    21: "stream-v3",
    22: "hash-hashtable-md-pre-release",
    23: "hash-listpack-md-pre-release",
    24: "hash-hashtable-md",
    25: "hash-listpack-md",
}
