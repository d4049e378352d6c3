"""Commands taken from a block by a walk: whole ones and nothing else, whatever stands there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.persistence.aof_format import encode_command
from aikv.persistence.aof_scan import scan

values = st.binary(max_size=20) | st.sampled_from([b"", b"\r\n", b"a\r\nb", b"*1\r\n$4\r\nEXEC\r\n", b"x" * 5000])
commands = st.lists(st.lists(values, min_size=1, max_size=4), max_size=8)


def taken(data: bytes, start: int = 0) -> tuple[list[list[bytes]], int]:
    """The commands from `start` on, and where they end."""
    run: list[list[bytes]] = []
    return run, scan(data, start, run)


@given(commands, st.binary(max_size=5))
def test_all_commands_of_a_block_are_taken(argvs: list[list[bytes]], before: bytes) -> None:
    data = before + b"".join(map(encode_command, argvs))
    assert taken(data, len(before)) == (argvs, len(data))


@given(commands, st.data())
def test_a_cut_leaves_the_whole_commands_before_it(argvs: list[list[bytes]], draw: st.DataObject) -> None:
    data = b"".join(map(encode_command, argvs))
    cut = draw.draw(st.integers(0, len(data)))
    run, end = taken(data[:cut])
    assert run == argvs[: len(run)]
    assert end == sum(len(encode_command(argv)) for argv in run) <= cut
    assert len(run) == len(argvs) or end + len(encode_command(argvs[len(run)])) > cut


@given(commands, st.data())
def test_what_is_taken_is_exactly_what_stands_there(argvs: list[list[bytes]], draw: st.DataObject) -> None:
    data = bytearray(b"".join(map(encode_command, argvs)) + b"\r\n")
    for _ in range(2):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.sampled_from(b"0129*$\r\n#-x"))
    run, end = taken(bytes(data))
    assert b"".join(map(encode_command, run)) == data[:end]


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"*", b"*1", b"*1\r\n", b"*0\r\n", b"*01\r\n$1\r\na\r\n", b"*1\r\n$01\r\na\r\n", b"*-1\r\n", b"*x\r\n"),
        *(b"*1\n$1\na\n", b"*1\r\n$-1\r\n", b"*1\r\n$1\r\na", b"*1\r\n$1\r\nab\r\n", b"*1\r\n:1\r\n", b"#TS:1\r\n"),
        *(b"*1\r\n$100000001\r\na\r\n", b"*99999999999999999999999\r\n$1\r\na\r\n", b"*1\r\n$1\r\na\rx"),
    ],
)
def test_what_is_no_whole_command_is_left(data: bytes) -> None:
    assert taken(data) == ([], 0)
