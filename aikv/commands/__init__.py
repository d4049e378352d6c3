"""The commands, one module per group of Redis's manual.

Importing a module puts its commands into `engine.command.COMMANDS`; `load` imports them all. To add a command, write
one decorated function in the module of its group and one line in the group's compat test. Handlers never call handlers;
what two of them share is a function of the room below.
"""


def load() -> None:
    """Fill the command table."""
    from aikv.commands import (  # noqa: F401
        client,
        client_control,
        command_info,
        config,
        connection,
        counters,
        databases,
        debug,
        dump,
        expire,
        info,
        keys,
        lcs,
        object,
        pubsub,
        ranges,
        rename,
        scan,
        server,
        strings,
        transactions,
        wait,
    )
