"""Files that were damaged: cut, extended, every bit flipped. What is wrong is said, and no damaged file is changed.

What is promised:

- RDB: every damage is detected, by the structure or by the CRC64 at the end; the start is refused.
- Log: a cut end, with zeros behind it or not, is dropped and its bytes are counted in the log, or refused under
  `aof-load-truncated no`. Other damage of its frame is refused. The log has no checksum, so a flip inside an argument
  may load as another argument: a value, a key, a word of the command. A flip that makes a length reach beyond the end
  of the file looks like a cut end, and is told as one.
- Manifest: damage is detected or harmless.
- DUMP payloads: a mutation that happens to pass the checksum is refused, or makes some value.

And always: a refusal names the file, nothing is loaded in silence, nothing is changed that could not be read, and no
length that a damaged file claims is believed before the bytes are there.
"""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from random import Random

import pytest

from aikv.base.crc64 import crc64
from aikv.base.errors import AikvError
from aikv.persistence.aof_reader import AofReader
from crash.power.judge import Judge, Verdict
from crash.power.life import LOGGED, SAVED, Life
from crash.power.memory import MemoryFiles, Tree
from crash.power.world import World, fingerprint
from served import Served

Record = Callable[[str, object], None]

# What reading may take beside the file itself: a block, its copy, and what is made of it.
MEMORY = 6 << 20
MAKE = {
    "string": ["SET key some-text-of-a-string"],
    "integer": ["SET key 123456789"],
    "packed": ["SET key " + "pack" * 60],
    "list": ["RPUSH key a bb 12345 " + "long" * 30],
    "set": ["SADD key a bb ccc"],
    "integers": ["SADD key 1 2 70000"],
    "hash": ["HSET key field value other 12"],
    "timed hash": ["HSET key field value other 12", "HPEXPIREAT key 33000000000000 FIELDS 1 field"],
    "sorted set": ["ZADD key 1 a 2.5 bb -inf ccc"],
    "stream": [
        "XADD key 1-1 f v g w",
        "XADD key 2-1 f v",
        "XGROUP CREATE key g 0",
        "XREADGROUP GROUP g c STREAMS key >",
    ],
    "counter": ["PFADD key a b c"],
}


@pytest.fixture
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether much is to be tried."""
    return bool(request.config.getoption("--deep"))


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit flipped."""
    at = bit // 8
    return data[:at] + bytes((data[at] ^ 1 << bit % 8,)) + data[at + 1 :]


def with_content(tree: Tree, path: str, data: bytes) -> Tree:
    """`tree` with another content in one file."""
    return Tree(tree.names, {**tree.nodes, tree.names[path]: data}, tree.folders)


def part(tree: Tree, end: str) -> str:
    """The one path in `tree` that ends so."""
    (path,) = [path for path in tree.names if path.endswith(end)]
    return path


def saved(*lines: str) -> tuple[Tree, str]:
    """Files of a server that has saved what `lines` make; and the path of the snapshot."""
    life = Life(SAVED, 1)
    life.start()
    for line in lines:
        life.turn([[word.encode() for word in line.split()]])
    life.turn([[b"SAVE"]])
    tree = life.files.tree()
    return tree, part(tree, "dump.rdb")


def all_types() -> list[str]:
    """Commands that make a key of every type."""
    return [line.replace(" key ", f" {name.replace(' ', '-')} ") for name, lines in MAKE.items() for line in lines]


def logged() -> tuple[Tree, str]:
    """Files of a server with a short log; and the path of its last file."""
    life = Life({**LOGGED, "appendfsync": "always"}, 1)
    life.start()
    life.turn([[b"SET", b"base", b"1"]])
    life.turn([[b"BGREWRITEAOF"]])
    life.end()
    life.turn([[b"SET", b"key", b"some text"], [b"SELECT", b"3"], [b"RPUSH", b"list", b"a", b"12345678901"]])
    life.turn([[b"MULTI"], [b"INCR", b"count"], [b"HSET", b"hash", b"field", b""], [b"EXEC"]])
    life.turn([[b"XADD", b"stream", b"5-1", b"f", b"\r\n$3\r\n"], [b"SET", b"key", b"x" * 300]])
    tree = life.files.tree()
    return tree, part(tree, ".2.incr.aof")


def refused(settings: dict[str, str], tree: Tree, path: str) -> None:
    """A start on `tree` is refused because of `path`, changes nothing and takes no memory to speak of."""
    files = MemoryFiles(tree)
    world = World(files, settings)
    with pytest.raises(AikvError) as caught:
        world.persistence.load()
    assert path in str(caught.value)
    assert files.tree() == tree


def test_every_flipped_bit_of_a_snapshot_is_detected(deep: bool, record_property: Record) -> None:
    tree, path = saved(*(all_types() if deep else ["SET key value", "RPUSH list a 12", "ZADD zset 1 a"]))
    data = tree.contents()[path]
    for bit in range(8 * len(data)):
        refused(SAVED, with_content(tree, path, flipped(data, bit)), path)
    record_property("flips detected in snapshots", 8 * len(data))


def test_flipped_bits_of_a_large_snapshot_are_detected(deep: bool, record_property: Record) -> None:
    chance = Random(4)
    lines = [f"SET key:{number} {number * 7919}-{'text' * (number % 9)}" for number in range(4000)]
    tree, path = saved(*lines[:: 1 if deep else 8], *all_types())
    data = tree.contents()[path]
    tries = 400 if deep else 12
    for _ in range(tries):
        refused(SAVED, with_content(tree, path, flipped(data, chance.randrange(8 * len(data)))), path)
    record_property("flips detected in snapshots", tries)


def test_a_snapshot_that_is_cut_or_extended_is_refused() -> None:
    tree, path = saved("SET key value", "SADD set 1 2")
    data = tree.contents()[path]
    for end in range(len(data)):
        refused(SAVED, with_content(tree, path, data[:end]), path)
    for more in (b"\0", bytes(5000), b"garbage", data):
        refused(SAVED, with_content(tree, path, data + more), path)


def test_what_a_damaged_snapshot_claims_takes_no_memory(deep: bool) -> None:
    tree, path = saved(*all_types())
    data = tree.contents()[path]
    peak = 0
    tracemalloc.start()
    try:
        for bit in range(0, 8 * len(data), 3 if deep else 61):
            damaged = with_content(tree, path, flipped(data, bit))
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            refused(SAVED, damaged, path)
            peak = max(peak, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert peak < MEMORY


def frame(data: bytes) -> set[int]:
    """The offsets in a log of what is no argument: headers and line ends."""
    found: set[int] = set()
    at = 0
    while at < len(data):
        end = data.index(b"\r\n", at) + 2
        found |= set(range(at, end))
        if data[at : at + 1] == b"$":
            end += int(data[at + 1 : end - 2]) + 2
            found |= {end - 2, end - 1}
        at = end
    return found


def test_a_flipped_bit_of_the_log_is_refused_or_told_or_changes_an_argument(
    deep: bool, record_property: Record
) -> None:
    tree, path = logged()
    data = tree.contents()[path]
    no_argument = frame(data)
    judge = Judge(LOGGED)
    seen = dict.fromkeys(("refused", "told", "loaded"), 0)
    # The long value at the end is no frame, and a few of its bits are enough.
    for bit in range(0, 8 * (len(data) - 250), 1 if deep else 3):
        verdict = judge.load(with_content(tree, path, flipped(data, bit)))
        if verdict.refused:
            seen["refused"] += 1
        elif verdict.dropped:
            seen["told"] += 1
        else:
            seen["loaded"] += 1
            assert bit // 8 not in no_argument, f"a wrong frame was loaded: bit {bit}"
    assert min(seen.values()) > 0
    record_property("flips of the log detected", seen["refused"] + seen["told"])
    record_property("flips of the log that changed an argument", seen["loaded"])


def test_every_flipped_bit_of_a_manifest_is_refused_or_harmless(record_property: Record) -> None:
    tree, log_path = logged()
    path = part(tree, "/appendonly.aof.manifest")
    data = tree.contents()[path]
    judge = Judge(LOGGED)
    whole = judge.load(tree).state
    detected = 0
    for bit in range(8 * len(data)):
        verdict = judge.load(with_content(tree, path, flipped(data, bit)))
        detected += verdict.refused != ""
        assert verdict.refused or verdict.state == whole, f"bit {bit}"
    assert log_path in tree.names
    record_property("flips detected in manifests", detected)


def test_flipped_bits_of_the_base_are_detected(deep: bool, record_property: Record) -> None:
    tree, _ = logged()
    path = part(tree, ".2.base.rdb")
    data = tree.contents()[path]
    bits = range(0, 8 * len(data), 1 if deep else 7)
    for bit in bits:
        refused(LOGGED, with_content(tree, path, flipped(data, bit)), path)
    record_property("flips detected in snapshots", len(bits))


def ends(data: bytes) -> Iterator[bytes]:
    """The log cut at every byte of its last commands, zeros behind some of them, other bytes behind it."""
    for end in range(len(data) - 600, len(data)):
        yield data[:end]
        if end % 7 == 0:
            yield data[:end] + bytes(end % 600 + 1)
    for more in (b"*", b"*3\r\n$3\r\nSET\r\n", bytes(1), bytes(4096)):
        yield data + more


def test_a_cut_log_loads_what_is_whole_and_tells_what_is_not(record_property: Record) -> None:
    tree, path = logged()
    data = tree.contents()[path]
    # What each beginning of the log that is whole holds.
    whole = {offset: Judge(LOGGED).load(with_content(tree, path, data[:offset])) for offset in boundaries(data, path)}
    judge = Judge(LOGGED)
    strict = Judge({**LOGGED, "aof-load-truncated": "no"})
    tried = 0
    for cut in ends(data):
        kept = max(offset for offset in whole if cut.startswith(data[:offset]))
        damaged = with_content(tree, path, cut)
        verdict = judge.load(damaged)
        assert not verdict.refused
        assert (verdict.state, verdict.dropped) == (whole[kept].state, len(cut) - kept)
        check_strict(strict.load(damaged), path, kept, kept == len(cut))
        tried += 1
    record_property("cut ends of a log", tried)


def check_strict(verdict: Verdict, path: str, kept: int, is_whole: bool) -> None:
    """Under `aof-load-truncated no` a cut end is refused, with the offset and what to do."""
    if is_whole:
        assert not verdict.refused
    else:
        assert f"{path}: at offset {kept}: Unexpected end of file" in verdict.refused
        assert "aikv check-aof --fix" in verdict.refused


def boundaries(data: bytes, path: str) -> list[int]:
    """The offsets in a log at which no command and no transaction is open."""
    files = MemoryFiles(Tree({path: 1}, {1: data}))
    found = [0]
    inside = False
    at = 0
    for argv in AofReader(files, files.open(path, os.O_RDONLY), path, 0, len(data)).next_run():
        at += sum(len(b"$%d\r\n" % len(word)) + len(word) + 2 for word in argv) + len(b"*%d\r\n" % len(argv))
        inside = argv[0] == b"MULTI" or (inside and argv[0] != b"EXEC")
        if not inside:
            found.append(at)
    assert at == len(data)
    return found


@pytest.mark.parametrize("garbage", [b"garbage", b"\xff" * 600, b"\r\n", b"+OK\r\n", bytes(20) + b"x", b"#" * 2000])
def test_garbage_behind_the_log_is_refused_and_stays(garbage: bytes) -> None:
    tree, path = logged()
    for settings in (LOGGED, {**LOGGED, "aof-load-truncated": "no"}):
        refused(settings, with_content(tree, path, tree.contents()[path] + garbage), path)


@pytest.mark.parametrize("kind", MAKE)
def test_mutated_payloads_and_snapshots_without_checksum_do_no_harm(
    kind: str, deep: bool, record_property: Record
) -> None:
    served = Served()
    for line in MAKE[kind]:
        served.run(line)
    reply = served.run("DUMP key")
    payload = reply[reply.index(b"\r\n") + 2 : -2]
    tree, path = saved(*MAKE[kind])
    data = tree.contents()[path]
    chance = Random(len(kind))
    tries = 1000 if deep else 60
    restored = 0
    for _ in range(tries):
        mutated = mutation(payload[:-8], chance)
        answer = served.run("RESTORE", "copy", "0", mutated + crc64(mutated).to_bytes(8, "little"), "REPLACE")
        assert answer.startswith((b"+OK", b"-ERR")), answer
        if answer.startswith(b"+OK"):
            restored += 1
            fingerprint(served.engine)
            served.run("DUMP copy")
            served.run("DEL copy")
        files = MemoryFiles(with_content(tree, path, mutation(data, chance)))
        world = World(files, {**SAVED, "rdbchecksum": "no"})
        before = files.tree()
        said = ""
        try:
            world.persistence.load()
            fingerprint(world.engine)
        except AikvError as error:
            said = str(error)
        assert not said or path in said
        assert files.tree() == before
    assert served.engine.stats.unexpected_errors == 0
    record_property("mutations of payloads and snapshots", 2 * tries)
    record_property("mutated payloads that made some value", restored)


def mutation(data: bytes, chance: Random) -> bytes:
    """`data` with one or two other bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 2)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
