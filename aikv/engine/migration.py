"""Clients that wait until their keys have arrived at another server: MIGRATE.

Theory of operation: the transfer goes to the `TransferRunner` and the client blocks. When it is over the client's own
command is run again, as for a client that has waited for a key; it finds its `Migration` by `finished`, removes the
keys that have arrived, and answers. So that is journalled, counted and announced like any other change.

Redis stops for everybody while keys travel. Here others go on, and may change a key whose former value is on its way.
So each key is WATCHed, by a client that nobody sees, and one that was changed is not removed. Nor is any if the client
was made to wait no longer. If its connection was lost the keys are removed all the same, because the target has them.
During a pause (CLIENT PAUSE) nothing may change, so what is to be removed waits for its end.
"""

from typing import TYPE_CHECKING, Final

from aikv.engine import pause, watching
from aikv.engine.blocking import Block, block_client, client_served
from aikv.engine.client import Client, Link
from aikv.engine.client_life import connect, let_go
from aikv.engine.command import Command
from aikv.engine.transfer import Transfer, TransferRunner
from aikv.engine.waiting import call_again
from aikv.keyspace.database import NO_EXPIRY
from aikv.keyspace.watch import Watch
from aikv.resp.reply import NO_REPLY

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


class Migration:
    """One MIGRATE of `client`; with `copy` the keys stay."""

    def __init__(self, client: Client, transfer: Transfer, copy: bool) -> None:
        self.client: Final = client
        self.transfer: Final = transfer
        self.copy: Final = copy
        self._watches: dict[bytes, Watch] = {}
        # When the keys that have a TTL run out, Unix ms.
        self._ends: dict[bytes, int] = {}

    def watch(self, engine: "Engine", watcher: Client) -> None:
        """Notice from now on, by means of `watcher`, which of the keys are changed."""
        watcher.db = self.client.db
        database = engine.databases[watcher.db]
        for key in self.transfer.keys:
            watching.watch(engine, watcher, key)
            end = database.expire_of(key)
            if end != NO_EXPIRY:
                self._ends[key] = end
        for watch in watcher.watching:
            self._watches[watch.key] = watch

    def changed(self, engine: "Engine", key: bytes) -> bool:
        """Whether the target has another value of `key` than it had when it was changed last."""
        watch = self._watches.get(key)
        if watch is None or not watch.spoiled:
            return False
        ran_out = self._ends.get(key, engine.now_ms) < engine.now_ms
        # A key that has run out here has done so there, too.
        return not ran_out or engine.databases[self.client.db].table.get(key) is not None


class Migrations:
    """The transfers of one engine, made by `runner`."""

    def __init__(self, engine: "Engine", runner: TransferRunner) -> None:
        self.engine: Final = engine
        self._runner: Final = runner
        self._finished: dict[int, Migration] = {}

    def begin(self, migration: Migration, argv: list[bytes]) -> object:
        """Make the transfer of the running command `argv`.

        Returns what the handler is to return, or None where it is over, because the client must not wait.
        """
        client = migration.client
        if client.deny_blocking or client.internal:
            self._runner.run(migration.transfer)
            return None
        command = client.last
        assert command is not None
        watcher = connect(self.engine, Link(), internal=True)
        if not migration.copy:
            migration.watch(self.engine, watcher)
        block = Block(_nothing, stays=True)
        self._runner.submit(migration.transfer, _Arrival(self, migration, block, watcher, command, argv).run)
        block_client(self.engine, client, block, 0)
        return NO_REPLY

    def finished(self, client: Client) -> Migration | None:
        """The migration for whose end the command of `client` is being run again; None where it begins."""
        return self._finished.pop(client.id, None) if self._finished else None

    def finish(self, migration: Migration, command: Command, argv: list[bytes]) -> None:
        """Run the client's command again, now that its keys have arrived."""
        self._finished[migration.client.id] = migration
        call_again(self.engine, migration.client, command, argv)


class _Arrival:
    """What is called when a transfer is over."""

    def __init__(
        self,
        migrations: Migrations,
        migration: Migration,
        block: Block,
        watcher: Client,
        command: Command,
        argv: list[bytes],
    ) -> None:
        self._migrations: Final = migrations
        self._migration: Final = migration
        self._block: Final = block
        self._watcher: Final = watcher
        self._command: Final = command
        self._argv: Final = argv

    def run(self) -> None:
        engine = self._migrations.engine
        client = self._migration.client
        if engine.pause.kind != pause.NONE:
            engine.pause.afterwards.append(self.run)
            return
        waits = client.block is self._block
        has_left = client.id not in engine.clients
        if waits or has_left:
            engine.refresh_time()
            self._migrations.finish(self._migration, self._command, self._argv)
        watching.unwatch(engine, self._watcher)
        if has_left:
            let_go(client)
        if waits:
            client_served(engine, client)


def _nothing() -> object:
    """The reply when the time is over, which it never is."""
    return NO_REPLY
