"""Loading the dataset from files: the append-only log, an RDB, and the RDB that a log may begin with.

Theory of operation: what a log says is run like the commands of a client, an internal one (`replay`); the keys of an
RDB are put into the databases (`dataset`). A file that cannot be read whole raises `AikvError`, and is left as it is.
"""

from aikv.base import log
from aikv.base.errors import AikvError, CommandError
from aikv.engine.client import Client, Link
from aikv.engine.client_life import connect
from aikv.engine.dataset import PROGRESS_EVERY, DatasetReceiver
from aikv.engine.engine import Engine
from aikv.engine.snapshots import described
from aikv.persistence.aof_load import AofLoader
from aikv.persistence.aof_manifest import Manifest
from aikv.persistence.aof_store import AofStore
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import load_rdb, read_rdb
from aikv.persistence.source import FileSource


class Loader:
    """Fills the databases of `engine`; the log is that of `store`."""

    def __init__(self, engine: Engine, files: Files, store: AofStore) -> None:
        self._engine = engine
        self._files = files
        self._store = store
        # Keys of the last RDB, and those that had run out and were left away.
        self.keys_loaded = 0
        self.keys_expired = 0
        self._client: Client | None = None
        # While the log is loaded: its size in bytes, and how many to have read before the next word about it.
        self._log_size = 0
        self._next_report = 0

    def load_log(self, manifest: Manifest) -> bool:
        """Replay the log; False where there is none. Raises `AikvError`."""
        engine = self._engine
        self._client = None
        loader = AofLoader(
            self._store,
            self.replay,
            self.load_preamble,
            self._progress,
            engine.config.get_bool("aof-load-truncated"),
        )
        self._next_report = PROGRESS_EVERY
        self._log_size = sum(self._size_of(self._store.path(part.name)) for part in manifest.parts())
        self.set_loading(True)
        try:
            return loader.load(manifest).existed
        finally:
            self.set_loading(False)

    def load_snapshot_if_any(self, began_us: int) -> None:
        """Load the RDB file that is configured, where it is there; begun at monotonic microsecond `began_us`."""
        path = self._engine.config.path("dbfilename")
        if not self._files.exists(path):
            return
        self.load_snapshot(path)
        self.report("disk", began_us)

    def load_snapshot(self, path: str, merge: bool = False) -> None:
        """Load the RDB file `path`; `merge` lets its keys replace those that are there. Raises `AikvError`."""
        receiver = DatasetReceiver(self._engine, False, merge, self._size_of(path), path)
        self.set_loading(True)
        try:
            load_rdb(self._files, path, receiver, self._engine.config.get_bool("rdbchecksum"))
        except OSError as error:
            raise AikvError(f"Fatal error: can't open the RDB file {path} for reading: {described(error)}") from error
        finally:
            receiver.finish()
            self.set_loading(False)
        self.keys_loaded = receiver.loaded
        self.keys_expired = receiver.expired

    def load_preamble(self, path: str) -> int:
        """Load the RDB that a file of the log begins with; returns the offset behind it. Raises `AikvError`."""
        fd = self._files.open(path, 0)
        try:
            receiver = DatasetReceiver(self._engine, True, False, self._size_of(path), path)
            source = FileSource(self._files, fd, path, self._engine.config.get_bool("rdbchecksum"))
            end = read_rdb(source, receiver, trailing_allowed=True).end
            receiver.finish()
        finally:
            self._files.close(fd)
        self.keys_loaded = receiver.loaded
        return end

    def replay(self, argv: list[bytes]) -> None:
        """Run one command of a log. Raises CommandError."""
        client = self._client
        if client is None:
            client = self._client = connect(self._engine, Link(), internal=True)
        self._engine.execute(client, argv)
        reply = client.out.take()
        if reply.startswith(b"-"):
            raise CommandError(reply[1:].rstrip())

    def set_loading(self, loading: bool) -> None:
        """While a file is loaded nothing runs out: its later commands may still refer to any key.

        The LOADING gate stays open: a file is loaded in one go, so the loader is the only client that runs anything.
        """
        for database in self._engine.databases:
            database.loading = loading

    def report(self, source: str, began_us: int) -> None:
        """Log that everything has been loaded from `source`, since monotonic microsecond `began_us`."""
        seconds = (self._engine.clock.monotonic_us() - began_us) / 1_000_000
        keys = sum(len(database) for database in self._engine.databases)
        log.notice("DB loaded from %s: %d keys in %.3f seconds", source, keys, seconds)

    def _progress(self, loaded: int) -> None:
        if loaded >= self._next_report:
            self._next_report = loaded + PROGRESS_EVERY
            keys = sum(len(database) for database in self._engine.databases)
            log.notice("Loading the append only file: %d of %d MB, %d keys", loaded >> 20, self._log_size >> 20, keys)

    def _size_of(self, path: str) -> int:
        try:
            return self._files.size(path)
        except OSError as error:
            raise AikvError(f"Fatal error: can't read {path}: {described(error)}") from error
