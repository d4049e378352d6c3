"""Long random sequences of commands on all types leave aikv and redis-server in agreement, replies and datasets.

`pytest --commands 100000 --seed 7 .../test_deep_sequences.py` plays that many commands; without options it is a few
thousand, always the same ones. A sequence that fails is made shorter and printed.
"""

from random import Random

import pytest

from conftest import StartServer
from oracle.deep import Player, difference_of, shortened
from oracle.generated import patterns, payloads, sequence
from oracle.pair import Pair
from oracle.process import AIKV, REDIS, VOLATILE

SHORTEN_SECONDS = 20.0


def play(player: Player, commands: int, seed: str) -> None:
    """Play sequences of at least so many commands."""
    chosen = patterns(payloads(player.pair))
    played = number = 0
    while played < commands:
        steps = sequence(Random(f"{seed}.{number}"), chosen)
        difference = difference_of(player, steps)
        if difference is not None:
            steps, shorter = shortened(player, steps, SHORTEN_SECONDS)
            listed = "\n  ".join(map(str, steps))
            pytest.fail(f"sequence {number} of seed {seed}, shortened:\n  {listed}\n{shorter or difference}")
        played += len(steps)
        number += 1


def test_all_types_at_once(pair: Pair, request: pytest.FixtureRequest) -> None:
    play(Player(pair), request.config.getoption("--commands"), request.config.getoption("--seed"))


@pytest.mark.slow
@pytest.mark.parametrize("reload", ["DEBUG LOADAOF", "DEBUG RELOAD"])
def test_the_same_is_there_after_a_load(reload: str, start_server: StartServer, request: pytest.FixtureRequest) -> None:
    # A rewrite may be under way when the log is to be loaded, and then it is another log.
    logged = [*VOLATILE, "--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"]
    options = logged if "AOF" in reload else VOLATILE
    oracle, aikv = (start_server(program, *options, name=program[-1]) for program in (REDIS, AIKV))
    commands = request.config.getoption("--commands") // 4
    play(Player(Pair(oracle, aikv), tuple(reload.split())), commands, request.config.getoption("--seed"))
