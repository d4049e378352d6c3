"""Finding keys without knowing their names: KEYS, SCAN, RANDOMKEY. How it is done is told in `keyspace.scan`."""

from aikv.engine.command import READONLY, command
from aikv.engine.context import Context
from aikv.keyspace.scan import glob_of, matching_keys, parse_cursor, parse_scan, random_key, scan_keys


@command(
    "KEYS",
    arity=2,
    flags=READONLY,
    group="generic",
    since="1.0.0",
    complexity="O(N), N being the number of keys in the database.",
    summary="Lists all keys that match a pattern.",
    syntax="pattern",
    acl="keyspace dangerous",
    tips=("request_policy:all_shards", "nondeterministic_output_order"),
)
def keys(ctx: Context, argv: list[bytes]) -> object:
    return matching_keys(ctx.db, glob_of(argv[1]), ctx.engine.now_ms)


@command(
    "SCAN",
    arity=-2,
    flags=READONLY,
    group="generic",
    since="2.8.0",
    complexity="O(1) for a call, O(N) for a whole scan of N keys.",
    summary="Walks the keys of the database in steps.",
    syntax="cursor [MATCH pattern] [COUNT count] [TYPE type]",
    tips=("nondeterministic_output", "request_policy:special"),
)
def scan(ctx: Context, argv: list[bytes]) -> object:
    cursor = parse_cursor(argv[1])
    options = parse_scan(argv, 2, typed=True)
    cursor, found = scan_keys(ctx.db, cursor, options, ctx.engine.now_ms)
    return [b"%d" % cursor, found]


@command(
    "RANDOMKEY",
    arity=1,
    flags=READONLY,
    group="generic",
    since="1.0.0",
    complexity="O(1)",
    summary="Returns a key chosen at random.",
    tips=("request_policy:all_shards", "nondeterministic_output"),
)
def randomkey(ctx: Context, _argv: list[bytes]) -> object:
    return random_key(ctx.db, ctx.engine.random, ctx.engine.now_ms)
