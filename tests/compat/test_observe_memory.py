"""MEMORY: the oracle's forms; the figures are those of the process and of aikv's own structures."""

from typing import Any

import hiredis
import pytest

from oracle.pair import Pair
from oracle.process import ServerProcess

# Requests that make a small and a large value of each type.
VALUES: dict[str, tuple[list[str], list[str]]] = {
    "string": (["SET", "k", "x"], ["SET", "k", "x" * 100_000]),
    "list": (["RPUSH", "k", "x"], ["RPUSH", "k", *(f"element:{number}" for number in range(5000))]),
    "set": (["SADD", "k", "x"], ["SADD", "k", *(f"element:{number}" for number in range(5000))]),
    "intset": (["SADD", "k", "1"], ["SADD", "k", *(str(number) for number in range(400))]),
    "hash": (["HSET", "k", "f", "x"], ["HSET", "k", *(f"element:{number}" for number in range(10_000))]),
    "zset": (["ZADD", "k", "1", "x"], ["ZADD", "k", *(f"{number // 2}" for number in range(20_000))]),
    "stream": (["XADD", "k", "1-1", "f", "x"], ["XADD", "k", "1-1", "f", "x" * 50_000]),
}


def ask(server: ServerProcess, protocol: int, *argv: str) -> Any:
    """Return the value of one reply."""
    reader = hiredis.Reader()
    with server.connect(protocol) as connection:
        reader.feed(connection.command(*argv))
    return reader.gets()


def usage(server: ServerProcess, request: list[str], *options: str) -> int:
    """Return MEMORY USAGE of the key that `request` makes."""
    ask(server, 2, "DEL", "k")
    ask(server, 2, *request)
    found: int = ask(server, 2, "MEMORY", "USAGE", "k", *options)
    return found


@pytest.mark.parametrize("name", VALUES)
def test_a_value_takes_the_room_that_its_contents_need(name: str, aikv_server: ServerProcess) -> None:
    small, large = VALUES[name]
    needed = sum(len(word) for word in large[2:])
    assert 32 < usage(aikv_server, small) < 4000
    # Integers of 16 bits need less than their texts.
    assert needed // 2 < usage(aikv_server, large, "SAMPLES", "0") < 4000 + 60 * needed
    assert usage(aikv_server, large) == pytest.approx(usage(aikv_server, large, "SAMPLES", "0"), rel=0.4)


def test_a_time_to_live_takes_room(aikv_server: ServerProcess) -> None:
    without = usage(aikv_server, ["SET", "k", "x"])
    assert usage(aikv_server, ["SET", "k", "x", "EX", "1000"]) > without + 32


def test_groups_and_their_pending_entries_take_room(aikv_server: ServerProcess) -> None:
    without = usage(aikv_server, ["XADD", "k", "1-1", "f", "x"])
    with aikv_server.connect() as client:
        for number in range(2, 300):
            client.command("XADD", "k", f"{number}-1", "f", "x")
        client.command("XGROUP", "CREATE", "k", "g", "0")
        before = int(client.command("MEMORY", "USAGE", "k")[1:])
        client.command("XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">")
        after = int(client.command("MEMORY", "USAGE", "k")[1:])
    assert without < before < after - 299 * 40


@pytest.mark.parametrize("protocol", [2, 3])
def test_stats_have_the_oracles_fields_in_its_order_and_types(protocol: int, pair: Pair) -> None:
    found: list[dict[bytes, Any]] = []
    for server in (pair.oracle, pair.aikv):
        ask(server, 2, "FLUSHALL")
        ask(server, 2, "SET", "k", "v", "EX", "1000")
        reply = ask(server, protocol, "MEMORY", "STATS")
        stats = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
        found.append(stats)
    theirs, ours = found
    assert list(ours) == list(theirs)
    assert {name: type(value) for name, value in ours.items()} == {name: type(value) for name, value in theirs.items()}
    database = ours[b"db.0"]
    assert list(database)[:: 1 if protocol == 3 else 2] == list(theirs[b"db.0"])[:: 1 if protocol == 3 else 2]


def test_stats_add_up(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        client.command("FLUSHALL")
        client.command("DEBUG", "POPULATE", "10000", "key", "1000")
    stats = ask(aikv_server, 3, "MEMORY", "STATS")
    assert stats[b"keys.count"] == 10_000
    assert stats[b"peak.allocated"] >= stats[b"total.allocated"] > stats[b"startup.allocated"]
    assert stats[b"dataset.bytes"] == stats[b"total.allocated"] - stats[b"overhead.total"]
    assert stats[b"dataset.bytes"] > 10_000 * 1000
    assert stats[b"keys.bytes-per-key"] > 1000
    table = stats[b"db.0"][b"overhead.hashtable.main"]
    assert stats[b"overhead.total"] > stats[b"startup.allocated"] + table
    assert 10_000 * 24 < table < 10_000 * 200
    info = ask(aikv_server, 2, "INFO", "memory")
    assert b"used_memory_overhead:" in info
    ask(aikv_server, 2, "FLUSHALL")
    assert ask(aikv_server, 3, "MEMORY", "STATS")[b"keys.count"] == 0
