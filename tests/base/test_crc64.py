"""The checksum of RDB files and DUMP payloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.crc64 import crc64


def bitwise(data: bytes) -> int:
    """The definition, bit by bit: Jones polynomial, reflected."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
    return crc


def test_the_check_value_is_that_of_redis() -> None:
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


@given(st.binary(max_size=200))
def test_it_is_the_jones_polynomial(data: bytes) -> None:
    assert crc64(data) == bitwise(data)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_parts_give_the_checksum_of_the_whole(first: bytes, second: bytes) -> None:
    assert crc64(second, crc64(first)) == crc64(first + second)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_buffer_is_taken(kind: type) -> None:
    assert crc64(kind(b"123456789")) == 0xE9C6D914C4B8D9CA
