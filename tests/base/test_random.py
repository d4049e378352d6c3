"""Randomness: repeatable with a seed, in range, and unique where it names a server."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.random import Random, run_id


@given(st.integers())
def test_the_same_seed_makes_the_same_choices(seed: int) -> None:
    first, second = Random(seed), Random(seed)
    assert [first.below(1000) for _ in range(20)] == [second.below(1000) for _ in range(20)]
    assert first.bytes(16) == second.bytes(16)


def test_without_a_seed_choices_differ() -> None:
    assert Random().bytes(16) != Random().bytes(16)


@given(st.integers(), st.integers(1, 1 << 80))
def test_a_choice_is_below_its_limit(seed: int, n: int) -> None:
    assert 0 <= Random(seed).below(n) < n


def test_every_choice_comes_about_equally_often() -> None:
    random = Random(1)
    counts = [0] * 6
    for _ in range(6000):
        counts[random.below(6)] += 1
    assert all(850 < count < 1150 for count in counts)


@pytest.mark.parametrize("n", [0, -1])
def test_there_is_no_choice_among_nothing(n: int) -> None:
    with pytest.raises(ValueError, match="no integer"):
        Random(1).below(n)


@given(st.integers(0, 300))
def test_as_many_bytes_come_as_were_asked_for(n: int) -> None:
    assert len(Random(7).bytes(n)) == n


def test_run_ids_are_40_hexadecimal_characters_and_never_the_same() -> None:
    ids = {run_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[0-9a-f]{40}", one) for one in ids)
