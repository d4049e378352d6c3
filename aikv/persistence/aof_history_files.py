"""Deleting the history files of the append-only log: those that a rewrite has replaced.

Theory of operation: history is deleted soon after the rewrite, or `keep_s` seconds later, so that a restore to a moment
before the rewrite is possible (aikv-aof-history-seconds), or when nobody copies the files any more (`pinned`). A file
is deleted first and then taken out of the manifest: after a crash in between, the manifest names one that is missing,
which is no harm for history.
"""

import os
from typing import TYPE_CHECKING, Final

from aikv.base import log
from aikv.persistence.aof_history import out_of_time
from aikv.persistence.aof_log import ON

if TYPE_CHECKING:
    from aikv.persistence.aof_rewrite import Aof

_SECOND_US: Final = 1_000_000


class HistoryFiles:
    """The history files of `aof`."""

    def __init__(self, aof: "Aof") -> None:
        self._aof = aof
        # For how many seconds history is kept; -1 is for ever.
        self.keep_s: int = 0
        # Whether somebody copies the files of the log: none is deleted then.
        self.pinned: bool = False
        # The monotonic time at which `expire` looks again, and whether it does so with the log off, too.
        self._look_us: int = 0
        self._due: bool = False

    def note_rewrite(self) -> None:
        """A rewrite has made history."""
        # To commit a manifest takes 20 ms: a second one, for what is history now, would make that wait twice as long.
        if not self._due:
            self._due = True
            self._look_us = self._aof.clock.monotonic_us() + _SECOND_US

    def expire(self) -> None:
        """Call about ten times a second: deletes the files whose time is over."""
        aof = self._aof
        if aof.manifest.history and (aof.state == ON or self._due):
            now_us = aof.clock.monotonic_us()
            if now_us >= self._look_us:
                self._look_us = now_us + _SECOND_US
                self._due = False
                self.delete()

    def delete(self) -> None:
        """Delete the files whose time is over; one that cannot be deleted stays in the manifest for the next time.

        A base goes before the incr files behind it, so that what is left after a crash is not taken for a whole.
        """
        aof = self._aof
        due = [] if self.pinned else out_of_time(aof.manifest, self.keep_s, aof.clock.unix_ms() // 1000)
        if not due:
            return
        used = [part.name for part in aof.manifest.parts()]
        manifest = aof.manifest.copy()
        kept = [part for part in due if part.name not in used and not self._deleted(part.name)]
        manifest.history = [part for part in manifest.history if part not in due or part in kept]
        try:
            aof.store.prepare(manifest)
            aof.store.commit()
        except OSError as error:
            log.warning(f"Can't remove deleted files from the AOF manifest: {error.strerror}")
            return
        aof.manifest = manifest

    def _deleted(self, name: str) -> bool:
        log.notice(f"Removing the history file {name} in the background")
        aof = self._aof
        path = aof.store.path(name)
        try:
            # With the descriptor still open the name goes at once, and the blocks when the runner closes it.
            fd = aof.store.files.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return True
        except OSError as error:
            log.warning(f"Can't remove the history file {name}: {error.strerror}")
            return False
        removed = aof.remove(path)
        aof.close_beside(fd)
        return removed
