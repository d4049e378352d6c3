"""redis-py's client-side cache: values come from the client's memory until the server says that they have changed."""

from typing import Any

import pytest
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection

from recipes.conftest import MakeClient


@pytest.fixture
def protocol() -> int:
    """Caching needs messages, and so RESP3."""
    return 3


@pytest.fixture
def caching(client: Any, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client with a cache, to the emptied server."""
    if "aikv_version" not in client.info("server"):
        # redis-py wants a server that calls itself 7.4 at least, though all that it needs has been there since 6.0.
        monkeypatch.setattr(CacheProxyConnection, "MIN_ALLOWED_VERSION", "7.0.0")
    client.config_resetstat()
    return make_client(cache_config=CacheConfig())


def gets(client: Any) -> int:
    """How many GETs the server has run."""
    calls: int = client.info("commandstats").get("cmdstat_get", {"calls": 0})["calls"]
    return calls


def test_a_cached_value_is_not_asked_for_again(client: Any, caching: Any) -> None:
    client.set("k", "1")
    assert [caching.get("k") for _ in range(5)] == [b"1"] * 5
    assert gets(client) == 1


def test_a_changed_value_is_asked_for_again(client: Any, caching: Any) -> None:
    client.set("k", "1")
    assert caching.get("k") == b"1"
    client.set("k", "2")
    assert caching.get("k") == b"2"
    client.delete("k")
    assert caching.get("k") is None
    client.mset({"k": "3", "j": "4"})
    assert caching.mget("k", "j") == [b"3", b"4"]
    client.flushall()
    assert caching.mget("k", "j") == [None, None]


def test_ones_own_changes_count_too(client: Any, caching: Any) -> None:
    client.set("k", "1")
    assert caching.get("k") == b"1"
    caching.set("k", "2")
    assert caching.get("k") == b"2"
    with caching.pipeline() as pipe:
        pipe.set("k", "3").incr("k").execute()
    assert caching.get("k") == b"4"


def test_every_type_is_cached(client: Any, caching: Any) -> None:
    client.hset("h", mapping={"f": "v"})
    client.rpush("l", "a", "b")
    client.zadd("z", {"m": 1})
    client.sadd("s", "m")
    for _ in range(2):
        assert caching.hgetall("h") == {b"f": b"v"}
        assert caching.lrange("l", 0, -1) == [b"a", b"b"]
        assert caching.zscore("z", "m") == 1.0
        assert caching.smembers("s") == {b"m"}
    client.hset("h", "f", "w")
    client.rpush("l", "c")
    client.zincrby("z", 1, "m")
    client.srem("s", "m")
    assert caching.hgetall("h") == {b"f": b"w"}
    assert caching.lrange("l", 0, -1) == [b"a", b"b", b"c"]
    assert caching.zscore("z", "m") == 2.0
    assert caching.smembers("s") == set()
