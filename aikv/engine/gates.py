"""Gates: the bits that say that something unusual is going on.

Theory of operation: dispatch makes one test, ``(client.gates | engine.gates) & command.cares``, and only where it is
not zero asks what is the matter (`engine.admission`). A bit is set when a state begins and cleared when it ends, so
that a feature nobody uses costs a command nothing.
"""

from typing import Final

# Of a client.
AUTH: Final = 1 << 0  # has yet to authenticate
MULTI: Final = 1 << 1  # is queueing a transaction
SUBSCRIBED: Final = 1 << 2  # RESP2 client in subscriber mode
QUIET: Final = 1 << 3  # CLIENT REPLY OFF or SKIP
LIMITED: Final = 1 << 4  # its user may not do everything
TRACKING: Final = 1 << 7  # what it reads is remembered, for its cache
CACHING: Final = 1 << 8  # CLIENT CACHING has been given, for the next command or transaction
# Of the engine.
BUSY: Final = 1 << 5  # a script takes long
PAUSED: Final = 1 << 9  # CLIENT PAUSE
MONITORED: Final = 1 << 10  # a MONITOR client listens
DISK_ERROR: Final = 1 << 11  # writes are refused: MISCONF

# Commands that run at once inside MULTI instead of being queued.
PASS_MULTI: Final[frozenset[str]] = frozenset({"exec", "discard", "multi", "watch", "quit", "reset"})


def cares(no_auth: bool, needs_disk: bool, pass_multi: bool, reads: bool, allow_busy: bool) -> int:
    """The gates that concern a command with these properties."""
    bits = SUBSCRIBED | QUIET | CACHING | PAUSED | MONITORED
    if not no_auth:
        bits |= AUTH | LIMITED
    if not pass_multi:
        bits |= MULTI
    if not allow_busy:
        bits |= BUSY
    if needs_disk:
        bits |= DISK_ERROR
    if reads:
        bits |= TRACKING
    return bits
