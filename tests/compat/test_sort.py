"""SORT against the oracle where a line does not reach: random sorts, events, the records in the AOF, locales."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conftest import StartServer
from oracle.effects import announced, check_records
from oracle.language import parse_steps, read_cases
from oracle.pair import PROTOCOLS, Pair, Session
from oracle.process import AIKV, REDIS, VOLATILE
from oracle.sequences import CommandMachine, run
from oracle.wire import RawConnection

NUMBERS = st.one_of(st.integers(-5, 12).map(str), st.sampled_from(["1.5", "-0", "01", "1e1", "inf", "0x5"]))
TEXTS = st.sampled_from(["", "a", "b", "ab", "A", "é", "-"])
ELEMENTS = st.one_of(NUMBERS, NUMBERS, TEXTS)
NAMES = st.integers(-2, 9).map(str)
KEYS = st.sampled_from(["l", "l", "s", "z", "n"])
ORDERS = st.sampled_from([(), ("ASC",), ("DESC",)])
LIMITS = st.one_of(st.just(()), st.tuples(st.just("LIMIT"), st.integers(-1, 9), st.integers(-1, 9)))
PATTERNS = st.sampled_from(["w_*", "h_*->f", "h_*->g", "*", "x_*", "w_*x"])
GETS = st.lists(st.sampled_from(["#", "w_*", "h_*->f", "h_*->n", "x_*", "w", "*->f"]), max_size=3)


def named(word: str, patterns: list[str]) -> tuple[str, ...]:
    """Return `word` before each of `patterns`."""
    return tuple(part for pattern in patterns for part in (word, pattern))


class Sorts(CommandMachine):
    """SORT of a list, a set and a sorted set that change, with weights that change."""

    @initialize(protocol=st.sampled_from(PROTOCOLS))
    def connect(self, protocol: int) -> None:
        self.session = Session(self.pair, protocol)

    @rule(elements=st.lists(NUMBERS, min_size=1, max_size=9))
    def push(self, elements: list[str]) -> None:
        self.send("RPUSH", "l", *elements)
        self.send("SADD", "s", *elements)
        self.send("ZADD", "z", *[word for element in elements for word in (len(element), element)])

    @rule(element=ELEMENTS, key=KEYS.filter(lambda key: key != "n"))
    def add(self, element: str, key: str) -> None:
        self.send(*{"l": ("LPUSH", "l"), "s": ("SADD", "s"), "z": ("ZADD", "z", 3)}[key], element)

    @rule()
    def remove(self) -> None:
        self.send("DEL", "l", "s", "z")

    @rule(name=NAMES, weight=ELEMENTS)
    def weigh(self, name: str, weight: str) -> None:
        self.send("SET", f"w_{name}", weight)
        self.send("HSET", f"h_{name}", "f", weight, "g", name)

    @rule(name=NAMES, words=st.sampled_from([("DEL",), ("SADD", "x")]))
    def spoil(self, name: str, words: tuple[str, ...]) -> None:
        self.send("DEL", f"w_{name}")
        self.send(*words[:1], f"w_{name}", *words[1:])

    @rule(key=KEYS, order=ORDERS, limit=LIMITS, gets=GETS, alpha=st.booleans())
    def sort(self, key: str, order: tuple[str, ...], limit: tuple[object, ...], gets: list[str], alpha: bool) -> None:
        words = (*order, *limit, *named("GET", gets), *("ALPHA",) * alpha)
        self.send("SORT", key, *words)
        self.send("SORT_RO", key, *words)
        self.send("SORT", key, *words, "STORE", "d")
        self.send("LRANGE", "d", 0, -1)

    @rule(key=KEYS, by=PATTERNS, order=ORDERS, limit=LIMITS, gets=GETS)
    def sort_by(self, key: str, by: str, order: tuple[str, ...], limit: tuple[object, ...], gets: list[str]) -> None:
        words = (*order, *limit, "BY", by, *named("GET", gets))
        self.send("SORT", key, *words)
        self.send("SORT", key, *words, "STORE", "d")
        self.send("LRANGE", "d", 0, -1)

    # Equal weights leave the order to the oracle's hash tables, and with LIMIT to its quicksort: a whole list it is.
    @rule(by=PATTERNS, order=ORDERS, gets=GETS)
    def sort_by_texts(self, by: str, order: tuple[str, ...], gets: list[str]) -> None:
        self.send("SORT", "l", "BY", by, "ALPHA", *order, *named("GET", gets))
        self.send("SORT", "l", "BY", by, "ALPHA", *order, *named("GET", gets), "STORE", "d")
        self.send("LRANGE", "d", 0, -1)

    @rule(key=st.sampled_from(["l", "z", "n"]), order=ORDERS, limit=LIMITS, gets=GETS)
    def keep_the_order(self, key: str, order: tuple[str, ...], limit: tuple[object, ...], gets: list[str]) -> None:
        self.send("SORT", key, "BY", "nosort", *order, *limit, *named("GET", gets))
        self.send("SORT", "s", "BY", "nosort", *order, *limit, *named("GET", gets), "STORE", "d")
        self.send("LRANGE", "d", 0, -1)

    @rule()
    def digest(self) -> None:
        self.send("DEBUG", "DIGEST")


def test_random_sorts(pair: Pair) -> None:
    run(pair, Sorts)


def test_the_same_events_are_announced(pair: Pair) -> None:
    lines = [
        "RPUSH l 3 1 2; SORT l; SORT l STORE d; SORT l STORE d; SORT n STORE d; SORT n STORE d; SORT l STORE d",
        "SORT l LIMIT 0 0 STORE d; SET d x; SORT l STORE d; SORT l STORE l; SORT n STORE l; SORT n BY w_* GET x_*",
        "SORT d BY w_* GET x_* GET h->f; SORT_RO d; SORT d FOO; SORT d LIMIT 9 1 STORE d; RPUSH m x; SORT m STORE d",
        # Keys that have run out, and are in their places until somebody looks.
        "DEBUG SET-ACTIVE-EXPIRE 0; ZADD z 1 a; SET e x PXAT 1; SORT z BY x STORE e; SET e x PXAT 1; SORT n STORE e",
        "SET w x PXAT 1; SORT w STORE e; SET w_a x PXAT 1; SORT z BY w_* GET w_*; DEBUG SET-ACTIVE-EXPIRE 1",
    ]
    steps = [step for line in lines for step in parse_steps(line)]
    assert announced(pair.aikv, steps) == announced(pair.oracle, steps)


def test_as_many_keys_are_found_and_missed(pair: Pair) -> None:
    told = []
    for server in (pair.oracle, pair.aikv):
        with server.connect() as connection:
            for line in ("FLUSHALL", "RPUSH l 3 1 2", "MSET w_1 1 w_2 2", "HSET h_1 f 1", "CONFIG RESETSTAT"):
                connection.command(*line.split())
            for line in ("SORT l BY w_* GET h_*->f GET # GET x", "SORT n BY w_*", "SORT_RO l BY x GET w_* LIMIT 0 1"):
                connection.command(*line.split())
            info = connection.command("INFO", "stats").split(b"\r\n")
            told.append([line for line in info if line.startswith((b"keyspace_hits", b"keyspace_misses"))])
    assert told[1] == told[0]


@pytest.mark.slow
def test_the_same_records_go_to_the_aof(start_server: StartServer) -> None:
    servers = [start_server(program, "--appendonly", "yes", name=program[-1]) for program in (REDIS, AIKV)]
    cases = [case for case in read_cases(Path(__file__).parent / "cases") if case.place.startswith("sort")]
    cases = [case for case in cases if not any(step.other for step in case.steps)]
    check_records(servers, [step for case in cases for step in (*parse_steps("FLUSHALL"), *case.steps)])


def test_what_is_stored_has_the_form_of_redis_7_2(pair: Pair) -> None:
    with pair.aikv.connect() as connection:
        try:
            connection.command("CONFIG", "SET", "list-max-listpack-size", "3")
            connection.command("FLUSHALL")
            connection.command("RPUSH", "l", "4", "3", "2", "1")
            assert encoding_of_sorted(connection, "LIMIT", "0", "3") == b"listpack"
            assert encoding_of_sorted(connection) == b"quicklist"
            assert encoding_of_sorted(connection, "GET", "n_*", "LIMIT", "1", "2") == b"listpack"
            connection.command("CONFIG", "SET", "list-max-listpack-size", "-1")
            assert encoding_of_sorted(connection) == b"listpack"
            connection.command("RPUSH", "l", "x" * 5000)
            assert encoding_of_sorted(connection, "ALPHA", "DESC", "LIMIT", "0", "1") == b"quicklist"
        finally:
            connection.command("CONFIG", "SET", "list-max-listpack-size", "-2")


def encoding_of_sorted(connection: RawConnection, *words: str) -> bytes:
    """Return the encoding of `l` sorted and stored."""
    assert connection.command("SORT", "l", *words, "STORE", "d")[:1] == b":"
    return connection.command("OBJECT", "ENCODING", "d").split(b"\r\n")[1]


GERMAN = "de_DE.UTF-8"
WORDS = ["Zebra", "äpfel", "apfel", "Äpfel", "Apfel", "zebra", "öl", "ol", "Ol", "ß", "ss", "a b", "ab", "a-b", "", "1"]


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the system have a locale in which texts are not compared as bytes; returns its name."""
    localedef = shutil.which("localedef")
    if localedef is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("there is nothing to make a locale of")
    subprocess.run([localedef, "-i", "de_DE", "-f", "UTF-8", str(tmp_path / GERMAN)], check=True, capture_output=True)
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    return GERMAN


def test_texts_are_compared_by_the_locale_of_the_environment(
    start_server: StartServer, german: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", german)
    pair = Pair(*[start_server(program, *VOLATILE, name=program[-1]) for program in (REDIS, AIKV)])
    words = " ".join(f'"{word}"' for word in WORDS)
    pair.compare(f"RPUSH l {words}; SORT l ALPHA; SORT l ALPHA DESC; SORT l ALPHA STORE d; LRANGE d 0 -1")
    steps = [f"SET w_{number} {word}" for number, word in enumerate(f'"{word}"' for word in WORDS)]
    numbers = " ".join(map(str, range(len(WORDS))))
    pair.compare("; ".join(steps), f"RPUSH l {numbers}; SORT l BY w_* ALPHA; SORT l BY w_* ALPHA DESC STORE d")
    with pair.aikv.connect() as connection:
        connection.command("RPUSH", "k", "b", "A", "a", "B")
        assert connection.command("SORT", "k", "ALPHA").split(b"\r\n")[2::2] == [b"a", b"A", b"b", b"B"]
        assert connection.command("CONFIG", "SET", "locale-collate", "C") == b"+OK\r\n"
        assert connection.command("SORT", "k", "ALPHA").split(b"\r\n")[2::2] == [b"A", b"B", b"a", b"b"]


def test_a_locale_can_be_configured(start_server: StartServer, german: str) -> None:
    server = start_server(AIKV, *VOLATILE, "--locale-collate", german)
    with server.connect() as connection:
        connection.command("RPUSH", "l", "b", "A", "a", "B")
        by_locale = connection.command("SORT", "l", "ALPHA")
        assert by_locale.split(b"\r\n")[2::2] == [b"a", b"A", b"b", b"B"]
        refused = connection.command("CONFIG", "SET", "locale-collate", "xx_YY")
        assert refused.endswith(b"(possibly related to argument 'locale-collate') - Invalid locale name\r\n")
        assert connection.command("CONFIG", "GET", "locale-collate").endswith(b"\r\n" + german.encode() + b"\r\n")
        assert connection.command("SORT", "l", "ALPHA") == by_locale


def test_a_locale_that_is_not_there_stops_the_start_only_if_it_was_configured(
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = subprocess.run(
        [*AIKV, "--dir", str(tmp_path), "--port", "0", "--locale-collate", "xx_YY"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=60,
    )
    assert wrong.returncode == 1
    assert "Invalid locale name" in wrong.stderr
    monkeypatch.setenv("LC_ALL", "xx_YY.UTF-8")
    server = start_server(AIKV, *VOLATILE)
    with server.connect() as connection:
        connection.command("RPUSH", "l", "b", "a", "B")
        assert connection.command("SORT", "l", "ALPHA").split(b"\r\n")[2::2] == [b"B", b"a", b"b"]
    assert "SORT ALPHA compares bytes" in server.log()
