"""The accelerator of the interpreted form reads what the exact parser reads, or nothing at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.resp.batch import Batch
from aikv.resp.encoder import encode_request
from aikv.resp.output import Output
from aikv.resp.parser import RequestParser

PIECES = st.sampled_from(
    [
        b"*1\r\n",
        b"*2\r\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"*01\r\n",
        b"*3\r\n",
        b"$1\r\na\r\n",
        b"$0\r\n\r\n",
        b"$-1\r\n",
        b"$4\r\nPING\r\n",
        b"$01\r\na\r\n",
        b":1\r\n",
        b":-1\r\n",
        b"+OK\r\n",
        b"+abcdefghij\r\n",
        b"-ERR\r\n",
        b"_\r\n",
        b"#t\r\n",
        b",1.5\r\n",
        b"%1\r\n",
        b"~1\r\n",
        b">1\r\n",
        b"|1\r\n",
        b"(12\r\n",
        b"=5\r\ntxt:a\r\n",
        b"$1\r\nab\r\n",
        b"PING\r\n",
        b"\r\n",
        b"$12\r\nabcdefghijkl\r\n",
        b"*1\r\n*1\r\n",
        b"!3\r\nERR\r\n",
        b"$?\r\n",
        b"*?\r\n",
        b".\r\n",
        b";1\r\na\r\n",
    ]
)


def exact(data: bytes) -> tuple[list[list[bytes]], bytes | None]:
    """Return what the exact parser, byte after byte and so without the accelerator, makes of `data`."""
    parser = RequestParser()
    commands = parser.feed(data[:1])
    for byte in data[1:]:
        commands += parser.feed(bytes([byte]))
    return commands, parser.error


@pytest.mark.parametrize(
    "data",
    [
        b"*1\r\n+PING\r\n",
        b"*1\r\n:1\r\n",
        b"*1\r\n$-1\r\n",
        b"*1\r\n*1\r\n$1\r\na\r\n",
        b"*01\r\n$1\r\na\r\n",
        b"*1\r\n$01\r\na\r\n",
        b"*1\r\n%1\r\n*0\r\n+a\r\n",
        b"*1\r\n~1\r\n*0\r\n",
        b"*1\r\n(" + b"9" * 5000 + b"\r\n",
        b"*100000000\r\n",
        b"*1\r\n$4\r\nPIN",
        b"*1\r\n$4\r\nPING\r\nPING\r\n",
        b"*1\r\n=5\r\ntxt:a\r\n",
        # As long as two bulk strings would be.
        b"*2\r\n+abcdefghij\r\n=5\r\ntxt:a\r\n",
        b"*1\r\n$1\r\na\r\n>1\r\n$1\r\na\r\n",
        b"*1\r\n$1\r\na\r\n|1\r\n$1\r\na\r\n$1\r\nb\r\n",
        b"*1\r\n(12\r\n",
        # What is put behind the input, in the input itself or as the end of something unfinished.
        b"*1\r\n$1\r\na\r\n:-1\r\n",
        b"*1\r\n$1\r\na\r\n:-1\r\n*1\r\n$1\r\na\r\n",
        b"*2\r\n$1\r\na\r\n",
        b"*1\r\n$3\r\n",
        b"*1\r\n$1\r\na\r\n:",
        b"*-1\r\n",
        b"*0\r\n",
        b"PING",
        b"PING\r\nPING",
        b"PING\r\n*1\r\n$4\r\nPING\r\n",
        b'SET a "b c"\r\n',
        b"SET a 'b'\r\n",
        b"PING\0\r\n",
        b"SET a\vb\r\n",
    ],
    ids=repr,
)
def test_input_that_is_not_plainly_well_formed_is_given_back_whole(data: bytes) -> None:
    out: list[list[bytes]] = []
    assert Batch().read(data, out) == data
    assert out == []


@given(lines=st.lists(st.text("ab*$ \t\r", max_size=8), min_size=1, max_size=8))
def test_plain_lines_are_read(lines: list[str]) -> None:
    data = "".join([line + "\n" for line in lines]).encode()
    out: list[list[bytes]] = []
    rest = Batch().read(data, out)
    if any(line.startswith("*") for line in lines):
        assert (rest, out) == (data, [])
    else:
        assert rest == b""
        assert (out, None) == exact(data)


def test_a_reader_that_met_nonsense_reads_the_next_input_afresh() -> None:
    batch = Batch()
    out: list[list[bytes]] = []
    batch.read(b"*1\r\n$4\r\nPI", out)
    batch.read(b"*2\r\n$4\r\nPING\r\n", out)
    batch.read(b"*1\r\n@\r\n", out)
    batch.read(b"*1\r\n$4\r\nPING\r\n:-1\r\n", out)
    assert batch.read(b"*1\r\n$4\r\nPING\r\n", out) == b""
    assert out == [[b"PING"]]


@given(pieces=st.lists(PIECES, max_size=12))
def test_requests_and_replies_mixed_are_read_as_the_exact_parser_reads_them(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    out: list[list[bytes]] = []
    rest = Batch().read(data, out)
    if rest:
        assert rest == data
        assert out == []
    else:
        assert (out, None) == exact(data)


@given(argvs=st.lists(st.lists(st.binary(max_size=20), min_size=1, max_size=9), min_size=1, max_size=9))
def test_pipelines_of_whole_requests_are_read(argvs: list[list[bytes]]) -> None:
    requests = Output()
    for argv in argvs:
        encode_request(requests, argv)
    data = requests.take()
    out: list[list[bytes]] = []
    if Batch().read(data, out) == b"":
        assert out == argvs
    else:
        # Only what looks like a large header is left to the exact parser.
        assert exact(data) == (argvs, None)
