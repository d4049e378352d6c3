"""WAIT: until replicas have what this client wrote.

Theory of operation: without replicas none can ever confirm, so the client waits out its time, unless it asked for none.
"""

from aikv.base.errors import CommandError
from aikv.base.numbers import parse_i64, to_i64
from aikv.engine.blocking import Block
from aikv.engine.command import NOSCRIPT, command
from aikv.engine.context import Context
from aikv.resp.reply import NO_REPLY


@command(
    "WAIT",
    arity=3,
    flags=NOSCRIPT,
    group="generic",
    since="3.0.0",
    complexity="O(1)",
    summary="Waits until a number of replicas have all that the connection has written.",
    syntax="numreplicas timeout",
    acl="connection",
    tips=("request_policy:all_shards", "response_policy:agg_min"),
)
def wait(ctx: Context, argv: list[bytes]) -> object:
    wanted = to_i64(argv[1])
    timeout_ms = parse_i64(argv[2])
    if timeout_ms is None:
        raise CommandError(b"ERR timeout is not an integer or out of range")
    if timeout_ms < 0:
        raise CommandError(b"ERR timeout is negative")
    if wanted <= 0 or ctx.client.deny_blocking:
        return 0
    ctx.engine.block(ctx.client, Block(_confirmed), timeout_ms)
    return NO_REPLY


def _confirmed() -> object:
    return 0
