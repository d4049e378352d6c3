"""Drawing elements at random, with and without repetition, from a list or from the keys of a `Table`.

Theory of operation: a draw from a `Table` costs as much as listing a few dozen of its keys. So a few keys are drawn
one by one (again, where one came twice and must not), and for many the keys are listed once and drawn from the list.
Either way every outcome is as likely as any other.
"""

from typing import Final, cast

from aikv.base.random import Random
from aikv.datatypes.table import Table

# Drawing one key of a Table takes about as long as listing this many.
_LISTED_PER_DRAW: Final = 64


def all_keys(table: Table) -> list[bytes]:
    """The keys of `table`. O(n)."""
    keys: list[bytes] = []
    for bucket in table.buckets:
        keys.extend(bucket)
    return keys


def distinct(items: list[bytes], count: int, random: Random) -> list[bytes]:
    """`count` of `items` in random order, or all as they are where there are not more. Changes `items`. O(count)."""
    size = len(items)
    if count >= size:
        return items
    # Fisher and Yates's shuffle, ended once as much as is wanted has been drawn.
    for place in range(count):
        drawn = place + random.below(size - place)
        item = items[drawn]
        items[drawn] = items[place]
        items[place] = item
    return items[:count]


def repeated(items: list[bytes], count: int, random: Random) -> list[bytes]:
    """`count` draws from `items`, of which there are some. O(count)."""
    size = len(items)
    drawn: list[bytes] = []
    for _ in range(count):
        drawn.append(items[random.below(size)])
    return drawn


def distinct_keys(table: Table, count: int, random: Random) -> list[bytes]:
    """`count` distinct keys of `table`, or all where there are not more. O(count), at most O(n)."""
    if count * _LISTED_PER_DRAW > table.used:
        return distinct(all_keys(table), count, random)
    drawn: dict[bytes, None] = {}
    while len(drawn) < count:
        drawn[cast(bytes, table.random_key(random))] = None
    return list(drawn)


def repeated_keys(table: Table, count: int, random: Random) -> list[bytes]:
    """`count` draws from the keys of `table`, of which there are some. O(count), at most O(n + count)."""
    if count * _LISTED_PER_DRAW > table.used:
        return repeated(all_keys(table), count, random)
    drawn: list[bytes] = []
    for _ in range(count):
        drawn.append(cast(bytes, table.random_key(random)))
    return drawn
