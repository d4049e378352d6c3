"""ACL rules: what each word does to a user.

Theory of operation: `apply_rule` changes a user by one word and raises `RuleError` where the word makes no sense, with
the reason in Redis's words. Callers apply rules to a copy, so that a user is changed by all of its rules or by none.
Redis reads most words as C strings; so do we: what stands behind a NUL byte is not looked at, and a pattern or a user
name with one is refused.
"""

from typing import Final

from aikv.base.quote import split_args
from aikv.engine.acl.selector import CATEGORY_MASKS, MAY_ALL, Selector, mask_of
from aikv.engine.acl.users import HASH_DIGITS, User, password_hash
from aikv.engine.command import CATEGORIES, COMMANDS, Command
from aikv.engine.keyspec import MAY_READ, MAY_WRITE

SYNTAX_ERROR: Final = b"Syntax error"
UNKNOWN: Final = b"Unknown command or category name in ACL"
_AFTER_ALL_KEYS: Final = (
    b"Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try "
    b"'resetkeys' to start with an empty list of patterns"
)
_AFTER_ALL_CHANNELS: Final = (
    b"Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try "
    b"'resetchannels' to start with an empty list of channels"
)
_NO_SUCH_PASSWORD: Final = b"The password you are trying to remove from the user does not exist"
_NO_HASH: Final = b"The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
_OF_SUBCOMMAND: Final = b"Allowing first-arg of a subcommand is not supported"

_BLANK: Final = b" \t\n\v\f\r\0"
_HEX: Final = b"0123456789abcdef"


class RuleError(Exception):
    """A rule that cannot be applied; `reason` is Redis's sentence without its full stop."""

    def __init__(self, reason: bytes) -> None:
        super().__init__(reason)
        self.reason: Final = reason


class Unmatched(Exception):
    """A selector whose parenthesis is not closed; `word` is where it begins."""

    def __init__(self, word: bytes) -> None:
        super().__init__(word)
        self.word: Final = word

    def text(self) -> bytes:
        """The error in Redis's words."""
        return b"Unmatched parenthesis in acl selector starting at '" + self.word + b"'."


def has_blanks(text: bytes) -> bool:
    """Whether `text` would not stay one word, or not one C string."""
    for byte in text:  # noqa: SIM110 (a generator is slower once compiled)
        if byte in _BLANK:
            return True
    return False


def merged(words: list[bytes]) -> list[bytes]:
    """`words` with selectors that were spread over several of them put together; raises `Unmatched`."""
    result: list[bytes] = []
    parts: list[bytes] = []
    for word in words:
        if parts or (word[:1] == b"(" and word[-1:] != b")"):
            first = not parts
            parts.append(word)
            if not first and word[-1:] == b")":
                result.append(b" ".join(parts))
                parts = []
        else:
            result.append(word)
    if parts:
        raise Unmatched(parts[0])
    return result


def apply_rule(user: User, rule: bytes, all_channels: bool) -> None:
    """Change `user` as `rule` says; `all_channels` is what a new selector may use. Raises `RuleError`."""
    kind = rule[:1]
    if not rule or _apply_switch(user, c_string(rule).lower(), all_channels):
        return
    if kind in (b">", b"#"):
        digest = _digest(rule)
        if digest not in user.passwords:
            user.passwords.append(digest)
        user.nopass = False
    elif kind in (b"<", b"!"):
        digest = _digest(rule)
        if digest not in user.passwords:
            raise RuleError(_NO_SUCH_PASSWORD)
        user.passwords.remove(digest)
    elif kind == b"(" and rule[-1:] == b")":
        selector = Selector(all_channels)
        # Redis takes words whose quotes do not end for no words at all.
        for word in split_args(rule[1:-1]) or []:
            apply_selector_rule(selector, word)
        user.selectors.append(selector)
    else:
        apply_selector_rule(user.root, rule)


def _apply_switch(user: User, word: bytes, all_channels: bool) -> bool:
    """Apply a rule of the user itself that is a mere word; False where `word` is none."""
    if word in (b"on", b"off"):
        user.enabled = word == b"on"
    elif word in (b"sanitize-payload", b"skip-sanitize-payload"):
        user.sanitize = word == b"sanitize-payload"
    elif word in (b"nopass", b"resetpass"):
        user.nopass = word == b"nopass"
        user.passwords = []
    elif word == b"clearselectors":
        user.selectors = [user.root]
    elif word == b"reset":
        user.enabled = False
        user.nopass = False
        user.sanitize = True
        user.passwords = []
        user.selectors = [Selector(all_channels)]
    else:
        return False
    return True


def _digest(rule: bytes) -> bytes:
    if rule[:1] in (b">", b"<"):
        return password_hash(rule[1:])
    digest = rule[1:]
    if len(digest) != HASH_DIGITS:
        raise RuleError(_NO_HASH)
    for byte in digest:
        if byte not in _HEX:
            raise RuleError(_NO_HASH)
    return digest


def apply_selector_rule(selector: Selector, rule: bytes) -> None:
    """Change `selector` as a rule on commands, keys or channels says. Raises `RuleError`."""
    text = c_string(rule)
    word = text.lower()
    if word in (b"allkeys", b"~*", b"resetkeys"):
        selector.set_all_keys(word != b"resetkeys")
    elif word in (b"allchannels", b"&*", b"resetchannels"):
        selector.set_all_channels(word != b"resetchannels")
    elif word in (b"allcommands", b"+@all", b"nocommands", b"-@all"):
        selector.set_all_commands(word in (b"allcommands", b"+@all"))
    elif rule[:1] in (b"~", b"%"):
        if selector.all_keys:
            raise RuleError(_AFTER_ALL_KEYS)
        permission, pattern = (MAY_ALL, rule[1:]) if rule[:1] == b"~" else _split_permission(rule)
        _check_pattern(pattern)
        selector.add_keys(pattern, permission)
    elif rule[:1] == b"&":
        if selector.all_channels:
            raise RuleError(_AFTER_ALL_CHANNELS)
        _check_pattern(rule[1:])
        selector.add_channels(rule[1:])
    elif rule[:2] in (b"+@", b"-@"):
        _apply_category(selector, word)
    elif rule[:1] == b"-":
        command = _known(text[1:])
        selector.change(mask_of(command), False, command.name.encode())
    elif rule[:1] == b"+":
        _allow(selector, text[1:])
    else:
        raise RuleError(SYNTAX_ERROR)


def _split_permission(rule: bytes) -> tuple[int, bytes]:
    """The permission and the pattern of `%R~pattern` and its like."""
    permission = 0
    at = 1
    while at < len(rule):
        letter = rule[at : at + 1].upper()
        at += 1
        if letter == b"~":
            break
        bit = MAY_READ if letter == b"R" else MAY_WRITE if letter == b"W" else 0
        if not bit or permission & bit:
            raise RuleError(SYNTAX_ERROR)
        permission |= bit
    if not permission:
        raise RuleError(SYNTAX_ERROR)
    return permission, rule[at:]


def _check_pattern(pattern: bytes) -> None:
    if has_blanks(pattern):
        raise RuleError(SYNTAX_ERROR)


def _apply_category(selector: Selector, word: bytes) -> None:
    category = word[2:].decode("latin-1")
    if category not in CATEGORIES:
        raise RuleError(UNKNOWN)
    selector.change(CATEGORY_MASKS.get(category), word[:1] == b"+", word[1:])


def _allow(selector: Selector, name: bytes) -> None:
    """Allow a command, a subcommand (`config|get`), or a command with one first argument (`select|0`)."""
    parent, bar, argument = name.rpartition(b"|")
    if not bar:
        command = _known(name)
        selector.change(mask_of(command), True, command.name.encode())
        return
    command = _known(parent)
    if "|" in command.name:
        raise RuleError(_OF_SUBCOMMAND)
    if not argument:
        raise RuleError(SYNTAX_ERROR)
    if command.subcommands is not None:
        selector.change(mask_of(_known(name)), True, name)
    elif has_blanks(argument):
        # Redis takes it, and ends when it shows the user, because its rules then are no longer words.
        raise RuleError(SYNTAX_ERROR)
    else:
        selector.allow_first_argument(command, argument)


def _known(name: bytes) -> Command:
    """The command or subcommand (`config|get`) called `name`, whatever `rename-command` made of it."""
    parent, bar, sub = name.lower().partition(b"|")
    command = COMMANDS.get(parent)
    if command is not None and bar:
        command = command.subcommands.get(sub) if command.subcommands is not None else None
    if command is None:
        raise RuleError(UNKNOWN)
    return command


def c_string(rule: bytes) -> bytes:
    """What C would see of `rule`."""
    return rule.partition(b"\0")[0]
