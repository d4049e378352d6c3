"""INFO's sections on the process: server, clients, memory, CPU.

Theory of operation: what is told is what the operating system says of this process. Python's allocator does not say
what of its memory is in use, so `used_memory` is the resident set, and there are no allocator fields.
"""

import os
import platform
import resource
import sys
from typing import TYPE_CHECKING, Final

from aikv.base.form import COMPILED
from aikv.base.random import run_id
from aikv.base.units import format_memory_human
from aikv.base.version import REDIS_VERSION, VERSION
from aikv.engine.client_line import client_bytes
from aikv.engine.process import resident_bytes

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

Fields = list[tuple[str, str]]

# One process, one id; a restart makes another.
RUN_ID: Final = run_id()
# Taken when the code has been loaded, before there is any data.
_STARTUP_BYTES: Final = resident_bytes()
_LRU_CLOCK_MASK: Final = (1 << 24) - 1
_DAY_S: Final = 86400


def server(engine: "Engine") -> Fields:
    """The program and where it runs."""
    config = engine.config
    system = platform.uname()
    uptime_s = (engine.now_us - engine.started_us) // 1_000_000
    fields = [
        ("redis_version", REDIS_VERSION),
        ("redis_git_sha1", "00000000"),
        ("redis_git_dirty", "0"),
        ("redis_build_id", "0"),
        ("redis_mode", "standalone"),
        ("aikv_version", VERSION),
        ("aikv_form", "compiled" if COMPILED else "pure"),
        ("python_version", platform.python_version()),
        ("os", f"{system.system} {system.release} {system.machine}"),
        ("arch_bits", "64" if sys.maxsize > 1 << 32 else "32"),
        ("monotonic_clock", "POSIX clock_gettime"),
        ("multiplexing_api", "epoll" if system.system == "Linux" else "kqueue"),
        ("process_id", str(os.getpid())),
        ("process_supervised", config.get_str("supervised")),
        ("run_id", RUN_ID),
        ("tcp_port", config.get_str("port")),
        ("server_time_usec", str(engine.now_us)),
        ("uptime_in_seconds", str(uptime_s)),
        ("uptime_in_days", str(uptime_s // _DAY_S)),
        ("hz", config.get_str("hz")),
        ("configured_hz", config.get_str("hz")),
        ("lru_clock", str(engine.now_us // 1_000_000 & _LRU_CLOCK_MASK)),
        ("executable", os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] else sys.executable),
        ("config_file", config.file),
        ("io_threads_active", "0"),
    ]
    return fields + _listeners(engine)


def _listeners(engine: "Engine") -> Fields:
    found: list[str] = []
    config = engine.config
    if config.get_int("port"):
        addresses = ",".join(f"bind={address}" for address in config.bind)
        found.append(f"name=tcp,{addresses},port={config.get_int('port')}")
    if config.path("unixsocket"):
        found.append(f"name=unix,bind={config.path('unixsocket')}")
    return [(f"listener{number}", text) for number, text in enumerate(found)]


def clients(engine: "Engine") -> Fields:
    """Who is connected."""
    connected = engine.clients.values()
    blocked = sum(1 for client in connected if client.block is not None)
    return [
        ("connected_clients", str(len(engine.clients))),
        ("cluster_connections", "0"),
        ("maxclients", engine.config.get_str("maxclients")),
        ("client_recent_max_input_buffer", str(max((c.link.buffered_input() for c in connected), default=0))),
        ("client_recent_max_output_buffer", str(max((c.link.buffered_output() for c in connected), default=0))),
        ("blocked_clients", str(blocked)),
        ("tracking_clients", "0"),
        ("clients_in_timeout_table", str(sum(1 for c in connected if c.block is not None and c.block.timer))),
    ]


def memory(engine: "Engine") -> Fields:
    """Memory of the process."""
    used = resident_bytes()
    peak = max(used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    of_clients = sum(client_bytes(client) for client in engine.clients.values())
    overhead = _STARTUP_BYTES + of_clients
    data = max(0, used - overhead)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = engine.config.get_int("maxmemory")
    return [
        *_both("used_memory", used),
        *_both("used_memory_rss", used),
        *_both("used_memory_peak", peak),
        ("used_memory_peak_perc", _percent(used, peak)),
        ("used_memory_overhead", str(overhead)),
        ("used_memory_startup", str(_STARTUP_BYTES)),
        ("used_memory_dataset", str(data)),
        ("used_memory_dataset_perc", _percent(data, used - _STARTUP_BYTES)),
        *_both("total_system_memory", total),
        *_both("used_memory_lua", 0),
        ("number_of_cached_scripts", "0"),
        ("number_of_functions", "0"),
        ("number_of_libraries", "0"),
        *_both("used_memory_scripts", 0),
        *_both("maxmemory", limit),
        ("maxmemory_policy", engine.config.get_str("maxmemory-policy")),
        ("mem_fragmentation_ratio", "1.00"),
        ("mem_fragmentation_bytes", "0"),
        ("mem_not_counted_for_evict", "0"),
        ("mem_replication_backlog", "0"),
        ("mem_total_replication_buffers", "0"),
        ("mem_clients_slaves", "0"),
        ("mem_clients_normal", str(of_clients)),
        ("mem_cluster_links", "0"),
        ("mem_aof_buffer", str(len(engine.journal.out))),
        ("mem_allocator", "python"),
        ("active_defrag_running", "0"),
        ("lazyfree_pending_objects", "0"),
        ("lazyfreed_objects", "0"),
    ]


def _both(name: str, size: int) -> Fields:
    return [(name, str(size)), (f"{name}_human", format_memory_human(size))]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole > 0 else "0.00%"


def cpu(_engine: "Engine") -> Fields:
    """Seconds of processor time, of this process, of its children that have ended, and of the thread that serves."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    fields = [
        ("used_cpu_sys", own.ru_stime),
        ("used_cpu_user", own.ru_utime),
        ("used_cpu_sys_children", children.ru_stime),
        ("used_cpu_user_children", children.ru_utime),
    ]
    if sys.platform == "linux":
        thread = resource.getrusage(resource.RUSAGE_THREAD)
        fields += [("used_cpu_sys_main_thread", thread.ru_stime), ("used_cpu_user_main_thread", thread.ru_utime)]
    return [(name, f"{seconds:.6f}") for name, seconds in fields]
