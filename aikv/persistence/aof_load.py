"""Loading a multi-part AOF: the base, then every incr file, through the same commands that clients use.

Theory of operation: each file is loaded as by a new client, which begins in database 0. A transaction is
held back until its EXEC has been read and then executed command by command, so one that is not whole has no
effect. What is wrong with a file decides what happens:

- The last file ends within a command or a transaction, or in zeros from there on, as after a power cut: with
  `truncate` (aof-load-truncated) it is cut back to where that command or transaction begins, and a warning
  says how many bytes were dropped and where. "Last" means that only empty files follow, because a rewrite
  opens a new file before anything is written to it.
- Anything else (other bytes, a cut in an earlier file, a missing file, a command that fails) stops the start
  with `CorruptFile` or `AikvError`. Nothing on disk is changed then.

Redis cuts a transaction after its last whole command and leaves its MULTI in the file; here the MULTI goes
too.
"""

import os
from collections.abc import Callable
from typing import Final

from aikv.base import log
from aikv.base.errors import AikvError, CommandError, CorruptFile
from aikv.persistence.aof_format import encoded_length
from aikv.persistence.aof_manifest import Manifest
from aikv.persistence.aof_reader import AofCut, AofGarbage, AofReader
from aikv.persistence.aof_store import AofStore
from aikv.persistence.aof_zeros import skip_bytes, zeros_from
from aikv.persistence.files import Files

Execute = Callable[[list[bytes]], None]
LoadRdb = Callable[[str], int]
Progress = Callable[[int], None]

RDB_MAGIC: Final = b"REDIS"
_UNFINISHED: Final = "Reached EOF before reading EXEC for MULTI"


def _spellings(word: bytes) -> set[bytes]:
    """`word` in every mix of cases: one look-up costs less than an upper-cased copy of every command's
    name."""
    found = {b""}
    for byte in word:
        letter = bytes((byte,))
        found = {head + tail for head in found for tail in (letter, letter.lower())}
    return found


_TRANSACTION_NAMES: Final = frozenset(_spellings(b"MULTI") | _spellings(b"EXEC"))


class AofLoadedFile:
    """How far one file was loaded: `size` bytes and `commands` of it, up to unix second `last_s` as its annotations
    say, 0 where it has none."""

    def __init__(self, name: str, size: int) -> None:
        self.name: Final = name
        self.size: int = size
        self.commands: int = 0
        self.last_s: int = 0


class AofLoaded:
    """What was loaded: `existed` whether there was a log, `commands` replayed, `size` in bytes of all files,
    `base_size` of the base alone, `dropped` bytes cut off the end; `files` says it file by file, and `ended` whether
    the rest was left out because `AofLoader.is_past` said so."""

    def __init__(self) -> None:
        self.existed: bool = False
        self.commands: int = 0
        self.size: int = 0
        self.base_size: int = 0
        self.dropped: int = 0
        self.files: list[AofLoadedFile] = []
        self.ended: bool = False


class AofLoader:
    """Loads the log in `store`.

    `execute` runs one command of a loading client and raises `CommandError` if it fails; `load_rdb` loads
    the RDB at the start of a file and returns the offset behind it, raising `CorruptFile`; `progress` is
    told now and then how many bytes of the log are loaded.
    """

    def __init__(
        self, store: AofStore, execute: Execute, load_rdb: LoadRdb, progress: Progress, truncate: bool
    ) -> None:
        self._store: Final = store
        self._files: Final[Files] = store.files
        self._execute: Final = execute
        self._load_rdb: Final = load_rdb
        self._progress: Final = progress
        self._truncate: Final = truncate
        self._result: AofLoaded = AofLoaded()
        self._done_before: int = 0
        # The open transaction: its commands, the offset of each, and that of its MULTI; -1 outside of one.
        self._queue: list[list[bytes]] = []
        self._queue_offsets: list[int] = []
        self._multi_at: int = -1
        # The file offset of the command with index `_mark` of the present run.
        self._mark: int = 0
        self._mark_offset: int = 0

    def is_past(self, reader: AofReader) -> bool:  # noqa: ARG002
        """Asked at each annotation: whether what follows in the log is not to be loaded. Here everything is."""
        return False

    def shorten(self, path: str, size: int) -> None:
        """The file `path` is whole only up to `size` bytes: cut it there. Raises `OSError`."""
        truncate_file(self._files, path, size)

    def load(self, manifest: Manifest) -> AofLoaded:
        """Load every file of `manifest`. Raises `CorruptFile` or `AikvError`."""
        parts = manifest.parts()
        result = self._result
        result.existed = len(parts) > 0
        sizes = [self._size(part.name) for part in parts]
        last = len(parts) - 1
        while last > 0 and sizes[last] == 0:
            last -= 1
        for i in range(len(parts)):
            name = parts[i].name
            if sizes[i] == 0 and name.endswith(".rdb"):
                raise CorruptFile(self._store.path(name), 0, "the RDB base file is empty")
            result.files.append(AofLoadedFile(name, sizes[i]))
            self._load_file(name, sizes[i], i == last)
            if self._result.ended:
                break
            self._done_before += sizes[i]
            self._progress(self._done_before)
            log.notice(f"DB loaded from {'base' if parts[i] is manifest.base else 'incr'} file {name}")
        result.size = sum(sizes) - result.dropped
        if manifest.base is not None:
            result.base_size = sizes[0]
        return result

    def _size(self, name: str) -> int:
        path = self._store.path(name)
        try:
            return self._files.size(path)
        except FileNotFoundError as missing:
            raise AikvError(f"The append log file {path} doesn't exist, but the manifest names it") from missing
        except OSError as error:
            raise AikvError(f"Unable to obtain the AOF file {path} length. stat: {error.strerror}") from error

    def _load_file(self, name: str, size: int, last: bool) -> None:
        path = self._store.path(name)
        try:
            fd = self._files.open(path, os.O_RDONLY)
        except OSError as error:
            raise AikvError(
                f"Fatal error: can't open the append log file {path} for reading: {error.strerror}"
            ) from error
        try:
            self._replay(self._reader(name, path, fd, size))
        except AofGarbage as garbage:
            self._cut_back(path, size, last, self._cut_of(path, size, garbage))
        except OSError as error:
            raise AikvError(f"Unrecoverable error reading the append only file {path}: {error}") from error
        finally:
            self._files.close(fd)

    def _reader(self, name: str, path: str, fd: int, size: int) -> AofReader:
        """Load the RDB in front, if one is; returns a reader of the commands behind it."""
        ahead = self._read(fd, len(RDB_MAGIC))
        if ahead != RDB_MAGIC:
            return AofReader(self._files, fd, path, 0, size, ahead)
        old_style = name == self._store.filename
        if old_style:
            log.notice("Reading RDB preamble from AOF file...")
        else:
            log.notice("Reading RDB base file on AOF loading...")
        end = self._load_rdb(path)
        if end < size:
            skip_bytes(self._files, fd, end - len(ahead))
        if old_style:
            log.notice("Reading the remaining AOF tail...")
        return AofReader(self._files, fd, path, end, size)

    def _read(self, fd: int, wanted: int) -> bytes:
        got = b""
        while len(got) < wanted:
            more = self._files.read(fd, wanted - len(got))
            if not more:
                break
            got += more
        return got

    def _replay(self, reader: AofReader) -> None:
        self._multi_at = -1
        self._execute([b"SELECT", b"0"])
        while not reader.at_end():
            try:
                run = reader.next_run()
            except AofCut as cut:
                if self._multi_at < 0:
                    raise
                raise AofCut(reader.path, self._multi_at, cut.item, _UNFINISHED) from cut
            if not run and reader.timestamp > 0:
                if self.is_past(reader):
                    self._end_at(reader)
                    return
                self._result.files[-1].last_s = reader.timestamp
            self._replay_run(reader, run)
            self._progress(self._done_before + reader.offset())
        if self._multi_at >= 0:
            raise AofCut(reader.path, self._multi_at, reader.size, _UNFINISHED)

    def _end_at(self, reader: AofReader) -> None:
        """Leave out what follows the annotation just read, and the transaction that it stands in, if any."""
        self._result.ended = True
        self._result.files[-1].size = reader.timestamp_offset if self._multi_at < 0 else self._multi_at
        self._drop_transaction()

    def _drop_transaction(self) -> None:
        loaded = self._result.files[-1]
        loaded.commands -= len(self._queue) + (1 if self._multi_at >= 0 else 0)
        self._queue = []
        self._queue_offsets = []
        self._multi_at = -1

    def _replay_run(self, reader: AofReader, run: list[list[bytes]]) -> None:
        execute = self._execute
        self._mark = 0
        self._mark_offset = reader.run_offset
        at = 0
        try:
            for argv in run:
                if self._multi_at >= 0 or argv[0] in _TRANSACTION_NAMES:
                    self._in_transaction(reader.path, run, at)
                else:
                    execute(argv)
                at += 1
        except CommandError as error:
            raise _refused(reader.path, self._offset_of(run, at), run[at], error) from error
        self._result.commands += len(run)
        self._result.files[-1].commands += len(run)

    def _offset_of(self, run: list[list[bytes]], at: int) -> int:
        """The file offset of `run[at]`, which must not lie before the last one asked for."""
        while self._mark < at:
            self._mark_offset += encoded_length(run[self._mark])
            self._mark += 1
        return self._mark_offset

    def _in_transaction(self, path: str, run: list[list[bytes]], at: int) -> None:
        word = run[at][0].upper()
        offset = self._offset_of(run, at)
        if word == b"MULTI":
            if self._multi_at >= 0:
                raise AofGarbage(path, offset, offset, "Unexpected MULTI")
            self._multi_at = offset
        elif word == b"EXEC":
            if self._multi_at < 0:
                raise AofGarbage(path, offset, offset, "Unexpected EXEC")
            self._execute_queue(path)
        else:
            self._queue.append(run[at])
            self._queue_offsets.append(offset)

    def _execute_queue(self, path: str) -> None:
        queue = self._queue
        offsets = self._queue_offsets
        self._queue = []
        self._queue_offsets = []
        self._multi_at = -1
        for i in range(len(queue)):
            try:
                self._execute(queue[i])
            except CommandError as error:
                raise _refused(path, offsets[i], queue[i], error) from error

    def _cut_of(self, path: str, size: int, garbage: AofGarbage) -> AofCut:
        """`garbage` as a cut; raises it if it is none."""
        if isinstance(garbage, AofCut):
            return garbage
        try:
            zeros = zeros_from(self._files, path, size, garbage)
        except OSError as error:
            raise AikvError(f"Unrecoverable error reading the append only file {path}: {error}") from error
        if zeros < 0:
            raise garbage
        offset = garbage.offset if self._multi_at < 0 else self._multi_at
        return AofCut(path, offset, garbage.item, f"the file ends in {size - zeros} zeros in place of data")

    def _cut_back(self, path: str, size: int, last: bool, cut: AofCut) -> None:
        """Drop the incomplete end of `path`, or refuse to."""
        dropped = size - cut.offset
        what = cut.reason or "the file ends within a command"
        if not last:
            reason = f"{what}, and the truncated file is not the last file"
            raise CorruptFile(path, cut.offset, reason) from cut
        if not self._truncate:
            raise CorruptFile(
                path,
                cut.offset,
                f"Unexpected end of file: {what}. Make a backup of the file and use aikv check-aof --fix, "
                "or set aof-load-truncated to yes",
            ) from cut
        log.warning(f"!!! Warning: short read while loading the AOF file {path}: {what} !!!")
        log.warning(f"!!! Truncating the AOF {path} at offset {cut.offset}: {dropped} bytes dropped !!!")
        try:
            self.shorten(path, cut.offset)
        except OSError as error:
            raise AikvError(f"Error truncating the AOF file {path}: {error.strerror}") from error
        log.warning(f"AOF {path} loaded anyway because aof-load-truncated is enabled")
        self._drop_transaction()
        self._result.files[-1].size = cut.offset
        self._result.dropped += dropped


def truncate_file(files: Files, path: str, size: int) -> None:
    """Cut the file `path` to `size` bytes, durably. Raises `OSError`."""
    fd = files.open(path, os.O_WRONLY)
    try:
        files.truncate(fd, size)
        files.fsync(fd)
    finally:
        files.close(fd)


def _refused(path: str, offset: int, argv: list[bytes], error: CommandError) -> CorruptFile:
    name = argv[0][:128].decode("ascii", "backslashreplace")
    text = error.text.decode("utf-8", "backslashreplace")
    reason = f"the command '{name}' failed while loading the append only file: {text}"
    return CorruptFile(path, offset, reason)
