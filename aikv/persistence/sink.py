"""Where persisted bytes go: parts collected in a list, written out as one block with a running CRC64.

Theory of operation: a writer calls `write` for each part; parts are joined once per block, which is when the CRC is
folded and the block handed to `put_block`. So a field costs one list append, memory is bounded by a block, and the
disk sees few large writes. `Sink` itself keeps the blocks in memory (DUMP payloads); `FileSink` writes them through
the injectable file layer and forces them to the disk every few megabytes, so that the last fsync of a large file does
not stall the disk for everyone else.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from aikv.base.crc64 import crc64
from aikv.persistence.files import Files, write_all

BLOCK_BYTES: Final = 256 * 1024
FSYNC_EVERY_BYTES: Final = 4 * 1024 * 1024


@mypyc_attr(allow_interpreted_subclasses=True)
class Sink:
    """Collects bytes in memory; `keep_crc` False saves the time of the checksum where nobody asks for it."""

    def __init__(self, keep_crc: bool = True, block_bytes: int = BLOCK_BYTES) -> None:
        self.keep_crc: Final = keep_crc
        self._parts: list[bytes] = []
        self._pending: int = 0
        self._block_bytes: Final = block_bytes
        self._written: int = 0
        self._crc: int = 0
        self._blocks: list[bytes] = []

    def put_block(self, block: bytes) -> None:
        """Take one block; a subclass sends it to where it belongs."""
        self._blocks.append(block)

    def write(self, part: bytes) -> None:
        """Append `part`."""
        self._parts.append(part)
        self._pending += len(part)
        if self._pending >= self._block_bytes:
            self.flush()

    def flush(self) -> None:
        """Hand everything written so far to `put_block`."""
        if self._parts:
            block = b"".join(self._parts)
            self._parts.clear()
            self._pending = 0
            if self.keep_crc:
                self._crc = crc64(block, self._crc)
            self._written += len(block)
            self.put_block(block)

    def offset(self) -> int:
        """Bytes written since the start."""
        return self._written + self._pending

    def crc(self) -> int:
        """CRC64 of all bytes written so far; 0 if none is kept."""
        self.flush()
        return self._crc

    def value(self) -> bytes:
        """All bytes collected in memory; empty for a sink that passes its blocks on."""
        self.flush()
        return b"".join(self._blocks)


class FileSink(Sink):
    """Writes to the open descriptor `fd`; closing it, and the last fsync, are the caller's business.

    `fsync_every` is the number of bytes after which what was written is forced to the disk; 0 is never.
    """

    def __init__(
        self,
        files: Files,
        fd: int,
        keep_crc: bool = True,
        block_bytes: int = BLOCK_BYTES,
        fsync_every: int = FSYNC_EVERY_BYTES,
    ) -> None:
        super().__init__(keep_crc, block_bytes)
        self._files: Final = files
        self._fd: Final = fd
        self._fsync_every: Final = fsync_every
        self._unsynced: int = 0

    def put_block(self, block: bytes) -> None:
        write_all(self._files, self._fd, block)
        self._unsynced += len(block)
        if self._fsync_every > 0 and self._unsynced >= self._fsync_every:
            self._files.fsync(self._fd)
            self._unsynced = 0
