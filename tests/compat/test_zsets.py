"""Sorted sets against the oracle where a line does not reach.

Random sequences, events, clients that wait, the records in the AOF, and what is newer than the oracle.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conftest import StartServer
from oracle.effects import announced, check_records
from oracle.language import Case, parse_steps, read_cases
from oracle.pair import PROTOCOLS, Pair, Session
from oracle.process import AIKV, REDIS
from oracle.sequences import CommandMachine, run

KEYS = st.sampled_from(["a", "b", "s"])
MEMBERS = st.sampled_from(["a", "b", "c", "ab", "", "7", "-1", "007", "m" * 9, b"\xff", b"\0"])
# Scores of which the oracle makes the same text as Redis 7.2.
SCORES = st.one_of(
    st.integers(-3, 9),
    st.integers(-20, 20).map(lambda number: number / 4),
    st.sampled_from(["inf", "-inf", "1e15", "123456789", "-0", "0.125"]),
)
BAD_SCORES = st.sampled_from(["x", "nan", "", "1e400", "(1"])
SCORE_BOUNDS = st.one_of(SCORES.map(str), SCORES.map(lambda score: f"({score}"), st.just("x"))
LEX_BOUNDS = st.sampled_from(["-", "+", "[a", "(a", "[b", "(b", "[c", "[", "(", "[7", "(mm", b"[\xff", "x"])
RANKS = st.integers(-7, 7)
LIMITS = st.one_of(st.just(()), st.tuples(st.just("LIMIT"), st.integers(-1, 3), st.integers(-1, 3)))
WITHSCORES = st.sampled_from([(), ("WITHSCORES",)])
ADD_OPTIONS = st.lists(st.sampled_from(["NX", "XX", "GT", "LT", "CH", "INCR"]), max_size=4)
OF_A_KEY = ["ZCARD", "EXISTS", "TYPE", "TTL", "ZPOPMIN", "ZPOPMAX"]
OF_A_MEMBER = ["ZSCORE", "ZMSCORE", "ZRANK", "ZREVRANK", "ZREM"]
ALGEBRA = st.sampled_from(["ZUNION", "ZINTER", "ZDIFF", "ZINTERCARD"])
AGGREGATE = st.sampled_from([(), ("AGGREGATE", "SUM"), ("AGGREGATE", "MIN"), ("AGGREGATE", "MAX")])
WEIGHTS = st.sampled_from([(), ("WEIGHTS", 2, -1), ("WEIGHTS", "inf", "0.5"), ("WEIGHTS", 0, "-inf")])


class Changes(CommandMachine):
    """Every command on sorted sets, on two of them and a set; they outgrow the small form after a few members."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), entries=st.sampled_from([0, 3, 5, 128]))
    def connect(self, protocol: int, entries: int) -> None:
        self.session = Session(self.pair, protocol)
        self.send("CONFIG", "SET", "zset-max-listpack-entries", entries)
        self.send("SADD", "s", "a", "7", "x")

    # The form after one command with several members differs where one is given twice: 7.2 counts them before.
    @rule(key=KEYS, options=ADD_OPTIONS, pairs=st.dictionaries(MEMBERS, SCORES, min_size=1, max_size=3))
    def add(self, key: str, options: list[str], pairs: dict[str, Any]) -> None:
        self.send("ZADD", key, *options, *[word for member, score in pairs.items() for word in (score, member)])

    @rule(key=KEYS, score=SCORES | BAD_SCORES, member=MEMBERS, name=st.sampled_from(["ZINCRBY", "ZADD"]))
    def add_one(self, key: str, score: Any, member: str, name: str) -> None:
        self.send(name, key, score, member)

    @rule(key=KEYS, name=st.sampled_from(OF_A_KEY))
    def of_a_key(self, key: str, name: str) -> None:
        self.send(name, key)

    @rule(key=KEYS, member=MEMBERS, name=st.sampled_from(OF_A_MEMBER))
    def of_a_member(self, key: str, member: str, name: str) -> None:
        self.send(name, key, member)

    @rule(key=KEYS, first=RANKS, last=RANKS, options=WITHSCORES, name=st.sampled_from(["ZRANGE", "ZREVRANGE"]))
    def by_rank(self, key: str, first: int, last: int, options: tuple[str, ...], name: str) -> None:
        self.send(name, key, first, last, *options)

    @rule(key=KEYS, low=SCORE_BOUNDS, high=SCORE_BOUNDS, limit=LIMITS, options=WITHSCORES)
    def by_score(self, key: str, low: str, high: str, limit: tuple[str, ...], options: tuple[str, ...]) -> None:
        self.send("ZRANGEBYSCORE", key, low, high, *limit, *options)
        self.send("ZREVRANGEBYSCORE", key, high, low, *options, *limit)
        self.send("ZRANGE", key, high, low, "REV", "BYSCORE", *limit)
        self.send("ZCOUNT", key, low, high)

    @rule(key=KEYS, low=SCORE_BOUNDS, high=SCORE_BOUNDS, first=RANKS, last=RANKS, limit=LIMITS)
    def store_range(self, key: str, low: str, high: str, first: int, last: int, limit: tuple[str, ...]) -> None:
        self.send("ZRANGESTORE", "d", key, low, high, "BYSCORE", *limit)
        self.send("ZRANGE", "d", 0, -1, "WITHSCORES")
        self.send("ZRANGESTORE", "d", key, first, last, "REV")
        self.send("ZRANGE", "d", 0, -1, "WITHSCORES")

    @rule(key=KEYS, low=SCORE_BOUNDS, high=SCORE_BOUNDS)
    def remove_by_score(self, key: str, low: str, high: str) -> None:
        self.send("ZREMRANGEBYSCORE", key, low, high)

    @rule(key=KEYS, first=RANKS, last=RANKS)
    def remove_by_rank(self, key: str, first: int, last: int) -> None:
        self.send("ZREMRANGEBYRANK", key, first, last)

    @rule(key=KEYS, count=st.integers(-1, 4), name=st.sampled_from(["ZPOPMIN", "ZPOPMAX"]))
    def pop(self, key: str, count: int, name: str) -> None:
        self.send(name, key, count)

    @rule(count=st.integers(0, 4), side=st.sampled_from(["MIN", "MAX"]))
    def pop_any(self, count: int, side: str) -> None:
        self.send("ZMPOP", 2, "b", "a", side, "COUNT", count)

    @rule(first=KEYS, second=KEYS, name=ALGEBRA, aggregate=AGGREGATE, weights=WEIGHTS, options=WITHSCORES)
    def combine(self, first: str, second: str, name: str, aggregate: tuple, weights: tuple, options: tuple) -> None:  # type: ignore[type-arg]
        self.send(name, 2, first, second, *weights, *aggregate, *options)
        self.send(name, 2, first, second, *options)
        if name != "ZINTERCARD":
            self.send(name + "STORE", "d", 2, first, second, *weights, *aggregate)
            self.send("ZRANGE", "d", 0, -1, "WITHSCORES")
            self.send("OBJECT", "ENCODING", "d")

    @rule(key=KEYS, count=st.sampled_from([11, 100, 0]), options=WITHSCORES)
    def draw_all(self, key: str, count: int, options: tuple[str, ...]) -> None:
        self.send("ZRANDMEMBER", key, count, *options)

    @rule(key=KEYS, count=st.integers(-4, 4))
    def draw(self, key: str, count: int) -> None:
        self.send("ZRANDMEMBER", key, count, comparison="shape")

    @rule(source=KEYS, goal=KEYS, name=st.sampled_from(["COPY", "RENAME"]))
    def copy(self, source: str, goal: str, name: str) -> None:
        self.send(name, source, goal)

    @rule(key=KEYS, words=st.sampled_from([("SET", "x"), ("DEL",), ("EXPIRE", "1000")]))
    def key(self, key: str, words: tuple[str, ...]) -> None:
        self.send(*words[:1], key, *words[1:])

    @rule()
    def digest(self) -> None:
        self.send("DEBUG", "DIGEST")


class EqualScores(CommandMachine):
    """Ranges of members, in a sorted set in which all scores are equal."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), entries=st.sampled_from([0, 3, 128]))
    def connect(self, protocol: int, entries: int) -> None:
        self.session = Session(self.pair, protocol)
        self.send("CONFIG", "SET", "zset-max-listpack-entries", entries)

    @rule(members=st.lists(MEMBERS, min_size=1, max_size=4))
    def add(self, members: list[str]) -> None:
        self.send("ZADD", "z", *[word for member in members for word in ("1.5", member)])

    @rule(member=MEMBERS, name=st.sampled_from(["ZREM", "ZRANK"]))
    def one(self, member: str, name: str) -> None:
        self.send(name, "z", member)

    @rule(low=LEX_BOUNDS, high=LEX_BOUNDS, limit=LIMITS)
    def read(self, low: str, high: str, limit: tuple[str, ...]) -> None:
        self.send("ZRANGEBYLEX", "z", low, high, *limit)
        self.send("ZREVRANGEBYLEX", "z", high, low, *limit)
        self.send("ZRANGE", "z", high, low, "BYLEX", "REV", *limit)
        self.send("ZLEXCOUNT", "z", low, high)
        self.send("ZRANGESTORE", "d", "z", low, high, "BYLEX", *limit)
        self.send("ZRANGE", "d", 0, -1, "WITHSCORES")

    @rule(low=LEX_BOUNDS, high=LEX_BOUNDS)
    def remove(self, low: str, high: str) -> None:
        self.send("ZREMRANGEBYLEX", "z", low, high)


@pytest.mark.parametrize("kind", [Changes, EqualScores])
def test_sequences_of_all_sorted_set_commands(pair: Pair, kind: type[CommandMachine]) -> None:
    try:
        run(pair, kind)
    finally:
        pair.compare("CONFIG SET zset-max-listpack-entries 128")


def test_a_scan_returns_every_member_once_it_is_large(pair: Pair) -> None:
    members = {b"member-%d" % number: b"%d" % number for number in range(3000)}
    with pair.aikv.connect() as connection:
        connection.command("ZADD", "large", *[word for member, score in members.items() for word in (score, member)])
        cursor = b"0"
        found: dict[bytes, bytes] = {}
        while True:
            _, _, cursor, rest = connection.command("ZSCAN", "large", cursor, "COUNT", "50").split(b"\r\n", 3)
            words = rest.split(b"\r\n")[2::2]
            found.update(zip(words[::2], words[1::2], strict=True))
            if cursor == b"0":
                break
        connection.command("DEL", "large")
    assert found == members


def test_the_same_events_are_announced(pair: Pair) -> None:
    lines = [
        "ZADD z 1 a 2 b; ZADD z 1 a; ZADD z 2 a; ZADD z INCR 1 a; ZADD z NX 1 a; ZINCRBY z 1 a; ZINCRBY z 0 a",
        "ZREM z n; ZREM z a n; ZREM z b; ZADD z 1 a 2 b 3 c; ZPOPMIN z 0; ZPOPMIN z; ZPOPMAX z 5; ZPOPMIN z",
        "ZADD z x a",
        "ZADD z 1 a 2 b 3 c 4 d; ZMPOP 2 n z MIN; BZPOPMAX z 0; BZMPOP 0 1 z MIN; BZPOPMIN z 0; BZPOPMIN z 0.01",
        "ZADD z 1 a 2 b 3 c; ZRANGESTORE d z 0 1; ZRANGESTORE d z 5 6; ZRANGESTORE d z 5 6; ZREMRANGEBYRANK z 0 0",
        "ZREMRANGEBYSCORE z 9 9; ZREMRANGEBYSCORE z 2 2; ZREMRANGEBYLEX z - +; ZADD a 1 x 2 y; ZADD b 3 y; SADD s x",
        "ZUNIONSTORE d 3 a b s; ZINTERSTORE d 2 a b; ZDIFFSTORE d 2 a b; ZDIFFSTORE d 2 a a; ZDIFFSTORE d 2 a a",
        "PEXPIREAT a 1; ZADD a 5 z; PEXPIREAT a 1; ZUNIONSTORE a 1 n; SET d x; ZUNIONSTORE d 1 b; ZADD n XX 1 a",
        "GEOADD g 1 1 a 2 2 b; GEOADD g 1 1 a; GEOADD g XX 3 3 a; GEOSEARCHSTORE d g FROMLONLAT 1 1 BYRADIUS 900 km",
        "GEORADIUS g 1 1 900 km STORE d; GEORADIUS g 50 50 1 km STOREDIST d; GEORADIUS g 50 50 1 km STORE d",
    ]
    steps = [step for line in lines for step in parse_steps(line)]
    assert announced(pair.aikv, steps) == announced(pair.oracle, steps)


WAITS = [
    (("BZPOPMIN", "n", "z", "0"), "ZADD z 1 a 2 b"),
    (("BZPOPMAX", "z", "n", "0"), "ZADD z 1 a 2 b"),
    (("BZMPOP", "0", "2", "n", "z", "MAX", "COUNT", "2"), "ZADD z 1 a 2 b 3 c"),
    (("BZPOPMIN", "z", "0"), "GEOADD z 1 1 a"),
    (("BZPOPMIN", "z", "0"), "MULTI; ZADD z 5 a; ZADD z 1 b; SET x 1; EXEC"),
    (("BZPOPMIN", "z", "0"), "MULTI; ZADD z 5 a; DEL z; EXEC; SADD z 1; DEL z; ZINCRBY z 3 c"),
    (("BZPOPMIN", "z", "0"), "ZADD y 1 a; RENAME y z"),
    (("BZPOPMAX", "z", "0"), "ZADD y 1 a; ZUNIONSTORE z 1 y"),
]


@pytest.mark.parametrize(("waiting", "line"), WAITS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_client_that_waits_is_served(pair: Pair, protocol: int, waiting: tuple[str, ...], line: str) -> None:
    told = []
    for server in (pair.oracle, pair.aikv):
        with server.connect(protocol) as waiter, server.connect(protocol) as other:
            other.command("FLUSHALL")
            number = waiter.command("CLIENT", "ID")[1:-2]
            waiter.send(*waiting)
            # Only once it waits is it a case of waiting.
            while b" flags=b " not in other.command("CLIENT", "LIST", "ID", number):
                pass
            replies = [other.command(*step.argv) for step in parse_steps(line)]
            told.append((replies, waiter.read_reply(), other.command("ZRANGE", "z", "0", "-1", "WITHSCORES")))
    assert told[1] == told[0]


def test_a_rank_comes_with_its_score_as_in_redis_7_2(pair: Pair) -> None:
    with pair.aikv.connect() as connection:
        connection.command("DEL", "z")
        connection.command("ZADD", "z", "1", "a", "2.5", "b")
        assert connection.command("ZRANK", "z", "b", "WITHSCORE") == b"*2\r\n:1\r\n$3\r\n2.5\r\n"
        assert connection.command("ZREVRANK", "z", "b", "withscore") == b"*2\r\n:0\r\n$3\r\n2.5\r\n"
        assert connection.command("ZRANK", "z", "n", "WITHSCORE") == b"*-1\r\n"
        assert connection.command("ZRANK", "n", "a", "WITHSCORE") == b"*-1\r\n"
        assert connection.command("ZRANK", "z", "a", "FOO") == b"-ERR syntax error\r\n"
        assert connection.command("ZRANK", "z", "a", "WITHSCORE", "x").startswith(b"-ERR wrong number of arguments")
    with pair.aikv.connect(3) as connection:
        assert connection.command("ZRANK", "z", "b", "WITHSCORE") == b"*2\r\n:1\r\n,2.5\r\n"
        assert connection.command("ZREVRANK", "z", "n", "WITHSCORE") == b"_\r\n"
        connection.command("DEL", "z")


def test_a_score_has_the_shortest_text_as_in_redis_7_2(pair: Pair) -> None:
    with pair.aikv.connect() as connection:
        for text in (b"0.1", b"3.14", b"1e+21", b"-1.5e-9", b"12345678901234567000"):
            connection.command("ZADD", "z", text, "a")
            assert connection.command("ZSCORE", "z", "a") == b"$%d\r\n%b\r\n" % (len(text), text)
        connection.command("DEL", "z")


def fit_for_one_client(case: Case) -> bool:
    """Whether the commands of a case on sorted sets mean the same when one client sends them all."""
    return case.place.startswith(("zset", "geo")) and not any(step.other for step in case.steps)


@pytest.mark.slow
def test_the_same_records_go_to_the_aof(start_server: StartServer) -> None:
    servers = [start_server(program, "--appendonly", "yes", name=program[-1]) for program in (REDIS, AIKV)]
    cases = [case for case in read_cases(Path(__file__).parent / "cases") if fit_for_one_client(case)]
    check_records(servers, [step for case in cases for step in (*parse_steps("FLUSHALL"), *case.steps)])


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_rewritten_log_brings_the_same_sorted_sets_back(start_server: StartServer, preamble: str) -> None:
    server = start_server(
        AIKV, "--appendonly", "yes", "--aof-use-rdb-preamble", preamble, "--enable-debug-command", "yes"
    )
    with server.connect() as connection:
        for number in range(300):
            connection.command("ZADD", "large", str(number * 0.1), f"member-{number}")
        connection.command("ZADD", "small", "inf", "a", "-inf", "b", "0.1", "c", "1e300", "d", "3", "7")
        connection.command("GEOADD", "places", "13.361389", "38.115556", "Palermo")
        connection.command("BGREWRITEAOF")
        before = connection.command("DEBUG", "DIGEST")
    server.stop()
    server.start()
    with server.connect() as connection:
        assert connection.command("DEBUG", "DIGEST") == before
