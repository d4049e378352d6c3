"""The figures that benchmarks quote: means, spreads, percentiles, pauses, the steepest step."""

import pytest
from observe import longest
from pauses import pauses_in
from proofs import counts_in
from ratios import geometric_mean, means_of_pairs, percentile, ratios, spread
from scaling import steepest


def test_half_and_twice_cancel_out() -> None:
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)


@pytest.mark.parametrize("values", [[], [0.0], [-1.0]])
def test_a_geometric_mean_of_nothing_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError):
        geometric_mean(values)


def test_means_are_taken_within_each_pair() -> None:
    assert means_of_pairs([[1.0, 4.0], [4.0, 1.0], [2.0, 2.0]]) == pytest.approx([2.0, 2.0])


def test_pairs_of_unequal_length_are_no_pairs() -> None:
    with pytest.raises(ValueError):
        ratios([1.0, 2.0], [1.0])


def test_a_spread_is_the_median_with_both_ends() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00-3.00)"


@pytest.mark.parametrize(("share", "value"), [(50.0, 5.0), (99.0, 10.0), (100.0, 10.0), (0.0, 1.0), (10.0, 1.0)])
def test_a_percentile_is_a_value_that_occurred(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(1, 11)], share) == value


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError):
        percentile([], 50.0)


def test_a_pause_counts_if_it_touches_the_window() -> None:
    asked = [(0.0, 0.5), (0.9, 0.2), (1.5, 0.02), (1.9, 0.4), (2.5, 9.0)]
    seen = pauses_in(asked, 1.0, 2.0)
    assert (seen.asked, seen.long, seen.seconds) == (3, 3, 1.0)
    assert seen.longest_ms == pytest.approx(400.0)
    assert longest(asked, 1.0, 2.0) == pytest.approx(0.4)


def test_a_window_without_an_answer_is_refused() -> None:
    with pytest.raises(ValueError):
        pauses_in([(0.0, 0.1)], 1.0, 2.0)


def test_growth_that_redis_server_shares_is_no_cliff() -> None:
    assert steepest([(1.0, 1.0), (50.0, 50.0), (40.0, 50.0)]) == 1.0


def test_the_steepest_step_is_found_wherever_it_is() -> None:
    assert steepest([(1.0, 1.0), (2.0, 1.0), (30.0, 5.0), (1.0, 1.0)]) == pytest.approx(3.0)


def test_the_counts_of_durability_are_read_from_pytests_summary() -> None:
    summary = "....F [100%]\ncrash points: 5,022\nkills with a child in flight: 6\n12 passed in 3.4s\nE: not one\n"
    assert counts_in(summary) == {"crash points": 5022, "kills with a child in flight": 6}
