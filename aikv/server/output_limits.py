"""client-output-buffer-limit: clients that do not read what they are sent.

Theory of operation: what a client has not read yet lies in its connection's buffer, in memory. Whenever a reply is
added to a buffer that is not small, `OutputLimits.exceeded` judges the sum: over the hard limit of the client's class
the connection is dropped at once, over the soft limit only if it stays there for the given seconds. A client that is
over the soft limit and asks for nothing more adds nothing, so the cron judges those again. The limits of Redis leave
out the first 16 KiB of replies, and so do these.
"""

from typing import Final

from aikv.engine.client import MASTER, NORMAL, PUBSUB, REPLICA, Client
from aikv.engine.config.store import Config, OutputLimit

# Replies up to this size, in bytes, are no reason to look at a limit.
SMALL: Final = 16 * 1024


class OutputLimits:
    """The limits of the present configuration; `normal_hard` is that of ordinary clients in bytes, 0 for none."""

    def __init__(self, config: Config) -> None:
        self._config: Final = config
        self._by_kind: dict[bytes, OutputLimit] = {}
        self.normal_hard = 0
        config.on_change("client-output-buffer-limit", self._read)
        self._read()

    def exceeded(self, client: Client, size: int, since_us: int, now_us: int) -> bool:
        """Whether `client`, with `size` unread bytes, has to go.

        `since_us` is the monotonic time since which it has been over its soft limit, 0 if it has not; `now_us` is the
        present.
        """
        limit = self._by_kind[client.kind]
        if limit.hard and size >= limit.hard:
            return True
        return since_us > 0 and self.over_soft(client, size) and now_us - since_us > limit.soft_seconds * 1_000_000

    def over_soft(self, client: Client, size: int) -> bool:
        """Whether `client`, with `size` unread bytes, is over its soft limit."""
        soft = self._by_kind[client.kind].soft
        return soft > 0 and size >= soft

    def _read(self) -> None:
        limits = self._config.client_output_buffer_limits
        self._by_kind = {
            NORMAL: limits["normal"],
            REPLICA: limits["replica"],
            PUBSUB: limits["pubsub"],
            MASTER: OutputLimit(0, 0, 0),
        }
        self.normal_hard = limits["normal"].hard
