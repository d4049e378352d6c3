"""A snapshot whose child has ended and whose file is still to be named, when something else happens."""

import pytest

from crash.power.memory import MemoryFiles
from crash.power.world import World


@pytest.fixture
def world() -> World:
    made = World(MemoryFiles(), {"save": "", "appendonly": "no"}, at_once=True)
    made.persistence.load()
    made.run(b"SET", b"key", b"value")
    assert made.run(b"BGSAVE") == b"+Background saving started\r\n"
    made.persistence.cron()
    assert len(made.runner.jobs) == 1
    return made


def test_the_save_goes_on_until_the_file_has_its_name(world: World) -> None:
    assert world.info("rdb_bgsave_in_progress") == "1"
    assert world.run(b"SAVE") == b"-ERR Background save already in progress\r\n"
    path = world.engine.config.path("dbfilename")
    assert not world.files.exists(path)
    world.runner.run()
    assert world.files.exists(path)
    world.persistence.cron()
    assert world.info("rdb_bgsave_in_progress") == "0"
    assert (world.info("rdb_saves"), world.info("rdb_last_bgsave_status")) == ("1", "ok")


def test_a_flush_waits_for_the_name_and_counts_the_save(world: World) -> None:
    assert world.run(b"FLUSHALL") == b"+OK\r\n"
    assert world.runner.jobs == []
    assert world.info("rdb_bgsave_in_progress") == "0"
    assert world.info("rdb_saves") == "1"
    # Only the flush has not been saved yet: the key that it removed, and itself.
    assert world.info("rdb_changes_since_last_save") == "2"


def test_a_shutdown_waits_for_the_name(world: World) -> None:
    assert world.persistence.close(False, False)
    assert world.runner.jobs == []
    assert world.info("rdb_saves") == "1"
