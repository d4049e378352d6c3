"""Where persisted bytes come from: a block buffer with an absolute offset and a running CRC64.

Theory of operation: `Source` holds one block of bytes, `buffer`, and the index of the next unread byte, `pos`. A hot
loop copies both into locals, reads by index, and stores `pos` back before it calls any method here. `fill` replaces
the buffer by its unread rest plus further blocks. The CRC is folded over consumed bytes once per block, never once per
field.

The only trust placed in a declared length is that it cannot be met without the bytes being there: `take` collects
blocks that were really read and fails at the end of the input, so a length of 4 GB in a file of 1 KB costs one
block. `Source` itself reads `bytes` in memory; `FileSource` and other subclasses give `read_block` another origin.
"""

from typing import Final

from mypy_extensions import i64, mypyc_attr

from aikv.base.crc64 import crc64
from aikv.base.errors import CorruptFile
from aikv.persistence.files import Files

BLOCK_BYTES: Final = 1 << 20


@mypyc_attr(allow_interpreted_subclasses=True)
class Source:
    """A stream of bytes, here those of `data`; `name` is what error messages call it.

    `keep_crc` False saves the time of the checksum where nobody asks for it.
    """

    def __init__(self, data: bytes, name: str, keep_crc: bool = True) -> None:
        self.name: Final = name
        self.keep_crc = keep_crc
        self.buffer: bytes = data
        self.pos: i64 = 0
        # Absolute offset of `buffer[0]`.
        self.base: int = 0
        self.ended: bool = False
        self._crc: int = 0
        # Index in `buffer` from which consumed bytes are not yet part of `_crc`.
        self._folded: int = 0

    def read_block(self) -> bytes:
        """The next block of the input, of any size; empty at its end, for ever after."""
        return b""

    def offset(self) -> int:
        """Bytes consumed since the start of the input."""
        return self.base + self.pos

    def crc(self) -> int:
        """CRC64 of all bytes consumed so far; 0 if none is kept."""
        self._fold()
        return self._crc

    def corrupt(self, reason: str) -> CorruptFile:
        """An error at the present offset, for the caller to raise."""
        return CorruptFile(self.name, self.base + self.pos, reason)

    def fill(self, wanted: int) -> int:
        """Read blocks until `wanted` unread bytes stand in the buffer or the input ends.

        Returns the number of unread bytes in the buffer, which is less than `wanted` only at the end. `wanted` is for
        fields of bounded size; a declared length goes to `take`.
        """
        available = len(self.buffer) - self.pos
        if available >= wanted or self.ended:
            return available
        self._fold()
        pieces: list[bytes] = [self.buffer[self.pos :]]
        while available < wanted:
            block = self.read_block()
            if not block:
                self.ended = True
                break
            pieces.append(block)
            available += len(block)
        self.base += self.pos
        self.pos = 0
        self._folded = 0
        self.buffer = b"".join(pieces)
        return available

    def take(self, length: int) -> bytes:
        """The next `length` bytes.

        Raises `CorruptFile` if the input ends before; no more memory has then been used than the input has bytes.
        """
        buffer = self.buffer
        start: i64 = self.pos
        # An `int`, as `length` is, which a damaged file may make larger than an i64.
        available: int = len(buffer) - start
        if length > available:
            return self._take_across_blocks(length)
        end: i64 = start + length
        self.pos = end
        return buffer[start:end]

    def byte(self) -> int:
        """The next byte as a number."""
        at: i64 = self.pos
        if at >= len(self.buffer):
            if self.fill(1) < 1:
                raise self.corrupt("unexpected end of file")
            at = self.pos
        self.pos = at + 1
        return self.buffer[at]

    def at_end(self) -> bool:
        """Whether every byte of the input has been consumed."""
        return self.pos >= len(self.buffer) and self.fill(1) < 1

    def _take_across_blocks(self, length: int) -> bytes:
        rest = self.buffer[self.pos :]
        pieces: list[bytes] = [rest]
        missing = length - len(rest)
        begun_at = self.base + self.pos
        self.pos = len(self.buffer)
        while missing > 0:
            block = b"" if self.ended else self.read_block()
            if not block:
                self.ended = True
                raise CorruptFile(
                    self.name,
                    begun_at,
                    f"unexpected end of file: {length} bytes expected, {length - missing} are there",
                )
            self._fold()
            self.base += len(self.buffer)
            self.buffer = block
            self._folded = 0
            self.pos = min(missing, len(block))
            pieces.append(block if self.pos == len(block) else block[: self.pos])
            missing -= self.pos
        return b"".join(pieces)

    def _fold(self) -> None:
        if self.keep_crc and self.pos > self._folded:
            whole = self._folded == 0 and self.pos == len(self.buffer)
            self._crc = crc64(self.buffer if whole else self.buffer[self._folded : self.pos], self._crc)
        self._folded = self.pos


class FileSource(Source):
    """The bytes of the open descriptor `fd`, from where it stands; closing it is the caller's business."""

    def __init__(self, files: Files, fd: int, name: str, keep_crc: bool = True, block_bytes: int = BLOCK_BYTES) -> None:
        super().__init__(b"", name, keep_crc)
        self._files: Final = files
        self._fd: Final = fd
        self._block_bytes: Final = block_bytes

    def read_block(self) -> bytes:
        return self._files.read(self._fd, self._block_bytes)
