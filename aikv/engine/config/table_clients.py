"""Directives: security, clients, memory, and what can be observed of the server."""

from typing import Final

from aikv.engine.config.directive import (
    IMMUTABLE,
    SENSITIVE,
    STORED,
    Directive,
    Section,
    choice,
    number,
    text,
    yes_no,
)
from aikv.engine.config.kinds import INT_MAX, LONG_MAX, MEMORY, MEMORY_OR_PERCENT, Secret, Text
from aikv.engine.config.specials import EventClasses, OutputLimits, Percentiles

_PERMISSION: Final = ["no", "yes", "local"]
_LAZY: Final = "Frees memory in the background. aikv frees it at once in every case."

CLIENTS: Final = [
    Section(
        "Security",
        [
            Directive(
                "requirepass",
                Secret(),
                b"",
                "Password of the default user; none if empty. What an aclfile or a user line says of that user wins.",
                SENSITIVE,
            ),
            Directive("aclfile", Text(), b"", "File with the users and their rights; empty for none.", IMMUTABLE),
            number("acllog-max-len", 128, 0, LONG_MAX, "Entries that ACL LOG keeps."),
            choice(
                "acl-pubsub-default",
                ["allchannels", "resetchannels"],
                "resetchannels",
                "Channels that a new user may use, all of them or none.",
            ),
            choice(
                "enable-protected-configs",
                _PERMISSION,
                "no",
                "Who may change dir and dbfilename by CONFIG SET: nobody, everybody, or local clients.",
                IMMUTABLE,
            ),
            choice("enable-debug-command", _PERMISSION, "no", "Who may use DEBUG.", IMMUTABLE),
            choice("enable-module-command", _PERMISSION, "no", "Who may use MODULE.", IMMUTABLE, needs="modules"),
        ],
    ),
    Section(
        "Clients",
        [
            number("maxclients", 10000, 1, 2**32 - 1, "Clients that can be connected at the same time."),
            Directive(
                "client-output-buffer-limit",
                OutputLimits(),
                b"normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
                "A client is cut off when the replies it has not read exceed the first size, or the second size"
                " for so many seconds. One line for each class: normal, replica, pubsub. 0 is no limit.",
            ),
            number(
                "client-query-buffer-limit",
                1 << 30,
                1 << 20,
                LONG_MAX,
                "Bytes of a request not yet complete.",
                unit=MEMORY,
            ),
            number(
                "proto-max-bulk-len",
                512 << 20,
                1 << 20,
                LONG_MAX,
                "Size of one argument, and of a string value.",
                unit=MEMORY,
            ),
            number(
                "tracking-table-max-keys",
                1_000_000,
                0,
                LONG_MAX,
                "Keys that are remembered for client-side caching; 0 is no limit.",
            ),
        ],
    ),
    Section(
        "Memory",
        [
            number(
                "maxmemory",
                0,
                0,
                2**64 - 1,
                "Bytes that the data may take; 0 is no limit.",
                unit=MEMORY,
                needs="a memory limit",
            ),
            choice(
                "maxmemory-policy",
                [
                    "volatile-lru",
                    "volatile-lfu",
                    "volatile-random",
                    "volatile-ttl",
                    "allkeys-lru",
                    "allkeys-lfu",
                    "allkeys-random",
                    "noeviction",
                ],
                "noeviction",
                "What to do at the limit: evict keys (those with a TTL, or all) by last use, frequency, chance or"
                " TTL; or refuse writes.",
                needs="eviction",
            ),
            number("maxmemory-samples", 5, 1, INT_MAX, "Keys that are compared to find one to evict.", STORED),
            number("maxmemory-eviction-tenacity", 10, 0, 100, "How much time eviction may take from clients.", STORED),
            number(
                "maxmemory-clients",
                0,
                -100,
                LONG_MAX,
                "Bytes, or percentage of maxmemory, that the buffers of all clients may take; 0 is no limit.",
                unit=MEMORY_OR_PERCENT,
                needs="eviction of clients",
            ),
            number("lfu-log-factor", 10, 0, INT_MAX, "How many uses saturate the frequency counter of a key.", STORED),
            number(
                "lfu-decay-time", 1, 0, INT_MAX, "Minutes after which the frequency counter of a key drops.", STORED
            ),
            number("active-expire-effort", 1, 1, 10, "How much time goes into finding expired keys."),
            yes_no("lazyfree-lazy-eviction", False, _LAZY, STORED),
            yes_no("lazyfree-lazy-expire", False, _LAZY, STORED),
            yes_no("lazyfree-lazy-server-del", False, _LAZY, STORED),
            yes_no("lazyfree-lazy-user-del", False, _LAZY, STORED),
            yes_no("lazyfree-lazy-user-flush", False, _LAZY, STORED),
        ],
    ),
    Section(
        "Observation",
        [
            number(
                "slowlog-log-slower-than",
                10000,
                -1,
                LONG_MAX,
                "Microseconds from which a command is slow; 0 logs all, -1 none.",
            ),
            number("slowlog-max-len", 128, 0, LONG_MAX, "Entries that SLOWLOG keeps."),
            number(
                "latency-monitor-threshold",
                0,
                0,
                LONG_MAX,
                "Milliseconds from which LATENCY notes an event; 0 is never.",
            ),
            yes_no("latency-tracking", True, "Keep the distribution of the time that each command takes."),
            Directive(
                "latency-tracking-info-percentiles",
                Percentiles(),
                b"50 99 99.9",
                "Percentiles of that distribution that INFO shows.",
            ),
            Directive(
                "notify-keyspace-events",
                EventClasses(),
                b"",
                "Events of keys that are published: K or E for the channel, and g$lshzxetdnm or A for the class.",
            ),
            text("ignore-warnings", "Warnings of the start that do not stop it.", STORED),
        ],
    ),
]
