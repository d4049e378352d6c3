"""One set of permissions: commands, key patterns, channel patterns.

Theory of operation: the commands that are allowed are the bits of one integer, by `Command.number`; minus one, all
bits, allows what will be declared later, too. Rules are applied to the bits at once, and kept as text beside them only
to be shown: as in Redis 7.2 in the order in which they came, a later rule for the same command or category in place of
an earlier one. A command that is not allowed as a whole may be allowed with certain first arguments.
"""

from typing import Final

from aikv.base.glob import Glob
from aikv.engine.command import CATEGORIES, EVERY, Command
from aikv.engine.keyspec import MAY_READ, MAY_WRITE

MAY_ALL: Final = MAY_READ | MAY_WRITE
_SIGNS: Final[dict[int, bytes]] = {MAY_ALL: b"~", MAY_READ: b"%R~", MAY_WRITE: b"%W~"}


class KeyPattern:
    """Keys that match `pattern` may be used as `permission` says (bits of MAY_READ and MAY_WRITE)."""

    def __init__(self, pattern: bytes, permission: int) -> None:
        self.pattern: Final = pattern
        self.glob: Final = Glob(pattern)
        self.permission: Final = permission

    def rule(self) -> bytes:
        """The rule that adds this pattern."""
        return _SIGNS[self.permission] + self.pattern


class Selector:
    """Permissions that hold together: a request is allowed if one selector allows all of it."""

    def __init__(self, all_channels: bool) -> None:
        self.all_keys = False
        self.all_channels = all_channels
        # Nothing has been taken away since everything was allowed.
        self.all_commands = False
        # The commands began from +@all and not from -@all.
        self.from_all = False
        self.allowed = 0
        # First arguments (in lower case) with which a command is allowed that otherwise is not, by its number.
        self.first_arguments: dict[int, list[bytes]] = {}
        self.keys: dict[bytes, KeyPattern] = {}
        self.channels: dict[bytes, Glob] = {}
        # What changed the commands, each with its sign: the text of ACL LIST.
        self.rules: list[bytes] = []

    def copy(self) -> "Selector":
        """Another one that is equal."""
        twin = Selector(self.all_channels)
        twin.all_keys = self.all_keys
        twin.all_commands = self.all_commands
        twin.from_all = self.from_all
        twin.allowed = self.allowed
        twin.first_arguments = {number: list(words) for number, words in self.first_arguments.items()}
        twin.keys = dict(self.keys)
        twin.channels = dict(self.channels)
        twin.rules = list(self.rules)
        return twin

    def is_unlimited(self) -> bool:
        """Whether no request needs to be looked at."""
        return self.all_commands and self.all_keys and self.all_channels

    def set_all_commands(self, allowed: bool) -> None:
        """Allow all commands, those to come included, or none."""
        self.allowed = -1 if allowed else 0
        self.all_commands = allowed
        self.from_all = allowed
        self.first_arguments = {}
        self.rules = []

    def change(self, mask: int, allowed: bool, rule: bytes) -> None:
        """Allow or forbid the commands in `mask`; `rule`, without its sign, is what asked for it."""
        if allowed:
            self.allowed |= mask
        else:
            self.allowed &= ~mask
            self.all_commands = False
        for number in [number for number in self.first_arguments if mask >> number & 1]:
            del self.first_arguments[number]
        self._note(rule, allowed)

    def allow_first_argument(self, command: Command, argument: bytes) -> None:
        """Allow `command` where its first argument is `argument`, in any case."""
        words = self.first_arguments.setdefault(command.number, [])
        if argument.lower() not in words:
            words.append(argument.lower())
        self._note(command.name.encode() + b"|" + argument, True)

    def set_all_keys(self, allowed: bool) -> None:
        """Allow all keys, or none."""
        self.all_keys = allowed
        self.keys = {}

    def add_keys(self, pattern: bytes, permission: int) -> None:
        """Allow keys that match `pattern`; permissions of a pattern add up."""
        old = self.keys.get(pattern)
        self.keys[pattern] = KeyPattern(pattern, permission | (old.permission if old is not None else 0))

    def set_all_channels(self, allowed: bool) -> None:
        """Allow all channels, or none."""
        self.all_channels = allowed
        self.channels = {}

    def add_channels(self, pattern: bytes) -> None:
        """Allow channels that match `pattern`."""
        if pattern not in self.channels:
            self.channels[pattern] = Glob(pattern)

    def _note(self, rule: bytes, allowed: bool) -> None:
        rule = rule.lower()
        # A rule for a whole command makes those for its subcommands and first arguments superfluous.
        below = rule + b"|"
        self.rules = [old for old in self.rules if old[1:] != rule and not old[1:].startswith(below)]
        self.rules.append((b"+" if allowed else b"-") + rule)


def mask_of(command: Command) -> int:
    """The bits of a command and of its subcommands."""
    mask = 1 << command.number
    for sub in (command.subcommands or {}).values():
        mask |= 1 << sub.number
    return mask


class CategoryMasks:
    """The commands of each category as bits, counted anew when there are more commands."""

    def __init__(self) -> None:
        self._masks: dict[str, int] = {}
        self._counted = 0

    def get(self, category: str) -> int:
        """The bits of a category's commands, with all subcommands of those that are containers."""
        if self._counted != len(EVERY):
            self._counted = len(EVERY)
            self._masks = dict.fromkeys(CATEGORIES, 0)
            for command in EVERY:
                mask = mask_of(command)
                for name in command.categories():
                    self._masks[name] |= mask
        return self._masks[category]


CATEGORY_MASKS: Final = CategoryMasks()
