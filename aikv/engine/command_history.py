"""What has become of commands since they were introduced: for COMMAND DOCS, and for whoever writes for old servers.

Theory of operation: facts by name, read by `command_docs`. They stand here and not in the declarations, because they
are about other versions than this one, and nothing but that reply asks for them. `DEPRECATED` gives the version since
which another command is to be preferred, and which; `HISTORY` the versions in which something was added; `NOTES` says
of the key specification with that index why it is as it is.
Source of the facts: https://redis.io/docs/latest/commands/
"""

from typing import Final

_SECONDS: Final = (("6.0.0", "The timeout may have decimals."),)
_CONDITIONS: Final = (("7.0.0", "New options: NX, XX, GT, LT."),)
_FLUSHING: Final = (("4.0.0", "New option: ASYNC."), ("6.2.0", "New option: SYNC."))
_UNITS: Final = ("7.0.0", "Units may be in upper case.")
_ANY: Final = ("6.2.0", "New option of COUNT: ANY.")
_MEMBERS: Final = (("2.4.0", "Takes several members."),)
_FIELDS: Final = (("2.4.0", "Takes several fields."),)
_PUSHED: Final = (("2.4.0", "Takes several elements."),)
_PUSHED_IF: Final = (("4.0.0", "Takes several elements."),)
_POPPED: Final = (("6.2.0", "New argument: count."),)
_NO_KEY: Final = (("2.8.0", "Answers -2 where there is no key."),)
_BITS: Final = (("7.0.0", "New options: BYTE, BIT."),)
_EXCLUSIVE: Final = (("6.2.0", "Ends of the range may be exclusive."),)
_RESTORED: Final = (
    ("3.0.0", "New option: REPLACE."),
    ("5.0.0", "New option: ABSTTL."),
    ("5.0.0", "New options: IDLETIME, FREQ."),
)

# Commands that serve Redis itself rather than its users.
INTERNAL: Final = frozenset({"debug", "pfdebug", "pfselftest", "restore-asking"})

# Name -> since when, and what to use.
DEPRECATED: Final[dict[str, tuple[str, str]]] = {
    "brpoplpush": ("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
    "georadius": ("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"),
    "georadius_ro": ("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument"),
    "georadiusbymember": (
        "6.2.0",
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    ),
    "georadiusbymember_ro": ("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
    "getset": ("6.2.0", "`SET` with the `!GET` argument"),
    "hmset": ("4.0.0", "`HSET` with multiple field-value pairs"),
    "quit": ("7.2.0", "just closing the connection"),
    "rpoplpush": ("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments"),
    "slaveof": ("5.0.0", "`REPLICAOF`"),
    "substr": ("2.0.0", "`GETRANGE`"),
    "zrangebylex": ("6.2.0", "`ZRANGE` with the `BYLEX` argument"),
    "zrangebyscore": ("6.2.0", "`ZRANGE` with the `BYSCORE` argument"),
    "zrevrange": ("6.2.0", "`ZRANGE` with the `REV` argument"),
    "zrevrangebylex": ("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments"),
    "zrevrangebyscore": ("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments"),
}

# Name -> version and what it brought, in order.
HISTORY: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "acl|getuser": (
        ("6.2.0", "Shows patterns of channels."),
        ("7.0.0", "Shows selectors, and keys as rules."),
    ),
    "acl|setuser": (("6.2.0", "Takes patterns of channels."), ("7.0.0", "Takes selectors and permissions of keys.")),
    "auth": (("6.0.0", "Takes a user's name."),),
    "bgsave": (("3.2.2", "New option: SCHEDULE."),),
    "bitcount": _BITS,
    "bitpos": _BITS,
    "blpop": _SECONDS,
    "brpop": _SECONDS,
    "brpoplpush": _SECONDS,
    "bzpopmax": _SECONDS,
    "bzpopmin": _SECONDS,
    "client|kill": (
        ("2.8.12", "Filters by name and value."),
        ("2.8.12", "New filter: ID."),
        ("3.2.0", "New value of TYPE: master."),
        ("5.0.0", "New value of TYPE: replica, which slave still stands for."),
        ("6.2.0", "New filter: LADDR."),
    ),
    "client|list": (
        ("2.8.12", "New field: id."),
        ("5.0.0", "New filter: TYPE."),
        ("6.0.0", "New field: user."),
        ("6.2.0", "New fields: argv-mem, tot-mem, laddr, redir. New filter: ID."),
        ("7.0.0", "New fields: resp, multi-mem, rbs, rbp."),
        ("7.0.3", "New field: ssub."),
    ),
    "client|pause": (("6.2.0", "New argument: the mode, which may be WRITE."),),
    "command|info": (("7.0.0", "Without names it describes all commands."),),
    "config|get": (("7.0.0", "Takes several patterns."),),
    "config|set": (("7.0.0", "Sets several directives."),),
    "exists": (("3.0.3", "Takes several keys."),),
    "expire": _CONDITIONS,
    "expireat": _CONDITIONS,
    "flushall": _FLUSHING,
    "flushdb": _FLUSHING,
    "geoadd": (("6.2.0", "New options: CH, NX, XX."),),
    "georadius": (_ANY, _UNITS),
    "georadius_ro": (_ANY,),
    "georadiusbymember": (_UNITS,),
    "geosearch": (_UNITS,),
    "geosearchstore": (_UNITS,),
    "hdel": _FIELDS,
    "hello": (("6.2.0", "The protocol's version may be left out."),),
    "hset": (("4.0.0", "Takes several fields with values."),),
    "info": (("7.0.0", "Takes several sections."),),
    "lpop": _POPPED,
    "lpush": _PUSHED,
    "lpushx": _PUSHED_IF,
    "migrate": (
        ("3.0.0", "New options: COPY, REPLACE."),
        ("3.0.6", "New option: KEYS."),
        ("4.0.7", "New option: AUTH."),
        ("6.0.0", "New option: AUTH2."),
    ),
    "pexpire": _CONDITIONS,
    "pexpireat": _CONDITIONS,
    "pttl": _NO_KEY,
    "renamenx": (("3.2.0", "Source and destination may be the same."),),
    "restore": _RESTORED,
    "restore-asking": _RESTORED,
    "rpop": _POPPED,
    "rpush": _PUSHED,
    "rpushx": _PUSHED_IF,
    "sadd": _MEMBERS,
    "scan": (("6.0.0", "New option: TYPE."),),
    "script|flush": (("6.2.0", "New options: ASYNC, SYNC."),),
    "set": (
        ("2.6.12", "New options: EX, PX, NX, XX."),
        ("6.0.0", "New option: KEEPTTL."),
        ("6.2.0", "New options: GET, EXAT, PXAT."),
        ("7.0.0", "NX and GET may be given together."),
    ),
    "shutdown": (("7.0.0", "New options: NOW, FORCE, ABORT."),),
    "slowlog|get": (("4.0.0", "Entries tell the client's address and name."),),
    "spop": (("3.2.0", "New argument: count."),),
    "srandmember": (("2.6.0", "New argument: count."),),
    "srem": _MEMBERS,
    "ttl": _NO_KEY,
    "xadd": (
        ("6.2.0", "New options: NOMKSTREAM, MINID, LIMIT."),
        ("7.0.0", "Of an id the milliseconds alone may be given."),
    ),
    "xautoclaim": (("7.0.0", "Tells which entries were gone and are pending no more."),),
    "xgroup|create": (("7.0.0", "New option: ENTRIESREAD."),),
    "xgroup|setid": (("7.0.0", "New option: ENTRIESREAD."),),
    "xinfo|groups": (("7.0.0", "New fields: entries-read, lag."),),
    "xinfo|stream": (
        ("6.0.0", "New option: FULL."),
        ("7.0.0", "New fields: max-deleted-entry-id, entries-added, recorded-first-entry-id, entries-read, lag."),
    ),
    "xpending": (("6.2.0", "New option: IDLE. Ends of the range may be exclusive."),),
    "xrange": _EXCLUSIVE,
    "xrevrange": _EXCLUSIVE,
    "xsetid": (("7.0.0", "New options: ENTRIESADDED, MAXDELETEDID."),),
    "xtrim": (("6.2.0", "New options: MINID, LIMIT."),),
    "zadd": (
        ("2.4.0", "Takes several members."),
        ("3.0.2", "New options: XX, NX, CH, INCR."),
        ("6.2.0", "New options: GT, LT."),
    ),
    "zrange": (("6.2.0", "New options: REV, BYSCORE, BYLEX, LIMIT."),),
    "zrangebyscore": (("2.0.0", "New option: WITHSCORES."),),
    "zrem": _MEMBERS,
    "zrevrangebyscore": (("2.1.6", "Ends of the range may be exclusive."),),
}

# Name -> index of a key specification -> why it is as it is.
NOTES: Final[dict[str, dict[int, str]]] = {
    "bitfield": {0: "Its subcommands read and write."},
    "eval": {0: "What a script does with its keys cannot be known."},
    "eval_ro": {0: "What a script does with its keys cannot be known."},
    "getex": {0: "It changes the time to live."},
    "pfcount": {0: "It may store the count that it has worked out."},
    "set": {0: "With GET it reads, too."},
    "sort": {
        1: "BY and GET name keys by what the sorted key holds.",
        2: "STORE may stand anywhere among the options.",
    },
    "sort_ro": {1: "BY and GET name keys by what the sorted key holds."},
    "xadd": {0: "It may trim what is there."},
}
