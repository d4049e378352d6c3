"""How clients come and go.

Theory of operation: whoever has commands to run asks for a client by `connect` and gives it back by `disconnect`, after
which nothing that it waited for, watched or subscribed to is left. A client that another one ends is disconnected at
once, so that it does not outlive the command that ends it; its socket is closed when the event loop comes round to it.
A client that ends itself is in the middle of a command, so it gets its reply first.
"""

from typing import TYPE_CHECKING

from aikv.engine import monitor
from aikv.engine.authentication import deauthenticate
from aikv.engine.blocking import stop_waiting
from aikv.engine.client import Client, Link
from aikv.engine.context import Context
from aikv.engine.watching import unwatch

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


def connect(engine: "Engine", link: Link, internal: bool = False) -> Client:
    """Make a client; it is listed until `disconnect`, unless it is internal."""
    client = Client(engine.next_client, link, engine.now_ns // 1_000_000_000)
    engine.next_client += 1
    client.context = Context(engine, client)
    client.internal = internal
    if not internal:
        engine.clients[client.id] = client
        deauthenticate(engine, client)
    return client


def disconnect(engine: "Engine", client: Client) -> None:
    """Forget a client: what it waited for, watched and queued."""
    goes_on = client.block is not None and client.block.stays
    engine.clients.pop(client.id, None)
    client.halted = True
    client.queue = []
    stop_waiting(client)
    engine.pause.forget(client)
    engine.pubsub.forget(client)
    monitor.end(engine, client)
    engine.tracking.forget(client)
    unwatch(engine, client)
    if not goes_on:
        let_go(client)


def let_go(client: Client) -> None:
    """No command will run for `client` any more: it is freed by its reference counts.

    It and its context would keep each other, and nothing collects old cycles in a server. Whoever goes on for a
    client that has left (`Block.stays`) calls this at the end.
    """
    client.context = None


def end_client(engine: "Engine", client: Client, by: Client | None) -> None:
    """Let `client` be closed; `by` is the client whose command wants it, if any."""
    if client is not by:
        disconnect(engine, client)
        client.link.wake()
    client.close_after_reply()
