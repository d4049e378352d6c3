"""A client as the engine sees it: state, and a list of bytes to send. No socket.

Theory of operation: whoever has commands to run (a connection, the AOF loader, a script, an embedding program) makes a
`Client`, hands argument lists to the engine and finds the encoded replies in `out`. What only a connection can do is
asked of its `Link`.
"""

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64, mypyc_attr

from aikv.keyspace.watch import Watch
from aikv.resp.output import Output

if TYPE_CHECKING:
    from aikv.engine.blocking import Block
    from aikv.engine.command import Command
    from aikv.engine.context import Context
    from aikv.engine.pubsub import Subscriptions
    from aikv.engine.tracking import Tracker
    from aikv.engine.waiting import KeyWait

# Kinds of CLIENT LIST's TYPE.
NORMAL: Final = b"normal"
MASTER: Final = b"master"
REPLICA: Final = b"replica"
PUBSUB: Final = b"pubsub"


@mypyc_attr(allow_interpreted_subclasses=True)
class Link:
    """What connects a client to the outside; this one leads nowhere, as for a loader."""

    def address(self) -> str:
        """The peer, as CLIENT LIST's `addr`."""
        return ""

    def local_address(self) -> str:
        """Our end, as CLIENT LIST's `laddr`."""
        return ""

    def descriptor(self) -> int:
        """The socket's number, or -1."""
        return -1

    def unix_socket(self) -> bool:
        """Whether the client came through a Unix socket."""
        return False

    def wake(self) -> None:
        """There is output to send, or the client is to be closed, though no input of its own led to it."""

    def buffered_input(self) -> int:
        """Bytes received and not yet run."""
        return 0

    def buffered_output(self) -> int:
        """Bytes handed to the system and not yet sent."""
        return 0


class Client:
    """One client. `out` collects encoded replies; whoever sends them takes them from it."""

    # What every command reads or sets: see `Engine`.
    __slots__ = ("__dict__", "closing", "gates", "halted", "last", "no_touch", "out", "resp3", "running")

    def __init__(self, number: int, link: Link, now_s: int) -> None:
        self.id: Final = number
        self.link = link
        self.out = Output()
        self.gates: i64 = 0
        self.resp3 = False
        self.db = 0
        self.name = b""
        self.library_name = b""
        self.library_version = b""
        self.user = b"default"
        # Has proven to be its user, or need not do so since it connected.
        self.authenticated = False
        self.kind = NORMAL
        self.created_s = now_s
        self.last_used_s: i64 = now_s
        self.context: Context | None = None
        # Commands that wait because the client blocks or is paused.
        self.queue: list[list[bytes]] = []
        # The client takes no further command for now: it blocks, is paused, or is about to be closed.
        self.halted = False
        self.closing = False
        self.block: Block | None = None
        # What the client waits for, if it is a key; and whether its command is being run again for it.
        self.key_wait: KeyWait | None = None
        self.retrying = False
        self.paused = False
        # MULTI: the commands so far, and whether EXEC must refuse.
        self.queued: list[tuple[Command, list[bytes]]] = []
        self.abort = False
        self.watching: list[Watch] = []
        # A command of it runs: messages have to wait until that has been answered.
        self.running = False
        # A transaction or a script runs: a command that would wait answers as if its time had run out.
        self.deny_blocking = False
        # It stands for a script in the name of another.
        self.scripted = False
        # The time that TIME tells, in microseconds, where it stands still; 0 where it does not.
        self.time_us: i64 = 0
        # What the client listens to; None until it first subscribes.
        self.subscriptions: Subscriptions | None = None
        # What it has asked for by CLIENT TRACKING; None until it first does.
        self.tracker: Tracker | None = None
        # CLIENT REPLY: everything is dropped; only the next reply is dropped.
        self.reply_off = False
        self.skip_next = False
        self.no_touch = False
        self.no_evict = False
        # MONITOR: it is shown every command.
        self.monitoring = False
        # The number of the taking of the journal that its last change is in: see `engine.aof_waits`.
        self.wrote = 0
        # The command called last, for CLIENT LIST's `cmd`.
        self.last: Command | None = None
        # Not a real user: a loader. Its commands are not journalled.
        self.internal = False

    @property
    def stale_watch(self) -> bool:
        """Whether a WATCHed key has changed."""
        for watch in self.watching:  # noqa: SIM110 (a generator is slower once compiled)
            if watch.spoiled:
                return True
        return False

    def close_after_reply(self) -> None:
        """Let the connection be closed once what is in `out` has been sent; nothing more is run."""
        self.closing = True
        self.halted = True
        self.queue = []
