"""The ends of a stream: blocks, offsets and checksums agree wherever blocks end."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.crc64 import crc64
from aikv.base.errors import CorruptFile
from aikv.persistence.files import Files
from aikv.persistence.sink import FileSink, Sink
from aikv.persistence.source import FileSource, Source
from persistence.rdb_data import ChunkSource, FailingFiles


@given(st.binary(max_size=200), st.integers(1, 50), st.lists(st.integers(0, 60), max_size=20))
def test_offset_and_crc_follow_what_was_taken(data: bytes, block: int, lengths: list[int]) -> None:
    source = ChunkSource(data, block)
    at = 0
    for length in lengths:
        if at + length > len(data):
            with pytest.raises(CorruptFile, match=f"{length} bytes expected, {len(data) - at} are there"):
                source.take(length)
            return
        source.fill(length // 2)
        assert source.take(length) == data[at : at + length]
        at += length
        assert source.offset() == at
        assert source.crc() == crc64(data[:at])
    assert source.at_end() == (at == len(data))


def test_fill_tells_how_much_is_there() -> None:
    source = ChunkSource(b"abcdefgh", 3)
    assert source.fill(1) == 3
    assert source.fill(4) == 6
    assert source.byte() == ord("a")
    assert source.fill(100) == 7
    assert source.buffer[source.pos :] == b"bcdefgh"


def test_a_byte_behind_the_end_is_refused_with_its_offset() -> None:
    source = Source(b"ab", "some.rdb")
    assert (source.byte(), source.byte()) == (97, 98)
    with pytest.raises(CorruptFile, match=r"some\.rdb: at offset 2: unexpected end of file"):
        source.byte()


def test_a_source_without_checksum_keeps_none() -> None:
    source = Source(b"abc", "some.rdb", keep_crc=False)
    assert source.take(3) == b"abc"
    assert source.crc() == 0


def test_a_file_is_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 40)
    fd = os.open(path, os.O_RDONLY)
    source = FileSource(Files(), fd, str(path), block_bytes=1000)
    assert source.take(10) == bytes(range(10))
    assert len(source.buffer) == 1000
    assert source.take(10230) == (bytes(range(256)) * 40)[10:]
    assert source.at_end()
    assert source.crc() == crc64(path.read_bytes())
    os.close(fd)


@given(st.lists(st.binary(max_size=30), max_size=30), st.integers(1, 100))
def test_a_sink_keeps_order_offset_and_crc(parts: list[bytes], block: int) -> None:
    sink = Sink(block_bytes=block)
    written = b""
    for part in parts:
        sink.write(part)
        written += part
        assert sink.offset() == len(written)
    assert sink.crc() == crc64(written)
    assert sink.value() == written


def test_a_file_sink_writes_blocks_and_forces_them_to_the_disk_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "data"
    files = FailingFiles(-1, 0, short_writes=True)
    fd = files.open(str(path), os.O_WRONLY | os.O_CREAT)
    sink = FileSink(files, fd, block_bytes=100, fsync_every=250)
    for _ in range(60):
        sink.write(b"0123456789")
    sink.flush()
    files.close(fd)
    assert path.read_bytes() == b"0123456789" * 60
    assert files.calls.count("fsync") == 2
    assert sink.value() == b""


def test_a_file_sink_leaves_forcing_to_its_caller_if_told_so(tmp_path: Path) -> None:
    files = FailingFiles(-1, 0)
    fd = files.open(str(tmp_path / "data"), os.O_WRONLY | os.O_CREAT)
    sink = FileSink(files, fd, block_bytes=10, fsync_every=0)
    sink.write(b"x" * 100)
    files.close(fd)
    assert files.calls == ["open", "write", "close"]
