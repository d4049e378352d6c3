"""Scenes: several clients of one server, some of which wait.

Theory of operation: a scene is one line. Its steps are separated by semicolons; each begins with the name of a client,
one capital letter, and a mark:

    A: SET k v      A sends a command; the reply is taken down
    A> BLPOP k 0    A sends a command, and the scene goes on once A waits, or has its reply
    A~ PING         A sends a command, and the scene goes on at once
    A?              the next reply to A is taken down
    A=              whether A waits is taken down
    A.              A leaves, and the scene goes on once the server has noticed

In a command, `{B}` stands for the number of client B, who has been there before. A scene is played on empty databases;
what was taken down is compared between two servers.
"""

import re
import select

from oracle.language import parse_words
from oracle.process import ServerProcess
from oracle.wire import RawConnection

STEP = re.compile(r"\s*([A-Z])([:>~?=.])")
NUMBER = re.compile(rb"\{([A-Z])\}")


class Scene:
    """One playing of a scene on one server."""

    def __init__(self, server: ServerProcess, protocol: int) -> None:
        self.server = server
        self.protocol = protocol
        self.clients: dict[str, RawConnection] = {}
        self.numbers: dict[str, bytes] = {}
        self.told: list[tuple[str, bytes]] = []
        # Looks after the clients, and plays no part.
        self.overseer = server.connect()
        self.overseer.command("FLUSHALL")

    def client(self, name: str) -> RawConnection:
        """Return the connection of a client, who comes when first named."""
        if name not in self.clients:
            self.clients[name] = self.server.connect(self.protocol)
            self.numbers[name] = self.clients[name].command("CLIENT", "ID")[1:-2]
        return self.clients[name]

    def play(self, line: str) -> list[tuple[str, bytes]]:
        """Play all steps of `line`; returns what was taken down, each with the step's client and mark."""
        while line.strip():
            start = STEP.match(line)
            assert start, f"no step: {line!r}"
            name, mark = start[1], start[2]
            line = line[start.end() :]
            argv: tuple[bytes, ...] = ()
            if mark in ":>~":
                argv, line = parse_words(line)
                argv = tuple(NUMBER.sub(lambda match: self.numbers[match[1].decode()], word) for word in argv)
            else:
                line = line.strip().removeprefix(";")
            self.step(name, mark, argv)
        return self.told

    def step(self, name: str, mark: str, argv: tuple[bytes, ...]) -> None:
        """Play one step."""
        client = self.client(name)
        if argv:
            client.send(*argv)
        if mark == ">":
            while not self.waits(name) and not self.has_reply(name):
                pass
        elif mark in ":?":
            self.told.append((name + mark, client.read_reply()))
        elif mark == "=":
            self.told.append((name + mark, b"waits" if self.waits(name) else b"does not wait"))
        elif mark == ".":
            client.close()
            while self.line_of(name):
                pass

    def line_of(self, name: str) -> bytes:
        """Return what CLIENT LIST says of a client; empty once it is gone."""
        line = self.overseer.command("CLIENT", "LIST", "ID", self.numbers[name])
        return line.split(b"\r\n")[1]

    def waits(self, name: str) -> bool:
        """Whether a client waits."""
        return re.search(rb" flags=\S*b", self.line_of(name)) is not None

    def has_reply(self, name: str) -> bool:
        """Whether something came that was not read yet."""
        client = self.clients[name]
        return bool(client.buffer) or bool(select.select([client.socket], [], [], 0)[0])

    def close(self) -> None:
        """All leave."""
        for client in [self.overseer, *self.clients.values()]:
            client.close()


def play(server: ServerProcess, line: str, protocol: int = 2) -> list[tuple[str, bytes]]:
    """Play a scene; returns what was taken down."""
    scene = Scene(server, protocol)
    try:
        return scene.play(line)
    finally:
        scene.close()
