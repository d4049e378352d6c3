"""Who a client is, and whether it has proven it.

Theory of operation: there is one user, `default`, whose password is `requirepass`; without one everybody is that user.
Passwords are compared as digests, so that the time a refusal takes says nothing about the password, not even its
length. A client that has yet to prove who it is has the AUTH gate; only this module sets and clears it.
"""

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from aikv.base.errors import CommandError
from aikv.engine import gates
from aikv.engine.client import Client

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

DEFAULT_USER: Final = b"default"
WRONGPASS: Final = b"WRONGPASS invalid username-password pair or user is disabled."
NO_PASSWORD_SET: Final = (
    b"ERR AUTH <password> called without any password configured for the default user. Are you sure your "
    b"configuration is correct?"
)


def authenticate(engine: "Engine", client: Client, user: bytes, password: bytes) -> None:
    """Let `client` be `user`. Raises CommandError(WRONGPASS) where name or password is wrong; nothing changes then."""
    right = engine.config.get_bytes("requirepass")
    same = hmac.compare_digest(hashlib.sha256(password).digest(), hashlib.sha256(right).digest())
    if user != DEFAULT_USER or not (same or not right):
        raise CommandError(WRONGPASS)
    client.user = DEFAULT_USER
    client.gates &= ~gates.AUTH


def deauthenticate(engine: "Engine", client: Client) -> None:
    """Make `client` what it was when it connected."""
    client.user = DEFAULT_USER
    if engine.config.get_bytes("requirepass"):
        client.gates |= gates.AUTH
    else:
        client.gates &= ~gates.AUTH


def admit_everybody(engine: "Engine") -> None:
    """The password has been taken away: nobody has to prove anything any more."""
    for client in engine.clients.values():
        client.gates &= ~gates.AUTH
