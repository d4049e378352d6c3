"""How the value of a directive is checked, written down and read: the plain kinds.

Theory of operation: a `Kind` turns the arguments of one configuration line into the canonical text that CONFIG GET
answers, or refuses them with redis-server's reason. The text alone is kept; `lines` gives it back in the form that a
configuration file takes, where sizes have units and strings have quotes. Kinds hold no state of a server, so one
table of directives serves every `Config` of the process.
"""

import re
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.base.numbers import parse_i64
from aikv.base.quote import repr_bytes
from aikv.base.units import parse_memory
from aikv.engine.config.errors import InvalidValue

WRONG_NUMBER_OF_ARGUMENTS: Final = "wrong number of arguments"

PLAIN: Final = 0
MEMORY: Final = 1
MEMORY_OR_PERCENT: Final = 2
OCTAL: Final = 3

INT_MAX: Final = 2**31 - 1
LONG_MAX: Final = 2**63 - 1

_UNITS: Final = ((1 << 30, b"gb"), (1 << 20, b"mb"), (1 << 10, b"kb"))
_PERCENT: Final = re.compile(rb"(\d+)%")
# A doubled brace stands for itself.
_TITLE: Final = re.compile(
    rb"(?:[^{]|\{\{|\{(?:title|listen-addr|server-mode|port|tls-port|unixsocket|config-file)\})+", re.DOTALL
)


@mypyc_attr(allow_interpreted_subclasses=True)
class Kind:
    """What all values of one sort have in common.

    `multi`: takes any number of arguments, which CONFIG SET separates by single spaces. `accumulates`: when a
    configuration is loaded, the first line replaces the default and further lines add to it.
    """

    def __init__(self, multi: bool = False, accumulates: bool = False) -> None:
        self.multi: Final = multi
        self.accumulates: Final = accumulates

    def parse(self, args: list[bytes]) -> bytes:
        """The canonical text of the arguments. Raises `InvalidValue`."""
        raise NotImplementedError

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        """The value as arguments in a configuration file, one entry per line; none means: leave the name out.

        The flag of a line says whether the file must have it, which it need not where the default says the same.
        """
        return [(value, value != default)]


@mypyc_attr(allow_interpreted_subclasses=True)
class PartialKind(Kind):
    """A kind whose arguments change a value in parts, or start from it."""

    def onto(self, args: list[bytes], current: bytes) -> bytes:
        """The canonical text after the arguments were applied to the text `current`. Raises `InvalidValue`."""
        raise NotImplementedError


class YesNo(Kind):
    """`yes` or `no`."""

    def parse(self, args: list[bytes]) -> bytes:
        value = args[0].lower()
        if value not in (b"yes", b"no"):
            raise InvalidValue("argument must be 'yes' or 'no'")
        return value


class Choice(Kind):
    """One word of a list, in any case."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names: Final = [name.encode() for name in names]

    def parse(self, args: list[bytes]) -> bytes:
        value = args[0].lower()
        if value not in self.names:
            raise InvalidValue(one_of(self.names))
        return value


class Number(Kind):
    """A whole number from `low` to `high` in one of the units PLAIN, MEMORY (bytes), MEMORY_OR_PERCENT, OCTAL.

    A percentage is a negative number to programs. Values beyond `clamp` (a pair) are accepted and moved inside.
    """

    def __init__(self, low: int, high: int, unit: int = PLAIN, clamp: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.low: Final = low
        self.high: Final = high
        self.unit: Final = unit
        self.clamp: Final = clamp

    def parse(self, args: list[bytes]) -> bytes:
        number = self._number(args[0])
        if self.unit == MEMORY_OR_PERCENT and number < 0:
            if number < self.low:
                raise InvalidValue(f"percentage argument must be less or equal to {-self.low}")
        elif not self.low <= number <= self.high:
            low, high = (oct(self.low)[2:], oct(self.high)[2:]) if self.unit == OCTAL else (self.low, self.high)
            raise InvalidValue(f"argument must be between {low} and {high} inclusive")
        if self.clamp is not None:
            number = min(max(number, self.clamp[0]), self.clamp[1])
        return self.text(number)

    def text(self, number: int) -> bytes:
        """The canonical text of `number`."""
        if self.unit == OCTAL:
            return b"%o" % number
        if self.unit == MEMORY_OR_PERCENT and number < 0:
            return b"%d%%" % -number
        return b"%d" % number

    def value(self, text: bytes) -> int:
        """The number of a canonical text."""
        if self.unit == OCTAL:
            return int(text, 8)
        return -int(text[:-1]) if text.endswith(b"%") else int(text)

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        if self.unit in (MEMORY, MEMORY_OR_PERCENT) and not value.endswith(b"%"):
            return [(memory_text(int(value)), value != default)]
        return [(value, value != default)]

    def _number(self, text: bytes) -> int:
        if self.unit == OCTAL:
            if re.fullmatch(rb"[0-7]+", text) is None:
                raise InvalidValue("argument couldn't be parsed as an octal number")
            return int(text, 8)
        if self.unit == PLAIN:
            number = parse_i64(text)
            if number is None:
                raise InvalidValue("argument couldn't be parsed into an integer")
            return number
        size = memory_size(text)
        if size is not None:
            return size
        if self.unit == MEMORY:
            raise InvalidValue("argument must be a memory value")
        percent = _PERCENT.fullmatch(text)
        if percent is None:
            raise InvalidValue("argument must be a memory or percent value")
        return -int(percent[1])


class Text(Kind):
    """Any string without NUL bytes. `nullable` ones are left out of a configuration file while they are empty."""

    def __init__(self, nullable: bool = False) -> None:
        super().__init__()
        self.nullable: Final = nullable

    def parse(self, args: list[bytes]) -> bytes:
        if b"\0" in args[0]:
            raise InvalidValue("argument can't contain NUL bytes")
        return args[0]

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        if self.nullable and not value:
            return []
        return [(repr_bytes(value), value != default)]


class Secret(Text):
    """A password: any bytes at all."""

    def __init__(self) -> None:
        super().__init__(nullable=True)

    def parse(self, args: list[bytes]) -> bytes:
        return args[0]


class FileName(Text):
    """The name of a file in `dir`, never a path. `what` is how redis-server's reason calls it."""

    def __init__(self, name: str, what: str, empty: bool = False) -> None:
        super().__init__()
        self.name: Final = name
        self.what: Final = what
        self.empty: Final = empty

    def parse(self, args: list[bytes]) -> bytes:
        value = super().parse(args)
        if not value and not self.empty:
            raise InvalidValue(f"{self.name} can't be empty")
        if b"/" in value or b"\\" in value:
            raise InvalidValue(f"{self.name} can't be a path, just a {self.what}")
        return value


class HostName(Text):
    """A host name as cluster nodes announce it."""

    def parse(self, args: list[bytes]) -> bytes:
        if len(args[0]) >= 256:
            raise InvalidValue("Hostnames must be less than 256 characters")
        if re.fullmatch(rb"[A-Za-z0-9.-]*", args[0]) is None:
            raise InvalidValue("Hostnames may only contain alphanumeric characters, hyphens or dots")
        return args[0]


class TitleTemplate(Text):
    """The process title with `{variables}`."""

    def parse(self, args: list[bytes]) -> bytes:
        if _TITLE.fullmatch(args[0]) is None:
            raise InvalidValue("template format is invalid or contains unknown variables")
        return super().parse(args)


def one_of(names: list[bytes]) -> str:
    """redis-server's reason for a word that is none of `names`."""
    return "argument(s) must be one of the following: " + b", ".join(names).decode()


def memory_size(text: bytes) -> int | None:
    """Bytes of a size such as ``64mb``; None if it is none.

    redis-server also takes a unit without a number, and nothing at all, for 0; here these are errors.
    """
    return parse_memory(text.decode("latin-1")) if text[:1].isdigit() else None


def memory_text(size: int) -> bytes:
    """`size` bytes with the largest unit that divides it, as CONFIG REWRITE writes sizes."""
    for factor, unit in _UNITS:
        if size and size % factor == 0:
            return b"%d%s" % (size // factor, unit)
    return b"%d" % size


def loose_integer(text: bytes) -> int | None:
    """A decimal number with optional sign and leading zeros, as C's strtoll takes it; None if it is none."""
    return int(text) if re.fullmatch(rb"[+-]?[0-9]+", text) else None
