"""The journal: every change, once, as the RESP bytes that repeat it.

Theory of operation: when a command has changed something the engine records it here, as it was sent or in a
rewritten, deterministic form. All records of one unit (a command with what it caused, or a transaction) are encoded
together at its end; a unit of more than one record is put between MULTI and EXEC, so that whoever replays it gets all
or nothing. A SELECT is written where the database differs from the last record's. The bytes are made once; the server
takes them with `take` before any reply is sent, and gives the same bytes to the AOF and to replicas.

While nobody wants the bytes (`active` False) nothing is encoded.
"""

from aikv.resp.encoder import encode_request
from aikv.resp.output import Output


class Journal:
    """Collects encoded changes between two calls of `take`."""

    def __init__(self) -> None:
        self.active = False
        self.out = Output()
        # How often the bytes were taken: what is recorded now belongs to the next time.
        self.takes = 0
        # What is recorded and not yet encoded.
        self.unit: list[tuple[int, list[bytes]]] = []
        self._selected = -1

    def record(self, db: int, argv: list[bytes]) -> None:
        """Add one change made in database `db` to the current unit."""
        if self.active:
            self.unit.append((db, argv))

    def log(self, db: int, argv: list[bytes]) -> None:
        """Add one change that is a unit by itself, as most are: no list and no tuple is made for it."""
        self._select(db)
        encode_request(self.out, argv)

    def commit(self) -> None:
        """End the unit: encode what it recorded."""
        unit = self.unit
        if not unit:
            return
        whole = len(unit) > 1
        if whole:
            self._select(unit[0][0])
            encode_request(self.out, [b"MULTI"])
        for db, argv in unit:
            self._select(db)
            encode_request(self.out, argv)
        if whole:
            encode_request(self.out, [b"EXEC"])
        self.unit = []

    def reselect(self) -> None:
        """Forget the selected database: the next record starts a new file or stream."""
        self._selected = -1

    def take(self) -> bytes:
        """The bytes encoded since the last call."""
        self.takes += 1
        return self.out.take()

    def _select(self, db: int) -> None:
        if db != self._selected:
            self._selected = db
            encode_request(self.out, [b"SELECT", b"%d" % db])
