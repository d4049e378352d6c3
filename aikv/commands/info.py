"""INFO: what the server says of itself, for people and for monitoring."""

from aikv.engine.command import LOADING, STALE, command
from aikv.engine.context import Context
from aikv.engine.info import info_text
from aikv.resp.reply import Verbatim


@command(
    "INFO",
    arity=-1,
    flags=LOADING | STALE,
    group="server",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns figures on the server, by section.",
    syntax="[section [section ...]]",
    acl="dangerous",
    tips=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
)
def info(ctx: Context, argv: list[bytes]) -> object:
    return Verbatim(b"txt", info_text(ctx.engine, argv[1:]))
