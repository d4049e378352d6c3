"""A user: whether it may log in and how, and what it may do then.

Theory of operation: the first selector is the root, which rules outside of parentheses change; every further one was
given in parentheses. Passwords are kept as the hexadecimal form of their SHA-256 and never otherwise.
"""

import hashlib
import hmac
from typing import Final

from aikv.base.glob import Glob
from aikv.engine.acl.selector import Selector

DEFAULT_USER: Final = b"default"
HASH_DIGITS: Final = 64
# What the password of a user is compared with that has none, so that it takes as long as with any other.
_NO_HASH: Final = b"-" * HASH_DIGITS


class User:
    """One user; new ones are disabled, without a password, and may do nothing."""

    def __init__(self, name: bytes, all_channels: bool) -> None:
        self.name: Final = name
        self.enabled = False
        self.nopass = False
        self.sanitize = True
        self.passwords: list[bytes] = []
        self.selectors: list[Selector] = [Selector(all_channels)]

    @property
    def root(self) -> Selector:
        """The selector of the rules outside of parentheses."""
        return self.selectors[0]

    def copy(self) -> "User":
        """Another one that is equal, to try rules on."""
        twin = User(self.name, False)
        twin.enabled = self.enabled
        twin.nopass = self.nopass
        twin.sanitize = self.sanitize
        twin.passwords = list(self.passwords)
        twin.selectors = [selector.copy() for selector in self.selectors]
        return twin

    def is_unlimited(self) -> bool:
        """Whether the user may do everything."""
        for selector in self.selectors:  # noqa: SIM110 (a generator is slower once compiled)
            if selector.is_unlimited():
                return True
        return False

    def accepts(self, password: bytes) -> bool:
        """Whether the user may log in with `password`. How long that takes says nothing about the passwords."""
        given = password_hash(password)
        right = self.nopass
        for known in self.passwords or [_NO_HASH]:
            if hmac.compare_digest(given, known):
                right = True
        return right and self.enabled

    def logs_in_by_itself(self) -> bool:
        """Whether a client is this user without a password."""
        return self.nopass and self.enabled


def password_hash(password: bytes) -> bytes:
    """The form in which passwords are kept and shown."""
    return hashlib.sha256(password).hexdigest().encode()


def channels_left(new: User, old: User) -> list[Glob] | None:
    """The channel patterns of `new`, or None where it may use every channel pattern that `old` may."""
    if any(selector.all_channels for selector in new.selectors):
        return None
    left: dict[bytes, Glob] = {}
    for selector in new.selectors:
        left.update(selector.channels)
    for selector in old.selectors:
        if selector.all_channels or any(pattern not in left for pattern in selector.channels):
            return list(left.values())
    return None
