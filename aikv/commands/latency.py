"""LATENCY: what took long, and how the durations of commands are distributed.

Theory of operation: `base.latency` keeps the events and `engine.latency_histogram` the distributions; here they become
replies.
"""

from typing import Final

from aikv.base.errors import CommandError
from aikv.engine.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, command, container
from aikv.engine.command_table import command_named, family
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.latency_doctor import report
from aikv.engine.latency_graph import graph
from aikv.engine.latency_histogram import all_buckets, cumulative
from aikv.resp.reply import Pairs, Verbatim

_FLAGS: Final = ADMIN | NOSCRIPT | LOADING | STALE
_TIPS: Final = ("nondeterministic_output", "request_policy:all_nodes", "response_policy:special")

container(
    "LATENCY",
    group="server",
    since="2.8.13",
    summary="Holds commands on what takes long.",
)


@command(
    "LATENCY|LATEST",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(1)",
    summary="Returns for each event its last time (Unix seconds), its last and its longest duration (milliseconds).",
    tips=_TIPS,
)
def latency_latest(ctx: Context, _argv: list[bytes]) -> object:
    events = ctx.engine.observer.latency.events
    return [[name.encode(), *event.samples[-1], event.worst_ms] for name, event in events.items()]


@command(
    "LATENCY|HISTORY",
    arity=3,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(1)",
    summary="Returns the samples of an event: Unix seconds and milliseconds.",
    syntax="event",
    tips=_TIPS,
)
def latency_history(ctx: Context, argv: list[bytes]) -> object:
    event = ctx.engine.observer.latency.events.get(_text(argv[2]))
    return [list(sample) for sample in event.samples] if event is not None else []


@command(
    "LATENCY|RESET",
    arity=-2,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(1)",
    summary="Forgets the events given, or all; returns how many there were.",
    syntax="[event [event ...]]",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def latency_reset(ctx: Context, argv: list[bytes]) -> object:
    return ctx.engine.observer.latency.reset([_text(name) for name in argv[2:]])


@command(
    "LATENCY|GRAPH",
    arity=3,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(1)",
    summary="Draws the samples of an event.",
    syntax="event",
    tips=_TIPS,
)
def latency_graph(ctx: Context, argv: list[bytes]) -> object:
    event = ctx.engine.observer.latency.events.get(_text(argv[2]))
    if event is None:
        raise CommandError(b"ERR No samples available for event '" + argv[2] + b"'")
    return Verbatim(b"txt", graph(_text(argv[2]), event, ctx.engine.now_ns // 1_000_000_000).encode())


@command(
    "LATENCY|DOCTOR",
    arity=2,
    flags=_FLAGS,
    group="server",
    since="2.8.13",
    complexity="O(1)",
    summary="Tells in words what took long, and what may help.",
    tips=_TIPS,
)
def latency_doctor(ctx: Context, _argv: list[bytes]) -> object:
    return Verbatim(b"txt", report(ctx.engine.observer.latency, ctx.engine.config).encode())


@command(
    "LATENCY|HISTOGRAM",
    arity=-2,
    flags=_FLAGS,
    group="server",
    since="7.0.0",
    complexity="O(N) where N is the number of commands with latency information being retrieved",
    summary="Returns for the commands given, or all, how many calls took up to 1, 2, 4 ... microseconds.",
    syntax="[command [command ...]]",
    tips=_TIPS,
)
def latency_histogram(ctx: Context, argv: list[bytes]) -> object:
    items: list[object] = []
    if len(argv) == 2:
        for each in ctx.engine.commands.values():
            _add_distributions(items, each)
    for name in argv[2:]:
        found = command_named(ctx.engine.commands, name)
        if found is not None:
            _add_distributions(items, found)
    return Pairs(items)


def _add_distributions(items: list[object], command: Command) -> None:
    """Add name and distribution of `command`, which has been called, and of its subcommands."""
    for each in family(command):
        buckets = all_buckets(each.latencies, each.instant_calls())
        if buckets:
            levels: list[object] = []
            for level, calls in cumulative(buckets):
                levels += [level, calls]
            calls = sum(calls for _, calls in buckets)
            items += [each.name.encode(), Pairs([b"calls", calls, b"histogram_usec", Pairs(levels)])]


@command(
    "LATENCY|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="server",
    since="2.8.13",
    complexity="O(1)",
    summary="Describes the subcommands.",
)
def latency_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("LATENCY")


def _text(argument: bytes) -> str:
    return argument.decode("latin-1")
