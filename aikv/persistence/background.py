"""Work in a forked child, which sees the dataset as it was at the fork.

Theory of operation: `BackgroundChild.start` forks; the child runs one `ChildJob` and ends by `os._exit`, so that it
never returns into the parent's event loop, runs none of its exit handlers and flushes none of its buffers. Signals
are blocked around the fork, because a handler inherited from an event loop would write into a pipe that the child
shares with its parent. What came of the job arrives as the exit status and as one text in a pipe. The parent calls
`poll` now and then, which never waits.

A child does not outlive its parent: Linux is asked to end it then, and where that cannot be asked the child still
changes nothing that another process reads, because only the parent gives a finished file its name.

What a child reads it makes its own: Python counts references in the object itself, so each look at a key or a value
copies the page it lies on, and at the end everything is there twice. `read_apart` takes a copy of a bucket by a
way on which nothing is counted.

Where there are not cores enough for everybody, the clients of the parent come first: the child asks the system for less
of them (nice). It takes longer then, and the pauses in which it runs in the parent's place are shorter and fewer.
"""

import ctypes
import gc
import marshal
import os
import signal
from typing import Final, cast

from mypy_extensions import mypyc_attr

# Written in one piece and without blocking: the least that POSIX promises for a pipe.
_REPORT_BYTES: Final = 512
_FAILED: Final = 1
# From Linux's <sys/prctl.h>: the signal that a process gets when the thread that forked it ends.
_PR_SET_PDEATHSIG: Final = 1
_PRCTL: Final = getattr(ctypes.CDLL(None), "prctl", None)
# Added to the child's niceness: its share of a busy core is a third of the parent's. With 10, a tenth, no client waits
# less, and on a server without a pause a snapshot would take ten times as long.
_NICENESS: Final = 5
# The last version of the format in which an object that is met twice is written twice, and so nobody asks for counts.
_UNCOUNTED: Final = 2


@mypyc_attr(allow_interpreted_subclasses=True)
class ChildJob:
    """What a child does."""

    def prepare(self) -> None:
        """Called first in the child, signals still blocked: to log under role C, to close sockets it must not hold."""

    def run(self) -> str:
        """Do the work; returns a short report. An exception is a failure and its text the reason."""
        raise NotImplementedError


class ChildOutcome:
    """How a child ended: `report` is what `ChildJob.run` returned, or the reason where `ok` is False."""

    def __init__(self, ok: bool, report: str) -> None:
        self.ok: Final = ok
        self.report: Final = report


@mypyc_attr(allow_interpreted_subclasses=True)
class BackgroundChild:
    """One child process at a time; `pid` is 0 while there is none. A test passes one that forks nothing."""

    def __init__(self) -> None:
        self.pid: int = 0
        self._pipe: int = -1

    def start(self, job: ChildJob) -> None:
        """Fork and run `job` in the child. Raises `OSError` if the system refuses the pipe or the fork."""
        if self.pid != 0:
            raise RuntimeError("a background child is running already")
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        parent = os.getpid()
        try:
            pid = os.fork()
            if pid == 0:
                _be_child(job, writing, parent)
            self.pid = pid
            self._pipe = reading
        except OSError:
            os.close(reading)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(writing)

    def poll(self) -> ChildOutcome | None:
        """How the child ended, once; None while it runs or if there is none."""
        return self._reap(os.WNOHANG)

    def kill(self) -> ChildOutcome | None:
        """End the child at once and wait until it is gone; None if there is none."""
        if self.pid != 0:
            os.kill(self.pid, signal.SIGKILL)
        return self._reap(0)

    def _reap(self, options: int) -> ChildOutcome | None:
        if self.pid == 0:
            return None
        pid, status = os.waitpid(self.pid, options)
        if pid == 0:
            return None
        try:
            report = os.read(self._pipe, _REPORT_BYTES).decode("utf-8", "replace")
        except BlockingIOError:
            # Another process forked meanwhile holds the writing end, and nothing was written.
            report = ""
        os.close(self._pipe)
        self.pid = 0
        self._pipe = -1
        if os.WIFSIGNALED(status):
            return ChildOutcome(False, f"terminated by signal {os.WTERMSIG(status)}")
        if os.WEXITSTATUS(status) != 0:
            return ChildOutcome(False, report or f"exit status {os.WEXITSTATUS(status)}")
        return ChildOutcome(True, report)


def read_apart(bucket: dict[bytes, object]) -> dict[bytes, object]:
    """A copy of `bucket` made without touching the pages of its keys and values; `bucket` itself if that cannot be.

    It can where all values are strings. CPython's marshal walks a dict with borrowed references; a Python in which it
    did not would only need more memory. A `bytearray` is `bytes` in the copy.
    """
    try:
        return cast("dict[bytes, object]", marshal.loads(marshal.dumps(bucket, _UNCOUNTED)))
    except ValueError:
        return bucket


def _be_child(job: ChildJob, pipe: int, parent: int) -> None:
    """Run `job` and end the process."""
    status = _FAILED
    report = ""
    try:
        _end_with(parent)
        os.nice(_NICENESS)
        # A collection would write to every object, and so copy every page.
        gc.disable()
        _reset_signals()
        job.prepare()
        signal.pthread_sigmask(signal.SIG_SETMASK, set[int]())
        report = job.run()
        status = 0
    except BaseException as error:
        report = str(error) or type(error).__name__
    finally:
        try:
            if report:
                os.write(pipe, report.encode("utf-8", "replace")[:_REPORT_BYTES])
        finally:
            os._exit(status)


def _end_with(parent: int) -> None:
    """Let the system kill this process when `parent` ends, and end it here if that has happened already."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(_FAILED)


def _reset_signals() -> None:
    """The system's default for every signal but SIGINT: Ctrl-C reaches the parent too, which decides for its child."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
