"""The log is rewritten, switched on and off and read again while the server runs, and nothing is lost."""

import signal

import pytest

from conftest import StartServer
from crash.waiting import info, wait_for_children, wait_until
from crash.writers import Writer, check_all, fill
from oracle.process import AIKV, REDIS, ServerProcess
from oracle.wire import pack

DEBUG = ("--enable-debug-command", "yes")
LOGGED = ("--appendonly", "yes", "--save", "", "--auto-aof-rewrite-percentage", "0", *DEBUG)
VOLATILE = ("--appendonly", "no", "--save", "", *DEBUG)


def digest(server: ServerProcess) -> bytes:
    """DEBUG DIGEST: one number for the whole dataset."""
    with server.connect() as connection:
        reply = connection.command("DEBUG", "DIGEST")
    assert len(reply) == 43, reply
    return reply


def some_data(server: ServerProcess) -> None:
    """Keys in two databases, one with a time to live."""
    with server.connect() as connection:
        fill(connection, "key", 300, 50)
        connection.command("SET", "timed", "x", "EX", "5000")
        connection.command("INCR", "count")
        connection.command("SELECT", "7")
        connection.command("APPEND", "other", "text")


def test_rewrites_under_load_lose_nothing(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED, "--appendfsync", "everysec")
    writers = [Writer(f"w{index}") for index in range(2)]
    for writer in writers:
        writer.start(server)
    with server.connect() as connection:
        for _ in range(4):
            # In one piece, so that the child cannot have ended before the second is read.
            connection.send_raw(pack([b"BGREWRITEAOF"]) * 2)
            assert b"started" in connection.read_reply()
            assert connection.read_reply().startswith(b"-ERR Background append only file rewriting already")
            wait_for_children(connection)
            assert info(connection, "aof_last_bgrewrite_status") == "ok"
    left = ["appendonly.aof.5.base.rdb", "appendonly.aof.5.incr.aof", "appendonly.aof.manifest"]
    folder = server.folder / "appendonlydir"
    wait_until(lambda: sorted(path.name for path in folder.iterdir()) == left, "what was replaced is deleted")
    server.kill()
    for writer in writers:
        writer.join()
    server.start()
    check_all(writers, server)


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_the_log_is_switched_on_and_off_under_load(policy: str, start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--appendfsync", policy)
    writers = [Writer(f"w{index}") for index in range(2)]
    for writer in writers:
        writer.start(server)
    wait_until(lambda: all(writer.batches > 3 for writer in writers), "there is data before the log")
    with server.connect() as connection:
        for switch in ("yes", "no", "yes"):
            assert connection.command("CONFIG", "SET", "appendonly", switch) == b"+OK\r\n"
            assert info(connection, "aof_enabled") == ("1" if switch == "yes" else "0")
            wait_for_children(connection)
    goals = [writer.batches + 10 for writer in writers]
    wait_until(
        lambda: all(writer.batches > goal for writer, goal in zip(writers, goals, strict=True)), "there is data after"
    )
    server.kill()
    for writer in writers:
        writer.join()
    server.arguments = LOGGED
    server.start()
    check_all(writers, server)


def test_a_log_that_was_switched_off_is_not_read(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    with server.connect() as connection:
        connection.command("SET", "a", "1")
        assert connection.command("CONFIG", "SET", "appendonly", "no") == b"+OK\r\n"
        connection.command("SET", "a", "2")
        assert connection.command("SAVE") == b"+OK\r\n"
    server.kill()
    server.arguments = VOLATILE
    server.start()
    with server.connect() as connection:
        assert connection.command("GET", "a") == b"$1\r\n2\r\n"


def test_the_log_begins_with_what_the_snapshot_holds(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    some_data(server)
    before = digest(server)
    with server.connect() as connection:
        connection.command("SAVE")
    server.kill()
    server.arguments = LOGGED
    server.start()
    assert digest(server) == before
    (server.folder / "dump.rdb").unlink()
    server.restart(signal.SIGKILL)
    assert digest(server) == before


def test_a_log_that_has_grown_is_rewritten_by_itself(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED, "--auto-aof-rewrite-percentage", "100", "--auto-aof-rewrite-min-size", "100kb")
    with server.connect() as connection:
        for _ in range(40):
            connection.command("SET", "same", "v" * 10_000)
        wait_until(lambda: int(info(connection, "aof_current_size")) < 100_000, "the log is short again")
        wait_for_children(connection)
        assert info(connection, "aof_last_bgrewrite_status") == "ok"
    assert "Starting automatic rewriting of AOF" in server.log()
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        assert connection.command("STRLEN", "same") == b":10000\r\n"


@pytest.mark.parametrize("command", ["RELOAD", "LOADAOF"])
def test_reading_everything_again_changes_nothing(command: str, start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    some_data(server)
    before = digest(server)
    with server.connect() as connection:
        assert connection.command("DEBUG", command) == b"+OK\r\n"
        assert digest(server) == before
        connection.command("SET", "after", "1")
    after = digest(server)
    server.restart(signal.SIGKILL)
    assert digest(server) == after


def test_a_save_point_saves_by_itself(start_server: StartServer) -> None:
    server = start_server(AIKV, "--save", "1", "3", "--appendonly", "no")
    with server.connect() as connection:
        for index in range(3):
            connection.command("SET", f"key:{index}", "1")
        wait_until(lambda: info(connection, "rdb_saves") == "1", "the save point is reached")
        assert info(connection, "rdb_changes_since_last_save") == "0"
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        assert connection.command("DBSIZE") == b":3\r\n"


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_what_was_flushed_does_not_come_back(program: tuple[str, ...], start_server: StartServer) -> None:
    server = start_server(program, "--save", "3600", "1000000", "--appendonly", "no")
    with server.connect() as connection:
        fill(connection, "key", 100)
        assert connection.command("SAVE") == b"+OK\r\n"
        connection.send_raw(pack([b"BGSAVE"]) + pack([b"FLUSHALL"]))
        assert connection.read_reply() == b"+Background saving started\r\n"
        assert connection.read_reply() == b"+OK\r\n"
        assert info(connection, "rdb_changes_since_last_save") == "0"
    server.restart(signal.SIGKILL)
    with server.connect() as connection:
        assert connection.command("DBSIZE") == b":0\r\n"


def test_a_bgsave_can_wait_for_a_rewrite(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    with server.connect() as connection:
        fill(connection, "key", 5_000)
        # In one piece, so that no child can have ended before the next command is read.
        connection.send_raw(pack([b"BGREWRITEAOF"]) + pack([b"BGSAVE"]) + pack([b"BGSAVE", b"SCHEDULE"]))
        assert b"rewriting started" in connection.read_reply()
        assert connection.read_reply().startswith(b"-ERR Another child process is active")
        assert connection.read_reply() == b"+Background saving scheduled\r\n"
        wait_until(lambda: info(connection, "rdb_saves") == "1", "the snapshot is written")
        wait_for_children(connection)
        connection.send_raw(pack([b"BGSAVE"]) + pack([b"SAVE"]) + pack([b"BGREWRITEAOF"]))
        assert connection.read_reply() == b"+Background saving started\r\n"
        assert connection.read_reply() == b"-ERR Background save already in progress\r\n"
        assert connection.read_reply() == b"+Background append only file rewriting scheduled\r\n"
        wait_for_children(connection)
        assert info(connection, "aof_rewrites") == "2"


def test_saving_and_reading_are_not_logged(start_server: StartServer) -> None:
    server = start_server(AIKV, *LOGGED)
    with server.connect() as connection:
        connection.command("SET", "a", "1")
        for command in ("SAVE", "DEBUG RELOAD", "DEBUG LOADAOF"):
            assert connection.command(*command.split()) == b"+OK\r\n"
        assert info(connection, "rdb_changes_since_last_save") == "0"
        connection.command("SET", "b", "1")
        assert info(connection, "rdb_changes_since_last_save") == "1"
    logged = (server.folder / "appendonlydir" / "appendonly.aof.1.incr.aof").read_bytes()
    assert b"SAVE" not in logged
    assert b"DEBUG" not in logged
