"""Loading into the databases: what a file announces is used and not believed."""

import pytest

from aikv.base.errors import CorruptFile
from aikv.datatypes.table import SPLIT_AT
from aikv.engine.dataset import DatasetReceiver
from aikv.persistence.rdb_read import read_rdb
from aikv.persistence.rdb_write import RdbWriter
from aikv.persistence.sink import Sink
from aikv.persistence.source import Source
from served import Served


def file_of(keys: int, announced: int, announced_expires: int) -> bytes:
    """An RDB of `keys` keys that announces other numbers."""
    sink = Sink()
    writer = RdbWriter(sink)
    writer.header([])
    writer.select(0, announced, announced_expires)
    for number in range(keys):
        writer.entry(b"key:%d" % number, number, 1 << 50 if number % 2 else -1)
    writer.finish()
    return sink.value()


def loaded(data: bytes) -> tuple[Served, int]:
    """The engine that has read `data`, and how many buckets its table had before the end."""
    served = Served()
    receiver = DatasetReceiver(served.engine, False, False, len(data))
    try:
        read_rdb(Source(data, "test"), receiver)
    finally:
        most = len(served.engine.databases[0].table.buckets)
        receiver.finish()
        served.engine.databases[0].table._check()
        served.engine.databases[0].expires._check()
    return served, most


def test_tables_take_their_shape_at_once() -> None:
    served, most = loaded(file_of(2000, 2000, 1000))
    database = served.engine.databases[0]
    assert most == len(database.table.buckets) == 2000 // SPLIT_AT + 1
    assert len(database) == 2000
    assert database.expires_count() == 1000
    assert served.run("GET key:7") == b"$1\r\n7\r\n"
    assert served.run("PTTL key:8") == b":-1\r\n"


def test_more_than_a_file_can_hold_is_not_believed() -> None:
    data = file_of(3, 1 << 60, 1 << 60)
    served, most = loaded(data)
    assert most <= len(data) // SPLIT_AT + 1
    assert len(served.engine.databases[0]) == 3


def test_what_was_announced_and_did_not_come_is_given_up() -> None:
    data = file_of(3, 50_000, 50_000) + bytes(200_000)
    served = Served()
    receiver = DatasetReceiver(served.engine, False, False, len(data))
    receiver.resize(50_000, 50_000)
    assert len(served.engine.databases[0].table.buckets) > 100
    with pytest.raises(CorruptFile):
        read_rdb(Source(data, "test"), receiver)
    receiver.finish()
    database = served.engine.databases[0]
    assert len(database.table.buckets) == len(database.expires.buckets) == 1
    assert served.run("DBSIZE") == b":3\r\n"
    assert served.run("RANDOMKEY").startswith(b"$5\r\nkey:")
