"""MONITOR: being shown every command. How that is done is told in `engine.monitor`."""

from aikv.base.errors import CommandError
from aikv.engine import monitor
from aikv.engine.command import ADMIN, LOADING, NOSCRIPT, STALE, command
from aikv.engine.context import Context
from aikv.resp.reply import NO_REPLY, OK


@command(
    "MONITOR",
    arity=1,
    flags=ADMIN | NOSCRIPT | LOADING | STALE,
    group="server",
    since="1.0.0",
    complexity="",
    summary="Shows this client every command that the server runs, until RESET or the end of the connection.",
)
def monitor_(ctx: Context, _argv: list[bytes]) -> object:
    client = ctx.client
    if client.deny_blocking:
        raise CommandError(b"ERR MONITOR isn't allowed for DENY BLOCKING client")
    if client.monitoring:
        # As in Redis it is asked for twice and answered once.
        return NO_REPLY
    monitor.begin(ctx.engine, client)
    return OK
