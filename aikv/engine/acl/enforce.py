"""Refusing what a user may not do: the error, the log and the counters.

Theory of operation: called only for clients with the LIMITED gate. The decision is `check.denial`'s; here it is told to
the client and noted in ACL LOG, with the context in which it was made. The commands of a transaction are looked at
when they are queued and once more when they run, since the user may have changed between.
"""

from typing import TYPE_CHECKING, Final

from aikv.engine import gates
from aikv.engine.acl.check import AUTH, CHANNEL, COMMAND, KEY, Denial, denial, may_read_all_keys
from aikv.engine.acl.log import LUA, MULTI, TOPLEVEL
from aikv.engine.client import Client
from aikv.engine.client_line import client_line
from aikv.engine.command import Command

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

_CHANGED_SINCE: Final = (
    b"NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is "
    b"no longer allowed for the following reason: "
)
_REASONS_IN_EXEC: Final[dict[int, bytes]] = {
    COMMAND: b"no permission to execute the command or subcommand",
    KEY: b"no permission to touch the specified keys",
    CHANNEL: b"no permission to access one of the channels used as arguments",
}


def refusal(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> bytes | None:
    """The error for a request that the client's user may not make, which is logged; None for one that it may."""
    found = denial(engine.users.of(client), command, argv)
    if found is None:
        return None
    client.last = command
    _note(engine, client, found, command, argv, MULTI if client.gates & gates.MULTI else TOPLEVEL)
    return b"NOPERM " + _told(found, client.user, command)


def refusal_in_script(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> bytes | None:
    """As `refusal`, for a request that a script makes in the name of `client`."""
    found = denial(engine.users.of(client), command, argv)
    if found is None:
        return None
    _note(engine, client, found, command, argv, LUA)
    return b"NOPERM ACL failure in script: " + _told(found, client.user, command)


def refusal_in_exec(engine: "Engine", client: Client, command: Command, argv: list[bytes]) -> bytes | None:
    """As `refusal`, for a command that was allowed when it was queued."""
    found = denial(engine.users.of(client), command, argv)
    if found is None:
        return None
    _note(engine, client, found, command, argv, MULTI)
    return _CHANGED_SINCE + _REASONS_IN_EXEC[found.reason]


def may_read_any_key(engine: "Engine", client: Client, argv: list[bytes]) -> bool:
    """Whether the running command `argv` may read keys that it does not name, as SORT does with BY and GET."""
    if not client.gates & gates.LIMITED:
        return True
    command = client.last
    assert command is not None
    return may_read_all_keys(engine.users.of(client), command, argv)


def explained(found: Denial, user: bytes, command: Command, argv: list[bytes]) -> bytes:
    """A denial as ACL DRYRUN tells it."""
    beginning = b"User " + user + b" has no permissions to "
    if found.reason == COMMAND:
        return beginning + b"run the '" + command.name.encode() + b"' command"
    kind = b"key" if found.reason == KEY else b"channel"
    return beginning + b"access the '" + argv[found.position] + b"' " + kind


def note_failed_login(engine: "Engine", client: Client, user: bytes, by: bytes) -> None:
    """Log that `client` could not prove to be `user`; `by` is the command that it tried to do it with."""
    _add(engine, client, AUTH, MULTI if client.gates & gates.MULTI else TOPLEVEL, by, user)


def _told(found: Denial, user: bytes, command: Command) -> bytes:
    if found.reason == COMMAND:
        return b"User " + user + b" has no permissions to run the '" + command.name.encode() + b"' command"
    return b"No permissions to access a " + (b"key" if found.reason == KEY else b"channel")


def _note(engine: "Engine", client: Client, found: Denial, command: Command, argv: list[bytes], context: bytes) -> None:
    thing = command.name.encode() if found.reason == COMMAND else argv[found.position]
    _add(engine, client, found.reason, context, thing, client.user)


def _add(engine: "Engine", client: Client, reason: int, context: bytes, thing: bytes, user: bytes) -> None:
    users = engine.users
    engine.stats.denied[reason] = engine.stats.denied.get(reason, 0) + 1
    users.log.add(reason, context, thing, user, client_line(engine, client, []), engine.now_ms, users.log_limit)
