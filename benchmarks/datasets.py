"""Datasets that benchmarks put into a server, and the pipelines that carry them.

Theory of operation: a dataset is a function from a number of keys to a row of commands, made from a fixed seed, so that
every server of a run gets the same bytes. `fill` sends them in pipelines of a few thousand and counts replies; one that
is an error stops the benchmark.
"""

import random
import socket
from collections.abc import Callable, Iterator

from oracle.process import ServerProcess
from oracle.wire import pack

# Commands in a pipeline: large enough that round trips cost nothing, small enough for both sides' buffers.
BATCH = 2000
SEED = 7
FIELDS = [b"name", b"email", b"age", b"city", b"score"]
WORDS = [b"alpha", b"beta", b"gamma", b"delta", b"epsilon", b"zeta", b"eta", b"theta", b"iota", b"kappa"]

Commands = Iterator[list[bytes]]
Dataset = Callable[[int], Commands]


def strings(keys: int) -> Commands:
    """Strings of 16 bytes that do not compress, under keys of 16 bytes."""
    source = random.Random(SEED)
    for number in range(keys):
        yield [b"SET", b"key:%012d" % number, source.randbytes(8).hex().encode()]


def small_hash(source: random.Random, key: bytes) -> list[bytes]:
    """A hash of five short fields."""
    command = [b"HSET", key]
    for field in FIELDS:
        command += [field, b"%s%d" % (source.choice(WORDS), source.randrange(1000))]
    return command


def small_list(source: random.Random, key: bytes) -> list[bytes]:
    """A list of ten short elements."""
    return [b"RPUSH", key, *(b"item:%d" % source.randrange(10**6) for _ in range(10))]


def small_set(source: random.Random, key: bytes) -> list[bytes]:
    """A set of eight short members."""
    return [b"SADD", key, *(b"member:%d" % source.randrange(10**6) for _ in range(8))]


def small_zset(source: random.Random, key: bytes) -> list[bytes]:
    """A sorted set of eight short members, half of whose scores are whole."""
    command = [b"ZADD", key]
    for number in range(8):
        score = source.randrange(10**6)
        command += [b"%d" % score if number % 2 else b"%d.5" % score, b"member:%d" % source.randrange(10**6)]
    return command


def text(source: random.Random, key: bytes) -> list[bytes]:
    """A string of about 100 bytes that compresses well."""
    return [b"SET", key, b" ".join(source.choice(WORDS) for _ in range(18))]


def counter(source: random.Random, key: bytes) -> list[bytes]:
    """A string that is an integer."""
    return [b"SET", key, b"%d" % source.randrange(10**9)]


KINDS = (small_hash, small_list, small_set, small_zset, text, counter)


def mixed(keys: int) -> Commands:
    """Small hashes, lists, sets and sorted sets, compressible strings and integers in turn; each tenth has a TTL."""
    source = random.Random(SEED)
    for number in range(keys):
        key = b"key:%012d" % number
        yield KINDS[number % len(KINDS)](source, key)
        if number % 10 == 0:
            yield [b"EXPIRE", key, b"%d" % source.randrange(10**5, 10**7)]


DATASETS: dict[str, Dataset] = {"strings": strings, "mixed": mixed}


def batches(commands: Commands, batch: int = BATCH) -> Iterator[tuple[bytes, int]]:
    """Pipelines of `batch` commands, with the number of commands in each."""
    parts: list[bytes] = []
    for command in commands:
        parts.append(pack(command))
        if len(parts) == batch:
            yield b"".join(parts), batch
            parts = []
    if parts:
        yield b"".join(parts), len(parts)


def fill(server: ServerProcess, commands: Commands, batch: int = BATCH) -> None:
    """Send `commands`, answered by one line each, in pipelines of `batch`. Raises `ValueError` if one is refused."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        for pipeline, count in batches(commands, batch):
            connection.sendall(pipeline)
            while count:
                received = connection.recv(1 << 20)
                if not received:
                    raise ValueError("the server closed the connection while it was filled")
                if b"-" in received:
                    raise ValueError(f"refused while filling: {received[:200]!r}")
                count -= received.count(b"\n")
