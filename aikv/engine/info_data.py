"""INFO's sections on the data and the commands: persistence, stats, replication, commandstats, keyspace.

Theory of operation: fields of features that aikv does not have are there with the value that says so (no replicas, no
channels), because tools ask for them by name. What is not measured is left out.
"""

from typing import TYPE_CHECKING, Final

from aikv.base.random import run_id
from aikv.engine import pubsub
from aikv.engine.acl import check
from aikv.engine.command import Command
from aikv.engine.command_table import all_calls, family
from aikv.engine.latency_histogram import all_buckets, percentile
from aikv.keyspace.database import Database

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

Fields = list[tuple[str, str]]

_REPLICATION_ID: Final = run_id()
_NO_ID: Final = "0" * 40
# In the order of Redis 7.2.
_DENIED: Final = ((check.AUTH, "auth"), (check.COMMAND, "cmd"), (check.KEY, "key"), (check.CHANNEL, "channel"))
# Keys with a TTL that the average of a database is taken from.
_TTL_SAMPLE: Final = 20


def persistence(engine: "Engine") -> Fields:
    """Snapshots and the append-only file."""
    return engine.persistence.info()


def stats(engine: "Engine") -> Fields:
    """Counters since the start or CONFIG RESETSTAT, and the rates of the last seconds."""
    counted = engine.stats
    return [
        ("total_connections_received", str(counted.connections)),
        ("total_commands_processed", str(all_calls(engine.commands))),
        ("instantaneous_ops_per_sec", str(counted.ops.per_second())),
        ("total_net_input_bytes", str(counted.net_input)),
        ("total_net_output_bytes", str(counted.net_output)),
        ("total_net_repl_input_bytes", "0"),
        ("total_net_repl_output_bytes", "0"),
        ("instantaneous_input_kbps", f"{counted.input_rate.per_second() / 1024:.2f}"),
        ("instantaneous_output_kbps", f"{counted.output_rate.per_second() / 1024:.2f}"),
        ("instantaneous_input_repl_kbps", "0.00"),
        ("instantaneous_output_repl_kbps", "0.00"),
        ("rejected_connections", str(counted.rejected_connections)),
        ("sync_full", "0"),
        ("sync_partial_ok", "0"),
        ("sync_partial_err", "0"),
        ("expired_keys", str(counted.expired)),
        ("evicted_keys", str(counted.evicted)),
        ("evicted_clients", "0"),
        ("total_eviction_exceeded_time", "0"),
        ("current_eviction_exceeded_time", "0"),
        ("keyspace_hits", str(counted.hits)),
        ("keyspace_misses", str(counted.misses)),
        ("pubsub_channels", str(engine.pubsub.distinct(pubsub.CHANNELS))),
        ("pubsub_patterns", str(engine.pubsub.distinct(pubsub.PATTERNS))),
        ("pubsubshard_channels", str(engine.pubsub.distinct(pubsub.SHARDS))),
        ("latest_fork_usec", str(counted.latest_fork_us)),
        ("total_forks", str(counted.forks)),
        ("migrate_cached_sockets", "0"),
        ("slave_expires_tracked_keys", "0"),
        ("active_defrag_hits", "0"),
        ("active_defrag_misses", "0"),
        ("active_defrag_key_hits", "0"),
        ("active_defrag_key_misses", "0"),
        ("total_active_defrag_time", "0"),
        ("current_active_defrag_time", "0"),
        ("tracking_total_keys", str(engine.tracking.keys)),
        ("tracking_total_items", str(engine.tracking.items)),
        ("tracking_total_prefixes", str(len(engine.tracking.prefixes.states))),
        ("unexpected_error_replies", str(counted.unexpected_errors)),
        ("total_error_replies", str(counted.error_replies)),
        ("dump_payload_sanitizations", "0"),
        ("total_reads_processed", str(counted.reads)),
        ("total_writes_processed", str(counted.writes)),
        ("io_threaded_reads_processed", "0"),
        ("io_threaded_writes_processed", "0"),
        ("reply_buffer_shrinks", "0"),
        ("reply_buffer_expands", "0"),
        ("client_query_buffer_limit_disconnections", str(counted.query_limit_disconnections)),
        ("client_output_buffer_limit_disconnections", str(counted.output_limit_disconnections)),
        *[(f"acl_access_denied_{name}", str(counted.denied.get(reason, 0))) for reason, name in _DENIED],
    ]


def replication(engine: "Engine") -> Fields:
    """A primary without replicas."""
    return [
        ("role", "master"),
        ("connected_slaves", "0"),
        ("master_failover_state", "no-failover"),
        ("master_replid", _REPLICATION_ID),
        ("master_replid2", _NO_ID),
        ("master_repl_offset", "0"),
        ("second_repl_offset", "-1"),
        ("repl_backlog_active", "0"),
        ("repl_backlog_size", engine.config.get_str("repl-backlog-size")),
        ("repl_backlog_first_byte_offset", "0"),
        ("repl_backlog_histlen", "0"),
    ]


def command_stats(engine: "Engine") -> Fields:
    """One line for each command that has been asked for."""
    fields: Fields = []
    for command in engine.commands.values():
        for each in family(command):
            if each.calls or each.rejected or each.failed:
                fields.append((f"cmdstat_{each.name}", _command_line(each)))
    return fields


def _command_line(command: Command) -> str:
    usec = int(command.spent_ns) // 1000
    mean = usec / int(command.calls) if command.calls else 0.0
    return (
        f"calls={command.calls},usec={usec},usec_per_call={mean:.2f},"
        f"rejected_calls={command.rejected},failed_calls={command.failed}"
    )


def error_stats(engine: "Engine") -> Fields:
    """How often each error code was sent."""
    return [(f"errorstat_{code.decode('latin-1')}", f"count={n}") for code, n in sorted(engine.stats.errors.items())]


def latency_stats(engine: "Engine") -> Fields:
    """For each command that was called the durations within which the configured percentages of calls were done."""
    if not engine.observer.tracking:
        return []
    wanted = engine.config.latency_tracking_info_percentiles
    fields: Fields = []
    for command in engine.commands.values():
        for each in family(command):
            buckets = all_buckets(each.latencies, each.instant_calls())
            if buckets:
                values = [f"p{percent:.6g}={percentile(buckets, percent):.3f}" for percent in wanted]
                fields.append((f"latency_percentiles_usec_{each.name}", ",".join(values)))
    return fields


def cluster(_engine: "Engine") -> Fields:
    """Not a cluster."""
    return [("cluster_enabled", "0")]


def keyspace(engine: "Engine") -> Fields:
    """Keys, and keys with a TTL, of every database that is not empty."""
    return [
        (
            f"db{database.index}",
            f"keys={len(database)},expires={database.expires_count()},avg_ttl={_average_ttl(database, engine.now_ms)}",
        )
        for database in engine.databases
        if len(database)
    ]


def _average_ttl(database: Database, now_ms: int) -> int:
    """Mean time to live in milliseconds of a sample of the keys that have one; 0 where none has."""
    if not database.expires_count():
        return 0
    _, keys = database.expires.scan(0, _TTL_SAMPLE)
    left = [max(0, database.expire_of(key) - now_ms) for key in keys[:_TTL_SAMPLE]]
    return sum(left) // len(left) if left else 0
