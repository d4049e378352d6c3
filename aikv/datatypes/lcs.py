"""The longest common subsequence of two strings, and where it lies in them.

Theory of operation: the textbook table L(i, j) holds the length for the first i bytes of one string and the first j of
the other. Along a row it grows by 0 or 1 a step, so a row is one bit per step, kept in one large integer, and the next
row follows from it by a handful of operations on whole integers (Crochemore, Iliopoulos, Pinzon, Reid 2001; Hyyrö
2004):

    matched = row & positions_of[byte];  row = (row + matched) | (row - matched)

with a zero bit where L grows. The shorter string makes the rows, so there are few steps with long integers, and the
table costs a bit per cell instead of Redis's four bytes.

Of several longest subsequences Redis reports the one that its own walk back through the table finds: at equal bytes
diagonally; else towards the larger neighbour, and on a tie back in the second string. The same walk is taken here, a
row at a time: what it can stop at in a row is the highest bit of an integer.
"""

from typing import Final

_ZERO: Final = 48
_ONE: Final = 49
_BYTES: Final = 256


class Match:
    """A run of equal bytes: `size` bytes from offset `a` of the first string and offset `b` of the second."""

    def __init__(self, a: int, b: int, size: int) -> None:
        self.a = a
        self.b = b
        self.size = size


def lcs_length(a: bytes, b: bytes) -> int:
    """The length of a longest common subsequence of `a` and `b`."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    return _growth(_rows(short, long, _positions(short, long), keep=False)[-1], len(long)).bit_count()


def lcs_matches(a: bytes, b: bytes) -> list[Match]:
    """The runs that make up Redis's longest common subsequence of `a` and `b`, the last one first.

    Memory: len(a) * len(b) / 8 bytes. Time: len(a) * len(b) / 30 steps of a machine word, more or less.
    """
    if len(a) <= len(b):
        return _walk_back(a, b, swapped=False)
    return _walk_back(b, a, swapped=True)


def _positions(short: bytes, long: bytes) -> dict[int, int]:
    """For each byte of `short`: an integer with bit p set where that byte is at offset p of `long`."""
    # The first digit of a binary number is its highest bit.
    reverse = long[::-1]
    found: dict[int, int] = {}
    digits = bytearray([_ZERO]) * _BYTES
    for byte in set(short):
        digits[byte] = _ONE
        found[byte] = int(b"0" + reverse.translate(digits), 2)
        digits[byte] = _ZERO
    return found


def _rows(short: bytes, long: bytes, positions: dict[int, int], keep: bool) -> list[int]:
    """The rows of the table, from that of no byte of `short` to that of all; only the last unless `keep`."""
    full = (1 << len(long)) - 1
    row = full
    rows = [row]
    for byte in short:
        matched = row & positions[byte]
        row = ((row + matched) | (row - matched)) & full
        if keep:
            rows.append(row)
    return rows if keep else [row]


def _growth(row: int, length: int) -> int:
    """The bits of the steps along a row at which the table grows."""
    return row ^ ((1 << length) - 1)


def _walk_back(short: bytes, long: bytes, swapped: bool) -> list[Match]:
    """The walk; `swapped` says that `short` is the second string."""
    positions = _positions(short, long)
    rows = _rows(short, long, positions, keep=True)
    runs: list[Match] = []
    run: Match | None = None
    column = len(long)
    for number in range(len(short), 0, -1):
        byte = short[number - 1]
        below = (1 << column) - 1
        if swapped:
            # The walk goes on along the row while the table grows from the row before to this one.
            leave = ~_grown_since(rows[number - 1], rows[number])
        else:
            # The walk goes on along the row while the table does not grow there.
            leave = ~rows[number]
        stop = ((positions[byte] | leave) & below).bit_length()
        if stop == 0:
            break
        if stop != column:
            run = None
        column = stop
        if long[column - 1] != byte:
            run = None
            continue
        column -= 1
        if run is None:
            run = Match(0, 0, 0)
            runs.append(run)
        run.a = column if swapped else number - 1
        run.b = number - 1 if swapped else column
        run.size += 1
        if column == 0:
            break
    return runs


def _grown_since(before: int, after: int) -> int:
    """The bits of the columns at which the table grows from one row to the next; bits beyond the row are undefined.

    From left to right the difference becomes 1 where only the later row grows, and 0 where only the earlier one does.
    A subtraction fills the bits from the one to the other.
    """
    begins = before & ~after
    ends = after & ~before
    return ends - begins
