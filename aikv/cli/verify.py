"""`aikv verify`: proof that a backup or a data folder is complete and loads.

Theory of operation: whatever the folder holds is examined, and each finding is a line that begins with `ok` or `bad`.
A backup's checksums come first. Then every snapshot and every log is loaded into an empty engine, by the loaders and
commands that a server uses, so that "verify says ok" and "the server starts" are the same. Files of the past that a log
keeps are read, not applied. Nothing is changed, not even the cut end that a server would mend.
"""

import os
import sys

import click

from aikv.base.errors import AikvError, CorruptFile
from aikv.cli.offline import OfflineDataset
from aikv.cli.terminal import BAD, FAILED, GOOD, SETTINGS, ignore, plural, progress, tool
from aikv.persistence.aof_find import FoundLog, find_log, manifests_below
from aikv.persistence.aof_load import RDB_MAGIC
from aikv.persistence.aof_restore import MomentLoader
from aikv.persistence.backup import LIST_NAME, Backup, check_copy, read_backup
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import Receiver, load_rdb

_OLD_LOG = "appendonly.aof"


@click.command(context_settings=SETTINGS)
@click.argument("folder", type=click.Path(), metavar="DIR")
@tool
def verify(folder: str) -> None:
    """Prove that the backup or data folder DIR is complete and loads, without a server.

    Checks what there is: the checksums of a backup, the CRC of every snapshot, the manifest of the append-only log with
    all files that it names, and that each of them loads, key by key and command by command. Works on folders of
    redis-server, too. DIR is only read; of a server that is running, verify a backup.

    \b
    Ends with status 0   everything is complete and loads
                     1   something is missing or damaged
                     2   there is nothing to verify, or it cannot be read
    """
    status = _Verifier(Files(), folder).run()
    click.echo(
        {GOOD: "Everything is complete and loads.", BAD: "NOT complete: see the lines that begin with `bad`."}[status]
    )
    sys.exit(status)


class _Verifier:
    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._folder = folder
        self._status = GOOD
        self._found = False

    def run(self) -> int:
        names = self._files.listdir(self._folder)
        listed = self._backup() if LIST_NAME in names else None
        if listed is not None:
            self._checksums(listed, names)
        elif LIST_NAME in names:
            return self._status
        for name in names:
            if not name.startswith("temp-") and self._is_snapshot(name):
                self._snapshot(name)
        self._logs(names)
        if not self._found:
            click.echo(
                f"Error: {self._folder} holds neither a snapshot nor an append-only log. Name the folder that the "
                "server's `dir` is, or a backup.",
                err=True,
            )
            sys.exit(FAILED)
        return self._status

    def _ok(self, text: str) -> None:
        click.echo(f"ok   {text}")

    def _bad(self, text: str) -> None:
        self._status = BAD
        click.echo(f"bad  {text}")

    def _backup(self) -> Backup | None:
        try:
            return read_backup(self._files, self._folder)
        except CorruptFile as error:
            self._bad(str(error))
            return None

    def _checksums(self, listed: Backup, names: list[str]) -> None:
        size = sum(file.size for file in listed.files)
        click.echo(f"A backup of {listed.server}, made {listed.created} with {listed.tool}")
        self._found = True
        wrong = 0
        done = 0
        with progress("Checksums", size) as show:
            for file in listed.files:
                complaint = check_copy(self._files, self._folder, file)
                if complaint:
                    wrong += 1
                    self._bad(complaint)
                done += file.size
                show(done)
        if not wrong:
            self._ok(f"{LIST_NAME}: {plural(len(listed.files), 'file')}, {size} bytes, every SHA-256 is right")
        known = {file.path.split("/")[0] for file in listed.files} | {LIST_NAME}
        for name in sorted(set(names) - known):
            click.echo(f"     {name} is not part of the backup")

    def _is_snapshot(self, name: str) -> bool:
        path = os.path.join(self._folder, name)
        if not os.path.isfile(path):
            return False
        # A damaged first byte must not make a snapshot disappear from the report.
        return name.endswith(".rdb") or (name != _OLD_LOG and self._head(path) == RDB_MAGIC)

    def _head(self, path: str) -> bytes:
        fd = self._files.open(path, os.O_RDONLY)
        try:
            return self._files.read(fd, len(RDB_MAGIC))
        finally:
            self._files.close(fd)

    def _snapshot(self, name: str) -> None:
        self._found = True
        path = os.path.join(self._folder, name)
        dataset = OfflineDataset(self._files)
        try:
            with progress(f"Loading {name}", self._files.size(path)) as show:
                summary = dataset.load_snapshot(path, show)
        except AikvError as error:
            self._bad(str(error))
            return
        crc = "its CRC64 is right" if summary.checksum else "it has no CRC64"
        keys = sum(dataset.keys().values())
        self._ok(f"{name}: RDB version {summary.version}, {summary.end} bytes, {crc}, {plural(keys, 'key')} loaded")

    def _logs(self, names: list[str]) -> None:
        paths = manifests_below(self._files, self._folder)
        if not paths and _OLD_LOG in names:
            paths = [os.path.join(self._folder, _OLD_LOG)]
        for path in paths or self._folders_without_manifest(names):
            self._found = True
            try:
                self._log(find_log(self._files, path))
            except AikvError as error:
                self._bad(str(error))

    def _folders_without_manifest(self, names: list[str]) -> list[str]:
        """The manifests that are missing: beside files that belong to a log."""
        found = []
        for name in names:
            path = os.path.join(self._folder, name)
            if os.path.isdir(path):
                parts = [part for part in self._files.listdir(path) if part.endswith((".base.rdb", ".incr.aof"))]
                if parts:
                    self._found = True
                    self._bad(f"{path} holds {parts[0]} but no manifest that says what belongs to the log")
            elif name.endswith((".base.rdb", ".incr.aof")):
                found.append(name)
        if found:
            self._found = True
            self._bad(f"{self._folder} holds {found[0]} but no manifest that says what belongs to the log")
        return []

    def _log(self, log: FoundLog) -> None:
        dataset = OfflineDataset(self._files)
        parts = log.manifest.parts()
        missing = [part.name for part in parts if not self._files.exists(log.store.path(part.name))]
        for name in missing:
            self._bad(f"{log.store.path(name)} is missing: the manifest names it")
        if missing:
            return
        size = sum(self._files.size(log.store.path(part.name)) for part in parts)
        with progress("Loading the log", size) as show:
            done = dataset.load_log(log, log.manifest, show)
        loaded = done.loaded
        if done.cut_file:
            self._bad(
                f"{done.cut_file}: the last {plural(loaded.dropped, 'byte')} are no whole command; a server drops them "
                "when it starts with `aof-load-truncated yes`"
            )
        else:
            keys = sum(dataset.keys().values())
            self._ok(
                f"{log.store.filename}: {plural(len(parts), 'file')}, {loaded.size} bytes, "
                f"{plural(loaded.commands, 'command')} replayed, {plural(keys, 'key')} loaded"
            )
        self._history(log)

    def _history(self, log: FoundLog) -> None:
        for part in log.manifest.history:
            path = log.store.path(part.name)
            if not self._files.exists(path):
                self._bad(f"{path} is missing: the manifest names it as history")
                continue
            try:
                self._read(log, path, part.name)
            except AikvError as error:
                self._bad(str(error))
            else:
                self._ok(f"{part.name}: history, readable")

    def _read(self, log: FoundLog, path: str, name: str) -> None:
        """Read every command of a file, or its RDB with the CRC, without applying them."""
        only = find_log(self._files, path)
        loader = MomentLoader(only.store, _ignore_command, self._skip_rdb, ignore, -1)
        loader.load(only.manifest)
        if loader.cut_file:
            raise AikvError(f"{log.store.path(name)} ends within a command")

    def _skip_rdb(self, path: str) -> int:
        return load_rdb(self._files, path, Receiver(), True, True).end


def _ignore_command(_argv: list[bytes]) -> None:
    pass
