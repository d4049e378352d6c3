"""What COMMAND says of a command is what the oracle says of it; its summary and syntax are our own."""

from typing import Any

import hiredis
import pytest

from oracle.pair import Pair
from oracle.process import ServerProcess

FIELDS = ["arity", "flags", "first key", "last key", "step", "ACL categories", "tips", "key specifications"]

# Where Redis 7.2 documents something else than the oracle does.
NEWER = {("zrank", "arity"), ("zrevrank", "arity")}
DOCUMENTED = {"summary", "since", "group"}


def ask(server: ServerProcess, *argv: str) -> Any:
    """Return the value of one reply."""
    reader = hiredis.Reader(encoding="latin-1", errors="strict")
    with server.connect() as connection:
        reader.feed(connection.command(*argv))
    return reader.gets()


def as_map(flat: list[Any]) -> dict[str, Any]:
    """Make a map of keys and values that alternate."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def key_specification(flat: list[Any]) -> dict[str, Any]:
    """Return a key specification; of its notes, which are prose, only whether there are any."""
    fields = as_map(flat)
    return {**fields, "notes": "notes" in fields, "flags": sorted(fields["flags"])}


def entries(server: ServerProcess) -> dict[str, list[Any]]:
    """Return arity to key specifications of every command and subcommand, what has no order sorted."""
    found = {}
    table = list(ask(server, "COMMAND"))
    while table:
        name, arity, flags, first, last, step, categories, tips, specs, subcommands = table.pop()
        table += subcommands
        specs = [key_specification(spec) for spec in specs]
        found[name] = [arity, sorted(flags), first, last, step, sorted(categories), sorted(tips), specs]
    return found


def test_every_command_is_declared_as_the_oracle_declares_it(pair: Pair) -> None:
    theirs, ours = entries(pair.oracle), entries(pair.aikv)
    different = []
    for name in sorted(theirs.keys() & ours.keys()):
        for field, their, our in zip(FIELDS, theirs[name], ours[name], strict=True):
            if their != our and (name, field) not in NEWER:
                different.append(f"{name}: {field}: redis {their}, aikv {our}")
    assert not different, "\n".join(different)


def test_every_command_that_the_oracle_knows_stands_in_the_same_group_since_the_same_version(pair: Pair) -> None:
    theirs, ours = as_map(ask(pair.oracle, "COMMAND", "DOCS")), as_map(ask(pair.aikv, "COMMAND", "DOCS"))
    different = []
    for name in sorted(theirs.keys() & ours.keys()):
        their, our = as_map(theirs[name]), as_map(ours[name])
        for field in ("since", "group"):
            if their[field] != our[field]:
                different.append(f"{name}: {field}: redis {their[field]}, aikv {our[field]}")
    assert not different, "\n".join(different)


# What the oracle has and aikv does not, or only in part: by name, containers with all their subcommands.
ABSENT = {
    *("cluster", "replicaof", "slaveof", "psync", "sync", "replconf", "failover", "role"),
    *("fcall", "fcall_ro", "function"),
}


def test_no_command_of_the_oracle_is_missing(pair: Pair) -> None:
    missing = entries(pair.oracle).keys() - entries(pair.aikv).keys()
    assert {name for name in missing if name not in ABSENT and name.split("|")[0] not in ABSENT} == set()


# Redis 7.2 advises against these, too.
NEWLY_DEPRECATED = {"quit"}


def past(server: ServerProcess) -> dict[str, dict[str, Any]]:
    """Return what COMMAND DOCS says of former versions, by command or subcommand: facts, not their wording."""
    found: dict[str, dict[str, Any]] = {}
    table = list(as_map(ask(server, "COMMAND", "DOCS")).items())
    while table:
        name, flat = table.pop()
        fields = as_map(flat)
        table += as_map(fields.get("subcommands", [])).items()
        found[name] = {field: fields.get(field) for field in ("doc_flags", "deprecated_since", "replaced_by")}
        found[name]["history"] = [version for version, _ in fields.get("history", [])]
    return found


def test_the_past_of_a_command_is_that_of_the_oracle(pair: Pair) -> None:
    theirs, ours = past(pair.oracle), past(pair.aikv)
    common = (theirs.keys() & ours.keys()) - NEWLY_DEPRECATED
    assert {name: ours[name] for name in common} == {name: theirs[name] for name in common}


def test_documentation_has_the_oracles_fields_in_its_order(pair: Pair) -> None:
    theirs, ours = as_map(ask(pair.oracle, "COMMAND", "DOCS")), as_map(ask(pair.aikv, "COMMAND", "DOCS"))
    for name in theirs.keys() & ours.keys() - NEWLY_DEPRECATED:
        # The oracle does not say that DEBUG takes arguments.
        our = [field for field in ours[name][::2] if (name, field) != ("debug", "arguments")]
        assert our == theirs[name][::2], name


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_cli_style_clients_can_read_the_documentation(pair: Pair, protocol: int) -> None:
    reader = hiredis.Reader(encoding="utf-8")
    with pair.aikv.connect(protocol) as connection:
        reader.feed(connection.command("COMMAND", "DOCS"))
    reply = reader.gets()
    docs = reply if isinstance(reply, dict) else as_map(reply)
    for name, entry in docs.items():
        fields = entry if isinstance(entry, dict) else as_map(entry)
        assert fields.keys() >= DOCUMENTED, name


def test_info_of_one_command_has_the_oracles_form_in_both_protocols(pair: Pair) -> None:
    pair.compare("COMMAND INFO get nosuch config|get", "COMMAND INFO mset", "COMMAND INFO debug")


def test_the_list_of_commands_names_subcommands_too(pair: Pair) -> None:
    for server in (pair.oracle, pair.aikv):
        assert sorted(ask(server, "COMMAND", "LIST")) == sorted(entries(server))
