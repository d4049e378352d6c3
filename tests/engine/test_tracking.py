"""Client-side caching where one engine is enough: limits, order as in Redis 7.2, and who is forgotten when.

What all clients are told is compared with the oracle in tests/compat/test_tracking.py.
"""

import pytest

from aikv.engine.client import Client, Link
from aikv.engine.client_life import connect, disconnect
from served import Served

K = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
ALL = b">2\r\n$10\r\ninvalidate\r\n_\r\n"


class WakingLink(Link):
    """Counts how often there was something to send."""

    def __init__(self) -> None:
        self.wakes = 0

    def wake(self) -> None:
        self.wakes += 1


class Caching(Served):
    """An engine whose first client, of RESP3, tracks; `other` is a second client of RESP3."""

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.other = self.resp3()
        self.run("HELLO 3")
        self.run(" ".join(["CLIENT TRACKING ON", *options]))

    def resp3(self, link: Link | None = None) -> Client:
        """Make another client that speaks RESP3."""
        client = connect(self.engine, link or Link())
        self.run("HELLO 3", client=client)
        return client

    def pushes(self, line: str) -> bytes:
        """Let the other client run `line`; returns what the first one is told of it."""
        self.run(line, client=self.other)
        return self.output()

    def info(self, section: str, field: str) -> str:
        """Return a field of INFO."""
        lines = self.run("INFO", section, client=self.other).decode().splitlines()
        return next(line.partition(":")[2] for line in lines if line.startswith(field + ":"))


def test_nothing_is_remembered_while_nobody_tracks() -> None:
    served = Served()
    served.run("GET k")
    assert not served.engine.tracks
    assert served.engine.tracking.keys == 0


def test_figures_are_those_of_info() -> None:
    served = Caching()
    third = served.resp3()
    served.run("CLIENT TRACKING ON", client=third)
    served.run("CLIENT TRACKING ON BCAST PREFIX a PREFIX b", client=served.other)
    served.run("MGET k j k")
    served.run("MGET k l", client=third)
    names = ("tracking_total_keys", "tracking_total_items", "tracking_total_prefixes")
    assert [served.info("stats", name) for name in names] == ["3", "4", "2"]
    assert served.info("clients", "tracking_clients") == "3"
    served.run("SET k 1")
    assert [served.info("stats", name) for name in names] == ["2", "2", "2"]
    served.run("CLIENT TRACKING OFF", client=served.other)
    served.run("FLUSHALL")
    assert [served.info("stats", name) for name in names] == ["0", "0", "0"]
    assert served.info("clients", "tracking_clients") == "2"


def test_messages_of_redirecting_clients_follow_the_reply_of_their_receiver() -> None:
    served = Caching()
    number = served.other.id
    served.run(f"CLIENT TRACKING ON REDIRECT {number}")
    served.run("GET k")
    assert served.run("SET k 1", client=served.other) == b"+OK\r\n" + K
    served.run("GET k")
    for line in ("MULTI", "SET k 2", "GET k"):
        served.run(line, client=served.other)
    assert served.run("EXEC", client=served.other) == b"*2\r\n+OK\r\n$1\r\n2\r\n" + K


def test_a_null_is_sent_in_the_protocol_of_the_receiver() -> None:
    served = Caching()
    plain = served.connect()
    served.run("SUBSCRIBE __redis__:invalidate", client=plain)
    served.run(f"CLIENT TRACKING ON REDIRECT {plain.id}")
    served.run("FLUSHALL")
    assert served.output(plain) == b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n"
    served.run(f"CLIENT TRACKING ON REDIRECT {served.other.id}", client=plain)
    served.run("RESET", client=plain)
    served.run(f"CLIENT TRACKING ON REDIRECT {served.other.id}", client=plain)
    served.run("FLUSHALL")
    assert served.output(served.other) == ALL


def test_a_full_table_gives_keys_up_by_telling_of_them() -> None:
    served = Caching()
    served.config.set_many([(b"tracking-table-max-keys", b"3")])
    reply = served.run("MGET a b c")
    assert b"invalidate" not in reply
    reply = served.run("MGET d e")
    assert reply.startswith(b"*2\r\n_\r\n_\r\n")
    assert reply.count(b"invalidate") == 2
    assert served.info("stats", "tracking_total_keys") == "3"
    assert served.info("stats", "tracking_total_items") == "3"


def test_a_smaller_limit_is_kept_after_some_rounds() -> None:
    served = Caching()
    served.run("MGET", *[str(number) for number in range(1000)])
    served.config.set_many([(b"tracking-table-max-keys", b"10")])
    told = served.output().count(b"invalidate")
    assert 0 < told < 1000
    for _ in range(10):
        told += served.run("GET 1").count(b"invalidate")
    assert served.info("stats", "tracking_total_keys") == "10"
    assert told >= 990


def test_no_limit_is_none() -> None:
    served = Caching()
    served.config.set_many([(b"tracking-table-max-keys", b"0")])
    assert b"invalidate" not in served.run("MGET", *[str(number) for number in range(1000)])


def test_who_does_not_want_to_hear_of_its_own_changes_still_hears_that_a_key_was_given_up() -> None:
    served = Caching("NOLOOP")
    served.config.set_many([(b"tracking-table-max-keys", b"1")])
    served.run("GET k")
    assert b"invalidate" in served.run("GET j")


def test_the_table_is_dropped_with_the_last_client_that_tracked() -> None:
    served = Caching()
    third = served.resp3()
    served.run("CLIENT TRACKING ON", client=third)
    served.run("GET k")
    served.run("MGET k j", client=third)
    disconnect(served.engine, third)
    assert served.pushes("SET j 1") == b""
    assert served.pushes("SET k 1") == K
    served.run("GET k")
    disconnect(served.engine, served.client)
    assert not served.engine.tracks
    assert served.info("stats", "tracking_total_items") == "0"


def test_a_client_that_ended_tracking_keeps_the_table_exact_for_when_it_begins_again() -> None:
    served = Caching()
    served.run("GET k")
    served.run("CLIENT TRACKING OFF")
    assert served.engine.tracks
    assert served.pushes("SET k 1") == b""
    assert not served.engine.tracks
    served.run("CLIENT TRACKING ON")
    assert served.pushes("SET k 2") == b""


def test_readers_of_one_key_that_have_gone_do_not_pile_up() -> None:
    served = Caching()
    for _ in range(1000):
        visitor = served.resp3()
        served.run("CLIENT TRACKING ON", client=visitor)
        served.run("GET k", client=visitor)
        disconnect(served.engine, visitor)
    assert served.engine.tracking.items < 130
    served.run("GET k")
    assert served.pushes("SET k 1") == K
    assert served.engine.tracking.items == 0


def test_a_client_that_waits_is_told_of_the_change_and_reads_the_key_again() -> None:
    served = Caching()
    assert served.run("XREAD BLOCK 0 STREAMS k $") == b""
    told = served.pushes("XADD k 1-1 f v")
    assert told.startswith(K)
    assert told.endswith(b"$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n")
    assert served.pushes("XADD k 2-1 f v") == K


def test_caching_covers_a_command_that_waits_and_nothing_after_it() -> None:
    served = Caching("OPTIN")
    served.run("CLIENT CACHING YES")
    assert served.run("XREAD BLOCK 100 STREAMS k $") == b""
    served.advance(100)
    assert served.output() == b"_\r\n"
    assert b"caching-yes" not in served.run("CLIENT TRACKINGINFO")
    served.run("GET j")
    assert served.pushes("SET j 1") == b""
    assert served.pushes("XADD k 1-1 f v") == K


def test_caching_covers_a_command_that_a_pause_holds_back() -> None:
    served = Caching("OPTIN")
    served.run("CLIENT CACHING YES")
    served.run("CLIENT PAUSE 100", client=served.other)
    assert served.run("GET k") == b""
    served.advance(100)
    assert served.output() == b"_\r\n"
    assert served.pushes("SET k 1") == K


@pytest.mark.parametrize(
    "line", ["DEL k", "EXPIRE k -1", "SET k 1", "GETDEL k", "RENAME k j", "UNLINK k", "APPEND k x"]
)
def test_every_way_to_change_a_key_is_told(line: str) -> None:
    served = Caching()
    served.run("SET k 0")
    served.run("GET k")
    assert served.pushes(line) == K


def test_fields_that_run_out_change_their_hash() -> None:
    served = Caching()
    served.run("HSET k f v g w", client=served.other)
    served.run("HPEXPIRE k 10 FIELDS 1 f", client=served.other)
    served.run("HGETALL k")
    served.clock.advance_ms(20)
    assert served.pushes("HGETALL k") == K


def test_changes_below_a_prefix_wake_the_loop_once_a_turn_even_where_nothing_is_answered() -> None:
    served = Caching()
    link = WakingLink()
    listener = served.resp3(link)
    served.run("CLIENT TRACKING ON BCAST PREFIX k", client=listener)
    served.run("CLIENT REPLY OFF")
    served.run("SET k 1")
    served.run("SET kk 1")
    served.run("SET j 1")
    assert link.wakes == 1
    assert served.output(listener) == b""
    served.engine.before_sleep()
    assert served.output(listener) == b">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\nk\r\n$2\r\nkk\r\n"
    served.engine.before_sleep()
    assert served.output(listener) == b""


def test_a_listener_that_leaves_before_the_end_of_the_turn_is_not_told() -> None:
    served = Caching()
    listener = served.resp3()
    served.run("CLIENT TRACKING ON BCAST PREFIX k", client=listener)
    served.run("SET k 1")
    disconnect(served.engine, listener)
    served.engine.before_sleep()
    assert served.output(listener) == b""
    assert served.info("stats", "tracking_total_prefixes") == "0"


def test_a_publisher_gets_its_own_message_behind_its_reply() -> None:
    served = Caching()
    served.run("SUBSCRIBE c")
    message = b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"
    assert served.run("PUBLISH c m") == b":1\r\n" + message
    served.run("MULTI")
    served.run("PUBLISH c m")
    served.run("PING")
    assert served.run("EXEC") == b"*2\r\n:1\r\n+PONG\r\n" + message


def test_a_keyspace_event_of_a_listeners_own_command_follows_the_reply() -> None:
    served = Caching()
    served.config.set_many([(b"notify-keyspace-events", b"KEA")])
    served.run("SUBSCRIBE __keyspace@0__:k")
    served.run("GET k")
    event = b">3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@0__:k\r\n$3\r\nset\r\n"
    assert served.run("SET k 1") == b"+OK\r\n" + event + K
