"""Hashes: drawing fields at random, and walking them in steps."""

from typing import Final, cast

from aikv.base.errors import SYNTAX, CommandError
from aikv.commands.hash_lookup import lookup_hash
from aikv.commands.random_count import check_draws, parse_count
from aikv.datatypes.hashes import Hash
from aikv.engine.command import READONLY, command
from aikv.engine.context import Context
from aikv.engine.keyspec import READ
from aikv.keyspace.scan import parse_cursor, parse_scan
from aikv.resp.reply import PairList

_FIRST_OPTION: Final = 3


@command(
    "HRANDFIELD",
    arity=-2,
    flags=READONLY,
    keys=(READ,),
    group="hash",
    since="6.2.0",
    complexity="O(N) for N fields returned.",
    summary="Returns fields of a hash chosen at random; a negative count allows for repetition.",
    syntax="key [count [WITHVALUES]]",
    tips=("nondeterministic_output",),
)
def hrandfield(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) == 2:
        held = lookup_hash(ctx, argv[1])
        return None if held is None else held.random_field(ctx.engine.random)
    count = parse_count(argv[2])
    paired = len(argv) > 3
    if paired and (len(argv) > 4 or argv[3].upper() != b"WITHVALUES"):
        raise CommandError(SYNTAX)
    check_draws(count, paired)
    held = lookup_hash(ctx, argv[1])
    if held is None or count == 0:
        return []
    fields = _draw(ctx, held, count)
    return PairList(cast("list[object]", held.with_values(fields))) if paired else fields


def _draw(ctx: Context, held: Hash, count: int) -> list[bytes]:
    if count < 0:
        return held.random_fields_repeating(ctx.engine.random, -count)
    return held.random_fields(ctx.engine.random, count)


@command(
    "HSCAN",
    arity=-3,
    flags=READONLY,
    keys=(READ,),
    group="hash",
    since="2.8.0",
    complexity="O(1) for a call, O(N) for a whole scan of N fields.",
    summary="Walks the fields of a hash in steps.",
    syntax="key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
    tips=("nondeterministic_output",),
)
def hscan(ctx: Context, argv: list[bytes]) -> object:
    cursor = parse_cursor(argv[2])
    held = lookup_hash(ctx, argv[1])
    if held is None:
        return [b"0", []]
    kept = _without_novalues(argv)
    options = parse_scan(kept, _FIRST_OPTION, typed=False)
    cursor, fields = held.scan(cursor, options.count)
    glob = options.glob
    if glob is not None:
        fields = [field for field in fields if glob.match(field)]
    return [b"%d" % cursor, held.with_values(fields) if len(kept) == len(argv) else fields]


def _without_novalues(argv: list[bytes]) -> list[bytes]:
    """The arguments of HSCAN without the option NOVALUES; `argv` itself where it does not stand there."""
    index = _FIRST_OPTION
    kept = argv
    while index < len(kept):
        if kept[index].upper() == b"NOVALUES":
            kept = kept[:index] + kept[index + 1 :]
        else:
            index += 2
    return kept
