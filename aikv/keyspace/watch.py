"""WATCH: one key that one client wants to find unchanged.

Theory of operation: a database keeps, for each watched key, the `Watch` of every client that watches it; whoever
changes the key spoils them, and EXEC looks at those of its client. A key that was past its time when WATCH came counts
as absent: that it is removed afterwards is no change.
"""

from typing import Final


class Watch:
    """What one client watches: `key` of database number `db`."""

    def __init__(self, db: int, key: bytes, expired: bool) -> None:
        self.db: Final = db
        self.key: Final = key
        # The key is still in its place but past its time, and has been since WATCH.
        self.expired = expired
        self.spoiled = False

    def touch(self, exists: bool) -> None:
        """The key has been changed; `exists` says whether it is there now."""
        if self.expired and not exists:
            self.expired = False
        else:
            self.spoiled = True
