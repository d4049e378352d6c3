"""CLIENT PAUSE: holding back clients for a while.

Theory of operation: while a pause is in force the PAUSED gate is set; a command that it concerns is put back at the
head of its client's queue and the client halts. The end of the pause resumes all of them. Keys do not expire
meanwhile, so that a replica can catch up with a dataset that stands still.
"""

from typing import Final

from aikv.engine.client import Client

NONE: Final = 0
WRITES: Final = 1
ALL: Final = 2


class Pause:
    """What is paused, until when (Unix ms), and who waits."""

    def __init__(self) -> None:
        self.kind = NONE
        self.until_ms = 0
        self.waiting: list[Client] = []

    def hold(self, client: Client, argv: list[bytes]) -> None:
        """Keep `argv` back until the pause ends."""
        client.queue.insert(0, argv)
        client.halted = True
        client.paused = True
        self.waiting.append(client)

    def forget(self, client: Client) -> None:
        """A waiting client has gone."""
        if client.paused:
            client.paused = False
            self.waiting.remove(client)

    def release(self) -> list[Client]:
        """End the pause; returns who waited."""
        self.kind = NONE
        waiting = self.waiting
        self.waiting = []
        for client in waiting:
            client.paused = False
        return waiting
