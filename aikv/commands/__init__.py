"""The commands, one module per group of Redis's manual.

Importing a module puts its commands into `engine.command.COMMANDS`; `load` imports them all. To add a command, write
one decorated function in the module of its group and one line in the group's compat test. Handlers never call handlers;
what two of them share is a function of the room below.
"""


def load() -> None:
    """Fill the command table."""
    from aikv.commands import (  # noqa: F401
        acl,
        acl_log,
        bitfield,
        bitmaps,
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
        geo,
        geo_search,
        hash_counters,
        hash_random,
        hash_times,
        hashes,
        hyperloglog,
        info,
        keys,
        lcs,
        list_blocking,
        list_edit,
        list_moves,
        lists,
        object,
        pubsub,
        ranges,
        rename,
        scan,
        server,
        set_algebra,
        set_random,
        sets,
        sort,
        stream_claim,
        stream_groups,
        stream_info,
        stream_read,
        streams,
        strings,
        transactions,
        wait,
        zset_algebra,
        zset_pops,
        zset_random,
        zset_ranges,
        zsets,
    )
