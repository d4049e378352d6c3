"""Several clients of one server in turn, and all that each of them was sent: replies and messages in their order.

Theory of operation: a conversation is lines of the form `name: command; command`. The commands of a line are sent at
once, and all replies to them are read before the next line, so that the order of what happens is the same on every
server. A message that comes to a client meanwhile is found before a later reply of its own, the last of which is that
to a PING at the end. What is compared is the whole of the bytes that each client has got.

The number of a client stands in a command as `{name}`, and is put back into what is received where messages and
CLIENT TRACKINGINFO tell it. A line `name: ~command` expects no reply, `name: close` ends the client, and `wait: key`
lets a third party look until the key has run out.
"""

import re

from oracle.language import parse_steps
from oracle.process import ServerProcess
from oracle.wire import RawConnection, pack

END = b"end of the conversation"
# What servers tell about themselves.
GREETING = re.compile(rb"%7\r\n|\*14\r\n")
NUMBER = re.compile(rb"(tracking-redir-broken|redirect)\r\n:(\d+)\r\n")
SUBSCRIBING = {b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE"}


class Participant:
    """One client: what it has been sent so far."""

    def __init__(self, server: ServerProcess, protocol: int) -> None:
        self.connection: RawConnection = server.connect(protocol)
        self.number = self.connection.command("CLIENT", "ID")[1:-2]
        self.received: list[bytes] = []

    def say(self, requests: list[tuple[bytes, ...]]) -> None:
        """Send `requests` at once and read their replies, with the messages that come in between."""
        self.connection.send_raw(b"".join(pack(list(argv)) for argv in requests))
        for argv in requests:
            while self.hear()[:1] == b">" and argv[0].upper() not in SUBSCRIBING:
                pass

    def hear(self) -> bytes:
        """Read one reply or message."""
        reply = self.connection.read_reply()
        self.received.append(b"(greeting)" if GREETING.match(reply) else reply)
        return self.received[-1]

    def finish(self) -> None:
        """Read everything that is still to come."""
        self.connection.send("PING", END)
        while END not in self.hear():
            pass


def converse(server: ServerProcess, protocols: dict[str, int], lines: list[str]) -> dict[str, list[bytes]]:
    """Let clients, whose protocols are given by name, say `lines`; returns what each of them has received."""
    with server.connect() as steward:
        steward.command("FLUSHALL")
        clients = {name: Participant(server, protocol) for name, protocol in protocols.items()}
        gone = set()
        for line in lines:
            name, _, said = line.partition(": ")
            if name == "wait":
                while steward.command("EXISTS", said) != b":0\r\n":
                    pass
            elif said == "close":
                clients[name].connection.close()
                gone.add(name)
                while steward.command("CLIENT", "LIST", "ID", clients[name].number)[:2] != b"$0":
                    pass
            else:
                for other, client in clients.items():
                    said = said.replace("{" + other + "}", client.number.decode())
                requests = [step.argv for step in parse_steps(said.removeprefix("~"))]
                if said.startswith("~"):
                    clients[name].connection.send_raw(b"".join(pack(list(argv)) for argv in requests))
                else:
                    clients[name].say(requests)
    names = {client.number: name.encode() for name, client in clients.items()}
    found = {}
    for name, client in clients.items():
        if name not in gone:
            client.finish()
            client.connection.close()
            found[name] = [NUMBER.sub(lambda match: named(match, names), reply) for reply in client.received]
    return found


def named(match: re.Match[bytes], names: dict[bytes, bytes]) -> bytes:
    """A client's name in place of its number."""
    return match[1] + b"\r\n:" + names.get(match[2], match[2]) + b"\r\n"
