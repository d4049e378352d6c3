"""ACLs with several connections, and random rules on both servers.

What is compared with the oracle is what 7.0 and 7.2 have in common. 7.2 keeps the rules on commands in the order in
which they were given, where 7.0 works a short list out; so of GETUSER's `commands` it is asked that the oracle
understands them as aikv does. Other texts of 7.2 stand in `tests/engine/acl`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.pair import Pair
from oracle.process import ServerProcess
from oracle.wire import RawConnection, ServerClosed

COMMANDS = ["get", "set", "del", "mget", "copy", "config", "config|get", "client|id", "publish", "select", "xread"]
CATEGORIES = ["read", "write", "string", "keyspace", "dangerous", "slow", "fast", "pubsub", "admin", "connection"]
PERMISSIONS = st.one_of(
    st.sampled_from(COMMANDS).flatmap(lambda name: st.sampled_from([f"+{name}", f"-{name}"])),
    st.sampled_from(CATEGORIES).flatmap(lambda name: st.sampled_from([f"+@{name}", f"-@{name}"])),
    st.sampled_from(["+@all", "-@all", "+select|0", "+get|a", "+debug|object", "-nosuch", "+config|nosuch", "+set|"]),
    st.sampled_from(["~a", "~b*", "%R~a", "%W~b", "%RW~c", "~*", "%R~*", "resetkeys", "%X~a"]),
    st.sampled_from(["&c", "&c*", "&*", "resetchannels", "&d e"]),
)
SELECTORS = st.lists(PERMISSIONS, max_size=4).map(lambda rules: f"({' '.join(rules)})")
RULES = st.one_of(
    PERMISSIONS,
    SELECTORS,
    st.sampled_from(
        ["clearselectors", "reset", "on", "off", ">p", "<p", "nopass", "resetpass", "skip-sanitize-payload"]
    ),
)
REQUESTS = [
    line.split()
    for line in """
    get a|get b|get bb|get c|set a 1|set b 1|set a 1 get|mget a b|mget a c|mset a 1 b 2|del a|del a b|exists a|exists x
    copy a b|copy b a|rename a b|lmove a b left right|lmpop 2 a b left|blpop a b 0|sinterstore a b c|zunion 2 a b
    zunionstore a 2 b c|bitop and a b c|bitfield a get u8 0|bitfield b set u8 0 1|xread streams a b 0 0|type a|object
    encoding a|xgroup create a g 0|georadius a 0 0 1 m store b|pfcount a b|watch a b|keys *|scan 0|flushall|select 0
    select 1|ping|multi|auth x|config get x|config set a b|client id|client list|command count|acl whoami|acl list
    publish c x|publish d x|spublish cc x|subscribe c d|subscribe c cc|psubscribe c|psubscribe c*|psubscribe d
    ssubscribe c|unsubscribe d|punsubscribe d|debug object a|debug sleep 0|exec
    """.replace("\n", "|").split("|")
    if line.split()
]


def ask(connection: RawConnection, *words: str) -> Any:
    """Send one command; returns the reply as a value, errors included."""
    reader = hiredis.Reader(encoding="latin-1")
    reader.feed(connection.command(*words))
    return reader.gets()


def as_map(flat: list[Any]) -> dict[str, Any]:
    """Make a map of keys and values that alternate."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def described(connection: RawConnection, user: str) -> dict[str, Any]:
    """Return GETUSER without the rules on commands."""
    found = as_map(ask(connection, "ACL", "GETUSER", user))
    del found["commands"]
    for selector in found["selectors"]:
        del selector[:2]
    return found


def verdicts(connection: RawConnection, user: str) -> list[str]:
    """Return what DRYRUN says of all requests, in 7.2's words."""
    said = [str(ask(connection, "ACL", "DRYRUN", user, *request)) for request in REQUESTS]
    return [text.replace("This user", f"User {user}").replace("User w", "User u") for text in said]


@pytest.fixture(scope="module")
def both(pair: Pair) -> Iterator[tuple[RawConnection, RawConnection]]:
    """A connection to the oracle and one to aikv."""
    with pair.oracle.connect() as theirs, pair.aikv.connect() as ours:
        yield theirs, ours
        for connection in (theirs, ours):
            connection.command("ACL", "DELUSER", "u", "w")


@given(rules=st.lists(RULES, max_size=12))
def test_random_rules_mean_the_same(both: tuple[RawConnection, RawConnection], rules: list[str]) -> None:
    theirs, ours = both
    for connection in both:
        connection.command("ACL", "SETUSER", "u", "reset")
    for rule in rules:
        assert ours.command("ACL", "SETUSER", "u", rule) == theirs.command("ACL", "SETUSER", "u", rule), rule
    assert described(ours, "u") == described(theirs, "u")
    expected = verdicts(theirs, "u")
    assert verdicts(ours, "u") == expected
    # The oracle makes the same user of what aikv shows.
    shown = next(line for line in ask(ours, "ACL", "LIST") if line.startswith("user u "))
    assert ask(theirs, "ACL", "SETUSER", "w", "reset", *shown.split()[2:]) == "OK"
    assert described(theirs, "w") == described(theirs, "u")
    assert verdicts(theirs, "w") == expected


@pytest.fixture(params=["oracle", "aikv"])
def server(request: pytest.FixtureRequest, pair: Pair) -> Iterator[ServerProcess]:
    """Each of both servers: what is asserted of aikv holds for redis-server."""
    chosen: ServerProcess = getattr(pair, request.param)
    with chosen.connect() as connection:
        connection.command("FLUSHALL")
        connection.command("ACL", "LOG", "RESET")
        yield chosen
        connection.command("CONFIG", "SET", "requirepass", "")
        connection.command("ACL", "SETUSER", "default", "on", "nopass", "+@all")
        connection.command("ACL", "DELUSER", "u", "v")
        connection.command("ACL", "LOG", "RESET")


def login(server: ServerProcess, user: str, protocol: int = 2) -> RawConnection:
    """Connect as a user that takes any password."""
    connection = server.connect(protocol)
    assert connection.command("AUTH", user, "any") == b"+OK\r\n"
    return connection


def ended(connection: RawConnection) -> bool:
    """Whether the server has closed the connection."""
    try:
        return connection.command("PING") == b""
    except (ServerClosed, BrokenPipeError):
        return True


def user_of(asked: RawConnection, number: str) -> str:
    """Return the user of client `number` in CLIENT LIST."""
    line: str = ask(asked, "CLIENT", "LIST", "ID", number)
    return dict(word.split("=", 1) for word in line.split())["user"]


def test_the_clients_of_a_deleted_user_are_ended_and_no_others(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+@all")
        admin.command("ACL", "SETUSER", "v", "on", "nopass", "+@all")
        with login(server, "u") as gone, login(server, "v") as stays:
            assert ask(admin, "ACL", "DELUSER", "u", "nosuch") == 1
            assert ended(gone)
            assert ask(stays, "PING") == "PONG"


def test_who_deletes_its_own_user_gets_the_reply(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*")
        with login(server, "u") as suicidal:
            suicidal.send("ACL", "DELUSER", "u")
            suicidal.send("SET", "k", "v")
            assert suicidal.read_until_closed() == b":1\r\n"
        assert ask(admin, "GET", "k") is None


def test_changed_rules_hold_at_once_for_who_is_connected(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*", "&*")
        with login(server, "u") as client:
            assert ask(client, "SET", "a", "1") == "OK"
            admin.command("ACL", "SETUSER", "u", "-set")
            assert str(ask(client, "SET", "a", "2")).startswith("NOPERM")
            admin.command("ACL", "SETUSER", "u", "off", "+set")
            assert ask(client, "SET", "a", "3") == "OK"
            with server.connect() as late:
                assert late.command("AUTH", "u", "any").startswith(b"-WRONGPASS")


@pytest.mark.parametrize(
    "line",
    [
        *("SORT l", "SORT l BY w_*", "SORT l BY nosort", "SORT l GET #", "SORT l GET w_*", "SORT l BY w_* LIMIT x 1"),
        *("SORT l LIMIT x 1 BY w_*", "SORT_RO l BY w_* GET #", "SORT_RO l GET x"),
    ],
)
@pytest.mark.parametrize("keys", ["~l*", "~*", "%R~*"])
def test_sort_reads_keys_that_it_does_not_name_for_those_only_who_may_read_all(
    pair: Pair, line: str, keys: str
) -> None:
    replies = []
    for server in (pair.aikv, pair.oracle):
        with server.connect() as admin:
            admin.command("RPUSH", "l", "3", "1", "2")
            admin.command("ACL", "SETUSER", "u", "reset", "on", "nopass", "+@all", "~l", keys)
            with login(server, "u") as client:
                replies.append(client.command(*line.split()))
            admin.command("ACL", "DELUSER", "u")
            admin.command("DEL", "l")
    assert replies[0] == replies[1]


def test_clients_are_listed_and_killed_by_user(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+@all")
        with login(server, "u") as client:
            assert user_of(admin, str(ask(client, "CLIENT", "ID"))) == "u"
            assert str(ask(admin, "CLIENT", "KILL", "USER", "nosuch")) == "ERR No such user 'nosuch'"
            assert ask(admin, "CLIENT", "KILL", "USER", "u") == 1
            assert ended(client)


def test_reset_makes_the_default_user_of_a_client(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+acl|whoami")
        with login(server, "u") as client:
            assert ask(client, "ACL", "WHOAMI") == "u"
            assert ask(client, "RESET") == "RESET"
            assert ask(client, "ACL", "WHOAMI") == "default"
            assert ask(client, "SET", "a", "1") == "OK"


PASSWORDS = [
    "ACL SETUSER default sanitize-payload; [shape] HELLO 2 AUTH default whatever; CONFIG SET requirepass p;"
    "ACL GETUSER default; AUTH p; AUTH q; AUTH default p; AUTH default q; CONFIG GET requirepass; [other] AUTH p;"
    'CONFIG SET requirepass ""; ACL GETUSER default; AUTH p',
    "ACL SETUSER default >p; CONFIG GET requirepass; AUTH q; AUTH p; ACL SETUSER default nopass; AUTH p",
    "CONFIG SET requirepass p; ACL SETUSER default >q; AUTH p; AUTH q; CONFIG SET requirepass r; AUTH q; AUTH r",
    "CONFIG SET requirepass p; MULTI; AUTH q; AUTH p; EXEC; ACL SETUSER default off; AUTH p; ACL WHOAMI",
]


@pytest.mark.parametrize("line", PASSWORDS)
def test_the_default_users_password(line: str, pair: Pair) -> None:
    for protocol in (2, 3):
        with pair.oracle.connect() as theirs, pair.aikv.connect() as ours:
            try:
                pair.compare(line, protocols=(protocol,))
            finally:
                # Other tests are not to meet a password because this one has failed.
                for connection in (theirs, ours):
                    connection.command("ACL", "SETUSER", "default", "on", "nopass")
                    connection.command("CONFIG", "SET", "requirepass", "")
                    connection.command("ACL", "LOG", "RESET")


LISTENING = [
    (["SUBSCRIBE", "c1"], ["resetchannels"], True),
    (["SUBSCRIBE", "c1"], ["resetchannels", "&c1"], False),
    (["SUBSCRIBE", "c1"], ["resetchannels", "&c*"], False),
    (["SUBSCRIBE", "c1", "d"], ["resetchannels", "&c*"], True),
    (["PSUBSCRIBE", "c*"], ["resetchannels", "&c*"], False),
    (["PSUBSCRIBE", "c1"], ["resetchannels", "&c*"], True),
    (["SSUBSCRIBE", "c1"], ["resetchannels", "&d"], True),
    (["SSUBSCRIBE", "c1"], ["resetchannels", "(&c1)"], False),
    (["SUBSCRIBE", "c1"], ["resetchannels", "(allchannels)"], False),
    (["SUBSCRIBE", "c1"], ["-subscribe", "resetkeys"], False),
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(("listens", "rules", "goes"), LISTENING)
def test_listeners_are_ended_when_their_channels_are_taken_away(
    listens: list[str], rules: list[str], goes: bool, protocol: int, server: ServerProcess
) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "reset", "on", "nopass", "+@all", "&*", "~*")
        with login(server, "u", protocol) as client, login(server, "u") as other:
            client.command(*listens)
            for _ in listens[2:]:
                client.read_reply()
            assert ask(admin, "ACL", "SETUSER", "u", *rules) == "OK"
            assert ended(client) == goes
            assert ask(other, "PING") == "PONG"


def log_entries(asked: RawConnection, *words: str) -> list[tuple[Any, ...]]:
    """Return ACL LOG without times and clients."""
    names = ("count", "reason", "context", "object", "username")
    entries = [as_map(entry) for entry in ask(asked, "ACL", "LOG", *words)]
    return [tuple(entry[name] for name in names) for entry in entries]


def test_refusals_are_logged_and_grouped(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "~a", "+@all", "-del", "&c")
        with login(server, "u") as client:
            for words in (
                ["GET", "b"],
                ["Auth", "u", "x"],
                ["AUTH", "nobody", "secret"],
                ["hello", "3", "auth", "nobody", "secret"],
                ["DEL", "a"],
                ["GET", "b"],
                ["SET", "b", "x"],
                ["MGET", "a", "z", "y"],
                ["PUBLISH", "d", "x"],
                ["SUBSCRIBE", "c", "e"],
                ["MULTI"],
                ["GET", "b"],
                ["DISCARD"],
                ["MULTI"],
                ["SET", "a", "1"],
                ["PUBLISH", "c", "x"],
            ):
                client.command(*words)
            admin.command("ACL", "SETUSER", "u", "resetkeys", "resetchannels")
            client.command("EXEC")
        expected = [
            (1, "channel", "multi", "c", "u"),
            (1, "key", "multi", "a", "u"),
            (1, "key", "multi", "b", "u"),
            (1, "channel", "toplevel", "e", "u"),
            (1, "channel", "toplevel", "d", "u"),
            (1, "key", "toplevel", "z", "u"),
            (3, "key", "toplevel", "b", "u"),
            (1, "command", "toplevel", "del", "u"),
            (1, "auth", "toplevel", "hello", "nobody"),
            (1, "auth", "toplevel", "AUTH", "nobody"),
        ]
        assert log_entries(admin) == expected
        assert log_entries(admin, "2") == expected[:2]
        assert log_entries(admin, "-1") == []
        assert ask(admin, "ACL", "LOG", "RESET") == "OK"
        assert log_entries(admin) == []


def test_the_log_keeps_as_many_as_it_may(server: ServerProcess) -> None:
    with server.connect() as admin:
        for length, left in (("2", ["e4", "e3"]), ("0", []), ("128", ["e4"])):
            admin.command("ACL", "LOG", "RESET")
            admin.command("CONFIG", "SET", "acllog-max-len", length)
            for name in ("e0", "e1", "e2", "e3", "e4") if length != "128" else ("e4",):
                admin.command("AUTH", name, "x")
            assert [entry[4] for entry in log_entries(admin)] == left


def test_only_the_first_ten_entries_are_searched_for_the_same(server: ServerProcess) -> None:
    with server.connect() as admin:
        for name in [*(f"e{number}" for number in range(11)), "e0", "e10"]:
            admin.command("AUTH", name, "x")
        found = log_entries(admin, "100")
    assert [(entry[0], entry[4]) for entry in found[:3]] == [(2, "e10"), (1, "e0"), (1, "e9")]
    assert len(found) == 12


def test_a_new_password_is_asked_of_new_clients_only(server: ServerProcess) -> None:
    with server.connect() as old:
        assert ask(old, "CONFIG", "SET", "requirepass", "sesame") == "OK"
        with server.connect() as new:
            assert ask(old, "PING") == "PONG"
            assert str(ask(new, "PING")) == "NOAUTH Authentication required."
            assert str(ask(new, "NOSUCH")).startswith("ERR unknown command")
            assert str(ask(new, "AUTH", "wrong")).startswith("WRONGPASS")
            assert str(ask(new, "HELLO", "2")).startswith("NOAUTH HELLO must be called")
            assert ask(old, "CONFIG", "SET", "requirepass", "") == "OK"
            assert ask(new, "PING") == "PONG"
            # Nobody asked it for the first password, so it has to give the next one.
            assert ask(old, "CONFIG", "SET", "requirepass", "open") == "OK"
            assert str(ask(new, "PING")) == "NOAUTH Authentication required."
            assert ask(new, "AUTH", "open") == "OK"
            assert ask(new, "PING") == "PONG"
            assert ask(new, "RESET") == "RESET"
            assert str(ask(new, "PING")) == "NOAUTH Authentication required."
        assert ask(old, "CONFIG", "SET", "requirepass", "") == "OK"


def test_a_disabled_default_user_lets_nobody_in_by_itself(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+@all")
        admin.command("ACL", "SETUSER", "default", "off")
        with server.connect() as new:
            assert str(ask(new, "PING")) == "NOAUTH Authentication required."
            assert str(ask(new, "AUTH", "default", "x")).startswith("WRONGPASS")
            assert ask(new, "AUTH", "u", "x") == "OK"
            assert ask(new, "PING") == "PONG"
        admin.command("ACL", "SETUSER", "default", "on")


def test_a_limited_default_user_limits_who_is_not_logged_in(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*", "&*")
        admin.command("AUTH", "u", "x")
        admin.command("ACL", "SETUSER", "default", "-set")
        with server.connect() as new:
            assert str(ask(new, "SET", "a", "1")).startswith("NOPERM")
            assert ask(new, "GET", "a") is None
            assert ask(new, "AUTH", "u", "x") == "OK"
            assert ask(new, "SET", "a", "1") == "OK"
        admin.command("ACL", "SETUSER", "default", "+@all")
        admin.command("RESET")


def test_new_users_may_use_the_channels_that_the_configuration_says(server: ServerProcess) -> None:
    with server.connect() as admin:
        admin.command("CONFIG", "SET", "acl-pubsub-default", "allchannels")
        admin.command("ACL", "SETUSER", "u", "(+get)")
        admin.command("CONFIG", "SET", "acl-pubsub-default", "resetchannels")
        admin.command("ACL", "SETUSER", "u", "(+get)")
        admin.command("ACL", "SETUSER", "v")
        found = described(admin, "u")
        assert found["channels"] == "&*"
        assert [as_map(selector)["channels"] for selector in found["selectors"]] == ["&*", ""]
        assert described(admin, "v")["channels"] == ""


@pytest.mark.parametrize("server", ["aikv"], indirect=True)
def test_a_client_that_waits_meets_new_rules_when_it_is_served(server: ServerProcess) -> None:
    """As in Redis 7.2, which runs the command again; 7.0 serves the client."""
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*")
        with login(server, "u") as client:
            number = str(ask(client, "CLIENT", "ID"))
            client.send("BLPOP", "list", "0")
            wait_for(lambda: "flags=b" in ask(admin, "CLIENT", "LIST", "ID", number))
            admin.command("ACL", "SETUSER", "u", "resetkeys")
            assert ask(admin, "RPUSH", "list", "x") == 1
            assert client.read_reply() == b"-NOPERM No permissions to access a key\r\n"
            assert ask(admin, "LLEN", "list") == 1
            assert ask(client, "PING") == "PONG"


def wait_for(condition: Callable[[], bool]) -> None:
    """Ask until it is so; a time limit is the connection's own."""
    for _ in range(2000):
        if condition():
            return
    raise AssertionError("it did not come to be so")
