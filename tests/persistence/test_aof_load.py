"""Loading: every cut, odd block edges, transactions, what is refused, and that a refusal changes nothing."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aikv.base.errors import AikvError, CorruptFile
from aikv.persistence.aof_format import encode_command, encoded_length, timestamp_annotation
from aikv.persistence.aof_load import AofLoader
from aikv.persistence.aof_reader import AofGarbage, AofReader
from aikv.persistence.files import Files
from persistence.aof_harness import FILENAME, FOLDER, Dataset, load, only_incr, store_in, write_log

BASE_AND_INCR = "file appendonly.aof.1.base.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
TWO_INCR = "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n"
SET_A = encode_command([b"SET", b"a", b"1"])
SET_B = encode_command([b"SET", b"b", b"2"])
MULTI = encode_command([b"MULTI"])
EXEC = encode_command([b"exec"])

with_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


class FewBytes(Files):
    """Gives at most `most` bytes at a time."""

    def __init__(self, most: int) -> None:
        self.most = most

    def read(self, fd: int, size: int) -> bytes:
        return super().read(fd, min(size, self.most))


def read_all(path: Path, files: Files | None = None) -> list[tuple[int, list[bytes]]]:
    """Every command with its offset."""
    files = files if files is not None else Files()
    fd = os.open(path, os.O_RDONLY)
    try:
        reader = AofReader(files, fd, str(path), 0, path.stat().st_size)
        found = []
        while not reader.at_end():
            run = reader.next_run()
            offset = reader.run_offset
            for argv in run:
                found.append((offset, argv))
                offset += encoded_length(argv)
        return found
    finally:
        os.close(fd)


values = st.binary(max_size=30) | st.sampled_from([b"", b"\r\n", b"a\r\nb", b"*1\r\n$4\r\nEXEC\r\n", b"x" * 5000])
commands = st.lists(st.lists(values, min_size=1, max_size=4), max_size=12)


@with_folder
@given(argvs=commands, most=st.integers(1, 64), stamps=st.lists(st.integers(0, 11)))
def test_what_was_written_is_read_with_its_offsets_however_few_bytes_come_at_a_time(
    argvs: list[list[bytes]], most: int, stamps: list[int], tmp_path: Path
) -> None:
    data = b""
    expected = []
    for i, argv in enumerate(argvs):
        if i in stamps:
            data += timestamp_annotation(1_700_000_000 + i)
        expected.append((len(data), argv))
        data += encode_command(argv)
    path = tmp_path / "x.aof"
    path.write_bytes(data)
    assert read_all(path, FewBytes(most)) == expected
    assert read_all(path) == expected


@pytest.mark.parametrize("count", [1, 4095, 4096, 5000])
def test_commands_of_many_arguments_are_read(count: int, tmp_path: Path) -> None:
    argv = [b"%d" % i for i in range(count)]
    path = tmp_path / "x.aof"
    path.write_bytes(SET_A + encode_command(argv) + SET_B)
    assert [got for _, got in read_all(path)] == [[b"SET", b"a", b"1"], argv, [b"SET", b"b", b"2"]]


def test_a_value_longer_than_several_blocks_is_read(tmp_path: Path) -> None:
    argv = [b"SET", b"k", b"\r\n" * 500_000]
    path = tmp_path / "x.aof"
    path.write_bytes(SET_A + encode_command(argv) + SET_B)
    assert read_all(path)[1] == (len(SET_A), argv)
    assert read_all(path)[2] == (len(SET_A) + encoded_length(argv), [b"SET", b"b", b"2"])


@with_folder
@given(argvs=st.lists(st.lists(values, min_size=1, max_size=3), min_size=1, max_size=4), data=st.data())
def test_one_wrong_byte_is_either_refused_or_changes_only_a_value(
    argvs: list[list[bytes]], data: st.DataObject, tmp_path: Path
) -> None:
    whole = b"".join(map(encode_command, argvs))
    at = data.draw(st.integers(0, len(whole) - 1))
    wrong = whole[:at] + bytes((data.draw(st.integers(0, 255)),)) + whole[at + 1 :]
    path = tmp_path / "x.aof"
    path.write_bytes(wrong)
    try:
        found = read_all(path)
    except AofGarbage as error:
        offset = error.offset
    else:
        offset = len(wrong)
        # Whatever is accepted is, annotations apart, exactly what these commands are written as.
        annotated = any(piece[:1] == b"#" for piece in wrong.split(b"\r\n"))
        assert annotated or b"".join(encode_command(argv) for _, argv in found) == wrong
    assert 0 <= offset <= len(wrong)


# A prefix of a log as clients make it: commands, a transaction of several, one after it.
LOG = [
    SET_A,
    encode_command([b"SELECT", b"3"]),
    encode_command([b"SET", b"k\r\n", b"v\r\n*1\r\n"]),
    b"#TS:1700000000\r\n",
    MULTI + encode_command([b"SET", b"m", b"1"]) + encode_command([b"APPEND", b"m", b"2"]) + EXEC,
    SET_B,
]
WHOLE = b"".join(LOG)


def prefix_state(count: int) -> Dataset:
    dataset = Dataset()
    steps = [
        [[b"SET", b"a", b"1"]],
        [[b"SELECT", b"3"]],
        [[b"SET", b"k\r\n", b"v\r\n*1\r\n"]],
        [],
        [[b"SET", b"m", b"1"], [b"APPEND", b"m", b"2"]],
        [[b"SET", b"b", b"2"]],
    ]
    dataset.execute([b"SELECT", b"0"])
    for step in steps[:count]:
        for argv in step:
            dataset.execute(argv)
    return dataset


@pytest.mark.parametrize("cut", range(len(WHOLE) + 1))
def test_a_log_cut_anywhere_loads_to_its_whole_commands_and_transactions(
    cut: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = only_incr(tmp_path, WHOLE[:cut])
    count = 0
    good = 0
    while count < len(LOG) and good + len(LOG[count]) <= cut:
        good += len(LOG[count])
        count += 1
    dataset, loaded = load(tmp_path)
    assert dataset.log == prefix_state(count).log
    assert loaded.dropped == cut - good
    assert loaded.size == good
    # Cut back, so that what is appended next follows a whole command.
    assert path.read_bytes() == WHOLE[:good]
    if cut != good:
        assert f"Truncating the AOF {path} at offset {good}: {cut - good} bytes dropped" in caplog.text
    again, loaded = load(tmp_path, truncate=False)
    assert again.log == dataset.log
    assert loaded.dropped == 0


@pytest.mark.parametrize("cut", range(1, len(SET_A)))
def test_a_cut_log_is_refused_and_left_alone_if_it_is_not_to_be_truncated(cut: int, tmp_path: Path) -> None:
    path = only_incr(tmp_path, SET_B + SET_A[:cut])
    with pytest.raises(CorruptFile, match="Unexpected end of file") as caught:
        load(tmp_path, truncate=False)
    assert (caught.value.path, caught.value.offset) == (str(path), len(SET_B))
    assert path.read_bytes() == SET_B + SET_A[:cut]


def test_a_cut_in_a_file_that_is_not_last_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_A[:-1], _2_incr_aof=SET_B)
    with pytest.raises(CorruptFile, match="not the last file"):
        load(tmp_path)


def test_a_cut_in_front_of_empty_files_is_one_at_the_end_of_the_log(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_B + SET_A[:-1], _2_incr_aof=b"")
    dataset, loaded = load(tmp_path)
    assert dataset.values == {(0, b"b"): b"2"}
    assert loaded.dropped == len(SET_A) - 1


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"garbage\r\n", "format error"),
        (b"\0" * 100 + b"x", "format error"),
        (SET_B + b"*1\r\n$4\r\nPI\0\0\0\0\0\0" + SET_B, "Expected"),
        (MULTI + b"*1\r\n$4\r\nPINGx" + b"\0" * 600, "Expected"),
        (b"*0\r\n", "without a name"),
        (b"*-1\r\n", "Expected"),
        (b"*1\r\n$-1\r\n", "Expected"),
        (b"*01\r\n$1\r\na\r\n", "one form"),
        (b"*1\r\n+PING\r\n", "Expected prefix '\\$', got: '\\+'"),
        (b"*1\r\n*1\r\n$4\r\nPING\r\n", "Expected prefix"),
        (b"*1000000000\r\n$4\r\nPING\r\nx", "Expected prefix"),
        (b"*99999999999999999999\r\n", "one form|Expected"),
        (b"*1\r\n$4\r\nPINGxx*1\r\n", "Expected \\\\r\\\\n, got: 7878"),
        (b"*1\r\n$4\r\nPINGx", "Expected \\\\r\\\\n, got: 7800"),
        (b"*1\n$4\nPING\n", "Expected \\\\r\\\\n"),
        (b"#" + b"x" * 2000, "annotation"),
        (MULTI + MULTI, "Unexpected MULTI"),
        (EXEC, "Unexpected EXEC"),
    ],
)
def test_garbage_is_refused_with_file_and_offset_and_nothing_is_changed(
    tail: bytes, reason: str, tmp_path: Path
) -> None:
    path = only_incr(tmp_path, SET_A + tail)
    with pytest.raises(CorruptFile, match=reason) as caught:
        load(tmp_path)
    assert caught.value.path == str(path)
    whole = len(SET_B) if tail.startswith(SET_B) else len(MULTI) if tail.startswith(MULTI) else 0
    assert caught.value.offset == len(SET_A) + whole
    assert path.read_bytes() == SET_A + tail


@pytest.mark.parametrize("zeros", [1, 23, 5000, 3 << 20])
@pytest.mark.parametrize("before", [b"", SET_B, MULTI + SET_B])
@pytest.mark.parametrize("kept", [0, 3, 8, len(SET_A) - 3, len(SET_A) - 1])
def test_an_end_of_zeros_is_cut_off(
    kept: int, before: bytes, zeros: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = SET_A + SET_A + before + SET_A[:kept] + bytes(zeros)
    path = only_incr(tmp_path, whole)
    good = len(SET_A) * 2 + (len(before) if before == SET_B else 0)
    with pytest.raises(CorruptFile, match="Unexpected end of file") as caught:
        load(tmp_path, truncate=False)
    assert (caught.value.path, caught.value.offset) == (str(path), good)
    assert path.read_bytes() == whole
    load(tmp_path)
    assert path.read_bytes() == whole[:good]
    assert f"Truncating the AOF {path} at offset {good}: {len(whole) - good} bytes dropped" in caplog.text


def test_an_end_of_zeros_in_a_file_that_is_not_last_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_A + bytes(9), _2_incr_aof=SET_B)
    with pytest.raises(CorruptFile, match="9 zeros in place of data, and the truncated file is not the last"):
        load(tmp_path)


def test_a_length_beyond_the_end_of_the_file_reads_nothing(tmp_path: Path) -> None:
    only_incr(tmp_path, SET_A + b"*1\r\n$9000000000000000000\r\nabc")
    dataset, loaded = load(tmp_path)
    assert dataset.values == {(0, b"a"): b"1"}
    assert loaded.dropped == 29


@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_command_that_fails_is_refused_with_file_and_offset(in_transaction: bool, tmp_path: Path) -> None:
    bad = encode_command([b"NOSUCH", b"x"])
    before = SET_A + (MULTI + SET_B if in_transaction else SET_B)
    path = only_incr(tmp_path, before + bad + SET_B + EXEC * in_transaction)
    with pytest.raises(CorruptFile, match=r"'NOSUCH' failed .* unknown command") as caught:
        load(tmp_path)
    assert (caught.value.path, caught.value.offset) == (str(path), len(before))


def test_a_missing_part_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path, BASE_AND_INCR, _1_base_aof=SET_A)
    with pytest.raises(AikvError, match=r"1\.incr\.aof doesn't exist"):
        load(tmp_path)


def test_an_empty_rdb_base_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path, BASE_AND_INCR.replace("base.aof", "base.rdb"), _1_base_rdb=b"", _1_incr_aof=SET_A)
    with pytest.raises(CorruptFile, match="empty"):
        load(tmp_path)


def test_a_folder_in_place_of_a_part_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path, BASE_AND_INCR, _1_base_aof=SET_A)
    (tmp_path / FOLDER / "appendonly.aof.1.incr.aof").mkdir()
    with pytest.raises(AikvError, match=r"1\.incr\.aof"):
        load(tmp_path)


def test_every_file_begins_in_database_zero(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=encode_command([b"SELECT", b"5"]) + SET_A, _2_incr_aof=SET_B)
    dataset, loaded = load(tmp_path)
    assert dataset.values == {(5, b"a"): b"1", (0, b"b"): b"2"}
    assert loaded.commands == 3


def test_no_log_is_told_from_an_empty_one(tmp_path: Path) -> None:
    _, loaded = load(tmp_path)
    assert not loaded.existed
    write_log(tmp_path, BASE_AND_INCR, _1_base_aof=b"", _1_incr_aof=b"")
    _, loaded = load(tmp_path)
    assert loaded.existed
    assert loaded.size == 0


def test_progress_counts_bytes_up_to_the_size_of_the_log(tmp_path: Path) -> None:
    write_log(tmp_path, BASE_AND_INCR, _1_base_aof=SET_A * 10, _1_incr_aof=SET_B)
    store = store_in(tmp_path)
    seen: list[int] = []
    dataset = Dataset()
    AofLoader(store, dataset.execute, dataset.load_rdb, seen.append, True).load(store.read())
    assert seen == sorted(seen)
    assert seen[-1] == len(SET_A) * 10 + len(SET_B)


def test_an_old_single_file_becomes_the_base(tmp_path: Path) -> None:
    (tmp_path / FILENAME).write_bytes(SET_A)
    dataset, _ = load(tmp_path)
    assert dataset.values == {(0, b"a"): b"1"}
    assert not (tmp_path / FILENAME).exists()
    assert (tmp_path / FOLDER / FILENAME).read_bytes() == SET_A
    manifest = tmp_path / FOLDER / (FILENAME + ".manifest")
    assert manifest.read_text().startswith("file appendonly.aof seq 1 type b\n#")
    assert load(tmp_path)[0].values == dataset.values


def test_an_upgrade_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    write_log(tmp_path, "file appendonly.aof seq 1 type b\n")
    (tmp_path / FILENAME).write_bytes(SET_A)
    assert load(tmp_path)[0].values == {(0, b"a"): b"1"}


def test_an_old_file_beside_a_log_in_use_is_ignored(tmp_path: Path) -> None:
    only_incr(tmp_path, SET_B)
    (tmp_path / FILENAME).write_bytes(SET_A)
    assert load(tmp_path)[0].values == {(0, b"b"): b"2"}
    assert (tmp_path / FILENAME).exists()


def test_parts_without_their_manifest_are_refused(tmp_path: Path) -> None:
    only_incr(tmp_path, SET_A)
    (tmp_path / FOLDER / (FILENAME + ".manifest")).unlink()
    with pytest.raises(AikvError, match=r"doesn't exist, but .* holds appendonly.aof.1.incr.aof"):
        load(tmp_path)


def test_parts_of_a_log_that_was_never_finished_creating_are_passed_over(tmp_path: Path) -> None:
    write_log(tmp_path, BASE_AND_INCR, _1_base_aof=SET_A, _1_incr_aof=SET_B)
    folder = tmp_path / FOLDER
    (folder / (FILENAME + ".manifest")).rename(folder / f"temp-{FILENAME}.manifest")
    assert not load(tmp_path)[1].existed


def test_a_leftover_manifest_of_a_later_change_does_not_excuse_parts(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_A, _2_incr_aof=SET_B)
    folder = tmp_path / FOLDER
    (folder / (FILENAME + ".manifest")).rename(folder / f"temp-{FILENAME}.manifest")
    with pytest.raises(AikvError, match="Restore the manifest"):
        load(tmp_path)


def test_an_unreadable_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / FOLDER / (FILENAME + ".manifest")).mkdir(parents=True)
    with pytest.raises(AikvError, match="can't open the AOF manifest"):
        load(tmp_path)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = only_incr(tmp_path, SET_A)
    fd = os.open(path, os.O_RDONLY)
    try:
        reader = AofReader(Files(), fd, str(path), 0, len(SET_A) + 5)
        assert reader.next_run() == [[b"SET", b"a", b"1"]]
        with pytest.raises(OSError, match="became shorter"):
            reader.next_run()
    finally:
        os.close(fd)
