"""Texts of one size that stand in a row, each as far behind the last: a list of them that is not taken apart.

Theory of operation: to make an object of each text of a long reply, and to put them together again, takes an
interpreter a quarter of a microsecond for each. A row is turned into another one, with other bytes between the texts,
column by column: as many steps as a text has bytes, however many texts there are. `worth_while` says when these are
fewer.
"""

from typing import Final


class Row:
    """`count` texts of `size` bytes each: the first begins at `data[first]`, and one begins every `stride` bytes."""

    def __init__(self, data: bytes, first: int, stride: int, size: int, count: int) -> None:
        self._data: Final = data
        self._first: Final = first
        self._stride: Final = stride
        self._size: Final = size
        self.count: Final = count

    def framed(self, before: bytes, after: bytes) -> bytes:
        """Each text between `before`, in which `%d` becomes its size, and `after`. O(bytes)."""
        size = self._size
        before %= size
        each = before + bytes(size) + after
        made = bytearray(each * self.count)
        stop = self._first + self._stride * self.count
        for column in range(size):
            made[len(before) + column :: len(each)] = self._data[self._first + column : stop : self._stride]
        return bytes(made)


def worth_while(size: int, count: int) -> bool:
    """Whether `count` texts of `size` bytes are better handled as a row."""
    return count >= 2 * size
