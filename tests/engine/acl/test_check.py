"""Decisions about requests: the texts of 7.2, which selector's denial is told, keys of wrong arguments, and the log."""

from typing import Any

import hiredis
import pytest

from aikv.engine import gates
from aikv.engine.acl.check import CHANNEL, COMMAND, KEY, denial, may_read_all_keys
from aikv.engine.acl.enforce import may_read_any_key, refusal_in_script
from aikv.engine.acl.log import AclLog
from aikv.engine.acl.parse import apply_rule
from aikv.engine.acl.users import User
from aikv.engine.client import Client
from aikv.engine.command import COMMANDS
from served import NOW_MS, Served


@pytest.fixture
def engine() -> Served:
    """An engine with a client that may do everything."""
    return Served()


def limited(engine: Served, *rules: str) -> Client:
    """Return a client of a user with `rules`."""
    engine.run("ACL", "SETUSER", "u", "reset", "on", "nopass", *rules)
    client = engine.connect()
    assert engine.run("AUTH", "u", "x", client=client) == b"+OK\r\n"
    return client


def verdict(rules: str, request: str) -> tuple[int, int] | None:
    """Return reason and position of a denial."""
    user = User(b"u", False)
    for rule in rules.split(" / "):
        apply_rule(user, rule.encode(), False)
    argv = request.encode().split()
    found = denial(user, COMMANDS[argv[0]], argv)
    return None if found is None else (found.reason, found.position)


@pytest.mark.parametrize(
    ("rules", "request_", "expected"),
    [
        ("+get / ~a", "get a", None),
        ("+get", "get a", (KEY, 1)),
        ("~a", "get a", (COMMAND, 0)),
        ("(+get ~a) / (+get ~b)", "get b", None),
        ("+mget / (~a)", "mget a a", (KEY, 1)),
        ("+mget / ~a / (+mget ~a ~b)", "mget a b c", (KEY, 3)),
        ("(+publish ~a) / +get", "publish c x", (CHANNEL, 1)),
        ("+subscribe / &a", "subscribe a b", (CHANNEL, 2)),
        ("+psubscribe / &a*", "psubscribe a*", None),
        ("+psubscribe / &a*", "psubscribe ab", (CHANNEL, 1)),
        ("+unsubscribe", "unsubscribe b", None),
        # A command that needs nothing of a key may name those that may be used at all.
        ("+exists / %W~a", "exists a", None),
        ("+exists", "exists a", (KEY, 1)),
        ("+set / %W~a", "set a 1", None),
        ("+set / %W~a", "set a 1 get", (KEY, 1)),
        ("+set / %RW~a", "set a 1 get", None),
        ("+copy / %R~a / %W~b", "copy a b", None),
        ("+copy / %R~a / %W~b", "copy b a", (KEY, 1)),
        # What can be found of the keys of a request with wrong arguments is looked at.
        ("+zunionstore / ~x", "zunionstore d 99 x", (KEY, 1)),
        ("-@all", "auth x", None),
        ("+@all / ~* / &* / -get", "get a", (COMMAND, 0)),
    ],
)
def test_a_request_is_allowed_or_denied(rules: str, request_: str, expected: tuple[int, int] | None) -> None:
    assert verdict(rules, request_) == expected


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("+@all / ~*", True),
        ("+@all / %R~*", True),
        ("+@all / %W~*", False),
        ("+@all / ~a", False),
        ("+@all / ~a / (~*)", False),
        ("+@all / ~a / (~* +get)", True),
        ("~*", False),
    ],
)
def test_whether_all_keys_may_be_read(rules: str, allowed: bool) -> None:
    user = User(b"u", False)
    for rule in rules.split(" / "):
        apply_rule(user, rule.encode(), False)
    assert may_read_all_keys(user, COMMANDS[b"get"], [b"get", b"a"]) == allowed


def test_refusals_in_the_words_of_7_2(engine: Served) -> None:
    client = limited(engine, "+@all", "-config|set", "~a", "&c")
    expected = {
        "GET b": b"-NOPERM No permissions to access a key\r\n",
        "PUBLISH d x": b"-NOPERM No permissions to access a channel\r\n",
        "CONFIG SET a b": b"-NOPERM User u has no permissions to run the 'config|set' command\r\n",
    }
    for request, reply in expected.items():
        assert engine.run(request, client=client) == reply
    told = {
        "get b": b"User u has no permissions to access the 'b' key",
        "publish d x": b"User u has no permissions to access the 'd' channel",
        "config set a b": b"User u has no permissions to run the 'config|set' command",
    }
    for request, text in told.items():
        assert engine.run(f"ACL DRYRUN u {request}") == b"$%d\r\n%b\r\n" % (len(text), text)
    assert engine.engine.stats.denied == {COMMAND: 1, KEY: 1, CHANNEL: 1}


def test_refusals_in_a_script(engine: Served) -> None:
    client = limited(engine, "+get", "~a")
    command = COMMANDS[b"get"]
    assert refusal_in_script(engine.engine, client, command, [b"get", b"a"]) is None
    assert refusal_in_script(engine.engine, client, command, [b"get", b"b"]) == (
        b"NOPERM ACL failure in script: No permissions to access a key"
    )
    assert refusal_in_script(engine.engine, client, COMMANDS[b"ping"], [b"ping"]) == (
        b"NOPERM ACL failure in script: User u has no permissions to run the 'ping' command"
    )
    assert [(entry["context"], entry["object"]) for entry in log_of(engine)] == [("lua", "ping"), ("lua", "b")]


def test_reading_keys_that_are_not_named(engine: Served) -> None:
    client = limited(engine, "+get", "~a")
    engine.run("GET a", client=client)
    assert not may_read_any_key(engine.engine, client, [b"get", b"a"])
    assert may_read_any_key(engine.engine, engine.client, [b"get", b"a"])
    engine.run("ACL SETUSER u ~*")
    assert may_read_any_key(engine.engine, client, [b"get", b"a"])


def test_only_a_limited_user_has_the_gate(engine: Served) -> None:
    assert engine.client.gates & gates.LIMITED == 0
    client = limited(engine, "+@all", "~*", "&*")
    assert client.gates & gates.LIMITED == 0
    engine.run("ACL SETUSER u -get")
    assert client.gates & gates.LIMITED
    engine.run("ACL SETUSER u +@all")
    assert client.gates & gates.LIMITED == 0
    engine.run("ACL SETUSER default -get")
    assert engine.client.gates & gates.LIMITED
    assert client.gates & gates.LIMITED == 0


def test_commands_under_another_name_are_known_to_rules_by_their_own(engine: Served) -> None:
    engine.engine.commands[b"fetch"] = engine.engine.commands.pop(b"get")
    client = limited(engine, "+get", "~*")
    assert engine.run("FETCH a", client=client) == b"$-1\r\n"
    assert engine.run("ACL SETUSER u +fetch").startswith(
        b"-ERR Error in ACL SETUSER modifier '+fetch': Unknown command"
    )


def log_of(engine: Served) -> list[dict[str, Any]]:
    """Return ACL LOG as maps."""
    reader = hiredis.Reader(encoding="latin-1")
    reader.feed(engine.run("ACL LOG"))
    return [dict(zip(entry[::2], entry[1::2], strict=True)) for entry in reader.gets()]


def test_the_log_says_when_and_who(engine: Served) -> None:
    client = limited(engine, "+get")
    engine.run("GET a", client=client)
    engine.advance(30_000)
    engine.run("GET a", client=client)
    engine.advance(1500)
    (entry,) = log_of(engine)
    assert list(entry) == [
        "count",
        "reason",
        "context",
        "object",
        "username",
        "age-seconds",
        "client-info",
        "entry-id",
        "timestamp-created",
        "timestamp-last-updated",
    ]
    assert (entry["count"], entry["age-seconds"], entry["entry-id"]) == (2, "1.5", 0)
    assert (entry["timestamp-created"], entry["timestamp-last-updated"]) == (NOW_MS, NOW_MS + 30_000)
    assert f"id={client.id} " in entry["client-info"]
    assert "cmd=get user=u " in entry["client-info"]


def test_what_happens_more_than_a_minute_later_is_another_entry(engine: Served) -> None:
    client = limited(engine, "+get")
    for pause in (0, 60_000, 60_001):
        engine.advance(pause)
        engine.run("GET a", client=client)
    assert [(entry["count"], entry["entry-id"]) for entry in log_of(engine)] == [(1, 1), (2, 0)]


def test_a_shorter_limit_is_kept_from_the_next_entry_on() -> None:
    log = AclLog()
    for number in range(5):
        log.add(KEY, b"toplevel", b"%d" % number, b"u", b"", 0, 128)
    log.add(KEY, b"toplevel", b"9", b"u", b"", 0, 3)
    assert [entry.thing for entry in log.entries] == [b"9", b"4", b"3"]
    log.add(KEY, b"toplevel", b"9", b"u", b"", 0, 0)
    assert log.entries == []


def test_of_a_very_long_key_the_beginning_is_kept() -> None:
    log = AclLog()
    for end in (b"1", b"2"):
        log.add(KEY, b"toplevel", b"k" * 100_000 + end, b"u" * 100_000 + end, b"", 0, 128)
    (entry,) = log.entries
    assert (entry.count, entry.thing, entry.user) == (2, b"k" * 65536, b"u" * 65536)


def test_a_failed_login_costs_the_same_hash_whoever_it_is_for(engine: Served) -> None:
    for name in ("u", "nobody"):
        engine.run("ACL", "SETUSER", "u", "reset", ">p")
        assert engine.run("AUTH", name, "p").startswith(b"-WRONGPASS")
    assert [(entry["username"], entry["object"]) for entry in log_of(engine)] == [("nobody", "AUTH"), ("u", "AUTH")]
    assert b"p" not in {entry["object"] for entry in log_of(engine)}


def test_an_internal_client_is_not_limited(engine: Served) -> None:
    engine.run("ACL SETUSER default off resetkeys -@all")
    assert engine.run("SET a 1", client=engine.connect(internal=True)) == b"+OK\r\n"


def test_the_log_has_no_passwords(engine: Served) -> None:
    client = limited(engine, "+get")
    engine.run("AUTH", "u2", "SECRET", client=client)
    engine.run("ACL", "SETUSER", "x", ">SECRET", client=client)
    engine.run("CONFIG", "SET", "requirepass", "SECRET", client=client)
    assert b"SECRET" not in engine.run("ACL LOG")
