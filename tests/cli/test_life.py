"""The life of the process: how it is started, what it writes where, and how it ends."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.running import PATIENCE_S, run
from conftest import StartServer
from crash.waiting import wait_until
from oracle.process import AIKV, VOLATILE, ServerProcess, free_port
from oracle.wire import RawConnection, ServerClosed

SAVED = ("--appendonly", "no", "--save", "100000", "1000000", "--enable-debug-command", "yes")


def answers(port: int) -> bool:
    """Whether a server answers on `port`."""
    try:
        with RawConnection(port) as connection:
            return connection.command("PING") == b"+PONG\r\n"
    except (ConnectionError, ServerClosed):
        return False


def test_a_configuration_comes_from_standard_input(tmp_path: Path) -> None:
    port = free_port()
    conf = f"port {port}\nbind 127.0.0.1\nsave ''\nlogfile {tmp_path}/log\npidfile {tmp_path}/pid\n"
    process = subprocess.Popen([*AIKV, "-", "--maxclients", "77"], cwd=tmp_path, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(conf.encode())
    process.stdin.close()
    wait_until(lambda: answers(port), "the server answers")
    with RawConnection(port) as connection:
        assert connection.command("CONFIG", "GET", "maxclients").endswith(b"\r\n77\r\n")
    assert (tmp_path / "pid").read_text() == f"{process.pid}\n"
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert not (tmp_path / "pid").exists()


def test_options_win_over_the_file(start_server: StartServer, tmp_path: Path) -> None:
    conf = tmp_path / "aikv.conf"
    conf.write_text("maxclients 50\ntimeout 7\nport 1\n")
    server = start_server((*AIKV, str(conf)), *VOLATILE, "--maxclients", "60")
    with server.connect() as connection:
        assert connection.command("CONFIG", "GET", "maxclients").endswith(b"\r\n60\r\n")
        assert connection.command("CONFIG", "GET", "timeout").endswith(b"\r\n7\r\n")
    assert f"Configuration loaded from {conf}" in server.log()


def test_a_daemon_leaves_the_terminal_and_writes_its_id(tmp_path: Path) -> None:
    port = free_port()
    began = ("--port", str(port), "--dir", str(tmp_path), "--save", "", "--daemonize", "yes")
    files = ("--pidfile", f"{tmp_path}/run/aikv.pid", "--logfile", "aikv.log")
    (tmp_path / "run").mkdir()
    status, _ = run(tmp_path, *began, *files)
    assert status == 0
    wait_until(lambda: answers(port), "the daemon answers")
    pid = int((tmp_path / "run" / "aikv.pid").read_text())
    try:
        assert os.getsid(pid) == pid, "it leads a session of its own"
        assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not (tmp_path / "run" / "aikv.pid").exists(), "the daemon has ended")
    finally:
        wait_until(lambda: not Path(f"/proc/{pid}/fd/0").is_symlink(), "the process is gone")
    assert f"{pid}:M " in (tmp_path / "aikv.log").read_text()


def test_an_id_that_cannot_be_written_stops_nothing(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--pidfile", "/nowhere/aikv.pid")
    assert "Failed to write PID file /nowhere/aikv.pid: No such file or directory" in server.log()
    assert server.stop() == 0


def test_the_log_file_gets_everything_and_survives_rotation(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE, "--logfile", "aikv.log")
    path = server.folder / "aikv.log"
    assert server.log() == ""
    assert "Ready to accept connections" in path.read_text()
    path.rename(server.folder / "aikv.log.1")
    assert server.stop() == 0
    assert "bye bye" in path.read_text()


@pytest.mark.parametrize(
    ("level", "shown", "hidden"),
    [("verbose", "Accepted 127.0.0.1:", None), ("notice", "Ready to accept", "Accepted"), ("warning", "", "Ready")],
)
def test_the_log_level_decides_what_is_shown(
    level: str, shown: str, hidden: str | None, start_server: StartServer
) -> None:
    server = start_server(AIKV, *VOLATILE, "--loglevel", level)
    assert shown in server.log()
    assert hidden is None or hidden not in server.log()
    with server.connect() as connection:
        assert connection.command("CONFIG", "SET", "loglevel", "verbose") == b"+OK\r\n"
    with server.connect() as connection:
        connection.command("PING")
    assert "Accepted 127.0.0.1:" in server.log()


@pytest.mark.parametrize("abstract", [False, True])
@pytest.mark.parametrize("supervised", ["systemd", "auto"])
def test_systemd_is_told_of_the_start_and_of_the_end(
    supervised: str, abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_server: StartServer
) -> None:
    name = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE_S)
        manager.bind("\0" + name if abstract else name)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name if abstract else name)
        server = start_server(AIKV, *VOLATILE, "--supervised", supervised)
        assert b"READY=1" in manager.recv(1000).split(b"\n")
        assert server.stop() == 0
        assert b"STOPPING=1" in manager.recv(1000).split(b"\n")


def test_a_missing_systemd_stops_nothing(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    server = start_server(AIKV, *VOLATILE, "--supervised", "systemd")
    assert "NOTIFY_SOCKET is not found" in server.log()


Ending = Callable[[ServerProcess, RawConnection], None]


def command(*words: str) -> Ending:
    """Ends a server by SHUTDOWN."""

    def end(_server: ServerProcess, connection: RawConnection) -> None:
        connection.send("SHUTDOWN", *words)
        assert connection.read_until_closed() == b""

    return end


def sent(number: signal.Signals) -> Ending:
    """Ends a server by a signal."""

    def end(server: ServerProcess, connection: RawConnection) -> None:
        os.kill(server.pid, number)
        assert connection.read_until_closed() == b""

    return end


ENDINGS = [
    pytest.param(SAVED, command(), True, id="SHUTDOWN"),
    pytest.param(SAVED, command("NOSAVE"), False, id="SHUTDOWN NOSAVE"),
    pytest.param(SAVED, command("save", "now", "force"), True, id="SHUTDOWN save now force"),
    pytest.param(VOLATILE, command(), False, id="SHUTDOWN without save points"),
    pytest.param(VOLATILE, command("SAVE"), True, id="SHUTDOWN SAVE without save points"),
    pytest.param(SAVED, sent(signal.SIGTERM), True, id="SIGTERM"),
    pytest.param(SAVED, sent(signal.SIGINT), True, id="SIGINT"),
    pytest.param(VOLATILE, sent(signal.SIGTERM), False, id="SIGTERM without save points"),
    pytest.param((*SAVED, "--shutdown-on-sigterm", "nosave"), sent(signal.SIGTERM), False, id="SIGTERM, nosave"),
    pytest.param((*VOLATILE, "--shutdown-on-sigint", "save"), sent(signal.SIGINT), True, id="SIGINT, save"),
]


@pytest.mark.parametrize(("arguments", "end", "saves"), ENDINGS)
def test_a_graceful_end_saves_what_is_to_be_saved(
    arguments: tuple[str, ...], end: Ending, saves: bool, start_server: StartServer
) -> None:
    server = start_server(AIKV, *arguments)
    with server.connect() as connection:
        connection.command("SET", "a", "b")
        end(server, connection)
    assert server.process is not None
    assert server.process.wait(PATIENCE_S) == 0
    assert (server.folder / "dump.rdb").exists() is saves
    assert "bye bye" in server.log()
    assert "Traceback" not in server.log()


def test_nothing_is_answered_behind_a_shutdown(start_server: StartServer) -> None:
    server = start_server(AIKV, "--appendonly", "yes", "--save", "")
    with server.connect() as connection:
        connection.send_raw(b"SET a before\r\nSHUTDOWN\r\nSET a behind\r\nGET a\r\n")
        assert connection.read_until_closed() in (b"", b"+OK\r\n")
    assert server.process is not None
    assert server.process.wait(PATIENCE_S) == 0
    server.start()
    with server.connect() as connection:
        assert connection.command("GET", "a") == b"$6\r\nbefore\r\n"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("ABORT",), b"-ERR No shutdown in progress.\r\n"),
        (("NONSENSE",), b"-ERR syntax error\r\n"),
        (("SAVE", "NOSAVE"), b"-ERR syntax error\r\n"),
        (("ABORT", "NOW"), b"-ERR syntax error\r\n"),
    ],
)
def test_a_shutdown_that_means_nothing_ends_nothing(
    words: tuple[str, ...], answer: bytes, aikv_server: ServerProcess
) -> None:
    with aikv_server.connect() as connection:
        assert connection.command("SHUTDOWN", *words) == answer
        assert connection.command("PING") == b"+PONG\r\n"


def test_whoever_interrupts_twice_does_not_wait_for_the_save(start_server: StartServer) -> None:
    server = start_server(AIKV, *SAVED)
    with server.connect(timeout=60) as connection:
        connection.command("SET", "a", "1")
        connection.command("SAVE")
        assert connection.command("DEBUG", "POPULATE", "300000") == b"+OK\r\n"
    before = (server.folder / "dump.rdb").read_bytes()
    os.kill(server.pid, signal.SIGINT)
    wait_until(lambda: "Saving the final RDB" in server.log(), "the save begins")
    began = time.monotonic()
    os.kill(server.pid, signal.SIGINT)
    assert server.process is not None
    assert server.process.wait(PATIENCE_S) != 0
    assert time.monotonic() - began < 1
    assert (server.folder / "dump.rdb").read_bytes() == before
    assert "Traceback" not in server.log()


def test_a_hangup_ends_nothing(start_server: StartServer) -> None:
    server = start_server(AIKV, *VOLATILE)
    os.kill(server.pid, signal.SIGHUP)
    with server.connect() as connection:
        assert connection.command("PING") == b"+PONG\r\n"


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    port = free_port()
    arguments = ["--port", str(port), "--save", "", "--loglevel", "verbose"]
    process = subprocess.Popen([*AIKV, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    wait_until(lambda: answers(port), "the server answers")
    assert answers(port)
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
