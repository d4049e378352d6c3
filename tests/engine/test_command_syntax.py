"""Syntax lines become the argument trees that clients read in COMMAND DOCS."""

from typing import Any

import pytest

from aikv import commands
from aikv.engine.command import COMMANDS, Command
from aikv.engine.command_syntax import Argument, arguments_of
from aikv.resp.reply import Pairs, SetOf, Status

# Commands that need one of several options, which the notation cannot say.
ALL_OPTIONAL = {"client|kill"}


def tree(argument: Argument) -> Any:
    """Return a node in a short form: name, type, and what else there is."""
    more: dict[str, Any] = {}
    if argument.token:
        more["token"] = argument.token
    if argument.key_spec >= 0:
        more["key"] = argument.key_spec
    if argument.flags:
        more["flags"] = " ".join(argument.flags)
    if argument.parts:
        more["parts"] = [tree(part) for part in argument.parts]
    return (argument.name, argument.kind, more)


def word(name: str, kind: str = "string", **more: Any) -> Any:
    """Return the short form of a node."""
    return (name, kind, more)


def token(text: str, **more: Any) -> Any:
    """Return the short form of a token that stands for itself."""
    return (text.lower(), "pure-token", {"token": text, **more})


@pytest.mark.parametrize(
    ("syntax", "expected"),
    [
        ("", []),
        ("key value", [word("key", "key", key=0), word("value")]),
        ("key [key ...]", [word("key", "key", key=0, flags="multiple")]),
        ("[section [section ...]]", [word("section", flags="multiple optional")]),
        ("[BY pattern]", [word("pattern", "pattern", token="BY", flags="optional")]),
        ("[NX | XX]", [word("nx_xx", "oneof", flags="optional", parts=[token("NX"), token("XX")])]),
        ("<ON | OFF>", [word("on_off", "oneof", parts=[token("ON"), token("OFF")])]),
        ("[WITHSCORES]", [token("WITHSCORES", flags="optional")]),
        (
            "[EX seconds | PERSIST]",
            [
                word(
                    "seconds_persist",
                    "oneof",
                    flags="optional",
                    parts=[word("seconds", "integer", token="EX"), token("PERSIST")],
                )
            ],
        ),
        (
            "[LIMIT offset count]",
            [
                word(
                    "limit",
                    "block",
                    token="LIMIT",
                    flags="optional",
                    parts=[word("offset", "integer"), word("count", "integer")],
                )
            ],
        ),
        (
            "score member [score member ...]",
            [word("score_member", "block", flags="multiple", parts=[word("score", "double"), word("member")])],
        ),
        (
            "[PREFIX prefix [PREFIX prefix ...]]",
            [word("prefix", token="PREFIX", flags="multiple multiple_token optional")],
        ),
        ("[ID client-id [client-id ...]]", [word("client-id", "integer", token="ID", flags="multiple optional")]),
        (
            "source destination [REPLACE]",
            [word("source", "key", key=0), word("destination", "key", key=1), token("REPLACE", flags="optional")],
        ),
        ("unix-time-seconds", [word("unix-time-seconds", "unix-time")]),
        ("TYPE <A | B>", [word("a_b", "oneof", token="TYPE", parts=[token("A"), token("B")])]),
    ],
)
def test_the_notation_of_the_manual_is_understood(syntax: str, expected: list[Any]) -> None:
    assert [tree(argument) for argument in arguments_of(syntax, 2)] == expected


@pytest.mark.parametrize("syntax", ["[a", "a]", "<a | b", "a | b", "[]", "<a | >"])
def test_a_line_that_is_no_syntax_is_refused(syntax: str) -> None:
    with pytest.raises(ValueError):
        arguments_of(syntax, 0)


def test_a_key_of_a_command_without_key_specifications_is_a_string() -> None:
    assert tree(arguments_of("key", 0)[0]) == word("key")


def test_a_node_is_sent_with_its_fields_in_the_order_of_the_manual() -> None:
    reply = arguments_of("[PREFIX prefix [PREFIX prefix ...]]", 0)[0].reply()
    assert isinstance(reply, Pairs)
    assert reply.items[:-1] == [
        *(b"name", b"prefix"),
        *(b"type", b"string"),
        *(b"display_text", b"prefix"),
        *(b"token", b"PREFIX"),
        b"flags",
    ]
    flags = reply.items[-1]
    assert isinstance(flags, SetOf)
    assert [flag.text for flag in flags.items if isinstance(flag, Status)] == [
        b"multiple",
        b"multiple_token",
        b"optional",
    ]


def all_commands() -> list[Command]:
    """Return every command and subcommand of the table."""
    commands.load()
    return [each for parent in COMMANDS.values() for each in [parent, *(parent.subcommands or {}).values()]]


def least_words(arguments: list[Argument]) -> int:
    """Return how many words a request needs for these arguments."""
    total = 0
    for argument in arguments:
        if "optional" in argument.flags:
            continue
        if argument.kind == "oneof":
            total += min(least_words([part]) for part in argument.parts)
        elif argument.parts:
            total += least_words(argument.parts)
        elif argument.kind != "pure-token":
            total += 1
        total += bool(argument.token)
    return total


@pytest.mark.parametrize("command", all_commands(), ids=lambda command: command.name)
def test_every_declared_syntax_needs_as_many_words_as_the_arity_says(command: Command) -> None:
    arguments = arguments_of(command.syntax, len(command.specs))
    assert bool(arguments) == bool(command.syntax)
    if command.subcommands is None and command.name not in ALL_OPTIONAL:
        assert least_words(arguments) == abs(command.arity) - 1 - command.name.count("|")
