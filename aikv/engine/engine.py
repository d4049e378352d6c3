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
so that TTLs, statistics and the slow log share one reading.

Side effects of a command that must come later (resuming clients it unblocked) are queued in `ready` and run by
`before_sleep`, which a server calls once per turn of its event loop, before anything is sent.
"""

import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from aikv.base import log
from aikv.base.clock import Clock
from aikv.base.errors import CommandError
from aikv.base.form import COMPILED
from aikv.base.random import Random
from aikv.engine import gates, multi
from aikv.engine.acl.registry import Users
from aikv.engine.admission import admit, use_up_caching
from aikv.engine.blocking import Scheduler
from aikv.engine.client import Client
from aikv.engine.command import Command, Handler
from aikv.engine.command_table import find_command
from aikv.engine.config.store import Config
from aikv.engine.context import Context
from aikv.engine.expired import Expired
from aikv.engine.notifications import Notifications
from aikv.engine.observer import Observer
from aikv.engine.pubsub import PubSub
from aikv.engine.refusal import unknown_command, unknown_subcommand, wrong_arity
from aikv.engine.scripting import Aside, Scripting
from aikv.engine.state import NS_PER_S, State
from aikv.engine.tracking import Tracking
from aikv.engine.waiting import KeyWaits
from aikv.keyspace.database import Database
from aikv.resp.encoder import NULL_BULK, NULL_RESP3, encode, encode_error
from aikv.resp.reply import Status

if TYPE_CHECKING:
    from aikv.engine.lifecycle import Lifecycle
    from aikv.engine.migration import Migrations
    from aikv.engine.persistence import Persistence

# Spellings of command names that are remembered, so that none is lower-cased twice.
_SPELLINGS: Final = 1024
# Words by which HTTP requests begin their lines.
_OF_HTTP: Final = (b"post", b"host:")


class Engine(State):
    """Everything that commands act on (`State`), and the way on which they run.

    `persistence`, `lifecycle` and `migrations` are set by whoever puts a server together; an engine alone has none,
    and no scripts, until `scripting` is replaced.
    """

    persistence: "Persistence"
    lifecycle: "Lifecycle"
    migrations: "Migrations"

    # What every command reads: see `State`.
    __slots__ = ("_depth", "unfinished")

    def __init__(self, config: Config, clock: Clock, random: Random, scheduler: Scheduler) -> None:
        super().__init__(config, clock, random, scheduler)
        # How many units of the journal are open: a command inside EXEC ends none.
        self._depth: i64 = 0
        # Messages to the client whose command runs, and whether something is to be done when that has been answered.
        self.deferred: list[bytes] = []
        self.unfinished = False
        # Clients that go on before the event loop sleeps.
        self.ready: list[Client] = []
        # Commands by name as spelled.
        self._spelled: dict[bytes, Command] = {}
        # The name looked up last, because who pipelines sends many of one kind: a comparison in place of hash and
        # look-up, a tenth of a GET.
        self._recent_name = b""
        self._recent: Command | None = None
        self.scripting = Scripting()
        self.pubsub = PubSub(self)
        self.notifications = Notifications(self)
        self.waits = KeyWaits(self)
        self.tracking = Tracking(self)
        self.users = Users(self)
        self.observer = Observer(self)
        expired = Expired(self)
        for index in range(config.get_int("databases")):
            self.databases.append(Database(index, expired, self.started_ns // NS_PER_S))

    # Running commands.

    def process(self, client: Client, commands: list[list[bytes]]) -> None:
        """Run `commands` in order; those behind one that makes the client wait are kept for later."""
        self.refresh_time()
        if client.halted:
            if not client.closing:
                client.queue += commands
            return
        client.last_used_s = self.now_ns // NS_PER_S
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
                elif type(reply) is Status:
                    out.append(reply.wire)
                elif type(reply) is int:
                    out.integer(reply)
                elif reply is None:
                    out.append(NULL_RESP3 if client.resp3 else NULL_BULK)
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

    # What cannot be called, or not so quickly.

    def resolve(self, client: Client, argv: list[bytes]) -> Command | None:
        """The command or subcommand that `argv` names; None after the client has been told that there is none."""
        name = argv[0]
        command = find_command(self.commands, argv)
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

    # Units of the journal.

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

    # What comes after a command.

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
