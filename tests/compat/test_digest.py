"""DEBUG DIGEST is the oracle's for the same data, so whole datasets can be compared by one line."""

import random

from oracle.pair import Pair
from oracle.wire import pack


def test_the_same_random_strings_have_the_same_digest(pair: Pair) -> None:
    source = random.Random(5)
    requests = []
    for _ in range(300):
        key, size = b"k%d" % source.randrange(200), source.choice([0, 1, 5, 44, 45, 3000])
        value = source.choice([source.randbytes(size), b"%d" % source.randrange(-(10**19), 10**19)])
        requests.append(pack([b"SELECT", b"%d" % source.randrange(16)]))
        requests.append(pack([b"SET", key, value, *source.choice([[], [b"EX", b"1000"]])]))
    data = b"".join([pack([b"FLUSHALL"]), *requests, pack([b"DEBUG", b"DIGEST"]), pack([b"FLUSHALL"])])
    replies = pair.compare_raw(data).split(b"\r\n")
    assert len(replies[-3]) == len(b"+") + 40
