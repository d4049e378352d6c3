"""The limits of the compact forms follow the configuration.

Theory of operation: `hash-max-listpack-entries` and its like are copied into `datatypes.limits.CONFIGURED` when an
engine is made, and again whenever CONFIG SET has changed one of them.
"""

from aikv.datatypes.limits import CONFIGURED
from aikv.engine.config.store import Config


class LimitsFollower:
    """Copies the limits of `config`."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def copy(self) -> None:
        """Take all limits over."""
        config = self._config
        limits = CONFIGURED
        limits.hash_listpack_entries = config.get_int("hash-max-listpack-entries")
        limits.hash_listpack_value = config.get_int("hash-max-listpack-value")
        limits.set_intset_entries = config.get_int("set-max-intset-entries")
        limits.set_listpack_entries = config.get_int("set-max-listpack-entries")
        limits.set_listpack_value = config.get_int("set-max-listpack-value")
        limits.zset_listpack_entries = config.get_int("zset-max-listpack-entries")
        limits.zset_listpack_value = config.get_int("zset-max-listpack-value")
        limits.list_listpack_size = config.get_int("list-max-listpack-size")
        limits.stream_node_bytes = config.get_int("stream-node-max-bytes")
        limits.stream_node_entries = config.get_int("stream-node-max-entries")
        limits.hll_sparse_bytes = config.get_int("hll-sparse-max-bytes")


def follow_limits(config: Config) -> None:
    """Let `CONFIGURED` be what `config` says, from now on."""
    follower = LimitsFollower(config)
    follower.copy()
    for name in (
        "hash-max-listpack-entries",
        "hash-max-listpack-value",
        "set-max-intset-entries",
        "set-max-listpack-entries",
        "set-max-listpack-value",
        "zset-max-listpack-entries",
        "zset-max-listpack-value",
        "list-max-listpack-size",
        "stream-node-max-bytes",
        "stream-node-max-entries",
        "hll-sparse-max-bytes",
    ):
        config.on_change(name, follower.copy)
