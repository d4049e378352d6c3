"""AIKV.BACKUP: what `aikv backup` needs to copy the append-only log of a running server.

Theory of operation: BEGIN writes out what is collected and names the files of the log with their sizes. Up to these
sizes the files hold exactly the dataset of that moment and do not change any more: an incremental file only grows, and
a rewrite makes new files. What a rewrite replaces is not deleted until END, or until the client has gone. So the server
goes on as ever, and never writes to a place that a client names. It is a command of aikv's own; a snapshot needs none.
"""

from typing import Final

from aikv.engine.command import ADMIN, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.resp.reply import OK, Pairs

_FLAGS: Final = ADMIN | NOSCRIPT | NO_MULTI | NO_ASYNC_LOADING

container(
    "AIKV.BACKUP",
    group="server",
    since="0.1.0",
    summary="Holds commands for copying the append-only log.",
)


@command(
    "AIKV.BACKUP|BEGIN",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="0.1.0",
    complexity="O(N) where N is the number of files of the log",
    summary="Names the files of the append-only log with their sizes, and keeps them until END.",
)
def backup_begin(ctx: Context, _argv: list[bytes]) -> object:
    log = ctx.engine.persistence.log
    files: list[object] = [[file.name.encode(), file.size] for file in log.begin_copy(ctx.client.id)]
    return Pairs(
        [
            b"folder",
            log.store.folder.encode(),
            b"filename",
            log.store.filename.encode(),
            b"manifest",
            log.aof.manifest.text(),
            b"files",
            files,
        ]
    )


@command(
    "AIKV.BACKUP|END",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="0.1.0",
    complexity="O(1)",
    summary="Lets the server delete files that BEGIN named and that it does not need any more.",
)
def backup_end(ctx: Context, _argv: list[bytes]) -> object:
    ctx.engine.persistence.log.end_copy(ctx.client.id)
    return OK


@command(
    "AIKV.BACKUP|HELP",
    arity=2,
    flags=NOSCRIPT,
    group="server",
    since="0.1.0",
    complexity="O(1)",
    summary="Says what the subcommands do.",
)
def backup_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("AIKV.BACKUP")
