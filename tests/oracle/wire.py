"""A client connection that hands out replies as they came: raw bytes, one whole reply at a time.

Theory of operation: to know where a reply ends one must understand only its frame. `reply_end` walks the
type bytes and lengths of RESP2 and RESP3 and never builds a value. It is written independently of aikv's
own encoder and parser, since it judges them.
"""

import socket
from types import TracebackType

LINE = b"+-:,(#_"
BLOB = b"$=!"
AGGREGATE = b"*~>%|"


class ServerClosed(Exception):
    """The server closed the connection where a reply was due; `rest` is what came before that."""

    def __init__(self, rest: bytes) -> None:
        super().__init__(f"the server closed the connection after {rest!r}")
        self.rest = rest


def reply_end(data: bytes, start: int = 0) -> int:
    """Return the offset after the whole reply that begins at `start`; -1 if its end is not there yet.

    Raises `ValueError` on what is no RESP. An attribute is part of the reply that it precedes.
    """
    pending, at = 1, start
    while pending:
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return -1
        kind, rest = data[at : at + 1], data[at + 1 : line_end]
        at = line_end + 2
        pending -= 1
        if kind in BLOB and rest != b"-1":
            at += int(rest) + 2
            if at > len(data):
                return -1
        elif kind in AGGREGATE and rest != b"-1":
            pending += int(rest) * (2 if kind in b"%|" else 1) + (kind == b"|")
        elif kind not in LINE + BLOB + AGGREGATE:
            raise ValueError(f"no RESP type: {data[at : at + 40]!r} after {data[start:at]!r}")
    return at


def pack(argv: list[bytes]) -> bytes:
    """Encode a request as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(argv)]
    parts += [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in argv]
    return b"".join(parts)


class RawConnection:
    """A blocking connection to a server on the loopback interface; `timeout` in seconds is for every read."""

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection without a word."""
        self.socket.close()

    def send(self, *argv: bytes | str) -> None:
        """Send one command; text is sent as UTF-8."""
        self.send_raw(pack([word.encode() if isinstance(word, str) else word for word in argv]))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def finish(self) -> None:
        """Tell the server that nothing more will be sent; replies can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def read_reply(self) -> bytes:
        """Wait for the next whole reply, or push, and return its bytes.

        Raises `ServerClosed` if the connection ends first, `TimeoutError` if nothing comes.
        """
        while (end := reply_end(self.buffer)) < 0:
            received = self.receive()
            if not received:
                raise ServerClosed(self.buffer)
            self.buffer += received
        reply, self.buffer = self.buffer[:end], self.buffer[end:]
        return reply

    def read_until_closed(self) -> bytes:
        """Return all that comes until the server closes the connection."""
        while received := self.receive():
            self.buffer += received
        rest, self.buffer = self.buffer, b""
        return rest

    def receive(self) -> bytes:
        """Return some bytes, or none at the end; a reset counts as an end."""
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def command(self, *argv: bytes | str) -> bytes:
        """Send one command and return its raw reply."""
        self.send(*argv)
        return self.read_reply()
