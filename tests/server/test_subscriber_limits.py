"""client-output-buffer-limit for subscribers who do not read: the hard limit at once, the soft one after its seconds.

The connections are real, the sockets and the clock are not: a transport only counts what it has been given.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aikv import commands
from aikv.base.clock import ManualClock
from aikv.base.random import Random
from aikv.engine.config import Config
from aikv.engine.engine import Engine
from aikv.engine.persistence import Persistence
from aikv.persistence.aof_fsync import ThreadRunner
from aikv.persistence.files import Files
from aikv.server.connection import Connection
from aikv.server.loop import LoopScheduler
from aikv.server.tick import Tick
from conftest import StartServer
from oracle.process import AIKV, VOLATILE
from oracle.wire import pack
from server.asking import info, logs_no_traceback, slow_reader, wait_until

MESSAGE = b"m" * 100_000


class UnreadTransport(asyncio.Transport):
    """A socket whose other end reads nothing until `drain`."""

    def __init__(self) -> None:
        super().__init__()
        self.held = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        self.held += len(data)

    def get_write_buffer_size(self) -> int:
        return self.held

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002
        return default

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.aborted = True

    def drain(self) -> None:
        """Let the other end read everything."""
        self.held = 0


class Subscribers:
    """A server without sockets: one publisher, any number of subscribers."""

    def __init__(self, folder: Path) -> None:
        commands.load()
        self.clock = ManualClock()
        self.loop = asyncio.new_event_loop()
        self.config = Config()
        self.config.configure("dir", [str(folder).encode()])
        self.config.configure("save", [b""])
        engine = Engine(self.config, self.clock, Random(1), LoopScheduler(self.loop))
        files = Files()
        self.tick = Tick(engine, Persistence(engine, files, ThreadRunner(files)), self.loop)
        self.engine = engine
        self.publisher, _ = self.connect()

    def limit(self, value: str) -> None:
        """Set the limits of subscribers: hard, soft, seconds."""
        self.config.set_many([(b"client-output-buffer-limit", f"pubsub {value}".encode())])

    def connect(self) -> tuple[Connection, UnreadTransport]:
        """Make a connection."""
        transport = UnreadTransport()
        connection = Connection(self.tick, "unix")
        connection.connection_made(transport)
        return connection, transport

    def subscribe(self, name: bytes = b"c") -> tuple[Connection, UnreadTransport]:
        """Make a connection that listens."""
        connection, transport = self.connect()
        connection.data_received(pack([b"SUBSCRIBE", name]))
        self.tick.run()
        return connection, transport

    def publish(self, message: bytes = MESSAGE) -> None:
        """Let the publisher send a message, and the turn of the loop end."""
        self.publisher.data_received(pack([b"PUBLISH", b"c", message]))
        self.tick.run()

    def disconnections(self) -> int:
        """How many connections were cut."""
        return int(self.engine.stats.output_limit_disconnections)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Subscribers]:
    """A server without sockets."""
    made = Subscribers(tmp_path)
    yield made
    made.loop.run_until_complete(asyncio.sleep(0))
    made.loop.close()


def test_a_subscriber_over_the_hard_limit_is_cut_at_once(served: Subscribers) -> None:
    served.limit("250000 0 0")
    _, slow = served.subscribe()
    _, quick = served.subscribe()
    served.publish()
    served.publish()
    quick.drain()
    assert not slow.aborted
    served.publish()
    assert slow.aborted
    assert not quick.aborted
    assert served.disconnections() == 1


def test_one_message_over_the_hard_limit_is_enough(served: Subscribers) -> None:
    served.limit("50000 0 0")
    _, slow = served.subscribe()
    served.publish()
    assert slow.aborted


def test_a_subscriber_over_the_soft_limit_is_cut_when_its_seconds_are_over(served: Subscribers) -> None:
    served.limit("0 150000 10")
    _, slow = served.subscribe()
    served.publish()
    served.clock.advance_ms(60_000)
    served.tick.judge_soft_limits()
    assert not slow.aborted
    served.publish()
    served.clock.advance_ms(10_000)
    served.tick.judge_soft_limits()
    assert not slow.aborted
    served.clock.advance_ms(1)
    served.tick.judge_soft_limits()
    assert slow.aborted
    assert served.disconnections() == 1


def test_the_seconds_begin_again_when_a_subscriber_has_caught_up(served: Subscribers) -> None:
    served.limit("0 150000 10")
    _, slow = served.subscribe()
    served.publish()
    served.publish()
    served.clock.advance_ms(9_000)
    slow.drain()
    served.tick.judge_soft_limits()
    served.publish()
    served.publish()
    served.clock.advance_ms(9_000)
    served.tick.judge_soft_limits()
    assert not slow.aborted
    served.clock.advance_ms(1_001)
    served.tick.judge_soft_limits()
    assert slow.aborted


def test_messages_alone_lead_to_the_end_of_the_soft_limit_too(served: Subscribers) -> None:
    served.limit("0 150000 10")
    _, slow = served.subscribe()
    for _ in range(3):
        served.publish()
    served.clock.advance_ms(10_001)
    served.publish()
    assert slow.aborted


def test_many_small_messages_count_as_much(served: Subscribers) -> None:
    served.limit("250000 0 0")
    connection, slow = served.subscribe()
    connection.pause_writing()
    for _ in range(300):
        served.publish(b"m" * 1000)
    assert slow.aborted
    assert slow.held < 260_000


def test_who_no_longer_listens_is_an_ordinary_client_again(served: Subscribers) -> None:
    served.limit("250000 0 0")
    connection, transport = served.subscribe()
    served.publish()
    connection.data_received(pack([b"UNSUBSCRIBE"]))
    for _ in range(5):
        connection.data_received(pack([b"ECHO", MESSAGE]))
        served.tick.run()
    assert not transport.aborted
    assert transport.held > 500_000


def test_no_limit_is_none(served: Subscribers) -> None:
    served.limit("0 0 0")
    _, slow = served.subscribe()
    for _ in range(50):
        served.publish()
    assert not slow.aborted


def test_a_caching_client_that_does_not_read_is_limited_as_an_ordinary_one(served: Subscribers) -> None:
    served.config.set_many([(b"client-output-buffer-limit", b"normal 200000 0 0")])
    connection, slow = served.connect()
    connection.data_received(pack([b"HELLO", b"3"]) + pack([b"CLIENT", b"TRACKING", b"ON", b"BCAST"]))
    served.tick.run()
    connection.pause_writing()
    for number in range(300):
        served.publisher.data_received(pack([b"SET", b"%d" % number * 500, b"v"]))
        served.tick.run()
    assert slow.aborted


def test_a_real_subscriber_that_does_not_read_is_closed(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--client-output-buffer-limit", "pubsub", "1mb", "0", "0")
    with server.connect() as steady, slow_reader(server) as slow:
        slow.send("SUBSCRIBE", "c")
        slow.read_reply()
        while steady.command("PUBLISH", "c", MESSAGE) == b":1\r\n":
            pass
        assert info(steady, "client_output_buffer_limit_disconnections") == "1"
        wait_until(lambda: info(steady, "connected_clients") == "1", "the subscriber is gone")
        assert info(steady, "pubsub_channels") == "0"
    logs_no_traceback(server)
