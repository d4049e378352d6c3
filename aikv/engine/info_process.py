"""INFO's sections on the process: server, clients, CPU.

Theory of operation: what is told is what the operating system says of this process.
"""

import os
import platform
import resource
import sys
from typing import TYPE_CHECKING, Final

from aikv.base.form import COMPILED
from aikv.base.random import run_id
from aikv.base.version import REDIS_VERSION, VERSION
from aikv.engine.client import PUBSUB

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

Fields = list[tuple[str, str]]

# One process, one id; a restart makes another.
RUN_ID: Final = run_id()
_LRU_CLOCK_MASK: Final = (1 << 24) - 1
_DAY_S: Final = 86400


def server(engine: "Engine") -> Fields:
    """The program and where it runs."""
    config = engine.config
    system = platform.uname()
    uptime_s = (engine.now_ns - engine.started_ns) // 1_000_000_000
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
        ("server_time_usec", str(engine.now_ns // 1000)),
        ("uptime_in_seconds", str(uptime_s)),
        ("uptime_in_days", str(uptime_s // _DAY_S)),
        ("hz", config.get_str("hz")),
        ("configured_hz", config.get_str("hz")),
        ("lru_clock", str(engine.now_ns // 1_000_000_000 & _LRU_CLOCK_MASK)),
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
    subscribers = sum(1 for client in connected if client.kind == PUBSUB)
    awaited, awaited_gone = engine.waits.keys_waited_for()
    return [
        ("connected_clients", str(len(engine.clients))),
        ("cluster_connections", "0"),
        ("maxclients", engine.config.get_str("maxclients")),
        ("client_recent_max_input_buffer", str(max((c.link.buffered_input() for c in connected), default=0))),
        ("client_recent_max_output_buffer", str(max((c.link.buffered_output() for c in connected), default=0))),
        ("blocked_clients", str(blocked)),
        ("tracking_clients", str(len(engine.tracking.active))),
        ("pubsub_clients", str(subscribers)),
        ("clients_in_timeout_table", str(sum(1 for c in connected if c.block is not None and c.block.timer))),
        ("total_blocking_keys", str(awaited)),
        ("total_blocking_keys_on_nokey", str(awaited_gone)),
    ]


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
