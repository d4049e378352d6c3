"""Messages by redis-py: consumers of streams, publish and subscribe, in threads and with handlers."""

import queue
import threading
from typing import Any

import pytest
import redis

from recipes.conftest import MakeClient


def entries(reply: Any, name: bytes) -> list[Any]:
    """The entries of one stream in a reply of XREAD or XREADGROUP, which redis-py gives differently by protocol."""
    if isinstance(reply, dict):
        found = reply[name]
        return list(found[0] if len(found) == 1 and isinstance(found[0], list) else found)
    return list(dict(reply)[name])


def test_consumers_of_a_group_share_a_stream_and_acknowledge(client: Any, make_client: MakeClient) -> None:
    client.xgroup_create("events", "group", id="0", mkstream=True)
    with pytest.raises(redis.ResponseError, match="BUSYGROUP"):
        client.xgroup_create("events", "group", id="0")
    done: queue.Queue[int] = queue.Queue()

    def consume(mine: Any, name: str) -> None:
        while True:
            reply = mine.xreadgroup("group", name, {"events": ">"}, count=5, block=10_000)
            for number, fields in entries(reply, b"events"):
                mine.xack("events", "group", number)
                if fields[b"n"] == b"stop":
                    return
                done.put(int(fields[b"n"]))

    threads = [threading.Thread(target=consume, args=(make_client(), f"consumer{n}")) for n in range(3)]
    for thread in threads:
        thread.start()
    for number in range(90):
        client.xadd("events", {"n": number})
    for thread in threads:
        # One end may be handed out together with another; whoever is left waits for the next.
        while thread.is_alive():
            client.xadd("events", {"n": "stop"})
            thread.join(0.01)
    assert sorted(done.get_nowait() for _ in range(done.qsize())) == list(range(90))


def test_entries_of_a_consumer_that_died_are_claimed_by_another(client: Any) -> None:
    client.xgroup_create("events", "group", id="0", mkstream=True)
    numbers = [client.xadd("events", {"n": n}) for n in range(4)]
    client.xreadgroup("group", "dead", {"events": ">"})
    summary = client.xpending("events", "group")
    assert summary["pending"] == 4
    assert summary["consumers"] == [{"name": b"dead", "pending": 4}]
    first = client.xautoclaim("events", "group", "alive", min_idle_time=0, start_id="0-0", count=2)
    assert [entry[0] for entry in first[1]] == numbers[:2]
    second = client.xautoclaim("events", "group", "alive", min_idle_time=0, start_id=first[0], count=10)
    assert second[0] == b"0-0"
    assert [entry[0] for entry in second[1]] == numbers[2:]
    assert client.xack("events", "group", *numbers) == 4
    assert client.xpending("events", "group")["pending"] == 0
    assert client.xinfo_groups("events")[0]["lag"] == 0


def test_a_reader_waits_for_what_comes_next(client: Any, make_client: MakeClient) -> None:
    other = make_client()
    client.xadd("s", {"a": 1})
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(other.xread({"s": "$"}, block=10_000)))
    waiting.start()
    while client.info("clients")["blocked_clients"] == 0:
        pass
    number = client.xadd("s", {"a": 2})
    waiting.join()
    assert entries(found[0], b"s") == [(number, {b"a": b"2"})]


def test_messages_reach_handlers_in_a_thread(client: Any) -> None:
    got: queue.Queue[tuple[Any, ...]] = queue.Queue()
    with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(news=lambda message: got.put(("news", message["data"])))
        pubsub.psubscribe(**{"w*": lambda message: got.put((message["channel"], message["data"]))})
        thread = pubsub.run_in_thread(sleep_time=0.01)
        try:
            while not (client.pubsub_numsub("news")[0][1] and client.pubsub_numpat()):
                pass
            client.publish("news", "hello")
            assert got.get(timeout=10) == ("news", b"hello")
            client.publish("weather", "rain")
            assert got.get(timeout=10) == (b"weather", b"rain")
        finally:
            thread.stop()
            thread.join(10)


def test_messages_are_got_one_by_one(client: Any) -> None:
    with client.pubsub() as pubsub:
        pubsub.subscribe("a", "b")
        pubsub.psubscribe("c*")
        assert [pubsub.get_message(timeout=10)["data"] for _ in range(3)] == [1, 2, 3]
        assert client.publish("a", "x") == 1
        assert client.publish("cc", "y") == 1
        assert client.publish("d", "z") == 0
        assert pubsub.get_message(timeout=10) == {"type": "message", "pattern": None, "channel": b"a", "data": b"x"}
        assert pubsub.get_message(timeout=10) == {"type": "pmessage", "pattern": b"c*", "channel": b"cc", "data": b"y"}
        pubsub.ping("beat")
        assert pubsub.get_message(timeout=10)["data"] == b"beat"
        pubsub.unsubscribe("a")
        assert pubsub.get_message(timeout=10)["type"] == "unsubscribe"
        pubsub.unsubscribe()
        pubsub.punsubscribe()
        assert [pubsub.get_message(timeout=10)["type"] for _ in range(2)] == ["unsubscribe", "punsubscribe"]
        assert pubsub.get_message(timeout=0.01) is None
    assert client.pubsub_channels() == []


def test_shard_channels_are_a_world_of_their_own(client: Any) -> None:
    with client.pubsub() as pubsub:
        pubsub.ssubscribe("orders")
        assert pubsub.get_sharded_message(timeout=10)["type"] == "ssubscribe"
        assert client.publish("orders", "x") == 0
        assert client.spublish("orders", "y") == 1
        assert client.pubsub_shardchannels() == [b"orders"]
        assert client.pubsub_shardnumsub("orders") == [(b"orders", 1)]
        assert pubsub.get_sharded_message(timeout=10)["data"] == b"y"
        pubsub.sunsubscribe("orders")
        assert pubsub.get_sharded_message(timeout=10)["type"] == "sunsubscribe"


def test_a_subscriber_subscribes_again_when_its_connection_was_lost(client: Any) -> None:
    with client.pubsub() as pubsub:
        pubsub.subscribe("a")
        assert pubsub.get_message(timeout=10)["type"] == "subscribe"
        client.client_kill_filter(_type="pubsub")
        received = None
        while received is None or received["type"] != "message":
            client.publish("a", "again")
            received = pubsub.get_message(timeout=0.05)
        assert received["data"] == b"again"


def test_expired_keys_are_announced_to_who_listens(client: Any) -> None:
    client.config_set("notify-keyspace-events", "Ex")
    try:
        with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.psubscribe("__keyevent@0__:expired")
            client.set("session", "x", px=20)
            message = None
            while message is None:
                message = pubsub.get_message(timeout=1)
            assert message["data"] == b"session"
    finally:
        client.config_set("notify-keyspace-events", "")
