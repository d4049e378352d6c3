"""Adding to sorted sets: the one way in which ZADD, ZINCRBY and GEOADD change one."""

from typing import Final

from aikv.base.errors import CommandError
from aikv.commands.zset_lookup import peek_zset
from aikv.datatypes.limits import CONFIGURED
from aikv.datatypes.zsets import ADDED, INCR, NOP, NOT_A_NUMBER, UPDATED, XX, SortedSet
from aikv.engine import events
from aikv.engine.context import Context

# Beside the flags of `SortedSet.add`: the reply counts members with a new score, too.
CH: Final = 1 << 8

_NOT_A_NUMBER: Final = b"ERR resulting score is not a number (NaN)"


def add_one(ctx: Context, key: bytes, member: bytes, score: float) -> int:
    """As `add_members` for one member and no flags, which is most of ZADD, without the lists: an eighth of it."""
    held = peek_zset(ctx, key)
    if held is None:
        held = SortedSet()
        held.prepare(1, len(member), CONFIGURED)
        ctx.put(key, held)
    elif CONFIGURED.zset_listpack_entries == 0:
        # Otherwise one member more asks for no other form.
        held.prepare(1, 0, CONFIGURED)
    outcome, _ = held.add(member, score, 0, CONFIGURED)
    if outcome != ADDED and outcome != UPDATED:  # noqa: PLR1714
        return 0
    ctx.changed(key, events.ZSET_ADD)
    return 1 if outcome == ADDED else 0


def add_members(ctx: Context, key: bytes, members: list[bytes], scores: list[float], flags: int) -> object:
    """Give `members` of the sorted set at `key`, which is made if need be, their `scores`.

    `flags` are those of `SortedSet.add` and CH. Returns the reply of ZADD: how many are new, or with INCR the new score
    of the only one, None where a flag forbade it. Raises CommandError.
    """
    held = peek_zset(ctx, key)
    if held is None:
        if flags & XX:
            return None if flags & INCR else 0
        held = SortedSet()
        held.prepare(len(members), len(members[0]), CONFIGURED)
        ctx.put(key, held)
        if len(members) > 1 and flags in (0, CH) and held.fill(members, scores, CONFIGURED):
            ctx.changed_container(key, held, events.ZSET_ADD, len(members))
            return len(members)
    else:
        held.prepare(len(members), 0, CONFIGURED)
    added = 0
    updated = 0
    outcome = NOP
    score = 0.0
    for index in range(len(members)):
        outcome, score = held.add(members[index], scores[index], flags, CONFIGURED)
        if outcome == ADDED:
            added += 1
        elif outcome == UPDATED:
            updated += 1
        elif outcome == NOT_A_NUMBER:
            raise CommandError(_NOT_A_NUMBER)
    event = events.ZSET_INCR if flags & INCR else events.ZSET_ADD
    ctx.grown(key, event, added + updated)
    if flags & INCR:
        return None if outcome == NOP else score
    return added + updated if flags & CH else added
