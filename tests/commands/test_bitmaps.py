"""What bit commands leave in the keyspace and in the journal."""

import pytest

from served import Served


def test_a_string_is_changed_where_it_is() -> None:
    served = Served()
    served.run("SET a abc")
    served.run("SETBIT a 7 0")
    string = served.engine.databases[0].table.get(b"a")
    assert type(string) is bytearray
    served.run("SETBIT a 1000 1")
    served.run("BITFIELD a SET u8 2000 7")
    assert served.engine.databases[0].table.get(b"a") is string


@pytest.mark.parametrize(
    ("line", "is_recorded"),
    [
        ("SETBIT a 1 1", False),
        ("SETBIT a 1 0", True),
        ("SETBIT a 8 0", True),
        ("SETBIT n 0 0", True),
        ("BITFIELD a GET u8 0", False),
        ("BITFIELD a SET u8 0 97", False),
        ("BITFIELD a SET u8 0 98", True),
        ("BITFIELD a OVERFLOW FAIL INCRBY u8 0 200", False),
        ("BITFIELD a OVERFLOW FAIL SET u8 8 256", True),
        ("BITOP AND d n", False),
        ("BITOP AND a n", True),
        ("BITOP NOT d a", True),
    ],
)
def test_a_command_is_recorded_as_it_came_where_it_changed_something(line: str, is_recorded: bool) -> None:
    served = Served()
    served.run("SET a a")
    served.recorded()
    served.run(line)
    assert served.recorded() == ([line.encode().split()] if is_recorded else [])


@pytest.mark.parametrize("field", ["#2305843009213693952", "#9223372036854775807"])
def test_a_field_whose_offset_is_beyond_64_bits_is_refused(field: str) -> None:
    served = Served()
    assert served.run(f"BITFIELD a SET u8 {field} 1") == b"-ERR bit offset is not an integer or out of range\r\n"
    assert served.run("EXISTS a") == b":0\r\n"
