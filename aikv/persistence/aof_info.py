"""What INFO persistence says of the append-only log: Redis 7's field names, order and meaning."""

from aikv.persistence.aof_log import OFF
from aikv.persistence.aof_rewrite import Aof


def _status(ok: bool) -> str:
    return "ok" if ok else "err"


def aof_info(aof: Aof) -> list[tuple[str, str]]:
    """The fields that are always there."""
    return [
        ("aof_enabled", str(int(aof.state != OFF))),
        ("aof_rewrite_in_progress", str(int(aof.rewriting))),
        ("aof_rewrite_scheduled", str(int(aof.rewrite_scheduled))),
        ("aof_last_rewrite_time_sec", str(aof.last_rewrite_s)),
        ("aof_current_rewrite_time_sec", str(aof.rewrite_seconds() if aof.rewriting else -1)),
        ("aof_last_bgrewrite_status", _status(aof.last_rewrite_ok)),
        ("aof_rewrites", str(aof.rewrites)),
        ("aof_rewrites_consecutive_failures", str(aof.limit.failures)),
        ("aof_last_write_status", _status(aof.ok)),
        ("aof_last_cow_size", str(aof.last_cow_size)),
    ]


def aof_sizes_info(aof: Aof) -> list[tuple[str, str]]:
    """The fields that are there while the log is not off; sizes in bytes."""
    if aof.state == OFF:
        return []
    return [
        ("aof_current_size", str(aof.current_size())),
        ("aof_base_size", str(aof.base_size)),
        ("aof_pending_rewrite", str(int(aof.rewrite_scheduled))),
        ("aof_buffer_length", str(aof.tail.pending())),
        ("aof_pending_bio_fsync", str(aof.pending_fsync())),
        ("aof_delayed_fsync", str(aof.delayed_fsync)),
    ]
