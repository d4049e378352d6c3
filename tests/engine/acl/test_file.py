"""The ACL file: what is wrong is told line by line, and a file is replaced whole or not at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import served  # noqa: F401  declares the commands
from aikv.engine.acl.file import AclFileError, load_users, read_users, save_users
from aikv.engine.acl.users import User
from aikv.persistence.files import Files
from persistence.rdb_data import FailingFiles

NOTHING_CHANGED = b"WARNING: ACL errors detected, no change to the previously active ACL rules was performed"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"user a\tb on\n", b"'f:1: username 'a\tb' contains invalid characters. "),
        (b"\n\nuser a x\nuser b y z\n", b"f:3: Syntax error. f:4: Syntax error. "),
        (b"user a on\r\nuser a on\r\n", b"WARNING: Duplicate user 'a' found on line 2. "),
        (b"usera on\n", b"f:1 should start with user keyword followed by the username. "),
    ],
)
def test_what_is_wrong_is_told_line_by_line(content: bytes, text: bytes) -> None:
    with pytest.raises(AclFileError) as error:
        read_users(content, b"f", False)
    assert error.value.text == text + NOTHING_CHANGED


def test_no_password_is_in_an_error() -> None:
    with pytest.raises(AclFileError) as error:
        read_users(b"user a <SECRET\nuser b SECRET\n", b"f", False)
    assert b"SECRET" not in error.value.text


@given(st.binary(max_size=100) | st.lists(st.sampled_from([b"user", b" ", b"a", b"\n", b"(", b")", b"+get", b"~"])))
def test_any_bytes_are_read_or_refused(content: bytes | list[bytes]) -> None:
    data = content if isinstance(content, bytes) else b"".join(content)
    try:
        users = read_users(data, b"f", False)
    except AclFileError as error:
        assert error.text.endswith(NOTHING_CHANGED)  # noqa: PT017 (not every content fails)
    else:
        assert all(b"user " + name in data for name in users)


@pytest.mark.parametrize("number", range(6))
def test_a_save_that_fails_leaves_the_old_file(number: int, tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    path.write_bytes(b"old")
    files = FailingFiles(number, 28)
    with pytest.raises(OSError, match="failed"):
        save_users(files, str(path), [User(b"u", False)])
    # Only where the rename came first is the new one there, and the folder alone was not made safe.
    assert path.read_bytes() == (
        b"old" if files.calls[-1] != "fsync_dir" else b"user u off sanitize-payload resetchannels -@all\n"
    )
    assert [found.name for found in tmp_path.iterdir()] == ["users.acl"]


def test_a_new_file_is_its_owners_only_and_an_old_one_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    save_users(Files(), str(path), [User(b"u", False)])
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    save_users(Files(), str(path), [User(b"v", False)])
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(load_users(Files(), str(path), "users.acl", False)) == [b"v"]
