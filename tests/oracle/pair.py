"""The same commands to both servers, and the replies compared.

Theory of operation: a `Pair` is a running oracle and a running aikv. `compare` runs a case once in RESP2
and once in RESP3, each time on two fresh connections a server and on empty databases, so that cases do
not depend on each other; what a case changes elsewhere (the configuration, say) it must put back. A step
goes to the oracle first and its whole reply is read before the next, on both sides.

Where equality of bytes asks too much, a step names a comparison (see `language`); it maps each reply to
what has to be equal. A mismatch is reported with the case up to there, so that it can be pasted into
redis-cli.
"""

import re
from collections.abc import Callable

from oracle.language import Step, parse_steps
from oracle.process import ServerProcess
from oracle.wire import AGGREGATE, BLOB, RawConnection, ServerClosed, reply_end

PROTOCOLS = (2, 3)
NEAR = 1000


class Difference(AssertionError):
    """Two replies that should be the same."""


def elements(reply: bytes) -> list[bytes]:
    """Split an aggregate into its raw elements, a map into its raw pairs; none for anything else."""
    if reply[:1] not in AGGREGATE or reply[1:2] == b"-":
        return []
    at, parts = reply.index(b"\r\n") + 2, []
    while at < len(reply):
        end = reply_end(reply, at)
        if reply[:1] == b"%":
            end = reply_end(reply, end)
        parts.append(reply[at:end])
        at = end
    return parts


def unordered(reply: bytes) -> bytes:
    """Sort the elements of the outermost aggregate."""
    parts = elements(reply)
    return reply[: reply.index(b"\r\n") + 2] + b"".join(sorted(parts)) if parts else reply


def shape(reply: bytes) -> bytes:
    """Keep types and the lengths of aggregates."""
    parts, at = [], 0
    while at < len(reply):
        line_end = reply.index(b"\r\n", at)
        kind, header = reply[at : at + 1], reply[at:line_end]
        at = line_end + 2
        null = header[1:] == b"-1"
        if kind in BLOB and not null:
            at += int(header[1:]) + 2
        parts.append(header if kind in AGGREGATE or null else kind)
    return b" ".join(parts)


def code(reply: bytes) -> bytes:
    """Cut an error after its first word."""
    return reply.split(b" ", 1)[0] if reply[:1] == b"-" else reply


def kind(reply: bytes) -> bytes:
    """Keep the type byte."""
    return reply[:1]


def nothing(_reply: bytes) -> bytes:
    """Keep nothing: every reply will do."""
    return b""


def as_it_is(reply: bytes) -> bytes:
    """Keep everything."""
    return reply


INTEGER = re.compile(rb"-?\d+")


def near(theirs: bytes, ours: bytes) -> bool:
    """Whether the replies are equal but for integers that differ by up to `NEAR`."""
    if INTEGER.sub(b"0", theirs) != INTEGER.sub(b"0", ours):
        return False
    numbers = zip(INTEGER.findall(theirs), INTEGER.findall(ours), strict=True)
    return all(abs(int(their) - int(our)) <= NEAR for their, our in numbers)


KEPT: dict[str, Callable[[bytes], bytes]] = {
    "exact": as_it_is,
    "unordered": unordered,
    "shape": shape,
    "code": code,
    "kind": kind,
    "any": nothing,
}


def same(comparison: str, theirs: bytes, ours: bytes) -> bool:
    """Whether two raw replies are the same in the sense of `comparison`."""
    if comparison == "near":
        return near(theirs, ours)
    keep = KEPT[comparison]
    return keep(theirs) == keep(ours)


def answer(connection: RawConnection, argv: tuple[bytes, ...]) -> bytes:
    """Send a command and return its reply, or `(closed)` and what came before the server closed."""
    try:
        return connection.command(*argv)
    except (ServerClosed, BrokenPipeError) as error:
        return b"(closed) " + (error.rest if isinstance(error, ServerClosed) else b"")


class Session:
    """One protocol's connections of a case: two clients to each server, on empty databases."""

    def __init__(self, pair: "Pair", protocol: int) -> None:
        self.protocol = protocol
        self.history: list[str] = []
        for server in (pair.oracle, pair.aikv):
            with server.connect() as connection:
                flushed = connection.command("FLUSHALL")
            assert flushed == b"+OK\r\n", f"FLUSHALL before a case: {flushed!r} from {server.program[0]}"
        self.theirs = [pair.oracle.connect(protocol) for _ in range(2)]
        self.ours = [pair.aikv.connect(protocol) for _ in range(2)]
        for connection in self.theirs + self.ours:
            # Answered, the connection has been accepted: what another client changes comes later.
            connection.command("PING")

    def step(self, step: Step) -> bytes:
        """Send one step to both servers; returns the oracle's reply, raises `Difference` if not the same."""
        self.history.append(str(step))
        theirs = answer(self.theirs[step.other], step.argv)
        ours = answer(self.ours[step.other], step.argv)
        if not same(step.comparison, theirs, ours):
            said = "\n  ".join(self.history)
            raise Difference(f"in RESP{self.protocol}, after\n  {said}\nredis: {theirs!r}\naikv:  {ours!r}")
        return theirs

    def close(self) -> None:
        """Close all connections."""
        for connection in self.theirs + self.ours:
            connection.close()


class Pair:
    """Both servers, running."""

    def __init__(self, oracle: ServerProcess, aikv: ServerProcess) -> None:
        self.oracle = oracle
        self.aikv = aikv

    def compare(self, *lines: str | tuple[Step, ...], protocols: tuple[int, ...] = PROTOCOLS) -> None:
        """Compare all replies to the commands of `lines`, taken as one case; raises `Difference`."""
        steps = [step for line in lines for step in (parse_steps(line) if isinstance(line, str) else line)]
        for protocol in protocols:
            session = Session(self, protocol)
            try:
                for step in steps:
                    session.step(step)
            finally:
                session.close()

    def compare_raw(self, data: bytes) -> bytes:
        """Send bytes as they are to both, half-close, compare all that comes back; returns the oracle's."""
        answers = []
        for server in (self.oracle, self.aikv):
            with server.connect() as connection:
                connection.send_raw(data)
                connection.finish()
                answers.append(connection.read_until_closed())
        if answers[0] != answers[1]:
            raise Difference(f"to {data[:200]!r}\nredis: {answers[0]!r}\naikv:  {answers[1]!r}")
        return answers[0]
