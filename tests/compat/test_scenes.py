"""Clients that wait are served by aikv as by redis-server: the same replies, events and records in the AOF.

To test something, write a line in `tests/compat/scenes`; `oracle/scenes.py` explains the form.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartServer
from oracle.effects import ALL_EVENTS, END, read_events, recorded
from oracle.pair import PROTOCOLS, Pair
from oracle.process import AIKV, REDIS, ServerProcess
from oracle.scenes import play

SCENES = [
    pytest.param(line, id=f"{path.stem}:{number}")
    for path in sorted((Path(__file__).parent / "scenes").glob("*.txt"))
    for number, line in enumerate(path.read_text().splitlines(), 1)
    if line.strip() and not line.startswith("#")
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("line", SCENES)
def test_clients_are_told_the_same(pair: Pair, line: str, protocol: int) -> None:
    assert play(pair.aikv, line, protocol) == play(pair.oracle, line, protocol)


@pytest.fixture
def announcing(pair: Pair) -> Iterator[Pair]:
    """Let both servers announce all events."""
    for server in (pair.oracle, pair.aikv):
        with server.connect() as connection:
            connection.command("CONFIG", "SET", "notify-keyspace-events", ALL_EVENTS)
    yield pair
    for server in (pair.oracle, pair.aikv):
        with server.connect() as connection:
            connection.command("CONFIG", "SET", "notify-keyspace-events", "")


def events_of(server: ServerProcess, line: str) -> list[tuple[bytes, bytes]]:
    """Play a scene; returns the events that it caused, in order."""
    with server.connect() as subscriber, server.connect() as publisher:
        subscriber.command("PSUBSCRIBE", "__key*")
        play(server, line)
        publisher.command("PUBLISH", END, "")
        return read_events(subscriber)


@pytest.mark.parametrize("line", SCENES)
def test_the_same_events_are_announced(announcing: Pair, line: str) -> None:
    assert events_of(announcing.aikv, line) == events_of(announcing.oracle, line)


@pytest.mark.slow
def test_the_same_records_go_to_the_aof(start_server: StartServer) -> None:
    # Otherwise the oracle may write later than it answers.
    words = ("--appendonly", "yes", "--appendfsync", "always")
    servers = [start_server(program, *words, name=program[-1]) for program in (REDIS, AIKV)]
    known = [0, 0]
    for scene in SCENES:
        line = str(scene.values[0])
        news = []
        for index, server in enumerate(servers):
            play(server, line)
            # The oracle writes LEFT in its own way where a client has waited, and otherwise as the client did.
            records = [
                [word.replace(b"left", b"LEFT").replace(b"right", b"RIGHT") for word in record]
                for record in recorded(server)
            ]
            news.append(records[known[index] :])
            known[index] = len(records)
        assert news[1] == news[0], line


# A command is run again as a whole, so it takes from its first key that has something; the oracle goes by the key that
# was first to have it.
NEWER = [
    (
        "A> BLPOP l m 0; Z: MULTI; Z: RPUSH m 1; Z: RPUSH l 2; Z: EXEC; A?; Z: LRANGE m 0 -1",
        {"A?": b"*2\r\n$1\r\nl\r\n$1\r\n2\r\n"},
    ),
    (
        "A> BLPOP a b 0; B> BLPOP b a 0; Z: MULTI; Z: RPUSH b 2; Z: RPUSH a 1; Z: EXEC; A?; B?",
        {"A?": b"*2\r\n$1\r\na\r\n$1\r\n1\r\n", "B?": b"*2\r\n$1\r\nb\r\n$1\r\n2\r\n"},
    ),
]


@pytest.mark.parametrize(("line", "expected"), NEWER)
def test_the_order_of_keys_decides_as_in_redis_7_2(pair: Pair, line: str, expected: dict[str, bytes]) -> None:
    assert {step: said for step, said in play(pair.aikv, line) if step.endswith("?")} == expected


def test_a_restored_list_is_what_a_client_has_waited_for(pair: Pair) -> None:
    told = []
    for server in (pair.oracle, pair.aikv):
        with server.connect() as connection:
            connection.command("FLUSHALL")
            connection.command("RPUSH", "l", "x", "y")
            dump = connection.command("DUMP", "l").split(b"\r\n", 1)[1][:-2]
        quoted = "".join(f"\\x{byte:02x}" for byte in dump)
        line = f'A> BLPOP l m 0; Z: RESTORE l 0 "{quoted}"; A?; Z: RESTORE l 0 "{quoted}" REPLACE; Z: LRANGE l 0 -1'
        told.append(play(server, line))
    assert told[1] == told[0]


@pytest.mark.parametrize("how", ["UNBLOCK", "timeout", "push", "error"])
def test_a_command_that_waited_is_counted_once(pair: Pair, how: str) -> None:
    lines = {
        "UNBLOCK": "A> BLPOP l 0; Z: CLIENT UNBLOCK {A}; A?",
        "timeout": "A> BLPOP l 0.01; A?",
        "push": "A> BLPOP l m 0; Z: SET l x; Z: SET l y; Z: RPUSH m 1; Z: DEL l; Z: RPUSH l 1; A?",
        "error": "A> BLPOP l 0; Z: CLIENT UNBLOCK {A} ERROR; A?",
    }
    told = []
    for server in (pair.oracle, pair.aikv):
        play(server, "Z: CONFIG RESETSTAT")
        play(server, lines[how])
        ((_, said),) = play(server, "Z: INFO commandstats")
        found = re.search(rb"cmdstat_blpop:calls=(\d+)", said)
        assert found
        told.append(found[1])
    assert told == [b"1", b"1"]
