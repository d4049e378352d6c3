"""Who a client is, and whether it has proven it.

Theory of operation: a client begins as the default user, and need not prove to be it where that user takes any password
(`requirepass` and ACL rules decide). A client that has yet to prove who it is has the AUTH gate, one whose user may not
do everything has the LIMITED gate; only `settle` sets and clears them.

The time that a refusal takes says nothing about a password, not even its length: see `User.accepts`. An attempt costs
the same where there is no such user.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.errors import CommandError
from aikv.engine import gates
from aikv.engine.acl.enforce import note_failed_login
from aikv.engine.acl.users import DEFAULT_USER, User
from aikv.engine.client import Client

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

WRONGPASS: Final = b"WRONGPASS invalid username-password pair or user is disabled."
NO_PASSWORD_SET: Final = (
    b"ERR AUTH <password> called without any password configured for the default user. Are you sure your "
    b"configuration is correct?"
)
# Stands in for a user that does not exist: nobody can be it.
_NOBODY: Final = User(b"", False)


def authenticate(engine: "Engine", client: Client, name: bytes, password: bytes, by: bytes) -> None:
    """Let `client` be the user `name`; `by` is the command that asks for it.

    Raises CommandError(WRONGPASS) where name or password is wrong, or the user disabled; nothing but ACL LOG changes
    then.
    """
    if not engine.users.by_name.get(name, _NOBODY).accepts(password):
        note_failed_login(engine, client, name, by)
        raise CommandError(WRONGPASS)
    client.user = name
    client.authenticated = True
    settle(engine, client)


def deauthenticate(engine: "Engine", client: Client) -> None:
    """Make `client` what it was when it connected."""
    client.user = DEFAULT_USER
    client.authenticated = engine.users.default.logs_in_by_itself()
    settle(engine, client)


def settle(engine: "Engine", client: Client) -> None:
    """Set the gates of `client` by its user and by what the default user demands."""
    client.gates &= ~(gates.AUTH | gates.LIMITED)
    if not client.authenticated and not engine.users.default.logs_in_by_itself():
        client.gates |= gates.AUTH
    if not engine.users.of(client).is_unlimited():
        client.gates |= gates.LIMITED
