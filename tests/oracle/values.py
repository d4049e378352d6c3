"""Replies as trees, to compare what plain equality of bytes cannot: numbers by value, nested parts in any order.

Theory of operation: `tree` takes a raw reply apart into (type byte, payload) where the payload of an aggregate is
a list of trees. The comparisons of generated commands (`alike`) are those of `oracle.pair` and these:

    doubles    texts that are numbers are equal where the numbers are: Redis 7.0 prints `0.10000000000000001`
    scores     the same, the elements in any order
    scan       the cursor, and the elements behind it in any order
    groups     XINFO GROUPS without the number of consumers: 7.2 makes one for XREADGROUP that finds nothing
    consumer   whether one was made by XGROUP CREATECONSUMER, for the same reason
    encoding   the texts of OBJECT ENCODING; Redis 7.2 has more compact forms than 7.0
"""

import math
from typing import Any

from oracle.pair import KEPT, near
from oracle.wire import AGGREGATE, BLOB

Tree = tuple[bytes, Any]

# What Redis 7.2 answers where 7.0 answers the first: small lists, and small sets of texts, are listpacks there. A set,
# sorted set or hash that is given several elements at once may be made large by their number before it is seen that
# some are there already.
ENCODINGS_OF_7_2 = {
    (b"quicklist", b"listpack"),
    (b"hashtable", b"listpack"),
    (b"listpack", b"skiplist"),
    (b"listpack", b"hashtable"),
    (b"intset", b"listpack"),
    (b"intset", b"hashtable"),
}


def tree(reply: bytes) -> Tree:
    """Take one whole reply apart."""
    return _tree(reply, 0)[0]


def _tree(data: bytes, at: int) -> tuple[Tree, int]:
    line_end = data.index(b"\r\n", at)
    kind, rest = data[at : at + 1], data[at + 1 : line_end]
    at = line_end + 2
    if rest == b"-1" and kind in BLOB + AGGREGATE:
        return (kind, None), at
    if kind in BLOB:
        size = int(rest)
        return (kind, data[at : at + size]), at + size + 2
    if kind in AGGREGATE:
        parts = []
        for _ in range(int(rest) * (2 if kind == b"%" else 1)):
            part, at = _tree(data, at)
            parts.append(part)
        return (kind, parts), at
    return (kind, rest), at


def with_numbers(reply: Tree) -> Tree:
    """The same tree with numbers for texts that are one."""
    kind, payload = reply
    if isinstance(payload, list):
        return kind, [with_numbers(part) for part in payload]
    if payload is not None and kind in b"$,":
        try:
            number = float(payload)
        except ValueError:
            return reply
        return reply if math.isnan(number) else (kind, number)
    return reply


def without_consumers(reply: Tree) -> Tree:
    """Drop the number of consumers from XINFO GROUPS; an error is left as it is."""
    kind, groups = reply
    return (kind, [fields[:2] + fields[4:] for _, fields in groups]) if isinstance(groups, list) else reply


def in_order(reply: Tree, depth: int) -> Tree:
    """The same tree with the elements of aggregates at `depth` sorted."""
    kind, payload = reply
    if not isinstance(payload, list):
        return reply
    if depth == 0:
        return kind, sorted(payload, key=repr)
    return kind, [in_order(part, depth - 1) for part in payload]


def alike(comparison: str, theirs: bytes, ours: bytes) -> bool:
    """Whether two raw replies are the same in the sense of `comparison`."""
    if theirs == ours:
        return True
    if comparison == "near":
        return near(theirs, ours)
    keep = KEPT.get(comparison)
    if keep is not None:
        return keep(theirs) == keep(ours)
    if comparison == "encoding":
        return (tree(theirs)[1], tree(ours)[1]) in ENCODINGS_OF_7_2
    if comparison == "consumer":
        return theirs[:1] == ours[:1] == b":"
    if comparison == "groups":
        return without_consumers(tree(theirs)) == without_consumers(tree(ours))
    their_tree, our_tree = with_numbers(tree(theirs)), with_numbers(tree(ours))
    if comparison != "doubles":
        depth = 1 if comparison == "scan" else 0
        their_tree, our_tree = in_order(their_tree, depth), in_order(our_tree, depth)
    return their_tree == our_tree
