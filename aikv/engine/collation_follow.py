"""The order of texts in SORT ALPHA follows the configuration.

Theory of operation: `locale-collate` names a locale of the system, which is put in force when an engine is made and
whenever CONFIG SET has changed it. Left empty it means the environment's. Redis 7.2 does not start where the
environment names a locale that is not installed, which is common on machines that are reached by ssh; here texts are
then compared as bytes, and the log says so.
"""

from aikv.base import log
from aikv.base.collation import use_locale
from aikv.engine.config.errors import ConfigError
from aikv.engine.config.store import Config


class CollationFollower:
    """Puts the locale that `config` names in force."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def apply(self) -> None:
        """Take the locale over. Raises ConfigError where there is none of that name."""
        name = self._config.get_str("locale-collate")
        if use_locale(name):
            return
        if name:
            raise ConfigError("Invalid locale name")
        log.warning("The environment names a locale that is not installed: SORT ALPHA compares bytes.")
        use_locale("C")


def follow_collation(config: Config) -> None:
    """Let texts be compared as `config` says, from now on. Raises ConfigError."""
    follower = CollationFollower(config)
    follower.apply()
    config.on_change("locale-collate", follower.apply)
