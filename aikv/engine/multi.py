"""Transactions: MULTI, EXEC, DISCARD.

Theory of operation: between MULTI and EXEC admission queues commands on the client instead of calling them. EXEC calls
them one after another through `Engine.call`, so that each counts, is timed and answers as it would alone; their replies
follow the header of EXEC's array straight into the client's output, each in the protocol that is in force when it is
made. EXEC is itself a call, so everything they record is one unit of the journal.

As in Redis time stands still for a transaction: no key runs out between two of its commands. Commands that would wait
must not: they see `Client.deny_blocking` and answer as if their time had run out.

WATCH is optimistic: where a watched key has changed (`watching`) or has run out, EXEC does nothing and answers null.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.errors import CommandError
from aikv.engine import gates
from aikv.engine.acl.enforce import refusal_in_exec
from aikv.engine.admission import tell
from aikv.engine.client import Client
from aikv.engine.command import WRITE, Command
from aikv.engine.watching import unwatch
from aikv.resp.encoder import encode_error
from aikv.resp.output import Output
from aikv.resp.reply import NO_REPLY, NULL_ARRAY

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

EXECABORT: Final = b"EXECABORT Transaction discarded because of previous errors."
_BECAUSE_OF: Final = b"EXECABORT Transaction discarded because of: "


def begin(client: Client) -> None:
    """Let the commands of `client` be queued."""
    client.gates |= gates.MULTI


def discard(engine: "Engine", client: Client) -> None:
    """Forget the queue and what is watched; harmless outside a transaction."""
    client.gates &= ~gates.MULTI
    client.queued = []
    client.abort = False
    unwatch(engine, client)


def run(engine: "Engine", client: Client) -> object:
    """Call what is queued, or answer why not. Raises CommandError where EXEC must refuse."""
    context = client.context
    assert context is not None
    queued = client.queued
    aborted = client.abort
    spoiled = client.stale_watch or _has_expired(engine, client)
    discard(engine, client)
    if aborted:
        raise CommandError(EXECABORT)
    if spoiled:
        return NULL_ARRAY
    refusal = _refusal(engine, queued_flags(queued))
    if refusal is not None:
        raise CommandError(because_of(refusal))
    began_ns = engine.now_ns
    began_ms = engine.now_ms
    before = engine.dirty
    last = client.last
    client.out.array(len(queued))
    client.deny_blocking = True
    for command, argv in queued:
        sent = len(client.out)
        denied = refusal_in_exec(engine, client, command, argv) if client.gates & gates.LIMITED else None
        if denied is not None:
            engine.stats.count_error(denied)
            encode_error(client.out, denied)
        else:
            engine.call(client, command, argv)
            if (client.gates | engine.gates) & (gates.MONITORED | gates.TRACKING):
                tell(engine, client, command, argv)
        engine.now_ms = began_ms
        if client.reply_off:
            # CLIENT REPLY OFF was one of the commands: nothing more is sent, not even this.
            client.out.drop_after(sent)
    client.deny_blocking = False
    # CLIENT CACHING, given before the transaction or in it, is over with it.
    client.gates &= ~gates.CACHING
    client.last = last
    # EXEC's own duration is that of everything in it.
    engine.set_time(began_ns)
    if engine.dirty != before:
        # The commands have recorded themselves; EXEC is not to be recorded.
        context.rewritten = []
    return NO_REPLY


class Whole:
    """A transaction that may take long, because there are scripts in it: nothing is sent before all of it has run."""

    def __init__(self, engine: "Engine", client: Client) -> None:
        self._engine = engine
        self._client = client

    def run(self) -> object:
        """As the function `run`."""
        client = self._client
        out = client.out
        client.out = Output()
        try:
            return run(self._engine, client)
        finally:
            out.append(client.out.take())
            client.out = out


def because_of(text: bytes) -> bytes:
    """EXEC's own words for an error `text` that keeps the whole transaction from running."""
    return _BECAUSE_OF + text.removeprefix(b"ERR ")


def queued_flags(queued: list[tuple[Command, list[bytes]]]) -> int:
    """The flags of all queued commands together."""
    flags = 0
    for command, _ in queued:
        flags |= command.flags
    return flags


def _refusal(engine: "Engine", flags: int) -> bytes | None:
    """Why commands with these flags may not run now, though they could be queued; None where they may."""
    if engine.gates & gates.DISK_ERROR and flags & WRITE:
        return engine.disk_error
    return None


def _has_expired(engine: "Engine", client: Client) -> bool:
    """Whether a key that `client` watches has run out since WATCH, removed or not."""
    for watch in client.watching:
        if not watch.expired and engine.databases[watch.db].is_expired(watch.key, engine.now_ms):
            return True
    return False
