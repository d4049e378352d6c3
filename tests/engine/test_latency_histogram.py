"""Histograms of latencies: buckets, levels and percentiles of known durations."""

from hypothesis import given
from hypothesis import strategies as st

from aikv.engine.latency_histogram import LatencyHistogram, all_buckets, bucket_of, cumulative, percentile


def recorded(*durations_us: int) -> LatencyHistogram:
    histogram = LatencyHistogram()
    for took_us in durations_us:
        histogram.record(took_us)
    return histogram


@given(st.integers(1, 10**9))
def test_a_bucket_is_as_wide_as_eight_bits_leave(ns: int) -> None:
    low, high = bucket_of(ns)
    assert low <= ns <= high
    assert bucket_of(low) == bucket_of(high) == (low, high)
    assert high - low < max(1, ns / 128)


@given(st.lists(st.integers(1, 2 * 10**6)))
def test_every_call_is_in_the_bucket_of_its_duration(durations_us: list[int]) -> None:
    expected: dict[int, int] = {}
    for took_us in durations_us:
        low = bucket_of(min(took_us * 1000, 10**9))[0]
        expected[low] = expected.get(low, 0) + 1
    histogram = recorded(*durations_us)
    assert histogram.buckets() == sorted(expected.items())
    assert histogram.recorded() == len(durations_us)


def test_calls_too_short_to_measure_count_as_a_nanosecond() -> None:
    assert all_buckets(None, 0) == []
    assert all_buckets(None, 7) == [(1, 7)]
    assert cumulative(all_buckets(recorded(1, 3), 7)) == [(1, 8), (4, 9)]
    assert percentile(all_buckets(recorded(1, 3), 7), 50) == 0.001
    assert percentile(all_buckets(recorded(1), 0), 50) == 1.003


def test_levels_without_more_calls_are_left_out() -> None:
    assert cumulative(all_buckets(recorded(1, 100, 100, 5000), 0)) == [(1, 1), (132, 3), (8454, 4)]


def test_calls_of_more_than_half_a_second_are_in_the_last_level() -> None:
    assert cumulative(all_buckets(recorded(10, 700_000, 9_000_000), 0)) == [(16, 1), (1_073_741, 3)]
    assert percentile(all_buckets(recorded(10, 700_000), 0), 100) > 700_000


def test_percentiles_take_the_call_that_completes_the_share() -> None:
    buckets = all_buckets(recorded(*range(1, 101)), 0)
    assert [int(percentile(buckets, wanted)) for wanted in (0, 1, 50, 99, 100)] == [1, 1, 50, 99, 100]
    assert percentile([], 50) == 0.0
