"""RDB files with values of one type that go from redis-server to the codec and the other way round."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from aikv.persistence.files import Files
from aikv.persistence.rdb_read import load_rdb
from aikv.persistence.snapshot import SaveOptions, save_rdb
from conftest import StartServer
from oracle.process import REDIS, VOLATILE
from persistence.rdb_data import Collector, databases

Plain = TypeVar("Plain")


def exchange_files(
    start_server: StartServer,
    folder: Path,
    examples: dict[bytes, Plain],
    filling: Callable[[bytes, Plain], list[bytes]],
    made: Callable[[Plain], object],
    plain: Callable[[object], Plain],
) -> None:
    """Assert that each side reads what the other has saved of `examples`, which are told by name.

    `filling` is the command that stores one under its name, `made` our value of it, `plain` what such a value holds.
    """
    theirs = start_server(REDIS, *VOLATILE, name="theirs")
    with theirs.connect() as redis:
        for name, example in examples.items():
            redis.command(*filling(name, example))
        redis.command("SAVE")
    collector = Collector()
    load_rdb(Files(), str(theirs.folder / "dump.rdb"), collector)
    assert {name: plain(value) for name, (value, _) in collector.content[0].items()} == examples
    ours = folder / "ours"
    ours.mkdir()
    path = ours / "dump.rdb"
    values: dict[bytes, tuple[object, int]] = {name: (made(example), -1) for name, example in examples.items()}
    save_rdb(Files(), str(path), databases({0: values}), SaveOptions(True, True, aux=[], functions=[]))
    said = subprocess.run(["redis-check-rdb", str(path)], check=True, capture_output=True, text=True).stdout
    assert "RDB looks OK" in said
    reader = start_server(REDIS, *VOLATILE, name="ours")
    with theirs.connect() as redis, reader.connect() as other:
        assert other.command("DBSIZE") == b":%d\r\n" % len(examples)
        for name in examples:
            digest = redis.command("DEBUG", "DIGEST-VALUE", name)
            assert digest.startswith(b"*1")
            assert other.command("DEBUG", "DIGEST-VALUE", name) == digest
