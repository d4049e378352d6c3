"""A backup: copies of data files in a folder of their own, and a list of them with checksums.

Theory of operation: each file is copied up to the size that belongs to it, read once, and its SHA-256 computed on the
way. `backup.json`, written last, lists the files, so a folder without it is not a backup that was completed. The layout
is that of a server's data folder, and a server can be started on a copy of it:

    backup.json  dump.rdb  appendonlydir/appendonly.aof.manifest  appendonlydir/appendonly.aof.1.base.rdb ...

`backup.json` is an object: `format` (1), `created` (ISO 8601, UTC), `server` and `tool` (versions), `kind` ("aof" or
"rdb"), and `files`, a list of objects with `path` (relative, with /), `size` in bytes and `sha256` in hexadecimal.
"""

import hashlib
import json
import os
from collections.abc import Callable
from typing import Final

from aikv.base.errors import AikvError, CorruptFile
from aikv.persistence.aof_store import read_whole
from aikv.persistence.files import Files, write_all

LIST_NAME: Final = "backup.json"
FORMAT: Final = 1
_BLOCK_BYTES: Final = 1 << 20
_DIGEST_CHARS: Final = 64

Progress = Callable[[int], None]


class BackupFile:
    """One file: `path` in the folder of the backup, its `size` in bytes, its `sha256` in hexadecimal."""

    def __init__(self, path: str, size: int, sha256: str) -> None:
        self.path: Final = path
        self.size: Final = size
        self.sha256: Final = sha256


class Backup:
    """What `backup.json` says."""

    def __init__(self, created: str, server: str, tool: str, kind: str, files: list[BackupFile]) -> None:
        self.created: Final = created
        self.server: Final = server
        self.tool: Final = tool
        self.kind: Final = kind
        self.files: Final = files


class Copier:
    """Copies into the folder `target`, and lists what it copied in `files`.

    `progress` is told how many bytes have been copied in all.
    """

    def __init__(self, layer: Files, target: str, progress: Progress) -> None:
        self._layer: Final = layer
        self._target: Final = target
        self._progress: Final = progress
        self._done: int = 0
        self.files: Final[list[BackupFile]] = []

    def copy(self, source: int, path: str, size: int) -> None:
        """Copy the first `size` bytes of the descriptor `source` to the new file `path`, durably.

        Raises `OSError`, also where fewer bytes are there.
        """
        digest = hashlib.sha256()
        made = self._create(path)
        try:
            left = size
            while left > 0:
                block = self._layer.read(source, min(left, _BLOCK_BYTES))
                if not block:
                    raise OSError(f"{path} became shorter while it was copied")
                digest.update(block)
                write_all(self._layer, made, block)
                left -= len(block)
                self._done += len(block)
                self._progress(self._done)
            self._layer.fsync(made)
        finally:
            self._layer.close(made)
        self.files.append(BackupFile(path, size, digest.hexdigest()))

    def write(self, path: str, content: bytes) -> None:
        """Make the file `path` with `content`, durably. Raises `OSError`."""
        self._put(path, content)
        self.files.append(BackupFile(path, len(content), hashlib.sha256(content).hexdigest()))

    def finish(self, backup: Backup) -> None:
        """Write the list, with which the backup is complete. Raises `OSError`."""
        files = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in backup.files]
        content = {
            "format": FORMAT,
            "created": backup.created,
            "server": backup.server,
            "tool": backup.tool,
            "kind": backup.kind,
            "files": files,
        }
        for folder in {os.path.dirname(file.path) for file in backup.files} - {""}:
            self._layer.fsync_dir(os.path.join(self._target, folder))
        self._put(LIST_NAME, json.dumps(content, indent=2).encode() + b"\n")
        self._layer.fsync_dir(self._target)

    def _put(self, path: str, content: bytes) -> None:
        made = self._create(path)
        try:
            write_all(self._layer, made, content)
            self._layer.fsync(made)
        finally:
            self._layer.close(made)

    def _create(self, path: str) -> int:
        whole = os.path.join(self._target, path)
        self._layer.mkdir(os.path.dirname(whole))
        return self._layer.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL)


def read_backup(layer: Files, folder: str) -> Backup:
    """What `backup.json` in `folder` says. Raises `OSError`, `AikvError`."""
    path = os.path.join(folder, LIST_NAME)
    try:
        content = json.loads(read_whole(layer, path))
    except ValueError as error:
        raise CorruptFile(path, 0, f"this is no list of a backup: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("files"), list):
        raise CorruptFile(path, 0, "this is no list of a backup")
    if content.get("format") != FORMAT:
        raise AikvError(f"{path} is of format {content.get('format')}; this version reads format {FORMAT}")
    files = [_listed(path, entry) for entry in content["files"]]
    words = [str(content.get(word, "unknown")) for word in ("created", "server", "tool", "kind")]
    return Backup(words[0], words[1], words[2], words[3], files)


def _listed(path: str, entry: object) -> BackupFile:
    if isinstance(entry, dict):
        name, size, sha256 = entry.get("path"), entry.get("size"), entry.get("sha256")
        # A list that comes from elsewhere must not make anybody read outside of its folder.
        safe = isinstance(name, str) and not name.startswith("/") and ".." not in name.split("/")
        if safe and isinstance(size, int) and isinstance(sha256, str) and len(sha256) == _DIGEST_CHARS:
            return BackupFile(str(name), size, sha256)
    raise CorruptFile(path, 0, f"an entry of the list is damaged: {entry!r}")


def check_copy(layer: Files, folder: str, file: BackupFile) -> str:
    """What is wrong with the copy `file` in `folder`, "" if nothing is. Raises `OSError`."""
    path = os.path.join(folder, file.path)
    if not layer.exists(path):
        return f"{file.path} is missing"
    size = layer.size(path)
    if size != file.size:
        return f"{file.path} has {size} bytes instead of {file.size}"
    digest = hashlib.sha256()
    fd = layer.open(path, os.O_RDONLY)
    try:
        block = layer.read(fd, _BLOCK_BYTES)
        while block:
            digest.update(block)
            block = layer.read(fd, _BLOCK_BYTES)
    finally:
        layer.close(fd)
    return "" if digest.hexdigest() == file.sha256 else f"{file.path} has been changed: its SHA-256 is another one"
