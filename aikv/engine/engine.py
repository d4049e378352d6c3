"""The engine: one command in, one reply out.

Theory of operation. `process` takes the commands that a client sent and lets `_run` take them in order until the client
has to wait. `_run` is the way of every command: one look-up by its name as spelled, one comparison for arity, one test
of the gates, and the only place from which a handler is called; it encodes the reply, counts, takes the time, and gives
what changed to the journal. `execute` and `call` put single commands on that way, `call` those that are admitted
already. Nothing is awaited and nothing is allocated for the engine's own sake.

It is one loop in one function because an interpreter pays for each call and each attribute: what a batch has in common
is looked up once for it, and what commands of one kind have in common once for those that follow each other. Against
one function for each step that is a fifth of a GET, interpreted.

Time: the clock is read once after each command; that reading ends the command's duration and is the next one's now,
so that TTLs, statistics and the slow log share one reading. Milliseconds and seconds are made of it when they turn.

Side effects of a command that must come later (resuming clients it unblocked) are queued in `ready` and run by
`before_sleep`, which a server calls once per turn of its event loop, before anything is sent.
"""

import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from aikv.base import log
from aikv.base.clock import Clock
from aikv.base.errors import CommandError
from aikv.base.form import COMPILED
from aikv.base.random import Random
from aikv.engine import events, gates, monitor, multi
from aikv.engine.acl.registry import Users
from aikv.engine.admission import admit, use_up_caching
from aikv.engine.authentication import deauthenticate
from aikv.engine.blocking import Block, Scheduler
from aikv.engine.client import Client, Link
from aikv.engine.collation_follow import follow_collation
from aikv.engine.command import COMMANDS, Command, Handler, renamed
from aikv.engine.config.store import Config
from aikv.engine.context import Context
from aikv.engine.events import Event
from aikv.engine.journal import Journal
from aikv.engine.limits_follow import follow_limits
from aikv.engine.observer import Observer
from aikv.engine.pause import Pause
from aikv.engine.pubsub import PubSub
from aikv.engine.refusal import unknown_command, unknown_subcommand, wrong_arity
from aikv.engine.release import Releaser
from aikv.engine.scripting import Aside, Scripting
from aikv.engine.stats import Stats
from aikv.engine.tracking import Tracking
from aikv.engine.waiting import KeyWaits
from aikv.keyspace.database import Database, Watcher
from aikv.keyspace.watch import Watch
from aikv.resp.encoder import encode, encode_error
from aikv.resp.reply import Status

if TYPE_CHECKING:
    from aikv.engine.lifecycle import Lifecycle
    from aikv.engine.migration import Migrations
    from aikv.engine.persistence import Persistence

# Spellings of command names that are remembered, so that none is lower-cased twice.
_SPELLINGS: Final = 1024
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
# Words by which HTTP requests begin their lines.
_OF_HTTP: Final = (b"post", b"host:")


class Engine(Watcher):
    """The databases and everything that commands act on.

    `persistence`, `lifecycle` and `migrations` are set by whoever puts a server together; an engine alone has none,
    and no scripts, until `scripting` is replaced.
    """

    persistence: "Persistence"
    lifecycle: "Lifecycle"
    migrations: "Migrations"

    # What a command reads. Interpreted, an attribute in a slot costs 6 ns, one in a dictionary as large as this
    # object's 10 ns; the compiled form knows no difference.
    __slots__ = (
        "_depth",
        "_turn_ns",
        "dirty",
        "gates",
        "lfu",
        "noted_ns",
        "notify",
        "now_ms",
        "now_ns",
        "now_s",
        "stats",
        "tracks",
        "unfinished",
        "unremarkable_ns",
    )

    def __init__(self, config: Config, clock: Clock, random: Random, scheduler: Scheduler) -> None:
        self.config = config
        self.clock = clock
        self.random = random
        self.scheduler = scheduler
        self.stats = Stats()
        self.journal = Journal()
        self.pause = Pause()
        self.pubsub = PubSub(self)
        self.waits = KeyWaits(self)
        self.gates: i64 = 0
        self._read_clock = clock.reader()
        self.started_ns = clock.unix_ns()
        self.now_ns: i64 = self.started_ns
        # When `now_ms` is over.
        self._turn_ns: i64 = 0
        self.now_ms: i64 = self.started_ns // _NS_PER_MS
        # The second as an object, made once per second: see AccessTimes.touch.
        self.now_s: object = self.started_ns // _NS_PER_S
        self._second_ends_ns: i64 = 0
        self.databases: list[Database] = []
        for index in range(config.get_int("databases")):
            self.databases.append(Database(index, self, self.started_ns // _NS_PER_S))
        # Commands by name in lower case, `rename-command` applied.
        self.commands: dict[bytes, Command] = renamed(COMMANDS, config.rename_commands)
        self.clients: dict[int, Client] = {}
        self.users = Users(self)
        self.ready: list[Client] = []
        self._next_client = 1
        # Changes so far; only grows. What has changed since a save is for whoever saved to know.
        self.dirty: i64 = 0
        # `notify-keyspace-events` as bits of `engine.events`.
        self.notify: i64 = 0
        # Whether an LFU policy is in force, with its two parameters.
        self.lfu = False
        self.lfu_decay_minutes = 1
        self.lfu_factor = 10
        self.active_expire = True
        # Called when FLUSHALL has emptied all databases.
        self.on_flushall: list[Callable[[], None]] = []
        # The refusal of writes while the DISK_ERROR gate is closed.
        self.disk_error = b""
        # Whether a change of a key is of interest to `tracking`.
        self.tracks = False
        # Messages to the client whose command runs, and whether something is to be done when that has been answered.
        self.deferred: list[bytes] = []
        self.unfinished = False
        # How many units of the journal are open: a command inside EXEC ends none.
        self._depth: i64 = 0
        # What was removed and is freed in slices by `free_some`.
        self.releaser = Releaser()
        self.tracking = Tracking(self)
        self.scripting = Scripting()
        self._spelled: dict[bytes, Command] = {}
        # The name looked up last, because who pipelines sends many of one kind: a comparison in place of hash and
        # look-up, a tenth of a GET.
        self._recent_name = b""
        self._recent: Command | None = None
        # Clients that MONITOR.
        self.monitors: dict[int, Client] = {}
        # Commands that take at least so long are told to the observer, which sets this.
        self.noted_ns: i64 = 0
        # Of these, the ones that take less than so long concern histograms only; the observer sets this, too.
        self.unremarkable_ns: i64 = 0
        self.observer = Observer(self)
        self.refresh_time()
        self._read_notify()
        config.on_change("notify-keyspace-events", self._read_notify)
        follow_limits(config)
        follow_collation(config)

    # Clients.

    def connect(self, link: Link, internal: bool = False) -> Client:
        """Make a client; it is listed until `disconnect`, unless it is internal."""
        client = Client(self._next_client, link, self.now_ns // _NS_PER_S)
        self._next_client += 1
        client.context = Context(self, client)
        client.internal = internal
        if not internal:
            self.clients[client.id] = client
            deauthenticate(self, client)
        return client

    def disconnect(self, client: Client) -> None:
        """Forget a client: what it waited for, watched and queued."""
        goes_on = client.block is not None and client.block.stays
        self.clients.pop(client.id, None)
        client.halted = True
        client.queue = []
        self._cancel_block(client)
        self.pause.forget(client)
        self.pubsub.forget(client)
        monitor.end(self, client)
        self.tracking.forget(client)
        self.unwatch(client)
        if not goes_on:
            self.let_go(client)

    def let_go(self, client: Client) -> None:
        """No command will run for `client` any more: it is freed by its reference counts.

        It and its context would keep each other, and nothing collects old cycles in a server. Whoever goes on for a
        client that has left (`Block.stays`) calls this at the end.
        """
        client.context = None

    # Running commands.

    def process(self, client: Client, commands: list[list[bytes]]) -> None:
        """Run `commands` in order; those behind one that makes the client wait are kept for later."""
        self.refresh_time()
        if client.halted:
            if not client.closing:
                client.queue += commands
            return
        client.last_used_s = self.now_ns // _NS_PER_S
        coming = iter(commands)
        self._run(client, coming, None)
        if client.halted and not client.closing:
            client.queue += coming

    def execute(self, client: Client, argv: list[bytes]) -> None:
        """Run one command, or refuse it, or queue it; the reply is in `client.out` then."""
        self._run(client, iter([argv]), None)

    def call(self, client: Client, command: Command, argv: list[bytes]) -> None:
        """Run an admitted command."""
        self._run(client, iter([argv]), command)

    def _run(self, client: Client, commands: Iterator[list[bytes]], admitted: Command | None) -> None:
        """Take `commands` until one halts the client; where there is only one it may be `admitted` already."""
        context = client.context
        assert context is not None
        out = client.out
        told = not client.internal
        journal = self.journal
        read_clock = self._read_clock
        depth: i64 = self._depth
        deeper: i64 = depth + 1
        command: Command | None = None
        name = b""
        count: i64 = 0
        for argv in commands:
            if command is None or argv[0] != name or len(argv) != count:
                known = admitted if admitted is not None else self._known(client, argv)
                if known is None:
                    if client.halted:
                        return
                    continue
                assert known.handler is not None
                command = known
                # Not called as an attribute: Python would look for a method first.
                handler: Handler = known.handler
                # What an admitted command cared for has been dealt with.
                cares: i64 = 0 if admitted is not None else command.cares
                name = argv[0]
                # Of a subcommand the name does not say which it is.
                count = 0 if command.is_subcommand else len(argv)
            # Mostly no gate is closed at all, which an interpreter is quicker to see.
            if (
                (client.gates or self.gates)
                and (client.gates | self.gates) & cares
                and not admit(self, client, command, argv)
            ):
                if client.halted:
                    return
                continue
            client.last = command
            client.running = True
            before: i64 = self.dirty
            self._depth = deeper
            try:
                reply = handler(context, argv)
            except CommandError as error:
                command.failed += 1
                self.stats.count_error(error.text)
                encode_error(out, error.text)
            except Exception as fault:
                # Not `error`: compiled, a name has one type in a function.
                self.report_fault(client, command, fault)
            else:
                # What `encode` would do; a call is saved for the most frequent replies, 2 % of a GET.
                if type(reply) is bytes:
                    out.bulk(reply)
                elif isinstance(reply, Status):
                    out.append(reply.wire)
                elif type(reply) is int:
                    out.integer(reply)
                else:
                    encode(out, reply, client.resp3)
            # Not `= depth`: a script that takes long may have gone on at another depth.
            self._depth -= 1
            if journal.active and self.dirty != before:
                self._record(client, context, argv)
            elif context.rewritten is not None:
                context.rewritten = None
            if not depth:
                client.running = False
                if journal.unit:
                    journal.commit()
            command.calls += 1
            now: i64 = self.clock.unix_ns() if COMPILED else read_clock()
            took: i64 = now - self.now_ns
            command.spent_ns += took
            self.now_ns = now
            if now >= self._turn_ns:
                self._turn(now)
            if took >= self.noted_ns:
                histogram = command.latencies
                if took < self.unremarkable_ns and histogram is not None and told and not client.halted:
                    # What `note` would do: in the interpreted form, where the clock moves on with every command, this
                    # is cheaper by 8 % of a GET.
                    histogram.short[took // 1000] += 1
                else:
                    self.observer.note(client, command, argv, took // 1000)
            if self.unfinished and not depth:
                self._finish(client)
            if client.halted:
                return

    def _known(self, client: Client, argv: list[bytes]) -> Command | None:
        """The command that `argv` asks for; None where it has been refused."""
        if argv[0] == self._recent_name:
            command = self._recent
        else:
            command = self._spelled.get(argv[0])
            if command is not None:
                self._recent_name = argv[0]
                self._recent = command
        if command is None or command.subcommands is not None:
            command = self.resolve(client, argv)
            if command is None:
                return None
        count: i64 = len(argv)
        if count < command.least or count > command.most:
            self.refuse(client, command, wrong_arity(command))
            return None
        return command

    def resolve(self, client: Client, argv: list[bytes]) -> Command | None:
        """The command or subcommand that `argv` names; None after the client has been told that there is none."""
        name = argv[0]
        command = self.find_command(argv)
        if command is None:
            if name.lower() in _OF_HTTP:
                # A browser that was made to send this must not get at data: nothing is answered, nothing more is run.
                log.warning("Possible SECURITY ATTACK detected: client id=%d sent HTTP. Closing it.", client.id)
                client.out.clear()
                client.close_after_reply()
                return None
            parent = self.commands.get(name.lower())
            self.refuse(client, None, unknown_command(argv) if parent is None else unknown_subcommand(parent, argv))
            return None
        if name not in self._spelled and len(self._spelled) < _SPELLINGS:
            self._spelled[name] = self.commands[name.lower()]
        return command

    def find_command(self, argv: list[bytes]) -> Command | None:
        """The command that `argv` names, or its subcommand; None where there is no such."""
        command = self.commands.get(argv[0].lower())
        if command is None or command.subcommands is None or len(argv) < 2:
            return command
        return command.subcommands.get(argv[1].lower())

    def command_named(self, name: bytes) -> Command | None:
        """The command or subcommand (`config|get`) called `name`; None where there is no such."""
        parent, bar, sub = name.lower().partition(b"|")
        command = self.commands.get(parent)
        if command is None or not bar:
            return command
        return command.subcommands.get(sub) if command.subcommands is not None else None

    def refuse(self, client: Client, command: Command | None, text: bytes) -> None:
        """Answer with an error without running anything; a transaction that is being queued cannot run any more."""
        if client.gates & gates.MULTI:
            client.abort = True
        if command is not None and command.name == "exec":
            multi.discard(self, client)
            text = multi.because_of(text)
        if command is not None:
            command.rejected += 1
        if client.gates & gates.CACHING:
            use_up_caching(client, command)
        self.stats.count_error(text)
        if client.gates & gates.QUIET:
            # CLIENT REPLY OFF, or SKIP, which this request uses up.
            client.skip_next = False
            if not client.reply_off:
                client.gates &= ~gates.QUIET
        else:
            encode_error(client.out, text)

    def calls(self) -> int:
        """The commands that have been called, which each counts for itself."""
        total = 0
        for command in self.commands.values():
            total += command.calls
            if command.subcommands is not None:
                for each in command.subcommands.values():
                    total += each.calls
        return total

    def reset_stats(self) -> None:
        """Begin all counters anew."""
        self.stats = Stats()
        for command in self.commands.values():
            for each in [command, *(command.subcommands or {}).values()]:
                each.reset_stats()

    def open_unit(self) -> None:
        """What is recorded until `close_unit` is one unit of the journal."""
        self._depth += 1

    def close_unit(self, client: Client) -> None:
        """End a unit, in which commands of `client` have run."""
        self._depth -= 1
        if self._depth == 0:
            client.running = False
            if self.journal.unit:
                self.journal.commit()
            if self.unfinished:
                self._finish(client)

    def unit_depth(self) -> int:
        """How many units are open."""
        return self._depth

    def set_aside(self, base: int, outside: int) -> Aside:
        """The running command goes on later: keep what it has recorded, as if there were only `outside` open units.

        `base` of the open ones are not its own. `take_up` brings everything back, for when it goes on.
        """
        aside = Aside(self._depth - base, self.journal.unit, self.deferred, self.unfinished)
        self._depth = outside
        self.journal.unit = []
        self.deferred = []
        self.unfinished = False
        return aside

    def take_up(self, aside: Aside) -> None:
        """A command goes on, in a unit that the caller has to end by `close_unit` when the command has ended."""
        self._depth = 1 + aside.depth
        self.journal.unit = aside.unit
        self.deferred = aside.deferred
        self.unfinished = aside.unfinished

    def deliver(self, client: Client, message: bytes) -> None:
        """Send a `message`, encoded for `client`, that answers nothing: after the reply to the running command."""
        if client.running:
            self.deferred.append(message)
            self.unfinished = True
        else:
            client.out.append(message)
            client.link.wake()

    def before_sleep(self) -> None:
        """Run what commands have left for later."""
        while self.ready:
            ready = self.ready
            self.ready = []
            for client in ready:
                if client.block is None and not client.paused and not client.closing:
                    client.halted = False
                    queue = client.queue
                    client.queue = []
                    self.process(client, queue)
        if self.tracking.prefixes.due:
            self.tracking.broadcast()

    # Waiting.

    def block(self, client: Client, block: Block, timeout_ms: int) -> None:
        """Let `client` wait; 0 waits for ever. The handler returns NO_REPLY."""
        client.block = block
        block.quiet = client.reply_off or client.skip_next
        client.halted = True
        self._count(client, -1)
        if timeout_ms > 0:
            block.timer = self.scheduler.call_later(timeout_ms, Timeout(self, client, block).run)

    def unblock(self, client: Client, reply: object) -> None:
        """Answer a waiting client and let it go on."""
        quiet = client.block is not None and client.block.quiet
        self._count(client, 1)
        self._cancel_block(client)
        if isinstance(reply, CommandError):
            self.stats.count_error(reply.text)
            if client.last is not None:
                client.last.failed += 1
            if not quiet:
                encode_error(client.out, reply.text)
        elif not quiet:
            encode(client.out, reply, client.resp3)
        self.resume(client)

    def served(self, client: Client) -> None:
        """A client that waited for a key has its reply: let it go on."""
        self._cancel_block(client)
        self.resume(client)

    def resume(self, client: Client) -> None:
        """Let a client's waiting commands run before the event loop sleeps."""
        self.ready.append(client)
        client.link.wake()

    def _count(self, client: Client, calls: int) -> None:
        """A command that waits is counted when it has its answer, so its call takes itself back."""
        if client.last is not None:
            client.last.calls += calls

    def _cancel_block(self, client: Client) -> None:
        block = client.block
        client.block = None
        client.gates &= ~gates.CACHING
        if block is not None:
            if block.timer is not None:
                block.timer.cancel()
            if block.cancel is not None:
                block.cancel()

    # Changes.

    def expired(self, database: Database, key: bytes) -> None:
        """A key has run out: the journal gets the removal, as if a client had asked for it."""
        self.stats.expired += 1
        self.journal.record(database.index, [b"DEL", key])
        if database.watched:
            self.touch_watchers(database, key)
        if self.tracks:
            self.tracking.changed(key, None)
        if database.waiting:
            self.waits.mark(database, key)
        if self.notify:
            self.announce(database.index, key, events.KEY_EXPIRED)
        if self._depth == 0:
            self.journal.commit()

    def fields_expired(self, database: Database, key: bytes, fields: list[bytes], emptied: bool) -> None:
        """Fields of a hash have run out, and the whole hash where `emptied`: as `expired`."""
        self.journal.record(database.index, [b"HDEL", key, *fields])
        if database.watched:
            self.touch_watchers(database, key)
        if self.tracks:
            self.tracking.changed(key, None)
        if self.notify:
            self.announce(database.index, key, events.HASH_EXPIRED)
            if emptied:
                self.announce(database.index, key, events.DEL)
        if self._depth == 0:
            self.journal.commit()

    def touch(self, database: Database, key: bytes) -> None:
        """Note a use of `key`."""
        if self.lfu:
            database.access.touch_frequency(
                key, self.now_ms // 1000, self.lfu_decay_minutes, self.lfu_factor, self.random
            )
        else:
            database.access.touch(key, self.now_s)

    def announce(self, db: int, key: bytes, event: Event) -> None:
        """Publish a keyspace event if its class has been asked for."""
        if not self.notify & event.kind:
            return
        if self.notify & events.KEYSPACE:
            self.pubsub.publish(b"__keyspace@%d__:%b" % (db, key), event.name)
        if self.notify & events.KEYEVENT:
            self.pubsub.publish(b"__keyevent@%d__:%b" % (db, event.name), key)

    def touch_watchers(self, database: Database, key: bytes) -> None:
        """Spoil the transactions of clients that WATCH `key`."""
        watches = database.watched.get(key)
        if watches is not None:
            exists = database.table.get(key) is not None
            for watch in watches.values():
                watch.touch(exists)

    def watch(self, client: Client, key: bytes) -> None:
        """Let EXEC of `client` fail if `key` of its database changes."""
        database = self.databases[client.db]
        watches = database.watched.setdefault(key, {})
        if client.id not in watches:
            watch = Watch(client.db, key, database.is_expired(key, self.now_ms))
            watches[client.id] = watch
            client.watching.append(watch)

    def unwatch(self, client: Client) -> None:
        """Forget what `client` watches."""
        for watch in client.watching:
            watched = self.databases[watch.db].watched
            watches = watched[watch.key]
            del watches[client.id]
            if not watches:
                del watched[watch.key]
        client.watching = []

    def discard(self, buckets: list[dict[bytes, object]]) -> None:
        """Take the buckets of an emptied database; they are freed in slices, so that nobody waits for it."""
        self.releaser.database(buckets)

    def free_some(self, budget_us: int) -> bool:
        """Free what was removed for about `budget_us`; whether some is left."""
        return self.releaser.free(self.clock, budget_us)

    # Inside.

    def _finish(self, client: Client) -> None:
        """Do what had to wait until a command of `client` had been answered: messages to itself, clients that wait."""
        self.unfinished = False
        if self.deferred:
            for message in self.deferred:
                client.out.append(message)
            self.deferred = []
        self.tracking.send_pending(client)
        if self.waits.marked:
            self.waits.serve()

    def _record(self, client: Client, context: Context, argv: list[bytes]) -> None:
        rewritten = context.rewritten
        journal = self.journal
        client.wrote = journal.takes + 1
        if rewritten is None:
            if self._depth == 0 and not journal.unit:
                journal.log(client.db, argv)
            else:
                journal.record(client.db, argv)
        else:
            context.rewritten = None
            for form in rewritten:
                journal.record(client.db, form)

    def report_fault(self, client: Client, command: Command, error: BaseException) -> None:
        """A handler failed in a way that it should not: the client gets an error, the log the whole story."""
        command.failed += 1
        self.stats.unexpected_errors += 1
        log.warning(
            "Command '%s' failed because of a fault in aikv: %s: %s. The server goes on. Where it happened: %s",
            command.name,
            type(error).__name__,
            error,
            " | ".join(line.strip() for line in traceback.format_exception(error)[-3:]),
        )
        encode_error(client.out, b"ERR internal error while running '" + command.name.encode() + b"', see the log")

    def _read_notify(self) -> None:
        self.notify = events.parse_classes(self.config.get_str("notify-keyspace-events"))

    def refresh_time(self) -> None:
        """Read the clock, for what does not begin with a client's input."""
        self.set_time(self.clock.unix_ns())

    def set_time(self, now_ns: i64) -> None:
        """Let it be `now_ns`, which may be before the time of the last command."""
        self.now_ns = now_ns
        self._turn(now_ns)

    def _turn(self, now: i64) -> None:
        """A millisecond begins."""
        milliseconds: i64 = now // _NS_PER_MS
        self.now_ms = milliseconds
        self._turn_ns = (milliseconds + 1) * _NS_PER_MS
        if now >= self._second_ends_ns:
            self.now_s = now // _NS_PER_S
            self._second_ends_ns = (now // _NS_PER_S + 1) * _NS_PER_S


class Timeout:
    """The end of one client's waiting; void once the client waits for something else."""

    def __init__(self, engine: Engine, client: Client, block: Block) -> None:
        self._engine = engine
        self._client = client
        self._block = block

    def run(self) -> None:
        """Give the client its time-out reply."""
        if self._client.block is self._block:
            self._engine.unblock(self._client, self._block.on_timeout())
