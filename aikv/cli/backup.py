"""`aikv backup`: a consistent copy of a running server's data.

Theory of operation: the tool runs where the server runs, asks it for the files that make up its data and copies them.
Where the append-only log is on, `AIKV.BACKUP BEGIN` names its files with the sizes of that moment and keeps them until
the copy is made; otherwise, and with redis-server, BGSAVE is waited for and the snapshot copied. Either way the server
goes on serving. The copy gets the name of the target when it is whole.
"""

import os
import shutil
import time
from datetime import UTC, datetime
from typing import Any

import click

from aikv.base.errors import AikvError
from aikv.base.version import VERSION
from aikv.cli.connection import Address, Connection, Refused
from aikv.cli.terminal import SETTINGS, fail, plural, progress, tool
from aikv.persistence.backup import Backup, Copier
from aikv.persistence.files import Files

_POLL_S = 0.05


@click.command(context_settings=SETTINGS)
@click.option(
    "--to", "target", required=True, type=click.Path(), metavar="DIR", help="The folder to make; it must not exist."
)
@click.option(
    "--from",
    "source",
    default="127.0.0.1:6379",
    show_default=True,
    metavar="SERVER",
    help="host:port, redis://[user@]host:port, rediss://..., or the path of a Unix socket. The server must run on this "
    "machine.",
)
@click.option("--user", default="", help="The user to log in as.")
@click.option(
    "--what",
    type=click.Choice(["auto", "aof", "rdb"]),
    default="auto",
    show_default=True,
    help="The append-only log with its history, or a new snapshot; auto takes the log where it is on.",
)
@tool
def backup(target: str, source: str, user: str, what: str) -> None:
    """Copy the data of a running server, with checksums.

    The copy is of one moment, and the server goes on serving meanwhile. A password is read from AIKV_PASSWORD or
    REDISCLI_AUTH, or asked for; it is never an argument. Works with redis-server, too, through BGSAVE.

    \b
    Examples:
      aikv backup --to /backups/monday
      aikv backup --from unix:///run/aikv.sock --to /backups/monday
      aikv verify /backups/monday
      aikv --dir /backups/monday --appendonly yes        serve it, or better: a copy of it
    """
    if os.path.lexists(target):
        fail(f"{target} is there already; a backup is never overwritten. Name another folder.")
    connection = Connection(Address(source), user)
    partial = f"{os.path.abspath(target)}.partial-{os.getpid()}"
    os.makedirs(partial)
    files = Files()
    try:
        kind = _kind(connection, what)
        copied = (_copy_log if kind == "aof" else _copy_snapshot)(connection, files, partial)
        files.rename(partial, os.path.abspath(target))
        files.fsync_dir(os.path.dirname(os.path.abspath(target)))
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        connection.close()
    size = sum(file.size for file in copied.files)
    click.echo(f"Copied {plural(len(copied.files), 'file')}, {size} bytes, of {copied.server} to {target}.")
    click.echo(f"Prove that it loads with: aikv verify {target}")


def _kind(connection: Connection, what: str) -> str:
    if what != "auto":
        return what
    ours = "aikv_version" in connection.info("server")
    return "aof" if ours and connection.config("appendonly") == "yes" else "rdb"


def _server_name(connection: Connection) -> str:
    fields = connection.info("server")
    ours = fields.get("aikv_version")
    return f"aikv {ours}" if ours else f"redis-server {fields.get('redis_version', 'of unknown version')}"


def _not_here(path: str, error: OSError) -> AikvError:
    return AikvError(
        f"the server's file {path} cannot be read here: {error.strerror}. Run this on the server's machine, as a user "
        "that may read its data"
    )


def _copy_log(connection: Connection, files: Files, partial: str) -> Backup:
    server = _server_name(connection)
    try:
        reply: list[Any] = connection.call("AIKV.BACKUP", "BEGIN")
    except Refused as refused:
        if "unknown command" in refused.text:
            raise AikvError(
                f"{server} does not know AIKV.BACKUP: copy a snapshot instead, with --what rdb"
            ) from refused
        raise
    said = dict(zip(reply[::2], reply[1::2], strict=True))
    folder = os.fsdecode(said[b"folder"])
    name = os.path.basename(folder)
    created = datetime.now(UTC)
    listed: list[tuple[bytes, int]] = [(entry[0], entry[1]) for entry in said[b"files"]]
    with progress("Copying", sum(size for _, size in listed)) as show:
        copier = Copier(files, partial, show)
        for raw, size in listed:
            path = os.path.join(folder, os.fsdecode(raw))
            try:
                fd = files.open(path, os.O_RDONLY)
            except OSError as error:
                raise _not_here(path, error) from error
            try:
                copier.copy(fd, f"{name}/{os.fsdecode(raw)}", size)
            finally:
                files.close(fd)
        copier.write(f"{name}/{os.fsdecode(said[b'filename'])}.manifest", said[b"manifest"])
    connection.call("AIKV.BACKUP", "END")
    return _finish(copier, created, server, "aof")


def _copy_snapshot(connection: Connection, files: Files, partial: str) -> Backup:
    server = _server_name(connection)
    created = datetime.now(UTC)
    _save(connection)
    path = os.path.join(connection.config("dir"), connection.config("dbfilename"))
    try:
        # From here on the open file is the snapshot, even if the next one takes its name.
        fd = files.open(path, os.O_RDONLY)
    except OSError as error:
        raise _not_here(path, error) from error
    try:
        size = os.fstat(fd).st_size
        with progress("Copying", size) as show:
            copier = Copier(files, partial, show)
            copier.copy(fd, "dump.rdb", size)
    finally:
        files.close(fd)
    return _finish(copier, created, server, "rdb")


def _save(connection: Connection) -> None:
    """Have a snapshot made that begins no earlier than now, and wait for it."""
    while not _save_begun(connection):
        time.sleep(_POLL_S)
    fields = connection.info("persistence")
    while fields.get("rdb_bgsave_in_progress") != "0":
        time.sleep(_POLL_S)
        fields = connection.info("persistence")
    if fields.get("rdb_last_bgsave_status") != "ok":
        raise AikvError("the server's BGSAVE failed: its log says why")


def _save_begun(connection: Connection) -> bool:
    """Begin a snapshot; False where another child runs: a snapshot that it makes may lack what was written since."""
    try:
        connection.call("BGSAVE")
    except Refused as refused:
        if "already in progress" in refused.text or "child process is active" in refused.text:
            return False
        raise
    return True


def _finish(copier: Copier, created: datetime, server: str, kind: str) -> Backup:
    made = Backup(created.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), server, f"aikv {VERSION}", kind, copier.files)
    copier.finish(made)
    return made
