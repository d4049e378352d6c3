"""Rare or low-level fields of an RDB stream: integers read by index, old functions, the aux data of modules.

Theory of operation: nothing here knows a receiver; each function reads one field and returns or skips it, so that
`rdb_read` holds the walk over the records and nothing else.
"""

from mypy_extensions import i64

from aikv.persistence.codec import read_length, read_string
from aikv.persistence.rdb_format import (
    ENC_INT8,
    ENC_INT16,
    MODULE_DOUBLE,
    MODULE_EOF,
    MODULE_FLOAT,
    MODULE_SINT,
    MODULE_STRING,
    MODULE_UINT,
)
from aikv.persistence.source import Source


def small_int(buffer: bytes, at: i64, head: i64) -> int:
    """The integer-encoded string whose encoding byte is `head` and whose first data byte is `buffer[at]`."""
    number: i64 = buffer[at]
    if head == ENC_INT8:
        return number - 0x100 if number >= 0x80 else number
    number |= buffer[at + 1] << 8
    if head == ENC_INT16:
        return number - 0x10000 if number >= 0x8000 else number
    number |= buffer[at + 2] << 16 | buffer[at + 3] << 24
    return number - 0x100000000 if number >= 0x80000000 else number


def read_old_function(source: Source) -> bytes:
    """A library as Redis 7.0's release candidates wrote it: name, engine, optional description, code without header."""
    name = read_string(source)
    engine = read_string(source)
    if read_length(source):
        read_string(source)
    return b"#!" + engine + b" name=" + name + b"\n" + read_string(source)


def skip_module_aux(source: Source) -> None:
    """Skip what a module stored beside the keys: its id, a moment, and a list of typed fields up to an end mark."""
    read_length(source)
    if read_length(source) != MODULE_UINT:
        raise source.corrupt("a module's aux data does not begin with an integer")
    read_length(source)
    kind = read_length(source)
    while kind != MODULE_EOF:
        if kind in (MODULE_SINT, MODULE_UINT):
            read_length(source)
        elif kind == MODULE_FLOAT:
            source.take(4)
        elif kind == MODULE_DOUBLE:
            source.take(8)
        elif kind == MODULE_STRING:
            read_string(source)
        else:
            raise source.corrupt(f"unknown field kind {kind} in a module's aux data")
        kind = read_length(source)
