"""Damaged values: the RDB bodies of values in every form, and what must hold whatever bytes they are changed to.

Theory of operation: a body is an RDB type byte and what follows it. `BODIES` has one of each form: those that aikv
writes, made by commands, and the older ones, put together here. `mutated` changes a byte or two. `Judge` keeps time and
memory: a mutant may take as much memory as its size justifies, and a moment.
"""

import signal
import tracemalloc
from random import Random
from types import FrameType, TracebackType

from aikv.base.crc64 import crc64
from aikv.persistence.dump import encode_dump
from persistence.ziplists import ziplist_of
from served import Served

LONG = "long-text-" * 30
MADE = {
    "string": ["SET k some-text", "SET k 70000"],
    "lzf": [f"SET k {LONG}"],
    "list": ["RPUSH k a b 7 -300 70000 " + LONG, "RPUSH k " + " ".join(map(str, range(3000)))],
    "hash": ["HSET k f 1 g text h 70000", "HSET k f " + LONG],
    "set": ["SADD k 1 2 70000", "SADD k a b 7", "SADD k a " + LONG],
    "zset": ["ZADD k 1 a 2.5 b inf c", "ZADD k 1 a 2 " + LONG],
    "geo": ["GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"],
    "hll": ["PFADD k a b c d e f g h"],
    "field times": [
        "HSET k f 1 g 2; HPEXPIREAT k 9000000000000 FIELDS 1 f",
        "HSET k f " + LONG + "; HEXPIRE k 99 FIELDS 1 f",
    ],
    "stream": [
        "XADD k 1-1 f v g w; XADD k 2-1 f x g y; XADD k 3-1 h z; XDEL k 2-1; "
        "XGROUP CREATE k g 0; XGROUP CREATE k h 1-1; XREADGROUP GROUP g c STREAMS k >; "
        "XREADGROUP GROUP h d COUNT 1 STREAMS k >"
    ],
}
READS = {
    b"string": ["GET k", "STRLEN k", "BITCOUNT k", "[error] PFCOUNT k", "[error] INCR k", "APPEND k x"],
    b"list": ["LRANGE k 0 -1", "LINDEX k -1", "LPOS k a", "LPUSH k x", "RPOP k", "LTRIM k 0 3"],
    b"hash": ["HGETALL k", "HGET k f", "HTTL k FIELDS 1 f", "HSET k new 1", "HDEL k f g h"],
    b"set": ["SMEMBERS k", "SISMEMBER k a", "SADD k x", "SREM k a 1", "SPOP k 2"],
    b"zset": [
        "ZRANGE k 0 -1 WITHSCORES",
        "ZRANK k a",
        "[error] GEOPOS k a",
        "ZADD k 3 x",
        "ZPOPMIN k",
        "ZREMRANGEBYSCORE k 0 2",
    ],
    b"stream": [
        "XRANGE k - +",
        "XREVRANGE k + -",
        "XINFO STREAM k FULL",
        "XINFO GROUPS k",
        "[error] XPENDING k g - + 10",
        "[error] XREADGROUP GROUP g c STREAMS k 0",
        "[error] XREADGROUP GROUP g c STREAMS k >",
        "[error] XAUTOCLAIM k g c 0 0",
        "[error] XADD k * f v",
        "XDEL k 1-1",
        "XTRIM k MAXLEN 1",
    ],
}
SECONDS = 20
# What a byte of input may cost: LZF makes 264 bytes of three, which are then copied, and each short text is an object.
BYTES_PER_BYTE = 600
BYTES_AT_LEAST = 1 << 20


def text(data: bytes) -> bytes:
    """An RDB string of up to 16383 bytes."""
    return (bytes((len(data),)) if len(data) < 64 else (0x4000 | len(data)).to_bytes(2, "big")) + data


def old_bodies() -> dict[str, list[bytes]]:
    """Bodies in forms that are read and no longer written, and in those of Redis 7.2."""
    pairs = ziplist_of([b"f", b"1", b"g", b"text", b"h", b"700"])
    zipmap = b"\x02\x01f\x01\x001\x01g\x04\x00text\xff"
    return {
        "old list": [b"\x01\x02" + text(b"a") + text(b"b"), b"\x0a" + text(pairs), b"\x0e\x02" + text(pairs) * 2],
        "old hash": [b"\x09" + text(zipmap), b"\x0d" + text(pairs)],
        "old zset": [
            b"\x03\x02" + text(b"a") + b"\x011" + text(b"b") + b"\x032.5",
            b"\x0c" + text(ziplist_of([b"f", b"1", b"g", b"2.5", b"h", b"700"])),
        ],
        "old set": [b"\x0b" + text(b"\x02\0\0\0\x02\0\0\0\x01\0\x07\0")],
    }


def bodies() -> dict[str, list[bytes]]:
    """Bodies by the name of their form."""
    found: dict[str, list[bytes]] = {}
    for name, lines in MADE.items():
        for line in lines:
            served = Served()
            for command in line.split("; "):
                assert not served.run(command).startswith(b"-"), command
            value = served.engine.databases[0].table.get(b"k")
            assert value is not None
            found.setdefault(name, []).append(encode_dump(value)[:-10])
    # The listpack of a hash is as well that of a set or sorted set.
    pack = next(body for body in found["hash"] if body[0] == 16)
    found["set"].append(b"\x14" + pack[1:])
    return {**found, **old_bodies()}


BODIES = bodies()


def mutated(random: Random, data: bytes) -> bytes:
    """`data` with one or two bytes changed, mostly to a byte that means something."""
    changed = bytearray(data)
    for _ in range(random.choice([1, 1, 2])):
        at = random.randrange(len(changed))
        changed[at] = random.choice(
            [0, 1, 0x7F, 0x80, 0x81, 0xC3, 0xF1, 0xFE, 0xFF, changed[at] ^ 1, random.randrange(256)]
        )
    return bytes(changed)


def signed(body: bytes) -> bytes:
    """The payload of DUMP with `body`, whose checksum is right."""
    whole = body + (12).to_bytes(2, "little")
    return whole + crc64(whole).to_bytes(8, "little")


class Judge:
    """A context in which something is done with `size` bytes of input; raises if it takes long, or much memory."""

    def __init__(self, size: int) -> None:
        self.limit = size * BYTES_PER_BYTE + BYTES_AT_LEAST
        self.before = 0

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(SECONDS)
        tracemalloc.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        signal.alarm(0)
        assert peak < self.limit, f"{peak} bytes, where {self.limit} are the limit"


def too_long(_number: int, _frame: FrameType | None) -> None:
    """Take the alarm."""
    raise TimeoutError(f"more than {SECONDS} seconds")
