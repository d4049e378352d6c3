"""Amounts of memory, read and shown."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.units import U64_MAX, format_memory_human, parse_memory
from oracle.process import REDIS, VOLATILE, ServerProcess

AMOUNTS = ["0", "100", "5b", "1k", "1kb", "2m", "64mb", "1g", "1GB", "1Kb", "mb", "", "99999999999999999999", "007"]
NO_AMOUNTS = ["-1", "+5", " 5mb", "5 mb", "1tb", "0x10", "1e3", "1.5g", "mb5", "1kbb", "\u0665", "1" * 128]


@pytest.mark.parametrize(
    ("text", "amount"),
    [("100", 100), ("1k", 1000), ("1kb", 1024), ("64mb", 64 << 20), ("1g", 10**9), ("2GB", 2 << 30), ("mb", 0)],
)
def test_units_with_a_b_are_powers_of_1024(text: str, amount: int) -> None:
    assert parse_memory(text) == amount


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_anything_else_is_no_amount(text: str) -> None:
    assert parse_memory(text) is None


def test_an_amount_beyond_64_bits_is_the_largest() -> None:
    assert parse_memory("17179869184gb") == U64_MAX


def test_amounts_are_those_of_redis(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(REDIS, *VOLATILE)
    with server.connect() as connection:
        for text in AMOUNTS + NO_AMOUNTS:
            taken = connection.command("CONFIG", "SET", "maxmemory", text) == b"+OK\r\n"
            amount = parse_memory(text)
            assert taken == (amount is not None), text
            if amount is not None:
                shown = connection.command("CONFIG", "GET", "maxmemory").split(b"\r\n")[4]
                assert int(shown) == amount, text


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.00K"),
        (1536, "1.50K"),
        (1 << 20, "1.00M"),
        (1_289_748, "1.23M"),
        (3 << 30, "3.00G"),
        (1 << 40, "1.00T"),
        (1 << 50, "1.00P"),
    ],
)
def test_amounts_are_shown_with_two_decimals(n: int, text: str) -> None:
    assert format_memory_human(n) == text


@given(st.integers(0, U64_MAX))
def test_a_shown_amount_is_near_the_amount(n: int) -> None:
    text = format_memory_human(n)
    value = float(text[:-1]) * 1024 ** "BKMGTP".index(text[-1])
    assert abs(value - n) <= 0.006 * max(n, 1)
