"""Any event loop can serve: uvloop, and the one that stands in for it."""

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from aikv import commands
from aikv.base.clock import SystemClock
from aikv.base.random import Random
from aikv.engine.client import Client
from aikv.engine.config import Config
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.persistence.aof_fsync import ThreadRunner
from aikv.persistence.files import Files
from aikv.server.connection import Connection
from aikv.server.listener import Listener
from aikv.server.loop import LoopScheduler
from aikv.server.tick import Tick
from oracle.process import free_port
from wired import request


async def talk(listener: Listener, tick: Tick, port: int) -> list[bytes]:
    """Serve, ask some things, and say good-bye; returns the replies."""
    await listener.accept(tick)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard: list[bytes] = []
    for sent, size in (
        (request("SET", "a", "1") + request("GET", "a"), 12),
        (request("ECHO", b"x" * 300_000), 300_011),
        (request("BLPOP", "nothing", "0.01"), 5),
    ):
        writer.write(sent)
        heard.append(await reader.readexactly(size))
    writer.write(request("QUIT"))
    heard.append(await reader.read())
    writer.close()
    return heard


@pytest.mark.parametrize("make", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
def test_a_client_is_served(make: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path) -> None:
    commands.load()
    loop = make()
    config = Config()
    port = free_port()
    config.configure("dir", [str(tmp_path).encode()])
    config.configure("port", [b"%d" % port])
    config.configure("bind", [b"127.0.0.1"])
    engine = Engine(config, SystemClock(), Random(), LoopScheduler(loop))
    files = Files()
    tick = Tick(engine, Persistence(engine, files, ThreadRunner(files)), loop)
    listener = Listener(config)
    listener.open()
    try:
        heard = loop.run_until_complete(asyncio.wait_for(talk(listener, tick, port), 20))
    finally:
        listener.close()
        loop.close()
    assert heard == [b"+OK\r\n$1\r\n1\r\n", b"$300000\r\n" + b"x" * 300_000 + b"\r\n", b"*-1\r\n", b"+OK\r\n"]


def clients_in_memory() -> int:
    """Count those of this process, in which other tests may keep theirs."""
    return sum(isinstance(one, Client | Connection) for one in gc.get_objects())


def test_nothing_keeps_a_client_that_has_gone(tmp_path: Path) -> None:
    """Reference counts alone must free it, because the oldest generation is never collected in a server."""
    gc.collect()
    gc.disable()
    try:
        before = clients_in_memory()
        test_a_client_is_served(uvloop.new_event_loop, tmp_path)
        assert clients_in_memory() == before
    finally:
        gc.enable()
