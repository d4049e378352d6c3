"""Commands of an append-only file taken from a block of it that was split at every CR LF, in the interpreted form.

Theory of operation: in a well-formed file the pieces are headers and arguments in turn, so a command is checked by
comparing each header with the length of the piece behind it, and its arguments are every second piece. A piece that is
shorter than its header says is an argument that contains CR LF; the pieces are joined again until the length fits.
"""

from typing import Final

_CRLF: Final = b"\r\n"
# Argument counts and lengths that have their header's text ready; longer ones take the exact way.
_SHORT: Final = 4096
COUNTS: Final = {b"*%d" % n: n for n in range(1, _SHORT)}
_LENGTHS: Final = {b"$%d" % n: n for n in range(_SHORT)}


def fits(pieces: list[bytes], header: int, argv: list[bytes]) -> bool:
    """Whether every argument is as long as the header before it says, the first of which is
    `pieces[header]`."""
    for arg in argv:
        if _LENGTHS.get(pieces[header]) != len(arg):
            return False
        header += 2
    return True


def joined_arguments(pieces: list[bytes], at: int, end: int, count: int, argv: list[bytes]) -> int:
    """Read `count` arguments, some with CR LF inside, from `pieces[at:end]` into `argv`.

    Returns the index behind them, or -1 if they are not all there or something does not fit.
    """
    while len(argv) < count:
        if at + 1 >= end:
            return -1
        size = _LENGTHS.get(pieces[at], -1)
        if size < 0:
            size = _long_length(pieces[at])
            if size < 0:
                return -1
        at += 1
        first = at
        length = len(pieces[at])
        while length < size and at + 1 < end:
            at += 1
            length += 2 + len(pieces[at])
        if length != size:
            return -1
        at += 1
        argv.append(pieces[first] if at == first + 1 else _CRLF.join(pieces[first:at]))
    return at


def _long_length(header: bytes) -> int:
    digits = header[1:]
    if header[:1] != b"$" or not digits.isdigit() or digits[:1] == b"0" or len(digits) > 19:
        return -1
    return int(digits)
