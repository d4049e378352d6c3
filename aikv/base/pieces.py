"""Short pieces of bytes copied into a writer without an object made of each.

Theory of operation: compiled, a `BytesWriter` takes eight bytes in a few instructions, while a slice of `bytes` is an
object that is made, copied from and freed again. Loading a file copies some ten bytes at a time, many times over.
"""

from librt.strings import (
    BytesWriter,
    read_i16_le,
    read_i32_le,
    read_i64_le,
    write_i16_le,
    write_i32_le,
    write_i64_le,
)
from mypy_extensions import i64

from aikv.base.form import COMPILED


def add_piece(writer: BytesWriter, data: bytes, start: i64, stop: i64) -> None:
    """Append `data[start:stop]`, all of which is there, to `writer`."""
    if not COMPILED:
        writer.write(data[start:stop])
        return
    while stop - start >= 8:
        write_i64_le(writer, read_i64_le(data, start))
        start += 8
    if stop - start >= 4:
        write_i32_le(writer, read_i32_le(data, start))
        start += 4
    if stop - start >= 2:
        write_i16_le(writer, read_i16_le(data, start))
        start += 2
    if start < stop:
        writer.append(data[start])
