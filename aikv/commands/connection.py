"""Connection commands: who the client is, and which protocol it speaks."""

from aikv.base.errors import CommandError
from aikv.engine.command import COMMANDS, FAST, command
from aikv.engine.context import Context
from aikv.engine.refusal import wrong_arity
from aikv.resp.reply import PONG


@command(
    "PING",
    arity=-1,
    flags=FAST,
    group="connection",
    since="1.0.0",
    complexity="O(1)",
    summary="Answers PONG, or the message given.",
    syntax="[message]",
    tips=("request_policy:all_shards", "response_policy:all_succeeded"),
)
def ping(_ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 2:
        raise CommandError(wrong_arity(COMMANDS[b"ping"]))
    if len(argv) == 2:
        return argv[1]
    return PONG
