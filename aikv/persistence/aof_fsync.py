"""Disk work that must not hold up the event loop: forcing a file to the disk, giving up or replacing a large one.

Theory of operation: the loop hands `DiskTask`s to a `DiskRunner` and looks later whether they are done. They
run one behind the other, so a descriptor handed over for closing is closed only after the fsync that was
asked for before it. The runner of the server is a thread; a test passes one that runs a task when the test
says so.
"""

import queue
import threading
from typing import Final

from mypy_extensions import mypyc_attr

from aikv.persistence.files import Files


@mypyc_attr(allow_interpreted_subclasses=True)
class DiskTask:
    """A piece of work; after it `done` is True and `error` says whether it failed, for its owner to look at."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.done: bool = False

    def work(self, files: Files) -> None:
        """What is to be done. Raises `OSError`."""
        raise NotImplementedError

    def run(self, files: Files) -> None:
        """Do the work."""
        try:
            self.work(files)
        except OSError as error:
            self.error = error
        # Last: the owner reads `error` only once this is set.
        self.done = True


class DiskJob(DiskTask):
    """An fsync of `fd`, or its closing; `upto` and `generation` tell the owner what the fsync covers."""

    def __init__(self, fd: int, closing: bool, upto: int, generation: int, started_us: int) -> None:
        super().__init__()
        self.fd: Final = fd
        self.closing: Final = closing
        self.upto: Final = upto
        self.generation: Final = generation
        self.started_us: Final = started_us

    def work(self, files: Files) -> None:
        if self.closing:
            files.close(self.fd)
        else:
            files.fsync(self.fd)


@mypyc_attr(allow_interpreted_subclasses=True)
class DiskRunner:
    """Runs tasks in the order of their submission."""

    def submit(self, job: DiskTask) -> None:
        """Take over `job`; it is run at some time."""
        raise NotImplementedError

    def stop(self) -> None:
        """Return when everything that was submitted has been run; what is submitted later starts the runner anew."""
        raise NotImplementedError


class ThreadRunner(DiskRunner):
    """Runs tasks in one thread of its own, which starts with the first."""

    def __init__(self, files: Files) -> None:
        self._files: Final = files
        self._queue: Final[queue.SimpleQueue[DiskTask | None]] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None

    def submit(self, job: DiskTask) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="disk", daemon=True)
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
