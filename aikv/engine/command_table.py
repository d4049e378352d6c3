"""The commands of one engine, by name: renaming and finding one, and what all of them have counted.

Theory of operation: an engine has a dictionary of its own, from names in lower case to commands, because
`rename-command` may have changed it; a container holds its subcommands in another. Pure functions of that dictionary.
"""

from aikv.engine.command import Command
from aikv.engine.config.store import RenamedCommand


def renamed(table: dict[bytes, Command], renames: list[RenamedCommand]) -> dict[bytes, Command]:
    """A copy of `table` with `rename-command` lines applied; an empty new name removes the command.

    Raises ConfigError for a command that does not exist or a name that is taken.
    """
    result = dict(table)
    for rename in renames:
        entry = result.pop(rename.command.lower(), None)
        if entry is None:
            raise rename.error("No such command in rename-command")
        target = rename.target.lower()
        if target in result:
            raise rename.error("Target command name already exists")
        if target:
            result[target] = entry
    return result


def find_command(table: dict[bytes, Command], argv: list[bytes]) -> Command | None:
    """The command that `argv` names, or its subcommand; None where there is no such."""
    command = table.get(argv[0].lower())
    if command is None or command.subcommands is None or len(argv) < 2:
        return command
    return command.subcommands.get(argv[1].lower())


def command_named(table: dict[bytes, Command], name: bytes) -> Command | None:
    """The command or subcommand (`config|get`) called `name`; None where there is no such."""
    parent, bar, sub = name.lower().partition(b"|")
    command = table.get(parent)
    if command is None or not bar:
        return command
    return command.subcommands.get(sub) if command.subcommands is not None else None


def family(command: Command) -> list[Command]:
    """`command` and its subcommands."""
    return [command, *(command.subcommands or {}).values()]


def all_calls(table: dict[bytes, Command]) -> int:
    """How often commands have been called, which each counts for itself."""
    total = 0
    for command in table.values():
        total += command.calls
        if command.subcommands is not None:
            for each in command.subcommands.values():
                total += each.calls
    return total
