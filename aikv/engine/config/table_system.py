"""Directives: scheduling, the machine, and the tuning of redis-server's inner parts."""

from typing import Final

from aikv.engine.config.directive import HIDDEN, IMMUTABLE, STORED, Directive, Section, choice, number, text, yes_no
from aikv.engine.config.kinds import INT_MAX, LONG_MAX, MEMORY
from aikv.engine.config.specials import OomScores

_CPUS: Final = "Processors that may be used, as in 0-3,5."
_DEFRAG: Final = "active defragmentation"

SYSTEM: Final = [
    Section(
        "Scheduling",
        [
            number("hz", 10, 0, INT_MAX, "Rounds of background work in a second, 1 to 500.", clamp=(1, 500)),
            yes_no("dynamic-hz", True, "Make more rounds while many clients are connected.", STORED),
            yes_no("activerehashing", True, "Resize hash tables in the background. aikv resizes step by step.", STORED),
            number(
                "busy-reply-threshold",
                5000,
                0,
                LONG_MAX,
                "Milliseconds after which a script that still runs can be stopped; 0 lets it run.",
                alias="lua-time-limit",
            ),
            number("io-threads", 1, 1, 128, "Threads that read and write sockets. aikv needs one.", IMMUTABLE | STORED),
            yes_no("io-threads-do-reads", False, "Let them read as well.", IMMUTABLE | STORED),
            text("server_cpulist", _CPUS, IMMUTABLE | STORED, "server-cpulist"),
            text("bio_cpulist", _CPUS, IMMUTABLE | STORED, "bio-cpulist"),
            text("aof_rewrite_cpulist", _CPUS, IMMUTABLE | STORED, "aof-rewrite-cpulist"),
            text("bgsave_cpulist", _CPUS, IMMUTABLE | STORED, "bgsave-cpulist"),
        ],
    ),
    Section(
        "The machine",
        [
            choice(
                "oom-score-adj",
                ["no", "yes", "relative", "absolute"],
                "no",
                "Tell the kernel which process to end when memory runs out.",
                needs="oom-score-adj",
            ),
            Directive(
                "oom-score-adj-values",
                OomScores(),
                b"0 200 800",
                "Scores for that: of a primary, of a replica, of background work.",
                STORED,
            ),
            yes_no("disable-thp", True, "Switch transparent huge pages off for the process.", IMMUTABLE | STORED),
            yes_no("jemalloc-bg-thread", True, "Let jemalloc return memory in the background.", STORED),
            yes_no("crash-log-enabled", True, "Log a report when the server crashes.", STORED),
            yes_no("crash-memcheck-enabled", True, "Test the memory for that report.", STORED),
            yes_no("use-exit-on-panic", False, "Exit rather than abort on a panic.", HIDDEN | STORED),
            number(
                "watchdog-period",
                0,
                0,
                INT_MAX,
                "Milliseconds after which a stuck server logs its stack.",
                HIDDEN | STORED,
            ),
        ],
    ),
    Section(
        "Defragmentation",
        [
            yes_no("activedefrag", False, "Move values together to free memory.", needs=_DEFRAG),
            number(
                "active-defrag-ignore-bytes",
                100 << 20,
                1,
                LONG_MAX,
                "Waste that does not start it.",
                STORED,
                unit=MEMORY,
            ),
            number("active-defrag-threshold-lower", 10, 0, 1000, "Percentage of waste that starts it.", STORED),
            number("active-defrag-threshold-upper", 100, 0, 1000, "Percentage of waste with the most effort.", STORED),
            number("active-defrag-cycle-min", 1, 1, 99, "Least percentage of time that it takes.", STORED),
            number("active-defrag-cycle-max", 25, 1, 99, "Greatest percentage of time that it takes.", STORED),
            number(
                "active-defrag-max-scan-fields",
                1000,
                1,
                LONG_MAX,
                "Fields up to which a value is moved in one go.",
                STORED,
            ),
        ],
    ),
]
