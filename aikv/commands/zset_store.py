"""Sorted sets as the result of a command: put in order, and stored."""

from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.zsets import from_columns
from aikv.engine import events
from aikv.engine.context import Context
from aikv.engine.events import Event


def in_order(found: dict[bytes, float]) -> tuple[list[bytes], list[object]]:
    """The members of a map to scores in the order of a sorted set, and their scores. O(n log n)."""
    order = sorted([(score, member) for member, score in found.items()])
    members: list[bytes] = []
    scores: list[object] = []
    for score, member in order:
        members.append(member)
        scores.append(score)
    return members, scores


def store_columns(ctx: Context, target: bytes, members: list[bytes], scores: list[object], event: Event) -> int:
    """Let `target` be the sorted set of `members`, different and in order, with `scores`, or not be.

    Returns the number of members.
    """
    if members:
        ctx.replace(target, from_columns(members, scores, CONFIGURED))
        ctx.changed(target, event)
    elif ctx.remove(target):
        ctx.changed(target, events.DEL)
    return len(members)
