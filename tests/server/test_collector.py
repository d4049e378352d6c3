"""Young cycles are collected; where data grows it is frozen instead, however much it is."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from aikv.server.collector import MANY, Collector

SECOND_US = 1_000_000


class Knot:
    """An object that refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def knot() -> "weakref.ref[Knot]":
    return weakref.ref(Knot())


@pytest.fixture(autouse=True)
def _as_in_a_server() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def test_a_young_cycle_is_freed_and_nothing_is_frozen() -> None:
    frozen = gc.get_freeze_count()
    collector = Collector(0)
    alive = knot()
    collector.run(SECOND_US)
    assert alive() is None
    assert gc.get_freeze_count() == frozen


def test_a_cycle_that_closes_after_it_was_young_is_freed_within_half_a_minute() -> None:
    collector = Collector(0)
    held = Knot()
    alive = weakref.ref(held)
    collector.run(SECOND_US)
    del held
    collector.run(2 * SECOND_US)
    assert alive() is not None
    collector.run(31 * SECOND_US)
    assert alive() is None


def test_much_that_is_new_is_data_and_frozen() -> None:
    frozen = gc.get_freeze_count()
    collector = Collector(0)
    data: list[list[int]] = [[] for _ in range(2 * MANY)]
    collector.run(SECOND_US)
    assert gc.get_freeze_count() >= frozen + len(data)
    # From then on the young are looked at again.
    alive = knot()
    collector.run(2 * SECOND_US)
    assert alive() is None


def test_data_that_comes_slowly_is_frozen_in_the_end() -> None:
    frozen = gc.get_freeze_count()
    collector = Collector(0)
    data: list[list[int]] = []
    for second in range(1, 31):
        data += [[] for _ in range(MANY // 2)]
        collector.run(second * SECOND_US)
        assert (gc.get_freeze_count() > frozen) == (second == 30)
    assert gc.get_freeze_count() >= frozen + len(data)


def test_what_is_frozen_is_freed_by_its_reference_counts() -> None:
    collector = Collector(0)
    data = [Knot() for _ in range(2 * MANY)]
    collector.run(SECOND_US)
    alive = weakref.ref(data[0])
    data[0].__dict__.clear()
    data.clear()
    assert alive() is None
