"""The bytes that wait to be sent to one client, or to be written to a file.

Theory of operation: small pieces are copied one behind the other into one growing buffer (librt's `BytesWriter`, which
compiled code writes to without a call through Python); a large piece is kept as the object that it is, so that it is
copied once, when everything is put together. A list of pieces that is joined at the end costs a reply of three pieces
about 80 ns more; interpreted, both cost the same.

The buffer is given back once it has held much, so that a connection that has been busy costs no more than one that
has not.
"""

from typing import Final, cast

from librt.strings import BytesWriter, write_i16_le, write_i32_le
from mypy_extensions import i32, i64

from aikv.base.form import COMPILED

# A piece of this size is kept, not copied.
_LARGE: Final = 32 * 1024
# A buffer that has held more than this is not kept for the next replies.
_RETAINED: Final = 16 * 1024

_CRLF: Final = 0x0A0D
# `$0` CR LF and its like, read as little-endian integers; the digit is in the second byte.
_DOLLAR_DIGIT: Final = 0x0A0D3024
_COLON_DIGIT: Final = 0x0A0D303A
_STAR_DIGIT: Final = 0x0A0D302A
_DOLLAR: Final = 0x24
_STAR: Final = 0x2A
_COLON: Final = 0x3A
_MINUS: Final = 0x2D

# Integers between these mypyc compares without a call: with wider limits each header costs some 300 instructions more.
_PLAIN_MIN: Final = -(1 << 62)
_PLAIN_MAX: Final = (1 << 62) - 1
_KNOWN: Final = 1000
_DECIMAL: Final[list[bytes]] = [b"%d" % n for n in range(_KNOWN)]
_THREE_DIGITS: Final[list[bytes]] = [b"%03d" % n for n in range(_KNOWN)]
_BULK_STARTS: Final[list[bytes]] = [b"$%d" % n for n in range(_KNOWN)]
_BULK_HEADERS: Final[list[bytes]] = [b"$%d\r\n" % n for n in range(_KNOWN)]


class Output:
    """Bytes in the order in which they are to leave. `len` is their number."""

    def __init__(self) -> None:
        self._buffer = BytesWriter()
        # What comes before the buffer's contents.
        self._finished: list[bytes] = []
        self._finished_bytes: i64 = 0

    def __len__(self) -> int:
        return self._finished_bytes + len(self._buffer)

    def waiting(self) -> bool:
        """Whether there is anything to send; cheaper than `len`."""
        return len(self._buffer) > 0 or self._finished_bytes > 0

    def append(self, piece: bytes) -> None:
        """Add `piece`, which is encoded already."""
        if len(piece) < _LARGE:
            self._buffer.write(piece)
        else:
            self._keep(piece)

    def bulk(self, value: bytes) -> None:
        """Add `value` as a bulk string."""
        size: i64 = len(value)
        buffer = self._buffer
        if not COMPILED and size < _KNOWN:
            # Interpreted, each call costs more than the bytes that it writes.
            buffer.write(_BULK_HEADERS[size])
            buffer.write(value)
            buffer.write(b"\r\n")
            return
        if size < 10:
            write_i32_le(buffer, i32(_DOLLAR_DIGIT + (size << 8)))
            buffer.write(value)
        else:
            if size < _KNOWN:
                buffer.write(_BULK_HEADERS[size])
            else:
                buffer.append(_DOLLAR)
                self._digits(size)
                write_i16_le(buffer, _CRLF)
            if size < _LARGE:
                buffer.write(value)
            else:
                self._keep(value)
                buffer = self._buffer
        write_i16_le(buffer, _CRLF)

    def bulks(self, values: list[object]) -> bool:
        """Add `values` as bulk strings; False, and nothing is added, where they are not all bytes of moderate length.

        For the interpreted form: nothing here is a call per value that Python would have to interpret.
        """
        pieces: list[object] = [b""] * (2 * len(values) + 1)
        try:
            pieces[0:-1:2] = map(_BULK_STARTS.__getitem__, map(len, cast(list[bytes], values)))
            pieces[1::2] = values
            joined = b"\r\n".join(cast(list[bytes], pieces))
        except (TypeError, IndexError):
            return False
        self.append(joined)
        return True

    def integer(self, value: int) -> None:
        """Add `:value`."""
        if not COMPILED:
            self._buffer.write(b":%d\r\n" % value)
        elif 0 <= value < 10:
            digit: i64 = value
            write_i32_le(self._buffer, i32(_COLON_DIGIT + (digit << 8)))
        else:
            self.header(_COLON, value)

    def array(self, count: int) -> None:
        """Add the header of an array of `count` elements."""
        if not COMPILED:
            self._buffer.write(b"*%d\r\n" % count)
        elif count < 10:
            digit: i64 = count
            write_i32_le(self._buffer, i32(_STAR_DIGIT + (digit << 8)))
        else:
            self.header(_STAR, count)

    def header(self, kind: int, value: int) -> None:
        """Add a line: the byte `kind`, then `value` in decimal."""
        if not COMPILED:
            # A third of the time that the calls below take when they are interpreted.
            self._buffer.write(b"%c%d\r\n" % (kind, value))
            return
        self._buffer.append(kind)
        if _PLAIN_MIN <= value <= _PLAIN_MAX:
            self._digits(value)
        else:
            self._buffer.write(b"%d" % value)
        write_i16_le(self._buffer, _CRLF)

    def drop_after(self, size: int) -> None:
        """Keep the first `size` bytes only."""
        if size >= len(self):
            return
        kept = self.take()[:size]
        self.append(kept)

    def take(self) -> bytes:
        """Everything so far; nothing is left."""
        buffer = self._buffer
        data = buffer.getvalue()
        if len(data) > _RETAINED:
            self._buffer = BytesWriter()
        else:
            buffer.truncate(0)
        if self._finished_bytes:
            self._finished.append(data)
            data = b"".join(self._finished)
            self._finished = []
            self._finished_bytes = 0
        return data

    def clear(self) -> None:
        """Forget everything."""
        self._buffer = BytesWriter()
        self._finished = []
        self._finished_bytes = 0

    def _keep(self, piece: bytes) -> None:
        before = self._buffer.getvalue()
        self._finished.append(before)
        self._finished.append(piece)
        self._finished_bytes += len(before) + len(piece)
        self._buffer = BytesWriter()

    def _digits(self, value: i64) -> None:
        """Add the decimal digits of `value`, which is not the least 64-bit integer."""
        if value < 0:
            self._buffer.append(_MINUS)
            value = -value
        if value < _KNOWN:
            self._buffer.write(_DECIMAL[value])
            return
        rest: i64 = value // _KNOWN
        self._digits(rest)
        self._buffer.write(_THREE_DIGITS[value - rest * _KNOWN])
