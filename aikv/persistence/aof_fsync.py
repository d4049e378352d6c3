"""Disk work that must not hold up the event loop: forcing a file to the disk, giving up a large one.

Theory of operation: the loop hands `DiskJob`s to a `DiskRunner` and looks later whether they are done. Jobs
run one behind the other, so a descriptor handed over for closing is closed only after the fsync that was
asked for before it. The runner of the server is a thread; a test passes one that runs a job when the test
says so.
"""

import queue
import threading
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.persistence.files import Files


class DiskJob:
    """An fsync of `fd`, or its closing.

    `upto` and `generation` tell the owner what the fsync covers. After the work `done` is True and `error`
    says whether it failed; it is for the owner to look at them.
    """

    def __init__(self, fd: int, closing: bool, upto: int, generation: int, started_us: int) -> None:
        self.fd: Final = fd
        self.closing: Final = closing
        self.upto: Final = upto
        self.generation: Final = generation
        self.started_us: Final = started_us
        self.error: OSError | None = None
        self.done: bool = False

    def run(self, files: Files) -> None:
        """Do the work."""
        try:
            if self.closing:
                files.close(self.fd)
            else:
                files.fsync(self.fd)
        except OSError as error:
            self.error = error
        # Last: the owner reads `error` only once this is set.
        self.done = True


@mypyc_attr(allow_interpreted_subclasses=True)
class DiskRunner:
    """Runs jobs in the order of their submission."""

    def submit(self, job: DiskJob) -> None:
        """Take over `job`; it is run at some time."""
        raise NotImplementedError

    def stop(self) -> None:
        """Return when everything that was submitted has been run; nothing may be submitted any more."""
        raise NotImplementedError


class ThreadRunner(DiskRunner):
    """Runs jobs in one thread of its own, which starts with the first job."""

    def __init__(self, files: Files) -> None:
        self._files: Final = files
        self._queue: Final[queue.SimpleQueue[DiskJob | None]] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None

    def submit(self, job: DiskJob) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="aof-fsync", daemon=True)
            self._worker.start()
        self._queue.put(job)

    def stop(self) -> None:
        if self._worker is not None:
            self._queue.put(None)
            self._worker.join()
            self._worker = None

    def _work(self) -> None:
        job = self._queue.get()
        while job is not None:
            job.run(self._files)
            job = self._queue.get()
