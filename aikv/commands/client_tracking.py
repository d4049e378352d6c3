"""CLIENT subcommands of client-side caching. What they set going is told in `engine.tracking`.

Theory of operation: CLIENT TRACKING checks all its options before it changes anything. CLIENT CACHING closes the
CACHING gate, which the next command, or transaction, opens again.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.commands import client as _container  # noqa: F401  a container is declared before its subcommands
from aikv.engine import gates
from aikv.engine.client_line import redirection
from aikv.engine.command import LOADING, NOSCRIPT, STALE, command
from aikv.engine.context import Context
from aikv.engine.tracking import Modes
from aikv.engine.tracking_broadcast import overlap
from aikv.resp.reply import OK, Pairs, SetOf

_PLAIN: Final = NOSCRIPT | LOADING | STALE
_OTHER_BROADCAST: Final = (
    b"ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a "
    b"different mode."
)
_OTHER_OPT: Final = (
    b"ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a "
    b"different mode."
)
_OVERLAP: Final = b"ERR Prefix '%b' overlaps with %b prefix '%b'. Prefixes for a single client must not overlap."


@command(
    "CLIENT|TRACKING",
    arity=-3,
    flags=_PLAIN,
    group="connection",
    since="6.0.0",
    complexity="O(1). Some options may introduce additional complexity.",
    summary="Turns messages about changes of keys that this connection may have in a cache of its own on or off.",
    syntax="<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
)
def client_tracking(ctx: Context, argv: list[bytes]) -> object:
    modes = _parse(ctx, argv)
    switch = argv[2].upper()
    if switch == b"ON":
        _check(ctx, modes)
        if modes.broadcast and not modes.prefixes:
            modes.prefixes.append(b"")
        ctx.engine.tracking.begin(ctx.client, modes)
    elif switch == b"OFF":
        ctx.engine.tracking.end(ctx.client)
    else:
        raise CommandError(SYNTAX)
    return OK


def _parse(ctx: Context, argv: list[bytes]) -> Modes:
    modes = Modes()
    index = 3
    while index < len(argv):
        option = argv[index].upper()
        has_more = index + 1 < len(argv)
        if option == b"REDIRECT" and has_more:
            index += 1
            if modes.redirect:
                raise CommandError(b"ERR A client can only redirect to a single other client")
            modes.redirect = to_i64(argv[index])
            if modes.redirect not in ctx.engine.clients:
                raise CommandError(b"ERR The client ID you want redirect to does not exist")
        elif option == b"BCAST":
            modes.broadcast = True
        elif option == b"OPTIN":
            modes.opt_in = True
        elif option == b"OPTOUT":
            modes.opt_out = True
        elif option == b"NOLOOP":
            modes.no_loop = True
        elif option == b"PREFIX" and has_more:
            index += 1
            modes.prefixes.append(argv[index])
        else:
            raise CommandError(SYNTAX)
        index += 1
    return modes


def _check(ctx: Context, modes: Modes) -> None:
    """Raise CommandError unless the modes go together, and with those in which the client tracks already."""
    if modes.prefixes and not modes.broadcast:
        raise CommandError(b"ERR PREFIX option requires BCAST mode to be enabled")
    tracker = ctx.client.tracker
    if tracker is not None and tracker.on and tracker.modes.broadcast != modes.broadcast:
        raise CommandError(_OTHER_BROADCAST)
    if modes.broadcast and (modes.opt_in or modes.opt_out):
        raise CommandError(b"ERR OPTIN and OPTOUT are not compatible with BCAST")
    if modes.opt_in and modes.opt_out:
        raise CommandError(b"ERR You can't specify both OPTIN mode and OPTOUT mode")
    if tracker is None:
        _check_prefixes(modes.prefixes, [])
        return
    if (modes.opt_in and tracker.modes.opt_out) or (modes.opt_out and tracker.modes.opt_in):
        raise CommandError(_OTHER_OPT)
    _check_prefixes(modes.prefixes, sorted(tracker.modes.prefixes))


def _check_prefixes(prefixes: list[bytes], present: list[bytes]) -> None:
    for index, prefix in enumerate(prefixes):
        for other in present:
            if overlap(prefix, other):
                raise CommandError(_OVERLAP % (prefix, b"an existing", other))
        for other in prefixes[index + 1 :]:
            if overlap(prefix, other):
                raise CommandError(_OVERLAP % (prefix, b"another provided", other))


@command(
    "CLIENT|CACHING",
    arity=3,
    flags=_PLAIN,
    group="connection",
    since="6.0.0",
    complexity="O(1)",
    summary="Says whether the keys of the next command are to be tracked, in OPTIN or OPTOUT mode.",
    syntax="<YES | NO>",
)
def client_caching(ctx: Context, argv: list[bytes]) -> object:
    client = ctx.client
    tracker = client.tracker
    if tracker is None or not tracker.on:
        raise CommandError(
            b"ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
            b"enabled"
        )
    answer = argv[2].upper()
    if answer == b"YES":
        if not tracker.modes.opt_in:
            raise CommandError(b"ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
    elif answer == b"NO":
        if not tracker.modes.opt_out:
            raise CommandError(b"ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
    else:
        raise CommandError(SYNTAX)
    client.gates |= gates.CACHING
    return OK


@command(
    "CLIENT|GETREDIR",
    arity=2,
    flags=_PLAIN,
    group="connection",
    since="6.0.0",
    complexity="O(1)",
    summary="Returns the number of the connection that gets this one's messages about changes of keys.",
)
def client_getredir(ctx: Context, _argv: list[bytes]) -> object:
    return redirection(ctx.client)


@command(
    "CLIENT|TRACKINGINFO",
    arity=2,
    flags=_PLAIN,
    group="connection",
    since="6.2.0",
    complexity="O(1)",
    summary="Tells in which modes this connection tracks keys.",
)
def client_trackinginfo(ctx: Context, _argv: list[bytes]) -> object:
    prefixes: list[object] = []
    tracker = ctx.client.tracker
    if tracker is not None:
        prefixes += sorted(tracker.modes.prefixes)
    return Pairs([b"flags", SetOf(_flags(ctx)), b"redirect", redirection(ctx.client), b"prefixes", prefixes])


def _flags(ctx: Context) -> list[object]:
    tracker = ctx.client.tracker
    if tracker is None or not tracker.on:
        return [b"off"]
    modes = tracker.modes
    is_caching = ctx.client.gates & gates.CACHING != 0
    flags: list[object] = [b"on"]
    if modes.broadcast:
        flags.append(b"bcast")
    if modes.opt_in:
        flags.append(b"optin")
        if is_caching:
            flags.append(b"caching-yes")
    if modes.opt_out:
        flags.append(b"optout")
        if is_caching:
            flags.append(b"caching-no")
    if modes.no_loop:
        flags.append(b"noloop")
    if tracker.broken:
        flags.append(b"broken_redirect")
    return flags
