"""Servers as child processes: aikv and the real redis-server, started and stopped in the same way.

Theory of operation: a `ServerProcess` owns one folder, which is the server's working directory and holds
its log; a restart keeps the folder, so what was persisted is found again. Ready means that PING is
answered, found by asking, never by sleeping for a fixed time. A free port is one that the system has just
given out; since another process may take it before the server does, a start that fails is tried again on
another port.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aikv
from oracle.wire import RawConnection, ServerClosed

# -P: the working directory, which is the server's own, is not searched for modules.
AIKV = (sys.executable, "-P", "-m", "aikv")
REDIS = ("redis-server",)

# A server that neither persists nor protects itself: what a test of commands wants.
VOLATILE = ("--save", "", "--appendonly", "no", "--enable-debug-command", "yes")

START_SECONDS = 30.0
STOP_SECONDS = 30.0


class ServerFailed(Exception):
    """A server that did not start, or has ended, with its log."""


def redis_missing() -> str | None:
    """Why there is no oracle on this machine; None if there is one."""
    if shutil.which(REDIS[0]) is None:
        return "redis-server is not installed"
    said = subprocess.run([*REDIS, "--version"], check=True, capture_output=True, text=True).stdout
    return None if " v=7." in said else f"the oracle is redis-server 7, and here is: {said.strip()}"


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listened on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """One server. `program` is its command line's beginning, `arguments` are what redis-server would take."""

    def __init__(self, program: Sequence[str], folder: Path, arguments: Sequence[str] = VOLATILE) -> None:
        self.program = tuple(program)
        self.folder = folder
        self.arguments = tuple(arguments)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, attempts: int = 3) -> None:
        """Start the server and wait until it answers; raises `ServerFailed` with the log otherwise."""
        # The child imports the very aikv that the tests import, whatever its working directory.
        environment = {**os.environ, "PYTHONPATH": str(Path(str(aikv.__file__)).parents[1])}
        for remaining in range(attempts - 1, -1, -1):
            self.port = free_port()
            address = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
            with self.log_path.open("ab") as log:
                self.process = subprocess.Popen(
                    [*self.program, *address, *self.arguments],
                    cwd=self.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            try:
                self.wait_until_ready()
                break
            except ServerFailed:
                if not remaining:
                    raise

    def wait_until_ready(self) -> None:
        """Ask PING until it is answered with PONG or with a wish for a password."""
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                # A server that loads a file listens, and answers when it has loaded it.
                with RawConnection(self.port, START_SECONDS) as connection:
                    if connection.command("PING").startswith((b"+PONG", b"-NOAUTH")):
                        return
            except (ConnectionError, ServerClosed):
                pass  # Nobody listens yet: ask again.
            time.sleep(0.01)
        self.kill()
        raise ServerFailed(f"{' '.join(self.program)} did not start:\n{self.log()}")

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self.process is not None, "the server was not started"
        return self.process.pid

    @property
    def log_path(self) -> Path:
        """The file that holds what the server printed, all starts one after the other."""
        return self.folder / "server.log"

    def log(self) -> str:
        """Return what the server printed so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def connect(self, protocol: int = 2, timeout: float = 10.0) -> RawConnection:
        """Open a connection that speaks RESP2 or, after a HELLO whose reply is dropped, RESP3."""
        try:
            connection = RawConnection(self.port, timeout)
        except ConnectionRefusedError:
            raise ServerFailed(f"{' '.join(self.program)} does not listen:\n{self.log()[-8000:]}") from None
        if protocol == 3:
            connection.command("HELLO", "3")
        return connection

    def stop(self) -> int:
        """Ask the server to shut down (SIGTERM); returns its exit status."""
        return self.end(signal.SIGTERM)

    def kill(self) -> int:
        """End the server as a power cut would (SIGKILL); returns minus the signal's number."""
        return self.end(signal.SIGKILL)

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end; a server that was not running is left at that."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.process = None
        return status

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server with the signal `how` and start it again on the same folder, on another port."""
        self.end(how)
        self.start()
