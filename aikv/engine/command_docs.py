"""The command table as COMMAND shows it: INFO, DOCS, LIST, and the keys of a request.

Theory of operation: everything is read from the declarations. Flags, categories and key specifications are sets and
maps in RESP3, arrays in RESP2.
Source of the forms: https://redis.io/docs/latest/commands/command/
"""

from typing import Final

from aikv.engine.command import Command
from aikv.engine.command_history import DEPRECATED, HISTORY, INTERNAL, NOTES
from aikv.engine.command_syntax import arguments_of
from aikv.engine.keyspec import KeySpec
from aikv.resp.reply import Pairs, SetOf, Status

_NO_RANGE: Final = (0, 0, 0)
_BITFIELD_WRITES: Final = (b"SET", b"INCRBY")


def entry(command: Command | None) -> object:
    """One element of COMMAND and COMMAND INFO; null for an unknown command."""
    if command is None:
        return None
    first, last, step = legacy_range(command.specs)
    subcommands: list[object] = [entry(each) for each in (command.subcommands or {}).values()]
    notes = NOTES.get(command.name, {})
    specs: list[object] = [_spec(spec, notes.get(index, "")) for index, spec in enumerate(command.specs)]
    tips: list[object] = [tip.encode() for tip in command.tips]
    return [
        command.name.encode(),
        command.arity,
        _statuses(command.flag_names()),
        first,
        last,
        step,
        _statuses(["@" + category for category in command.categories()]),
        SetOf(tips),
        SetOf(specs),
        subcommands if subcommands else SetOf([]),
    ]


def _statuses(names: list[str]) -> SetOf:
    statuses: list[object] = [Status(name.encode()) for name in names]
    return SetOf(statuses)


def _spec(spec: KeySpec, notes: str) -> Pairs:
    flags, begin, begin_fields, find, find_fields = spec.describe()
    noted: list[object] = [b"notes", notes.encode()] if notes else []
    return Pairs(
        [
            *noted,
            b"flags",
            _statuses(flags),
            b"begin_search",
            _search(begin, begin_fields),
            b"find_keys",
            _search(find, find_fields),
        ]
    )


def _search(kind: str, fields: list[tuple[str, object]]) -> Pairs:
    items: list[object] = []
    for name, value in fields:
        items += [name.encode(), value]
    return Pairs([b"type", kind.encode(), b"spec", Pairs(items)])


def legacy_range(specs: tuple[KeySpec, ...]) -> tuple[int, int, int]:
    """First key, last key and step, as clients older than key specifications want them; zeros for none.

    Several specifications are told as one range where they are ranges of single steps that touch.
    """
    ranges = [found for found in map(_range_of, specs) if found != _NO_RANGE]
    if len(specs) == 1 and ranges:
        return ranges[0]
    first = 0
    last = 0
    for begin, end, step in ranges:
        if step != 1 or (last and last != begin - 1):
            return _NO_RANGE
        first = min(first, begin) if first else begin
        # A range to the end (negative) reaches farther than any other.
        last = end if end < 0 or 0 <= last < end else last
    return (first, last, 1) if first else _NO_RANGE


def _range_of(spec: KeySpec) -> tuple[int, int, int]:
    _, begin, _, find, _ = spec.describe()
    if begin != "index" or find != "range":
        return _NO_RANGE
    return spec.index, spec.index + spec.last if spec.last >= 0 else spec.last, spec.step


def documentation(command: Command) -> Pairs:
    """One value of COMMAND DOCS."""
    items: list[object] = [
        b"summary",
        command.summary.encode(),
        b"since",
        command.since.encode(),
        b"group",
        command.group.encode(),
    ]
    if command.complexity:
        items += [b"complexity", command.complexity.encode()]
    items += _past(command.name)
    if command.syntax:
        arguments: list[object] = [each.reply() for each in arguments_of(command.syntax, len(command.specs))]
        items += [b"arguments", arguments]
    if command.subcommands is not None:
        subcommands: list[object] = []
        for each in command.subcommands.values():
            subcommands += [each.name.encode(), documentation(each)]
        items += [b"subcommands", Pairs(subcommands)]
    return Pairs(items)


def _past(name: str) -> list[object]:
    """What COMMAND DOCS says of a command's standing and of former versions."""
    items: list[object] = []
    replaced = DEPRECATED.get(name)
    if name in INTERNAL:
        items += [b"doc_flags", _statuses(["syscmd"])]
    if replaced is not None:
        items += [b"doc_flags", _statuses(["deprecated"])]
        items += [b"deprecated_since", replaced[0].encode(), b"replaced_by", replaced[1].encode()]
    if name in HISTORY:
        changes: list[object] = []
        for version, change in HISTORY[name]:
            pair: list[object] = [version.encode(), change.encode()]
            changes.append(pair)
        items += [b"history", SetOf(changes)]
    return items


def has_keys(command: Command) -> bool:
    """Whether requests of `command` may name keys."""
    return command.keys_of is not None or any("not_key" not in spec.flags for spec in command.specs)


def keys_with_flags(command: Command, argv: list[bytes]) -> list[tuple[bytes, list[str]]] | None:
    """The keys of a request and what `command` does with each; None where the arguments are wrong."""
    found = positions_with_flags(command, argv)
    return [(argv[position], flags) for position, flags in found] if found is not None else None


def positions_with_flags(command: Command, argv: list[bytes]) -> list[tuple[int, list[str]]] | None:
    """As `keys_with_flags`, with the places of the keys in `argv`."""
    positions = command.key_positions(argv)
    if positions is None:
        return None
    flags: dict[int, list[str]] = {}
    for spec in command.specs:
        for position in spec.positions(argv) or []:
            flags.setdefault(position, _flags_of(command, spec, argv))
    # What no specification finds, but `keys_of` does, is what the last one is about.
    usual = _flags_of(command, command.specs[-1], argv) if command.specs else []
    return [(position, flags.get(position, usual)) for position in positions]


def _flags_of(command: Command, spec: KeySpec, argv: list[bytes]) -> list[str]:
    """The flags of `spec` for this request: those of SET and BITFIELD depend on its options."""
    if "variable_flags" not in spec.flags:
        # That others may not find all keys is no matter of one request.
        return [flag for flag in spec.flags if flag != "incomplete"]
    options = [argument.upper() for argument in argv[2:]]
    if command.name == "set" and b"GET" not in options[1:]:
        return ["OW", "update"]
    if command.name == "bitfield" and not any(option in _BITFIELD_WRITES for option in options):
        return ["RO", "access"]
    return [flag for flag in spec.flags if flag != "variable_flags"]
