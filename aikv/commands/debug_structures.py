"""DEBUG subcommands that look into structures: how full tables are, how long strings, what is held in one piece.

Theory of operation: the words are Redis's, for the programs that look for them; the figures are those of aikv's own
structures. A slot of a hash table is a bucket here, which is a dict of some hundred keys by design, so chains are long
and that is no fault.
"""

from typing import Final

from aikv.base.errors import NO_SUCH_KEY, NOT_AN_INTEGER, CommandError
from aikv.base.numbers import parse_i64
from aikv.base.units import parse_memory
from aikv.datatypes.hashes import Hash
from aikv.datatypes.kinds import kind_of
from aikv.datatypes.lists import List
from aikv.datatypes.memory import allocated
from aikv.datatypes.sets import Set
from aikv.datatypes.table import Table
from aikv.datatypes.zsets import SortedSet
from aikv.engine.context import Context, string_bytes
from aikv.resp.reply import OK, Status, Verbatim

_HEADING: Final = "Hash table 0 stats (main hash table):\n"
_EMPTY: Final = "No stats available for empty dictionaries\n"
_THRESHOLD_LIMIT: Final = 1 << 32


def tables(ctx: Context, argv: list[bytes]) -> object:
    """HTSTATS: the tables of a database."""
    number = parse_i64(argv[2])
    if number is None:
        raise CommandError(NOT_AN_INTEGER)
    if not 0 <= number < len(ctx.engine.databases):
        raise CommandError(b"ERR Out of range database")
    database = ctx.engine.databases[number]
    text = f"[Dictionary HT]\n{_described(database.table)}[Expires HT]\n{_described(database.expires)}"
    return Verbatim(b"txt", text.encode())


def table_of_key(ctx: Context, argv: list[bytes]) -> object:
    """HTSTATS-KEY: the table that a value is held in."""
    value = _value(ctx, argv[2])
    table: Table | None = None
    if isinstance(value, (Hash, Set)):
        table = value.table
    elif isinstance(value, SortedSet) and value.ordered is not None:
        table = value.ordered.table
    if table is None:
        raise CommandError(b"ERR The value stored at the specified key is not represented using an hash table")
    return Verbatim(b"txt", _described(table).encode())


def string_sizes(ctx: Context, argv: list[bytes]) -> object:
    """SDSLEN: the lengths of a key and its value, and what they take."""
    value = _value(ctx, argv[2])
    if kind_of(value).name != b"string" or kind_of(value).encoding(value) == b"int":
        raise CommandError(b"ERR Not an sds encoded string.")
    key_bytes = (len(argv[2]), allocated(argv[2]))
    return Status(
        b"key_sds_len:%d, key_sds_avail:0, key_zmalloc: %d, val_sds_len:%d, val_sds_avail:0, val_zmalloc: %d"
        % (*key_bytes, len(string_bytes(value)), allocated(value))
    )


def listpack(ctx: Context, argv: list[bytes]) -> object:
    """LISTPACK: whether a value is one."""
    value = _value(ctx, argv[2])
    if kind_of(value).encoding(value) != b"listpack":
        raise CommandError(b"ERR Not a listpack encoded object.")
    return Status(b"Listpack structure printed on stdout")


def quicklist(ctx: Context, argv: list[bytes]) -> object:
    """QUICKLIST: whether a value is one."""
    value = _value(ctx, argv[2])
    if not isinstance(value, List) or value.quick is None:
        raise CommandError(b"ERR Not a quicklist encoded object.")
    return Status(b"Quicklist structure printed on stdout")


def packed_threshold(_ctx: Context, argv: list[bytes]) -> object:
    """QUICKLIST-PACKED-THRESHOLD: checked, and without effect, as no element of a list has another form here."""
    size = parse_memory(argv[2].decode("latin-1"))
    if size is None or size >= _THRESHOLD_LIMIT:
        raise CommandError(b"ERR argument must be a memory value bigger than 1 and smaller than 4gb")
    return OK


def _value(ctx: Context, key: bytes) -> object:
    value = ctx.glance(key)
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    return value


def _described(table: Table) -> str:
    if not len(table):
        return _HEADING + _EMPTY
    chains = [len(bucket) for bucket in table.buckets]
    used = sum(1 for chain in chains if chain)
    lines = [
        f" table size: {len(chains)}",
        f" number of elements: {len(table)}",
        f" different slots: {used}",
        f" max chain length: {max(chains)}",
        f" avg chain length (counted): {len(table) / used:.2f}",
        f" avg chain length (computed): {len(table) / used:.2f}",
        " Chain length distribution:",
    ]
    for length in sorted(set(chains)):
        count = chains.count(length)
        lines.append(f"   {length}: {count} ({100 * count / len(chains):.2f}%)")
    return _HEADING + "\n".join(lines) + "\n"
