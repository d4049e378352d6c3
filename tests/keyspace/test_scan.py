"""SCAN's step on a database, its options, KEYS and RANDOMKEY, where keys run out meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import INVALID_CURSOR, NOT_AN_INTEGER, SYNTAX, CommandError
from aikv.base.random import Random
from aikv.keyspace.database import Database, Watcher
from aikv.keyspace.scan import ScanOptions, glob_of, matching_keys, parse_cursor, parse_scan, random_key, scan_keys

NOW = 1_700_000_000_000
EVERYTHING = ScanOptions(10, None, None)


def half_expired(count: int) -> Database:
    """Return a database in which every second key has run out."""
    database = Database(0, Watcher())
    for number in range(count):
        database.put(b"%d" % number, number)
        if number % 2:
            database.set_expire(b"%d" % number, NOW - 1)
    return database


def scanned(database: Database, options: ScanOptions) -> list[bytes]:
    cursor, found = scan_keys(database, 0, options, NOW)
    while cursor:
        cursor, more = scan_keys(database, cursor, options, NOW)
        found += more
    return found


@pytest.mark.parametrize("keep_expired", [False, True])
def test_a_scan_leaves_out_what_has_run_out_and_removes_it_where_it_may(keep_expired: bool) -> None:
    database = half_expired(2000)
    database.keep_expired = keep_expired
    assert set(scanned(database, EVERYTHING)) == {b"%d" % number for number in range(0, 2000, 2)}
    assert len(database) == (2000 if keep_expired else 1000)


def test_a_scan_filters_by_pattern_and_type() -> None:
    database = half_expired(1000)
    found = scanned(database, parse_scan([b"MATCH", b"99?"], 0, typed=False))
    assert sorted(found) == [b"990", b"992", b"994", b"996", b"998"]
    assert scanned(database, parse_scan([b"TYPE", b"LIST"], 0, typed=True)) == []
    assert len(scanned(database, parse_scan([b"type", b"String", b"count", b"100"], 0, typed=True))) == 500


@given(st.integers(0, 2**64 - 1), st.sampled_from([b"", b"+", b"0", b"+000"]))
def test_a_cursor_is_what_strtoul_takes(cursor: int, prefix: bytes) -> None:
    assert parse_cursor(prefix + b"%d" % cursor) == cursor
    assert parse_cursor(b"-" + b"%d" % cursor) == (2**64 - cursor) % 2**64


@pytest.mark.parametrize("text", [b"x", b" 1", b"1 ", b"-", b"+", b"--1", b"0x1", b"1.0", b"18446744073709551616"])
def test_what_is_no_cursor_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        parse_cursor(text)
    assert refused.value.text == INVALID_CURSOR


@pytest.mark.parametrize(
    ("words", "typed", "text"),
    [
        ([b"COUNT", b"0"], True, SYNTAX),
        ([b"COUNT", b"x"], True, NOT_AN_INTEGER),
        ([b"COUNT"], True, SYNTAX),
        ([b"TYPE", b"string"], False, SYNTAX),
        ([b"MATCH", b"a", b"FOO", b"1"], True, SYNTAX),
        # The first fault decides.
        ([b"COUNT", b"x", b"FOO"], True, NOT_AN_INTEGER),
    ],
)
def test_options_are_checked_from_left_to_right(words: list[bytes], typed: bool, text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        parse_scan([b"SCAN", b"0", *words], 2, typed)
    assert refused.value.text == text


def test_keys_hides_what_has_run_out_and_removes_nothing() -> None:
    database = half_expired(1000)
    assert len(matching_keys(database, None, NOW)) == 500
    assert sorted(matching_keys(database, glob_of(b"1?"), NOW)) == [b"10", b"12", b"14", b"16", b"18"]
    assert matching_keys(database, glob_of(b"10"), NOW) == [b"10"]
    assert matching_keys(database, glob_of(b"11"), NOW) == []
    assert matching_keys(database, glob_of(b"nokey"), NOW) == []
    assert len(database) == 1000


def test_a_random_key_is_alive() -> None:
    database = half_expired(100)
    drawn = {random_key(database, Random(seed), NOW) for seed in range(300)}
    assert drawn <= {b"%d" % number for number in range(0, 100, 2)}
    assert len(drawn) > 30


def test_where_all_keys_have_run_out_there_is_no_random_key() -> None:
    database = Database(0, Watcher())
    for number in range(50):
        database.put(b"%d" % number, 1)
        database.set_expire(b"%d" % number, NOW - 1)
    database.keep_expired = True
    assert random_key(database, Random(1), NOW) is None
    assert len(database) == 50
    database.keep_expired = False
    assert random_key(database, Random(1), NOW) is None
    assert len(database) == 0
