"""What SORT costs, counted in calls: of a sorted set or a list in its own order no more than what is asked for."""

import gc
import sys
from types import FrameType

import pytest

from aikv import COMPILED
from wired import Wired, request

pytestmark = pytest.mark.skipif(COMPILED, reason="calls between compiled functions are not reported to Python")


def filled(size: int) -> Wired:
    """Return a server with a list, a set and a sorted set of `size` numbers, the highest first."""
    wired = Wired()
    numbers = [str(number) for number in range(size, 0, -1)]
    wired.feed(request("RPUSH", "l", *numbers))
    wired.feed(request("SADD", "s", *numbers))
    wired.feed(request("ZADD", "z", *[word for number in numbers for word in (number, number)]))
    # With the first SORT the form changes, or loose ends are packed.
    for key in ("l", "z"):
        wired.feed(request("SORT", key, "BY", "nosort"))
    return wired


def calls(wired: Wired, *words: str) -> int:
    """Count the calls that one command makes."""
    counted = 0

    def count(_frame: FrameType, event: str, _called: object) -> None:
        nonlocal counted
        if event in ("call", "c_call"):
            counted += 1

    data = request(*words)
    # What earlier tests have left behind shall not come to its end while calls are counted.
    gc.collect()
    sys.setprofile(count)
    try:
        wired.feed(data)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("key", ["l", "z"])
def test_a_range_in_the_order_of_its_own_costs_no_more_in_a_large_collection(key: str, order: str) -> None:
    words = ("SORT", key, "BY", "nosort", order, "LIMIT", "30", "5", "GET", "#")
    assert calls(filled(10_000), *words) < calls(filled(1000), *words) * 2


@pytest.mark.parametrize("key", ["l", "s", "z"])
@pytest.mark.parametrize("options", [(), ("ALPHA",), ("BY", "w_*", "DESC"), ("STORE", "d"), ("LIMIT", "0", "3")])
def test_four_times_as_many_elements_cost_four_times_as_much(key: str, options: tuple[str, ...]) -> None:
    words = ("SORT", key, *options)
    # The rest is for the logarithm, and for where chunks and buckets end.
    assert calls(filled(1600), *words) < calls(filled(400), *words) * 5.5
