"""How redis-py connects: pools, URLs, names, health checks, lost connections, scans."""

import threading
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from conftest import StartServer
from oracle.process import AIKV, VOLATILE, ServerProcess
from recipes.conftest import MakeClient


def test_a_connection_tells_its_name_and_its_library(make_client: MakeClient) -> None:
    client = make_client(client_name="worker-1")
    line = client.client_info()
    assert line["name"] == "worker-1"
    assert line["lib-name"].startswith("redis-py")
    assert line["lib-ver"] == redis.__version__
    assert client.client_getname() in ("worker-1", b"worker-1")
    assert client.client_id() == int(line["id"])


def test_text_is_decoded_where_that_is_wanted(client: Any, make_client: MakeClient) -> None:
    text = make_client(decode_responses=True)
    text.set("ключ", "значение")
    text.hset("h", mapping={"a": "ä", "b": 1})
    assert text.get("ключ") == "значение"
    assert text.hgetall("h") == {"a": "ä", "b": "1"}
    assert client.get("ключ") == "значение".encode()
    assert text.object("encoding", "h") == "listpack"


def test_a_url_names_host_port_and_database(client: Any, aikv_server: ServerProcess, protocol: int) -> None:
    url = f"redis://127.0.0.1:{aikv_server.port}/3?protocol={protocol}&client_name=by-url"
    with redis.Redis.from_url(url) as made:
        made.set("only-in-3", 1)
        assert int(made.client_info()["db"]) == 3
        assert made.client_info()["name"] == "by-url"
    assert not client.exists("only-in-3")
    with redis.Redis.from_url(f"redis://127.0.0.1:{aikv_server.port}?db=3") as made:
        assert made.delete("only-in-3") == 1


def test_a_unix_socket_serves_as_well(start_server: StartServer, tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "s"
    start_server(AIKV, *VOLATILE, "--unixsocket", str(path))
    with redis.Redis(unix_socket_path=str(path), protocol=protocol) as client:
        assert client.set("a", "b")
        assert client.get("a") == b"b"
    with redis.Redis.from_url(f"unix://{path}?db=2&protocol={protocol}") as client:
        assert client.get("a") is None
        assert client.client_info()["addr"].startswith(str(path))


def refused() -> Any:
    """What is done within is refused for want of the right password."""
    return pytest.raises(redis.AuthenticationError)


def test_a_password_is_sent_on_every_connection(start_server: StartServer, protocol: int) -> None:
    server = start_server(AIKV, *VOLATILE, "--requirepass", "secret")
    with redis.Redis(port=server.port, password="secret", protocol=protocol) as client:
        assert client.ping()
    with redis.Redis.from_url(f"redis://default:secret@127.0.0.1:{server.port}?protocol={protocol}") as client:
        assert client.ping()
    with redis.Redis(port=server.port, password="wrong", protocol=protocol) as client, refused():
        client.ping()
    with redis.Redis(port=server.port, protocol=protocol) as client, refused():
        client.ping()


def test_a_pool_hands_out_connections_and_takes_them_back(aikv_server: ServerProcess, protocol: int) -> None:
    pool = redis.ConnectionPool(port=aikv_server.port, protocol=protocol, max_connections=2)
    first, second = pool.get_connection(), pool.get_connection()
    with pytest.raises(redis.exceptions.MaxConnectionsError):
        pool.get_connection()
    pool.release(first)
    assert pool.get_connection() is first
    pool.release(first)
    pool.release(second)
    with redis.Redis(connection_pool=pool) as client:
        assert client.ping()
    pool.disconnect()


def test_a_blocking_pool_lets_threads_wait_for_each_other(aikv_server: ServerProcess, protocol: int) -> None:
    make_pool: Any = redis.BlockingConnectionPool
    pool = make_pool(port=aikv_server.port, protocol=protocol, max_connections=2, timeout=10)
    client: Any = redis.Redis(connection_pool=pool)
    client.delete("n")
    threads = [threading.Thread(target=lambda: [client.incr("n") for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("n") == b"160"
    pool.disconnect()


def test_a_lost_connection_is_made_anew(client: Any, make_client: MakeClient) -> None:
    victim = make_client(retry=Retry(NoBackoff(), 3), retry_on_error=[redis.ConnectionError])
    victim.set("a", "1")
    number = victim.client_id()
    assert client.client_kill_filter(_id=number) == 1
    assert victim.get("a") == b"1"
    assert victim.client_id() != number


def test_a_transaction_on_a_lost_connection_fails_because_its_watch_is_gone(
    client: Any, make_client: MakeClient
) -> None:
    victim = make_client()
    with victim.pipeline() as pipe:
        pipe.watch("a")
        number = pipe.client_id()
        client.client_kill_filter(_id=number)
        pipe.multi()
        pipe.set("a", 1)
        with pytest.raises((redis.WatchError, redis.ConnectionError)):
            pipe.execute()
    assert client.get("a") is None


def test_a_server_that_comes_back_is_found_again(start_server: StartServer, protocol: int) -> None:
    server = start_server(AIKV, "--appendonly", "yes")
    retry = Retry(NoBackoff(), 0)
    with redis.Redis(port=server.port, protocol=protocol, retry=retry) as client:
        client.set("a", "1")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("a")
    server.start()
    with redis.Redis(port=server.port, protocol=protocol) as client:
        assert client.get("a") == b"1"


def test_an_idle_connection_is_checked_before_it_is_used(client: Any, make_client: MakeClient) -> None:
    # An interval of next to nothing: every use finds the connection idle for longer.
    checked = make_client(health_check_interval=0.000001)
    client.config_resetstat()
    for _ in range(3):
        checked.get("a")
    stats = client.info("commandstats")
    assert stats["cmdstat_ping"]["calls"] >= 2
    assert stats["cmdstat_get"]["calls"] == 3


def test_scans_go_through_everything(client: Any) -> None:
    client.mset({f"key:{n}": n for n in range(500)})
    client.hset("hash", mapping={f"f{n}": n for n in range(1000)})
    client.sadd("set", *range(1000))
    client.zadd("zset", {f"m{n}": n for n in range(1000)})
    assert {int(key.split(b":")[1]) for key in client.scan_iter("key:*", count=50)} == set(range(500))
    assert set(client.scan_iter(_type="zset")) == {b"zset"}
    assert dict(client.hscan_iter("hash")) == {b"f%d" % n: b"%d" % n for n in range(1000)}
    assert {int(member) for member in client.sscan_iter("set", count=100)} == set(range(1000))
    assert {name: float(score) for name, score in client.zscan_iter("zset", match="m99*")} == {
        b"m%d" % n: float(n) for n in (99, *range(990, 1000))
    }


def test_replies_have_the_types_that_users_know(client: Any) -> None:
    client.zadd("z", {"a": 1, "b": 2.5})
    ranked = client.zrange("z", 0, -1, withscores=True)
    assert [tuple(pair) for pair in ranked] == [(b"a", 1.0), (b"b", 2.5)]
    assert client.zscore("z", "b") == 2.5
    client.geoadd("g", (13.361389, 38.115556, "Palermo"))
    longitude, latitude = client.geopos("g", "Palermo")[0]
    assert (round(longitude, 3), round(latitude, 3)) == (13.361, 38.116)
    assert client.hset("h", "f", 1) == 1
    assert client.hexists("h", "f") is True
    assert client.expire("h", 100) is True
    assert client.config_get("maxmemory*")["maxmemory"] == "0"
    assert client.info()["redis_version"].startswith("7.")
    assert client.time()[0] > 1_700_000_000
    assert client.echo("x") == b"x"
    assert client.object("refcount", "h") == 1
    assert client.dbsize() == 3
    assert client.type("z") == b"zset"
