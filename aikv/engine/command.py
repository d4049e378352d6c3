"""The command table: what a command is, and how one is declared.

Theory of operation: `@command` puts a `Command` into `COMMANDS` when its module is imported and leaves the function
as it is. Everything that is known of a command stands in that one declaration, and everything else is derived from
it: arity and gates at dispatch, COMMAND INFO, DOCS and GETKEYS, HELP, ACL categories, the documentation, the list of
tests.

A name with a bar (`CLIENT|KILL`) declares a subcommand; its container is declared by `container`. Names are kept in
lower case, as Redis's errors and replies give them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from aikv.engine import gates
from aikv.engine.keyspec import KeySpec
from aikv.engine.latency_histogram import LatencyHistogram

if TYPE_CHECKING:
    from aikv.engine.context import Context

Handler = Callable[["Context", list[bytes]], object]

WRITE: Final = 1 << 0
READONLY: Final = 1 << 1
DENYOOM: Final = 1 << 2
MODULE: Final = 1 << 3
ADMIN: Final = 1 << 4
PUBSUB: Final = 1 << 5
NOSCRIPT: Final = 1 << 6
BLOCKING: Final = 1 << 7
LOADING: Final = 1 << 8
STALE: Final = 1 << 9
SKIP_MONITOR: Final = 1 << 10
SKIP_SLOWLOG: Final = 1 << 11
ASKING: Final = 1 << 12
FAST: Final = 1 << 13
NO_AUTH: Final = 1 << 14
MAY_REPLICATE: Final = 1 << 15
NO_MANDATORY_KEYS: Final = 1 << 16
NO_ASYNC_LOADING: Final = 1 << 17
NO_MULTI: Final = 1 << 18
MOVABLE_KEYS: Final = 1 << 19
ALLOW_BUSY: Final = 1 << 20
# Not told to anybody: the command runs scripts.
RUNS_SCRIPTS: Final = 1 << 21

# In the order in which COMMAND INFO lists them.
FLAG_NAMES: Final[list[str]] = [
    "write",
    "readonly",
    "denyoom",
    "module",
    "admin",
    "pubsub",
    "noscript",
    "blocking",
    "loading",
    "stale",
    "skip_monitor",
    "skip_slowlog",
    "asking",
    "fast",
    "no_auth",
    "may_replicate",
    "no_mandatory_keys",
    "no_async_loading",
    "no_multi",
    "movablekeys",
    "allow_busy",
]

CATEGORIES: Final[list[str]] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
]

_GROUP_CATEGORY: Final[dict[str, str]] = {
    "generic": "keyspace",
    "string": "string",
    "list": "list",
    "hash": "hash",
    "set": "set",
    "sorted-set": "sortedset",
    "stream": "stream",
    "bitmap": "bitmap",
    "hyperloglog": "hyperloglog",
    "geo": "geo",
    "pubsub": "pubsub",
    "transactions": "transaction",
    "connection": "connection",
    "scripting": "scripting",
}

_MANY: Final = 1 << 30


class Command:
    """One command or subcommand: its declaration and its counters.

    `arity` counts the name; a negative one is a minimum. `cares` is the set of gates (`engine.gates`) that
    concern it. `keys_of`, where given, finds the keys that `specs` cannot describe.
    """

    def __init__(
        self,
        name: str,
        handler: Handler | None,
        arity: int,
        flags: int,
        specs: tuple[KeySpec, ...],
        group: str,
        since: str,
        complexity: str,
        summary: str,
        syntax: str,
        acl: str | None,
        tips: tuple[str, ...],
        keys_of: Callable[[list[bytes]], list[int] | None] | None,
    ) -> None:
        self.name: Final = name
        self.is_subcommand: Final = "|" in name
        # Its place in `EVERY`.
        self.number = 0
        self.handler = handler
        self.arity: Final = arity
        self.least: i64 = arity if arity > 0 else -arity
        self.most: i64 = arity if arity > 0 else _MANY
        self.flags: i64 = flags
        self.cares: i64 = gates.cares(
            bool(flags & NO_AUTH),
            # PING too, so that whoever asks after the server learns that it refuses writes.
            bool(flags & WRITE) or name == "ping",
            name in gates.PASS_MULTI,
            bool(flags & READONLY),
            bool(flags & ALLOW_BUSY),
        )
        self.specs: Final = specs
        self.group: Final = group
        self.since: Final = since
        self.complexity: Final = complexity
        self.summary: Final = summary
        self.syntax: Final = syntax
        self.acl: Final = acl
        self.tips: Final = tips
        self.keys_of: Final = keys_of
        self.subcommands: dict[bytes, Command] | None = None
        self.calls: i64 = 0
        self.spent_ns: i64 = 0
        self.rejected: i64 = 0
        self.failed: i64 = 0
        # The calls that took long enough to measure, while they are tracked; and how many calls were not tracked.
        self.latencies: LatencyHistogram | None = None
        self._tracked = False
        self._untracked: i64 = 0

    def reset_stats(self) -> None:
        """Set the counters to zero."""
        self.calls = 0
        self.spent_ns = 0
        self.rejected = 0
        self.failed = 0
        self.latencies = None
        self._untracked = 0

    def track(self, tracked: bool) -> None:
        """Let the calls from now on belong to the distribution of latencies, or not."""
        if tracked != self._tracked:
            self._tracked = tracked
            self._untracked += self.calls if tracked else -self.calls

    def instant_calls(self) -> int:
        """Number of tracked calls that were too short to measure."""
        tracked: i64 = self.calls - self._untracked if self._tracked else -self._untracked
        return max(0, tracked - (self.latencies.recorded() if self.latencies is not None else 0))

    def flag_names(self) -> list[str]:
        """The flags as COMMAND INFO names them; it does not tell of MAY_REPLICATE."""
        return [name for bit, name in enumerate(FLAG_NAMES) if self.flags & ~MAY_REPLICATE & 1 << bit]

    def categories(self) -> list[str]:
        """ACL categories without the `@`, those that follow from flags included."""
        named = set(self.acl.split() if self.acl is not None else [_GROUP_CATEGORY.get(self.group, "")])
        if self.flags & WRITE:
            named.add("write")
        if self.flags & READONLY and self.group != "scripting":
            named.add("read")
        if self.flags & ADMIN:
            named |= {"admin", "dangerous"}
        if self.flags & PUBSUB:
            named.add("pubsub")
        if self.flags & BLOCKING:
            named.add("blocking")
        named.add("fast" if self.flags & FAST else "slow")
        return [category for category in CATEGORIES if category in named]

    def key_positions(self, argv: list[bytes]) -> list[int] | None:
        """Indexes of the keys in `argv`; None where the arguments are wrong. Empty for a command without keys."""
        if self.keys_of is not None:
            return self.keys_of(argv)
        found: list[int] = []
        for spec in self.specs:
            if "not_key" in spec.flags:
                continue
            positions = spec.positions(argv)
            if positions is None:
                return None
            found += positions
        return found


COMMANDS: Final[dict[bytes, Command]] = {}
# All commands and subcommands in the order of declaration; ACL rules are sets of their numbers.
EVERY: Final[list[Command]] = []


def command(
    name: str,
    arity: int,
    flags: int,
    group: str,
    since: str,
    complexity: str,
    summary: str,
    keys: tuple[KeySpec, ...] = (),
    syntax: str = "",
    acl: str | None = None,
    tips: tuple[str, ...] = (),
    keys_of: Callable[[list[bytes]], list[int] | None] | None = None,
) -> Callable[[Handler], Handler]:
    """Declare a command.

    `name` is in upper case, `CONTAINER|SUB` for a subcommand. `syntax` is the arguments behind the name in the
    notation of Redis's manual. `acl` names categories that follow neither from flags nor from the group, and
    replaces the group's. Raises ValueError for a name that is already taken.
    """

    def declare(handler: Handler) -> Handler:
        _add(
            Command(
                name.lower(),
                handler,
                arity,
                flags,
                keys,
                group,
                since,
                complexity,
                summary,
                syntax,
                acl,
                tips,
                keys_of,
            )
        )
        return handler

    return declare


def container(
    name: str, group: str, since: str, summary: str, acl: str | None = None, flags: int = 0, arity: int = -2
) -> None:
    """Declare a command that only holds subcommands; must come before them."""
    parent = Command(
        name.lower(),
        None,
        arity,
        flags,
        (),
        group,
        since,
        "Depends on subcommand.",
        summary,
        "",
        acl,
        (),
        None,
    )
    parent.subcommands = {}
    _add(parent)


def _add(entry: Command) -> None:
    parent_name, bar, sub = entry.name.encode().partition(b"|")
    table = COMMANDS
    key = parent_name
    if bar:
        subcommands = COMMANDS[parent_name].subcommands
        if subcommands is None:
            raise ValueError(f"{parent_name.decode()} is no container")
        table = subcommands
        key = sub
    if key in table:
        raise ValueError(f"command {entry.name} is declared twice")
    table[key] = entry
    entry.number = len(EVERY)
    EVERY.append(entry)
