"""A dataset that is loaded without a server: the same engine and loaders, no socket, nothing written.

Theory of operation: an engine of its own runs every command of a log and takes every key of a snapshot just as a
starting server does, so what loads here loads there. What ran out meanwhile is kept, because a copy has to hold what
the original holds. A snapshot's functions are remembered beside it.
"""

from typing import cast

from aikv import commands
from aikv.base.clock import SystemClock
from aikv.base.random import Random
from aikv.base.version import REDIS_VERSION, VERSION
from aikv.cli.terminal import Progress, ignore
from aikv.engine.blocking import Scheduler
from aikv.engine.config import load
from aikv.engine.dataset import DatasetReceiver
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.persistence.aof_find import FoundLog
from aikv.persistence.aof_fsync import ThreadRunner
from aikv.persistence.aof_load import AofLoaded
from aikv.persistence.aof_manifest import Manifest
from aikv.persistence.aof_restore import MomentLoader
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import RdbSummary, Receiver, load_rdb
from aikv.persistence.rdb_write import SavedDatabase
from aikv.persistence.snapshot import SaveOptions, SaveResult, describing_fields, save_rdb
from aikv.scripting import commands as script_commands  # noqa: F401 (declares them)
from aikv.scripting.scripts import Scripts

# More than anybody configures; each costs about a kilobyte.
_DATABASES = 1024


class _Taking(Receiver):
    """Hands everything on to the engine, shows the progress and remembers functions."""

    def __init__(self, into: DatasetReceiver, functions: list[bytes], progress: Progress) -> None:
        self._into = into
        self._functions = functions
        self._progress = progress

    def select(self, db: int) -> None:
        self._into.select(db)

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        self._into.put(key, value, expire_ms, idle_s, freq)

    def function(self, code: bytes) -> None:
        self._functions.append(code)

    def progress(self, offset: int) -> None:
        self._progress(offset)


class OfflineDataset:
    """Databases that are empty at first."""

    def __init__(self, files: Files) -> None:
        commands.load()
        self._files = files
        config = load(["--databases", str(_DATABASES), "--save", "", "--appendonly", "no"])
        self.engine = Engine(config, SystemClock(), Random(), Scheduler())
        # A log of before Redis 7 may have scripts in it.
        self.engine.scripting = Scripts(self.engine)
        self._persistence = Persistence(self.engine, files, ThreadRunner(files))
        self.engine.persistence = self._persistence
        self._persistence.loader.set_loading(True)
        self.functions: list[bytes] = []
        self.commands = 0

    def keys(self) -> dict[int, int]:
        """The number of keys of each database that has any."""
        return {database.index: len(database) for database in self.engine.databases if len(database)}

    def load_snapshot(self, path: str, progress: Progress, trailing_allowed: bool = False) -> RdbSummary:
        """Take the RDB at the start of file `path`, its checksum checked. Raises `OSError`, `AikvError`."""
        receiver = DatasetReceiver(self.engine, True, False, self._files.size(path))
        taking = _Taking(receiver, self.functions, progress)
        return load_rdb(self._files, path, taking, True, trailing_allowed)

    def load_log(self, log: FoundLog, manifest: Manifest, progress: Progress, moment_s: int = -1) -> "LoadedLog":
        """Replay the files of `manifest` up to unix second `moment_s`, -1 being all. Raises `AikvError`."""
        loader = MomentLoader(log.store, self._persistence.loader.replay, self._preamble, progress, moment_s)
        return LoadedLog(loader.load(manifest), loader.cut_file)

    def save(self, path: str) -> SaveResult:
        """Write everything as the RDB file `path`. Raises `OSError`."""
        now_s = self.engine.clock.unix_ms() // 1000
        aux = describing_fields(REDIS_VERSION, VERSION, now_s, 0, aof_base=False)
        options = SaveOptions(aux=aux, functions=self.functions)
        return save_rdb(self._files, path, cast(list[SavedDatabase], self.engine.databases), options)

    def _preamble(self, path: str) -> int:
        return self.load_snapshot(path, ignore, trailing_allowed=True).end


class LoadedLog:
    """What was loaded of a log; `cut_file` is the file whose end is cut off, "" if none is."""

    def __init__(self, loaded: AofLoaded, cut_file: str) -> None:
        self.loaded = loaded
        self.cut_file = cut_file
