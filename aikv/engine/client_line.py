"""One client as a line of CLIENT LIST, and what may stand in it.

Theory of operation: `client_line` reads a client's state and asks its link for the rest; sizes are those of the bytes
that are really held. Fields and their order are Redis 7.2's. aikv has no reply buffer of fixed size (`rbs`, `rbp`,
`obl`): replies wait in a list (`oll`) and in the socket's buffer, and `omem` is both together.
Source: https://redis.io/docs/latest/commands/client-list/

The names that clients give to themselves stand between blanks in that line, so they may not hold any.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.errors import CommandError
from aikv.engine import gates
from aikv.engine.client import MASTER, NORMAL, PUBSUB, REPLICA, Client
from aikv.engine.pubsub import CHANNELS, PATTERNS, SHARDS, listening

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

# What an idle connection adds to the resident memory, measured with 2000 of them.
_CONNECTION_BYTES: Final = 3800

_KINDS: Final[dict[bytes, bytes]] = {
    b"normal": NORMAL,
    b"master": MASTER,
    b"replica": REPLICA,
    b"slave": REPLICA,
    b"pubsub": PUBSUB,
}


def kind_named(word: bytes) -> bytes:
    """The kind of clients that TYPE `word` selects; raises CommandError for an unknown one."""
    kind = _KINDS.get(word.lower())
    if kind is None:
        raise CommandError(b"ERR Unknown client type '" + word + b"'")
    return kind


def checked_name(name: bytes) -> bytes:
    """A connection's name, as it is; raises CommandError for one that would spoil CLIENT LIST."""
    if not is_plain(name):
        raise CommandError(b"ERR Client names cannot contain spaces, newlines or special characters.")
    return name


def is_plain(text: bytes) -> bool:
    """Whether `text` is printable ASCII without blanks; empty is."""
    return all(33 <= byte <= 126 for byte in text)


def client_line(engine: "Engine", client: Client, argv: list[bytes]) -> bytes:
    """The line of `client`, without its end; `argv` is what it is running, empty for nothing."""
    link = client.link
    now_s = engine.now_ns // 1_000_000_000
    argv_bytes = sum(len(argument) for argument in argv)
    queued_bytes = sum(sum(len(argument) for argument in queued) for _, queued in client.queued)
    input_bytes = link.buffered_input()
    output_bytes = link.buffered_output() + len(client.out)
    library = (client.library_name, client.library_version)
    fields: list[tuple[bytes, bytes]] = [
        (b"id", b"%d" % client.id),
        (b"addr", link.address().encode()),
        (b"laddr", link.local_address().encode()),
        (b"fd", b"%d" % link.descriptor()),
        (b"name", client.name),
        (b"age", b"%d" % (now_s - client.created_s)),
        (b"idle", b"%d" % (now_s - client.last_used_s)),
        (b"flags", _flags(client)),
        (b"db", b"%d" % client.db),
        (b"sub", b"%d" % listening(client, CHANNELS)),
        (b"psub", b"%d" % listening(client, PATTERNS)),
        (b"ssub", b"%d" % listening(client, SHARDS)),
        (b"multi", b"%d" % (len(client.queued) if client.gates & gates.MULTI else -1)),
        (b"qbuf", b"%d" % input_bytes),
        (b"qbuf-free", b"0"),
        (b"argv-mem", b"%d" % argv_bytes),
        (b"multi-mem", b"%d" % queued_bytes),
        (b"rbs", b"0"),
        (b"rbp", b"0"),
        (b"obl", b"0"),
        (b"oll", b"1" if client.out.waiting() else b"0"),
        (b"omem", b"%d" % output_bytes),
        (b"tot-mem", b"%d" % (client_bytes(client) + argv_bytes + queued_bytes)),
        (b"events", b"rw" if link.buffered_output() else b"r"),
        (b"cmd", client.last.name.encode() if client.last is not None else b"NULL"),
        (b"user", client.user),
        (b"redir", b"%d" % redirection(client)),
        (b"resp", b"3" if client.resp3 else b"2"),
        (b"lib-name", library[0]),
        (b"lib-ver", library[1]),
    ]
    return b" ".join(name + b"=" + value for name, value in fields)


def client_bytes(client: Client) -> int:
    """Memory that `client` takes: its objects and what its buffers hold."""
    return _CONNECTION_BYTES + client.link.buffered_input() + client.link.buffered_output() + len(client.out)


def redirection(client: Client) -> int:
    """The number of the client that gets the messages of `client`, which tracks; 0 for itself, -1 if it does not."""
    tracker = client.tracker
    return tracker.modes.redirect if tracker is not None and tracker.on else -1


def _flags(client: Client) -> bytes:
    letters: list[bytes] = []
    if client.monitoring:
        letters.append(b"O")
    if client.kind is REPLICA:
        letters.append(b"S")
    if client.kind is MASTER:
        letters.append(b"M")
    if client.kind is PUBSUB:
        letters.append(b"P")
    if client.gates & gates.MULTI:
        letters.append(b"x")
    if client.block is not None or client.paused:
        letters.append(b"b")
    tracker = client.tracker
    if tracker is not None and tracker.on:
        letters.append(b"t")
        if tracker.broken:
            letters.append(b"R")
        if tracker.modes.broadcast:
            letters.append(b"B")
    if any(watch.spoiled for watch in client.watching):
        letters.append(b"d")
    if client.closing:
        letters.append(b"c")
    if client.link.unix_socket():
        letters.append(b"U")
    if client.no_evict:
        letters.append(b"e")
    if client.no_touch:
        letters.append(b"T")
    return b"".join(letters) or b"N"
