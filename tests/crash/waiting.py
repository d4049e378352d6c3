"""Waiting for something that a server does in its own time."""

import re
import time
from collections.abc import Callable

from oracle.wire import RawConnection

PATIENCE_S = 20.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Ask `condition` until it holds; fails with `what` if that takes too long."""
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up, f"waited in vain: {what}"
        time.sleep(0.005)


def info(connection: RawConnection, field: str) -> str:
    """The value of one field of INFO; "" where there is none."""
    found = re.search(rb"(?m)^%b:(.*?)\r$" % field.encode(), connection.command("INFO", "everything"))
    return found[1].decode() if found else ""


def wait_for_children(connection: RawConnection) -> None:
    """Wait until neither a save nor a rewrite runs or is due."""
    wait_until(
        lambda: (
            info(connection, "rdb_bgsave_in_progress") == "0"
            and info(connection, "aof_rewrite_in_progress") == "0"
            and info(connection, "aof_rewrite_scheduled") == "0"
        ),
        "the background child ends",
    )
