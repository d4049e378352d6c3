"""The ACL file: one user per line, loaded and saved as a whole.

Theory of operation: `read_users` makes new users of all lines or raises `AclFileError`, whose text lists every line
that is wrong; nothing of the running server is touched before. There are no comments and no quotes, because the file is
meant to be written again by `save_users`, which replaces it atomically.
Source of format and messages: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

import os
from typing import Final

from aikv.base.errors import AikvError
from aikv.engine.acl.describe import user_line
from aikv.engine.acl.parse import UNKNOWN, RuleError, Unmatched, apply_rule, has_blanks, merged
from aikv.engine.acl.users import User
from aikv.persistence.files import Files, replace_file

_TRIMMED: Final = b" \t\r\n"
_NOTHING_CHANGED: Final = b"WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
_CHUNK: Final = 1 << 16


class AclFileError(AikvError):
    """An ACL file that cannot be loaded; `text` is Redis's account of everything that is wrong with it."""

    def __init__(self, text: bytes) -> None:
        super().__init__(os.fsdecode(text))
        self.text: Final = text


def load_users(files: Files, path: str, name: str, all_channels: bool) -> dict[bytes, User]:
    """The users in the file at `path`, which the operator calls `name`. Raises `AclFileError`."""
    try:
        content = _content(files, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise AclFileError(os.fsencode(f"Error loading ACLs, opening file '{name}': {reason}")) from error
    return read_users(content, os.fsencode(name), all_channels)


def read_users(content: bytes, name: bytes, all_channels: bool) -> dict[bytes, User]:
    """The users in `content` of the file called `name`; raises `AclFileError` if any line is wrong."""
    reader = _Reader(name, all_channels)
    for number, line in enumerate(content.split(b"\n"), 1):
        words = line.strip(_TRIMMED).split(b" ")
        if words != [b""]:
            reader.read_line(b"%b:%d" % (name, number), number, words)
    if reader.errors:
        raise AclFileError(b"".join(reader.errors) + _NOTHING_CHANGED)
    return reader.users


def save_users(files: Files, path: str, users: list[User]) -> None:
    """Replace the file at `path` by one with `users`. Raises `OSError`; the file is then as it was."""
    replace_file(files, path, b"".join([user_line(user) + b"\n" for user in users]))


class _Reader:
    """Collects users, and what is wrong."""

    def __init__(self, name: bytes, all_channels: bool) -> None:
        self.users: dict[bytes, User] = {}
        self.errors: list[bytes] = []
        self._name = name
        self._all_channels = all_channels

    def read_line(self, place: bytes, number: int, words: list[bytes]) -> None:
        """Add the user that the line's `words` describe; `place` is file and `number` of the line."""
        if words[0] != b"user" or len(words) < 2:
            self.errors.append(place + b" should start with user keyword followed by the username. ")
            return
        name = words[1]
        if has_blanks(name):
            self.errors.append(b"'" + place + b": username '" + name + b"' contains invalid characters. ")
            return
        if name in self.users:
            self.errors.append(b"WARNING: Duplicate user '%b' found on line %d. " % (name, number))
            return
        user = User(name, self._all_channels)
        self.users[name] = user
        try:
            rules = merged(words[2:])
        except Unmatched:
            self.errors.append(place + b": Unmatched parenthesis in selector definition.")
            return
        self._apply(place, user, rules)

    def _apply(self, place: bytes, user: User, rules: list[bytes]) -> None:
        told = False
        for rule in rules:
            try:
                apply_rule(user, rule.strip(b"\t\r\n"), self._all_channels)
            except RuleError as error:
                if error.reason == UNKNOWN:
                    # No secret can be in such a rule.
                    self.errors.append(b"%b: Error in applying operation '%b': %b. " % (place, rule, error.reason))
                elif not told:
                    self.errors.append(place + b": " + error.reason + b". ")
                    told = True


def _content(files: Files, path: str) -> bytes:
    fd = files.open(path, os.O_RDONLY)
    try:
        chunks = [files.read(fd, _CHUNK)]
        while chunks[-1]:
            chunks.append(files.read(fd, _CHUNK))
    finally:
        files.close(fd)
    return b"".join(chunks)
