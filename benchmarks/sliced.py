"""An aikv server that can also take a snapshot bucket by bucket, without a child: an experiment to compare with.

Theory of operation: `SNAPSHOT SLICES` notes the buckets of every database and, between rounds of the event loop, writes
as many of them as `SLICE_S` allows. SET, before it changes anything, says which key it will change; if that key's
bucket has still to be written a copy of it is kept, which is written in its place. A bucket that is split or merged
meanwhile is not changed, but replaced by others, so the noted one still holds what it did. At the end a thread forces
the file to the disk and names it. So the file holds the dataset as it was at the start.

That is whole only where SET is the only command that writes, keys do not run out and values are not changed in place,
which is all that the measurement needs; other datasets are refused. What it would take for all commands and values
stands in the docstring of `aikv.persistence`. `SNAPSHOT CHILD` is BGSAVE, by the same server, whose SET looks for
slices in the same way. Both are over when `SNAPSHOT RUNNING` answers 0.

Run as a program it takes the arguments of aikv.
"""

import asyncio
import os
import time
from collections.abc import Sequence

from aikv import commands
from aikv.base.errors import CommandError
from aikv.cli import main
from aikv.engine.command import ADMIN, COMMANDS, Handler, command
from aikv.engine.context import Context
from aikv.engine.persistence import Persistence
from aikv.keyspace.database import Database
from aikv.persistence.files import Files
from aikv.persistence.rdb_write import RdbWriter
from aikv.persistence.sink import FileSink
from aikv.persistence.snapshot import SaveOptions
from aikv.resp.reply import OK

SLICE_S = 0.002


class SlicedSnapshot:
    """One snapshot of `databases`, written to `path`."""

    def __init__(self, files: Files, path: str, databases: Sequence[Database], options: SaveOptions) -> None:
        if any(database.expires_count() for database in databases):
            raise ValueError("keys that run out are beyond this experiment")
        self.path = path
        self.temporary = f"{path}.sliced"
        self._files = files
        self._fd = files.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._writer = RdbWriter(FileSink(files, self._fd, options.checksum, fsync_every=0), options.packing)
        self._writer.header(options.aux)
        # What is still to be written: buckets in their order, each with its database, the last first.
        self._left = [(database, bucket) for database in databases for bucket in database.buckets()]
        self._left.reverse()
        self._untouched = {id(bucket) for _, bucket in self._left}
        self._copies: dict[int, dict[bytes, object]] = {}
        self._sizes = {database.index: len(database) for database in databases}
        self._selected = -1

    def before_change(self, database: Database, key: bytes) -> None:
        """`key` of `database` is about to be changed."""
        bucket = database.table.bucket_of(key)
        if id(bucket) in self._untouched:
            self._untouched.discard(id(bucket))
            self._copies[id(bucket)] = dict(bucket)

    def step(self, seconds: float) -> bool:
        """Write for about `seconds`; whether something is left."""
        deadline = time.monotonic() + seconds
        while self._left:
            database, bucket = self._left.pop()
            self._write(database, self._copies.pop(id(bucket), bucket))
            self._untouched.discard(id(bucket))
            if time.monotonic() >= deadline:
                break
        return bool(self._left)

    def finish(self) -> None:
        """Everything has been written: bring it to the disk and name the file. Waits for the disk."""
        self._writer.finish()
        self._files.fsync(self._fd)
        self._files.close(self._fd)
        self._files.rename(self.temporary, self.path)
        self._files.fsync_dir(os.path.dirname(self.path) or ".")

    def _write(self, database: Database, bucket: dict[bytes, object]) -> None:
        if bucket and database.index != self._selected:
            self._selected = database.index
            self._writer.select(database.index, self._sizes[database.index], 0)
        for key, value in bucket.items():
            if type(value) not in (bytes, int):
                raise TypeError(f"{key!r} is no string, which is beyond this experiment")
            self._writer.entry(key, value)


class Slicer:
    """Takes sliced snapshots in the running event loop, one at a time."""

    def __init__(self) -> None:
        self.snapshot: SlicedSnapshot | None = None
        self.naming: asyncio.Future[None] | None = None

    def start(self, snapshot: SlicedSnapshot) -> None:
        """Begin with the next round of the loop."""
        self.snapshot = snapshot
        asyncio.get_running_loop().call_soon(self.go_on)

    def go_on(self) -> None:
        """One slice."""
        loop = asyncio.get_running_loop()
        if self.snapshot is None:
            return
        if self.snapshot.step(SLICE_S):
            loop.call_soon(self.go_on)
        else:
            self.naming = loop.run_in_executor(None, self.snapshot.finish)
            self.snapshot = None

    def running(self) -> bool:
        """Whether a snapshot is under way. Raises `OSError` if the last one could not be finished."""
        if self.naming is not None and self.naming.done():
            self.naming.result()
            self.naming = None
        return self.snapshot is not None or self.naming is not None


slicer = Slicer()


def announcing(handler: Handler) -> Handler:
    """`handler`, which writes its first argument, told of it beforehand."""

    def announced(ctx: Context, argv: list[bytes]) -> object:
        if slicer.snapshot is not None:
            slicer.snapshot.before_change(ctx.db, argv[1])
        return handler(ctx, argv)

    return announced


def snapshot(ctx: Context, argv: list[bytes]) -> object:
    """SNAPSHOT CHILD, SLICES or RUNNING."""
    persistence = ctx.engine.persistence
    assert isinstance(persistence, Persistence)
    word = argv[1].upper()
    if word == b"RUNNING":
        return int(slicer.running() or persistence.snapshots.running())
    if word == b"CHILD":
        persistence.bgsave(False)
    elif word == b"SLICES":
        path = ctx.engine.config.path("dbfilename")
        try:
            slicer.start(SlicedSnapshot(Files(), path, ctx.engine.databases, persistence.snapshots.options(False)))
        except ValueError as error:
            raise CommandError(b"ERR " + str(error).encode()) from error
    else:
        raise CommandError(b"ERR CHILD, SLICES or RUNNING")
    return OK


def serve() -> None:
    """Run the server, with these commands in place. They are declared only here: who imports this file is no server."""
    commands.load()
    declare = command("SNAPSHOT", 2, ADMIN, "server", "0.0.0", "O(1)", "Takes a snapshot in one of two ways.")
    declare(snapshot)
    entry = COMMANDS[b"set"]
    assert entry.handler is not None
    entry.handler = announcing(entry.handler)
    main()


if __name__ == "__main__":
    serve()
