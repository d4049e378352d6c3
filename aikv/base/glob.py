"""Glob patterns, with the semantics of Redis's stringmatchlen.

Theory of operation: a pattern is a row of items, each of which takes exactly one byte of the text (a literal,
`?`, or a class), and of stars between them. The stars cut the row into segments of fixed length. The first
segment must stand at the start of the text, the last at its end, and those between are looked for from left
to right, each at its leftmost place: taking the leftmost place never spoils a later match, so there is
nothing to come back to and time is bounded by text length times pattern length. A segment without classes is
plain bytes and is found by `bytes.find`.

Peculiarities of Redis that are kept: a backslash makes the next byte literal; a class may lack its `]` and
then reaches to the end of the pattern; `[a-]` is a range whose end is `]`; the ends of a range may stand in
either order and compare as signed bytes; an escaped byte in a class ignores `nocase`; and an empty text is
matched by an empty pattern only, not even by `*` (KEYS and SCAN treat a lone `*` as "everything" before they
come here).
"""

from typing import Final

_STAR: Final = 42
_ANY: Final = 63
_OPEN: Final = 91
_CLOSE: Final = 93
_BACKSLASH: Final = 92
_CARET: Final = 94
_DASH: Final = 45
_NO_BYTE: Final = bytes(256)
_EVERY_BYTE: Final = b"\x01" * 256


class Segment:
    """Items between two stars: `literal` where each of them is one certain byte, and one 256-byte table per
    item.
    """

    def __init__(self, tables: list[bytes], literal: bytes | None) -> None:
        self.size: Final = len(tables)
        self.tables: Final = tables
        self.literal: Final = literal

    def stands_at(self, text: bytes, position: int) -> bool:
        """Whether the segment matches at `position`, from where at least `size` bytes are left."""
        if self.literal is not None:
            return text[position : position + self.size] == self.literal
        for table in self.tables:
            if not table[text[position]]:
                return False
            position += 1
        return True

    def find(self, text: bytes, start: int, end: int) -> int:
        """The leftmost position at or after `start` where the segment matches and ends by `end`, or -1."""
        if self.literal is not None:
            return text.find(self.literal, start, end)
        last = end - self.size
        while start <= last:
            if self.stands_at(text, start):
                return start
            start += 1
        return -1


class Glob:
    """A pattern made ready for many texts. `literal` is the only text that it matches, or None if there are
    others.
    """

    def __init__(self, pattern: bytes, nocase: bool = False) -> None:
        segments = _Parser(pattern, nocase).segments()
        self.pattern: Final = pattern
        self.head: Final = segments[0]
        self.tail: Final = segments[-1]
        self.middle: Final = segments[1:-1]
        self.starred: Final = len(segments) > 1
        self.literal: Final = self.head.literal if len(segments) == 1 else None

    def match(self, text: bytes) -> bool:
        """Whether the whole of `text` matches."""
        if self.literal is not None:
            return text == self.literal
        size = len(text)
        if not self.starred:
            return size == self.head.size and self.head.stands_at(text, 0)
        start = self.head.size
        end = size - self.tail.size
        if size == 0 or start > end:
            return False
        if not self.head.stands_at(text, 0) or not self.tail.stands_at(text, end):
            return False
        for segment in self.middle:
            found = segment.find(text, start, end)
            if found < 0:
                return False
            start = found + segment.size
        return True


def glob_match(pattern: bytes, text: bytes, nocase: bool = False) -> bool:
    """Whether the whole of `text` matches `pattern`; `nocase` makes ASCII letters equal. For many texts use
    `Glob`.
    """
    return Glob(pattern, nocase).match(text)


class _Parser:
    """One pass over a pattern. Tables are shared between equal items, so memory stays near the pattern's
    size.
    """

    def __init__(self, pattern: bytes, nocase: bool) -> None:
        self.pattern = pattern
        self.nocase = nocase
        self.at = 0
        self.classes: dict[bytes, bytes] = {}
        self.tables: list[bytes] = []
        self.literal = bytearray()
        # Whether all items since the last star are certain bytes.
        self.certain = True

    def segments(self) -> list[Segment]:
        """At least one segment; n stars (a run of stars counts once) give n + 1 of them."""
        pattern = self.pattern
        result: list[Segment] = []
        while self.at < len(pattern):
            if pattern[self.at] == _STAR:
                result.append(self._segment())
                while self.at < len(pattern) and pattern[self.at] == _STAR:
                    self.at += 1
            else:
                self._item()
        result.append(self._segment())
        return result

    def _segment(self) -> Segment:
        segment = Segment(self.tables, bytes(self.literal) if self.certain else None)
        self.tables = []
        self.literal = bytearray()
        self.certain = True
        return segment

    def _item(self) -> None:
        start = self.at
        byte = self.pattern[start]
        self.at += 1
        if byte == _ANY:
            self.tables.append(_EVERY_BYTE)
            self.certain = False
            return
        if byte == _OPEN:
            self._skip_class()
            self.tables.append(self._class(self.pattern[start : self.at]))
            self.certain = False
            return
        if byte == _BACKSLASH and self.at < len(self.pattern):
            byte = self.pattern[self.at]
            self.at += 1
        self.literal.append(byte)
        if self.nocase and _lower(byte) != _upper(byte):
            self.tables.append(_EITHER_CASE[byte])
            self.certain = False
        else:
            self.tables.append(_ONE_BYTE[byte])

    def _skip_class(self) -> None:
        """From behind the `[` to behind its `]`, or to the end of the pattern."""
        pattern = self.pattern
        size = len(pattern)
        if self.at < size and pattern[self.at] == _CARET:
            self.at += 1
        while self.at < size:
            byte = pattern[self.at]
            if byte == _CLOSE:
                self.at += 1
                return
            self.at += _element_size(pattern, self.at)

    def _class(self, source: bytes) -> bytes:
        table = self.classes.get(source)
        if table is None:
            table = self._class_table(source)
            self.classes[source] = table
        return table

    def _class_table(self, source: bytes) -> bytes:
        table = bytearray(_NO_BYTE)
        at = 1
        negated = len(source) > 1 and source[1] == _CARET
        if negated:
            at = 2
        while at < len(source) and source[at] != _CLOSE:
            size = _element_size(source, at)
            if size == 2:
                table[source[at + 1]] = 1
            elif size == 3:
                self._add_range(table, source[at], source[at + 2])
            else:
                table[source[at]] = 1
                if self.nocase:
                    table[_lower(source[at])] = 1
                    table[_upper(source[at])] = 1
            at += size
        if negated:
            return bytes(table).translate(b"\x01\x00" + bytes(254))
        return bytes(table)

    def _add_range(self, table: bytearray, first: int, last: int) -> None:
        low = min(_signed(first), _signed(last))
        high = max(_signed(first), _signed(last))
        if self.nocase:
            low = _lower(low)
            high = _lower(high)
        for byte in range(256):
            value = _signed(byte)
            if self.nocase:
                value = _lower(value)
            if low <= value <= high:
                table[byte] = 1


def _element_size(pattern: bytes, at: int) -> int:
    """Bytes of the class element at `at`: 2 for an escape, 3 for a range, 1 for a byte."""
    left = len(pattern) - at
    if pattern[at] == _BACKSLASH and left >= 2:
        return 2
    if left >= 3 and pattern[at + 1] == _DASH:
        return 3
    return 1


def _signed(byte: int) -> int:
    return byte - 256 if byte >= 128 else byte


def _lower(byte: int) -> int:
    return byte + 32 if 65 <= byte <= 90 else byte


def _upper(byte: int) -> int:
    return byte - 32 if 97 <= byte <= 122 else byte


def _byte_tables(nocase: bool) -> list[bytes]:
    tables: list[bytes] = []
    for byte in range(256):
        table = bytearray(_NO_BYTE)
        table[byte] = 1
        if nocase:
            table[_lower(byte)] = 1
            table[_upper(byte)] = 1
        tables.append(bytes(table))
    return tables


_ONE_BYTE: Final = _byte_tables(False)
_EITHER_CASE: Final = _byte_tables(True)
