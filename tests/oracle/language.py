r"""The one-line form of a compatibility case.

A case is commands separated by `;`. A command is words as `redis-cli` takes them: bare, in single quotes,
or in double quotes with the escapes \n \r \t \a \b \" \\ and \xHH. Before a command, marks in square
brackets say how its replies are to be compared, when plain equality of bytes is asking too much, or who
sends it:

    SET a b EX 10; TTL a
    SADD s 1 2 3; [unordered] SMEMBERS s
    SET a b PX 100000; [near] PTTL a
    WATCH k; [other] SET k 1; MULTI; PING; EXEC

Marks of comparison, at most one:

    unordered  the elements of the outermost aggregate in any order (in a map: the pairs)
    near       integers may differ by up to 1000, all else is equal: times in milliseconds, and clocks
    shape      same types and lengths of aggregates, contents free: ids, addresses, sizes
    code       of errors only the first word counts
    kind       the first byte of the reply, and no more
    any        the replies are read and not compared

`other` makes a second client send the command. A line that begins with `#` is a comment.
"""

import re
from dataclasses import dataclass
from pathlib import Path

WORD = re.compile(rb"""\s*("(?:\\x[0-9a-fA-F]{2}|\\.|[^"\\])*"|'(?:\\'|[^'])*'|[^\s;"']+)(?=[\s;]|$)""")
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)")
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}
MARKS = re.compile(r"\s*\[([^\]]*)\]")
COMPARISONS = {"exact", "unordered", "near", "shape", "code", "kind", "any"}


@dataclass(frozen=True)
class Step:
    """One command of a case: its words, how replies are compared, whether the second client sends it."""

    argv: tuple[bytes, ...]
    comparison: str = "exact"
    other: bool = False

    def __str__(self) -> str:
        marks = [self.comparison] * (self.comparison != "exact") + ["other"] * self.other
        return f"[{', '.join(marks)}] " * bool(marks) + b" ".join(self.argv).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Case:
    """The steps of one line, and the place where that stands."""

    steps: tuple[Step, ...]
    place: str


def unescape(match: re.Match[bytes]) -> bytes:
    """Return the byte that an escape stands for."""
    name = match[1]
    return bytes([int(name[1:], 16)]) if len(name) == 3 else NAMED.get(name, name)


def parse_steps(line: str) -> tuple[Step, ...]:
    """Parse the commands of one line; raises `ValueError` with the text that cannot be understood."""
    steps = []
    while line.strip():
        comparison, other = "exact", False
        if marks := MARKS.match(line):
            line = line[marks.end() :]
            names = [name.strip() for name in marks[1].split(",")]
            other = "other" in names
            for name in names:
                if name in COMPARISONS:
                    comparison = name
                elif name != "other":
                    raise ValueError(f"unknown mark: {name}")
        argv, line = parse_words(line)
        steps.append(Step(argv, comparison, other))
    return tuple(steps)


def parse_words(line: str) -> tuple[tuple[bytes, ...], str]:
    """Take the words of the first command off `line`; returns them and the rest after its semicolon."""
    data, at, argv = line.encode(), 0, []
    while word := WORD.match(data, at):
        at = word.end()
        text = word[1]
        if text[:1] == b'"':
            text = ESCAPE.sub(unescape, text[1:-1])
        elif text[:1] == b"'":
            text = text[1:-1].replace(b"\\'", b"'")
        argv.append(text)
    rest = data[at:].strip()
    if not argv or (rest and rest[:1] != b";"):
        raise ValueError(f"no command: {data[at:].decode()!r} in {line!r}")
    return tuple(argv), rest[1:].decode()


def read_cases(folder: Path) -> list[Case]:
    """Read every `.txt` file below `folder`, a case a line."""
    cases = []
    for path in sorted(folder.rglob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                cases.append(Case(parse_steps(line), f"{path.relative_to(folder)}:{number}"))
    return cases
