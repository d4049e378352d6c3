"""Positions in a sequence that is kept in parts: which part an index falls into, and where a part begins.

Theory of operation: a Fenwick tree (Fenwick 1994) over the sizes of the parts. Entry i of the tree, counted from 1, is
the sum of as many sizes before and at part i as the lowest set bit of i says, so a sum, a change and a search each
touch one entry per bit. A part that comes or goes moves all others; then the tree is built anew.
"""

from mypy_extensions import i64


class Positions:
    """The sizes of numbered parts, and their sums."""

    def __init__(self) -> None:
        self._sums: list[int] = [0]
        # The largest power of two that is an entry of the tree.
        self._top: i64 = 0

    def build(self, sizes: list[int]) -> None:
        """Take `sizes` for the parts. O(parts)."""
        count: i64 = len(sizes)
        sums = [0]
        sums.extend(sizes)
        for entry in range(1, count + 1):
            parent: i64 = entry + (entry & -entry)
            if parent <= count:
                sums[parent] += sums[entry]
        self._sums = sums
        top: i64 = 1
        while top * 2 <= count:
            top *= 2
        self._top = top if count else 0

    def change(self, part: i64, difference: i64) -> None:
        """Make `part` larger by `difference`. O(log parts)."""
        sums = self._sums
        size: i64 = len(sums)
        entry: i64 = part + 1
        while entry < size:
            sums[entry] += difference
            entry += entry & -entry

    def start(self, part: i64) -> i64:
        """The index of the first element of `part`: the sizes of all parts before it. O(log parts)."""
        sums = self._sums
        total: i64 = 0
        entry: i64 = part
        while entry > 0:
            total += sums[entry]
            entry &= entry - 1
        return total

    def find(self, index: i64) -> tuple[i64, i64]:
        """The part that element `index` lies in, and the element's index there. O(log parts).

        `index` is at least 0 and less than the sum of all sizes.
        """
        sums = self._sums
        size: i64 = len(sums)
        part: i64 = 0
        step: i64 = self._top
        while step > 0:
            entry: i64 = part + step
            if entry < size:
                total: i64 = sums[entry]
                if total <= index:
                    part = entry
                    index -= total
            step >>= 1
        return part, index
