"""MIGRATE: keys are brought to another server, and removed here once it has them.

Theory of operation: each key goes as a RESTORE with its DUMP and what is left of its TTL. The client waits for the
answers (`engine.migration`) while others are served; in a transaction or a script everybody waits, as in Redis.
Then the keys that the target has answered with OK are removed, and the journal gets a DEL of them.

Where this is not what Redis does, it is so that no key is lost:

- Redis serves nobody meanwhile, so no key changes on the way. Here a key that was changed or removed stays as that
  change has left it, and the answer is an IOERR, which Redis, too, gives when a key may be on both sides.
- Redis takes any answer that is no error for an acknowledgement, so that whoever answers at a wrong port (a web server)
  makes it drop the key. Here only OK counts, and anything else is an error in reading.
- The keys are sent when login and SELECT have been accepted. Redis has sent them by then, and a target that refuses
  SELECT has put them into database 0.
- Connections are not kept, so none is found dead, and nothing is tried twice. MIGRATE to the server itself works.
"""

import re
from typing import Final

from aikv.base.errors import SYNTAX, CommandError, quoted
from aikv.base.numbers import to_i64
from aikv.engine import events
from aikv.engine.command import MOVABLE_KEYS, WRITE, command
from aikv.engine.context import Context
from aikv.engine.keyspec import after, at
from aikv.engine.migration import Migration
from aikv.engine.transfer import Transfer
from aikv.persistence.dump import encode_dump
from aikv.resp.reply import OK, Status

_NO_KEY: Final = Status(b"NOKEY")
_KEY_GIVEN: Final = b"ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
_CHANGED: Final = (
    b"IOERR a key was changed or removed while it was sent: here it is as that change has left it, the target instance "
    b"has its former value"
)
_KEY: Final = 3
_OPTIONS: Final = 6
_KEYS: Final = after(b"KEYS", -2, "RW access delete incomplete", last=-1)
_DEFAULT_TIMEOUT_MS: Final = 1000
# Redis sends no SELECT to a new connection for this one, and so uses database 0.
_NOT_SELECTED: Final = -1
# What C's atoi reads, which finds 0 where there is no number. More digits would be no port either.
_NUMBER: Final = re.compile(rb"[ \t-\r]*([+-]?\d{1,18})")


def migrate_keys(argv: list[bytes]) -> list[int] | None:
    """Indexes of MIGRATE's keys; None where there is a key and KEYS, too.

    As in Redis other options are only looked at where there is a word KEYS that is not the last.
    """
    if not _KEYS.positions(argv):
        return [_KEY]
    index = _OPTIONS
    while index < len(argv):
        word = argv[index].upper()
        if word == b"KEYS":
            if argv[_KEY] or index == len(argv) - 1:
                return None
            return list(range(index + 1, len(argv)))
        index += 1 + (1 if word == b"AUTH" else 2 if word == b"AUTH2" else 0)
    return [_KEY]


class _Options:
    """What stands behind the time-out. `login` is the arguments of AUTH; `first` and `last` bound the keys."""

    def __init__(self, argv: list[bytes]) -> None:
        self.copy = False
        self.replace = False
        self.login: list[bytes] = []
        self.first = _KEY
        self.last = _KEY
        index = _OPTIONS
        while index < len(argv):
            option = argv[index].upper()
            more = len(argv) - 1 - index
            if option == b"COPY":
                self.copy = True
            elif option == b"REPLACE":
                self.replace = True
            elif option == b"AUTH" and more >= 1:
                # A user's name from an AUTH2 before it stays, as in Redis.
                self.login = [*self.login[:-1], argv[index + 1]]
                index += 1
            elif option == b"AUTH2" and more >= 2:
                self.login = argv[index + 1 : index + 3]
                index += 2
            elif option == b"KEYS":
                if argv[_KEY]:
                    raise CommandError(_KEY_GIVEN)
                self.first = index + 1
                self.last = len(argv) - 1
                break
            else:
                raise CommandError(SYNTAX)
            index += 1


@command(
    "MIGRATE",
    arity=-6,
    flags=WRITE | MOVABLE_KEYS,
    keys=(at(_KEY, "RW access delete"), _KEYS),
    group="generic",
    since="2.6.0",
    complexity="That of DUMP and DEL here and of RESTORE at the target, and O(N) for N bytes to send.",
    summary="Moves keys to another server.",
    syntax=(
        'host port <key | ""> destination-db timeout [COPY] [REPLACE] '
        "[AUTH password | AUTH2 username password] [KEYS key [key ...]]"
    ),
    acl="keyspace dangerous",
    tips=("nondeterministic_output",),
    keys_of=migrate_keys,
)
def migrate(ctx: Context, argv: list[bytes]) -> object:
    migrations = ctx.engine.migrations
    migration = migrations.finished(ctx.client)
    if migration is None:
        options = _Options(argv)
        timeout_ms = to_i64(argv[5])
        db = to_i64(argv[4])
        if timeout_ms <= 0:
            timeout_ms = _DEFAULT_TIMEOUT_MS
        transfer = Transfer(quoted(argv[1]), _port(argv[2]), timeout_ms)
        _load(ctx, transfer, argv[options.first : options.last + 1], options.replace)
        if not transfer.keys:
            return _NO_KEY
        if options.login:
            transfer.greet([b"AUTH", *options.login])
        if db != _NOT_SELECTED:
            transfer.greet([b"SELECT", b"%d" % db])
        migration = Migration(ctx.client, transfer, options.copy)
        waiting = migrations.begin(migration, argv)
        if waiting is not None:
            return waiting
    return _arrived(ctx, migration)


def _port(argument: bytes) -> int:
    number = _NUMBER.match(argument)
    return int(number[1]) if number is not None else 0


def _load(ctx: Context, transfer: Transfer, keys: list[bytes], replace: bool) -> None:
    """Let those of `keys` travel that there are."""
    packing = ctx.engine.config.get_bool("rdbcompression")
    now_ms = int(ctx.engine.now_ms)
    for key in keys:
        value = ctx.lookup(key)
        if value is None:
            continue
        when = ctx.db.expire_of(key)
        # 0 would be no TTL, and a key in its last millisecond has one.
        ttl = max(1, when - now_ms) if when >= 0 else 0
        request = [b"RESTORE", key, b"%d" % ttl, encode_dump(value, packing)]
        if replace:
            request.append(b"REPLACE")
        transfer.load(key, request)


def _arrived(ctx: Context, migration: Migration) -> object:
    """Remove what the target has; the reply. Raises CommandError where something stays."""
    transfer = migration.transfer
    changed = False
    if not migration.copy:
        # Found out for all of them first: removing a key, which may be given twice, is a change, too.
        removed = [key for key in transfer.taken if not migration.changed(ctx.engine, key)]
        changed = len(removed) < len(transfer.taken)
        for key in removed:
            ctx.remove(key)
            # Of a key given twice Redis tells twice.
            ctx.changed(key, events.DEL)
        if removed:
            ctx.rewrite([b"DEL", *removed])
    if transfer.refusal:
        raise CommandError(b"ERR Target instance replied with error: " + transfer.refusal)
    if transfer.failure:
        raise CommandError(transfer.failure)
    if changed:
        raise CommandError(_CHANGED)
    return OK
