"""What MIGRATE hands over to whoever has sockets: keys for another server, and what has come of them.

Theory of operation: the engine knows no socket, so it fills in a `Transfer` and gives it to a `TransferRunner`, as the
disk's work goes to a `DiskRunner`. A server's runner does it in a thread while the client waits; a transaction cannot
wait, so for it the runner does it at once. The runner asks `greetings` and `restores` for what to send, and gives each
line that comes back to `greeted` or `restored`; so what an answer means is said here, once.

Redis sends login, SELECT and all keys in one go. Here the keys follow once the target has accepted the first two: a
target that refuses them has not taken keys into a database that nobody named.
"""

from collections.abc import Callable
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.resp.encoder import encode_request
from aikv.resp.output import Output

# Why a transfer has ended before its time: Redis's own words, whose `client` is the target.
CONNECTING: Final = b"IOERR error or timeout connecting to the client"
WRITING: Final = b"IOERR error or timeout writing to target instance"
READING: Final = b"IOERR error or timeout reading to target instance"


class Transfer:
    """Keys on their way to the server at `host` and `port`.

    `timeout_ms` is for connecting, for each 64 KiB sent and for each answer. After the transfer `taken` has the keys
    that the target has, `refusal` its first error and `failure` one of the texts above; both are empty where all went
    well.
    """

    def __init__(self, host: bytes, port: int, timeout_ms: int) -> None:
        self.host: Final = host
        self.port: Final = port
        self.timeout_ms: Final = timeout_ms
        self.keys: Final[list[bytes]] = []
        self.taken: Final[list[bytes]] = []
        self.refusal = b""
        self.failure = b""
        # How many answers to `greetings` are to come.
        self.greeted_by = 0
        self._answered = 0
        self._greetings = Output()
        self._restores = Output()

    def greet(self, argv: list[bytes]) -> None:
        """Let the request `argv` come before the keys."""
        self.greeted_by += 1
        encode_request(self._greetings, argv)

    def load(self, key: bytes, argv: list[bytes]) -> None:
        """Take `key` along; `argv` is the request that makes it."""
        self.keys.append(key)
        encode_request(self._restores, argv)

    def greetings(self) -> bytes:
        """What to send first. May be taken once."""
        return self._greetings.take()

    def restores(self) -> bytes:
        """What to send when the greetings are answered and nothing was refused. May be taken once."""
        return self._restores.take()

    def greeted(self, line: bytes) -> None:
        """An answer to a greeting, without CR LF. Raises ConnectionError for what is none."""
        self._accepted(line)

    def restored(self, line: bytes) -> None:
        """The answer to the next of `keys`. Raises ConnectionError for what is none."""
        key = self.keys[self._answered]
        self._answered += 1
        if self._accepted(line):
            self.taken.append(key)

    def _accepted(self, line: bytes) -> bool:
        if line.startswith(b"-"):
            if not self.refusal:
                self.refusal = line[1:]
            return False
        if line != b"+OK":
            raise ConnectionError("whoever answers is no Redis server")
        return True


@mypyc_attr(allow_interpreted_subclasses=True)
class TransferRunner:
    """Brings keys to other servers."""

    def run(self, transfer: Transfer) -> None:
        """Return when `transfer` is over, however it ended."""
        raise NotImplementedError

    def submit(self, transfer: Transfer, done: Callable[[], None]) -> None:
        """As `run`, without waiting: `done` is called later, where the engine may be used."""
        raise NotImplementedError
