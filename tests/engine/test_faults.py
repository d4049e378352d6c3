"""A handler that fails as it should not: the client hears of it, the log has the story, the server goes on."""

import pytest

from aikv.engine.command import READONLY, Command
from aikv.engine.context import Context
from served import Served


def failing(_ctx: Context, argv: list[bytes]) -> object:
    return 1 // len(argv[1:])


def test_a_fault_of_a_handler_is_an_error_for_its_client_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    command = Command("fault", failing, -1, READONLY, (), "generic", "1.0.0", "O(1)", "Fails.", "", None, (), None)
    served.engine.call(served.client, command, [b"FAULT"])
    assert served.output() == b"-ERR internal error while running 'fault', see the log\r\n"
    assert (command.failed, served.engine.stats.unexpected_errors) == (1, 1)
    assert "ZeroDivisionError" in caplog.text
    assert "failing" in caplog.text
    served.engine.call(served.client, command, [b"FAULT", b"x"])
    assert served.output() == b":1\r\n"
    assert served.run("PING") == b"+PONG\r\n"
