"""The incr file that is being written, and the bytes that are to go into it.

Theory of operation: commands are collected in a list and handed to the kernel by one write per turn of the
event loop. A write that does not take everything is undone by truncating the file to where the turn began,
so the file always ends behind a whole command and a whole transaction; everything stays in the list for the
next try. If the truncation fails too, the file ends in `torn` bytes of the list; the next try truncates
again, or else goes on writing behind them, which comes to the same bytes.

After an fsync that failed the kernel may show data that never reach the disk. Nobody was told that they are safe, so
`take_back` removes them: the next process must not build upon them.
"""

import errno
import os
from typing import Final

from aikv.persistence.files import Files

FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class AofTail:
    """Writes to one incr file at a time.

    `size` is the length of the file in whole turns, `synced` how much of it is known to be on the disk
    (both in bytes); `generation` counts the files, so that the result of an fsync can be told to belong to
    an earlier one.
    """

    def __init__(self, files: Files) -> None:
        self._files: Final = files
        self.fd: int = -1
        self.size: int = 0
        # Where what the last turn has written begins.
        self._turn: int = 0
        self.synced: int = 0
        self.generation: int = 0
        self.buffer: list[bytes] = []
        self.torn: int = 0

    def attach(self, fd: int, size: int) -> int:
        """Go on in the file open at `fd`, which has `size` bytes; returns the descriptor of the file
        before, or -1."""
        old = self.fd
        self.fd = fd
        self.size = size
        self._turn = size
        # What an earlier process wrote may not have reached the disk.
        self.synced = 0
        self.generation += 1
        self.torn = 0
        return old

    def pending(self) -> int:
        """Bytes collected but not written."""
        return sum([len(data) for data in self.buffer]) - self.torn

    def flush(self) -> None:
        """Hand everything collected to the kernel. Raises `OSError`, and keeps it all, if that fails."""
        if not self.buffer:
            return
        self.mend()
        data = b"".join(self.buffer) if len(self.buffer) > 1 else self.buffer[0]
        written = self.torn
        try:
            while written < len(data):
                taken = self._files.write(self.fd, data[written:] if written else data)
                if taken <= 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written += taken
        except OSError:
            self.buffer = [data]
            self.torn = written
            self.mend()
            raise
        self.buffer = []
        self.torn = 0
        self._turn = self.size
        self.size += len(data)

    def mend(self) -> None:
        """Cut off what a failed write left in the file; `torn` is 0 if that succeeded."""
        if self.torn > 0:
            try:
                self._files.truncate(self.fd, self.size)
            except OSError:
                return  # The failed write is what is reported; `torn` says that this failed as well.
            self.torn = 0

    def sync(self) -> None:
        """Force the file to the disk. Raises `OSError`."""
        self._files.fsync(self.fd)
        self.synced = self.size

    def take_back(self) -> None:
        """Cut off what the last turn has written. Raises `OSError`."""
        self._files.truncate(self.fd, self._turn)
        self.size = self._turn
