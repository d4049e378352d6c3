"""`aikv rdb top`: the largest keys, and the prefixes under which most is.

Theory of operation: the largest keys are kept in two heaps of as many as are to be shown. Prefixes are counted in a
table that is bounded: when it is full, the half with the least memory is dropped, and the report says that it is an
estimate then; a prefix that holds much comes back at once, and has lost at most what was counted before. So the tool
needs the same few megabytes for any file.
"""

from heapq import heappush, heappushpop

import click

from aikv.cli.escape import escape
from aikv.cli.rdb_files import Filter, KeyVisitor, Output, filtered, visit
from aikv.cli.terminal import SETTINGS, tool
from aikv.datatypes.kinds import type_name
from aikv.persistence.sizes import elements_of, memory_of

_PREFIXES = 100_000
_SHOWN_BYTES = 200


class _Group:
    """What stands under one prefix of one database."""

    def __init__(self) -> None:
        self.keys = 0
        self.memory = 0
        self.elements = 0


class _Heap:
    """The `size` largest of all that is added."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._order = 0
        self._items: list[tuple[int, int, tuple[int, str, bytes]]] = []

    def add(self, number: int, what: tuple[int, str, bytes]) -> None:
        """Offer `what`, which measures `number`; of equals the first stays."""
        self._order -= 1
        item = (number, self._order, what)
        if len(self._items) < self._size:
            heappush(self._items, item)
        else:
            heappushpop(self._items, item)

    def largest(self) -> list[tuple[int, tuple[int, str, bytes]]]:
        """What is left, the largest first."""
        return [(number, what) for number, _, what in sorted(self._items, reverse=True)]


class Top(KeyVisitor):
    """Finds the largest; `groups` holds at most `prefixes` prefixes, and `dropped` says whether that was too few."""

    def __init__(self, limit: int, separator: bytes, depth: int, prefixes: int = _PREFIXES) -> None:
        super().__init__()
        self.by_memory = _Heap(limit)
        self.by_elements = _Heap(limit)
        self.groups: dict[tuple[int, bytes], _Group] = {}
        self.dropped = False
        self._separator = separator
        self._depth = depth
        self._prefixes = prefixes

    def key(self, db: int, key: bytes, value: object, expire_ms: int) -> None:
        memory = memory_of(key, value, expire_ms)
        elements = elements_of(value)
        what = (db, type_name(value).decode(), key)
        self.by_memory.add(memory, what)
        self.by_elements.add(elements, what)
        words = key.split(self._separator, self._depth)
        for depth in range(1, len(words)):
            self._count(db, self._separator.join(words[:depth]) + self._separator, memory, elements)

    def _count(self, db: int, prefix: bytes, memory: int, elements: int) -> None:
        group = self.groups.get((db, prefix))
        if group is None:
            if len(self.groups) >= self._prefixes:
                self._drop_half()
            group = self.groups[db, prefix] = _Group()
        group.keys += 1
        group.memory += memory
        group.elements += elements

    def _drop_half(self) -> None:
        self.dropped = True
        kept = sorted(self.groups.items(), key=lambda item: item[1].memory, reverse=True)[: self._prefixes // 2]
        self.groups = dict(kept)


@click.command(context_settings=SETTINGS)
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option("--limit", "-n", type=click.IntRange(1), default=10, show_default=True, help="How many of each.")
@click.option("--separator", default=":", show_default=True, help="What ends a prefix.")
@click.option(
    "--depth", type=click.IntRange(1), default=2, show_default=True, help="Separators that a prefix may have."
)
@filtered
@tool
def top(
    file: str, limit: int, separator: str, depth: int, dbs: tuple[int, ...], match: str | None, types: tuple[str, ...]
) -> None:
    """Print the largest keys and prefixes of FILE, by memory and by elements.

    Memory is an estimate of what redis-server would take. A prefix is a key up to and including a separator:
    user:1:name counts under user: and under user:1:.
    """
    if not separator:
        raise click.BadParameter("a separator cannot be empty", param_hint="--separator")
    found = Top(limit, separator.encode(), depth)
    visit(file, found, Filter(dbs, match, types))
    out = Output()
    out.line("Keys by memory (bytes):")
    for number, (db, kind, key) in found.by_memory.largest():
        out.line(f"  {number:>12}  db{db} {kind:<6} {_cut(key)}")
    out.line("Keys by elements:")
    for number, (db, kind, key) in found.by_elements.largest():
        out.line(f"  {number:>12}  db{db} {kind:<6} {_cut(key)}")
    note = ", an estimate because there are very many" if found.dropped else ""
    groups = found.groups.items()
    out.line(f"Prefixes by memory (bytes{note}):")
    for (db, prefix), group in sorted(groups, key=lambda item: item[1].memory, reverse=True)[:limit]:
        out.line(f"  {group.memory:>12}  db{db} {group.keys} keys  {_cut(prefix)}")
    out.line(f"Prefixes by elements{note and ' (' + note[2:] + ')'}:")
    for (db, prefix), group in sorted(groups, key=lambda item: item[1].elements, reverse=True)[:limit]:
        out.line(f"  {group.elements:>12}  db{db} {group.keys} keys  {_cut(prefix)}")
    out.flush()


def _cut(key: bytes) -> str:
    return escape(key) if len(key) <= _SHOWN_BYTES else escape(key[:_SHOWN_BYTES]) + "..."
