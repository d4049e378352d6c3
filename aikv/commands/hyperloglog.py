"""HyperLogLog: PFADD and its relatives.

Theory of operation: the value is a string, and only its header says what it is; so each command first asks whether
the string is a HyperLogLog. The one that is touched becomes a `bytearray`, which then changes in place. PFCOUNT of one
key stores the estimate that it makes in the value's header: a change that goes to the journal like any other, but that
no keyspace event announces.
"""

from typing import Final

from aikv.base.errors import CommandError
from aikv.commands.bit_strings import readable
from aikv.datatypes import hyperloglog as hll
from aikv.datatypes.hyperloglog_check import failure
from aikv.datatypes.hyperloglog_dense import REGISTERS, larger
from aikv.datatypes.hyperloglog_sparse import describe
from aikv.datatypes.limits import CONFIGURED
from aikv.engine import events
from aikv.engine.command import ADMIN, DENYOOM, FAST, MAY_REPLICATE, READONLY, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import INSERT, at
from aikv.resp.reply import OK, Status

_NO_HYPERLOGLOG: Final = b"WRONGTYPE Key is not a valid HyperLogLog string value."
_CORRUPT: Final = b"INVALIDOBJ Corrupted HLL object detected"
_NO_KEY: Final = b"ERR The specified key does not exist"
_NOT_SPARSE: Final = b"ERR HLL encoding is not sparse"


@command(
    "PFADD",
    arity=-2,
    flags=WRITE | DENYOOM | FAST,
    keys=(INSERT,),
    group="hyperloglog",
    since="2.8.9",
    complexity="O(1) for each element.",
    summary="Adds elements to a HyperLogLog, which is made where the key does not exist.",
    syntax="key [element [element ...]]",
)
def pfadd(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    value = ctx.peek(key)
    changed = value is None
    string = _changeable(ctx, key, value)
    limit = int(CONFIGURED.hll_sparse_bytes)
    try:
        for index in range(2, len(argv)):
            if hll.add(string, argv[index], limit):
                changed = True
    except hll.Corrupt as error:
        raise CommandError(_CORRUPT) from error
    finally:
        # What was added before a corrupt place was met stays, so it is recorded too.
        if changed:
            hll.invalidate(string)
            ctx.changed(key, events.STR_PFADD)
    return 1 if changed else 0


@command(
    "PFCOUNT",
    arity=-2,
    flags=READONLY | MAY_REPLICATE,
    keys=(at(1, "RW access", last=-1),),
    group="hyperloglog",
    since="2.8.9",
    complexity="O(1) for one key, whose estimate is kept; O(N) for N keys, with a large constant.",
    summary="Estimates how many different elements were added to one or to any of several HyperLogLogs.",
    syntax="key [key ...]",
)
def pfcount(ctx: Context, argv: list[bytes]) -> object:
    if len(argv) > 2:
        return hll.cardinality_of(_Union(ctx, argv).registers)
    key = argv[1]
    value = ctx.lookup(key)
    if value is None:
        return 0
    string = _changeable(ctx, key, value)
    number = hll.cached(string)
    if number is not None:
        return number
    try:
        number = hll.cardinality(string)
    except hll.Corrupt as error:
        raise CommandError(_CORRUPT) from error
    hll.cache(string, number)
    ctx.changed(key, events.STR_ESTIMATED)
    return number


@command(
    "PFMERGE",
    arity=-2,
    flags=WRITE | DENYOOM,
    keys=(at(1, "RW access insert"), at(2, "RO access", last=-1)),
    group="hyperloglog",
    since="2.8.9",
    complexity="O(N) for N HyperLogLogs, with a large constant.",
    summary="Stores the union of HyperLogLogs, the destination's own elements included.",
    syntax="destkey [sourcekey [sourcekey ...]]",
)
def pfmerge(ctx: Context, argv: list[bytes]) -> object:
    key = argv[1]
    union = _Union(ctx, argv)
    string = _changeable(ctx, key, ctx.glance(key))
    hll.merge_into(string, union.registers, union.dense, int(CONFIGURED.hll_sparse_bytes))
    ctx.changed(key, events.STR_PFADD)
    return OK


@command(
    "PFDEBUG",
    arity=3,
    flags=WRITE | DENYOOM | ADMIN,
    keys=(at(2, "RW access"),),
    group="hyperloglog",
    since="2.8.9",
    complexity="O(1): a HyperLogLog has a largest size.",
    summary="Shows the inside of a HyperLogLog; for tests of the server.",
    syntax="subcommand key",
)
def pfdebug(ctx: Context, argv: list[bytes]) -> object:
    key = argv[2]
    value = ctx.peek(key)
    if value is None:
        raise CommandError(_NO_KEY)
    string = _changeable(ctx, key, value)
    word = argv[1].upper()
    if word == b"GETREG":
        _make_dense(ctx, key, string)
        return list(hll.registers(string))
    if word == b"DECODE":
        if not hll.is_sparse(string):
            raise CommandError(_NOT_SPARSE)
        return describe(bytes(string), hll.HEADER)
    if word == b"ENCODING":
        return Status(b"sparse" if hll.is_sparse(string) else b"dense")
    if word == b"TODENSE":
        return 1 if _make_dense(ctx, key, string) else 0
    raise CommandError(b"ERR Unknown PFDEBUG subcommand '" + argv[1].partition(b"\0")[0] + b"'")


@command(
    "PFSELFTEST",
    arity=1,
    flags=ADMIN,
    group="hyperloglog",
    since="2.8.9",
    complexity="O(1): always the same work.",
    summary="Checks the arithmetic of HyperLogLogs.",
)
def pfselftest(ctx: Context, _argv: list[bytes]) -> object:
    wrong = failure(ctx.engine.random)
    if wrong is not None:
        raise CommandError(b"TESTFAILED " + wrong)
    return OK


class _Union:
    """The larger of each pair of registers of the HyperLogLogs at the keys of a command; `dense` where any is that."""

    def __init__(self, ctx: Context, argv: list[bytes]) -> None:
        self.registers = bytes(REGISTERS)
        self.dense = False
        self._any = False
        for index in range(1, len(argv)):
            value = ctx.lookup(argv[index])
            if value is not None:
                self._add(_checked(value))

    def _add(self, string: bytes | bytearray) -> None:
        if not hll.is_sparse(string):
            self.dense = True
        try:
            registers = hll.registers(string)
        except hll.Corrupt as error:
            raise CommandError(_CORRUPT) from error
        self.registers = larger(self.registers, registers) if self._any else registers
        self._any = True


def _checked(value: object) -> bytes | bytearray:
    """A value that is a HyperLogLog; raises WRONGTYPE, of another text for strings, where it is none."""
    string = readable(value)
    if not hll.is_hyperloglog(string):
        raise CommandError(_NO_HYPERLOGLOG)
    return string


def _changeable(ctx: Context, key: bytes, value: object | None) -> bytearray:
    """The HyperLogLog `value` of `key`, an empty one for None, in the form that is changed in place."""
    if value is None:
        string = hll.new()
    else:
        found = _checked(value)
        if isinstance(found, bytearray):
            return found
        string = bytearray(found)
    ctx.put(key, string)
    return string


def _make_dense(ctx: Context, key: bytes, string: bytearray) -> bool:
    """Turn a sparse form into the dense one, which is a change like any other; False where it is dense already."""
    if not hll.is_sparse(string):
        return False
    try:
        hll.make_dense(string)
    except hll.Corrupt as error:
        raise CommandError(_CORRUPT) from error
    ctx.changed(key, events.STR_ESTIMATED)
    return True
