"""Streams, compared: sequences of commands, waiting clients, what is journalled, and what Redis 7.2 added to XINFO."""

from collections.abc import Iterator
from typing import Any

import hiredis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from conftest import StartServer
from oracle.pair import Pair
from oracle.process import AIKV, REDIS, ServerProcess
from oracle.sequences import CommandMachine, run
from oracle.wire import RawConnection
from served import NOW_MS, Served

KEYS = st.sampled_from(["s", "s", "s", "t"])
GROUPS = st.sampled_from(["g", "g", "h"])
CONSUMERS = st.sampled_from(["c", "d"])
IDS = st.builds("{}-{}".format, st.integers(0, 6), st.integers(0, 3))
PARTIAL = st.builds("{}-*".format, st.integers(0, 6))
BOUNDS = st.one_of(st.sampled_from(["-", "+", "3", "(2"]), IDS, IDS.map("({}".format))
COUNTS = st.sampled_from([(), (), ("COUNT", "1"), ("COUNT", "3"), ("COUNT", "0")])
FIELDS = st.sampled_from([("a", "1"), ("a", "2"), ("b", "x" * 70), ("a", "1", "b", "2"), ("a", "-300", "b", "")])
TRIM = st.one_of(
    st.builds(
        lambda sign, most: ("MAXLEN", *sign, str(most)), st.sampled_from([(), ("~",), ("=",)]), st.integers(0, 9)
    ),
    st.builds(lambda sign, number: ("MINID", *sign, number), st.sampled_from([(), ("~",), ("=",)]), IDS),
    st.builds(
        lambda most, limit: ("MAXLEN", "~", str(most), "LIMIT", limit), st.integers(0, 9), st.sampled_from("036")
    ),
)


def decoded(reply: bytes) -> Any:
    reader = hiredis.Reader(errors="replace")
    reader.feed(reply)
    return reader.gets()


@pytest.fixture
def small_nodes(pair: Pair) -> Iterator[Pair]:
    """Let both servers close a node after three entries."""
    for entries in ("3", "100"):
        for server in (pair.oracle, pair.aikv):
            with server.connect() as connection:
                assert connection.command("CONFIG", "SET", "stream-node-max-entries", entries) == b"+OK\r\n"
        if entries == "3":
            yield pair


class Streams(CommandMachine):
    """Every command on streams, on few ids, so that they meet. Consumers are there from the beginning of a group,
    because Redis 7.2 makes them where 7.0 does not."""

    @rule(key=KEYS, number=st.one_of(IDS, PARTIAL, PARTIAL), fields=FIELDS)
    def add(self, key: str, number: str, fields: tuple[str, ...]) -> None:
        # The error of an exhausted millisecond is another one in Redis 7.0.
        self.send("XADD", key, number, *fields)

    @rule(key=KEYS, number=PARTIAL, fields=FIELDS, trim=TRIM)
    def add_and_trim(self, key: str, number: str, fields: tuple[str, ...], trim: tuple[str, ...]) -> None:
        self.send("XADD", key, *trim, number, *fields)

    @rule(key=KEYS, trim=TRIM)
    def trim(self, key: str, trim: tuple[str, ...]) -> None:
        self.send("XTRIM", key, *trim)

    @rule(key=KEYS, numbers=st.lists(IDS, min_size=1, max_size=3))
    def delete(self, key: str, numbers: list[str]) -> None:
        self.send("XDEL", key, *numbers)

    @rule(key=KEYS, start=BOUNDS, end=BOUNDS, count=COUNTS, name=st.sampled_from(["XRANGE", "XREVRANGE"]))
    def range(self, key: str, start: str, end: str, count: tuple[str, ...], name: str) -> None:
        self.send(name, key, start, end, *count)

    @rule(keys=st.lists(KEYS, min_size=1, max_size=2), number=st.one_of(IDS, st.just("$")), count=COUNTS)
    def read(self, keys: list[str], number: str, count: tuple[str, ...]) -> None:
        self.send("XREAD", *count, "STREAMS", *keys, *[number] * len(keys))

    @rule(key=KEYS, number=IDS, more=st.sampled_from([(), ("ENTRIESADDED", "40"), ("MAXDELETEDID", "2-2")]))
    def set_id(self, key: str, number: str, more: tuple[str, ...]) -> None:
        described = self.send("XINFO", "STREAM", key)
        if described.startswith(b"-"):
            return
        fields = decoded(described)
        if not isinstance(fields, dict):
            fields = dict(zip(fields[::2], fields[1::2], strict=True))
        deleted = fields[b"max-deleted-entry-id"].split(b"-")
        # Redis 7.2 refuses an id below it.
        if tuple(map(int, deleted)) <= tuple(map(int, number.split("-"))):
            self.send("XSETID", key, number, *more)

    @rule(key=KEYS, name=st.sampled_from(["XLEN", "EXISTS", "TYPE", "DEL"]))
    def generic(self, key: str, name: str) -> None:
        self.send(name, key)

    @rule(key=KEYS, newkey=KEYS)
    def copy(self, key: str, newkey: str) -> None:
        self.send("COPY", key, newkey, "REPLACE")

    @rule(key=KEYS, group=GROUPS, number=st.one_of(IDS, st.sampled_from(["0", "$"])), make=st.booleans())
    def create_group(self, key: str, group: str, number: str, make: bool) -> None:
        self.send("XGROUP", "CREATE", key, group, number, *["MKSTREAM"] * make)
        for consumer in "cd":
            self.send("XGROUP", "CREATECONSUMER", key, group, consumer)

    @rule(key=KEYS, group=GROUPS, number=st.one_of(IDS, st.just("$")), read=st.sampled_from([(), ("ENTRIESREAD", "2")]))
    def set_group_id(self, key: str, group: str, number: str, read: tuple[str, ...]) -> None:
        self.send("XGROUP", "SETID", key, group, number, *read)

    @rule(key=KEYS, group=GROUPS)
    def destroy_group(self, key: str, group: str) -> None:
        self.send("XGROUP", "DESTROY", key, group)

    @rule(key=KEYS, group=GROUPS, consumer=CONSUMERS)
    def renew_consumer(self, key: str, group: str, consumer: str) -> None:
        self.send("XGROUP", "DELCONSUMER", key, group, consumer)
        self.send("XGROUP", "CREATECONSUMER", key, group, consumer)

    @rule(
        key=KEYS, group=GROUPS, consumer=CONSUMERS, count=COUNTS, start=st.one_of(st.just(">"), IDS), no=st.booleans()
    )
    def read_group(self, key: str, group: str, consumer: str, count: tuple[str, ...], start: str, no: bool) -> None:
        self.send("XREADGROUP", "GROUP", group, consumer, *count, *["NOACK"] * no, "STREAMS", key, start)

    @rule(key=KEYS, group=GROUPS, consumer=CONSUMERS, count=COUNTS)
    def read_new(self, key: str, group: str, consumer: str, count: tuple[str, ...]) -> None:
        self.send("XREADGROUP", "GROUP", group, consumer, *count, "STREAMS", key, ">")

    @rule(key=KEYS, group=GROUPS, numbers=st.lists(IDS, min_size=1, max_size=4))
    def acknowledge(self, key: str, group: str, numbers: list[str]) -> None:
        self.send("XACK", key, group, *numbers)

    @rule(
        key=KEYS,
        group=GROUPS,
        consumer=CONSUMERS,
        idle=st.sampled_from(["0", "1000000"]),
        numbers=st.lists(IDS, min_size=1, max_size=4),
        options=st.lists(
            st.sampled_from([("FORCE",), ("JUSTID",), ("RETRYCOUNT", "5"), ("IDLE", "2000000"), ("LASTID", "4-1")]),
            max_size=2,
        ),
    )
    def claim(
        self, key: str, group: str, consumer: str, idle: str, numbers: list[str], options: list[tuple[str, ...]]
    ) -> None:
        words = [word for option in options for word in option]
        self.send("XCLAIM", key, group, consumer, idle, *numbers, *words)

    @rule(
        key=KEYS,
        group=GROUPS,
        consumer=CONSUMERS,
        idle=st.sampled_from(["0", "0", "1000000"]),
        start=BOUNDS,
        options=st.sampled_from([(), ("COUNT", "1"), ("COUNT", "2", "JUSTID")]),
    )
    def claim_lying(self, key: str, group: str, consumer: str, idle: str, start: str, options: tuple[str, ...]) -> None:
        self.send("XAUTOCLAIM", key, group, consumer, idle, start, *options)

    @rule(key=KEYS, group=GROUPS, start=BOUNDS, end=BOUNDS, consumer=st.sampled_from([(), ("c",), ("d",)]))
    def pending(self, key: str, group: str, start: str, end: str, consumer: tuple[str, ...]) -> None:
        self.send("XPENDING", key, group)
        self.send("XPENDING", key, group, start, end, "3", *consumer, comparison="near")

    @rule(key=KEYS)
    def describe(self, key: str) -> None:
        self.send("XINFO", "STREAM", key)
        self.send("XINFO", "GROUPS", key)


def test_sequences_of_commands_on_streams(small_nodes: Pair) -> None:
    run(small_nodes, Streams)


def without(reply: Any, *names: bytes) -> Any:
    """Drop fields that Redis 7.0 does not have from maps."""
    if isinstance(reply, dict):
        return {key: without(value, *names) for key, value in reply.items() if key not in names}
    if isinstance(reply, list):
        return [without(item, *names) for item in reply]
    # Times of the two servers differ.
    return 0 if isinstance(reply, int) and reply > 1_000_000_000_000 else reply


def test_xinfo_has_the_fields_of_redis_7_2_besides(pair: Pair) -> None:
    replies: list[list[Any]] = []
    for server in (pair.oracle, pair.aikv):
        with server.connect(3) as connection:
            connection.command("FLUSHALL")
            for number in range(1, 15):
                connection.command("XADD", "s", f"{number}-1", "a", str(number))
            connection.command("XGROUP", "CREATE", "s", "g", "0")
            connection.command("XGROUP", "CREATE", "s", "f", "0")
            connection.command("XGROUP", "CREATECONSUMER", "s", "g", "idle")
            connection.command("XREADGROUP", "GROUP", "g", "one", "COUNT", "12", "STREAMS", "s", ">")
            connection.command("XREADGROUP", "GROUP", "g", "an other", "COUNT", "1", "STREAMS", "s", ">")
            asked = [
                ("STREAM", "s", "FULL"),
                ("STREAM", "s", "FULL", "COUNT", "0"),
                ("STREAM", "s", "FULL", "COUNT", "3"),
            ]
            replies.append([decoded(connection.command("XINFO", *argv)) for argv in [*asked, ("CONSUMERS", "s", "g")]])
    theirs, ours = replies
    for their, our in zip(theirs[3], ours[3], strict=True):
        assert -1 <= our[b"inactive"] <= 1000
        assert abs(their.pop(b"idle") - our.pop(b"idle")) <= 1000
    assert without(theirs) == without(ours, b"active-time", b"inactive")
    assert ours[3][1] == {b"name": b"idle", b"pending": 0, b"inactive": -1}


def test_an_id_below_the_largest_deleted_one_is_refused_as_in_redis_7_2(pair: Pair) -> None:
    with pair.aikv.connect() as connection:
        connection.command("FLUSHALL")
        connection.command("XADD", "s", "1-1", "a", "1")
        connection.command("XSETID", "s", "9-9", "MAXDELETEDID", "8-8")
        said = b"-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id\r\n"
        assert connection.command("XSETID", "s", "8-7") == said
        assert connection.command("XSETID", "s", "8-8") == b"+OK\r\n"


class Waiting:
    """Two clients of one server: one waits, the other acts."""

    def __init__(self, server: ServerProcess, protocol: int) -> None:
        self.waits = server.connect(protocol)
        self.acts = server.connect(protocol)
        self.acts.command("FLUSHALL")

    def close(self) -> None:
        self.waits.close()
        self.acts.close()


def wait_until_blocked(connection: RawConnection) -> None:
    while b"blocked_clients:0" in connection.command("INFO", "clients"):
        pass


# What is there, what waits, what then happens.
WAITS = {
    "an entry comes": ("", "XREAD BLOCK 0 STREAMS s $", "XADD s 1-1 a 1"),
    "an entry comes to the second": ("XADD s 1-1 a 1", "XREAD BLOCK 0 STREAMS s t $ $", "XADD t 5-5 a 1"),
    "an entry behind the id": ("XADD s 1-1 a 1", "XREAD BLOCK 0 STREAMS s 1-1", "XADD s 1-2 a 2"),
    "more entries at once": ("", "XREAD BLOCK 0 COUNT 1 STREAMS s 0", "MULTI; XADD s 1-1 a 1; XADD s 1-2 a 1; EXEC"),
    "an entry comes and goes": ("", "XREAD BLOCK 0 STREAMS s $", "MULTI; XADD s 1 a 1; DEL s; EXEC; XADD s 1-1 b 1"),
    "another type first": ("", "XREAD BLOCK 0 STREAMS s $", "SET s v; DEL s; XADD s 1-1 b 1"),
    "a stream is renamed": ("XADD t 1-1 a 1", "XREAD BLOCK 0 STREAMS s 0", "RENAME t s"),
    "a group gets an entry": (
        "XGROUP CREATE s g $ MKSTREAM", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "XADD s 1-1 a 1; XPENDING s g",
    ),
    "a group that acknowledges": (
        "XGROUP CREATE s g $ MKSTREAM", "XREADGROUP GROUP g c BLOCK 0 NOACK STREAMS s >",
        "XADD s 1-1 a 1; XINFO GROUPS s",
    ),
    "the group is set back": (
        "XADD s 1-1 a 1; XGROUP CREATE s g $", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
        "XGROUP SETID s g 0; XADD s 2 b 2",
    ),
    "another group is destroyed": (
        "XGROUP CREATE s g $ MKSTREAM; XGROUP CREATE s h $", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
        "XGROUP DESTROY s h; XADD s 1-1 a 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("case", WAITS)
def test_a_waiting_client_gets_the_same(pair: Pair, case: str, protocol: int) -> None:
    before, waiting, then = WAITS[case]
    replies = []
    for server in (pair.oracle, pair.aikv):
        clients = Waiting(server, protocol)
        said = [clients.acts.command(*line.split()) for line in before.split(";") if line.strip()]
        clients.waits.send(*waiting.split())
        wait_until_blocked(clients.acts)
        said += [clients.acts.command(*line.split()) for line in then.split(";")]
        said.append(clients.waits.read_reply())
        said.append(clients.waits.command("PING"))
        replies.append(said)
        clients.close()
    assert replies[0] == replies[1]


NO_GROUP = b"-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n"
WRONG_TYPE = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("XGROUP DESTROY s g", NO_GROUP),
        ("DEL s", NO_GROUP),
        ("UNLINK s", NO_GROUP),
        ("FLUSHALL", NO_GROUP),
        ("FLUSHDB", NO_GROUP),
        ("SWAPDB 0 5", NO_GROUP),
        ("MOVE s 5", NO_GROUP),
        ("RENAME s t", NO_GROUP),
        ("XADD t 1 a 1; RENAME t s", NO_GROUP),
        ("PEXPIRE s 1", NO_GROUP),
        ("PEXPIRE s -1", NO_GROUP),
        ("SET s v", WRONG_TYPE),
        ("MULTI; DEL s; SET s v; EXEC", WRONG_TYPE),
    ],
)
def test_a_client_that_waits_for_a_group_learns_that_it_is_gone_as_in_redis_7_2(
    pair: Pair, then: str, expected: bytes
) -> None:
    clients = Waiting(pair.aikv, 2)
    clients.acts.command("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    clients.waits.send("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">")
    wait_until_blocked(clients.acts)
    for line in then.split(";"):
        clients.acts.command(*line.split())
    assert clients.waits.read_reply() == expected
    clients.close()


def test_those_who_came_first_are_served_first(pair: Pair) -> None:
    replies = []
    for server in (pair.oracle, pair.aikv):
        with server.connect() as acts:
            acts.command("FLUSHALL")
            acts.command("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
            waiting = [server.connect() for _ in range(3)]
            for number, connection in enumerate(waiting):
                connection.send("XREADGROUP", "GROUP", "g", f"c{number}", "BLOCK", "300", "STREAMS", "s", ">")
                while b"blocked_clients:%d" % (number + 1) not in acts.command("INFO", "clients"):
                    pass
            acts.command("XADD", "s", "1-1", "a", "1")
            acts.command("XADD", "s", "1-2", "a", "2")
            replies.append([connection.read_reply() for connection in waiting])
            for connection in waiting:
                connection.close()
    assert replies[0] == replies[1]


CREATE = b"CREATECONSUMER"
APPEND_ONLY = ("--appendonly", "yes", "--save", "", "--auto-aof-rewrite-percentage", "0")
JOURNALLED = """
XADD s 1-1 a 1
XADD s 2-* a 1
XADD s MAXLEN ~ 100 3-* a 1
XADD s MAXLEN ~ 0 LIMIT 1 3-* a 1
XADD s MINID ~ 2 LIMIT 5 3-* a 1
XADD s MAXLEN 4 4 a 1
XADD s MINID = 1 NOMKSTREAM 5 a 1
XADD t MAXLEN ~ 0 LIMIT 0 5 a 1
XADD t MINID ~ 9 6 a 1
XTRIM t MAXLEN ~ 0
XADD t 7 a 1
XTRIM t MINID ~ 8
XTRIM t MINID ~ 8
XTRIM s MAXLEN ~ 1
XTRIM s MAXLEN 4
XDEL s 3-1 9-9
XDEL s 9-9
XSETID s 9-9 ENTRIESADDED 100
XGROUP CREATE s g 0
XGROUP CREATE u g $ MKSTREAM
XGROUP CREATECONSUMER s g c
XGROUP CREATECONSUMER s g c
XREADGROUP GROUP g c COUNT 1 STREAMS s >
XREADGROUP GROUP g d STREAMS s >
XREADGROUP GROUP g d STREAMS s >
XREADGROUP GROUP g d STREAMS s 0
XREADGROUP GROUP g c NOACK STREAMS s u 0 >
XADD s 10 a 1
XADD s 11 b 1
XREADGROUP GROUP g n NOACK COUNT 1 STREAMS s >
XREADGROUP GROUP g n NOACK STREAMS s >
XGROUP SETID s g 4
XREADGROUP GROUP g e STREAMS s >
XACK s g 4-0 4-0 9-9
XACK s g 4-0
XCLAIM s g d 0 5-0 10-0 RETRYCOUNT 3 TIME 1000
XCLAIM s g d 0 11-0 JUSTID LASTID 12-0
XCLAIM s g d 0 4-0 FORCE IDLE 0
XCLAIM s g d 1000000 4-0 LASTID 13-0
XDEL s 11
XCLAIM s g e 0 11-0 5-0
XAUTOCLAIM s g d 0 0 COUNT 2
XDEL s 10
XAUTOCLAIM s g d 0 0
XGROUP DELCONSUMER s g e
XGROUP SETID s g 3 ENTRIESREAD 7
XGROUP DESTROY s g
XGROUP DESTROY s g
""".strip().split("\n")


def journal(server: ServerProcess) -> list[list[bytes]]:
    """The commands that a server has appended to its log, with each time replaced where it is one of now.

    Left out are records that later versions than 7.0 write besides (XGROUP SETID after entries were delivered, and with
    it MULTI and EXEC around them), and that aikv alone writes, for a consumer that got nothing.
    """
    path = next((server.folder / "appendonlydir").glob("*.incr.aof"))
    reader = hiredis.Reader()
    reader.feed(path.read_bytes())
    records = []
    while (record := reader.gets()) is not False:
        if record[0] not in (b"MULTI", b"EXEC") and record[:2] not in ([b"XGROUP", b"SETID"], [b"XGROUP", CREATE]):
            records.append([b"now" if len(word) == 13 and word.isdigit() else word for word in record])
    return records


def test_the_log_holds_what_redis_would_write(start_server: StartServer) -> None:
    logs = []
    for program, name in ((REDIS, "redis"), (AIKV, "aikv")):
        server = start_server(program, *APPEND_ONLY, "--stream-node-max-entries", "2", name=name)
        with server.connect() as connection:
            for line in JOURNALLED:
                assert not connection.command(*line.split()).startswith(b"-"), line
        server.stop()
        logs.append(journal(server))
    assert logs[0] == logs[1]


def claimed(consumer: bytes, number: bytes) -> list[bytes]:
    """The record of a first delivery."""
    time = b"%d" % NOW_MS
    claim = [b"XCLAIM", b"s", b"g", consumer, b"0", number, b"TIME", time, b"RETRYCOUNT", b"1"]
    return [*claim, b"FORCE", b"JUSTID", b"LASTID", number]


def test_what_a_group_reads_is_journalled_as_what_comes_of_it() -> None:
    served = Served()
    for number in (1, 2, 3):
        served.run(f"XADD s {number} a 1")
    served.run("XGROUP CREATE s g 0")
    served.recorded()
    served.run("XREADGROUP GROUP g c COUNT 1 STREAMS s >")
    set_id = [b"XGROUP", b"SETID", b"s", b"g"]
    assert served.recorded() == [[b"MULTI"], claimed(b"c", b"1-0"), [*set_id, b"1-0", b"ENTRIESREAD", b"1"], [b"EXEC"]]
    served.run("XREADGROUP GROUP g d NOACK STREAMS s >")
    created = [b"XGROUP", b"CREATECONSUMER", b"s", b"g"]
    read = [*set_id, b"3-0", b"ENTRIESREAD", b"3"]
    assert served.recorded() == [[b"MULTI"], [*created, b"d"], read, [b"EXEC"]]
    served.run("XREADGROUP GROUP g e STREAMS s >")
    assert served.recorded() == [[*created, b"e"]]
    served.run("XCLAIM s g f 0 3-0")
    assert served.recorded() == [[*created, b"f"]]
    served.run("XREADGROUP GROUP g c STREAMS s 0")
    served.run("XREADGROUP GROUP g c STREAMS s >")
    assert served.recorded() == []


def described(connection: RawConnection) -> list[bytes]:
    """All that can be asked about the streams `s`, `t` and `u`."""
    said = []
    for key in "stu":
        said += [connection.command("XINFO", "STREAM", key), connection.command("XRANGE", key, "-", "+")]
        said.append(connection.command("XINFO", "GROUPS", key))
        said.append(connection.command("XPENDING", key, "g"))
    return said


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("rewrite", [True, False])
@pytest.mark.parametrize("to_aikv", [True, False])
def test_the_log_of_one_is_loaded_by_the_other(
    preamble: str, rewrite: bool, to_aikv: bool, start_server: StartServer
) -> None:
    programs = (REDIS, AIKV) if to_aikv else (AIKV, REDIS)
    arguments = (*APPEND_ONLY, "--aof-use-rdb-preamble", preamble, "--stream-node-max-entries", "2")
    server = start_server(programs[0], *arguments)
    with server.connect() as connection:
        for line in JOURNALLED[:-10]:
            connection.command(*line.split())
        connection.command("XGROUP", "CREATE", "t", "g", "$")
        before = described(connection)
        if rewrite:
            connection.command("BGREWRITEAOF")
            while b"aof_rewrite_in_progress:1" in connection.command("INFO", "persistence"):
                pass
    server.restart()
    with server.connect() as connection:
        # Redis's log does not hold everything that Redis knew.
        again = described(connection)
        assert to_aikv or again == before
    server.stop()
    server.program = tuple(programs[1])
    server.start()
    with server.connect() as connection:
        assert described(connection) == again


@pytest.mark.parametrize("to_aikv", [True, False])
def test_a_stream_dumped_by_one_is_restored_by_the_other(pair: Pair, to_aikv: bool) -> None:
    source, target = (pair.oracle, pair.aikv) if to_aikv else (pair.aikv, pair.oracle)
    with source.connect() as connection:
        connection.command("FLUSHALL")
        for line in JOURNALLED[:-10]:
            connection.command(*line.split())
        connection.command("XGROUP", "CREATE", "t", "g", "$")
        before = described(connection)
        payloads = [decoded(connection.command("DUMP", key)) for key in "stu"]
    with target.connect() as connection:
        connection.command("FLUSHALL")
        for key, payload in zip("stu", payloads, strict=True):
            assert connection.command("RESTORE", key, "0", payload) == b"+OK\r\n"
        assert described(connection) == before
        # What was restored can be gone on with.
        assert connection.command("XADD", "s", "99-1", "a", "1") == b"$4\r\n99-1\r\n"


def announced(server: ServerProcess) -> list[bytes]:
    """The keyspace events of `JOURNALLED`, without those of consumers that Redis 7.0 does not make."""
    with server.connect() as connection, server.connect() as listener:
        connection.command("FLUSHALL")
        connection.command("CONFIG", "SET", "notify-keyspace-events", "KEtgn")
        listener.command("PSUBSCRIBE", "__keyevent@0__:*")
        for line in JOURNALLED:
            connection.command(*line.split())
        connection.command("CONFIG", "SET", "notify-keyspace-events", "")
        connection.command("PUBLISH", "__keyevent@0__:end", "")
        events = []
        while not (event := listener.read_reply()).endswith(b":end\r\n$0\r\n\r\n"):
            events.append(event)
    return [event for event in events if b"createconsumer" not in event]


def test_the_same_events_are_announced_in_the_same_order(pair: Pair) -> None:
    assert announced(pair.oracle) == announced(pair.aikv)
