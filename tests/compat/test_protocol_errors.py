"""Bytes that are no request get the oracle's answer, and the connection ends as the oracle ends it."""

import pytest

from oracle.pair import Pair

REQUESTS = [
    b"*1\r\n$4\r\nPING\r\n" * 3,
    b"PING\r\nPING again\r\n",
    b"\r\n\r\nPING\r\n",
    b"*-5\r\n*0\r\nPING\r\n",
    b"*x\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n$-1\r\n",
    b"*01\r\n$4\r\nPING\r\n",
    b"*1\r\n$536870913\r\n",
    b"SET a 'unbalanced\r\nPING\r\n",
    b"GET " + b"x" * 70_000,
    b"POST / HTTP/1.1\r\nPING\r\n",
    bytes(range(256)) * 4,
]


@pytest.mark.parametrize("data", REQUESTS, ids=lambda data: repr(data[:24]))
def test_same_answer_to_raw_bytes(data: bytes, pair: Pair) -> None:
    pair.compare_raw(data)
