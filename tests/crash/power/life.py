"""A life of a server, command by command, with the journal that what a power cut leaves is held against.

Theory of operation: `Life.live` runs a workload of all data types and of transactions, with rewrites, snapshots and
FLUSHALL between them. After every command that changed something the fingerprint of the dataset goes on the list
`states`: loaded data are right if they are one of those states, as a prefix of the workload leaves one. A command is
acknowledged once its turn of the event loop has flushed the log. The time moves on with every turn, and so do the
disk's background work and the calls of the child.
"""

from random import Random

from aikv.persistence.aof_log import ON, AofFatal
from crash.power.memory import MemoryFiles, Stamp, Tree
from crash.power.world import World, fingerprint
from served import NOW_MS

Step = list[bytes]
FAR_MS = 33_000_000_000_000
LOGGED = {"appendonly": "yes", "save": "", "auto-aof-rewrite-percentage": "0"}
SAVED = {"appendonly": "no", "save": "3600 1000000"}
CRON_MS = 100


def writes(chance: Random, number: int) -> list[Step]:
    """The commands of one turn, every one of which changes something; `number` makes them differ."""
    n = b"%d" % number
    few = b"%d" % chance.randrange(6)
    text = chance.choice([b"v", b"value" * 9, b"long" * 70]) + n
    one: list[Step] = [
        [b"SET", b"string:" + few, text],
        [b"INCRBY", b"count", n],
        [b"APPEND", b"grown:" + few, text],
        [b"RPUSH", b"list:" + few, text, n],
        [b"SADD", b"set:" + few, n, text],
        [b"HSET", b"hash:" + few, b"field:" + n, text],
        [b"ZADD", b"zset:" + few, n, b"member:" + n],
        [b"XADD", b"stream", b"%d-1" % number, b"field", text],
        [b"SET", b"timed:" + few, n, b"PXAT", b"%d" % (FAR_MS + number)],
        [b"SETBIT", b"bits", b"%d" % (number % 4000), b"1" if number < 4000 else b"0"],
        [b"PFADD", b"unique", b"element:" + n * 9],
        [b"SELECT", few],
    ]
    command = chance.choice(one)
    if chance.random() < 0.25:
        inside = [chance.choice(one[:9]) for _ in range(chance.randint(1, 4))]
        return [[b"MULTI"], [b"INCRBY", b"whole", n], *inside, [b"EXEC"]]
    return [command, [b"SET", b"last", n]]


class Past:
    """What a life before this one has left: its `states`, and the journal at the moment at which it was ended."""

    def __init__(self, life: "Life", stamp: Stamp) -> None:
        self.states = life.states[: stamp.sent + 1]
        self.stamp = stamp


class Life:
    """A server on `tree` from its start; `states` goes on with what is loaded."""

    def __init__(
        self, settings: dict[str, str], seed: int, tree: Tree | None = None, past: "Past | None" = None
    ) -> None:
        now_ms = past.stamp.now_ms if past is not None else NOW_MS
        self.settings = settings
        self.chance = Random(seed)
        self.states: list[str] = past.states if past is not None else []
        self.acknowledged = past.stamp.acknowledged if past is not None else 0
        # Which states a snapshot that was acknowledged, or one begun, holds.
        self.snapshots: list[int] = []
        self.files = MemoryFiles(tree, self.witness)
        self.world: World | None = None
        self._now_ms = now_ms
        self._cron_ms = now_ms
        # Whether an fsync of the log had failed a turn ago, and which base the log had then.
        self._distrusted = False
        self._base = ""
        self._number = 0
        # Otherwise snapshots are what the next server starts from.
        self._logged = settings["save"] == ""

    def witness(self) -> Stamp:
        """The journal of now."""
        now_ms = self.world.clock.unix_ms() if self.world is not None else self._now_ms
        return Stamp(max(len(self.states) - 1, 0), self.acknowledged, now_ms)

    def start(self, at_once: bool = False) -> World:
        """Start the server. Raises `AikvError`."""
        world = World(self.files, self.settings, self._now_ms, at_once)
        world.persistence.load()
        self.world = world
        self.states.append(fingerprint(world.engine))
        return world

    def live(self, turns: int, events: dict[int, bytes]) -> None:
        """Run `turns` turns; `events` are commands besides the writes, by turn."""
        for turn in range(turns):
            batch = [step for _ in range(self.chance.randint(1, 2)) for step in self._writes()]
            event = events.get(turn)
            self.turn([*batch, event.split()] if event is not None else batch)

    def _writes(self) -> list[Step]:
        self._number += 1
        return writes(self.chance, self._number)

    def turn(self, commands: list[Step]) -> list[bytes]:
        """One turn of the event loop; returns the replies. Raises `AofFatal` after which nothing was answered."""
        world = self.world
        assert world is not None
        replies: list[bytes] = []
        for argv in commands:
            dirty = world.engine.dirty
            saves = world.engine.stats.saves
            replies.append(world.run(*argv))
            if world.engine.dirty != dirty:
                self.states.append(fingerprint(world.engine))
            if argv[0] in (b"SAVE", b"BGSAVE") and replies[-1].startswith(b"+"):
                self.snapshots.append(len(self.states) - 1)
                if world.engine.stats.saves > saves and not self._logged:
                    self.acknowledged = len(self.states) - 1
            elif argv[0] == b"FLUSHALL" and not self._logged:
                # It saves the empty dataset, and ends a snapshot that is under way.
                self.snapshots.append(len(self.states) - 1)
                if world.persistence.snapshots.changes() == 0:
                    self.acknowledged = len(self.states) - 1
        world.persistence.flush()
        self._acknowledge()
        self.pass_time()
        self.watch()
        return replies

    def watch(self) -> None:
        """Only new files make up for a failed fsync."""
        assert self.world is not None
        aof = self.world.persistence.log.aof
        distrusted = aof.state == ON and aof.fsync_failed()
        base = aof.manifest.base.name if aof.manifest.base is not None else ""
        if self._distrusted and not distrusted:
            assert base != self._base or aof.state != ON, "a failed fsync was forgotten without a rewrite"
        self._distrusted = distrusted
        self._base = base

    def _acknowledge(self) -> None:
        assert self.world is not None
        aof = self.world.persistence.log.aof
        if aof.state == ON and aof.tail.pending() == 0:
            self.acknowledged = len(self.states) - 1

    def pass_time(self) -> None:
        """Between two turns: the disk, the child, the clock, the cron."""
        world = self.world
        assert world is not None
        world.runner.run()
        world.saver.step(self.chance.randint(0, 2))
        world.rewriter.step(self.chance.randint(0, 2))
        world.clock.advance_ms(self.chance.choice([10, 60, 90]))
        if world.clock.unix_ms() - self._cron_ms >= CRON_MS:
            self._cron_ms = world.clock.unix_ms()
            saves = world.engine.stats.saves
            world.persistence.cron()
            if world.engine.stats.saves > saves and not self._logged:
                self.acknowledged = self.snapshots[-1]

    def end(self) -> None:
        """Let background work come to its end."""
        world = self.world
        assert world is not None
        while world.persistence.child_active():
            self.pass_time()


def try_to_live(life: Life, turns: int, events: dict[int, bytes]) -> bool:
    """Live on a disk that may fail; False where the server ended itself, as `always` has to."""
    try:
        life.live(turns, events)
        life.end()
    except AofFatal:
        return False
    return True
