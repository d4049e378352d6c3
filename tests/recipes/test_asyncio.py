"""redis-py's asynchronous client: pipelines, messages, waiting that is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis.asyncio as redis

from oracle.process import ServerProcess


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def run(request: pytest.FixtureRequest, aikv_server: ServerProcess) -> Callable[..., None]:
    """Run a coroutine function with a client, in a loop of its own."""

    def play(recipe: Callable[[Any], Awaitable[None]]) -> None:
        async def with_client() -> None:
            client: Any = redis.Redis(port=aikv_server.port, protocol=request.param)
            async with client:
                await client.flushall()
                await recipe(client)

        asyncio.run(with_client())

    return play


def test_many_tasks_share_a_client(run: Callable[..., None]) -> None:
    async def recipe(client: Any) -> None:
        await asyncio.gather(*[client.incr("n") for _ in range(50)])
        assert await client.get("n") == b"50"

    run(recipe)


def test_a_pipeline_and_a_transaction(run: Callable[..., None]) -> None:
    async def recipe(client: Any) -> None:
        async with client.pipeline(transaction=True) as pipe:
            assert await pipe.set("a", 1).incr("a").get("a").execute() == [True, 2, b"2"]
        async with client.pipeline() as pipe:
            await pipe.watch("a")
            await client.set("a", 9)
            pipe.multi()
            pipe.set("a", 10)
            with pytest.raises(redis.WatchError):
                await pipe.execute()
        assert await client.get("a") == b"9"

    run(recipe)


def test_messages_are_listened_to(run: Callable[..., None]) -> None:
    async def recipe(client: Any) -> None:
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe("a")
            await pubsub.psubscribe("b*")
            got: list[bytes] = []

            async def listen() -> None:
                async for message in pubsub.listen():
                    got.append(message["data"])
                    if message["data"] == b"stop":
                        return

            listening = asyncio.create_task(listen())
            while not (await client.pubsub_numsub("a"))[0][1] or not await client.pubsub_numpat():
                pass
            for channel, text in (("a", "1"), ("bb", "2"), ("a", "stop")):
                await client.publish(channel, text)
            await asyncio.wait_for(listening, 10)
            assert got == [b"1", b"2", b"stop"]

    run(recipe)


def test_a_pop_that_is_cancelled_takes_nothing(run: Callable[..., None]) -> None:
    async def recipe(client: Any) -> None:
        waiting = asyncio.create_task(client.blpop("jobs", timeout=0))
        while (await client.info("clients"))["blocked_clients"] == 0:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        while (await client.info("clients"))["blocked_clients"]:
            await asyncio.sleep(0)
        await client.rpush("jobs", "job")
        assert await client.lrange("jobs", 0, -1) == [b"job"]
        assert list(await client.blpop("jobs", timeout=1)) == [b"jobs", b"job"]

    run(recipe)


def test_waiting_has_a_time_limit_of_the_callers(run: Callable[..., None]) -> None:
    async def recipe(client: Any) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.blpop("none", timeout=0), 0.05)
        assert await client.ping()

    run(recipe)


def test_a_stream_is_read_as_it_grows(run: Callable[..., None]) -> None:
    async def recipe(client: Any) -> None:
        waiting = asyncio.create_task(client.xread({"s": "$"}, block=10_000))
        while (await client.info("clients"))["blocked_clients"] == 0:
            await asyncio.sleep(0)
        number = await client.xadd("s", {"f": "v"})
        reply = await waiting
        assert number in repr(reply).encode()

    run(recipe)


def test_scans_are_iterated(run: Callable[..., None]) -> None:
    async def recipe(client: Any) -> None:
        await client.mset({f"k{n}": n for n in range(300)})
        assert len({key async for key in client.scan_iter("k*")}) == 300

    run(recipe)
