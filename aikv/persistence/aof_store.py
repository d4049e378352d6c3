"""The folder of a multi-part AOF on disk: reading and replacing the manifest, taking over an old single file.

Theory of operation: a manifest is replaced in two steps. `prepare` writes it whole under a temporary name
and forces it to the disk, which is where a full disk shows itself, before anything else was touched. Then
the caller renames the files that the new manifest names into place, and `commit` forces their names to the
disk *before* it renames the manifest over the old one, so that no manifest that can be found after a power
cut names a file that cannot.

A folder that holds parts of a log but no manifest is refused: starting with an empty log would overwrite
them. The one exception is a log whose very first manifest was prepared but not committed when the process
ended; its temporary manifest names those parts and proves that they were never in use.
"""

import os
from typing import Final

from aikv.base.errors import AikvError
from aikv.persistence.aof_manifest import (
    BASE,
    AofPart,
    Manifest,
    ManifestError,
    manifest_name,
    parse_manifest,
    temp_manifest_name,
)
from aikv.persistence.files import Files, write_all

_READ_BYTES: Final = 64 * 1024


class AofStore:
    """The folder `folder` (`appenddirname` inside `dir`) of the log called `filename` (`appendfilename`)."""

    def __init__(self, files: Files, folder: str, filename: str) -> None:
        self.files: Final = files
        self.folder: Final = folder
        self.filename: Final = filename
        # Whether the last `commit` came as far as the rename: then the new manifest may be the one on disk.
        self.renamed: bool = False

    def path(self, name: str) -> str:
        """The path of file `name` of this log."""
        return os.path.join(self.folder, name)

    def make_folder(self) -> None:
        """Make the folder, durably, unless it is there. Raises `OSError`."""
        if not self.files.exists(self.folder):
            self.files.mkdir(self.folder)
            self.files.fsync_dir(os.path.dirname(self.folder) or ".")

    def settle(self) -> None:
        """Make the names that are there durable, the folder's own included. Raises `OSError`.

        A process that was killed may have renamed what it had no time to force to the disk. What is acknowledged from
        now on is in files that only the names seen now lead to.
        """
        self.files.fsync_dir(self.folder)
        self.files.fsync_dir(os.path.dirname(self.folder) or ".")

    def read(self) -> Manifest:
        """The manifest on disk, or an empty one where there is no log yet.

        Raises `ManifestError` for a bad manifest, `AikvError` where it cannot be read, or is missing while
        parts of the log are there.
        """
        path = self.path(manifest_name(self.filename))
        if not self.files.exists(path):
            self._refuse_orphans()
            return Manifest()
        try:
            data = read_whole(self.files, path)
        except OSError as error:
            raise AikvError(
                f"Fatal error: can't open the AOF manifest file {path} for reading: {error.strerror}"
            ) from error
        return parse_manifest(data, path)

    def prepare(self, manifest: Manifest) -> None:
        """Write `manifest` under its temporary name and force it to the disk. Raises `OSError`."""
        self.renamed = False
        first = not self.files.exists(self.path(manifest_name(self.filename)))
        if first:
            self._remove_unused()
        path = self.path(temp_manifest_name(self.filename))
        fd = self.files.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            write_all(self.files, fd, manifest.text())
            self.files.fsync(fd)
        finally:
            self.files.close(fd)
        if first:
            # This name is the proof that the first parts, named next, were never in use: none must outlast it.
            self.files.fsync_dir(self.folder)

    def commit(self) -> None:
        """Put the prepared manifest in place of the old one. Raises `OSError`; see `renamed` for how far it
        came."""
        self.files.fsync_dir(self.folder)
        self.files.rename(self.path(temp_manifest_name(self.filename)), self.path(manifest_name(self.filename)))
        self.renamed = True
        self.files.fsync_dir(self.folder)

    def upgrade(self, manifest: Manifest) -> Manifest:
        """Take over an old single-file AOF that stands beside the folder, as Redis 7 does.

        It becomes the base, under its own name. `manifest` is what `read` returned; returns the one to go
        on with. A crash at any point leaves a state from which the next start does it again. Raises
        `AikvError`.
        """
        parent = os.path.dirname(self.folder)
        old = os.path.join(parent, self.filename)
        if not self.files.exists(old) or not self._may_upgrade(manifest):
            return manifest
        new = Manifest()
        new.base = AofPart(self.filename, 1, BASE)
        new.base_seq = 1
        try:
            self.make_folder()
            self.prepare(new)
            self.commit()
            self.files.rename(old, self.path(self.filename))
            self.files.fsync_dir(self.folder)
            self.files.fsync_dir(parent or ".")
        except OSError as error:
            raise AikvError(
                f"Error trying to move the old AOF file {old} into dir {self.folder}: {error.strerror}"
            ) from error
        return new

    def _may_upgrade(self, manifest: Manifest) -> bool:
        base = manifest.base
        if base is None:
            return not manifest.incr
        # The manifest of an upgrade that was cut off before the file was moved.
        return not manifest.incr and base.name == self.filename and not self.files.exists(self.path(self.filename))

    def _refuse_orphans(self) -> None:
        orphans = self._orphans()
        if orphans and not self._never_committed(orphans):
            raise AikvError(
                f"The AOF manifest file {self.path(manifest_name(self.filename))} doesn't exist, but {self.folder} "
                f"holds {', '.join(orphans)}: starting would overwrite them. Restore the manifest, or move them away."
            )

    def _remove_unused(self) -> None:
        """Remove parts that were never in use, while the temporary manifest that proves it still stands."""
        orphans = self._orphans()
        if orphans and self._never_committed(orphans):
            for name in orphans:
                self.files.unlink(self.path(name))
            self.files.fsync_dir(self.folder)

    def _orphans(self) -> list[str]:
        """Files that look like parts of this log and are not empty."""
        if not self.files.exists(self.folder):
            return []
        try:
            return [
                name
                for name in self.files.listdir(self.folder)
                if name.startswith(self.filename + ".")
                and name.endswith((".base.rdb", ".base.aof", ".incr.aof"))
                and self.files.size(self.path(name)) > 0
            ]
        except OSError as error:
            raise AikvError(f"Can't read the append-only dir {self.folder}: {error.strerror}") from error

    def _never_committed(self, orphans: list[str]) -> bool:
        path = self.path(temp_manifest_name(self.filename))
        if not self.files.exists(path):
            return False
        try:
            prepared = parse_manifest(read_whole(self.files, path), path)
        except (OSError, ManifestError):
            return False  # Then nothing proves that the parts were never in use, and they are reported.
        # The temporary manifest of any later change names a history, or a second incr file.
        first = not prepared.history and len(prepared.incr) <= 1 and prepared.base_seq == 1
        named = [part.name for part in prepared.parts()]
        return first and all(name in named for name in orphans)


def read_whole(files: Files, path: str) -> bytes:
    """All bytes of the small file `path`. Raises `OSError`."""
    fd = files.open(path, os.O_RDONLY)
    try:
        blocks: list[bytes] = []
        block = files.read(fd, _READ_BYTES)
        while block:
            blocks.append(block)
            block = files.read(fd, _READ_BYTES)
        return b"".join(blocks)
    finally:
        files.close(fd)
