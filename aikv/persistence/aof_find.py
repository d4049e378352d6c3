"""Finding an append-only log by the name of a folder or a file.

Theory of operation: whoever reads a log offline names the server's `dir`, the log's own folder in it, the manifest, or
a single file of old. What is found is the log's `AofStore` and its manifest; for a single file that is one with that
file as its base. Nothing is ever changed here: a single file is not moved into a folder as a server would.
"""

import os
from typing import Final

from aikv.base.errors import AikvError
from aikv.persistence.aof_manifest import BASE, AofPart, Manifest
from aikv.persistence.aof_store import AofStore
from aikv.persistence.files import Files

_MANIFEST: Final = ".manifest"
_OLD_NAME: Final = "appendonly.aof"


class FoundLog:
    """A log: its files are `manifest`'s, in the folder of `store`; `single` is whether it is one file of old."""

    def __init__(self, store: AofStore, manifest: Manifest, single: bool) -> None:
        self.store: Final = store
        self.manifest: Final = manifest
        self.single: Final = single


def manifests_below(files: Files, folder: str) -> list[str]:
    """The manifests in `folder`, or else in the folders in it. Raises `OSError`."""
    here = _manifests_in(files, folder)
    if here:
        return here
    found: list[str] = []
    for name in files.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and os.access(path, os.R_OK | os.X_OK):
            found += _manifests_in(files, path)
    return found


def find_log(files: Files, path: str) -> FoundLog:
    """The log that `path` names. Raises `AikvError` where there is none, or more than one, or it cannot be read."""
    try:
        if not os.path.isdir(path):
            return _log_of_file(files, path)
        found = manifests_below(files, path)
        old = os.path.join(path, _OLD_NAME)
        if not found and files.exists(old) and not os.path.isdir(old):
            return _single_file(files, old)
    except OSError as error:
        raise AikvError(f"{path} cannot be read: {error.strerror}") from error
    if not found:
        raise AikvError(
            f"There is no append-only log in {path}: no file that ends with {_MANIFEST}, there or one folder below. "
            "Name the folder that the server's `dir` is, or the manifest itself."
        )
    if len(found) > 1:
        raise AikvError(f"There is more than one append-only log in {path}: name one of {', '.join(found)}")
    return _multi_part(files, found[0])


def _manifests_in(files: Files, folder: str) -> list[str]:
    names = [name for name in files.listdir(folder) if name.endswith(_MANIFEST) and not name.startswith("temp-")]
    return [os.path.join(folder, name) for name in names]


def _log_of_file(files: Files, path: str) -> FoundLog:
    if path.endswith(_MANIFEST):
        # So that a file that cannot be opened is told from a log that is not there.
        files.size(path)
        return _multi_part(files, path)
    return _single_file(files, path)


def _multi_part(files: Files, path: str) -> FoundLog:
    store = AofStore(files, os.path.dirname(path) or ".", os.path.basename(path)[: -len(_MANIFEST)])
    return FoundLog(store, store.read(), False)


def _single_file(files: Files, path: str) -> FoundLog:
    files.size(path)
    name = os.path.basename(path)
    manifest = Manifest()
    manifest.base = AofPart(name, 1, BASE)
    return FoundLog(AofStore(files, os.path.dirname(path) or ".", name), manifest, True)
