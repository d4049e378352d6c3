"""Running in the background, and the file that says under which process id."""

import os

from aikv.base import log

DEFAULT_PIDFILE = "/var/run/aikv.pid"


def detach() -> None:
    """Go on in a child that has no terminal; the parent ends with status 0.

    Standard input, output and error lead nowhere from then on.
    """
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    if nowhere > 2:
        os.close(nowhere)


class PidFile:
    """The file at `path`; an empty path is none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._written_by = 0

    def write(self) -> None:
        """Write this process's id. A file that cannot be written stops nothing, as with Redis."""
        if not self._path:
            return
        try:
            with open(self._path, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
            self._written_by = os.getpid()
        except OSError as error:
            log.notice("Failed to write PID file %s: %s", self._path, error.strerror)

    def remove(self, pid: int) -> None:
        """Remove the file if process `pid` wrote it."""
        if self._written_by != pid:
            return
        log.notice("Removing the pid file.")
        try:
            os.unlink(self._path)
        except OSError as error:
            log.notice("Failed to remove PID file %s: %s", self._path, error.strerror)
