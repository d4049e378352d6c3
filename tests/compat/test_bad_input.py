"""Every command called wrongly in every way: the oracle's errors, and nothing has changed after one.

`oracle/right_calls.txt` has a right call of each command on keys, from which `oracle.bad_input` makes the wrong ones.
Each is followed by DEBUG DIGEST, on both servers. A sample of the calls is made; `--deep` makes all.
"""

from pathlib import Path
from random import Random

import pytest

from oracle.bad_input import FIXTURE, Words, words_of, wrong_calls
from oracle.deep import read_replies
from oracle.known import is_known
from oracle.language import Step, parse_steps
from oracle.pair import Pair
from oracle.values import alike, tree
from oracle.wire import RawConnection, pack

CALLS = [
    step
    for line in (Path(__file__).parents[1] / "oracle/right_calls.txt").read_text().splitlines()
    if not line.startswith("#")
    for step in parse_steps(line)
]
MAKING = [(b"SELECT", b"0"), (b"FLUSHALL",), *map(words_of, FIXTURE)]
SAMPLE = 60
# Wrong calls between two makings of the fixture, so that keys are there and waiting commands find something.
CHUNK = 15
DIGEST = (b"DEBUG", b"DIGEST")
CONTAINERS = (b"OBJECT", b"XGROUP", b"XINFO")
# Commands on keys without a right call.
LEFT_OUT = {
    b"spop": "changes something at random",
    b"migrate": "would connect to whatever a wrong word is the name of: test_migrate",
    b"restore-asking": "is RESTORE",
    b"pfdebug": "of tests only",
    b"ssubscribe": "the connection may send little after it",
    b"sunsubscribe": "of channels, not of keys",
}
# What would need half a gigabyte or more, and is refused.
TOO_LONG = [
    "SETRANGE a 536870912 x",
    "SETRANGE a 536870911 xy",
    "SETRANGE a 9223372036854775807 xy",
    "SETBIT a 4294967296 1",
    "GETBIT a 4294967296",
    "BITFIELD a SET u8 4294967296 1",
    "BITFIELD a SET u8 #536870912 1",
    "BITFIELD a GET u8 0 INCRBY u8 #536870912 1",
    "LCS b c",
    "EXISTS a",
]


def calls_to_make(step: Step, everything: bool) -> list[Words]:
    """Wrong calls made from the right one."""
    calls = list(wrong_calls(step.argv, 2 if step.argv[0] in CONTAINERS else 1))
    return calls if everything else Random(repr(step.argv)).sample(calls, min(SAMPLE, len(calls)))


def exchange(connection: RawConnection, requests: list[Words]) -> list[bytes]:
    """Send commands in one go; returns their replies."""
    connection.send_raw(b"".join([pack(list(words)) for words in requests]))
    return read_replies(connection, len(requests))


@pytest.mark.parametrize("step", CALLS, ids=str)
def test_a_wrong_call_has_the_error_of_redis_and_changes_nothing(
    step: Step, pair: Pair, request: pytest.FixtureRequest
) -> None:
    with pair.oracle.connect() as oracle, pair.aikv.connect() as aikv:
        if aikv.command(step.argv[0]).startswith(b"-ERR unknown command"):
            pytest.skip("aikv does not have this command yet")
        for connection in (oracle, aikv):
            exchange(connection, [*MAKING, (b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0")])
        if b"payload" in step.argv:
            payload = tree(oracle.command("DUMP", "hash"))[1]
            step = Step(tuple(payload if word == b"payload" else word for word in step.argv), step.comparison)
        calls = calls_to_make(step, request.config.getoption("--deep"))
        for start in range(0, len(calls), CHUNK):
            chunk = calls[start : start + CHUNK]
            requests = [*MAKING, DIGEST, *(words for call in chunk for words in (call, DIGEST))]
            theirs, ours = (exchange(connection, requests)[len(MAKING) :] for connection in (oracle, aikv))
            for number, call in enumerate(chunk):
                check(step.comparison, call, theirs[2 * number : 2 * number + 3], ours[2 * number : 2 * number + 3])
        for connection in (oracle, aikv):
            exchange(connection, [(b"FLUSHALL",), (b"DEBUG", b"SET-ACTIVE-EXPIRE", b"1")])


def check(comparison: str, call: Words, theirs: list[bytes], ours: list[bytes]) -> None:
    """Compare a call's replies; the first and last of the three are the digests before and after it."""
    their, our = theirs[1], ours[1]
    error = b"-" in (their[:1], our[:1])
    if not alike("exact" if error else comparison, their, our) and not is_known(call[0], their, our):
        pytest.fail(f"{call}\nredis: {their!r}\naikv:  {our!r}")
    assert ours[2] == theirs[2], f"after {call} the datasets are not the same; the reply was {our!r}"
    if error:
        assert ours[2] == ours[0], f"{call} was answered with {our!r} and has changed something"


def test_every_command_on_keys_has_a_right_call(pair: Pair) -> None:
    with pair.oracle.connect() as oracle:
        known = [entry[1] for entry in tree(oracle.command("COMMAND"))[1]]
    with pair.aikv.connect() as aikv:
        ours = {entry[1][0][1] for entry in tree(aikv.command("COMMAND"))[1]}
    # The eighth element are the key specifications, the ninth the subcommands, which have the same form.
    on_keys = {entry[0][1] for entry in known if entry[8][1] or any(inner[1][8][1] for inner in entry[9][1])}
    missing = (on_keys & ours) - {step.argv[0].lower() for step in CALLS} - set(LEFT_OUT)
    assert not missing, f"write a line in tests/oracle/right_calls.txt for {missing}"


def test_what_would_be_too_long_is_refused_before_memory_is_taken(pair: Pair) -> None:
    with pair.oracle.connect() as oracle, pair.aikv.connect() as aikv:
        for connection in (oracle, aikv):
            exchange(connection, [(b"FLUSHALL",), (b"SETRANGE", b"b", b"19999", b"x"), (b"COPY", b"b", b"c")])
        before = peak_kib(pair.aikv.pid)
        calls = [*map(words_of, TOO_LONG)]
        assert exchange(aikv, calls) == exchange(oracle, calls)
        assert peak_kib(pair.aikv.pid) - before < 64 * 1024


def peak_kib(pid: int) -> int:
    """The largest resident size that a process has had, in KiB."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0])
