"""When automatic rewrites of the log pause.

Theory of operation: every failed rewrite leaves one more incr file. After three failures in a row the next automatic
attempt waits one minute, then two, four and so on up to an hour, as in Redis. A rewrite that is asked for by name is
not held up.
"""

from typing import Final

from aikv.base import log

_FAILURES_BEFORE_DELAY: Final = 3
_MAX_DELAY_MINUTES: Final = 60
_MINUTE_US: Final = 60_000_000


class RewriteLimit:
    """Counts `failures` in a row; times are monotonic, in microseconds."""

    def __init__(self) -> None:
        self.failures: int = 0
        self._delay_minutes: int = 0
        self._retry_at_us: int = 0

    def limited(self, now_us: int) -> bool:
        """Whether an automatic rewrite has to wait; each time a wait is over, one attempt is let through."""
        if self.failures < _FAILURES_BEFORE_DELAY:
            self._delay_minutes = 0
            self._retry_at_us = 0
            return False
        if self._retry_at_us != 0:
            if now_us < self._retry_at_us:
                return True
            self._retry_at_us = 0
            return False
        self._delay_minutes = min(max(self._delay_minutes * 2, 1), _MAX_DELAY_MINUTES)
        self._retry_at_us = now_us + self._delay_minutes * _MINUTE_US
        log.warning(
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in "
            f"{self._delay_minutes} minutes"
        )
        return True
