"""Arguments of the commands on streams, in the order in which Redis looks at them and with its words for what is wrong.

Theory of operation: ids and intervals are parsed by `datatypes.stream_id`; here their errors get their texts. XADD and
XTRIM share one notation for trimming, which `parse_trimming` reads into a `Trimming`.
"""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.stream_id import LARGEST, U64_MAX, ZERO, parse_bound, parse_id, parse_partial

BAD_ID: Final = b"ERR Invalid stream ID specified as stream command argument"

# How a stream is trimmed.
BY_NOTHING: Final = 0
BY_LENGTH: Final = 1
BY_ID: Final = 2

_BOTH: Final = b"ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
_LIMIT_OF_NOTHING: Final = b"ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
_LIMIT_OF_EXACT: Final = b"ERR syntax error, LIMIT cannot be used without the special ~ option"
# Without LIMIT a trimming with ~ removes no more than this many full nodes.
_NODES_AT_ONCE: Final = 100
_LEAST_AT_ONCE: Final = 10_000
_MOST_AT_ONCE: Final = 1_000_000


def strict_id(text: bytes) -> int:
    """An id in full, or a millisecond, which stands for its first id. Raises CommandError."""
    number = parse_id(text, ZERO)
    if number is None:
        raise CommandError(BAD_ID)
    return number


def interval_start(text: bytes) -> int:
    """The first id of an interval that begins at `text`, or behind it where that begins with a parenthesis."""
    number = _interval_id(text, ZERO)
    if not _is_exclusive(text):
        return number
    if number == LARGEST:
        raise CommandError(b"ERR invalid start ID for the interval")
    return number + 1


def interval_end(text: bytes) -> int:
    """The last id of an interval; the other end of `interval_start`."""
    number = _interval_id(text, U64_MAX)
    if not _is_exclusive(text):
        return number
    if number == ZERO:
        raise CommandError(b"ERR invalid end ID for the interval")
    return number - 1


def _is_exclusive(text: bytes) -> bool:
    return len(text) > 1 and text[:1] == b"("


def _interval_id(text: bytes, missing: int) -> int:
    number = parse_id(text[1:], missing) if _is_exclusive(text) else parse_bound(text, missing)
    if number is None:
        raise CommandError(BAD_ID)
    return number


class Trimming:
    """What XADD and XTRIM say before the entry.

    `next` is the index behind the options, at the id of XADD. `argument` is the index of MAXLEN's or MINID's value;
    where `approximate`, `~` stands before it. `limit` 0 is none.
    """

    def __init__(self) -> None:
        self.strategy = BY_NOTHING
        self.approximate = False
        self.length = 0
        self.below = ZERO
        self.limit = 0
        self.argument = 0
        self.create = True
        self.next = 2


def parse_trimming(argv: list[bytes], adding: bool, trusted: bool) -> Trimming:
    """The options of XADD (`adding`) or XTRIM. Raises CommandError.

    For a `trusted` client, which replays what has been journalled, there is no limit: the journal has exact values.
    """
    options = Trimming()
    limited = False
    index = 2
    while index < len(argv):
        word = argv[index].upper()
        more = index + 1 < len(argv)
        if word in (b"MAXLEN", b"MINID") and more:
            index = _parse_strategy(options, argv, index, word)
        elif word == b"LIMIT" and more:
            index += 1
            options.limit = to_i64(argv[index])
            if options.limit < 0:
                raise CommandError(b"ERR The LIMIT argument must be >= 0.")
            limited = True
        elif word == b"NOMKSTREAM" and adding:
            options.create = False
        elif adding:
            break
        else:
            raise CommandError(SYNTAX)
        index += 1
    options.next = index
    if adding and index < len(argv):
        _check_new_id(argv[index])
    if options.limit and options.strategy == BY_NOTHING:
        raise CommandError(_LIMIT_OF_NOTHING)
    if not adding and options.strategy == BY_NOTHING:
        raise CommandError(b"ERR syntax error, XTRIM must be called with a trimming strategy")
    if trusted:
        options.limit = 0
    elif limited:
        if not options.approximate:
            raise CommandError(_LIMIT_OF_EXACT)
    elif options.approximate:
        options.limit = _default_limit()
    return options


def _parse_strategy(options: Trimming, argv: list[bytes], index: int, word: bytes) -> int:
    """Read MAXLEN or MINID at `index`; returns the index of its value."""
    if options.strategy != BY_NOTHING:
        raise CommandError(_BOTH)
    index += 1
    if index + 1 < len(argv) and argv[index] in (b"~", b"="):
        options.approximate = argv[index] == b"~"
        index += 1
    options.argument = index
    if word == b"MAXLEN":
        options.length = to_i64(argv[index])
        if options.length < 0:
            raise CommandError(b"ERR The MAXLEN argument must be >= 0.")
        options.strategy = BY_LENGTH
    else:
        options.below = strict_id(argv[index])
        options.strategy = BY_ID
    return index


def _check_new_id(text: bytes) -> None:
    """Raise CommandError unless `text` can be the id of a new entry, or stand for one."""
    if text != b"*" and parse_partial(text) is None:
        strict_id(text)


def _default_limit() -> int:
    limit: int = _NODES_AT_ONCE * CONFIGURED.stream_node_entries
    return min(limit, _MOST_AT_ONCE) if limit > 0 else _LEAST_AT_ONCE
