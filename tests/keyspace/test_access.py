"""Times of last use, exact for warm keys and bounded for cold ones, and the LFU counter."""

from aikv.base.random import Random
from aikv.keyspace.access import GENERATION, LFU_INITIAL, AccessTimes

NOW = 1_700_000_000
DAY = 24 * 60


def test_a_key_is_idle_since_its_last_use() -> None:
    access = AccessTimes(NOW)
    access.touch(b"a", NOW + 5)
    assert access.idle(b"a", NOW + 15) == 10
    access.touch(b"a", NOW + 20)
    assert access.idle(b"a", NOW + 20) == 0


def test_a_key_of_which_nothing_is_known_is_idle_since_the_beginning() -> None:
    assert AccessTimes(NOW).idle(b"a", NOW + 100) == 100


def test_a_clock_that_goes_back_makes_no_negative_time() -> None:
    access = AccessTimes(NOW)
    access.touch(b"a", NOW + 100)
    assert access.idle(b"a", NOW) == 0


def test_idle_time_can_be_given_even_one_longer_than_the_process_has_run() -> None:
    access = AccessTimes(NOW)
    access.set_idle(b"a", 5000, NOW)
    assert access.idle(b"a", NOW + 1) == 5001
    access.set_idle(b"a", NOW, NOW)
    assert access.idle(b"a", NOW) == NOW


def test_a_removed_key_that_comes_back_starts_anew() -> None:
    access = AccessTimes(NOW)
    access.touch(b"a", NOW + 50)
    access.forget(b"a")
    access.forget(b"never seen")
    assert access.idle(b"a", NOW + 50) == 50


def test_the_most_recent_generation_is_exact_and_the_rest_is_never_older_than_it_says() -> None:
    access = AccessTimes(NOW)
    # One key a second, three generations of them.
    for number in range(3 * GENERATION):
        access.touch(b"%d" % number, NOW + number)
    now = NOW + 3 * GENERATION
    for number in range(2 * GENERATION, 3 * GENERATION, 999):
        assert access.idle(b"%d" % number, now) == now - (NOW + number)
    for number in range(0, 3 * GENERATION, 9999):
        assert access.idle(b"%d" % number, now) <= now - (NOW + number)
    # What is in neither generation has been idle for a generation at least.
    assert access.idle(b"0", now) >= GENERATION
    access._check()


def test_memory_is_bounded_whichever_way_entries_come() -> None:
    access = AccessTimes(NOW)
    generator = Random(1)
    for number in range(GENERATION + 10):
        access.set_idle(b"i%d" % number, 1, NOW)
        access.set_frequency(b"f%d" % number, 9, NOW)
        access.touch_frequency(b"t%d" % number, NOW, 1, 10, generator)
    access._check()


def test_clearing_forgets_keys_and_counts_from_then_on() -> None:
    access = AccessTimes(NOW)
    for number in range(GENERATION + 10):
        access.touch(b"%d" % number, NOW + 1)
    access.clear(NOW + 100)
    assert access.idle(b"5", NOW + 150) == 50
    for number in range(GENERATION + 10):
        access.touch(b"%d" % number, NOW + 200)
    # The bound for unknown keys is the time of clearing, not one before it.
    assert access.idle(b"unknown", NOW + 300) == 200


def test_a_new_key_starts_with_the_initial_frequency() -> None:
    access = AccessTimes(NOW)
    access.touch_frequency(b"a", NOW, 1, 10, Random(1))
    assert access.frequency(b"a", NOW, 1) == LFU_INITIAL
    access.touch_frequency(b"a", NOW, 1, 10, Random(1))
    # Below or at the initial count every use counts.
    assert access.frequency(b"a", NOW, 1) == LFU_INITIAL + 1


def test_the_counter_grows_with_the_logarithm_of_uses() -> None:
    counts = []
    generator = Random(3)
    access = AccessTimes(NOW)
    for uses in range(1, 100_001):
        access.touch_frequency(b"a", NOW, 1, 10, generator)
        if uses in (100, 1000, 100_000):
            counts.append(access.frequency(b"a", NOW, 1))
    # Redis's manual, for a factor of 10: about 10, 18 and 142.
    assert 8 <= counts[0] <= 13
    assert 14 <= counts[1] <= 24
    assert 125 <= counts[2] <= 160


def test_the_counter_never_leaves_its_byte() -> None:
    access = AccessTimes(NOW)
    access.set_frequency(b"a", 255, NOW)
    for _ in range(100):
        access.touch_frequency(b"a", NOW, 1, 0, Random(1))
    assert access.frequency(b"a", NOW, 1) == 255


def test_the_counter_decays_with_time_and_not_below_zero() -> None:
    access = AccessTimes(NOW)
    access.set_frequency(b"a", 100, NOW)
    assert access.frequency(b"a", NOW + 30 * 60, 1) == 70
    assert access.frequency(b"a", NOW + 30 * 60, 10) == 97
    assert access.frequency(b"a", NOW + DAY * 60, 1) == 0
    assert access.frequency(b"a", NOW + DAY * 60, 0) == 100
    assert access.frequency(b"unknown", NOW, 1) == LFU_INITIAL
