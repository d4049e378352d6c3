"""The key that was used last is remembered, and nobody can tell by what comes back."""

import pytest

from served import Served


def run_all(served: Served, *lines: str) -> None:
    """Run several commands, whatever they answer."""
    for line in lines:
        served.run(line)


@pytest.mark.parametrize(("ttl_ms", "passing_ms"), [(500, 501), (1500, 1501), (999, 1000)])
def test_a_key_that_is_asked_for_again_and_again_runs_out(ttl_ms: int, passing_ms: int) -> None:
    served = Served()
    served.run(f"SET key value PX {ttl_ms}")
    for _ in range(3):
        assert served.run("GET key") == b"$5\r\nvalue\r\n"
    served.clock.advance_ms(passing_ms)
    assert served.run("GET key") == b"$-1\r\n"


def test_a_time_to_live_that_comes_later_is_heeded() -> None:
    served = Served()
    run_all(served, "SET key value", "GET key", "PEXPIRE key 10")
    served.clock.advance_ms(11)
    assert served.run("GET key") == b"$-1\r\n"


@pytest.mark.parametrize("line", ["DEL key", "FLUSHALL", "SWAPDB 0 1", "RENAME key other", "MOVE key 1", "GETDEL key"])
def test_a_key_that_has_gone_is_not_found(line: str) -> None:
    served = Served()
    run_all(served, "SET key value", "GET key", line)
    assert served.run("GET key") == b"$-1\r\n"
    assert served.run("INCR key") == b":1\r\n"


def test_what_overwrites_a_key_drops_its_time_to_live() -> None:
    served = Served()
    run_all(served, "SET key value EX 100", "GET key", "SET key other")
    assert served.run("PTTL key") == b":-1\r\n"
    run_all(served, "SET key value EX 100", "GET key", "MSET key other")
    assert served.run("PTTL key") == b":-1\r\n"


def test_what_follows_in_the_table_is_found_where_it_is() -> None:
    served = Served()
    run_all(served, "SET key:0 first", "SET key:0 second")
    # The bucket that holds the key is split meanwhile.
    for number in range(1, 1000):
        served.run(f"SET key:{number} value")
    served.run("SET key:0 third")
    assert served.run("GET key:0") == b"$5\r\nthird\r\n"
    assert served.run("DBSIZE") == b":1000\r\n"


def test_a_field_that_runs_out_is_gone() -> None:
    served = Served()
    run_all(served, "HSET hash field value other value", "HGET hash field", "HPEXPIRE hash 10 FIELDS 1 field")
    served.run("HGET hash other")
    served.clock.advance_ms(11)
    assert served.run("HGET hash field") == b"$-1\r\n"
    assert served.run("HLEN hash") == b":1\r\n"
