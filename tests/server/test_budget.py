"""What a request costs, counted in calls: a number that is the same on every machine.

Theory of operation: in the interpreted form Python reports each call of a function, its own or one in C. The counts for
a pipeline of many commands, divided by their number, are held against a budget that is what the path takes today. Who
adds a call per command has to raise it here, and so to say so.
"""

import sys
from collections import Counter
from types import FrameType

import pytest

from aikv import COMPILED
from aikv.base.clock import ManualClock
from wired import Wired, request

# Long, so that what is done once for a pipeline does not show.
PIPELINE = 900
TURN = 60
# Calls for one command; what a turn of the loop takes comes on top.
BUDGETS = {
    "PING": (request("PING"), 8),
    "GET": (request("GET", "key"), 9),
    "SET": (request("SET", "key", "value"), 9),
    "INCR": (request("INCR", "counter"), 12),
    "MSET": (request("MSET", *["key", "value"] * 10), 28),
    "SADD": (request("SADD", "set", "member"), 16),
    "HSET": (request("HSET", "hash", "field", "value"), 29),
    "ZADD": (request("ZADD", "zset", "0", "member"), 24),
}


def calls_of(wired: Wired, data: bytes) -> Counter[str]:
    """Count the calls, by name, that one turn of the loop makes."""
    counted: Counter[str] = Counter()

    def count(_frame: FrameType, event: str, called: object) -> None:
        if event == "call":
            counted[_frame.f_code.co_qualname] += 1
        elif event == "c_call":
            counted[getattr(called, "__qualname__", repr(called))] += 1

    sys.setprofile(count)
    try:
        wired.feed(data)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.skipif(COMPILED, reason="calls between compiled functions are not reported to Python")
@pytest.mark.parametrize("name", BUDGETS)
def test_a_command_makes_no_more_calls_than_its_budget(name: str) -> None:
    one, budget = BUDGETS[name]
    # Time stands still, so that no command has taken long enough to be noted.
    wired = Wired(ManualClock())
    wired.feed(request("SET", "key", "value") + one * 3)
    counted = calls_of(wired, one * PIPELINE)
    assert counted.total() <= budget * PIPELINE + TURN, counted.most_common(40)
