"""Reading commands from an append-only file: fast over whole blocks, exact where a block ends or something
is odd.

Theory of operation: compiled, `aof_scan` walks over a block. Interpreted, a block is split at every CR LF, once,
which is faster there (`aof_pieces`). Nothing is accepted that is not exactly what `encode_command` makes, so the length
in the file of the commands of a run follows from their arguments and no offset is counted on the way.

The command on the edge of a block, an annotation line, and anything that does not fit are read by `_exact`,
item by item, which reads on as needed, holds no more than one command beyond the file's block, and knows
the offset of each item. It tells a file that ends too early (`AofCut`) from one that holds something else
(`AofGarbage`): it is cut if what is there could be continued to a command.

The reasons are worded as redis-check-aof words them.
"""

from typing import Final

from aikv.base.errors import CorruptFile
from aikv.base.form import COMPILED
from aikv.persistence.aof_format import ANNOTATION_MAX, TIMESTAMP, encoded_length
from aikv.persistence.aof_pieces import COUNTS, fits, joined_arguments
from aikv.persistence.aof_scan import scan
from aikv.persistence.files import Files

BLOCK_BYTES: Final = 256 * 1024
# "$" and the 19 digits of the largest signed 64-bit number, CR LF.
_HEADER_MAX: Final = 22
# *1 and an empty name.
_SHORTEST: Final = 10
_CRLF: Final = b"\r\n"
_STAR: Final = 42
_DOLLAR: Final = 36
_HASH: Final = 35


class AofGarbage(CorruptFile):
    """Something that is no command. `item` is the offset of the part of the command that is wrong."""

    def __init__(self, path: str, offset: int, item: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.item: Final = item


class AofCut(AofGarbage):
    """The file ends within a command: `offset` is where the command begins, `item` where the cut part of it
    does."""


class AofReader:
    """Reads the open descriptor `fd` of file `path` up to `size`.

    The reader begins at `offset`, with the bytes `ahead`, which were read from the descriptor already.
    """

    def __init__(self, files: Files, fd: int, path: str, offset: int, size: int, ahead: bytes = b"") -> None:
        self._files: Final = files
        self._fd: Final = fd
        self.path: Final = path
        self.size: Final = size
        self._data: bytes = ahead
        self._base: int = offset
        self._pos: int = 0
        # The data from the position on, split; `_next` is the first piece not taken yet. Empty when not
        # split.
        self._pieces: list[bytes] = []
        self._next: int = 0
        self._need_exact: bool = False
        # The unix second of the last annotation, 0 before the first, and the offset of its line.
        self.timestamp: int = 0
        self.timestamp_offset: int = offset
        # Where the last run begins.
        self.run_offset: int = offset
        # CR LFs passed in the last command that was read item by item, for redis-check-aof's line count.
        self.partial_lines: int = 0

    def offset(self) -> int:
        """The file offset behind the last run."""
        return self._base + self._pos

    def at_end(self) -> bool:
        """Whether everything was read."""
        return self.offset() >= self.size

    def next_run(self) -> list[list[bytes]]:
        """The next commands, which stand one behind the other from `run_offset`.

        Empty behind an annotation, whose `timestamp` holds for what follows, and at the end of the file.
        Raises `AofCut` or `AofGarbage`, `OSError` where the file cannot be read.
        """
        self.run_offset = self.offset()
        if self.at_end():
            return []
        if self._need_exact:
            return self._exact()
        if COMPILED:
            return self._scan()
        if not self._pieces:
            # A rest that is shorter than any command is not worth splitting, and would be split twice.
            if len(self._data) - self._pos < _SHORTEST:
                self._more()
            self._pieces = (self._data[self._pos :] if self._pos else self._data).split(_CRLF)
            self._next = 0
        return self._take()

    def _scan(self) -> list[list[bytes]]:
        """The next commands, taken from the block by a walk over it."""
        if len(self._data) - self._pos < _SHORTEST:
            self._more()
        run: list[list[bytes]] = []
        self._pos = scan(self._data, self._pos, run)
        self._need_exact = self._pos < len(self._data)
        return run if run or not self._need_exact else self._exact()

    def _more(self) -> None:
        """Read a block behind what is left."""
        # A file that grew since its size was taken is read to that size.
        room = self._left() - (len(self._data) - self._pos)
        block = self._files.read(self._fd, min(BLOCK_BYTES, room)) if room > 0 else b""
        if room > 0 and not block:
            raise OSError(f"{self.path} became shorter while it was read")
        self._base += self._pos
        self._data = self._data[self._pos :] + block
        self._pos = 0

    def _take(self) -> list[list[bytes]]:
        """All whole commands from the next piece on, up to the first thing that is none."""
        pieces = self._pieces
        run: list[list[bytes]] = []
        # The last piece has no CR LF behind it.
        end = len(pieces) - 1
        start = self._next
        while start < end:
            count = COUNTS.get(pieces[start])
            if count is None:
                if pieces[start][:1] == b"#" and self._annotation_piece(run, start):
                    return run
                break
            behind = start + 1 + 2 * count
            if behind <= end:
                argv = pieces[start + 2 : behind : 2]
                if fits(pieces, start + 1, argv):
                    run.append(argv)
                    start = behind
                    continue
            argv = []
            behind = joined_arguments(pieces, start + 1, end, count, argv)
            if behind < 0:
                break
            run.append(argv)
            start = behind
        self._pos = len(self._data) - len(_CRLF.join(pieces[start:]))
        self._pieces = []
        # Whatever stands here now is not to be split again.
        self._need_exact = self._pos < len(self._data)
        return run if run or not self._need_exact else self._exact()

    def _annotation_piece(self, run: list[list[bytes]], at: int) -> bool:
        """End `run` before the annotation `pieces[at]`, or take that line if the run is empty."""
        line = self._pieces[at]
        if b"\n" in line or len(line) + 2 > ANNOTATION_MAX:
            return False
        if run:
            self._pos += run_length(run, len(run))
            self._next = at
        else:
            self._note(line, self.offset())
            self._pos += len(line) + 2
            self._next = at + 1
        if self._pos >= len(self._data):
            self._pieces = []
        return True

    def _exact(self) -> list[list[bytes]]:
        """Read one command or one annotation line, item by item."""
        self._need_exact = False
        start = self.offset()
        self.run_offset = start
        self.partial_lines = 0
        if self._at(0) == _HASH:
            self._annotation(start)
            return []
        if self._at(0) != _STAR:
            raise AofGarbage(self.path, start, start, "format error")
        count = self._header(start, _STAR)
        if count == 0:
            raise AofGarbage(self.path, start, start, "a command without a name")
        argv: list[bytes] = []
        while len(argv) < count:
            argv.append(self._bulk(start))
        return [argv]

    def _annotation(self, start: int) -> None:
        end = self._find_newline(ANNOTATION_MAX)
        if end < 0:
            if self._left() >= ANNOTATION_MAX:
                raise AofGarbage(self.path, start, start, "an annotation that is too long")
            raise AofCut(self.path, start, start, "an annotation without its end")
        line = self._data[self._pos : end]
        self._pos = end + 1
        self._note(line, start)

    def _note(self, line: bytes, offset: int) -> None:
        """Remember the time that an annotation gives; other annotations mean nothing yet."""
        digits = line[len(TIMESTAMP) :].strip()
        if line.startswith(TIMESTAMP) and digits.isdigit():
            self.timestamp = int(digits)
            self.timestamp_offset = offset

    def _bulk(self, start: int) -> bytes:
        item = self.offset()
        if self._left() == 0:
            raise AofCut(self.path, start, item, "")
        size = self._header(start, _DOLLAR)
        item = self.offset()
        if size + 2 > self.size - item:
            # Known before anything is read: a wrong length does not make memory grow.
            reason = f"Expected to read {size + 2} bytes, got {self.size - item} bytes"
            self._check_tail(start, item, size)
            raise AofCut(self.path, start, item, reason)
        self._fill(size + 2)
        value = self._data[self._pos : self._pos + size]
        tail = self._data[self._pos + size : self._pos + size + 2]
        if tail != _CRLF:
            raise AofGarbage(self.path, start, item, _no_newline(tail))
        self._pos += size + 2
        self.partial_lines += 1
        return value

    def _check_tail(self, start: int, item: int, size: int) -> None:
        """A value that is all there but for the LF behind it must have the CR."""
        if self.size - item == size + 1:
            self._fill(size + 1)
            if self._data[self._pos + size] != _CRLF[0]:
                raise AofGarbage(self.path, start, item, _no_newline(self._data[self._pos + size :]))

    def _header(self, start: int, prefix: int) -> int:
        """Read a line of `prefix` and a number without sign or leading zero."""
        item = self.offset()
        if self._at(0) != prefix:
            got = chr(self._at(0))
            raise AofGarbage(self.path, start, item, f"Expected prefix '{chr(prefix)}', got: '{got}'")
        self._fill_upto(_HEADER_MAX)
        data = self._data
        pos = self._pos + 1
        limit = min(len(data), self._pos + _HEADER_MAX)
        while pos < limit and 48 <= data[pos] <= 57:
            pos += 1
        digits = data[self._pos + 1 : pos]
        tail = data[pos : pos + 2]
        canonical = digits == b"0" or (digits[:1] != b"0" and len(digits) <= 19)
        if tail == _CRLF and digits and canonical:
            self._pos = pos + 2
            self.partial_lines += 1
            return int(digits)
        if canonical and self.size - self._base <= pos + len(tail) and tail == _CRLF[: len(tail)]:
            raise AofCut(self.path, start, item, _no_newline(tail))
        reason = "not a number in the one form it can have" if tail == _CRLF else _no_newline(tail)
        raise AofGarbage(self.path, start, item, reason)

    def _find_newline(self, longest: int) -> int:
        self._fill_upto(longest)
        return self._data.find(b"\n", self._pos, self._pos + longest)

    def _at(self, index: int) -> int:
        self._fill_upto(index + 1)
        return self._data[self._pos + index]

    def _left(self) -> int:
        return self.size - self._base - self._pos

    def _fill_upto(self, wanted: int) -> None:
        self._fill(min(wanted, self._left()))

    def _fill(self, wanted: int) -> None:
        """Have `wanted` bytes at the position; the file's size says that they are there."""
        have = len(self._data) - self._pos
        if have >= wanted:
            return
        blocks = [self._data[self._pos :]]
        while have < wanted:
            block = self._files.read(self._fd, max(min(wanted - have, self._left() - have), 1))
            if not block:
                raise OSError(f"{self.path} became shorter while it was read")
            blocks.append(block)
            have += len(block)
        self._base += self._pos
        self._data = b"".join(blocks)
        self._pos = 0


def run_length(run: list[list[bytes]], commands: int) -> int:
    """How many bytes the first `commands` commands of `run` take in the file."""
    length = 0
    for i in range(commands):
        length += encoded_length(run[i])
    return length


def _no_newline(got: bytes) -> str:
    first = got[0] if len(got) > 0 else 0
    second = got[1] if len(got) > 1 else 0
    return f"Expected \\r\\n, got: {first:02x}{second:02x}"
