"""From a command's syntax line to the tree of arguments that COMMAND DOCS describes.

Theory of operation: the manual's notation is a small grammar: words in lower case are arguments, other words are
tokens, `[a]` is optional, `<a | b>` and `[a | b]` are choices, and `a [a ...]` says that what precedes may be
repeated. A recursive descent over it gives the tree; a token in front of a single argument becomes that argument's
token. The type of an argument follows from its name.
Source of the tree's form: https://redis.io/docs/latest/commands/command-docs/
"""

import re
from typing import Final

from aikv.resp.reply import Pairs, SetOf, Status

_PIECES: Final = re.compile(r"\.\.\.|[][<>|]|[^][<>|\s]+")
_ARGUMENT: Final = re.compile(r"[a-z][a-z0-9:._-]*")

_KEYS: Final = frozenset(
    {"key", "key1", "key2", "newkey", "source", "destination", "destkey", "sourcekey", "srckey", "store-key"}
)
_INTEGERS: Final = frozenset(
    {
        "count", "cursor", "offset", "index", "index1", "index2", "start", "end", "stop", "increment", "decrement",
        "seconds", "milliseconds", "timeout", "ttl", "db", "destination-db", "protover", "client-id", "numkeys",
        "numreplicas", "numlocal", "numslaves", "len", "min-match-len", "bit", "limit", "port", "rank", "num-matches",
        "threshold", "version", "columns", "rows", "frequency", "min-idle-time", "maxlen", "iterations",
    }
)  # fmt: skip
_DOUBLES: Final = frozenset({"score", "longitude", "latitude", "radius", "width", "height", "weight", "min", "max"})


class Argument:
    """A node of the tree. `kind` is Redis's `type`; `key_spec` is -1 where the argument is no key."""

    def __init__(self, name: str, kind: str, token: str = "", parts: "list[Argument] | None" = None) -> None:
        self.name = name
        self.kind = kind
        self.token = token
        self.parts: list[Argument] = parts if parts is not None else []
        self.key_spec = -1
        self.flags: list[str] = []

    def flag(self, name: str) -> None:
        """Set a flag once."""
        if name not in self.flags:
            self.flags.append(name)

    def reply(self) -> Pairs:
        """The node as COMMAND DOCS sends it."""
        items: list[object] = [b"name", self.name.encode(), b"type", self.kind.encode()]
        if not self.parts:
            items += [b"display_text", self.name.encode()]
        if self.key_spec >= 0:
            items += [b"key_spec_index", self.key_spec]
        if self.token:
            items += [b"token", self.token.encode()]
        if self.flags:
            names: list[object] = [Status(flag.encode()) for flag in self.flags]
            items += [b"flags", SetOf(names)]
        if self.parts:
            parts: list[object] = [part.reply() for part in self.parts]
            items += [b"arguments", parts]
        return Pairs(items)


def arguments_of(syntax: str, key_specs: int) -> list[Argument]:
    """The arguments that `syntax` names, for a command with so many key specifications.

    Raises ValueError for a line that does not follow the notation.
    """
    parser = _Parser(_PIECES.findall(syntax))
    found = parser.sequence()
    if parser.peek():
        raise ValueError(f"'{parser.peek()}' is out of place in: {syntax}")
    _number_keys(found, key_specs, 0)
    return found


class _Parser:
    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._at = 0
        # Whether the sequence that was read last ended with `...`.
        self._repeats = False

    def peek(self) -> str:
        """The next piece; empty at the end."""
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _next(self) -> str:
        piece = self.peek()
        self._at += 1
        return piece

    def sequence(self) -> list[Argument]:
        """Read arguments up to the end of the group that they are in."""
        found: list[Argument] = []
        token = ""
        repeats = False
        while self.peek() not in ("", "]", ">", "|"):
            piece = self._next()
            if piece == "...":
                repeats = True
            elif piece == "[":
                token = _flush(found, token)
                self._optional(found)
            elif piece == "<":
                group = self._group(">")
                group.token = token
                token = ""
                found.append(group)
            elif _ARGUMENT.fullmatch(piece) is None:
                _flush(found, token)
                token = piece
            else:
                found.append(Argument(piece, _kind(piece), token))
                token = ""
        _flush(found, token)
        self._repeats = repeats
        return found

    def _optional(self, found: list[Argument]) -> None:
        """Read what stands in square brackets: an optional argument, or a repetition of what precedes."""
        group = self._group("]")
        repeated = group.parts if group.kind == "block" else [group]
        count = len(repeated)
        if self._repeats and [part.name for part in found[-count:]] == [part.name for part in repeated]:
            with_token = bool(repeated[0].token)
            if count > 1:
                found[-count:] = [_block(found[-count:])]
            found[-1].flag("multiple")
            if with_token:
                found[-1].flag("multiple_token")
            return
        group.flag("optional")
        if self._repeats:
            group.flag("multiple")
        found.append(group)

    def _group(self, closing: str) -> Argument:
        choices = [_block(self.sequence())]
        repeats = self._repeats
        while self.peek() == "|":
            self._next()
            choices.append(_block(self.sequence()))
        if self._next() != closing:
            raise ValueError(f"'{closing}' is missing in: {' '.join(self._pieces)}")
        self._repeats = repeats
        if len(choices) == 1:
            return choices[0]
        return Argument("_".join(choice.name for choice in choices), "oneof", "", choices)


def _flush(found: list[Argument], token: str) -> str:
    """A token that no argument follows stands for itself."""
    if token:
        found.append(Argument(token.lower(), "pure-token", token))
    return ""


def _block(parts: list[Argument]) -> Argument:
    """Several arguments as one."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        raise ValueError("a group is empty")
    token = parts[0].token
    if token and parts[0].kind != "pure-token" and not any(part.token for part in parts[1:]):
        # `LIMIT offset count`: the token is that of all of them.
        parts[0].token = ""
        return Argument(token.lower(), "block", token, parts)
    return Argument("_".join(part.name for part in parts), "block", "", parts)


def _kind(name: str) -> str:
    if name in _KEYS:
        return "key"
    if name in _INTEGERS:
        return "integer"
    if name in _DOUBLES:
        return "double"
    if name.startswith("unix-time"):
        return "unix-time"
    return "pattern" if name == "pattern" else "string"


def _number_keys(arguments: list[Argument], key_specs: int, number: int) -> int:
    """Give every key the number of its specification, in order; returns the next number."""
    for argument in arguments:
        if argument.parts:
            number = _number_keys(argument.parts, key_specs, number)
        elif argument.kind == "key" and key_specs == 0:
            argument.kind = "string"
        elif argument.kind == "key":
            argument.key_spec = min(number, key_specs - 1)
            number += 1
    return number
