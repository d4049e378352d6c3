"""Data on the disk: RDB files, append-only files, and the payloads of DUMP.

In reading order. `files` is the layer through which everything here touches the disk, so that tests can make it
fail. `source` and `sink` are the ends of a stream of bytes, each with a running CRC64. `codec` turns values into bytes
and back, one entry per data type; `rdb_format` holds its numbers. `rdb_read` and `rdb_write` walk a whole RDB stream
(`rdb_fields` reads what is rare in it), `dump` wraps a single value for DUMP and RESTORE, `snapshot` replaces an RDB
file atomically, in a forked child (`background`) for BGSAVE, and `check_rdb` examines one. The files that begin with
`aof_` write, fsync, rewrite and load the append-only log, whose base is an RDB of the same codec.

Nothing here knows commands, clients or configuration: a dataset to be saved is a list of `SavedDatabase`, one being
loaded is a `Receiver`.
"""
