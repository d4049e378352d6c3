"""Checking an append-only log without a server, and cutting off what is wrong at its end.

Theory of operation: the files of a manifest, or one old-style file, are read from front to back without being
executed. What counts is that every command is whole and every transaction closed; `ok_up_to` is the offset
up to which that holds. With `fix` the rest of the *last* file is cut off after `confirm` has agreed; with
`to_timestamp` the last file is cut before the first annotation that is later. Nothing else is ever changed.

Output and exit status are those of redis-check-aof 7.0, except that the line count begins anew with each
file and that an empty manifest is an error.
"""

import os
from collections.abc import Callable
from typing import Final

from aikv.base.errors import AikvError, CorruptFile
from aikv.persistence.aof_format import encoded_length
from aikv.persistence.aof_load import RDB_MAGIC, truncate_file
from aikv.persistence.aof_manifest import Manifest, ManifestError, parse_manifest
from aikv.persistence.aof_reader import AofCut, AofGarbage, AofReader
from aikv.persistence.aof_store import read_whole
from aikv.persistence.aof_zeros import skip_bytes
from aikv.persistence.files import Files

Out = Callable[[str], None]
Confirm = Callable[[], bool]
CheckRdb = Callable[[str], int]

_VALID: Final = 0
_EMPTY: Final = 1
_TRUNCATED: Final = 2
_TIMESTAMP_TRUNCATED: Final = 3


class _Invalid(AikvError):
    """The check ends here; everything there is to say was printed."""


class _Findings:
    """What reading a file found: valid up to offset `ok_up_to`, `line` lines passed; `later_at` is the
    offset of the first thing that is later than the wanted time, -1 if nothing is."""

    def __init__(self, start: int) -> None:
        self.ok_up_to: int = start
        self.line: int = 1
        self.multi: bool = False
        self.last_item: int = start
        self.later_at: int = -1


class AofChecker:
    """Checks one log.

    `out` prints a line; `confirm` asks whether to go on and returns the answer; `check_rdb` checks the RDB
    at the start of the file with the given path, prints what it likes, and returns the offset behind it or
    raises `CorruptFile`. `to_timestamp` is a unix second, 0 for none.
    """

    def __init__(
        self, files: Files, out: Out, confirm: Confirm, check_rdb: CheckRdb, fix: bool, to_timestamp: int = 0
    ) -> None:
        self._files: Final = files
        self._out: Final = out
        self._confirm: Final = confirm
        self._check_rdb: Final = check_rdb
        self._fix: Final = fix
        self._to_timestamp: Final = to_timestamp

    def check(self, path: str) -> int:
        """Check the manifest or the file `path`; returns the exit status, 0 for a valid (or now repaired)
        log."""
        try:
            manifest_text = self._manifest_text(path)
            if manifest_text is not None:
                self._check_parts(path, manifest_text)
            else:
                self._out("Start checking Old-Style AOF")
                self._report("AOF", path, self._check_file(path, path, True))
        except _Invalid:
            return 1
        except OSError as error:
            self._out(f"Cannot open file {path}: {error.strerror}")
            return 1
        return 0

    def _manifest_text(self, path: str) -> bytes | None:
        """The content of `path` if it is a manifest: by its name, or by its first line that is no comment."""
        if path.endswith(".manifest"):
            return read_whole(self._files, path)
        fd = self._files.open(path, os.O_RDONLY)
        try:
            head = self._files.read(fd, 4096)
        finally:
            self._files.close(fd)
        for line in head.split(b"\n"):
            if not line.startswith(b"#"):
                return read_whole(self._files, path) if line.startswith(b"file") else None
        return None

    def _check_parts(self, path: str, text: bytes) -> None:
        self._out("Start checking Multi Part AOF")
        try:
            manifest = parse_manifest(text, path)
        except ManifestError as error:
            self._out("")
            self._out("*** FATAL AOF MANIFEST FILE ERROR ***")
            if error.line_number:
                self._out(f"Reading the manifest file, at line {error.line_number}")
                self._out(f">>> '{error.line}'")
            self._out(error.error)
            raise _Invalid(error.error) from error
        folder = os.path.dirname(path)
        last = self._last(manifest, folder)
        parts = manifest.parts()
        for i in range(len(parts)):
            name = parts[i].name
            part_path = os.path.join(folder, name)
            kind = "BASE AOF" if parts[i] is manifest.base else "INCR AOF"
            if parts[i] is manifest.base:
                form = "RDB" if self._is_rdb(name, part_path) else "RESP"
                self._out(f"Start to check BASE AOF ({form} format).")
            elif parts[i] is manifest.incr[0]:
                self._out("Start to check INCR files.")
            self._report(kind, name, self._check_file(name, part_path, i == last))
        self._out("All AOF files and manifest are valid")

    def _last(self, manifest: Manifest, folder: str) -> int:
        """The index of the last file that is not empty: behind it nothing can be lost by a cut."""
        parts = manifest.parts()
        last = len(parts) - 1
        while last > 0 and self._size(parts[last].name, os.path.join(folder, parts[last].name)) == 0:
            last -= 1
        return last

    def _report(self, kind: str, name: str, outcome: int) -> None:
        if outcome == _VALID:
            self._out(f"{kind} {name} is valid")
        elif outcome == _EMPTY:
            self._out(f"{kind} {name} is empty")
        elif outcome == _TRUNCATED:
            self._out(f"Successfully truncated AOF {name}")
        else:
            self._out(f"Successfully truncated AOF {name} to timestamp {self._to_timestamp}")

    def _invalid(self, text: str) -> _Invalid:
        self._out(text)
        return _Invalid(text)

    def _size(self, name: str, path: str) -> int:
        try:
            return self._files.size(path)
        except OSError as error:
            raise self._invalid(f"Cannot open file {name}: {error.strerror}, aborting...") from error

    def _open(self, name: str, path: str) -> int:
        try:
            return self._files.open(path, os.O_RDONLY)
        except OSError as error:
            raise self._invalid(f"Cannot open file {name}: {error.strerror}, aborting...") from error

    def _is_rdb(self, name: str, path: str) -> bool:
        fd = self._open(name, path)
        try:
            return self._files.read(fd, len(RDB_MAGIC)) == RDB_MAGIC
        finally:
            self._files.close(fd)

    def _check_file(self, name: str, path: str, last: bool) -> int:
        size = self._size(name, path)
        if size == 0:
            return _EMPTY
        start = self._check_preamble(path) if self._is_rdb(name, path) else 0
        fd = self._open(name, path)
        try:
            skip_bytes(self._files, fd, start if start < size else 0)
            found = _Findings(start)
            self._read(name, AofReader(self._files, fd, path, start, size), found)
        except OSError as error:
            raise self._invalid(f"Failed to read from AOF {name}, aborting...") from error
        finally:
            self._files.close(fd)
        if found.later_at >= 0:
            return self._cut_later(name, path, found, last)
        return self._judge(name, path, size, found, last)

    def _check_preamble(self, path: str) -> int:
        try:
            end = self._check_rdb(path)
        except CorruptFile as error:
            raise self._invalid("RDB preamble of AOF file is not sane, aborting.") from error
        self._out("RDB preamble is OK, proceeding with AOF tail...")
        return end

    def _read(self, name: str, reader: AofReader, found: _Findings) -> None:
        """Read the file up to its end, to the first error, which is printed, or to the wanted time."""
        try:
            while not reader.at_end():
                run = reader.next_run()
                if not run and self._is_later(reader, found):
                    return
                self._read_run(reader, run, found)
            if found.multi:
                self._error(found.last_item, "Reached EOF before reading EXEC for MULTI")
        except AofGarbage as wrong:
            found.line += reader.partial_lines
            if isinstance(wrong, AofCut) and not wrong.reason:
                if found.multi:
                    self._error(wrong.item, "Reached EOF before reading EXEC for MULTI")
            elif wrong.reason == "format error":
                self._out(f"AOF {name} format error")
            else:
                self._error(wrong.item, wrong.reason)

    def _is_later(self, reader: AofReader, found: _Findings) -> bool:
        if self._to_timestamp == 0 or reader.timestamp <= self._to_timestamp:
            if not found.multi:
                found.ok_up_to = reader.offset()
            return False
        # Within a transaction all of it goes.
        found.later_at = found.ok_up_to if found.multi else reader.timestamp_offset
        return True

    def _read_run(self, reader: AofReader, run: list[list[bytes]], found: _Findings) -> None:
        offset = reader.run_offset
        for argv in run:
            name_at = offset + 3 + len(str(len(argv))) + 3 + len(str(len(argv[0])))
            word = argv[0].upper() if len(argv[0]) <= 5 else b""
            if word in (b"MULTI", b"EXEC"):
                if found.multi == (word == b"MULTI"):
                    found.line += 3
                    text = f"Unexpected {word.decode()} in AOF {reader.path}"
                    raise _unexpected(reader, offset, name_at, text)
                found.multi = word == b"MULTI"
                if found.multi:
                    found.ok_up_to = offset
            offset += encoded_length(argv)
            found.line += 1 + 2 * len(argv)
            found.last_item = offset - len(argv[-1]) - 2
            if not found.multi:
                found.ok_up_to = offset

    def _error(self, item: int, reason: str) -> None:
        self._out(f"0x{item:16x}: {reason}")

    def _cut_later(self, name: str, path: str, found: _Findings, last: bool) -> int:
        stamp = self._to_timestamp
        if found.later_at == 0:
            raise self._invalid(f"AOF {path} has nothing before timestamp {stamp}, aborting...")
        if not last:
            self._out(
                f"Failed to truncate AOF {path} to timestamp {stamp} to offset {found.later_at} because it is not "
                "the last file."
            )
            raise self._invalid(
                "If you insist, please delete all files after this file according to the manifest file and delete "
                "the corresponding records in manifest file manually. Then check again."
            )
        self._truncate(path, found.later_at, f"Failed to truncate AOF {name} to timestamp {stamp}")
        return _TIMESTAMP_TRUNCATED

    def _judge(self, name: str, path: str, size: int, found: _Findings, last: bool) -> int:
        beyond = size - found.ok_up_to
        if beyond == 0 and self._to_timestamp:
            self._out(f"Truncate nothing in AOF {name} to timestamp {self._to_timestamp}")
            return _VALID
        self._out(
            f"AOF analyzed: filename={name}, size={size}, ok_up_to={found.ok_up_to}, "
            f"ok_up_to_line={found.line}, diff={beyond}"
        )
        if beyond == 0:
            return _VALID
        if not self._fix:
            raise self._invalid(f"AOF {name} is not valid. Use the --fix option to try fixing it.")
        if not last:
            raise self._invalid(f"Failed to truncate AOF {name} because it is not the last file")
        self._out(f"This will shrink the AOF {name} from {size} bytes, with {beyond} bytes, to {found.ok_up_to} bytes")
        if not self._confirm():
            raise self._invalid("Aborting...")
        self._truncate(path, found.ok_up_to, f"Failed to truncate AOF {name}")
        return _TRUNCATED

    def _truncate(self, path: str, size: int, complaint: str) -> None:
        try:
            truncate_file(self._files, path, size)
        except OSError as error:
            raise self._invalid(f"{complaint}: {error.strerror}") from error


def _unexpected(reader: AofReader, offset: int, item: int, reason: str) -> AofGarbage:
    # The lines up to here are counted by the caller already.
    reader.partial_lines = 0
    return AofGarbage(reader.path, offset, item, reason)
