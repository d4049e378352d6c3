"""WAITAOF: clients that wait until what they wrote is on the disk.

Theory of operation: the journal counts the times that its bytes were taken (`Journal.takes`), and each client keeps the
number of the taking that its last change is in (`Client.wrote`). The log says up to which number everything is on the
disk (`AofLog.durable`). So nothing is remembered per change. Whenever the log has written, or learns that an fsync has
ended, those who wait are looked at.

While the log is being switched on, until its first rewrite is done, nothing counts as being on the disk. A client that
waits for the log when it is switched off is told so.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.errors import CommandError
from aikv.engine.blocking import Block, block_client, unblock_client
from aikv.engine.client import Client
from aikv.persistence.aof_log import ON
from aikv.persistence.aof_rewrite import Aof
from aikv.resp.reply import NO_REPLY

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

NO_LOG: Final = b"ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
# No replica can ever acknowledge, as long as there are none.
_REPLICAS: Final = 0


class AofWait:
    """One client that waits for `local` (0 or 1) logs here and for the logs of `replicas` replicas."""

    def __init__(self, waits: "AofWaits", client: Client, local: int, replicas: int) -> None:
        self._waits = waits
        self.client: Final = client
        self.local: Final = local
        self.replicas: Final = replicas

    def reply(self) -> object:
        """How far it has come."""
        return self._waits.acknowledged(self.client)

    def cancel(self) -> None:
        """The client waits no more."""
        del self._waits.waiting[self.client.id]


class AofWaits:
    """Who waits for the log `aof`."""

    def __init__(self, engine: "Engine", aof: Aof) -> None:
        self._engine = engine
        self._aof = aof
        self.waiting: Final[dict[int, AofWait]] = {}

    def wait(self, client: Client, local: int, replicas: int, timeout_ms: int) -> object:
        """WAITAOF of `client`; 0 waits for ever. Returns what the handler is to return, raises CommandError."""
        if local and not self._engine.config.get_bool("appendonly"):
            raise CommandError(NO_LOG)
        reached = self.acknowledged(client)
        if client.deny_blocking or _enough(reached, local, replicas):
            return reached
        wait = AofWait(self, client, local, replicas)
        self.waiting[client.id] = wait
        block_client(self._engine, client, Block(wait.reply, wait.cancel), timeout_ms)
        return NO_REPLY

    def acknowledged(self, client: Client) -> list[int]:
        """How many logs here, and of replicas, have all that `client` wrote."""
        return [1 if self._aof.state == ON and self._aof.durable >= client.wrote else 0, _REPLICAS]

    def serve(self) -> None:
        """Answer those who have waited long enough."""
        for wait in list(self.waiting.values()):
            reached = self.acknowledged(wait.client)
            if _enough(reached, wait.local, wait.replicas):
                unblock_client(self._engine, wait.client, reached)

    def switched_off(self) -> None:
        """The log is off: tell those who wait for it."""
        for wait in list(self.waiting.values()):
            if wait.local:
                unblock_client(self._engine, wait.client, CommandError(NO_LOG))


def _enough(reached: list[int], local: int, replicas: int) -> bool:
    return reached[0] >= local and reached[1] >= replicas
