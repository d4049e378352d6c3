"""Scripts that several clients see: busy ones, what is recorded, shown and remembered of them."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from conftest import StartServer
from oracle.effects import announced, check_records
from oracle.language import parse_steps
from oracle.pair import Pair
from oracle.process import AIKV, REDIS, ServerProcess
from oracle.wire import RawConnection

FOREVER = "while true do end"
# Ends by itself after a while, having changed something at once.
LONG = "redis.call('set', 'begun', 1) local n = 0 while n < 1.5e7 do n = n + 1 end return redis.call('incr', 'ended')"
BUSY = b"-BUSY "


@contextmanager
def busy(server: ServerProcess, *command: str) -> Iterator[tuple[RawConnection, RawConnection]]:
    """Let a client run a script for long; gives that client, whose reply is to be read, and another one."""
    with server.connect() as runner, server.connect() as other:
        other.command("FLUSHALL")
        other.command("CONFIG", "SET", "busy-reply-threshold", "20")
        runner.send(*command)
        wait_for(lambda: other.command("PING").startswith(BUSY))
        yield runner, other
        wait_for(lambda: not other.command("PING").startswith(BUSY))
        other.command("CONFIG", "SET", "busy-reply-threshold", "5000")


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline


def same(pair: Pair, scene: Callable[[ServerProcess], list[bytes]]) -> list[bytes]:
    """Play `scene` on both servers; returns the replies, which must be equal."""
    theirs, ours = scene(pair.oracle), scene(pair.aikv)
    assert ours == theirs
    return ours


# With what a busy server does not answer BUSY, and with some of what it does.
MEANWHILE = [
    *("GET a", "PING", "INFO", "EVAL 'return 1' 0", "SCRIPT EXISTS x", "SCRIPT LOAD x", "CLIENT LIST", "SUBSCRIBE c"),
    *("SHUTDOWN", "SHUTDOWN SAVE", "UNWATCH", "WATCH a", "DISCARD", "RESET", "NOSUCH", "GET", "AUTH x"),
    *("MULTI", "GET a", "EXEC", "MULTI", "DISCARD", "SCRIPT KILL x"),
]


@pytest.mark.parametrize(
    "script",
    [
        FOREVER,
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() end) end",
        "local f = coroutine.wrap(function() while true do end end) f()",
        "local f = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) f()",
        "while true do redis.call('get', 'x') end",
        "\n\nlocal function f(n)\n while n < 2 do n = n / 2 end end f(1)",
        "table.sort({3, 2, 1}, function(a, b) while true do end end)",
        "string.gsub('x', 'x', function() while true do end end)",
        "setmetatable({}, {__index = function() while true do end end}).x = nil return setmetatable({}, "
        "{__index = function() while true do end end}).x",
    ],
)
def test_a_script_that_only_reads_is_killed_whatever_it_does(pair: Pair, script: str) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with busy(server, "EVAL", script, "0") as (runner, other):
            return [other.command("GET", "x"), other.command("SCRIPT", "KILL"), runner.read_reply()]

    replies = same(pair, scene)
    assert replies[1] == b"+OK\r\n"


@pytest.mark.parametrize(
    "script",
    [
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do redis.pcall('get', 'x') end",
        "while true do pcall(redis.call, 'get', 'x') end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    ],
)
def test_a_script_is_killed_where_the_oracle_takes_long_to_do_it(pair: Pair, script: str) -> None:
    with busy(pair.aikv, "EVAL", script, "0") as (runner, other):
        assert other.command("SCRIPT", "KILL") == b"+OK\r\n"
        assert runner.read_reply().startswith(b"-ERR Script killed by user with SCRIPT KILL...")
    with pair.aikv.connect() as connection:
        assert connection.command("EVAL", "return {pcall(function() return 1 end)}", "0") == b"*2\r\n:1\r\n:1\r\n"


def test_others_are_told_that_a_script_runs(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with busy(server, "EVAL", FOREVER, "0") as (runner, other):
            replies = [other.command(*parse_steps(line)[0].argv) for line in MEANWHILE]
            other.command("SCRIPT", "KILL")
            return [*replies, runner.read_reply()]

    same(pair, scene)


def test_a_script_that_has_written_cannot_be_killed_and_ends_as_a_whole(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with busy(server, "EVAL", LONG, "0") as (runner, other):
            return [other.command("SCRIPT", "KILL"), other.command("GET", "begun"), runner.read_reply()]

    assert same(pair, scene)[2] == b":1\r\n"


def test_a_busy_script_in_a_transaction_can_be_killed_and_the_rest_runs(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with server.connect() as before:
            before.command("FLUSHALL")
        with server.connect() as runner, server.connect() as other:
            other.command("CONFIG", "SET", "busy-reply-threshold", "20")
            replies = [
                runner.command(*command)
                for command in (["MULTI"], ["SET", "a", "1"], ["EVAL", FOREVER, "0"], ["INCR", "a"])
            ]
            runner.send("EXEC")
            wait_for(lambda: other.command("PING").startswith(BUSY))
            replies += [other.command("GET", "a"), other.command("SCRIPT", "KILL"), runner.read_reply()]
            replies += [other.command("GET", "a"), runner.command("PING")]
            other.command("CONFIG", "SET", "busy-reply-threshold", "5000")
            return replies

    assert b":2\r\n" in same(pair, scene)[6]


def test_what_was_sent_behind_a_busy_script_is_answered_after_it(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with busy(server, "EVAL", LONG, "0") as (runner, _):
            runner.send("GET", "ended")
            runner.send("PING")
            return [runner.read_reply() for _ in range(3)]

    assert same(pair, scene) == [b":1\r\n", b"$1\r\n1\r\n", b"+PONG\r\n"]


def test_a_script_whose_client_leaves_runs_to_its_end(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with busy(server, "EVAL", LONG, "0") as (runner, other):
            runner.close()
            wait_for(lambda: not other.command("PING").startswith(BUSY))
            return [other.command("GET", "ended")]

    assert same(pair, scene) == [b"$1\r\n1\r\n"]


def test_shutdown_without_saving_ends_a_busy_server(start_server: StartServer) -> None:
    server = start_server(AIKV, "--save", "3600 1", "--appendonly", "yes", "--busy-reply-threshold", "20")
    with server.connect() as runner, server.connect() as other:
        runner.command("SET", "before", "1")
        runner.send("EVAL", "redis.call('set', 'half', 'done') while true do pcall(error) end", "0")
        wait_for(lambda: other.command("PING").startswith(BUSY))
        other.send("SHUTDOWN", "NOSAVE")
        assert other.read_until_closed() == b""
    assert server.process is not None
    assert server.process.wait(20) == 0
    server.start()
    with server.connect() as again:
        assert again.command("MGET", "before", "half") == b"*2\r\n$1\r\n1\r\n$-1\r\n"


def test_no_script_is_killed_where_none_is_busy(pair: Pair) -> None:
    pair.compare("SCRIPT KILL", "EVAL 'return 1' 0; SCRIPT KILL")


RECORDED = [
    "EVAL \"return redis.call('set', KEYS[1], 1)\" 1 a",
    "EVAL \"redis.call('set', 'a', 1) redis.call('incr', 'a') return redis.call('get', 'a')\" 0",
    "EVAL \"return redis.call('get', 'a')\" 0",
    "EVAL \"redis.call('select', 3) return redis.call('set', 'a', 'three')\" 0",
    "EVAL \"redis.call('set', 'b', 1) redis.call('select', 4) redis.call('set', 'b', 1) return 1\" 0",
    "EVAL \"redis.call('sadd', 's', 1) redis.call('spop', 's') return 1\" 0",
    "EVAL \"redis.call('set', 'e', 1, 'ex', 100) return redis.call('incrbyfloat', 'f', 1.5)\" 0",
    "EVAL \"redis.call('set', 'a', 1) error('later')\" 0",
    "EVAL \"redis.pcall('lpush', 'a', 1) return redis.call('set', 'c', 1)\" 0",
    "EVAL \"redis.set_repl(redis.REPL_NONE) redis.call('set', 'x', 1) redis.set_repl(redis.REPL_ALL) "
    "redis.call('set', 'y', 1) redis.call('set', 'z', 1) return 1\" 0",
    "EVAL \"redis.set_repl(redis.REPL_REPLICA) return redis.call('set', 'x', 1)\" 0",
    "EVAL \"redis.set_repl(redis.REPL_AOF) return redis.call('set', 'x', 1)\" 0",
    "MULTI; EVAL \"return redis.call('set', 'a', 1)\" 0; EXEC",
    "MULTI; SET m 1; EVAL \"redis.call('set', 'a', 1) return redis.call('set', 'b', 1)\" 0; EXEC",
    "EVAL \"return redis.call('publish', 'c', 'm')\" 0; SCRIPT LOAD 'return 1'; SCRIPT FLUSH",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
]


def test_the_aof_holds_what_scripts_did(start_server: StartServer) -> None:
    servers = [
        start_server(program, "--appendonly", "yes", "--save", "", name=program[-1]) for program in (REDIS, AIKV)
    ]
    check_records(servers, [step for line in RECORDED for step in parse_steps(line)])


def test_scripts_cause_the_events_of_their_commands(pair: Pair) -> None:
    lines = [
        "EVAL \"redis.call('set', 'a', 1) redis.call('expire', 'a', 100) return redis.call('del', 'a')\" 0",
        "EVAL \"redis.call('rpush', 'l', 1) redis.call('lpop', 'l') return redis.call('get', 'nosuch')\" 0",
    ]
    steps = [step for line in lines for step in parse_steps(line)]
    assert announced(pair.aikv, steps) == announced(pair.oracle, steps)


MONITORED = [
    ["EVAL", "redis.call('set', 'a', 1) redis.pcall('nosuch') redis.call('select', 3) return redis.call('ping')", "0"],
    ["EVALSHA", "x", "0"],
    ["EVAL_RO", "return redis.call('get', 'a')", "1", "k"],
    ["SCRIPT", "LOAD", "return 1"],
    ["EVAL", "return (", "0"],
    ["MULTI"],
    ["EVAL", "return redis.call('ping')", "0"],
    ["EXEC"],
]


def test_monitors_see_scripts_and_then_their_commands(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with server.connect() as monitor, server.connect() as runner:
            monitor.command("MONITOR")
            for command in MONITORED:
                runner.command(*command)
            runner.command("ECHO", "the end")
            lines: list[bytes] = []
            while not lines or b"the end" not in lines[-1]:
                lines.append(re.sub(rb"^\+[\d.]+ \[(\d) (lua|).*?\]", rb"[\1 \2]", monitor.read_reply()))
            return lines

    assert any(b"[3 lua]" in line for line in same(pair, scene))


def test_a_script_wakes_who_waits_for_a_key_when_it_has_ended(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with server.connect() as waiter, server.connect() as runner:
            runner.command("FLUSHALL")
            waiter.send("BLPOP", "l", "0")
            wait_for(lambda: b"blocked_clients:1" in runner.command("INFO", "clients"))
            replies = [runner.command("EVAL", "redis.call('rpush', 'l', 'x') redis.call('del', 'l') return 1", "0")]
            replies.append(runner.command("EVAL", "redis.call('rpush', 'l', 'y') return redis.call('llen', 'l')", "0"))
            return [*replies, waiter.read_reply(), runner.command("EXISTS", "l")]

    assert same(pair, scene)[2] == b"*2\r\n$1\r\nl\r\n$1\r\ny\r\n"


def test_a_caching_client_is_told_of_keys_that_its_scripts_have_read(pair: Pair) -> None:
    with pair.aikv.connect(3) as caching, pair.aikv.connect() as other:
        other.command("SET", "k", "1")
        caching.command("CLIENT", "TRACKING", "ON")
        caching.command("EVAL", "return redis.call('get', 'k')", "0")
        other.command("SET", "k", "2")
        assert caching.read_reply() == b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"


def test_a_script_has_the_rights_of_who_runs_it(pair: Pair) -> None:
    with pair.aikv.connect() as admin, pair.aikv.connect() as user:
        admin.command("FLUSHALL")
        admin.command("ACL", "SETUSER", "limited", "on", "nopass", "+@all", "-set", "~k*", "&c")
        user.command("AUTH", "limited", "x")
        assert user.command("EVAL", "return redis.call('get', 'k')", "0") == b"$-1\r\n"
        for script in ("redis.call('get', 'x')", "redis.call('set', 'k', 1)", "redis.call('publish', 'no', 'm')"):
            assert user.command("EVAL", "return " + script, "0").startswith(b"-NOPERM ACL failure in script: "), script
        checks = "return {redis.acl_check_cmd('set', 'k', 'v'), redis.acl_check_cmd('get', 'k')}"
        assert user.command("EVAL", checks, "0") == b"*2\r\n$-1\r\n:1\r\n"
        assert b"$3\r\nlua\r\n" in admin.command("ACL", "LOG")
        admin.command("ACL", "LOG", "RESET")
        admin.command("ACL", "DELUSER", "limited")


def test_a_script_that_says_it_does_not_write_runs_while_writes_are_paused(pair: Pair) -> None:
    def scene(server: ServerProcess) -> list[bytes]:
        with server.connect() as pauser, server.connect() as runner, server.connect() as writer:
            pauser.command("CLIENT", "PAUSE", "30000", "WRITE")
            replies = [
                runner.command("EVAL_RO", "return 1", "0"),
                runner.command("EVAL", "#!lua flags=no-writes\nreturn 2", "0"),
            ]
            writer.send("EVAL", "return 3", "0")
            pauser.command("CLIENT", "UNPAUSE")
            return [*replies, writer.read_reply()]

    assert same(pair, scene) == [b":1\r\n", b":2\r\n", b":3\r\n"]
