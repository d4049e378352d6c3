"""Where a client comes from, for commands that only local ones may use."""

from typing import Final

from aikv.engine.client import Client

_LOOPBACK: Final = ("127.", "[::1]:", "[::ffff:127.")


def is_local(client: Client) -> bool:
    """Whether `client` came over the loopback interface, a Unix socket, or lives in this process."""
    if client.link.unix_socket():
        return True
    address = client.link.address()
    return not address or address.startswith(_LOOPBACK)


def is_allowed(permission: bytes, client: Client) -> bool:
    """Whether a directive such as enable-debug-command (`no`, `yes`, `local`) lets `client` pass."""
    return permission == b"yes" or (permission == b"local" and is_local(client))
