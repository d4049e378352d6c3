"""Publish and subscribe. Who listens to what is kept by `engine.pubsub`.

Theory of operation: (P|S)SUBSCRIBE and their opposites answer with one message per name, written straight to the
client's output, and so return no reply of their own.
"""

from aikv.base.errors import CommandError
from aikv.engine import pubsub
from aikv.engine.command import FAST, LOADING, MAY_REPLICATE, NOSCRIPT, PUBSUB, STALE, command, container
from aikv.engine.context import Context
from aikv.engine.help import help_lines
from aikv.engine.keyspec import at
from aikv.resp.reply import NO_REPLY

_LISTEN = PUBSUB | NOSCRIPT | LOADING | STALE


def _subscribe(ctx: Context, kind: int, argv: list[bytes]) -> object:
    for index in range(1, len(argv)):
        ctx.engine.pubsub.subscribe(ctx.client, kind, argv[index])
    return NO_REPLY


def _unsubscribe(ctx: Context, kind: int, argv: list[bytes]) -> object:
    if len(argv) == 1:
        ctx.engine.pubsub.unsubscribe_all(ctx.client, kind)
    for index in range(1, len(argv)):
        ctx.engine.pubsub.unsubscribe(ctx.client, kind, argv[index])
    return NO_REPLY


@command(
    "SUBSCRIBE",
    arity=-2,
    flags=_LISTEN,
    group="pubsub",
    since="2.0.0",
    complexity="O(N), N being the number of channels.",
    summary="Listens to channels.",
    syntax="channel [channel ...]",
)
def subscribe(ctx: Context, argv: list[bytes]) -> object:
    return _subscribe(ctx, pubsub.CHANNELS, argv)


@command(
    "UNSUBSCRIBE",
    arity=-1,
    flags=_LISTEN,
    group="pubsub",
    since="2.0.0",
    complexity="O(N), N being the number of channels.",
    summary="Stops listening to the given channels, or to all.",
    syntax="[channel [channel ...]]",
)
def unsubscribe(ctx: Context, argv: list[bytes]) -> object:
    return _unsubscribe(ctx, pubsub.CHANNELS, argv)


@command(
    "PSUBSCRIBE",
    arity=-2,
    flags=_LISTEN,
    group="pubsub",
    since="2.0.0",
    complexity="O(N), N being the number of patterns.",
    summary="Listens to all channels that match one of the patterns.",
    syntax="pattern [pattern ...]",
)
def psubscribe(ctx: Context, argv: list[bytes]) -> object:
    return _subscribe(ctx, pubsub.PATTERNS, argv)


@command(
    "PUNSUBSCRIBE",
    arity=-1,
    flags=_LISTEN,
    group="pubsub",
    since="2.0.0",
    complexity="O(N), N being the number of patterns.",
    summary="Stops listening to the given patterns, or to all.",
    syntax="[pattern [pattern ...]]",
)
def punsubscribe(ctx: Context, argv: list[bytes]) -> object:
    return _unsubscribe(ctx, pubsub.PATTERNS, argv)


@command(
    "SSUBSCRIBE",
    arity=-2,
    flags=_LISTEN,
    keys=(at(1, "not_key", last=-1),),
    group="pubsub",
    since="7.0.0",
    complexity="O(N), N being the number of shard channels.",
    summary="Listens to shard channels.",
    syntax="shardchannel [shardchannel ...]",
)
def ssubscribe(ctx: Context, argv: list[bytes]) -> object:
    return _subscribe(ctx, pubsub.SHARDS, argv)


@command(
    "SUNSUBSCRIBE",
    arity=-1,
    flags=_LISTEN,
    keys=(at(1, "not_key", last=-1),),
    group="pubsub",
    since="7.0.0",
    complexity="O(N), N being the number of shard channels.",
    summary="Stops listening to the given shard channels, or to all.",
    syntax="[shardchannel [shardchannel ...]]",
)
def sunsubscribe(ctx: Context, argv: list[bytes]) -> object:
    return _unsubscribe(ctx, pubsub.SHARDS, argv)


@command(
    "PUBLISH",
    arity=3,
    flags=PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE,
    group="pubsub",
    since="2.0.0",
    complexity="O(N+M), N being the listeners of the channel, M all patterns.",
    summary="Sends a message to the listeners of a channel.",
    syntax="channel message",
)
def publish(ctx: Context, argv: list[bytes]) -> object:
    return ctx.engine.pubsub.publish(argv[1], argv[2])


@command(
    "SPUBLISH",
    arity=3,
    flags=PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE,
    keys=(at(1, "not_key"),),
    group="pubsub",
    since="7.0.0",
    complexity="O(N), N being the listeners of the shard channel.",
    summary="Sends a message to the listeners of a shard channel.",
    syntax="shardchannel message",
)
def spublish(ctx: Context, argv: list[bytes]) -> object:
    return ctx.engine.pubsub.publish_shard(argv[1], argv[2])


container("PUBSUB", group="pubsub", since="2.8.0", summary="Tells who listens to what.", acl="")


@command(
    "PUBSUB|CHANNELS",
    arity=-2,
    flags=PUBSUB | LOADING | STALE,
    group="pubsub",
    since="2.8.0",
    complexity="O(N), N being the number of active channels.",
    summary="Lists the channels that somebody listens to.",
    syntax="[pattern]",
)
def channels(ctx: Context, argv: list[bytes]) -> object:
    return _names(ctx, pubsub.CHANNELS, argv)


@command(
    "PUBSUB|NUMSUB",
    arity=-2,
    flags=PUBSUB | LOADING | STALE,
    group="pubsub",
    since="2.8.0",
    complexity="O(N), N being the number of channels asked for.",
    summary="Counts the listeners of channels, those by patterns left out.",
    syntax="[channel [channel ...]]",
)
def numsub(ctx: Context, argv: list[bytes]) -> object:
    return _counts(ctx, pubsub.CHANNELS, argv)


@command(
    "PUBSUB|NUMPAT",
    arity=2,
    flags=PUBSUB | LOADING | STALE,
    group="pubsub",
    since="2.8.0",
    complexity="O(1)",
    summary="Counts the different patterns that somebody listens by.",
)
def numpat(ctx: Context, _argv: list[bytes]) -> object:
    return ctx.engine.pubsub.distinct(pubsub.PATTERNS)


@command(
    "PUBSUB|SHARDCHANNELS",
    arity=-2,
    flags=PUBSUB | LOADING | STALE,
    group="pubsub",
    since="7.0.0",
    complexity="O(N), N being the number of active shard channels.",
    summary="Lists the shard channels that somebody listens to.",
    syntax="[pattern]",
)
def shardchannels(ctx: Context, argv: list[bytes]) -> object:
    return _names(ctx, pubsub.SHARDS, argv)


@command(
    "PUBSUB|SHARDNUMSUB",
    arity=-2,
    flags=PUBSUB | LOADING | STALE,
    group="pubsub",
    since="7.0.0",
    complexity="O(N), N being the number of shard channels asked for.",
    summary="Counts the listeners of shard channels.",
    syntax="[shardchannel [shardchannel ...]]",
)
def shardnumsub(ctx: Context, argv: list[bytes]) -> object:
    return _counts(ctx, pubsub.SHARDS, argv)


@command(
    "PUBSUB|HELP",
    arity=2,
    flags=LOADING | STALE,
    group="pubsub",
    since="6.2.0",
    complexity="O(1)",
    summary="Describes the subcommands.",
    acl="",
)
def pubsub_help(_ctx: Context, _argv: list[bytes]) -> object:
    return help_lines("PUBSUB")


def _names(ctx: Context, kind: int, argv: list[bytes]) -> object:
    if len(argv) > 3:
        raise CommandError(
            b"ERR unknown subcommand or wrong number of arguments for '" + argv[1][:128] + b"'. Try PUBSUB HELP."
        )
    found: list[object] = []
    found += ctx.engine.pubsub.names(kind, argv[2] if len(argv) == 3 else None)
    return found


def _counts(ctx: Context, kind: int, argv: list[bytes]) -> object:
    items: list[object] = []
    for index in range(2, len(argv)):
        items.append(argv[index])
        items.append(ctx.engine.pubsub.count(kind, argv[index]))
    return items
