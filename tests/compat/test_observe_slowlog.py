"""What SLOWLOG keeps of requests is what the oracle keeps: which commands, how shortened, without which words."""

from typing import Any

import hiredis

from oracle.pair import Pair
from oracle.process import ServerProcess
from oracle.wire import RawConnection

REQUESTS: list[list[str]] = [
    ["CLIENT", "SETNAME", "me"],
    ["SET", "k", "x" * 128],
    ["SET", "k", "x" * 129],
    ["set", "k", "x" * 5000],
    ["RPUSH", "l", *(str(number) for number in range(30))],
    ["RPUSH", "l", *(str(number) for number in range(31))],
    ["RPUSH", "l", *("y" * 200 for number in range(60))],
    ["GET"],
    ["NOSUCH", "x"],
    ["INCR", "k"],
    ["MULTI"],
    ["INCR", "n"],
    ["GET"],
    ["DISCARD"],
    ["EXEC"],
    ["AUTH", "secret"],
    ["AUTH", "user", "secret"],
    ["AUTH", "user", "secret", "more"],
    ["HELLO", "2", "AUTH", "user", "secret", "SETNAME", "x"],
    ["HELLO", "2", "SETNAME", "me", "AUTH", "user", "secret"],
    ["HELLO", "2", "AUTH", "user", "secret", "FOO"],
    ["HELLO", "2", "FOO", "AUTH", "user", "secret"],
    ["CONFIG", "SET", "masterauth", "secret"],
    ["config", "set", "Masterauth", "", "maxclients", "10000"],
    ["CONFIG", "SET", "maxclients", "10000", "masterauth", "secret", "nosuch", "x"],
    ["CONFIG", "SET", "masterauth", ""],
    ["CONFIG", "GET", "nosuch"],
    ["MIGRATE", "h", "1", "nosuch", "0", "10", "AUTH", "secret"],
    ["MIGRATE", "h", "1", "", "0", "10", "copy", "auth2", "user", "secret", "KEYS", "nosuch", "AUTH", "x"],
    ["MIGRATE", "h", "1", "nosuch", "0", "10", "AUTH", "AUTH", "REPLACE", "AUTH2", "AUTH2", "AUTH2"],
    ["MIGRATE", "h", "1", "nosuch", "0", "10", "AUTH", "secret", "FOO", "AUTH", "shown"],
    ["MIGRATE", "h", "1", "nosuch", "0", "10", "AUTH2", "user"],
    ["BLPOP", "nosuch", "0.01"],
    ["FLUSHALL"],
    ["SLOWLOG", "RESET"],
    ["PING"],
]


def kept(connection: RawConnection) -> list[Any]:
    """Return requests and client names, oldest first."""
    reader = hiredis.Reader()
    reader.feed(connection.command("SLOWLOG", "GET", "-1"))
    entries: list[Any] = reader.gets()
    assert all(entry[2] >= 0 for entry in entries)
    numbers = [entry[0] for entry in entries]
    assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
    return [(entry[3], entry[5]) for entry in reversed(entries)]


def log_of(server: ServerProcess, requests: list[list[str]]) -> list[Any]:
    """Run `requests` on an empty log that takes everything; returns what is kept, before each SLOWLOG RESET as well."""
    found: list[Any] = []
    with server.connect() as asking, server.connect() as client:
        asking.command("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "1000")
        asking.command("SLOWLOG", "RESET")
        for request in requests:
            if request[0] == "SLOWLOG":
                found += kept(asking)
            client.command(*request)
        found += kept(asking)
        asking.command("CONFIG", "SET", "slowlog-log-slower-than", "10000", "slowlog-max-len", "128")
        asking.command("SLOWLOG", "RESET")
    return found


def test_the_same_requests_are_kept_in_the_same_words(pair: Pair) -> None:
    assert log_of(pair.aikv, REQUESTS) == log_of(pair.oracle, REQUESTS)


def test_commands_of_a_transaction_are_kept_and_exec_is_not(pair: Pair) -> None:
    requests = [["MULTI"], ["SET", "a", "b"], ["BLPOP", "nosuch", "1"], ["PING", "x"], ["EXEC"]]
    theirs = log_of(pair.oracle, requests)
    assert log_of(pair.aikv, requests) == theirs
    assert [b"EXEC"] not in [argv for argv, _ in theirs]


def waited(server: ServerProcess) -> list[tuple[list[bytes], int]]:
    """Let a client wait for a list; returns requests and durations, oldest first."""
    with server.connect() as asking, server.connect() as waiting:
        asking.command("DEL", "queue")
        asking.command("CONFIG", "SET", "slowlog-log-slower-than", "0")
        number = waiting.command("CLIENT", "ID")[1:-2]
        asking.command("SLOWLOG", "RESET")
        waiting.send("BLPOP", "queue", "0")
        while b"flags=b" not in asking.command("CLIENT", "LIST", "ID", number):
            pass
        asking.command("DEBUG", "SLEEP", "0.2")
        asking.command("RPUSH", "queue", "x")
        assert waiting.read_reply() == b"*2\r\n$5\r\nqueue\r\n$1\r\nx\r\n"
        reader = hiredis.Reader()
        reader.feed(asking.command("SLOWLOG", "GET", "-1"))
        asking.command("CONFIG", "SET", "slowlog-log-slower-than", "10000")
        asking.command("SLOWLOG", "RESET")
        entries: list[Any] = reader.gets()
    listed = (b"CLIENT", b"SLOWLOG")
    return [(entry[3], entry[2]) for entry in reversed(entries) if entry[3][0] not in listed]


def test_a_command_that_waited_is_kept_once_it_is_served_and_without_the_time_of_waiting(pair: Pair) -> None:
    theirs, ours = waited(pair.oracle), waited(pair.aikv)
    assert [argv for argv, _ in ours] == [argv for argv, _ in theirs]
    assert [argv[0] for argv, _ in ours] == [b"DEBUG", b"RPUSH", b"BLPOP"]
    assert ours[-1][1] < 200_000


def test_a_command_that_waited_is_counted_once(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as asking, aikv_server.connect() as waiting:
        asking.command("DEL", "queue")
        asking.command("CONFIG", "RESETSTAT")
        number = waiting.command("CLIENT", "ID")[1:-2]
        waiting.command("BLPOP", "queue", "0.001")
        waiting.send("BLPOP", "queue", "0")
        while b"flags=b" not in asking.command("CLIENT", "LIST", "ID", number):
            pass
        asking.command("RPUSH", "queue", "x")
        waiting.read_reply()
        text = asking.command("INFO", "commandstats", "latencystats")
        assert b"cmdstat_blpop:calls=2," in text
        assert b"latency_percentiles_usec_blpop:" in text


def test_an_entry_names_the_client_by_address_and_name(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        client.command("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client.command("CLIENT", "SETNAME", "named")
        client.command("PING")
        info = dict(word.split(b"=", 1) for word in client.command("CLIENT", "INFO").split(b"\r\n")[1].split())
        reader = hiredis.Reader()
        reader.feed(client.command("SLOWLOG", "GET", "2"))
        client.command("CONFIG", "SET", "slowlog-log-slower-than", "10000")
        client.command("SLOWLOG", "RESET")
    entries: list[Any] = reader.gets()
    assert [entry[3] for entry in entries] == [[b"CLIENT", b"INFO"], [b"PING"]]
    assert entries[1][4:] == [info[b"addr"], b"named"]
