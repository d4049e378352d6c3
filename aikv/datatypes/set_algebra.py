"""Union, intersection and difference of sets, as lists of members.

Theory of operation: a set operation starts from the members of one set and asks the others about them in turn, so its
cost follows that set: the smallest for an intersection, the first for a difference. A missing key is an empty `Set`.
Hash look-ups happen in Python's own dicts and sets, one call for many members.
"""

from aikv.datatypes.sets import Set


def union(sets: list[Set]) -> list[bytes]:
    """The members of any of `sets`, each once. O(all members)."""
    seen: dict[bytes, None] = {}
    for each in sets:
        seen.update(dict.fromkeys(each.members()))
    return list(seen)


def intersection(sets: list[Set], limit: int = -1) -> list[bytes]:
    """The members of all of `sets`, of which there are some; at most `limit`, unless that is negative.

    O(members of the smallest, times the number of sets).
    """
    ascending = sorted(sets, key=len)
    left = ascending[0].members()
    last = len(ascending) - 1
    for place in range(1, last):
        left = ascending[place].select(left, True)
    if last == 0:
        return left if limit < 0 else left[:limit]
    return ascending[last].select(left, True, limit)


def difference(sets: list[Set]) -> list[bytes]:
    """The members of the first of `sets` that are in none of the others. O(members of the first, times the sets)."""
    left = sets[0].members()
    for place in range(1, len(sets)):
        if not left:
            break
        left = sets[place].select(left, False)
    return left
