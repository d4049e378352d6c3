"""Long sequences of generated commands, sent to both servers in batches.

Theory of operation: a `Player` plays steps on empty databases: they are sent in batches, one round trip for each
server, and the replies compared one by one in the sense of their steps, those inside an EXEC in the sense of the
commands that were queued. After the last step the databases are compared as wholes (`oracle.datasets`). A sequence
that ends in a difference is made shorter by leaving parts out for as long as there is a difference.

A step of the second client is sent when the first one's have been answered, so that the order is the same everywhere.
"""

import itertools
import time
from collections.abc import Iterator, Sequence

from oracle.datasets import compare_datasets
from oracle.effects import END, read_events
from oracle.known import is_known
from oracle.language import Step
from oracle.pair import Difference, Pair
from oracle.values import alike
from oracle.wire import RawConnection, ServerClosed, pack, reply_end

BATCH = 50
# What the configuration is before each sequence and after it: the defaults.
DEFAULTS = {
    b"hash-max-listpack-entries": b"512",
    b"hash-max-listpack-value": b"64",
    b"zset-max-listpack-entries": b"128",
    b"zset-max-listpack-value": b"64",
    b"set-max-intset-entries": b"512",
    b"stream-node-max-entries": b"100",
    b"hll-sparse-max-bytes": b"3000",
    b"list-max-listpack-size": b"-2",
}
QUEUED = b"+QUEUED\r\n"
LEAVE_MULTI = {b"EXEC", b"DISCARD", b"RESET"}


class Player:
    """Two clients to each of two servers."""

    def __init__(self, pair: Pair, reload: tuple[str, ...] = ()) -> None:
        self.pair = pair
        # The command, if any, that makes both servers load their data before the whole datasets are compared.
        self.reload = reload
        self.clients: list[list[RawConnection]] = []
        # One for each server, to which all keyspace events are sent.
        self.subscribers: list[RawConnection] = []
        # The comparisons of the commands that each client has queued since MULTI.
        self.queued: list[list[str]] = [[], []]

    def play(self, steps: Sequence[Step]) -> None:
        """Play steps and compare; raises `Difference` at the first reply that is not the same."""
        self.begin()
        try:
            for other, group in itertools.groupby(steps, lambda step: step.other):
                for batch in batches(list(group)):
                    self.exchange(batch, other)
            for clients in self.clients:
                for client in clients:
                    client.command("RESET")
            self.compare_events()
            if self.reload:
                for clients in self.clients:
                    reply = clients[0].command(*self.reload)
                    if reply != b"+OK\r\n":
                        raise Difference(f"{self.reload}: {reply!r}")
            compare_datasets(self.clients[0][0], self.clients[1][0])
        finally:
            self.end()

    def begin(self) -> None:
        """Connect, on empty databases with the usual configuration."""
        self.queued = [[], []]
        self.clients = [[server.connect() for _ in range(2)] for server in (self.pair.oracle, self.pair.aikv)]
        for clients in self.clients:
            clients[0].command("FLUSHALL")
            # When nobody asks for them, keys past their time are removed at some time or other.
            clients[0].command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            configure(clients[0])
            clients[0].command("CONFIG", "SET", "notify-keyspace-events", "KEA")
        self.subscribers = [server.connect() for server in (self.pair.oracle, self.pair.aikv)]
        for subscriber in self.subscribers:
            subscriber.command("PSUBSCRIBE", "__key*__:*")

    def end(self) -> None:
        """Close the connections."""
        for clients in self.clients:
            clients[0].command("RESET")
            configure(clients[0])
            clients[0].command("CONFIG", "SET", "notify-keyspace-events", "")
            clients[0].command("DEBUG", "SET-ACTIVE-EXPIRE", "1")
        for connection in itertools.chain(self.subscribers, *self.clients):
            connection.close()

    def compare_events(self) -> None:
        """Compare the keyspace events of the whole sequence."""
        events = []
        for clients, subscriber in zip(self.clients, self.subscribers, strict=True):
            clients[0].command("PUBLISH", END, "")
            # Redis 7.2 makes consumers where 7.0 does not.
            events.append([event for event in read_events(subscriber) if b"consumer" not in b"".join(event)])
        for number, (their, our) in enumerate(itertools.zip_longest(*events)):
            if their != our:
                before = events[0][max(0, number - 3) : number]
                raise Difference(f"event {number}, after {before}\nredis: {their}\naikv:  {our}")

    def exchange(self, steps: Sequence[Step], other: bool) -> None:
        """Send one client's steps to both servers and compare what comes back."""
        request = b"".join([pack(list(step.argv)) for step in steps])
        connections = [clients[other] for clients in self.clients]
        for connection in connections:
            connection.send_raw(request)
        theirs, ours = (read_replies(connection, len(steps)) for connection in connections)
        for step, their, our in zip(steps, theirs, ours, strict=True):
            self.check(step, their, our)

    def check(self, step: Step, theirs: bytes, ours: bytes) -> None:
        """Compare the replies to one step."""
        name = step.argv[0].upper() if step.argv else b""
        queued = self.queued[step.other]
        if name == b"EXEC" and theirs[:1] == b"*" and ours[:1] == b"*" and queued:
            same = same_parts(queued, theirs, ours)
        else:
            same = alike(step.comparison, theirs, ours)
        if not same and not is_known(name, theirs, ours):
            raise Difference(f"{step}\nredis: {theirs!r}\naikv:  {ours!r}")
        if theirs == QUEUED:
            queued.append(step.comparison)
        elif name in LEAVE_MULTI:
            queued.clear()


def configure(connection: RawConnection) -> None:
    """Set the defaults."""
    for name, value in DEFAULTS.items():
        connection.command("CONFIG", "SET", name, value)


def same_parts(comparisons: list[str], theirs: bytes, ours: bytes) -> bool:
    """Whether the parts of an EXEC's replies are the same, each in its own sense."""
    their_parts, our_parts = parts_of(theirs), parts_of(ours)
    if not len(their_parts) == len(our_parts) == len(comparisons):
        return their_parts == our_parts == []
    return all(map(alike, comparisons, their_parts, our_parts))


def parts_of(reply: bytes) -> list[bytes]:
    """The raw elements of an array."""
    at, parts = reply.index(b"\r\n") + 2, []
    while at < len(reply):
        end = reply_end(reply, at)
        parts.append(reply[at:end])
        at = end
    return parts


def batches(steps: list[Step]) -> Iterator[list[Step]]:
    """Cut into batches."""
    for start in range(0, len(steps), BATCH):
        yield steps[start : start + BATCH]


def read_replies(connection: RawConnection, count: int) -> list[bytes]:
    """Read replies; where the server closes the connection first, the missing ones say so."""
    replies: list[bytes] = []
    try:
        while len(replies) < count:
            replies.append(connection.read_reply())
    except ServerClosed as error:
        replies += [b"-(closed) " + error.rest + b"\r\n"] * (count - len(replies))
    return replies


def shortened(player: Player, steps: list[Step], seconds: float) -> tuple[list[Step], Difference | None]:
    """Leave out parts of `steps`, which end in a difference, for `seconds` at most; returns the rest and its end."""
    deadline = time.monotonic() + seconds
    found: Difference | None = None
    size = max(1, len(steps) // 2)
    while time.monotonic() < deadline:
        at, shorter = 0, False
        while at < len(steps) and time.monotonic() < deadline:
            rest = steps[:at] + steps[at + size :]
            difference = difference_of(player, rest)
            if difference is None:
                at += size
            else:
                steps, found, shorter = rest, difference, True
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return steps, found


def difference_of(player: Player, steps: list[Step]) -> Difference | None:
    """Play steps; returns the difference in which they end."""
    try:
        player.play(steps)
    except Difference as difference:
        return difference
    return None
