"""INFO has the oracle's sections and fields, in its order, and its figures are those of the process."""

import os
from pathlib import Path

import pytest

from oracle.pair import Pair
from oracle.process import ServerProcess

# Of the oracle's fields, those whose figures nothing in aikv could give: another allocator, a compiler, an expiry
# cycle with other measures.
LEFT_OUT = {
    "atomicvar_api",
    "gcc_version",
    "rss_overhead_ratio",
    "rss_overhead_bytes",
    "expired_stale_perc",
    "expired_time_cap_reached_count",
    "expire_cycle_cpu_milliseconds",
}


def sections(server: ServerProcess, *names: str) -> dict[str, dict[str, str]]:
    """Return INFO's sections with their fields, in order."""
    with server.connect() as connection:
        text = connection.command("INFO", *names).partition(b"\r\n")[2].decode()
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            fields = found.setdefault(line[2:], {})
        elif line:
            name, _, value = line.partition(":")
            fields[name] = value
    return found


def value(server: ServerProcess, section: str, field: str) -> str:
    """Return one field."""
    return sections(server, section)[section.capitalize()][field]


@pytest.mark.parametrize(
    "names", [[], ["default"], ["server", "keyspace"], ["Default", "commandstats"], ["latencystats"], ["cpu", "cpu"]]
)
def test_the_same_sections_are_shown_in_the_same_order(names: list[str], pair: Pair) -> None:
    for server in (pair.oracle, pair.aikv):
        with server.connect() as connection:
            connection.command("PING")
    assert list(sections(pair.aikv, *names)) == list(sections(pair.oracle, *names))


def test_all_shows_more_than_the_default(pair: Pair) -> None:
    theirs = list(sections(pair.oracle, "all"))
    assert list(sections(pair.aikv, "all")) == theirs
    assert list(sections(pair.aikv, "everything")) == theirs


@pytest.mark.parametrize(
    "name", ["Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Cluster"]
)
def test_a_section_has_the_oracles_fields_in_their_order(name: str, pair: Pair) -> None:
    theirs, ours = sections(pair.oracle, name)[name], sections(pair.aikv, name)[name]
    expected = [field for field in theirs if field not in LEFT_OUT and not field.startswith("allocator_")]
    assert [field for field in ours if field in theirs] == expected


def test_the_process_is_described_as_it_is(aikv_server: ServerProcess) -> None:
    server = sections(aikv_server, "server")["Server"]
    assert int(server["process_id"]) == aikv_server.pid
    assert int(server["tcp_port"]) == aikv_server.port
    assert server["redis_version"].startswith("7.2.")
    assert server["aikv_form"] in ("compiled", "pure")
    assert server["run_id"] == sections(aikv_server, "server")["Server"]["run_id"]
    assert len(server["run_id"]) == 40
    memory = sections(aikv_server, "memory")["Memory"]
    resident = int(Path(f"/proc/{aikv_server.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert abs(int(memory["used_memory"]) - resident) < 4 << 20
    assert int(memory["used_memory_peak"]) >= int(memory["used_memory"])


def test_counters_count(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        client.command("FLUSHALL")
        client.command("CONFIG", "RESETSTAT")
        client.command("SET", "a", "b")
        client.command("GET", "a")
        client.command("GET", "nosuch")
        client.command("INCR", "a")
        client.command("GET")
        client.command("NOSUCH")
    stats = sections(aikv_server, "stats")["Stats"]
    assert (stats["keyspace_hits"], stats["keyspace_misses"]) == ("1", "1")
    assert stats["total_error_replies"] == "3"
    assert sections(aikv_server, "errorstats")["Errorstats"] == {"errorstat_ERR": "count=3"}
    commands = sections(aikv_server, "commandstats")["Commandstats"]
    assert commands["cmdstat_get"].startswith("calls=2,")
    assert commands["cmdstat_get"].endswith(",rejected_calls=1,failed_calls=0")
    assert commands["cmdstat_incr"].startswith("calls=1,")
    assert commands["cmdstat_incr"].endswith(",rejected_calls=0,failed_calls=1")
    assert "cmdstat_config|resetstat" in commands


def test_the_keyspace_is_counted_by_database(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        client.command("FLUSHALL")
        client.command("SET", "a", "b", "EX", "1000")
        client.command("SET", "c", "d")
        client.command("SELECT", "7")
        client.command("SET", "a", "b")
    keyspace = sections(aikv_server, "keyspace")["Keyspace"]
    assert keyspace["db7"] == "keys=1,expires=0,avg_ttl=0"
    head, ttl = keyspace["db0"].rsplit("=", 1)
    assert head == "keys=2,expires=1,avg_ttl"
    assert 900_000 < int(ttl) <= 1_000_000


def test_clients_that_wait_and_clients_that_are_there_are_counted(aikv_server: ServerProcess) -> None:
    with aikv_server.connect(), aikv_server.connect():
        connected = int(value(aikv_server, "clients", "connected_clients"))
    assert connected >= 3


def test_subscriptions_are_counted(pair: Pair) -> None:
    names = ("pubsub_channels", "pubsub_patterns", "pubsubshard_channels")
    counted = []
    for server in (pair.oracle, pair.aikv):
        with server.connect(3) as first, server.connect(3) as second:
            first.command("SUBSCRIBE", "a")
            second.command("SUBSCRIBE", "a")
            second.command("SUBSCRIBE", "b")
            first.command("PSUBSCRIBE", "x*")
            second.command("SSUBSCRIBE", "s")
            stats = sections(server, "stats")["Stats"]
            counted.append([stats[name] for name in names])
    assert counted[1] == counted[0] == ["2", "1", "1"]


def test_subscribers_and_keys_waited_for_are_counted(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as subscriber, aikv_server.connect() as first, aikv_server.connect() as second:
        subscriber.command("SUBSCRIBE", "a")
        second.command("FLUSHALL")
        second.command("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
        first.send("BLPOP", "x", "y", "0")
        second.send("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">")
        while value(aikv_server, "clients", "blocked_clients") != "2":
            pass
        clients = sections(aikv_server, "clients")["Clients"]
        names = ("pubsub_clients", "total_blocking_keys", "total_blocking_keys_on_nokey")
        assert [clients[name] for name in names] == ["1", "3", "1"]
