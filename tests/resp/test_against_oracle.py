"""Malformed requests of every kind get the oracle's words, byte for byte."""

import random
from collections.abc import Iterator

import pytest

from oracle.pair import Pair
from oracle.process import AIKV, REDIS, VOLATILE, ServerProcess, redis_missing
from oracle.wire import pack

PING = pack([b"PING"])

COUNTS = [
    b"*-1\r\n",
    b"*-99\r\n",
    b"*0\r\n",
    b"*01\r\n",
    b"*+1\r\n",
    b"* 1\r\n",
    b"*1 \r\n",
    b"*\r\n",
    b"*-\r\n",
    b"*-0\r\n",
    b"*-01\r\n",
    b"*1.0\r\n",
    b"*1e1\r\n",
    b"*0x1\r\n",
    b"*2147483648\r\n",
    b"*4294967297\r\n",
    b"*9223372036854775807\r\n",
    b"*9223372036854775808\r\n",
    b"*-9223372036854775808\r\n",
    b"*-9223372036854775809\r\n",
    b"*" + b"9" * 30 + b"\r\n",
    b"*\xff\r\n",
    b"*1\n$4\nPING\n",
]
LENGTHS = [
    b"*1\r\n$-1\r\n",
    b"*1\r\n$-0\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$04\r\nPING\r\n",
    b"*1\r\n$+4\r\nPING\r\n",
    b"*1\r\n$4 \r\nPING\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$9223372036854775807\r\n",
    b"*1\r\n$" + b"9" * 30 + b"\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n$4\nPING\r\n",
]
TYPES = [
    b"*1\r\n:4\r\n",
    b"*1\r\n+PING\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n",
    b"*1\r\n-ERR\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n\r\n",
    b"*1\r\n\n\r\n",
    b"*1\r\n\0\r\n",
    b"*1\r\n_\r\n",
    b"*1\r\n%1\r\n",
    b"*1\r\n=8\r\ntxt:PING\r\n",
    b"$4\r\nPING\r\n",
    b"+PING\r\n",
    b":1\r\n",
    b"%1\r\n",
    b">1\r\n",
    b"_\r\n",
]
LINE_ENDS = [
    b"*1\r\n$4\r\nPINGxy",
    b"*1\r\n$4\r\nPING\n\n",
    b"*1\rx$4\rxPING\r\n",
    b"*1\r\n$4\r\nPINGPING\r\n",
    b"PING\n",
    b"PING\r\n",
    b"\n",
    b"\r\n",
    b"\r\r\n",
    b"  \r\n",
    b"\t\r\n",
    b"PING\rPING\r\n",
    b"\rPING\r\n",
]
INLINE = [
    b"PING 'a\r\n",
    b'PING "a\r\n',
    b'PING "a"b\r\n',
    b"PING 'a'b\r\n",
    b"PING 'a' b\r\n",
    b'PING "\\x41\\n"\r\n',
    b"PING a\0b\r\n",
    b"\0PING\r\n",
    b"PING \xff\xfe\r\n",
    b"'' a\r\n",
    b'""\r\n',
    b"ping 'a\\'b'\r\n",
    b"GET / HTTP/1.1\r\nAccept: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"SSH-2.0-client\r\n",
]
TOO_LONG = [
    b"GET " + b"x" * 65_600,
    b"GET " + b"x" * 65_532 + b"\r\n",
    b"GET " + b"x" * 65_600 + b"\r\n",
    b"*" + b"1" * 65_600,
    b"*1\r\n$" + b"1" * 65_600,
    b"*1\r\n" + b"x" * 65_600,
    b"*1\r\n$4" + b"\0" * 65_600,
]
MALFORMED = [*COUNTS, *LENGTHS, *TYPES, *LINE_ENDS, *INLINE]


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:32]))
def test_the_same_answer_with_requests_before_and_after(data: bytes, pair: Pair) -> None:
    pair.compare_raw(data)
    pair.compare_raw(PING + data + PING)


@pytest.mark.parametrize("data", TOO_LONG, ids=lambda data: repr(data[:32]))
def test_the_same_answer_to_lines_that_are_too_long(data: bytes, pair: Pair) -> None:
    # Nothing behind them: a server that closes without having read everything may cut its own answer off.
    pair.compare_raw(data)
    pair.compare_raw(PING + data)


def test_binary_noise_gets_the_same_answer(pair: Pair) -> None:
    source = random.Random(7)
    pieces = [b"*1\r\n", b"*2\r\n", b"$4\r\n", b"PING", b"\r\n", b"\n", b"$", b"*", b"-", b"1", b"\0", b"'", b"x", b" "]
    for _ in range(300):
        pair.compare_raw(b"".join(source.choice(pieces) for _ in range(source.randrange(1, 14))))


BEFORE_AUTH = [
    b"*11\r\n" + b"$1\r\na\r\n" * 11,
    b"*10\r\n" + b"$1\r\na\r\n" * 10,
    b"*2\r\n$3\r\nGET\r\n$16385\r\n",
    b"*2\r\n$3\r\nGET\r\n$16384\r\n" + b"x" * 16384 + b"\r\n",
    pack([b"AUTH", b"wrong"]) + b"*11\r\n" + b"$1\r\na\r\n" * 11,
    pack([b"AUTH", b"sesame"]) + b"*11\r\n$6\r\nEXISTS\r\n" + b"$1\r\na\r\n" * 10 + PING,
    PING * 3 + pack([b"AUTH", b"sesame"]) + PING * 3,
    b"PING\r\nAUTH sesame\r\nPING\r\n",
    b"GET " + b"a " * 20 + b"\r\nPING\r\n",
    pack([b"HELLO", b"3"]) + pack([b"NOSUCH"]) + pack([b"GET"]) + pack([b"QUIT"]) + PING,
    pack([b"MULTI"]) + pack([b"AUTH", b"sesame"]) + pack([b"EXEC"]),
    pack([b"RESET"]) + PING,
]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both servers with a password."""
    missing = redis_missing()
    if missing is not None:
        pytest.skip(missing)
    servers = []
    for program in (REDIS, AIKV):
        folder = tmp_path_factory.mktemp("locked")
        server = ServerProcess(program, folder, (*VOLATILE, "--requirepass", "sesame"))
        server.start()
        servers.append(server)
    yield Pair(servers[0], servers[1])
    for server in servers:
        server.kill()


@pytest.mark.parametrize("data", BEFORE_AUTH, ids=lambda data: repr(data[:48]))
def test_the_same_answer_before_authentication(data: bytes, locked: Pair) -> None:
    locked.compare_raw(data)
