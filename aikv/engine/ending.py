"""Ending a client that did not ask for it: CLIENT KILL, and users that are deleted.

Theory of operation: a client that another one ends is disconnected from the engine at once, so that nothing it waits
for, watches or holds outlives the command; its socket is closed when the event loop comes round to it. A client that
ends itself is in the middle of a command, so it gets its reply first.
"""

from typing import TYPE_CHECKING

from aikv.engine.client import Client

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


def end_client(engine: "Engine", client: Client, by: Client | None) -> None:
    """Let `client` be closed; `by` is the client whose command wants it, if any."""
    if client is not by:
        engine.disconnect(client)
        client.link.wake()
    client.close_after_reply()
