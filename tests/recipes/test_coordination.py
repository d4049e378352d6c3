"""Locks, optimistic transactions and queues, as redis-py's users build them."""

import threading
from typing import Any

import pytest
import redis
from redis.exceptions import LockError, LockNotOwnedError, WatchError

from recipes.conftest import MakeClient


def release(client: Any, name: str, token: bytes) -> bool:
    """Give a lock back if it is still held with `token`, without a script: WATCH sees whether it changes hands."""
    with client.pipeline() as pipe:
        try:
            pipe.watch(name)
            if pipe.get(name) != token:
                return False
            pipe.multi()
            pipe.delete(name)
            pipe.execute()
        except WatchError:
            return False
        return True


def test_a_lock_is_a_key_that_only_one_can_set(client: Any) -> None:
    assert client.set("lock", b"mine", nx=True, px=10_000)
    assert client.set("lock", b"theirs", nx=True, px=10_000) is None
    assert 0 < client.pttl("lock") <= 10_000
    assert not release(client, "lock", b"theirs")
    assert release(client, "lock", b"mine")
    assert client.set("lock", b"theirs", nx=True, px=10_000)


def test_a_lock_that_changes_hands_while_it_is_given_back_stays(client: Any, make_client: MakeClient) -> None:
    other = make_client()
    client.set("lock", b"mine")
    with client.pipeline() as pipe:
        pipe.watch("lock")
        assert pipe.get("lock") == b"mine"
        other.set("lock", b"theirs")
        pipe.multi()
        pipe.delete("lock")
        with pytest.raises(WatchError):
            pipe.execute()
    assert client.get("lock") == b"theirs"


def test_a_lock_is_acquired_by_one_and_awaited_by_others(client: Any, make_client: MakeClient) -> None:
    other = make_client()
    mine = client.lock("lock", timeout=10)
    theirs = other.lock("lock", timeout=10, blocking=False)
    assert mine.acquire()
    assert mine.owned()
    assert mine.locked()
    assert not theirs.acquire()
    assert theirs.locked()
    assert not theirs.owned()
    assert not other.lock("lock", blocking_timeout=0.01, sleep=0.002).acquire()
    waiter = other.lock("lock", timeout=10, sleep=0.001, thread_local=False)
    waiting = threading.Thread(target=waiter.acquire)
    waiting.start()
    assert client.delete("lock") == 1
    waiting.join(10)
    assert waiter.owned()
    assert not mine.owned()


@pytest.mark.usefixtures("scripting")
def test_a_lock_is_released_extended_and_reacquired_by_scripts(client: Any) -> None:
    with client.lock("lock", timeout=10) as lock:
        assert lock.owned()
        lock.extend(20)
        assert 20_000 < client.pttl("lock") <= 30_000
        lock.extend(5, replace_ttl=True)
        assert client.pttl("lock") <= 5_000
        lock.reacquire()
        assert 5_000 < client.pttl("lock") <= 10_000
    assert not client.exists("lock")
    with pytest.raises(LockError):
        lock.release()
    lock.acquire()
    client.set("lock", "theirs")
    with pytest.raises(LockNotOwnedError):
        lock.release()


def test_a_pipeline_answers_each_command_and_raises_the_first_error(client: Any) -> None:
    with client.pipeline(transaction=False) as pipe:
        assert pipe.set("a", 1).incr("a").get("a").lpush("l", 1, 2).execute() == [True, 2, b"2", 2]
        with pytest.raises(redis.ResponseError, match=r"Command # 2 .* WRONGTYPE"):
            pipe.set("a", 5).lpush("a", 1).incr("a").execute()
        assert client.get("a") == b"6"
        replies = pipe.get("a").lpush("a", 1).get("a").execute(raise_on_error=False)
    assert [replies[0], replies[2]] == [b"6", b"6"]
    assert isinstance(replies[1], redis.ResponseError)


def test_a_transaction_runs_as_a_whole_or_not_at_all(client: Any) -> None:
    with client.pipeline() as pipe:
        assert pipe.set("a", 1).incr("a").hset("h", mapping={"f": "v"}).hgetall("h").execute() == [
            True,
            2,
            1,
            {b"f": b"v"},
        ]
        with pytest.raises(redis.ResponseError, match="wrong number of arguments"):
            pipe.set("a", 9).execute_command("GET").execute()
    assert client.get("a") == b"2"


def test_an_increment_by_watch_is_tried_again_until_nobody_interferes(client: Any, make_client: MakeClient) -> None:
    def count_up(mine: Any) -> None:
        for _ in range(25):
            while True:
                with mine.pipeline() as pipe:
                    try:
                        pipe.watch("n")
                        value = int(pipe.get("n") or 0)
                        pipe.multi()
                        pipe.set("n", value + 1)
                        pipe.execute()
                        break
                    except WatchError:
                        continue

    threads = [threading.Thread(target=count_up, args=(make_client(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("n") == b"100"


def test_the_transaction_helper_does_the_same(client: Any, make_client: MakeClient) -> None:
    other = make_client()
    seen = []

    def double(pipe: Any) -> str:
        value = int(pipe.get("n"))
        seen.append(value)
        if len(seen) == 1:
            other.set("n", 10)
        pipe.multi()
        pipe.set("n", value * 2)
        return "done"

    client.set("n", 1)
    assert client.transaction(double, "n", value_from_callable=True) == "done"
    assert seen == [1, 10]
    assert client.get("n") == b"20"


def test_a_queue_hands_each_job_to_one_worker(client: Any, make_client: MakeClient) -> None:
    def work(mine: Any, done: list[bytes]) -> None:
        while (job := mine.blmove("jobs", "running", 10, "RIGHT", "LEFT")) != b"stop":
            done.append(job)
            mine.lrem("running", 1, job)
        mine.lpush("jobs", b"stop")
        mine.lrem("running", 1, b"stop")

    done: list[list[bytes]] = [[], [], []]
    threads = [threading.Thread(target=work, args=(make_client(), part)) for part in done]
    for thread in threads:
        thread.start()
    for number in range(60):
        client.lpush("jobs", number)
    client.lpush("jobs", b"stop")
    for thread in threads:
        thread.join()
    assert sorted(int(job) for part in done for job in part) == list(range(60))
    assert client.lrange("running", 0, -1) == []


def test_a_blocking_pop_waits_for_several_keys_and_gives_up_in_time(client: Any, make_client: MakeClient) -> None:
    other = make_client()
    assert client.blpop(["a", "b"], timeout=0.01) is None
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(other.bzpopmin(["a", "b"], 10)))
    waiting.start()
    client.zadd("b", {"m": 1.5})
    waiting.join()
    assert list(found[0]) == [b"b", b"m", 1.5]
    client.rpush("b2", "x")
    assert list(client.brpop(["a", "b2"], timeout=1)) == [b"b2", b"x"]


def test_a_rate_limit_counts_within_a_window(client: Any) -> None:
    def is_allowed() -> bool:
        with client.pipeline() as pipe:
            count, _ = pipe.incr("rate:user").expire("rate:user", 60, nx=True).execute()
        return int(count) <= 3

    assert [is_allowed() for _ in range(5)] == [True, True, True, False, False]
    assert 0 < client.ttl("rate:user") <= 60
