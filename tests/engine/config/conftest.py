"""A redis-server of its own for these tests: with Redis's defaults, and open for every CONFIG SET."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from aikv.base.errors import CommandError
from aikv.engine.config import Config
from oracle.process import REDIS, ServerProcess, redis_missing

Refused = Callable[[list[bytes]], bytes | None]


class RedisConfig:
    """CONFIG GET and SET of a real redis-server."""

    def __init__(self, port: int) -> None:
        self.client: Any = redis.Redis(port=port)

    def get(self, pattern: str) -> dict[str, str]:
        """Names and values that match."""
        found: dict[str, str] = self.client.execute_command("CONFIG GET", pattern)
        return found

    def set(self, words: list[bytes]) -> str | None:
        """Set names and values; returns the error without its code, None if there is none."""
        try:
            self.client.execute_command("CONFIG SET", *words)
        except redis.ResponseError as error:
            return str(error)
        return None


def need_redis() -> None:
    """Skip the test where there is no oracle; fail it in CI."""
    missing = redis_missing()
    if missing is not None and os.environ.get("CI"):
        pytest.fail(missing)
    if missing is not None:
        pytest.skip(missing)


@pytest.fixture(scope="module")
def redis_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisConfig]:
    """A redis-server with default settings, but for port, bind, dir and enable-protected-configs."""
    need_redis()
    server = ServerProcess(REDIS, tmp_path_factory.mktemp("redis"), ["--enable-protected-configs", "yes"])
    server.start()
    config = RedisConfig(server.port)
    yield config
    config.client.close()
    server.kill()


@pytest.fixture
def start_redis(tmp_path: Path) -> Callable[[list[str], bytes], str]:
    """Start redis-server with arguments that it refuses; returns what it prints."""
    need_redis()

    def start(arguments: list[str], stdin: bytes = b"") -> str:
        done = subprocess.run(
            [*REDIS, *arguments], cwd=tmp_path, input=stdin, capture_output=True, timeout=20, check=False
        )
        assert done.returncode == 1, "redis-server was to refuse this"
        return (done.stdout + done.stderr).decode()

    return start


@pytest.fixture
def refused() -> Refused:
    """CONFIG SET on a fresh `Config` with protected directives open; returns the error text, None if there is none."""

    def set_config(words: list[bytes]) -> bytes | None:
        config = Config()
        config.configure("enable-protected-configs", [b"yes"])
        try:
            config.set_many(list(zip(words[::2], words[1::2], strict=True)))
        except CommandError as error:
            return error.text
        return None

    return set_config
