"""The order that SORT puts elements into.

Theory of operation: what is sorted are indexes, by lists of floats or of bytes, which Python's stable sort compares
fastest: O(n log n) comparisons at worst. Numbers are compared as doubles, and where they are equal the elements as
bytes, so that their order does not depend on where they stood. With ALPHA texts are compared as `collation` has it (the
elements themselves decide nothing then, and equal ones stay as they are); a result that is stored must not depend on
the server's locale, so there bytes are compared. A text that BY does not find counts as 0, or comes before all others.

What Redis leaves to chance: the order of equal texts where BY and LIMIT come together; they are stable here, too.
"""

from typing import Final

from mypy_extensions import i64

from aikv.base.collation import collation_key
from aikv.base.errors import CommandError
from aikv.base.numbers import parse_double
from aikv.commands.sort_options import SortOptions
from aikv.engine.context import Context

_NOT_NUMBERS: Final = b"ERR One or more scores can't be converted into double"
# What C's isspace takes: strtod passes over it.
_BLANKS: Final = b" \t\n\v\f\r"
_SMALLEST_NORMAL: Final = 2.2250738585072014e-308


def in_order(ctx: Context, elements: list[bytes], options: SortOptions) -> list[bytes]:
    """`elements` in the order that `options` ask for. Raises CommandError where numbers are compared that are none."""
    texts: list[bytes | None] = list(elements)
    by = options.by
    if by is not None:
        texts = [by.value(ctx, element) for element in elements]
    if options.alpha:
        order = _by_texts(texts, options)
    else:
        order = _by_numbers(texts, elements, options.descending)
    return [elements[index] for index in order]


def _by_numbers(texts: list[bytes | None], elements: list[bytes], descending: bool) -> list[int]:
    weights: list[float] = []
    for text in texts:
        weight = 0.0 if text is None else _weight(text)
        if weight is None:
            raise CommandError(_NOT_NUMBERS)
        weights.append(weight)
    order = sorted(range(len(weights)), key=weights.__getitem__, reverse=descending)
    start: i64 = 0
    for stop in range(1, len(order) + 1):
        if stop < len(order) and weights[order[stop]] == weights[order[start]]:
            continue
        if stop - start > 1:
            order[start:stop] = sorted(order[start:stop], key=elements.__getitem__, reverse=descending)
        start = stop
    return order


def _by_texts(texts: list[bytes | None], options: SortOptions) -> list[int]:
    missing: list[int] = []
    found: list[int] = []
    keys: list[bytes] = []
    for index, text in enumerate(texts):
        if text is None:
            missing.append(index)
            keys.append(b"")
        else:
            found.append(index)
            keys.append(collation_key(text) if options.target is None else text)
    found.sort(key=keys.__getitem__, reverse=options.descending)
    return found + missing if options.descending else missing + found


def _weight(text: bytes) -> float | None:
    """The number that C's `strtod` reads from `text`, or None where that is not all of it, or cannot be held.

    As in Redis an empty text is 0, blanks may stand before a number, and a NUL ends it.
    """
    weight = parse_double(text)
    if weight is None:
        text = text.partition(b"\0")[0]
        weight = parse_double(text.lstrip(_BLANKS)) if text else 0.0
    if weight is not None and weight != 0.0 and -_SMALLEST_NORMAL < weight < _SMALLEST_NORMAL:
        # Digits were lost: strtod says so, and SORT, unlike other commands, minds.
        return None
    return weight
