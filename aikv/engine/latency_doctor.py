"""LATENCY DOCTOR: what the latency monitor has seen, in words, with advice.

Theory of operation: for each event its figures, then one piece of advice for each kind of trouble that its events point
to. Pure functions from the monitor and the configuration to text.
"""

from typing import Final

from aikv.base.latency import LatencyEvent, LatencyMonitor
from aikv.engine.config.store import Config

_OFF: Final = (
    "The latency monitor is off, so there is nothing to judge by. Switch it on with CONFIG SET "
    "latency-monitor-threshold <milliseconds>, let the server work for a while, and ask again.\n"
)
_NOTHING: Final = "No event has taken as long as latency-monitor-threshold: latency is fine.\n"

_SLOW_COMMANDS: Final = (
    "Commands take long. SLOWLOG GET tells which and with what arguments: avoid those that walk large values or all "
    "keys (KEYS, SMEMBERS of a large set, SORT), or use SCAN and its kin."
)
_SLOW_SYSTEM: Final = (
    "Even commands that do next to nothing take long, so something else holds the process up: other processes on the "
    "same processors, swapping, a virtual machine without its share."
)
_FORK: Final = (
    "Starting a child takes long. Save and rewrite less often, or give the machine memory so that fork need not share "
    "it; transparent huge pages make it worse."
)
_DISK: Final = (
    "The disk is slow to take what the append-only file gives it. Put the file on a faster or less busy disk, or weigh "
    "whether appendfsync everysec, with no-appendfsync-on-rewrite yes, is safe enough."
)
_EXPIRY: Final = "Many keys run out at the same moment. Give them times to live that differ a little."
_ALWAYS: Final = "appendfsync always makes each turn of the event loop wait for the disk; everysec does not."

_ADVICE: Final[list[tuple[str, str]]] = [
    ("command", _SLOW_COMMANDS),
    ("fast-command", _SLOW_SYSTEM),
    ("fork", _FORK),
    ("aof-", _DISK),
    ("expire-cycle", _EXPIRY),
]


def report(monitor: LatencyMonitor, config: Config) -> str:
    """The whole report."""
    if not monitor.watching() and not monitor.events:
        return _OFF
    if not monitor.events:
        return _NOTHING
    lines = ["Events that took at least latency-monitor-threshold:", ""]
    for number, (name, event) in enumerate(monitor.events.items(), 1):
        lines.append(f"{number}. {name}: {_figures(event)}")
    lines += ["", "What may help:", ""]
    lines += [f"- {advice}" for advice in _advice(list(monitor.events), config)]
    return "\n".join(lines) + "\n"


def _figures(event: LatencyEvent) -> str:
    latencies = [latency for _, latency in event.samples]
    count = len(latencies)
    mean = sum(latencies) / count
    deviation = sum(abs(latency - mean) for latency in latencies) / count
    spread = event.samples[-1][0] - event.samples[0][0]
    return (
        f"{count} latency spikes (average {mean:.0f}ms, mean deviation {deviation:.0f}ms, period "
        f"{spread / count:.2f} sec). Worst all time event {event.worst_ms}ms."
    )


def _advice(names: list[str], config: Config) -> list[str]:
    found = [advice for prefix, advice in _ADVICE if any(name.startswith(prefix) for name in names)]
    if "aof-fsync-always" in names and config.get_str("appendfsync") == "always":
        found.append(_ALWAYS)
    return found
