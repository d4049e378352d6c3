"""Long random sequences of commands on all types leave aikv and redis-server in agreement, replies and datasets.

`pytest --commands 100000 --seed 7 .../test_deep_sequences.py` plays that many commands; without options it is a few
thousand, always the same ones.
"""

from random import Random

import pytest

from oracle.deep import Player, difference_of, shortened
from oracle.generated import patterns, payloads, sequence
from oracle.pair import Pair

SHORTEN_SECONDS = 20.0


def test_all_types_at_once(pair: Pair, request: pytest.FixtureRequest) -> None:
    wanted, seed = request.config.getoption("--commands"), request.config.getoption("--seed")
    player = Player(pair)
    chosen = patterns(payloads(pair))
    played = number = 0
    while played < wanted:
        steps = sequence(Random(f"{seed}.{number}"), chosen)
        difference = difference_of(player, steps)
        if difference is not None:
            steps, shorter = shortened(player, steps, SHORTEN_SECONDS)
            listed = "\n  ".join(map(str, steps))
            pytest.fail(f"sequence {number} of seed {seed}, shortened:\n  {listed}\n{shorter or difference}")
        played += len(steps)
        number += 1
