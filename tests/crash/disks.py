"""Disks that can be filled: a small one of its own where the test may mount it, or a limit on the size of files.

Theory of operation: both have a `folder` for a server's data, `fill` after which nothing more can be written, and
`free`, after which it can. The limit works without privileges: the system lets a process set the limits of its
children, and CPython turns the signal that comes with it into an error.
"""

import resource
import subprocess
from pathlib import Path

from oracle.process import ServerProcess

# Bytes in a file that is too short to be stopped by a limit.
SHORT = 16 * 1024


class SmallDisk:
    """A file system of 4 MiB in memory; making one raises `PermissionError` where this process may not mount."""

    reason = "No space left on device"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], check=False, capture_output=True
        )
        if made.returncode != 0:
            raise PermissionError(made.stderr.decode())

    def fill(self, _server: ServerProcess | None = None) -> None:
        """Leave no room."""
        with (self.folder / "filling").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                return

    def free(self, _server: ServerProcess) -> None:
        """Make room again."""
        (self.folder / "filling").unlink()

    def close(self) -> None:
        """Give the memory back."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


class LimitedFiles:
    """A folder of the ordinary disk; when it is `full` the server may not make any file longer."""

    reason = "File too large"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def fill(self, server: ServerProcess) -> None:
        """Forbid the server to make any file long; its log stays short enough."""
        self._limit(server, SHORT)

    def free(self, server: ServerProcess) -> None:
        """Allow it again."""
        self._limit(server, resource.RLIM_INFINITY)

    def close(self) -> None:
        """Nothing is left to do."""

    def _limit(self, server: ServerProcess, size: int) -> None:
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, hard))
