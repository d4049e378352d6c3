"""The manifest: its format, its rules, its error texts, which are compared with redis-check-aof's."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.persistence.aof_manifest import (
    BAD_FORMAT,
    DUPLICATE_BASE,
    EMPTY_MANIFEST,
    LINE_TOO_LONG,
    NAME_IS_PATH,
    NOT_MONOTONIC,
    UNKNOWN_TYPE,
    AofPart,
    Manifest,
    ManifestError,
    parse_manifest,
)

BASE_LINE = b"file appendonly.aof.1.base.rdb seq 1 type b\n"
INCR_LINE = b"file appendonly.aof.1.incr.aof seq 1 type i\n"


def shown(manifest: Manifest) -> list[tuple[str, int, str]]:
    base = [manifest.base] if manifest.base is not None else []
    return [(part.name, part.seq, part.kind) for part in base + manifest.history + manifest.incr]


def test_a_manifest_of_redis_is_read_and_written_back_as_it_is() -> None:
    text = (
        b"file appendonly.aof.2.base.rdb seq 2 type b\n"
        b"file appendonly.aof.1.incr.aof seq 1 type h\n"
        b"file appendonly.aof.2.incr.aof seq 2 type i\n"
        b"file appendonly.aof.3.incr.aof seq 3 type i\n"
    )
    manifest = parse_manifest(text, "m")
    # Behind it stands a checksum, which Redis takes for a comment.
    assert manifest.text().startswith(text + b"# aikv crc64 ")
    assert [part.name for part in manifest.parts()] == [
        "appendonly.aof.2.base.rdb",
        "appendonly.aof.2.incr.aof",
        "appendonly.aof.3.incr.aof",
    ]


def test_comments_further_words_and_any_order_of_words_are_accepted() -> None:
    text = b"# a comment\nSEQ 3 note x FILE 'a b' TYPE incr\n# and one without its newline"
    assert shown(parse_manifest(text, "m")) == [("a b", 3, "i")]


NAMES = st.text(st.characters(blacklist_characters="/\\\0", blacklist_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) < 200
)


@given(NAMES, st.lists(st.tuples(NAMES, st.integers(1, 5)), min_size=1))
def test_any_names_survive_writing_and_reading(base: str, incr: list[tuple[str, int]]) -> None:
    manifest = parse_manifest(BASE_LINE, "m")
    manifest.base = AofPart(base, 7, "b")
    seq = 0
    for name, step in incr:
        seq += step
        manifest.incr.append(AofPart(name, seq, "i"))
    assert shown(parse_manifest(manifest.text(), "m")) == shown(manifest)


@given(st.binary(max_size=200) | st.text("file seqtypbhi19 \n#'\"\\x", max_size=200).map(str.encode))
def test_garbage_is_refused_and_never_anything_else_than_a_manifest_error(data: bytes) -> None:
    offset = 0
    try:
        found = len(parse_manifest(data, "m").parts())
    except ManifestError as error:
        found = -1
        offset = error.offset
    assert found != 0
    assert 0 <= offset <= len(data)


BAD = [
    (b"", EMPTY_MANIFEST),
    (BASE_LINE + BASE_LINE, DUPLICATE_BASE),
    (BASE_LINE + INCR_LINE + INCR_LINE, NOT_MONOTONIC),
    (b"file a seq 2 type i\nfile b seq 1 type i\n" + b"#" * 20, NOT_MONOTONIC),
    (b"file dir/appendonly.aof.1.base.rdb seq 1 type b\n", NAME_IS_PATH),
    (b'file "dir\\\\appendonly.aof" seq 1 type b       \n', NAME_IS_PATH),
    (b"file appendonly.aof.1.base.rdb seq 1 type x\n", UNKNOWN_TYPE),
    (BASE_LINE + b"file appendonly.aof.1.incr.aof seq 1\n", BAD_FORMAT),
    (BASE_LINE + b"\n" + INCR_LINE, BAD_FORMAT),
    (BASE_LINE + b"some garbage that is no file\n", BAD_FORMAT),
    (BASE_LINE + b"file 'unbalanced seq 1 type i\n", BAD_FORMAT),
    (BASE_LINE + b"file a seq 1 type i more\n", BAD_FORMAT),
    (BASE_LINE + b"file aaaaaaaaa seq 0 type i\n", BAD_FORMAT),
    (BASE_LINE[:-1], LINE_TOO_LONG),
    (BASE_LINE + b"file " + b"x" * 1030 + b" seq 1 type i\n", LINE_TOO_LONG),
]


@pytest.mark.parametrize(("data", "error"), BAD)
def test_a_manifest_that_breaks_a_rule_is_refused_with_the_text_of_redis(
    data: bytes, error: str, tmp_path: Path
) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(data, "m")
    assert caught.value.error == error
    checker = shutil.which("redis-check-aof")
    # It takes an empty file for an old-style log, not for a manifest.
    if checker is not None and data:
        path = tmp_path / "appendonly.aof.manifest"
        path.write_bytes(data)
        said = subprocess.run([checker, str(path)], capture_output=True, text=True, check=False)
        assert said.returncode == 1
        assert error in said.stdout


@pytest.mark.parametrize("name", [b"''", b".", b"..", b'"a\\x00b"'])
def test_names_that_no_file_can_have_are_refused(name: bytes) -> None:
    with pytest.raises(ManifestError, match=BAD_FORMAT):
        parse_manifest(b"file " + name + b" seq 1 type i\n", "m")


@pytest.mark.parametrize("seq", [b"-1", b"+1", b"1x", b"x", b"9" * 19])
def test_a_sequence_number_is_a_positive_decimal(seq: bytes) -> None:
    with pytest.raises(ManifestError, match=BAD_FORMAT):
        parse_manifest(b"file a seq " + seq + b" type i\n", "m")


@pytest.mark.parametrize("text", [b"# nothing\n", b"file a seq 1 type h\n"])
def test_a_manifest_without_base_and_incr_is_refused(text: bytes) -> None:
    with pytest.raises(ManifestError, match=EMPTY_MANIFEST):
        parse_manifest(text, "m")


def test_an_error_names_the_line_and_its_offset() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(BASE_LINE + b"  nonsense\n", "the/path")
    error = caught.value
    assert (error.path, error.offset, error.line_number, error.line) == ("the/path", len(BASE_LINE), 2, "nonsense")


def test_a_rewrite_names_the_next_files_and_makes_the_old_ones_history() -> None:
    manifest = parse_manifest(BASE_LINE + INCR_LINE, "m")
    manifest.add_incr("appendonly.aof")
    manifest.add_base("appendonly.aof", rdb=False, now_s=1_700_000_000)
    manifest.retire_incr(keep=1, now_s=1_700_000_000)
    text = manifest.text()
    assert text.startswith(
        b"file appendonly.aof.2.base.aof seq 2 type b\n"
        b"file appendonly.aof.1.incr.aof seq 1 type h aikv-retired 1700000000\n"
        b"file appendonly.aof.1.base.rdb seq 1 type h aikv-retired 1700000000 aikv-first-incr 1\n"
        b"file appendonly.aof.2.incr.aof seq 2 type i\n"
    )
    assert parse_manifest(text, "m").text() == text
    manifest.break_history()
    assert b"aikv-" not in manifest.text()


def test_a_new_name_is_never_that_of_a_history_file() -> None:
    manifest = parse_manifest(BASE_LINE + b"file appendonly.aof.4.incr.aof seq 4 type h\n", "m")
    assert manifest.add_incr("appendonly.aof").name == "appendonly.aof.5.incr.aof"


def test_a_copy_is_independent() -> None:
    manifest = parse_manifest(BASE_LINE + INCR_LINE, "m")
    before = manifest.text()
    other = manifest.copy()
    other.add_incr("appendonly.aof")
    other.add_base("appendonly.aof", rdb=True, now_s=1)
    assert manifest.text() == before


def test_every_flipped_bit_is_refused_or_changes_nothing() -> None:
    whole = parse_manifest(BASE_LINE + INCR_LINE + b"file appendonly.aof.1.incr.aof seq 1 type h\n", "m")
    text = whole.text()
    refused = 0
    for bit in range(8 * len(text)):
        flipped = bytearray(text)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            assert shown(parse_manifest(bytes(flipped), "m")) == shown(whole)
        except ManifestError:
            refused += 1
    assert refused > 7 * len(text)


def test_a_manifest_that_was_changed_by_hand_says_what_to_do() -> None:
    text = parse_manifest(BASE_LINE, "m").text()
    with pytest.raises(ManifestError, match="remove this line if it was changed on purpose") as caught:
        parse_manifest(INCR_LINE + text, "m")
    assert caught.value.line_number == 3
    assert parse_manifest(INCR_LINE + BASE_LINE, "m").base is not None
