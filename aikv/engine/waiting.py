"""Clients that wait for a key: BLPOP and its kin.

Theory of operation: a handler that finds nothing calls `wait_for_keys`, which registers the client with each key and
answers `NO_REPLY`. A change of a key that somebody waits for (`Context.changed`) marks the key; when the command or
transaction that made it is over, `KeyWaits.serve` runs the waiting clients' own commands again, those that came first
first. A command that still finds nothing calls `wait_for_keys` once more, which leaves it where it is in the queue; one
that answers has been served. So there is one piece of code for both cases, and what a served client does is journalled,
counted and announced like anything else. This is the way of Redis 7.2.

Serving may change further keys (BLMOVE feeds a list that another client waits for), which are then served in turn.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.errors import CommandError
from aikv.base.floats import ceil_product, parse_long_double
from aikv.base.numbers import I64_MAX
from aikv.datatypes.kinds import type_name
from aikv.engine import gates
from aikv.engine.acl.enforce import refusal
from aikv.engine.blocking import Block, block_client, client_served, unblock_client
from aikv.engine.client import Client
from aikv.engine.command import READONLY, Command
from aikv.engine.context import Context
from aikv.keyspace.database import Database, Waiter
from aikv.resp.output import Output
from aikv.resp.reply import NO_REPLY

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


class KeyWait(Waiter):
    """One client that waits for one of `keys` in `database` to hold a value of type `kind`, as TYPE names it.

    It will then run `command` with `argv` again; `nothing` is the reply when the time is over. With `gone` it also runs
    it when a key has been removed or holds another type, so as to learn what that means.
    """

    def __init__(
        self,
        client: Client,
        database: Database,
        keys: list[bytes],
        kind: bytes,
        command: Command,
        argv: list[bytes],
        nothing: object,
        gone: bool,
    ) -> None:
        self.client: Final = client
        self.kind: Final = kind
        self.database: Final = database
        self.keys: Final = keys
        self.command: Final = command
        self.argv: Final = argv
        self.gone: Final = gone
        self._nothing: Final = nothing

    def timed_out(self) -> object:
        """The reply when the time is over."""
        return self._nothing

    def cancel(self) -> None:
        """The client waits no more."""
        for key in self.keys:
            waits = self.database.waiting.get(key)
            if waits is not None and waits.pop(self.client.id, None) is not None and not waits:
                del self.database.waiting[key]
        self.client.key_wait = None


class KeyWaits:
    """Keys that have changed while somebody waits for them."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.marked: list[tuple[Database, bytes]] = []
        self._serving = False

    def mark(self, database: Database, key: bytes) -> None:
        """`key` has changed: whoever waits for it is to try again."""
        if key in database.waiting:
            self.marked.append((database, key))
            self._engine.unfinished = True

    def mark_all(self, database: Database) -> None:
        """The contents of `database` have been removed or exchanged: whoever waits for any key is to try."""
        for key in database.waiting:
            self.marked.append((database, key))
            self._engine.unfinished = True

    def keys_waited_for(self) -> tuple[int, int]:
        """Number of keys that somebody waits for, and of those of which somebody wants to know when they are gone."""
        keys = 0
        wanted_gone = 0
        for database in self._engine.databases:
            for waits in database.waiting.values():
                keys += 1
                for wait in waits.values():
                    if isinstance(wait, KeyWait) and wait.gone:
                        wanted_gone += 1
                        break
        return keys, wanted_gone

    def serve(self) -> None:
        """Let those who wait for marked keys try again, until no key is marked."""
        if self._serving:
            return
        self._serving = True
        while self.marked:
            marked = self.marked
            self.marked = []
            for database, key in marked:
                self._serve_key(database, key)
        self._serving = False

    def _serve_key(self, database: Database, key: bytes) -> None:
        waits = database.waiting.get(key)
        if waits is None:
            return
        for wait in list(waits.values()):
            value = database.table.get(key)
            # A key that holds another type than a client waits for is not what it waits for.
            if isinstance(wait, KeyWait) and (wait.gone or (value is not None and type_name(value) == wait.kind)):
                self._try_again(wait)

    def _try_again(self, wait: KeyWait) -> None:
        client = wait.client
        if client.key_wait is not wait:
            return
        if client.gates & gates.LIMITED:
            # The user may have changed since the client began to wait.
            denied = refusal(self._engine, client, wait.command, wait.argv)
            if denied is not None:
                wait.command.rejected += 1
                unblock_client(self._engine, client, CommandError(denied))
                return
        if call_again(self._engine, client, wait.command, wait.argv):
            client_served(self._engine, client)
        else:
            # It waits on, so this was no call of its command.
            wait.command.calls -= 1


def call_again(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> bool:
    """Run `argv`, by which `client` began to wait; False where it goes on to wait."""
    client.retrying = True
    out = client.out
    if client.block is not None and client.block.quiet:
        client.out = Output()
    engine.open_unit()
    engine.call(client, command, argv)
    if client.gates & gates.TRACKING and command.flags & READONLY:
        engine.tracking.remember(client, command, argv)
    client.out = out
    engine.close_unit(client)
    answered = client.retrying
    client.retrying = False
    return answered


def wait_for_keys(
    ctx: Context,
    keys: list[bytes],
    kind: bytes,
    argv: list[bytes],
    timeout_ms: int,
    nothing: object,
    gone: bool = False,
) -> object:
    """Let the client of the running command wait until one of `keys` changes, then run `argv` again.

    `kind` is the type that the command works on, as TYPE names it. `timeout_ms` 0 waits for ever; `nothing` is the
    reply when the time is over, and at once where the client must not wait (in a transaction). `gone` says that the
    command is to be run again, too, when one of the keys has been removed or has another type now. Returns what the
    handler is to return.
    """
    client = ctx.client
    if client.deny_blocking:
        return nothing
    if client.retrying:
        # Nothing for this client yet: it keeps its place.
        client.retrying = False
        return NO_REPLY
    command = client.last
    assert command is not None
    distinct = list(dict.fromkeys(keys))
    wait = KeyWait(client, ctx.db, distinct, kind, command, argv, nothing, gone)
    client.key_wait = wait
    for key in distinct:
        ctx.db.waiting.setdefault(key, {})[client.id] = wait
    block_client(ctx.engine, client, Block(wait.timed_out, wait.cancel), timeout_ms)
    return NO_REPLY


def parse_timeout(argument: bytes) -> int:
    """The time-out of a blocking command, in seconds with fractions, as milliseconds; raises CommandError."""
    seconds = parse_long_double(argument)
    if seconds is None:
        raise CommandError(b"ERR timeout is not a float or out of range")
    # Rounded up, so that what is a little below zero waits for ever.
    milliseconds = ceil_product(seconds, 1000)
    # Redis lets a time beyond 64 bits of milliseconds wrap, and then finds it negative.
    if milliseconds is None or not 0 <= milliseconds <= I64_MAX:
        raise CommandError(b"ERR timeout is negative")
    return milliseconds
