"""READONLY, READWRITE and ASKING: what a client of a cluster says before it asks a replica, or a slot that is moving.

Theory of operation: without a cluster there is nothing to say, and the refusal is how clients find that out.
"""

from typing import Final

from aikv.base.errors import CommandError
from aikv.engine.command import FAST, LOADING, STALE, command
from aikv.engine.context import Context

_NO_CLUSTER: Final = b"ERR This instance has cluster support disabled"


@command(
    "READONLY",
    arity=1,
    flags=LOADING | STALE | FAST,
    group="cluster",
    since="3.0.0",
    complexity="O(1)",
    summary="Lets this connection read from a replica in a cluster.",
    acl="connection",
)
def readonly(_ctx: Context, _argv: list[bytes]) -> object:
    raise CommandError(_NO_CLUSTER)


@command(
    "READWRITE",
    arity=1,
    flags=LOADING | STALE | FAST,
    group="cluster",
    since="3.0.0",
    complexity="O(1)",
    summary="Ends what READONLY began.",
    acl="connection",
)
def readwrite(_ctx: Context, _argv: list[bytes]) -> object:
    raise CommandError(_NO_CLUSTER)


@command(
    "ASKING",
    arity=1,
    flags=FAST,
    group="cluster",
    since="3.0.0",
    complexity="O(1)",
    summary="Says that the next command follows an ASK redirection.",
    acl="connection",
)
def asking(_ctx: Context, _argv: list[bytes]) -> object:
    raise CommandError(_NO_CLUSTER)
