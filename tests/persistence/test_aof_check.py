"""Checking and repairing: the same words and exit status as redis-check-aof, the same bytes left by --fix."""

import shutil
import subprocess
from pathlib import Path

import pytest

from aikv.base.errors import CorruptFile
from aikv.persistence.aof_check import AofChecker
from aikv.persistence.aof_format import encode_command, timestamp_annotation
from aikv.persistence.files import Files
from persistence.aof_harness import FILENAME, FOLDER, Dataset, World, write_log

SET_A = encode_command([b"SET", b"a", b"1"])
SET_B = encode_command([b"SET", b"b", b"2"])
MULTI = encode_command([b"MULTI"])
EXEC = encode_command([b"EXEC"])
TWO_INCR = "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n"


def check(path: Path, fix: bool = False, answer: bool = True, to_timestamp: int = 0) -> tuple[int, list[str]]:
    lines: list[str] = []
    checker = AofChecker(Files(), lines.append, lambda: answer, Dataset().load_rdb, fix, to_timestamp)
    return checker.check(str(path)), lines


def redis_says(path: Path, *options: str) -> tuple[int, list[str]]:
    program = shutil.which("redis-check-aof")
    if program is None:
        pytest.skip("redis-check-aof is not installed")
    said = subprocess.run([program, *options, str(path)], input="y\n", capture_output=True, text=True, check=False)
    # What its RDB checker prints is not compared.
    return said.returncode, [
        line for line in said.stdout.replace("Continue? [y/N]: ", "").splitlines() if not line.startswith("[")
    ]


FILES = {
    "valid": SET_A + MULTI + SET_B + EXEC,
    "annotated": b"#TS:1700000000\r\n" + SET_A + b"#TS:1700000001\r\n" + SET_B,
    "empty": b"",
    "cut value": SET_A + SET_B[:-3],
    "cut behind a header": SET_A + b"*3\r\n$3\r\n",
    "cut between arguments": SET_A + b"*3\r\n$3\r\nSET\r\n",
    "half a newline": SET_A + b"*3\r",
    "cut value's newline": SET_A[:-1],
    "zeros": SET_A + b"\0" * 30,
    "text": SET_A + b"garbage\r\n",
    "wrong prefix": SET_A + b"*1\r\n+PING\r\n",
    "wrong newline": SET_A + b"*1\r\n$4\r\nPINGxx",
    "open transaction": SET_A + MULTI + SET_B,
    "cut transaction": SET_A + MULTI + SET_B[:-4],
    "cut transaction between arguments": SET_A + MULTI + b"*3\r\n$3\r\nSET\r\n",
    "exec without multi": SET_A + EXEC,
    "multi in multi": SET_A + MULTI + SET_B + MULTI,
}
every_file = pytest.mark.parametrize("name", FILES)


@every_file
def test_an_old_style_file_is_judged_in_the_words_of_redis_check_aof(name: str, tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(FILES[name])
    assert check(path) == redis_says(path)
    assert path.read_bytes() == FILES[name]


@every_file
def test_fix_leaves_what_redis_check_aof_leaves(name: str, tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(FILES[name])
    expected = redis_says(path, "--fix")
    left = path.read_bytes()
    path.write_bytes(FILES[name])
    assert check(path, fix=True) == expected
    assert path.read_bytes() == left
    assert check(path)[0] == 0


def test_a_cut_header_is_found(tmp_path: Path) -> None:
    # Not compared: redis-check-aof shows a byte here that it never read.
    path = tmp_path / FILENAME
    path.write_bytes(SET_A + b"*3")
    status, lines = check(path)
    assert (status, lines[1]) == (1, f"0x{len(SET_A):16x}: Expected \\r\\n, got: 0000")


def test_fix_changes_nothing_if_the_answer_is_no(tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(SET_A + SET_B[:-3])
    status, lines = check(path, fix=True, answer=False)
    assert (status, lines[-1]) == (1, "Aborting...")
    assert path.read_bytes() == SET_A + SET_B[:-3]


def manifest_of(tmp_path: Path) -> Path:
    return tmp_path / FOLDER / (FILENAME + ".manifest")


@pytest.mark.parametrize("tail", [b"", SET_B[:-3], MULTI + SET_A])
def test_a_log_with_an_rdb_base_is_judged_in_the_words_of_redis_check_aof(tail: bytes, tmp_path: Path) -> None:
    world = World(tmp_path, 0)
    world.start()
    world.do(b"SET", b"a", b"1")
    world.aof.append(tail)
    assert world.aof.close()
    assert check(manifest_of(tmp_path)) == redis_says(manifest_of(tmp_path))


def test_only_the_last_file_of_a_log_is_repaired(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_A[:-1], _2_incr_aof=SET_B)
    path = manifest_of(tmp_path)
    status, lines = check(path, fix=True)
    assert (status, lines) == redis_says(path, "--fix")
    assert status == 1
    assert "not the last file" in lines[-1]
    assert (tmp_path / FOLDER / "appendonly.aof.1.incr.aof").read_bytes() == SET_A[:-1]


def test_a_file_in_front_of_empty_ones_is_repaired(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_B + SET_A[:-1], _2_incr_aof=b"")
    assert check(manifest_of(tmp_path), fix=True)[0] == 0
    assert (tmp_path / FOLDER / "appendonly.aof.1.incr.aof").read_bytes() == SET_B


def test_a_bad_manifest_is_shown_with_its_line(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR.replace("seq 2", "seq 1"))
    status, lines = check(manifest_of(tmp_path))
    assert status == 1
    assert lines[1:] == [
        "",
        "*** FATAL AOF MANIFEST FILE ERROR ***",
        "Reading the manifest file, at line 2",
        ">>> 'file appendonly.aof.2.incr.aof seq 1 type i'",
        "Found a non-monotonic sequence number",
    ]


def test_an_empty_manifest_is_an_error(tmp_path: Path) -> None:
    write_log(tmp_path, "")
    status, lines = check(manifest_of(tmp_path))
    assert (status, lines[-1]) == (1, "Found an empty AOF manifest")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert check(tmp_path / "none") == (1, [f"Cannot open file {tmp_path}/none: No such file or directory"])
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_A)
    status, lines = check(manifest_of(tmp_path))
    assert (status, lines[-1]) == (
        1,
        "Cannot open file appendonly.aof.2.incr.aof: No such file or directory, aborting...",
    )


def test_a_damaged_preamble_is_an_error(tmp_path: Path) -> None:
    def refuse(path: str) -> int:
        raise CorruptFile(path, 9, "bad")

    path = tmp_path / FILENAME
    path.write_bytes(b"REDIS0010" + b"x" * 20)
    lines: list[str] = []
    assert AofChecker(Files(), lines.append, lambda: True, refuse, False).check(str(path)) == 1
    assert lines[-1] == "RDB preamble of AOF file is not sane, aborting."


STAMPED = b"".join(
    [
        timestamp_annotation(100) + SET_A,
        timestamp_annotation(200) + SET_B,
        timestamp_annotation(300) + SET_A,
    ]
)


@pytest.mark.parametrize("stamp", [50, 100, 150, 200, 299, 300, 400])
def test_truncating_to_a_time_leaves_what_redis_check_aof_leaves(stamp: int, tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(STAMPED)
    expected = redis_says(path, "--truncate-to-timestamp", str(stamp))
    left = path.read_bytes()
    path.write_bytes(STAMPED)
    assert check(path, to_timestamp=stamp) == expected
    assert path.read_bytes() == left


def test_truncating_to_a_time_within_a_transaction_drops_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(SET_A + MULTI + SET_B + timestamp_annotation(200) + SET_B + EXEC)
    assert check(path, to_timestamp=100)[0] == 0
    assert path.read_bytes() == SET_A


def test_only_the_last_file_is_truncated_to_a_time(tmp_path: Path) -> None:
    write_log(tmp_path, TWO_INCR, _1_incr_aof=SET_A + timestamp_annotation(200), _2_incr_aof=SET_B)
    status, lines = check(manifest_of(tmp_path), to_timestamp=100)
    assert status == 1
    assert "because it is not the last file." in lines[-2]
