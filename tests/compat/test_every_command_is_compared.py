"""No command enters aikv's table without a comparison with the oracle.

The list of commands is asked from the running aikv (COMMAND), subcommands included. A command counts as
compared if it stands in a line of `tests/compat/cases`, or if a test in `tests/compat` names it in a
string: `compare("GETEX k")`, or `send("CONFIG", "GET")`. Commands that the oracle does not have cannot be
compared with it; they are tested beside the room that holds them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hiredis

from oracle.language import parse_steps, read_cases
from oracle.pair import Pair
from oracle.process import ServerProcess

HERE = Path(__file__).parent

# What no two servers can be compared in, and where it is tested instead.
NOT_COMPARABLE = {
    "shutdown": "ends the server: tests/server",
}

# The functions of the harness whose constant arguments are commands.
SENDERS = {"compare", "send", "command"}


def commands_of(server: ServerProcess) -> set[str]:
    """Ask a server for the names of its commands and of their subcommands (`config|get`)."""
    with server.connect() as connection:
        reader = hiredis.Reader(encoding="latin-1")
        reader.feed(connection.command("COMMAND"))
    table: list[list[Any]] = reader.gets()
    names = set()
    for entry in table:
        subcommands = entry[9] if len(entry) > 9 else []
        # A container alone does nothing: its subcommands are what is compared.
        names |= {subcommand[0] for subcommand in subcommands} or {entry[0]}
    return {name.lower() for name in names}


def names_of(words: list[str]) -> set[str]:
    """Return the names a command may be listed under: with its first argument as subcommand, and without."""
    lowered = [word.lower() for word in words[:2]]
    return {lowered[0], "|".join(lowered)}


def compared_in_cases() -> Iterator[str]:
    """Yield the names of commands in the one-line cases."""
    for case in read_cases(HERE / "cases"):
        for step in case.steps:
            yield from names_of([word.decode("latin-1") for word in step.argv])


def compared_in_code() -> Iterator[str]:
    """Yield the names of commands in calls made by the tests of this folder."""
    for path in HERE.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in SENDERS:
                    yield from called_with(node)


def called_with(call: ast.Call) -> Iterator[str]:
    """Yield the names of commands among the constant arguments of one call: a line, or word by word."""
    words = []
    for argument in call.args:
        value = argument.value if isinstance(argument, ast.Constant) else None
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if not isinstance(text, str) or not text.strip():
            break
        words.append(text)
    if words:
        yield from names_of(words)
    for text in words:
        try:
            steps = parse_steps(text)
        except ValueError:
            continue  # A string that is no line of commands.
        for step in steps:
            yield from names_of([word.decode("latin-1") for word in step.argv])


def test_every_command_that_the_oracle_knows_is_compared(pair: Pair) -> None:
    ours, theirs = commands_of(pair.aikv), commands_of(pair.oracle)
    compared = {*compared_in_cases(), *compared_in_code()}
    missing = (ours & theirs) - compared - set(NOT_COMPARABLE)
    assert not missing, "write a line in tests/compat/cases for: " + ", ".join(sorted(missing))


def test_what_is_said_not_to_be_comparable_is_a_command(pair: Pair) -> None:
    assert set(NOT_COMPARABLE) <= commands_of(pair.oracle)
