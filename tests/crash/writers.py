"""Clients that write as fast as they can until the server is gone, and remember what they were promised.

Theory of operation: a `Writer` has keys of its own and sends pipelines of SET commands, each pipeline with one
transaction in it. What has been answered must be found after a restart; what was sent and not answered may be found
or not. Transactions tell on themselves: `a` and `b` get the same number, and `sum` is the sum of all numbers that were
ever given, so one that was applied by half, twice or out of order shows.
"""

import threading

from oracle.process import ServerProcess
from oracle.wire import RawConnection, ServerClosed, pack

BATCH = 6


def bulk(value: int) -> bytes:
    """The reply to GET of `value`."""
    text = b"%d" % value
    return b"$%d\r\n%b\r\n" % (len(text), text)


def number(reply: bytes) -> int:
    """The number in a bulk reply; -1 for none."""
    return -1 if reply == b"$-1\r\n" else int(reply.split(b"\r\n")[1])


class Writer:
    """One client; `name` begins all of its keys. It can be started again after each restart of the server."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.next = 0
        # Numbers of SET commands that were answered, and of transactions that were sent and that were answered last.
        self.answered: list[int] = []
        self.sent_transactions: list[int] = []
        self.answered_transaction = -1
        self.batches = 0
        self.error: BaseException | None = None
        self._thread = threading.Thread()

    def start(self, server: ServerProcess) -> None:
        """Begin to write, in a thread."""
        self._thread = threading.Thread(target=self._run, args=(server.connect(),))
        self._thread.start()

    def join(self) -> None:
        """Wait until the connection has broken; raises what went wrong besides."""
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self, connection: RawConnection) -> None:
        try:
            with connection:
                while True:
                    self._write(connection)
        except (ServerClosed, ConnectionError):
            # The server was killed: what the writer waits for.
            return
        except BaseException as error:
            self.error = error

    def _write(self, connection: RawConnection) -> None:
        numbers = range(self.next, self.next + BATCH)
        self.next += BATCH
        last = numbers[-1]
        self.sent_transactions.append(last)
        parts = [pack([b"SET", self.key(n), b"%d" % n]) for n in numbers]
        parts += [
            pack([b"MULTI"]),
            pack([b"SET", self.key("a"), b"%d" % last]),
            pack([b"INCRBY", self.key("sum"), b"%d" % last]),
            pack([b"SET", self.key("b"), b"%d" % last]),
            pack([b"EXEC"]),
        ]
        connection.send_raw(b"".join(parts))
        for n in numbers:
            assert connection.read_reply() == b"+OK\r\n"
            self.answered.append(n)
        assert connection.read_reply() == b"+OK\r\n"
        for _ in range(3):
            assert connection.read_reply() == b"+QUEUED\r\n"
        assert connection.read_reply().startswith(b"*3\r\n+OK\r\n:")
        self.answered_transaction = last
        self.batches += 1

    def key(self, rest: object) -> bytes:
        """A key of this writer."""
        return f"{self.name}:{rest}".encode()

    def check(self, server: ServerProcess) -> None:
        """Nothing that was answered is missing, no transaction is half there; after a restart."""
        with server.connect() as connection:
            connection.send_raw(b"".join(pack([b"GET", self.key(n)]) for n in self.answered))
            missing = [n for n in self.answered if connection.read_reply() != bulk(n)]
            assert not missing, (
                f"{self.name}: {len(missing)} acknowledged writes are missing, the first is {missing[0]}"
            )
            a, b, total = [number(connection.command("GET", self.key(word))) for word in ("a", "b", "sum")]
        assert a == b, f"{self.name}: a transaction was applied by half: a is {a}, b is {b}"
        assert a >= self.answered_transaction, f"{self.name}: transaction {self.answered_transaction} is missing"
        self.sent_transactions = [n for n in self.sent_transactions if n <= a]
        assert total == (sum(self.sent_transactions) if self.sent_transactions else -1)


def check_all(writers: list[Writer], server: ServerProcess) -> None:
    """Every writer finds what it was promised, and the log of the server is free of faults."""
    for writer in writers:
        writer.check(server)
    assert "Traceback" not in server.log(), server.log()


def fill(connection: RawConnection, prefix: str, count: int, size: int = 8) -> None:
    """Set keys `prefix:0` and so on, `size` bytes each, in one pipeline."""
    value = b"v" * size
    connection.send_raw(b"".join(pack([b"SET", b"%b:%d" % (prefix.encode(), index), value]) for index in range(count)))
    for _ in range(count):
        assert connection.read_reply() == b"+OK\r\n"
