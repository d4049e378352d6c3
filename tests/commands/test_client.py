"""What CLIENT learned after the oracle: SETINFO and NO-TOUCH."""

import pytest

from oracle.process import ServerProcess


def test_setinfo_stands_in_the_list(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        assert client.command("CLIENT", "SETINFO", "lib-name", "redis-py") == b"+OK\r\n"
        assert client.command("CLIENT", "SETINFO", "LIB-VER", "5.0.1") == b"+OK\r\n"
        assert b" lib-name=redis-py lib-ver=5.0.1\n" in client.command("CLIENT", "INFO")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("lib-foo", "x"), b"-ERR Unrecognized option 'lib-foo'\r\n"),
        (("LIB-NAME", "a b"), b"-ERR lib-name cannot contain spaces, newlines or special characters.\r\n"),
        (("lib-ver", "a\nb"), b"-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n"),
        (("lib-ver",), b"-ERR wrong number of arguments for 'client|setinfo' command\r\n"),
    ],
)
def test_setinfo_refuses(words: tuple[str, ...], error: bytes, aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        assert client.command("CLIENT", "SETINFO", *words) == error


def test_no_touch_leaves_the_idle_time_alone_and_reset_ends_it(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        assert client.command("CLIENT", "NO-TOUCH", "maybe") == b"-ERR syntax error\r\n"
        assert client.command("CLIENT", "NO-TOUCH", "on") == b"+OK\r\n"
        assert b" flags=T " in client.command("CLIENT", "INFO")
        assert client.command("CLIENT", "NO-EVICT", "on") == b"+OK\r\n"
        assert b" flags=eT " in client.command("CLIENT", "INFO")
        client.command("RESET")
        assert b" flags=N " in client.command("CLIENT", "INFO")


def test_a_timeout_that_no_clock_reaches_is_refused(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        assert client.command("CLIENT", "PAUSE", str(2**63 - 1)) == b"-ERR timeout is out of range\r\n"


def test_a_hello_that_is_refused_changes_nothing(aikv_server: ServerProcess) -> None:
    with aikv_server.connect() as client:
        refused = client.command("HELLO", "3", "SETNAME", "new", "AUTH", "foo", "bar")
        assert refused.startswith(b"-WRONGPASS ")
        assert client.command("HELLO", "3", "SETNAME", "new", "FOO").startswith(b"-ERR Syntax error in HELLO")
        assert client.command("CLIENT", "GETNAME") == b"$-1\r\n"
