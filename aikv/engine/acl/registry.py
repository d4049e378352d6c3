"""The users of one engine, and what a change of them means for its clients.

Theory of operation: clients hold the name of their user, so a change of a user holds for them at once; their gates are
set anew. A client is ended when its user is deleted, and when it listens to a channel that its user may no longer use.
The default user is always there: every client begins as it, and `requirepass` is another way to give it a password.

Users come from `user` lines of the configuration or from the ACL file, never from both: `start` reads them.
"""

import os
from typing import TYPE_CHECKING, Final

from aikv.base import log
from aikv.base.errors import AikvError, CommandError
from aikv.base.glob import Glob
from aikv.engine.acl.check import channel_allowed
from aikv.engine.acl.describe import user_line
from aikv.engine.acl.file import AclFileError, load_users, save_users
from aikv.engine.acl.log import AclLog
from aikv.engine.acl.parse import UNKNOWN, RuleError, Unmatched, apply_rule, c_string, has_blanks, merged
from aikv.engine.acl.users import DEFAULT_USER, User, channels_left
from aikv.engine.authentication import settle
from aikv.engine.client import Client
from aikv.engine.client_life import end_client
from aikv.engine.config.store import ConfiguredUser
from aikv.engine.pubsub import CHANNELS, PATTERNS, SHARDS
from aikv.persistence.files import Files

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

_NO_FILE: Final = (
    b"ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER "
    b"command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store "
    b"users in the Redis configuration."
)
_BOTH: Final = (
    "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. This "
    "setup is very likely to lead to configuration errors and security holes, please define either an ACL file or "
    "declare users directly in your redis.conf, but not both."
)
_NOT_SAVED: Final = b"ERR There was an error trying to save the ACLs. Please check the server logs for more information"
_EVERYTHING: Final = (b"on", b"nopass", b"~*", b"&*", b"+@all")


class Users:
    """All users of an engine by name, and the log of refusals. `files` reads and writes the ACL file."""

    def __init__(self, engine: "Engine") -> None:
        self._engine: Final = engine
        self._config: Final = engine.config
        self.files = Files()
        self.log: Final = AclLog()
        # Of new users and selectors; entries that the log keeps.
        self.all_channels = False
        self.log_limit = 0
        self._copy_settings()
        self.by_name: dict[bytes, User] = {DEFAULT_USER: _new_default(self.all_channels)}
        self._copy_password()
        self._config.on_change("acl-pubsub-default", self._copy_settings)
        self._config.on_change("acllog-max-len", self._copy_settings)
        self._config.on_change("requirepass", self._password_changed)

    @property
    def default(self) -> User:
        """The user that clients are before they authenticate."""
        return self.by_name[DEFAULT_USER]

    def of(self, client: Client) -> User:
        """The user that `client` is."""
        return self.by_name[client.user]

    def in_order(self) -> list[User]:
        """All users, sorted by name."""
        return [self.by_name[name] for name in sorted(self.by_name)]

    def start(self, files: Files) -> None:
        """Read the users that the configuration names; raises `AikvError` if that cannot be done."""
        self.files = files
        if self._config.users and self._config.get_bytes("aclfile"):
            raise AikvError(_BOTH)
        for configured in self._config.users:
            self._add_configured(configured)
        if self._config.get_bytes("aclfile"):
            try:
                self._replace(self._load(), None)
            except AclFileError as error:
                raise AikvError(f"Aborting Redis startup because of ACL errors: {error}") from error

    def change(self, name: bytes, rules: list[bytes], by: Client) -> None:
        """ACL SETUSER of client `by`: apply all rules to a user, which is made if need be, or raise CommandError."""
        try:
            words = merged(rules)
        except Unmatched as unmatched:
            raise CommandError(b"ERR " + unmatched.text()) from unmatched
        old = self.by_name.get(name)
        new = old.copy() if old is not None else User(name, self.all_channels)
        for rule in words:
            try:
                apply_rule(new, rule, self.all_channels)
            except RuleError as error:
                shown = c_string(rule)
                raise CommandError(b"ERR Error in ACL SETUSER modifier '" + shown + b"': " + error.reason) from error
        self.by_name[name] = new
        if old is not None:
            self._end_listeners(new, old, by)
            self._settle(name)

    def delete(self, name: bytes, by: Client) -> bool:
        """ACL DELUSER of client `by` for one user, whose clients are ended; whether there was one."""
        if self.by_name.pop(name, None) is None:
            return False
        self._end_clients_of({name}, by)
        return True

    def load(self, by: Client) -> None:
        """ACL LOAD of client `by`. Raises CommandError, and all users are then as they were."""
        self._need_file()
        try:
            self._replace(self._load(), by)
        except AclFileError as error:
            raise CommandError(b"ERR " + error.text) from error

    def save(self) -> None:
        """ACL SAVE. Raises CommandError, and the file is then as it was."""
        self._need_file()
        try:
            save_users(self.files, self._config.path("aclfile"), self.in_order())
        except OSError as error:
            log.warning("Writing ACL file for ACL SAVE: %s", error.strerror or str(error))
            raise CommandError(_NOT_SAVED) from error

    def configured_lines(self) -> list[bytes]:
        """The `user` lines that a configuration file is to have; none where there is an ACL file."""
        if self._config.get_bytes("aclfile"):
            return []
        return [user_line(user) for user in self.in_order()]

    def _need_file(self) -> None:
        if not self._config.get_bytes("aclfile"):
            raise CommandError(_NO_FILE)

    def _load(self) -> dict[bytes, User]:
        config = self._config
        return load_users(self.files, config.path("aclfile"), config.get_str("aclfile"), self.all_channels)

    def _replace(self, users: dict[bytes, User], by: Client | None) -> None:
        """Let there be exactly `users` and the default user; like Redis 7.2 end the clients of all others."""
        gone = set(self.by_name) - {DEFAULT_USER}
        if DEFAULT_USER not in users:
            users[DEFAULT_USER] = _new_default(self.all_channels)
        self.by_name = users
        self._end_clients_of(gone, by)
        self._settle(DEFAULT_USER)

    def _add_configured(self, configured: ConfiguredUser) -> None:
        """Add a user of the configuration; raises ConfigError."""
        name = configured.name
        if has_blanks(name):
            raise configured.error("Spaces not allowed in ACL usernames")
        try:
            words = merged(configured.rules)
        except Unmatched as unmatched:
            raise configured.error(os.fsdecode(unmatched.text())) from unmatched
        user = User(name, self.all_channels)
        for rule in words:
            try:
                apply_rule(user, rule, self.all_channels)
            except RuleError as error:
                raise configured.error(_load_error(name, rule, error)) from error
        self.by_name[name] = user
        if not user.enabled:
            log.notice(
                "The user '%s' is disabled (there is no 'on' modifier in the user description). Make sure this is not "
                "a configuration error.",
                os.fsdecode(name),
            )

    def _end_listeners(self, new: User, old: User, by: Client) -> None:
        """End the clients of a changed user that listen to what it may no longer listen to."""
        left = channels_left(new, old)
        if left is None:
            return
        for client in list(self._engine.clients.values()):
            if client.user == new.name and _listens_beyond(client, left):
                self._end(client, by)

    def _end_clients_of(self, names: set[bytes], by: Client | None) -> None:
        for client in list(self._engine.clients.values()):
            if client.user in names:
                self._end(client, by)

    def _end(self, client: Client, by: Client | None) -> None:
        # It may be the one whose command runs, and a transaction of it must not go on as nobody.
        client.user = DEFAULT_USER
        client.authenticated = False
        settle(self._engine, client)
        end_client(self._engine, client, by)

    def _settle(self, name: bytes) -> None:
        """Set the gates of clients anew after user `name` has changed."""
        for client in self._engine.clients.values():
            # Whether anybody has to authenticate is decided by the default user.
            if name in (client.user, DEFAULT_USER):
                settle(self._engine, client)

    def _password_changed(self) -> None:
        self._copy_password()
        self._settle(DEFAULT_USER)

    def _copy_password(self) -> None:
        password = self._config.get_bytes("requirepass")
        apply_rule(self.default, b"resetpass", False)
        apply_rule(self.default, b">" + password if password else b"nopass", False)

    def _copy_settings(self) -> None:
        self.all_channels = self._config.get_bytes("acl-pubsub-default") == b"allchannels"
        self.log_limit = self._config.get_int("acllog-max-len")


def _new_default(all_channels: bool) -> User:
    user = User(DEFAULT_USER, all_channels)
    for rule in _EVERYTHING:
        apply_rule(user, rule, all_channels)
    return user


def _load_error(name: bytes, rule: bytes, error: RuleError) -> str:
    reason = os.fsdecode(error.reason)
    if error.reason == UNKNOWN:
        return f"Error loading ACL rule '{os.fsdecode(rule)}' for the user named '{os.fsdecode(name)}': {reason}"
    # The rule may be a password.
    return f"Error in user declaration '{os.fsdecode(name)}': {reason}"


def _listens_beyond(client: Client, left: list[Glob]) -> bool:
    subscriptions = client.subscriptions
    if subscriptions is None:
        return False
    for kind in (CHANNELS, PATTERNS, SHARDS):
        for name in subscriptions.names[kind]:
            if not channel_allowed(left, name, kind == PATTERNS):
                return True
    return False
