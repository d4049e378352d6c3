"""What redis-py's users write: clients of that library, in both protocols, to the server under test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from oracle.process import ServerProcess

# Typed as Any, because redis-py's own types hold for its asynchronous clients, too.
MakeClient = Callable[..., Any]


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def protocol(request: pytest.FixtureRequest) -> int:
    """Each protocol that redis-py can speak."""
    chosen: int = request.param
    return chosen


@pytest.fixture
def make_client(aikv_server: ServerProcess, protocol: int) -> Iterator[MakeClient]:
    """Make clients that are closed after the test: `make_client(decode_responses=True)`."""
    with ExitStack() as stack:

        def make(**options: Any) -> Any:
            client: Any = redis.Redis(port=aikv_server.port, **{"protocol": protocol, **options})
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> Any:
    """A client of the server under test, whose databases are empty."""
    made = make_client()
    made.flushall()
    return made


@pytest.fixture
def scripting(aikv_server: ServerProcess) -> None:
    """Skip the test where the server has no scripts."""
    with aikv_server.connect() as connection:
        if b"evalsha" not in connection.command("COMMAND", "INFO", "EVALSHA"):
            pytest.skip("the server has no scripts yet")
