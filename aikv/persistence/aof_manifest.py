"""The manifest of a multi-part AOF: which files make up the log, and in which order.

Theory of operation: the log is at most one BASE file (a snapshot), then INCR files in the order of their
sequence numbers. HISTORY files were replaced by a rewrite and wait to be deleted. The manifest is the only
thing that says which file is what; whatever it does not name is not part of the log. One line per file:

    file appendonly.aof.1.base.rdb seq 1 type b
    file appendonly.aof.1.incr.aof seq 1 type i

Names with blanks or quotes are written as in `repr_bytes`; further pairs of words on a line are reserved
and ignored by Redis, so two pairs of our own say of a history file what keeping it for a while needs: when it was
replaced (`aikv-retired`, in unix seconds), and of a base which incr file was the first behind it (`aikv-first-incr`).
Lines that begin with `#` are comments. Format, rules and error texts: Redis 7's. Two rules are
stricter than Redis's: a sequence number is a positive decimal number, and a manifest that names neither a
base nor an incr file is refused, because starting from it would serve nothing where there was something.

One flipped bit turns `type i` into `type h`, and a part in use into one to be deleted. So aikv ends a manifest with a
checksum of what precedes it, in a comment, which Redis skips and does not write:

    # aikv crc64 0123456789abcdef

A manifest without that line is taken as it is; one with a wrong checksum is refused.

Everything here is pure; `aof_store` reads and writes the file.
"""

import os
from typing import Final

from aikv.base.crc64 import crc64
from aikv.base.errors import CorruptFile
from aikv.base.quote import repr_bytes, split_args

BASE: Final = "b"
HISTORY: Final = "h"
INCR: Final = "i"

_LINE_MAX: Final = 1024
_RETIRED: Final = b"aikv-retired"
_FIRST_INCR: Final = b"aikv-first-incr"
_BLANKS: Final = b" \t\r\n"
_NEEDS_QUOTES: Final = b" \\\"'"
_CHECKSUM: Final = b"# aikv crc64 "

EMPTY_MANIFEST: Final = "Found an empty AOF manifest"
LINE_TOO_LONG: Final = "The AOF manifest file contains too long line"
BAD_FORMAT: Final = "Invalid AOF manifest file format"
NAME_IS_PATH: Final = "File can't be a path, just a filename"
DUPLICATE_BASE: Final = "Found duplicate base file information"
NOT_MONOTONIC: Final = "Found a non-monotonic sequence number"
UNKNOWN_TYPE: Final = "Unknown AOF file type"
BAD_CHECKSUM: Final = (
    "The AOF manifest is not as it was written: its checksum is wrong (remove this line if it was changed on purpose)"
)


class ManifestError(CorruptFile):
    """A manifest that breaks the rules.

    `error` is Redis's text, `line_number` counts from 1 (0: the whole file), `line` is the text of that line.
    """

    def __init__(self, path: str, offset: int, error: str, line_number: int, line: str) -> None:
        where = f" at line {line_number}: {line!r}" if line_number else ""
        super().__init__(path, offset, error + where)
        self.error: Final = error
        self.line_number: Final = line_number
        self.line: Final = line


class AofPart:
    """One file of the log: its `name` in the folder, its sequence number, its `kind` (BASE, HISTORY or
    INCR).

    Of a history file `retired_s` is the unix second at which it was replaced, and of a base among them `first_incr`
    the number of the incr file that went on where it ends; 0 where that is not known.
    """

    def __init__(self, name: str, seq: int, kind: str, retired_s: int = 0, first_incr: int = 0) -> None:
        self.name: Final = name
        self.seq: Final = seq
        self.kind: Final = kind
        self.retired_s: Final = retired_s
        self.first_incr: Final = first_incr

    def line(self) -> bytes:
        """The manifest's line for this file."""
        words = b"file %s seq %d type %s" % (_quoted(self.name), self.seq, self.kind.encode())
        if self.retired_s > 0:
            words += b" aikv-retired %d" % self.retired_s
        if self.first_incr > 0:
            words += b" aikv-first-incr %d" % self.first_incr
        return words + b"\n"


class Manifest:
    """The files of a log; a value that is copied, changed, written and only then put in place of the old
    one."""

    def __init__(self) -> None:
        self.base: AofPart | None = None
        self.history: list[AofPart] = []
        self.incr: list[AofPart] = []
        # The highest numbers ever used, so that no name is used twice while its old bearer may still be
        # there.
        self.base_seq: int = 0
        self.incr_seq: int = 0

    def copy(self) -> "Manifest":
        """An independent copy."""
        other = Manifest()
        other.base = self.base
        other.history = list(self.history)
        other.incr = list(self.incr)
        other.base_seq = self.base_seq
        other.incr_seq = self.incr_seq
        return other

    def parts(self) -> list[AofPart]:
        """The files to load, in order; empty where there is no log yet."""
        return [self.base, *self.incr] if self.base is not None else list(self.incr)

    def text(self) -> bytes:
        """The manifest file's content."""
        base = [self.base] if self.base is not None else []
        lines = b"".join([part.line() for part in base + self.history + self.incr])
        return lines + _checksum_line(lines) + b"\n"

    def add_base(self, filename: str, rdb: bool, now_s: int) -> AofPart:
        """Name the next base of log `filename`; the present base becomes history at unix second `now_s`."""
        if self.base is not None:
            first = self.incr[0].seq if self.incr else 0
            self.history.insert(0, AofPart(self.base.name, self.base.seq, HISTORY, now_s, first))
        self.base_seq += 1
        suffix = "rdb" if rdb else "aof"
        self.base = AofPart(f"{filename}.{self.base_seq}.base.{suffix}", self.base_seq, BASE)
        return self.base

    def add_incr(self, filename: str) -> AofPart:
        """Name the next incr file of log `filename`."""
        self.incr_seq += 1
        part = AofPart(f"{filename}.{self.incr_seq}.incr.aof", self.incr_seq, INCR)
        self.incr.append(part)
        return part

    def retire_incr(self, keep: int, now_s: int) -> None:
        """Turn all incr files but the last `keep` into history, because a new base holds what they hold."""
        end = max(len(self.incr) - keep, 0)
        retired = [AofPart(part.name, part.seq, HISTORY, now_s) for part in self.incr[:end]]
        self.history = retired + self.history
        self.incr = self.incr[end:]

    def break_history(self) -> None:
        """Changes were made that no incr file holds: what lies before them is no beginning of this log any more."""
        self.history = [AofPart(part.name, part.seq, HISTORY) for part in self.history]


def manifest_name(filename: str) -> str:
    """The manifest's name for log `filename`, such as ``appendonly.aof.manifest``."""
    return filename + ".manifest"


def temp_manifest_name(filename: str) -> str:
    """The name under which a new manifest is written first."""
    return f"temp-{filename}.manifest"


def temp_incr_name(filename: str) -> str:
    """The incr file that collects commands while the log is being switched on and is not named by the
    manifest yet."""
    return f"temp-{filename}.incr"


def parse_manifest(data: bytes, path: str) -> Manifest:
    """Read the content `data` of the manifest `path`, which is only used in errors. Raises
    `ManifestError`."""
    manifest = Manifest()
    offset = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        end = offset + len(line)
        if line.startswith(_CHECKSUM) and line != _checksum_line(data[:offset]):
            raise ManifestError(path, offset, BAD_CHECKSUM, number, os.fsdecode(line))
        if offset < len(data) and not line.startswith(b"#"):
            # Redis reads a line of at most 1024 bytes, and takes a last line without its newline for such a
            # long one.
            error = LINE_TOO_LONG if end == len(data) or len(line) >= _LINE_MAX else _add_line(manifest, line)
            if error:
                text = os.fsdecode(line.strip(_BLANKS))
                raise ManifestError(path, offset, error, number, text)
        offset = end + 1
    if not manifest.parts():
        raise ManifestError(path, 0, EMPTY_MANIFEST, 0, "")
    return manifest


def _checksum_line(before: bytes) -> bytes:
    return _CHECKSUM + b"%016x" % crc64(before)


def _add_line(manifest: Manifest, line: bytes) -> str:
    """Add one line's file to `manifest`; returns the error's text, or ""."""
    words = split_args(line.strip(_BLANKS)) if b"\0" not in line else None
    if words is None or len(words) < 6 or len(words) % 2:
        return BAD_FORMAT
    name, seq, kind = b"", b"", b""
    retired_s, first_incr = 0, 0
    for i in range(0, len(words), 2):
        key = words[i].lower()
        if key == b"file":
            name = words[i + 1]
            if b"/" in name or b"\\" in name:
                return NAME_IS_PATH
        elif key == b"seq":
            seq = words[i + 1]
        elif key == b"type":
            kind = words[i + 1][:1]
        elif key == _RETIRED:
            retired_s = _small_number(words[i + 1])
        elif key == _FIRST_INCR:
            first_incr = _small_number(words[i + 1])
    # A name of dots would be a folder; a NUL cannot be in any name.
    if name in (b"", b".", b"..") or b"\0" in name or not kind or not seq.isdigit() or len(seq) > 18 or int(seq) == 0:
        return BAD_FORMAT
    return _add_part(manifest, AofPart(os.fsdecode(name), int(seq), kind.decode("latin-1"), retired_s, first_incr))


def _small_number(word: bytes) -> int:
    """The number in `word`; 0 where there is none, as for whatever else Redis would pass over."""
    return int(word) if word.isdigit() and len(word) <= 18 else 0


def _add_part(manifest: Manifest, part: AofPart) -> str:
    kind, seq = part.kind, part.seq
    if kind == BASE:
        if manifest.base is not None:
            return DUPLICATE_BASE
        manifest.base = part
        manifest.base_seq = max(manifest.base_seq, seq)
    elif kind == INCR:
        if manifest.incr and seq <= manifest.incr[-1].seq:
            return NOT_MONOTONIC
        manifest.incr.append(part)
        manifest.incr_seq = max(manifest.incr_seq, seq)
    elif kind == HISTORY:
        manifest.history.append(part)
        if part.name.endswith(".incr.aof"):
            manifest.incr_seq = max(manifest.incr_seq, seq)
        else:
            manifest.base_seq = max(manifest.base_seq, seq)
    else:
        return UNKNOWN_TYPE
    return ""


def _quoted(name: str) -> bytes:
    raw = os.fsencode(name)
    for byte in raw:
        if not 32 < byte < 127 or byte in _NEEDS_QUOTES:
            return repr_bytes(raw)
    return raw
