"""Loading what a power cut left, by the real loader, and holding it against the journal.

Theory of operation: `Judge.load` starts a server on an image and says what it found. An image that was loaded before
is not loaded again. On the way it checks what holds for every image whatever the journal says: a start that is refused
names a file and changes none; a file that was cut had its dropped bytes told in the log and is a beginning of what it
was; nothing else but leftovers is removed.
"""

import os

from aikv.base.errors import AikvError
from aikv.persistence.aof_check import AofChecker
from aikv.persistence.aof_manifest import manifest_name
from aikv.persistence.rdb_read import Receiver, load_rdb
from crash.power.disk import Image
from crash.power.life import Life
from crash.power.memory import MemoryFiles, Stamp, Tree
from crash.power.world import Heard, World, fingerprint

FILENAME = "appendonly.aof"


class Verdict:
    """What a start on an image came to: the `state` that was loaded, or why it was `refused`; bytes `dropped`."""

    def __init__(self, state: str, refused: str, dropped: int) -> None:
        self.state = state
        self.refused = refused
        self.dropped = dropped


class Counts:
    """How much was tried."""

    def __init__(self) -> None:
        self.points = 0
        self.images = 0
        self.distinct = 0
        self.cut = 0
        self.refused = 0


class Judge:
    """Starts servers with `settings` on images."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings
        self.counts = Counts()
        self._known: dict[int, Verdict] = {}

    def load(self, tree: Tree) -> Verdict:
        """Start on `tree`, or remember what came of it."""
        key = hash((frozenset(tree.contents().items()), frozenset(tree.folders)))
        verdict = self._known.get(key)
        if verdict is None:
            self.counts.distinct += 1
            verdict = self._known[key] = self._start(tree)
            self.counts.cut += verdict.dropped > 0
            self.counts.refused += verdict.refused != ""
        return verdict

    def _start(self, tree: Tree) -> Verdict:
        files = MemoryFiles(tree)
        before = tree.contents()
        with Heard() as heard:
            world = World(files, self.settings)
            refused = ""
            try:
                world.persistence.load()
            except AikvError as error:
                refused = str(error)
        if refused:
            assert files.tree().contents() == before, "a refused start has changed a file"
            assert any(path in refused for path in [*before, *tree.folders]), refused
            return Verdict("", refused, 0)
        return Verdict(fingerprint(world.engine), "", told(before, files.tree().contents(), heard.lines))

    def check(self, image: Image, life: Life, stamp: Stamp, at_least: int) -> Verdict:
        """The server starts on `image` with a state of `life` that has the first `at_least` commands."""
        self.counts.images += 1
        verdict = self.load(image.tree)
        where = f"{image.names} names, {image.data} data, {stamp}"
        if verdict.refused:
            # Zeros in front of data that did arrive: not to be told from damage, so a person has to decide.
            assert image.gaps, f"{where}: {verdict.refused}"
            verdict = self.load(repaired(image.tree))
            assert not verdict.refused, f"{where}: not even after check-aof --fix: {verdict.refused}"
        # The command that is being carried out may have saved by itself, as FLUSHALL does.
        found = [number for number, state in enumerate(life.states[: stamp.sent + 2]) if state == verdict.state]
        assert found, f"{where}: what was loaded is no prefix of what was written"
        assert found[-1] >= at_least, f"{where}: {at_least} commands were promised, {found[-1]} are there"
        return verdict


def told(before: dict[str, bytes], after: dict[str, bytes], lines: list[str]) -> int:
    """How many bytes a start has cut off; each cut must have been told in the log."""
    dropped = 0
    may_change = [manifest_name(FILENAME)]
    if may_change[0] not in [os.path.basename(path) for path in before]:
        # Of a log that was never in use.
        may_change.append(FILENAME + ".1.base.rdb")
        may_change.append(FILENAME + ".1.base.aof")
    for path, data in before.items():
        name = os.path.basename(path)
        if path not in after:
            # History, which the manifest says is not needed any more; or what a rename put in another's place.
            history = f"Removing the history file {name}"
            assert name.startswith("temp-") or any(history in line for line in lines), f"{path} was removed"
        elif after[path] != data and name.endswith(".incr.aof"):
            count = len(data) - len(after[path])
            assert data.startswith(after[path]), f"{path} was changed"
            assert any(f"{count} bytes dropped" in line and path in line for line in lines), (
                f"{path} was cut in silence"
            )
            dropped += count
        elif after[path] != data:
            assert name in may_change or name.startswith("temp-"), f"{path} was changed"
    return dropped


class Ignoring(Receiver):
    """Takes what an RDB holds, and forgets it."""

    def select(self, db: int) -> None:
        pass

    def put(self, key: bytes, value: object, expire_ms: int, idle_s: int, freq: int) -> None:
        pass


def repaired(tree: Tree) -> Tree:
    """What `aikv check-aof --fix` makes of a log."""
    files = MemoryFiles(tree)
    said: list[str] = []

    def end_of_rdb(path: str) -> int:
        return load_rdb(files, path, Ignoring(), trailing_allowed=True).end

    manifest = next(path for path in tree.names if os.path.basename(path) == manifest_name(FILENAME))
    status = AofChecker(files, said.append, lambda: True, end_of_rdb, True).check(manifest)
    assert status == 0, said
    return files.tree()
