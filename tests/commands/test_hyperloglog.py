"""What HyperLogLog commands leave in the journal."""

import pytest

from aikv.datatypes import hyperloglog
from served import Served


@pytest.mark.parametrize(
    ("line", "is_recorded"),
    [
        ("PFADD a x", False),
        ("PFADD a y", True),
        ("PFADD n", True),
        ("PFCOUNT a", True),
        ("PFCOUNT a n", False),
        ("PFCOUNT n", False),
        ("PFMERGE a", True),
        ("PFMERGE d a", True),
        ("PFDEBUG ENCODING a", False),
        ("PFDEBUG DECODE a", False),
        ("PFDEBUG GETREG a", True),
        ("PFDEBUG TODENSE a", True),
    ],
)
def test_a_command_is_recorded_as_it_came_where_it_changed_the_bytes(line: str, is_recorded: bool) -> None:
    served = Served()
    served.run("PFADD a x")
    served.recorded()
    served.run(line)
    assert served.recorded() == ([line.encode().split()] if is_recorded else [])


def test_an_estimate_is_recorded_once() -> None:
    served = Served()
    served.run("PFADD a x")
    served.run("PFCOUNT a")
    served.recorded()
    assert served.run("PFCOUNT a") == b":1\r\n"
    assert served.recorded() == []


def test_what_was_added_before_the_bytes_turned_out_corrupt_is_recorded() -> None:
    served = Served()
    elements = [b"%d" % number for number in range(50)]
    reach = [hyperloglog.place(element)[0] for element in elements]
    # Opcodes that tell the registers up to the first element's, and no further.
    covered = reach[0]
    opcodes = bytes([0x40 | covered >> 8, covered & 255])
    beyond = next(element for element, index in zip(elements, reach, strict=True) if index > covered)
    served.run("SET", "a", b"HYLL\x01" + bytes(11) + opcodes)
    served.recorded()
    assert served.run("PFADD", "a", elements[0], beyond) == b"-INVALIDOBJ Corrupted HLL object detected\r\n"
    assert served.recorded() == [[b"PFADD", b"a", elements[0], beyond]]
    assert served.run("GETRANGE", "a", "15", "15") == b"$1\r\n\x80\r\n"
