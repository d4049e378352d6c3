"""What commands bring about besides their replies: keyspace events, and records in the AOF.

Theory of operation: events are read by a subscriber to all of database 0, up to a message that is published after each
command, so that it is known which command caused them. Records are read from the file that a server has appended to
since it was started.
"""

import re
from collections.abc import Iterable

import hiredis

from oracle.language import Step
from oracle.process import ServerProcess
from oracle.wire import RawConnection

# Milliseconds of Unix time, which may have been counted from now.
MOMENT = re.compile(rb"\d{13,19}")
ALL_EVENTS = "KEA"
END = b"__keyend@0__:"


def announced(
    server: ServerProcess, steps: Iterable[Step], classes: str = ALL_EVENTS
) -> list[tuple[Step, list[tuple[bytes, bytes]]]]:
    """Run `steps` on empty databases; returns each with (channel, message) of all events that it caused, in order.

    `classes` are those of notify-keyspace-events.
    """
    found = []
    with server.connect() as connection, server.connect() as subscriber:
        connection.command("FLUSHALL")
        connection.command("CONFIG", "SET", "notify-keyspace-events", classes)
        subscriber.command("PSUBSCRIBE", "__key*@0__:*")
        for step in steps:
            connection.command(*step.argv)
            connection.command("PUBLISH", END, "")
            found.append((step, read_events(subscriber)))
        connection.command("CONFIG", "SET", "notify-keyspace-events", "")
    return found


def read_events(subscriber: RawConnection) -> list[tuple[bytes, bytes]]:
    """Read messages up to the one that ends a command."""
    events: list[tuple[bytes, bytes]] = []
    while True:
        reader = hiredis.Reader()
        reader.feed(subscriber.read_reply())
        _, _, channel, message = reader.gets()
        if channel == END:
            return events
        events.append((channel, message))


def recorded(server: ServerProcess) -> list[list[bytes]]:
    """Return the commands in the AOF of a server, with all times made equal."""
    (path,) = server.folder.glob("appendonlydir/*.incr.aof")
    reader = hiredis.Reader()
    reader.feed(path.read_bytes())
    records = []
    while (record := reader.gets()) is not False:
        records.append([b"(time)" if MOMENT.fullmatch(word) else word for word in record])
    return records


def check_records(servers: list[ServerProcess], steps: Iterable[Step]) -> None:
    """Run `steps` on both servers, which keep an AOF, and assert that they have recorded the same."""
    steps = list(steps)
    for server in servers:
        with server.connect() as connection:
            for step in steps:
                connection.command(*step.argv)
    theirs, ours = (recorded(server) for server in servers)
    for number, (their, our) in enumerate(zip(theirs, ours, strict=False)):
        assert our == their, f"redis {their}, aikv {our}, after {theirs[max(0, number - 5) : number]}"
    assert len(ours) == len(theirs)
