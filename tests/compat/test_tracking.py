"""Client-side caching: what caching clients are told, and when, byte by byte as the oracle tells it.

Where Redis 7.2 and the oracle differ, see tests/engine/test_tracking.py.
"""

import pytest

from compat.every_type import SEQUENCES, steps_of
from oracle.conversation import converse
from oracle.pair import Pair
from oracle.process import ServerProcess
from oracle.wire import RawConnection

RESP3 = {"a": 3, "b": 3}
REDIRECTED = {"a": 2, "b": 2, "c": 3}

SELF_AND_OTHERS = [
    ["a: CLIENT TRACKING ON", "a: GET k", "b: SET k 1", "b: SET k 2", "a: GET k; GET j", "b: MSET k 1 j 2 l 3"],
    ["a: CLIENT TRACKING ON", "a: GET k", "a: SET k 1", "a: SET k 1"],
    ["a: CLIENT TRACKING ON", "a: GET k", "a: SET k 1; GET k; SET k 2; GET k"],
    ["a: CLIENT TRACKING ON", "a: MGET k j; EXISTS l; TYPE m; OBJECT ENCODING n", "b: MSET k 1 j 2 l 3 m 4 n 5"],
    ["a: CLIENT TRACKING ON", "a: HGET k f", "b: HSET k f v", "a: HGET k f; GET k", "b: DEL k"],
    ["a: CLIENT TRACKING ON", "a: APPEND k x; GETEX k; GETDEL k; INCR k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON", "a: GET", "a: NOSUCH k", "a: SCAN 0; KEYS *; RANDOMKEY; DBSIZE", "b: SET k 1"],
    ["a: CLIENT TRACKING ON", "b: LPUSH k x", "a: GET k", "b: DEL k"],
    ["a: CLIENT TRACKING ON", "a: GET k", "a: SELECT 3", "a: SET k 1"],
    ["a: CLIENT TRACKING ON", "a: GET k", "b: SELECT 3; SET k 1"],
    ["a: CLIENT TRACKING ON", "b: CLIENT TRACKING ON", "a: GET k", "b: GET k", "a: SET k 1", "a: GET k"],
    ["a: CLIENT TRACKING ON", "b: SET k 1", "a: GET k", "b: RENAME k j; GET j", "a: GET j; GET k", "b: COPY j k"],
    ["a: CLIENT TRACKING ON", "b: SET k 1", "a: GET k", "b: MOVE k 3", "b: SELECT 3; DEL k"],
    ["a: CLIENT TRACKING ON", "b: SET k 1", "a: GET k", "b: EXPIRE k 100", "a: TTL k", "b: PERSIST k"],
    ["a: CLIENT TRACKING ON", "b: RPUSH k 1 2", "a: LRANGE k 0 -1", "b: LTRIM k 0 -1", "a: LLEN k", "b: LREM k 0 9"],
    ["a: CLIENT TRACKING ON", "a: GETRANGE k 0 1; STRLEN k; BITCOUNT k; LCS k j", "b: SETRANGE k 1 x", "b: SET j 1"],
    [
        "a: CLIENT TRACKING ON",
        "a: SINTERCARD 2 k j; ZRANGE z 0 1; XRANGE x - +",
        "b: SADD j 1; ZADD z 1 1; XADD x 1-1 f v",
    ],
    ["a: CLIENT TRACKING ON", "a: GET k", "b: SET k v NX; SET k w NX", "a: GET k", "b: SETNX k 1; GETSET k 2"],
    ["a: CLIENT TRACKING ON", "b: SADD k 1", "a: SMEMBERS k", "b: SADD k 1; SREM k 2; SREM k 1"],
    [
        "a: CLIENT TRACKING ON",
        "a: XREAD STREAMS k 0",
        "b: XADD k 1-1 f v",
        "a: XREAD STREAMS k 0",
        "b: XGROUP CREATE k g 0",
    ],
]

TRANSACTIONS = [
    ["a: CLIENT TRACKING ON", "a: MULTI; GET k; GET j; EXEC", "b: SET k 1; SET j 1"],
    ["a: CLIENT TRACKING ON", "a: GET k; GET j", "a: MULTI; SET k 1; SET j 1; GET l; EXEC; PING", "b: SET l 1"],
    ["a: CLIENT TRACKING ON", "a: GET k", "b: MULTI; SET k 1; SET k 2; GET k; EXEC"],
    ["a: CLIENT TRACKING ON", "a: MULTI; GET k; DISCARD", "b: SET k 1"],
    ["a: CLIENT TRACKING ON", "a: MULTI; GET k; SET k 1; GET k; EXEC", "b: SET k 1"],
    ["a: CLIENT TRACKING ON", "a: WATCH k; MULTI; GET k; EXEC", "b: SET k 1"],
    ["a: CLIENT TRACKING ON", "a: GET k; MULTI; SET k 1; CLIENT TRACKING OFF; EXEC", "b: SET k 1"],
    ["a: CLIENT TRACKING ON", "a: GET k; MULTI; FLUSHALL; SET k 1; FLUSHDB; EXEC"],
]

MODES = [
    ["a: CLIENT TRACKING ON OPTIN", "a: GET k; CLIENT CACHING YES; GET j; GET l", "b: MSET k 1 j 1 l 1"],
    ["a: CLIENT TRACKING ON OPTOUT", "a: GET k; CLIENT CACHING NO; GET j; GET l", "b: MSET k 1 j 1 l 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; MULTI; GET k; GET j; EXEC; GET l", "b: MSET k 1 j 1 l 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: MULTI; GET k; CLIENT CACHING YES; GET j; EXEC; GET l", "b: MSET k 1 j 1 l 1"],
    ["a: CLIENT TRACKING ON OPTOUT", "a: CLIENT CACHING NO; MULTI; GET k; EXEC; GET l", "b: MSET k 1 j 1 l 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; MULTI; GET k; DISCARD; GET l", "b: MSET k 1 j 1 l 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; CLIENT GETNAME; CLIENT NO-EVICT off; GET k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; CLIENT SETNAME; GET k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; CLIENT NOSUCH; GET k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; NOSUCH; GET k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; GET; GET k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; SET x 1; GET k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON OPTIN", "a: CLIENT CACHING YES; PING; GET k", "b: SET k 1"],
    ["a: CLIENT TRACKING ON NOLOOP", "a: GET k; SET k 1", "b: SET k 2", "a: GET k", "b: SET k 3", "a: GET k; FLUSHALL"],
    ["a: CLIENT TRACKING ON NOLOOP", "a: GET k; MULTI; SET k 1; EXEC; GET k", "b: DEL k"],
    ["a: CLIENT TRACKING ON", "a: GET k; CLIENT TRACKING OFF", "b: SET k 1", "a: CLIENT TRACKING ON", "b: SET k 2"],
    ["a: CLIENT TRACKING ON", "a: GET k; CLIENT TRACKING OFF; CLIENT TRACKING ON", "b: SET k 1"],
    [
        "a: CLIENT TRACKING ON",
        "a: GET k; CLIENT TRACKING OFF; CLIENT TRACKING ON BCAST PREFIX x",
        "b: SET k 1; SET x 1",
    ],
    ["a: CLIENT TRACKING ON", "a: GET k; RESET; HELLO 3", "b: SET k 1", "a: CLIENT TRACKING ON", "b: SET k 2"],
    ["a: CLIENT TRACKING ON", "a: GET k; HELLO 2", "b: SET k 1", "a: GET k; HELLO 3", "b: SET k 2"],
    [
        "a: CLIENT TRACKING ON",
        "a: GET k; GET j",
        "b: FLUSHDB",
        "b: SET k 1; FLUSHALL",
        "b: SWAPDB 0 1",
        "b: SELECT 3; FLUSHDB",
    ],
    ["a: CLIENT TRACKING ON", "b: SET k 1", "a: GET k", "b: SWAPDB 0 1"],
    ["a: CLIENT TRACKING ON", "b: SET k 1", "a: GET k", "b: DEBUG RELOAD", "b: SET k 1"],
]

EXPIRED = [
    ["a: CLIENT TRACKING ON", "b: SET k 1 PX 30", "a: GET k", "wait: k"],
    ["a: CLIENT TRACKING ON NOLOOP", "b: SET k 1 PX 30", "a: GET k", "wait: k"],
    ["a: CLIENT TRACKING ON BCAST NOLOOP", "b: SET k 1 PX 30", "wait: k"],
    ["a: CLIENT TRACKING ON BCAST", "b: SET k 1; DEBUG SLEEP 0.001; EXPIRE k -1", "a: GET k"],
    ["a: CLIENT TRACKING ON", "b: SET k 1", "a: GET k", "b: EXPIRE k -1", "b: SET k 1"],
    [
        "b: DEBUG SET-ACTIVE-EXPIRE 0",
        "a: CLIENT TRACKING ON",
        "b: SET k 1 PX 20",
        "a: GET k",
        "b: DEBUG SLEEP 0.05",
        "a: GET k; GET k",
        "b: SET k 1",
        "b: DEBUG SET-ACTIVE-EXPIRE 1",
    ],
    [
        "b: DEBUG SET-ACTIVE-EXPIRE 0",
        "a: CLIENT TRACKING ON NOLOOP",
        "b: SET k 1 PX 20",
        "a: GET k",
        "b: DEBUG SLEEP 0.05",
        "a: GET k; GET k",
        "b: SET k 1",
        "b: DEBUG SET-ACTIVE-EXPIRE 1",
    ],
]

BROADCAST = [
    ["a: CLIENT TRACKING ON BCAST", "b: SET k 1; SET a 1; SET k 2; DEL a", "b: GET k", "b: DEL k", "b: DEL k"],
    [
        "a: CLIENT TRACKING ON BCAST PREFIX x: PREFIX ab",
        "b: SET x:2 1; SET x:1 1; SET y 1; SET ab 1; SET a 1",
        "b: SET abc 1",
    ],
    ["a: CLIENT TRACKING ON BCAST PREFIX x: PREFIX ab", "a: SET x:2 1; SET x:1 1; SET y 1; SET ab 1; SET a 1"],
    ["a: CLIENT TRACKING ON BCAST PREFIX x", "b: CLIENT TRACKING ON BCAST", "b: SET x 1", "a: SET y 1", "a: SET xx 1"],
    [
        "a: CLIENT TRACKING ON BCAST PREFIX x",
        "a: CLIENT TRACKING ON BCAST",
        "b: SET xy 1; SET z 1",
        "a: CLIENT TRACKINGINFO",
    ],
    [
        "a: CLIENT TRACKING ON BCAST PREFIX x",
        "a: CLIENT TRACKING OFF",
        "b: SET xy 1",
        "a: CLIENT TRACKING ON BCAST",
        "b: SET xy 2",
    ],
    [
        "a: CLIENT TRACKING ON BCAST NOLOOP",
        "a: SET k 1; SET j 1",
        "b: SET k 2",
        "a: MULTI; SET k 1; EXEC",
        "b: FLUSHALL",
    ],
    ["a: CLIENT TRACKING ON BCAST NOLOOP", "b: CLIENT TRACKING ON BCAST NOLOOP", "a: SET k 1", "b: SET j 1"],
    ["a: CLIENT TRACKING ON BCAST", "b: MULTI; SET k 1; SET j 1; FLUSHALL; EXEC", "b: FLUSHDB", "b: SELECT 3; SET x 1"],
    ["a: CLIENT TRACKING ON BCAST PREFIX ''", "b: SET '' 1; SET k 1"],
    ["a: CLIENT TRACKING ON BCAST", "a: RESET; HELLO 3", "b: SET k 1"],
    ["a: CLIENT TRACKING ON BCAST", "b: SET k 1 PX 30", "wait: k"],
    ["a: CLIENT TRACKING ON BCAST", "b: ~CLIENT REPLY SKIP; SET k 1", "b: PING"],
]

QUIET = [
    ["a: CLIENT TRACKING ON", "a: GET k", "a: ~CLIENT REPLY OFF; SET k 1; GET k", "a: CLIENT REPLY ON", "b: SET k 2"],
    ["a: CLIENT TRACKING ON", "a: GET k", "a: ~CLIENT REPLY SKIP; SET k 1", "a: PING"],
    [
        "a: CLIENT TRACKING ON",
        "a: GET k",
        "a: ~CLIENT REPLY OFF; MULTI; SET k 1; GET k; EXEC",
        "a: CLIENT REPLY ON",
        "b: SET k 2",
    ],
    ["a: ~CLIENT REPLY OFF; SUBSCRIBE ch", "a: CLIENT REPLY ON", "b: PUBLISH ch x"],
]

REDIRECTS = [
    [
        "b: SUBSCRIBE __redis__:invalidate",
        "a: CLIENT TRACKING ON REDIRECT {b}",
        "a: GET k",
        "c: SET k 1",
        "a: GET k; SET k 2; FLUSHALL",
    ],
    ["b: SSUBSCRIBE other", "a: CLIENT TRACKING ON REDIRECT {b}", "a: GET k", "c: SET k 1"],
    [
        "a: CLIENT TRACKING ON REDIRECT {b}",
        "a: GET k",
        "c: SET k 1",
        "b: SUBSCRIBE x",
        "a: GET k",
        "c: SET k 2",
        "b: UNSUBSCRIBE",
    ],
    [
        "b: SUBSCRIBE x",
        "a: CLIENT TRACKING ON REDIRECT {b} BCAST PREFIX k PREFIX j",
        "c: MSET k2 1 k1 1 l 1 j1 1",
        "a: SET k 1",
    ],
    ["b: SUBSCRIBE x", "a: CLIENT TRACKING ON REDIRECT {b} NOLOOP", "a: GET k; SET k 1; GET k", "c: SET k 1"],
    ["a: CLIENT TRACKING ON REDIRECT {c}", "a: GET k", "b: SET k 1", "a: CLIENT TRACKINGINFO", "a: GET k; SET k 1"],
    [
        "b: SUBSCRIBE x",
        "c: CLIENT TRACKING ON REDIRECT {b}",
        "c: GET k; SET k 1",
        "c: CLIENT TRACKING ON",
        "c: GET k; SET k 1",
    ],
    ["c: CLIENT TRACKING ON REDIRECT {c}", "c: GET k", "a: SET k 1", "c: GET k; SET k 1", "c: CLIENT TRACKINGINFO"],
    ["a: CLIENT TRACKING ON REDIRECT {a}", "a: GET k", "b: SET k 1", "a: GET k; SET k 1"],
    [
        "c: CLIENT TRACKING ON REDIRECT {b}",
        "b: close",
        "c: CLIENT TRACKINGINFO",
        "c: GET k",
        "a: SET k 1",
        "c: CLIENT TRACKINGINFO",
    ],
    [
        "c: CLIENT TRACKING ON REDIRECT {b}",
        "b: close",
        "c: GET k; SET k 1; FLUSHALL; CLIENT TRACKING ON; CLIENT TRACKINGINFO",
    ],
    [
        "c: CLIENT TRACKING ON REDIRECT {b} BCAST",
        "b: close",
        "c: SET k 1",
        "c: CLIENT TRACKINGINFO",
        "c: CLIENT TRACKING OFF",
    ],
    ["a: CLIENT TRACKING ON REDIRECT {b}", "b: close", "a: GET k", "c: SET k 1", "a: CLIENT TRACKINGINFO"],
    [
        "a: CLIENT TRACKING ON REDIRECT {b}",
        "b: close",
        "a: CLIENT TRACKING ON REDIRECT {b}",
        "a: CLIENT TRACKING OFF REDIRECT {b}",
    ],
    ["a: CLIENT TRACKING ON REDIRECT {b} REDIRECT {c}", "a: CLIENT TRACKINGINFO"],
    ["a: CLIENT TRACKING ON REDIRECT {c}", "a: CLIENT TRACKING ON REDIRECT {b}", "a: CLIENT TRACKINGINFO"],
]


def check(pair: Pair, protocols: dict[str, int], lines: list[str]) -> None:
    """Assert that all clients are sent the same by both servers."""
    theirs = converse(pair.oracle, protocols, lines)
    ours = converse(pair.aikv, protocols, lines)
    for name, expected in theirs.items():
        assert ours[name] == expected, name


def identify(lines: list[str]) -> str:
    return " / ".join(lines)


@pytest.mark.parametrize("lines", SELF_AND_OTHERS, ids=identify)
def test_who_has_read_a_key_is_told_once_when_it_changes(lines: list[str], pair: Pair) -> None:
    check(pair, RESP3, lines)


@pytest.mark.parametrize("lines", TRANSACTIONS, ids=identify)
def test_messages_do_not_come_between_the_replies_of_a_transaction(lines: list[str], pair: Pair) -> None:
    check(pair, RESP3, lines)


@pytest.mark.parametrize("lines", MODES, ids=identify)
def test_modes_say_what_is_remembered_and_who_is_told(lines: list[str], pair: Pair) -> None:
    check(pair, RESP3, lines)


@pytest.mark.parametrize("lines", EXPIRED, ids=identify)
def test_a_key_that_runs_out_has_changed(lines: list[str], pair: Pair) -> None:
    check(pair, RESP3, lines)


@pytest.mark.parametrize("lines", BROADCAST, ids=identify)
def test_changes_below_a_prefix_are_told_together_at_the_end_of_a_turn(lines: list[str], pair: Pair) -> None:
    check(pair, RESP3, lines)


@pytest.mark.parametrize("text", SEQUENCES.values(), ids=SEQUENCES)
def test_every_command_tells_of_the_keys_that_it_has_changed(text: str, pair: Pair) -> None:
    lines = ["a: CLIENT TRACKING ON BCAST", "b: DEBUG SET-ACTIVE-EXPIRE 0"]
    lines += [f"b: {step}" for step in steps_of(text)]
    lines.append("b: DEBUG SET-ACTIVE-EXPIRE 1")
    theirs = converse(pair.oracle, {"a": 3, "b": 2}, lines)["a"]
    assert converse(pair.aikv, {"a": 3, "b": 2}, lines)["a"] == theirs
    assert len(theirs) > 5


@pytest.mark.parametrize("lines", QUIET, ids=identify)
def test_messages_are_no_replies_that_could_be_turned_off(lines: list[str], pair: Pair) -> None:
    check(pair, RESP3, lines)


@pytest.mark.parametrize("lines", REDIRECTS, ids=identify)
def test_messages_can_go_to_another_client_in_either_protocol(lines: list[str], pair: Pair) -> None:
    check(pair, REDIRECTED, lines)


def words(reply: bytes, separator: str) -> dict[str, str]:
    """Return the `name=value` or `name:value` pairs of a text."""
    return dict(word.split(separator, 1) for word in reply.decode().split() if separator in word)


def figures(asked: RawConnection) -> list[str]:
    """Return what INFO tells of caching clients."""
    told = words(asked.command("INFO", "stats"), ":")
    names = ("tracking_total_keys", "tracking_total_items", "tracking_total_prefixes")
    return [told[name] for name in names] + [words(asked.command("INFO", "clients"), ":")["tracking_clients"]]


def play_for_figures(server: ServerProcess) -> list[list[str]]:
    """Let some clients track; returns the figures in between."""
    seen = []
    with server.connect(3) as first, server.connect(3) as second, server.connect(3) as third:
        third.command("FLUSHALL")
        first.command("CLIENT", "TRACKING", "ON")
        second.command("CLIENT", "TRACKING", "ON")
        first.command("MGET", "k", "j", "k")
        second.command("GET", "k")
        seen.append(figures(third))
        third.command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b")
        third.command("GET", "x")
        seen.append(figures(third))
        first.command("CLIENT", "TRACKING", "OFF")
        seen.append(figures(third))
        third.command("SET", "k", "1")
        seen.append(figures(third))
        third.command("CLIENT", "TRACKING", "OFF")
        second.command("RESET")
        seen.append(figures(third))
        third.command("FLUSHALL")
        seen.append(figures(third))
    return seen


def test_info_counts_clients_keys_and_prefixes(pair: Pair) -> None:
    assert play_for_figures(pair.aikv) == play_for_figures(pair.oracle)


def play_for_lines(server: ServerProcess) -> list[tuple[str, bool]]:
    """Let a client track in several modes; returns the flags of its line, and whether it redirects to the other."""
    seen = []
    other = server.connect(3)
    number = other.command("CLIENT", "ID")[1:-2].decode()
    with server.connect(3) as client, server.connect() as changer:
        for options in (["ON"], ["ON", "REDIRECT", number], ["OFF"], ["ON", "BCAST", "REDIRECT", number]):
            client.command("CLIENT", "TRACKING", *options)
            line = words(client.command("CLIENT", "INFO"), "=")
            seen.append((line["flags"], line["redir"] == number, line["redir"] in ("0", "-1")))
        other.close()
        while changer.command("CLIENT", "LIST", "ID", number) != b"$0\r\n\r\n":
            pass
        changer.command("SET", "k", "1")
        assert b"tracking-redir-broken" in client.read_reply()
        line = words(client.command("CLIENT", "INFO"), "=")
        seen.append((line["flags"], line["redir"] == number, False))
        client.command("RESET")
        line = words(client.command("CLIENT", "INFO"), "=")
        seen.append((line["flags"], line["redir"] == "-1", False))
    return [(flags, redirects or none) for flags, redirects, none in seen]


def test_a_clients_line_tells_that_it_tracks(pair: Pair) -> None:
    theirs = play_for_lines(pair.oracle)
    assert play_for_lines(pair.aikv) == theirs
    assert [flags for flags, _ in theirs] == ["t", "t", "N", "tB", "tRB", "N"]


def play_for_limit(server: ServerProcess) -> tuple[int, list[str]]:
    """Read more keys than may be remembered; returns how many messages came of it, and the figures."""
    with server.connect(3) as client:
        client.command("FLUSHALL")
        client.command("CLIENT", "TRACKING", "ON")
        client.command("CONFIG", "SET", "tracking-table-max-keys", "10")
        client.command("MGET", *[f"key{number}" for number in range(60)])
        told = 0
        client.send("PING")
        while client.read_reply() != b"+PONG\r\n":
            told += 1
        seen = figures(client)
        client.command("CONFIG", "SET", "tracking-table-max-keys", "1000000")
    return told, seen


def test_keys_beyond_the_limit_are_given_up(pair: Pair) -> None:
    theirs = play_for_limit(pair.oracle)
    assert play_for_limit(pair.aikv) == theirs
    assert theirs == (50, ["10", "10", "0", "1"])
