"""WATCH: what spoils a transaction, and that nothing of it is left behind."""

import pytest

from aikv.engine.client import Client
from aikv.engine.client_life import disconnect
from served import Served

NULL = b"*-1\r\n"
DONE = b"*1\r\n+PONG\r\n"


def transaction(served: Served, client: Client | None = None) -> bytes:
    served.run("MULTI", client=client)
    served.run("PING", client=client)
    return served.run("EXEC", client=client)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("SET a 2", NULL),
        ("APPEND a x", NULL),
        ("DEL a", NULL),
        ("EXPIRE a 10", NULL),
        ("EXPIRE a -1", NULL),
        ("PERSIST a", NULL),
        ("RENAME a b", NULL),
        ("RENAME other a", NULL),
        ("COPY other a REPLACE", NULL),
        ("MOVE a 1", NULL),
        ("FLUSHALL", NULL),
        ("FLUSHDB", NULL),
        ("SWAPDB 0 1", NULL),
        ("SWAPDB 1 0", NULL),
        ("GET a", DONE),
        ("SET other 2", DONE),
        ("SET a 2 NX", DONE),
        ("COPY a b", DONE),
        ("TOUCH a", DONE),
        ("SWAPDB 1 2", DONE),
        ("SWAPDB 0 0", DONE),
        ("RENAME a a", DONE),
    ],
)
def test_what_changes_a_watched_key_and_what_does_not(line: str, answer: bytes) -> None:
    served = Served()
    served.run("SET a 1 EX 100")
    served.run("SET other 1")
    served.run("WATCH a")
    served.run(line, client=served.connect())
    assert transaction(served) == answer


@pytest.mark.parametrize("line", ["FLUSHALL", "FLUSHDB", "SWAPDB 0 1", "DEL a", "EXPIRE a 10"])
def test_a_key_that_was_never_there_is_not_changed_by_what_removes_it(line: str) -> None:
    served = Served()
    served.run("WATCH a")
    served.run(line, client=served.connect())
    assert transaction(served) == DONE


def test_a_key_that_runs_out_between_watch_and_exec_spoils_the_transaction_though_nobody_looked() -> None:
    served = Served()
    served.run("SET a 1 PX 10")
    served.run("WATCH a")
    served.advance(20)
    assert len(served.engine.databases[0]) == 1
    assert transaction(served) == NULL


@pytest.mark.parametrize("line", ["GET a", "FLUSHALL", "DEL a", "PING", "SWAPDB 0 1"])
def test_a_key_that_had_run_out_at_watch_may_be_removed_without_spoiling(line: str) -> None:
    served = Served()
    served.run("SET a 1 PX 10")
    served.advance(20)
    served.run("WATCH a")
    served.run(line)
    assert transaction(served) == DONE


@pytest.mark.parametrize("line", ["SET a 2", "SETNX a 2"])
def test_a_key_that_had_run_out_at_watch_and_comes_back_spoils(line: str) -> None:
    served = Served()
    served.run("SET a 1 PX 10")
    served.advance(20)
    served.run("WATCH a")
    served.run(line)
    assert transaction(served) == NULL


def test_an_expired_key_in_place_of_no_key_is_no_change_until_it_is_overwritten() -> None:
    served = Served()
    served.run("SELECT 1")
    served.run("SET a 1 PX 10")
    served.run("SELECT 0")
    served.advance(20)
    served.run("WATCH a")
    served.run("SWAPDB 0 1")
    served.run("SWAPDB 0 1")
    served.run("SWAPDB 0 1")
    assert transaction(served) == DONE
    served.run("WATCH a")
    served.run("SET a 1")
    assert transaction(served) == NULL


def test_unwatch_exec_and_discard_end_the_watch() -> None:
    for ending in (["UNWATCH"], ["MULTI", "DISCARD"], ["MULTI", "EXEC"]):
        served = Served()
        served.run("WATCH a b")
        for line in ending:
            served.run(line)
        served.run("SET a 1")
        assert transaction(served) == DONE
        assert served.engine.databases[0].watched == {}


def test_a_client_that_leaves_is_watched_for_no_more() -> None:
    served = Served()
    other = served.connect()
    served.run("WATCH a b", client=other)
    served.run("WATCH b")
    disconnect(served.engine, other)
    assert list(served.engine.databases[0].watched) == [b"b"]
    served.run("SET b 1")
    assert transaction(served) == NULL


def test_a_watch_is_of_one_database() -> None:
    served = Served()
    served.run("WATCH a")
    served.run("SELECT 1")
    served.run("SET a 1")
    served.run("SELECT 0")
    assert transaction(served) == DONE
    served.run("WATCH a")
    served.run("SELECT 1")
    served.run("WATCH a")
    served.run("SET a 2")
    assert transaction(served) == NULL
    assert served.engine.databases[1].watched == {}


def test_clients_that_are_not_listed_watch_too() -> None:
    served = Served()
    inside = served.connect(internal=True)
    served.run("WATCH a", client=inside)
    served.run("SET a 1")
    assert transaction(served, inside) == NULL


def test_every_client_that_watches_a_key_is_spoiled() -> None:
    served = Served()
    clients = [served.connect() for _ in range(3)]
    for client in clients:
        served.run("WATCH a a", client=client)
    served.run("SET a 1")
    assert [transaction(served, client) for client in clients] == [NULL] * 3


def test_a_spoiled_client_need_not_watch_more() -> None:
    served = Served()
    served.run("WATCH a")
    served.run("SET a 1")
    served.run("WATCH b")
    assert list(served.engine.databases[0].watched) == [b"a"]
    assert transaction(served) == NULL
