"""Data on the disk: RDB files, append-only files, and the payloads of DUMP.

In reading order. `files` is the layer through which everything here touches the disk, so that tests can make it
fail. `source` and `sink` are the ends of a stream of bytes, each with a running CRC64. `codec` turns values into bytes
and back, one entry per data type; `rdb_format` holds its numbers. `rdb_read` and `rdb_write` walk a whole RDB stream
(`rdb_fields` reads what is rare in it), `dump` wraps a single value for DUMP and RESTORE, `snapshot` replaces an RDB
file atomically, in a forked child (`background`) for BGSAVE, and `check_rdb` examines one. The files that begin with
`aof_` write, fsync, rewrite and load the append-only log, whose base is an RDB of the same codec.

For files at rest: `aof_find` finds a log, `aof_history` says what its kept past is good for, `aof_restore` goes back to
a moment, `backup` lists copies with checksums, `rdb_convert` writes other versions, `sizes` estimates memory.

Nothing here knows commands, clients or configuration: a dataset to be saved is a list of `SavedDatabase`, one being
loaded is a `Receiver`.

Programs that want Redis's files without a server use what this package exports: `save_rdb`, `load_rdb`, `AofWriter`,
`load_aof`, with plain bytes, lists, sets and dicts in and out (`public`, `plain`, `aof_writer`):

    from aikv.persistence import AofSyncPolicy, AofWriter, Entry, load_aof, load_rdb, save_rdb

    save_rdb("dump.rdb", {0: {b"greeting": b"hello", b"session": Entry(b"x", 1_900_000_000_000)}})
    with AofWriter("appendonly.aof", AofSyncPolicy.EVERY_SECOND) as log:
        log.log_command([b"SET", b"greeting", b"hello"])

Keys and values are bytes, times unix milliseconds, intervals seconds; every error is an `AikvError`.

Why a snapshot is a forked child's: `scripts/bench snapshots --runs 3` measures both ways of taking one, with 1M strings
of 16 bytes and 20 clients that set random keys all the while, on two cores; medians, compiled.

    |                                    | longest stall  | duration | commands/s (before) | peak memory (before) |
    | forked child                       | 10 ms (5 ms)   | 1.4 s    | 32,000 (74,000)     | 405 MB (237 MB)      |
    | bucket by bucket in the parent     |  8 ms (8 ms)   | 0.7 s    |  6,700 (45,000)     | 237 MB (236 MB)      |
    | redis-server 7.0 (a forked child)  |  6 ms (3 ms)   | 1.0 s    | 35,000 (78,000)     | 231 MB (128 MB)      |

Slices of 2 ms in the parent, a bucket's dict copied before its first change, need no memory. But they take nine tenths
of the commands while they last, and that is for strings only. A collection is changed in place, so it would have to be
written whole before its first change (a hash of 1M fields: 0.4 s, in which nobody is served, where a fork costs the
same for all values), and every command that changes one would have to say so beforehand. With the child such a stall
cannot be. What the child costs in memory is mostly the parent's, whose changes copy pages. Its own share is small for
strings, which it reads by `background.read_apart` (of 163 MB it makes 15 its own, 123 where it looks at each object);
collections cost it the pages that they are on (300,000 mixed keys without a load: 116 MB become 195 MB).

What is left of the stall is the fork: of 200 MB the system copies the page tables in 7 ms (127 MB of redis-server: 4),
and the first changes after it copy pages. What else it once was: keys freed by the thousand, each on a page to be
copied (`keyspace.access`), the naming of the file (`snapshot`), the child on the parent's core (`background`).

No `gc.freeze` before the fork: the collector is off in a server, and so touches nothing.
"""

from aikv.base.errors import AikvError, CorruptFile
from aikv.persistence.aof_writer import AofFailed, AofWriter
from aikv.persistence.plain import (
    BadValue,
    PendingEntry,
    StreamConsumer,
    StreamGroup,
    StreamValue,
    TimedHash,
    Value,
    ZSet,
)
from aikv.persistence.public import (
    AofSyncPolicy,
    BadConfig,
    Databases,
    Entry,
    FileAccess,
    LoadedDatabases,
    PersistenceConfig,
    load_aof,
    load_rdb,
    save_rdb,
)

__all__ = [
    "AikvError",
    "AofFailed",
    "AofSyncPolicy",
    "AofWriter",
    "BadConfig",
    "BadValue",
    "CorruptFile",
    "Databases",
    "Entry",
    "FileAccess",
    "LoadedDatabases",
    "PendingEntry",
    "PersistenceConfig",
    "StreamConsumer",
    "StreamGroup",
    "StreamValue",
    "TimedHash",
    "Value",
    "ZSet",
    "load_aof",
    "load_rdb",
    "save_rdb",
]
