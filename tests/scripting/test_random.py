"""Random numbers of scripts are those of drand48."""

from aikv.scripting.random import ScriptRandom


def test_the_first_numbers_are_those_of_an_unseeded_drand48() -> None:
    random = ScriptRandom()
    assert [round(random.draw(), 5) for _ in range(3)] == [0.39646, 0.84049, 0.35334]


def test_a_seed_decides_about_all_that_follows() -> None:
    first, second = ScriptRandom(), ScriptRandom()
    first.seed(42)
    second.draw()
    second.seed(42.9)
    assert [first.draw() for _ in range(5)] == [second.draw() for _ in range(5)]


def test_seeds_of_any_size_are_taken() -> None:
    random = ScriptRandom()
    for seed in (-1, 2**53, -(2.0**60), 0.5, float("inf"), float("nan")):
        random.seed(seed)
        assert 0 <= random.draw() < 1
