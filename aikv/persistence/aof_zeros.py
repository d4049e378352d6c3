"""Zeros at the end of an append-only file.

Theory of operation: a file system may bring a file's new size to the disk before its new data. If the power is cut in
between, the file ends in zeros from some block on. No command is made of zeros, so nothing is thrown away with them;
such a file is one that was cut, and not one that holds garbage. Redis refuses to start on it. That a command is cut by
the zeros is found out by reading it once more as if the file ended where they begin.
"""

import os
from typing import Final

from aikv.persistence.aof_reader import AofCut, AofGarbage, AofReader
from aikv.persistence.files import Files

_READ_BYTES: Final = 1024 * 1024


def zeros_from(files: Files, path: str, size: int, garbage: AofGarbage) -> int:
    """Where the zeros begin that cut the command `garbage` in the file `path` of `size` bytes; -1 if it is none such.

    Raises `OSError`.
    """
    fd = files.open(path, os.O_RDONLY)
    try:
        skip_bytes(files, fd, garbage.offset)
        begin = _end_of_data(files, fd, garbage.offset)
    finally:
        files.close(fd)
    if begin >= size or (begin > garbage.offset and not _is_cut_at(files, path, garbage.offset, begin)):
        return -1
    return begin


def _end_of_data(files: Files, fd: int, at: int) -> int:
    """The offset behind the last byte that is not zero, from offset `at` on, where the descriptor stands."""
    end = at
    block = files.read(fd, _READ_BYTES)
    while block:
        data = len(block.rstrip(b"\0"))
        if data:
            end = at + data
        at += len(block)
        block = files.read(fd, _READ_BYTES)
    return end


def _is_cut_at(files: Files, path: str, offset: int, size: int) -> bool:
    """Whether the command at `offset` would be cut if the file had `size` bytes."""
    fd = files.open(path, os.O_RDONLY)
    try:
        skip_bytes(files, fd, offset)
        AofReader(files, fd, path, offset, size).next_run()
    except AofCut:
        return True
    except AofGarbage:
        return False
    finally:
        files.close(fd)
    return False


def skip_bytes(files: Files, fd: int, count: int) -> None:
    """Read `count` bytes of `fd` and throw them away."""
    while count > 0:
        block = files.read(fd, min(count, _READ_BYTES))
        if not block:
            return
        count -= len(block)
