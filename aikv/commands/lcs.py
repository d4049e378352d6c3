"""LCS: what two strings have in common."""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.datatypes.lcs import lcs_length, lcs_matches
from aikv.engine.command import READONLY, command
from aikv.engine.context import Context, string_bytes
from aikv.engine.keyspec import at
from aikv.resp.reply import Pairs

_NOT_STRINGS: Final = b"ERR The specified keys must contain string values"
_AMBIGUOUS: Final = b"ERR If you want both the length and indexes, please just use IDX."
_TOO_LONG: Final = b"ERR String too long for LCS"
_TOO_MUCH: Final = b"ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
# Redis counts lengths in 32 bits, and four bytes of memory for each pair of positions.
_LENGTH_LIMIT: Final = (1 << 32) - 2
_CELL_BYTES: Final = 4


class _Options:
    def __init__(self) -> None:
        self.length = False
        self.indexes = False
        self.match_lengths = False
        self.least = 0


@command(
    "LCS",
    arity=-3,
    flags=READONLY,
    keys=(at(1, "RO access", last=1),),
    group="string",
    since="7.0.0",
    complexity="O(N*M) where N and M are the lengths of the two strings.",
    summary="Finds the longest common subsequence of two strings.",
    syntax="key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
)
def lcs(ctx: Context, argv: list[bytes]) -> object:
    first = ctx.lookup(argv[1])
    second = ctx.lookup(argv[2])
    a = _string(first)
    b = _string(second)
    options = _options(argv)
    _check_size(ctx, len(a), len(b))
    if options.indexes:
        return _indexes(a, b, options)
    if options.length:
        return lcs_length(a, b)
    return b"".join([a[match.a : match.a + match.size] for match in reversed(lcs_matches(a, b))])


def _string(value: object | None) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, bytes | bytearray | int):
        raise CommandError(_NOT_STRINGS)
    return string_bytes(value)


def _options(argv: list[bytes]) -> _Options:
    options = _Options()
    index = 3
    while index < len(argv):
        word = argv[index].upper()
        if word == b"LEN":
            options.length = True
        elif word == b"IDX":
            options.indexes = True
        elif word == b"WITHMATCHLEN":
            options.match_lengths = True
        elif word == b"MINMATCHLEN" and index + 1 < len(argv):
            index += 1
            options.least = to_i64(argv[index])
        else:
            raise CommandError(SYNTAX)
        index += 1
    if options.length and options.indexes:
        raise CommandError(_AMBIGUOUS)
    return options


def _check_size(ctx: Context, a: int, b: int) -> None:
    """Refuse what Redis refuses, although a table here takes less: it bounds the time as well."""
    if a >= _LENGTH_LIMIT or b >= _LENGTH_LIMIT:
        raise CommandError(_TOO_LONG)
    if (a + 1) * (b + 1) * _CELL_BYTES > ctx.engine.config.get_int("proto-max-bulk-len"):
        raise CommandError(_TOO_MUCH)


def _indexes(a: bytes, b: bytes, options: _Options) -> Pairs:
    runs: list[object] = []
    total = 0
    for match in lcs_matches(a, b):
        total += match.size
        if match.size < options.least:
            continue
        run: list[object] = [
            [match.a, match.a + match.size - 1],
            [match.b, match.b + match.size - 1],
        ]
        if options.match_lengths:
            run.append(match.size)
        runs.append(run)
    return Pairs([b"matches", runs, b"len", total])
