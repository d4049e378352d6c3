"""One directive of the configuration, and short constructors for the tables.

Theory of operation: a `Directive` is a row. Its `kind` checks values; its flags say what CONFIG SET may do; `needs`
names a feature that aikv does not have yet: the directive is then accepted at its default value, so that a stock
redis.conf loads, and any other value is refused, because a server that takes a setting and ignores it deceives
its operator. A directive with the flag STORED has no effect here and can do no harm: a tuning knob of something that
works differently, or not at all, in aikv.
"""

from typing import Final

from aikv.engine.config.errors import InvalidValue
from aikv.engine.config.kinds import PLAIN, WRONG_NUMBER_OF_ARGUMENTS, Choice, Kind, Number, PartialKind, Text, YesNo

IMMUTABLE: Final = 1
SENSITIVE: Final = 2
HIDDEN: Final = 4
DENY_LOADING: Final = 8
PROTECTED: Final = 16
STORED: Final = 32


class Directive:
    """A row of the table of directives; `default` is a canonical text, `accepts` are further texts despite `needs`."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        default: bytes,
        summary: str,
        flags: int = 0,
        alias: str = "",
        needs: str = "",
        accepts: list[bytes] | None = None,
    ) -> None:
        self.name: Final = name
        self.kind: Final = kind
        self.default: Final = default
        self.summary: Final = summary
        self.flags: Final = flags
        self.alias: Final = alias
        self.needs: Final = needs
        self.accepts: Final = [default, *(accepts or [])]

    @property
    def acts(self) -> bool:
        """Whether a value that is accepted makes a difference to aikv."""
        return not self.flags & STORED and (not self.needs or len(self.accepts) > 1)

    def check(self, args: list[bytes], current: bytes) -> bytes:
        """The canonical text of `args`, given to a directive whose text is `current`. Raises `InvalidValue`."""
        if not self.kind.multi and len(args) != 1:
            raise InvalidValue(WRONG_NUMBER_OF_ARGUMENTS)
        kind = self.kind
        value = kind.onto(args, current) if isinstance(kind, PartialKind) else kind.parse(args)
        if self.needs and value not in self.accepts:
            raise InvalidValue(f"aikv does not support {self.needs} yet")
        return value


class Section:
    """A heading of the configuration file with its directives."""

    def __init__(self, title: str, directives: list[Directive]) -> None:
        self.title: Final = title
        self.directives: Final = directives


def yes_no(name: str, default: bool, summary: str, flags: int = 0, alias: str = "", needs: str = "") -> Directive:
    """A directive that is `yes` or `no`."""
    return Directive(name, YesNo(), b"yes" if default else b"no", summary, flags, alias, needs)


def number(
    name: str,
    default: int,
    low: int,
    high: int,
    summary: str,
    flags: int = 0,
    alias: str = "",
    needs: str = "",
    unit: int = PLAIN,
    clamp: tuple[int, int] | None = None,
) -> Directive:
    """A directive that is a number; see `Number`."""
    kind = Number(low, high, unit, clamp)
    return Directive(name, kind, kind.text(default), summary, flags, alias, needs)


def choice(
    name: str,
    names: list[str],
    default: str,
    summary: str,
    flags: int = 0,
    needs: str = "",
    accepts: list[bytes] | None = None,
) -> Directive:
    """A directive that is one word of `names`."""
    return Directive(name, Choice(names), default.encode(), summary, flags, "", needs, accepts)


def text(name: str, summary: str, flags: int = 0, alias: str = "", needs: str = "") -> Directive:
    """A directive that is a string, empty by default, and then left out of a configuration file."""
    return Directive(name, Text(nullable=True), b"", summary, flags, alias, needs)
