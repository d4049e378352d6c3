"""INFO's section on memory. What the figures mean is told in `engine.memory`."""

from typing import TYPE_CHECKING

from aikv.base.units import format_memory_human
from aikv.engine.memory import STARTUP_BYTES, MemoryFigures, percentage, total_system_memory

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

Fields = list[tuple[str, str]]


def memory(engine: "Engine") -> Fields:
    """Memory of the process."""
    figures = MemoryFigures(engine)
    used = figures.used
    scripts = engine.scripting.figures()
    return [
        *_both("used_memory", used),
        *_both("used_memory_rss", used),
        *_both("used_memory_peak", figures.peak),
        ("used_memory_peak_perc", f"{percentage(used, figures.peak):.2f}%"),
        ("used_memory_overhead", str(figures.overhead)),
        ("used_memory_startup", str(STARTUP_BYTES)),
        ("used_memory_dataset", str(figures.dataset)),
        ("used_memory_dataset_perc", f"{percentage(figures.dataset, used - STARTUP_BYTES):.2f}%"),
        *_both("total_system_memory", total_system_memory()),
        ("used_memory_lua", str(scripts.interpreter)),
        ("used_memory_vm_eval", str(scripts.interpreter)),
        ("used_memory_lua_human", format_memory_human(scripts.interpreter)),
        ("used_memory_scripts_eval", str(scripts.cache)),
        ("number_of_cached_scripts", str(scripts.scripts)),
        ("number_of_functions", "0"),
        ("number_of_libraries", "0"),
        ("used_memory_vm_functions", "0"),
        *_both("used_memory_vm_total", scripts.interpreter),
        ("used_memory_functions", "0"),
        *_both("used_memory_scripts", scripts.cache),
        *_both("maxmemory", engine.config.get_int("maxmemory")),
        ("maxmemory_policy", engine.config.get_str("maxmemory-policy")),
        ("mem_fragmentation_ratio", "1.00"),
        ("mem_fragmentation_bytes", "0"),
        ("mem_not_counted_for_evict", "0"),
        ("mem_replication_backlog", "0"),
        ("mem_total_replication_buffers", "0"),
        ("mem_clients_slaves", "0"),
        ("mem_clients_normal", str(figures.clients)),
        ("mem_cluster_links", "0"),
        ("mem_aof_buffer", str(figures.log)),
        ("mem_allocator", "python"),
        ("active_defrag_running", "0"),
        # aikv frees in slices of hash table buckets, and counts those.
        ("lazyfree_pending_objects", str(engine.releaser.pending())),
        ("lazyfreed_objects", str(engine.releaser.freed)),
    ]


def _both(name: str, size: int) -> Fields:
    return [(name, str(size)), (f"{name}_human", format_memory_human(size))]
