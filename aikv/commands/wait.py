"""WAIT and WAITAOF: until replicas, or the disk, have what this client wrote.

Theory of operation: without replicas none can ever confirm, so the client waits out its time, unless it asked for none.
How the disk confirms is told in `engine.aof_waits`.
"""

from aikv.base.errors import CommandError
from aikv.base.numbers import parse_i64, to_i64
from aikv.engine.blocking import Block, block_client
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
    timeout_ms = _timeout(argv[2])
    if wanted <= 0 or ctx.client.deny_blocking:
        return 0
    block_client(ctx.engine, ctx.client, Block(_confirmed), timeout_ms)
    return NO_REPLY


def _confirmed() -> object:
    return 0


@command(
    "WAITAOF",
    arity=4,
    flags=NOSCRIPT,
    group="generic",
    since="7.2.0",
    complexity="O(1)",
    summary="Waits until all that the connection has written is on the disk, here and at a number of replicas.",
    syntax="numlocal numreplicas timeout",
    acl="connection",
    tips=("request_policy:all_shards", "response_policy:agg_min"),
)
def waitaof(ctx: Context, argv: list[bytes]) -> object:
    local = to_i64(argv[1])
    if local not in (0, 1):
        raise CommandError(b"ERR value is out of range, value must between 0 and 1")
    replicas = parse_i64(argv[2])
    if replicas is None or replicas < 0:
        raise CommandError(b"ERR value is out of range, must be positive")
    waits = ctx.engine.persistence.log.waits
    return waits.wait(ctx.client, local, replicas, _timeout(argv[3]))


def _timeout(argument: bytes) -> int:
    timeout_ms = parse_i64(argument)
    if timeout_ms is None:
        raise CommandError(b"ERR timeout is not an integer or out of range")
    if timeout_ms < 0:
        raise CommandError(b"ERR timeout is negative")
    return timeout_ms
