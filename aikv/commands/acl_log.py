"""ACL LOG: what was refused lately, in the form of Redis 7.2."""

from typing import Final

from aikv.base.errors import NOT_AN_INTEGER, CommandError
from aikv.base.numbers import parse_i64
from aikv.commands.acl import no_such_form
from aikv.engine.acl.log import REASONS, Entry
from aikv.engine.command import ADMIN, LOADING, NOSCRIPT, STALE, command
from aikv.engine.context import Context
from aikv.resp.reply import OK, Pairs

_USUAL_COUNT: Final = 10


@command(
    "ACL|LOG",
    arity=-2,
    flags=ADMIN | NOSCRIPT | LOADING | STALE,
    group="server",
    since="6.0.0",
    complexity="O(N) with N being the number of entries shown.",
    summary="Lists what ACLs refused lately, newest first, or forgets it.",
    syntax="[count | RESET]",
)
def acl_log(ctx: Context, argv: list[bytes]) -> object:
    log = ctx.engine.users.log
    count: int | None = _USUAL_COUNT
    if len(argv) > 3:
        raise no_such_form(argv)
    if len(argv) == 3:
        if argv[2].upper() == b"RESET":
            log.reset()
            return OK
        count = parse_i64(argv[2])
    if count is None:
        raise CommandError(NOT_AN_INTEGER)
    return [_reply(entry, ctx.engine.now_ms) for entry in log.entries[: max(count, 0)]]


def _reply(entry: Entry, now_ms: int) -> Pairs:
    return Pairs(
        [
            b"count",
            entry.count,
            b"reason",
            REASONS[entry.reason],
            b"context",
            entry.context,
            b"object",
            entry.thing,
            b"username",
            entry.user,
            b"age-seconds",
            (now_ms - entry.updated_ms) / 1000,
            b"client-info",
            entry.client,
            b"entry-id",
            entry.number,
            b"timestamp-created",
            entry.created_ms,
            b"timestamp-last-updated",
            entry.updated_ms,
        ]
    )
