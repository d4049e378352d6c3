"""What ends a server, who may look inside it, and what its log does not say."""

import pytest

from conftest import StartServer
from oracle.process import AIKV, REDIS, ServerProcess
from oracle.wire import ServerClosed

QUIET = ("--save", "", "--appendonly", "no")
NOT_ALLOWED = (
    b'-ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a '
    b"local connection, otherwise you need to set this option in the configuration file, and then restart the "
    b"server.\r\n"
)


def wait_for_the_end(server: ServerProcess) -> int:
    """Return the exit status of a server that was told to end."""
    assert server.process is not None
    return server.process.wait(20)


@pytest.mark.parametrize("words", [("NOSAVE",), ("nosave", "now", "force"), ()])
def test_shutdown_ends_the_server_without_a_reply(words: tuple[str, ...], start_server: StartServer) -> None:
    server = start_server(AIKV, *QUIET)
    with server.connect() as client:
        client.command("SET", "a", "b")
        with pytest.raises(ServerClosed) as closed:
            client.command("SHUTDOWN", *words)
    assert closed.value.rest == b""
    assert wait_for_the_end(server) == 0
    assert not (server.folder / "dump.rdb").exists()


def test_shutdown_save_saves_and_the_next_start_finds_it(start_server: StartServer) -> None:
    server = start_server(AIKV, *QUIET)
    with server.connect() as client:
        client.command("SET", "a", "b")
        with pytest.raises(ServerClosed):
            client.command("SHUTDOWN", "SAVE")
    assert wait_for_the_end(server) == 0
    server.restart()
    with server.connect() as client:
        assert client.command("GET", "a") == b"$1\r\nb\r\n"


@pytest.mark.parametrize("program", [AIKV, REDIS], ids=["aikv", "redis"])
def test_debug_is_for_those_whom_the_configuration_lets_in(program: tuple[str, ...], start_server: StartServer) -> None:
    closed = start_server(program, *QUIET, name="closed")
    local = start_server(program, *QUIET, "--enable-debug-command", "local", name="local")
    with closed.connect() as client:
        assert client.command("DEBUG", "SLEEP", "0") == NOT_ALLOWED
        assert client.command("DEBUG", "NOSUCH") == NOT_ALLOWED
        assert client.command("DEBUG", "HELP") == NOT_ALLOWED
    with local.connect() as client:
        assert client.command("DEBUG", "SLEEP", "0") == b"+OK\r\n"


def test_no_password_stands_in_the_log(start_server: StartServer) -> None:
    server = start_server(AIKV, *QUIET, "--requirepass", "first-secret", "--loglevel", "debug")
    with server.connect() as client:
        client.command("AUTH", "wrong-secret")
        client.command("HELLO", "3", "AUTH", "default", "another-secret")
        client.command("AUTH", "first-secret")
        client.command("CONFIG", "SET", "requirepass", "second-secret")
        client.command("AUTH", "second-secret", "too", "many")
    server.stop()
    assert "secret" not in server.log()


def test_a_password_that_is_taken_away_lets_everybody_in(start_server: StartServer) -> None:
    server = start_server(AIKV, *QUIET, "--requirepass", "sesame")
    with server.connect() as waiting, server.connect() as admin:
        assert waiting.command("PING") == b"-NOAUTH Authentication required.\r\n"
        assert admin.command("AUTH", "sesame") == b"+OK\r\n"
        assert admin.command("CONFIG", "SET", "requirepass", "") == b"+OK\r\n"
        assert waiting.command("PING") == b"+PONG\r\n"
        # The limits of those who have yet to authenticate are gone as well.
        assert waiting.command("EXISTS", *["k"] * 20) == b":0\r\n"


def test_config_rewrite_brings_the_file_up_to_date(start_server: StartServer) -> None:
    (folder := start_server(AIKV, *QUIET, name="first").folder.parent / "second").mkdir()
    file = folder / "aikv.conf"
    file.write_text("# mine\ntimeout 5\n")
    server = start_server((*AIKV, str(file)), *QUIET, name="second")
    with server.connect() as client:
        client.command("CONFIG", "SET", "timeout", "77")
        assert client.command("CONFIG", "REWRITE") == b"+OK\r\n"
    lines = file.read_text().splitlines()
    assert lines[:2] == ["# mine", "timeout 77"]


def test_lolwut_draws_and_names_the_version(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        picture = client.command("LOLWUT", "VERSION", "6", "20", "5").decode().split("\r\n", 1)[1].splitlines()
    assert len(picture[:5]) == 5
    assert all(len(line) <= 20 for line in picture[:5])
    assert picture[6].startswith("Redis ver. 7.2.")
