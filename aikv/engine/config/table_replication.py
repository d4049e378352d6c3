"""Directives: replication and cluster."""

from typing import Final

from aikv.engine.config.directive import (
    DENY_LOADING,
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
from aikv.engine.config.kinds import INT_MAX, LONG_MAX, MEMORY, HostName, Secret, Text
from aikv.engine.config.specials import ReplicaOf

_CLUSTER: Final = "cluster mode"
_REPLICATION: Final = "replication"

REPLICATION: Final = [
    Section(
        "Replication",
        [
            Directive(
                "replicaof",
                ReplicaOf(),
                b"",
                "Host and port of the primary to copy.",
                IMMUTABLE,
                "slaveof",
                _REPLICATION,
            ),
            text("masteruser", "User to log in as at the primary.", STORED | SENSITIVE),
            Directive("masterauth", Secret(), b"", "Password for the primary.", STORED | SENSITIVE),
            yes_no(
                "replica-serve-stale-data",
                True,
                "Answer reads while the primary is out of reach.",
                STORED,
                "slave-serve-stale-data",
            ),
            yes_no("replica-read-only", True, "Refuse writes of clients on a replica.", STORED, "slave-read-only"),
            yes_no(
                "replica-lazy-flush",
                False,
                "Free the old data in the background on a full copy.",
                STORED,
                "slave-lazy-flush",
            ),
            yes_no(
                "replica-ignore-maxmemory", True, "Leave eviction to the primary.", STORED, "slave-ignore-maxmemory"
            ),
            yes_no("replica-ignore-disk-write-errors", False, "Go on when a replica cannot write its files.", STORED),
            number(
                "replica-priority",
                100,
                0,
                INT_MAX,
                "Rank for promotion; smaller is better, 0 is never.",
                STORED,
                "slave-priority",
            ),
            yes_no("replica-announced", True, "Show this replica to Sentinel.", STORED),
            text("replica-announce-ip", "Address that a replica names to its primary.", STORED, "slave-announce-ip"),
            number(
                "replica-announce-port",
                0,
                0,
                65535,
                "Port that a replica names to its primary.",
                STORED,
                "slave-announce-port",
            ),
            yes_no("repl-diskless-sync", True, "Send a full copy without a file in between.", STORED),
            number("repl-diskless-sync-delay", 5, 0, INT_MAX, "Seconds to wait for more replicas before that.", STORED),
            number(
                "repl-diskless-sync-max-replicas", 0, 0, INT_MAX, "Replicas that end that wait; 0 is no number.", STORED
            ),
            choice(
                "repl-diskless-load",
                ["disabled", "on-empty-db", "swapdb"],
                "disabled",
                "Load a full copy without a file in between.",
                STORED | DENY_LOADING,
            ),
            yes_no("repl-disable-tcp-nodelay", False, "Send to replicas in fewer, larger packets.", STORED),
            number(
                "repl-ping-replica-period",
                10,
                1,
                INT_MAX,
                "Seconds between pings to replicas.",
                STORED,
                "repl-ping-slave-period",
            ),
            number("repl-timeout", 60, 1, INT_MAX, "Seconds of silence after which a link is given up.", STORED),
            number(
                "repl-backlog-size",
                1 << 20,
                1,
                LONG_MAX,
                "Bytes of history kept for replicas that come back.",
                STORED,
                unit=MEMORY,
                clamp=(16384, LONG_MAX),
            ),
            number(
                "repl-backlog-ttl", 3600, 0, LONG_MAX, "Seconds without replicas after which it is dropped.", STORED
            ),
            number(
                "min-replicas-to-write",
                0,
                0,
                INT_MAX,
                "Replicas without which writes are refused.",
                0,
                "min-slaves-to-write",
                _REPLICATION,
            ),
            number(
                "min-replicas-max-lag",
                10,
                0,
                INT_MAX,
                "Seconds of lag up to which a replica counts.",
                STORED,
                "min-slaves-max-lag",
            ),
            choice(
                "propagation-error-behavior",
                ["ignore", "panic", "panic-on-replicas"],
                "ignore",
                "What to do if a replicated or logged command fails.",
                needs="stopping at failed commands",
            ),
        ],
    ),
    Section(
        "Cluster",
        [
            yes_no("cluster-enabled", False, "Be a node of a cluster.", IMMUTABLE, "", _CLUSTER),
            Directive(
                "cluster-config-file", Text(), b"nodes.conf", "File in which a node keeps its view.", IMMUTABLE | STORED
            ),
            number("cluster-port", 0, 0, 65535, "Port of the cluster bus; 0 is port + 10000.", IMMUTABLE | STORED),
            number("cluster-node-timeout", 15000, 0, LONG_MAX, "Milliseconds until a silent node has failed.", STORED),
            number(
                "cluster-replica-validity-factor",
                10,
                0,
                INT_MAX,
                "How old the data of a promoted replica may be.",
                STORED,
                "cluster-slave-validity-factor",
            ),
            number(
                "cluster-migration-barrier", 1, 0, INT_MAX, "Replicas that stay when others move to a primary.", STORED
            ),
            yes_no("cluster-allow-replica-migration", True, "Let replicas move to primaries that have none.", STORED),
            yes_no("cluster-require-full-coverage", True, "Refuse requests while a slot has no node.", STORED),
            yes_no(
                "cluster-replica-no-failover",
                False,
                "Never promote this replica by itself.",
                STORED,
                "cluster-slave-no-failover",
            ),
            yes_no("cluster-allow-reads-when-down", False, "Answer reads while the cluster is down.", STORED),
            yes_no(
                "cluster-allow-pubsubshard-when-down", True, "Serve shard channels while the cluster is down.", STORED
            ),
            number(
                "cluster-link-sendbuf-limit",
                0,
                0,
                2**64 - 1,
                "Bytes waiting on a link of the bus; 0 is no limit.",
                STORED,
                unit=MEMORY,
            ),
            text("cluster-announce-ip", "Address that the node announces.", STORED),
            number("cluster-announce-port", 0, 0, 65535, "Port that the node announces.", STORED),
            number("cluster-announce-tls-port", 0, 0, 65535, "TLS port that the node announces.", STORED),
            number("cluster-announce-bus-port", 0, 0, 65535, "Bus port that the node announces.", STORED),
            Directive(
                "cluster-announce-hostname", HostName(nullable=True), b"", "Host name that the node announces.", STORED
            ),
            Directive(
                "cluster-announce-human-nodename", HostName(nullable=True), b"", "Name of the node in logs.", STORED
            ),
            choice(
                "cluster-preferred-endpoint-type",
                ["ip", "hostname", "unknown-endpoint"],
                "ip",
                "What redirections name: address, host name, or nothing.",
                STORED,
            ),
        ],
    ),
]
